// SPDX-License-Identifier: GPL-2.0-or-later
/* The limits of the writable layer: options size and inodes. */
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <sys/wait.h>

#include "aio.h"
#include "control.h"
#include "fixture.h"
#include "usage.h"

enum { MIB = 1 << 20, LIMIT = 100 * MIB, TASKS = 8, LOWER_FILES = 40 };

#define LAYERS "lowerdir=low,upperdir=upper,workdir=work"

static void limited(const char *limits)
{
	only_shale("overlayfs has no limits");
	OK(try_mount("merged", text_of(LAYERS ",%s", limits)));
}

/* To XFS a full project is a full disk. */
static bool is_full(int error, bool xfs_project)
{
	return error == EDQUOT || (xfs_project && error == ENOSPC);
}

/* Filling it. Each step takes a turn until there is no room, and some more. */

static char piece[64 << 10] __attribute__((aligned(4096)));

static int append(const char *path, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, piece, size) < 0)
		error = errno;
	close(fd);
	return error;
}

static int fill_by_writes(int task, int step)
{
	return append(text_of("merged/w%d.%d", task, step / 16), sizeof(piece));
}

static int fill_by_copy_ups(int task, int step)
{
	int fd;

	if (step >= LOWER_FILES)
		return fill_by_writes(task, step);
	fd = open(text_of("merged/c%d", step), O_WRONLY);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int fill_by_links(int task, int step)
{
	const char *name = text_of("merged/l%d.%d", task, step);
	int error = append(name, 5000);

	if (!error && link(name, text_of("merged/ll%d.%d", task, step)))
		error = errno;
	return error;
}

static int fill_by_renames(int task, int step)
{
	const char *name = text_of("merged/r%d.new", task);
	int error = append(name, sizeof(piece));

	/* Every other one replaces what was there. */
	if (!error && rename(name, text_of("merged/r%d.%d", task, step / 2)))
		error = errno;
	return error;
}

static int (*const fills[])(int task, int step) = {
	fill_by_writes, fill_by_copy_ups, fill_by_links, fill_by_renames,
};

static void fill_task(int task, bool xfs_project)
{
	int step, refused = 0;

	for (step = 0; refused < 20 && step < 20000; step++) {
		int error = fills[task % 4](task, step);

		if (!error)
			continue;
		refused++;
		if (!is_full(error, xfs_project))
			fail("task %d, step %d: %s", task, step, errno_name(error));
	}
	if (refused < 20)
		fail("task %d was never refused enough", task);
	fflush(stdout);
	_exit(KTAP_PASS);
}

static void fill(bool xfs_project)
{
	pid_t child[TASKS];
	int i, status;

	fflush(stdout);
	for (i = 0; i < TASKS; i++) {
		child[i] = fork();
		CHECK(child[i] >= 0);
		if (!child[i])
			fill_task(i, xfs_project);
	}
	for (i = 0; i < TASKS; i++) {
		CHECK(waitpid(child[i], &status, 0) == child[i]);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == KTAP_PASS);
	}
}

static void expect_full(void)
{
	const struct usage *now = held_by_upper();

	printf("# the upper holds %lld bytes (%.2f %%), the mount says %lld\n", now->bytes,
	       100.0 * now->bytes / LIMIT, told_used());
	CHECK(now->bytes <= LIMIT + LIMIT / 100);
	CHECK(now->bytes >= LIMIT - LIMIT / 20);
}

/* XFS lets go of what was removed in the background, and allocates blocks of its own when it writes. */
static void expect_told(void)
{
	const double begun = now();
	long long difference;

	do
		difference = told_used() - held_by_upper()->bytes;
	while (llabs(difference) > LIMIT / 100 && now() - begun < 10 && !usleep(10000));
	printf("# the mount says %lld bytes more than the upper holds, %lld\n", difference, held_by_upper()->bytes);
	CHECK(llabs(difference) <= LIMIT / 100);
}

/* As expect_told(), of a mount that nothing is in. */
static void expect_empty(void)
{
	const double begun = now();
	int fd = open_file(".", O_RDONLY);

	while (told_used() >= MIB && now() - begun < 60) {
		OK(syncfs(fd));
		usleep(10000);
	}
	close(fd);
	printf("# when all is removed, the mount says %lld, after %.1f s\n", told_used(), now() - begun);
	CHECK(told_used() < MIB);
}

static void make_lower(void)
{
	int i;

	for (i = 0; i < LOWER_FILES; i++)
		make_sized(text_of("low/c%d", i), MIB);
}

enum { PROJECT = 4711 };

static void make_project(void)
{
	static const char * const dirs[] = { "upper", "work" };
	struct fsxattr attr;
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = open_file(dirs[i], O_RDONLY);
		OK(ioctl(fd, FS_IOC_FSGETXATTR, &attr));
		attr.fsx_projid = PROJECT;
		attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
		OK(ioctl(fd, FS_IOC_FSSETXATTR, &attr));
		close(fd);
	}
}

static void keep_to_limit(const char *base, bool project)
{
	const bool xfs_project = !strcmp(base, PROJECTS_XFS);
	int step, error;

	set_up_on(base);
	if (project)
		make_project();
	make_lower();
	limited("size=100M,inodes=10000");
	CHECK(shows_option("size=104857600"));
	fill(xfs_project);
	expect_full();
	expect_told();
	if (!project)
		CHECK_EQ(told_inodes(), held_by_upper()->inodes);
	unmount();
	limited("size=100M,inodes=10000");
	expect_told();
	if (!project)
		CHECK_EQ(told_inodes(), held_by_upper()->inodes);
	for (step = 0, error = 0; !error && step < 100; step++)
		error = append("merged/more", sizeof(piece));
	CHECK(is_full(error, xfs_project));
	remove_in("merged");
	expect_names("merged", "");
	expect_empty();
	if (!project)
		CHECK_EQ(told_inodes(), 1);
}

CASE(tmpfs, "tmpfs: 100 MiB, filled by many tasks in many ways, are kept to and given back") { keep_to_limit("tmpfs", false); }
CASE(ext4, "ext4: the same") { keep_to_limit(LARGE_EXT4, false); }
CASE(btrfs, "btrfs: the same") { keep_to_limit("btrfs", false); }
CASE(project_ext4, "ext4: the same of a project") { keep_to_limit(PROJECTS_EXT4, true); }
CASE(project_xfs, "xfs: the same of a project") { keep_to_limit(PROJECTS_XFS, true); }

CASE(inodes, "inodes: the limit counts objects, not names; what is removed makes room")
{
	int i;

	set_up();
	make_dir("upper/before");
	limited("inodes=12");
	CHECK_EQ(told_inodes(), 2);
	for (i = 0; i < 10; i++)
		make_file(text_of("merged/f%d", i), "x");
	FAILS(open("merged/one-more", O_CREAT | O_WRONLY, 0644), EDQUOT);
	FAILS(mkdir("merged/one-more", 0755), EDQUOT);
	OK(link("merged/f0", "merged/another-name"));
	CHECK_EQ(told_inodes(), 12);
	OK(unlink("merged/f1"));
	CHECK_EQ(told_inodes(), 11);
	OK(mkdir("merged/d", 0755));
	FAILS(symlink("x", "merged/one-more"), EDQUOT);
	OK(rename("merged/f2", "merged/f3"));
	OK(symlink("x", "merged/l"));
	unmount();
	limited("inodes=12");
	CHECK_EQ(told_inodes(), 12);
}

CASE(copy_up_over_inodes, "inodes: what is copied up counts, and a whiteout does not")
{
	set_up();
	make_file("low/a", "a");
	make_file("low/b", "b");
	make_file("low/c", "c");
	limited("inodes=2");
	OK(chmod("merged/a", 0600));
	FAILS(chmod("merged/b", 0600), EDQUOT);
	OK(unlink("merged/b"));
	expect_whiteout("upper/b");
	OK(unlink("merged/a"));
	OK(chmod("merged/c", 0600));
	CHECK_EQ(told_inodes(), 2);
}

CASE(unlinked, "a removed file that is open counts until it is closed")
{
	int fd;

	set_up_on("ext4");
	limited("size=1M");
	fd = open_file("merged/f", O_CREAT | O_RDWR);
	OK(fallocate(fd, 0, 0, 700 << 10));
	OK(unlink("merged/f"));
	CHECK(told_used() >= 700 << 10);
	CHECK_EQ(append("merged/g", sizeof(piece)), 0);
	OK(close(fd));
	CHECK(told_used() < 200 << 10);
}

CASE(in_place, "what is there already can be written when there is no more room")
{
	char block[4096] = "new";
	int fd;

	set_up_on("ext4");
	limited("size=1M");
	fd = open_file("merged/f", O_CREAT | O_RDWR);
	OK(fallocate(fd, 0, 0, 900 << 10));
	while (pwrite(fd, piece, sizeof(piece), lseek(fd, 0, SEEK_END)) > 0)
		;
	CHECK_EQ(errno, EDQUOT);
	OK(pwrite(fd, block, sizeof(block), 0));
	OK(pwrite(fd, block, sizeof(block), 500 << 10));
	OK(pwrite(fd, piece, sizeof(piece), 100 << 10));
	FAILS(pwrite(fd, block, sizeof(block), 100 << 20), EDQUOT);
	OK(ftruncate(fd, 100 << 20));
	OK(ftruncate(fd, 0));
	OK(pwrite(fd, block, sizeof(block), 0));
}

CASE(part_of_a_write, "a write that does not fit is cut to what does")
{
	static char much[2 << 20];
	ssize_t written;
	int fd;

	set_up_on("ext4");
	limited("size=1M");
	fd = open_file("merged/f", O_CREAT | O_RDWR);
	written = write(fd, much, sizeof(much));
	CHECK(written > 800 << 10 && written <= 1 << 20);
	FAILS(write(fd, much, sizeof(much)), EDQUOT);
	CHECK(held_by_upper()->bytes <= (1 << 20) + 8192);
}

/* Ways to write. Each writes one piece at an offset. Return: bytes, or -1. */

static long write_directly(int fd, off_t at)
{
	return pwrite(fd, piece, sizeof(piece), at);
}

static long write_asynchronously(int fd, off_t at)
{
	const long size = asynchronously(fd, IOCB_CMD_PWRITE, piece, sizeof(piece), at);

	errno = size < 0 ? -size : 0;
	return size < 0 ? -1 : size;
}

static long splice_in(int fd, off_t at)
{
	int ends[2];
	long size;

	OK(pipe(ends));
	CHECK(fcntl(ends[1], F_SETPIPE_SZ, 2 * sizeof(piece)) > 0);
	CHECK_EQ(write(ends[1], piece, sizeof(piece)), sizeof(piece));
	size = splice(ends[0], NULL, fd, &at, sizeof(piece), 0);
	close(ends[0]);
	close(ends[1]);
	return size;
}

static int source;	/* of copies and clones: a file of the mount, larger than the limit */

static long copy_in(int fd, off_t at)
{
	return copy_file_range(source, &(loff_t){ at }, fd, &at, sizeof(piece), 0);
}

static long clone_in(int fd, off_t at)
{
	struct file_clone_range range = {
		.src_fd = source, .src_offset = at, .src_length = sizeof(piece), .dest_offset = at,
	};

	return ioctl(fd, FICLONERANGE, &range) ? -1 : (long)sizeof(piece);
}

static long allocate(int fd, off_t at)
{
	return fallocate(fd, 0, at, sizeof(piece)) ? -1 : (long)sizeof(piece);
}

/*
 * Writes a file, which has no name at first if @flags say so, until there is no room; gives it a name,
 * and removes it.
 */
static void keep_to_limit_by(long (*write_piece)(int fd, off_t at), int flags)
{
	long long inodes;
	off_t at = 0;
	long size;
	int fd;

	set_up_on(write_piece == clone_in ? "btrfs" : "ext4");
	make_sized("low/source", 16 * MIB);
	limited("size=4M,inodes=100");
	source = open_file("merged/source", O_RDONLY);
	fd = open_file(flags & O_TMPFILE ? "merged" : "merged/f", flags | O_RDWR);
	while ((size = write_piece(fd, at)) > 0 && at < 16 * MIB)
		at += size;
	CHECK_EQ(size, -1);
	CHECK_EQ(errno, EDQUOT);
	/* A name takes room, too. */
	OK(ftruncate(fd, at - sizeof(piece)));
	if ((flags & O_TMPFILE) == O_TMPFILE)
		OK(linkat(AT_FDCWD, text_of("/proc/self/fd/%d", fd), AT_FDCWD, "merged/f", AT_SYMLINK_FOLLOW));
	OK(fsync(fd));
	close(fd);
	printf("# refused after %ld bytes; the upper holds %lld\n", (long)at, held_by_upper()->bytes);
	CHECK(held_by_upper()->bytes <= 4 * MIB + 4 * MIB / 100);
	CHECK(held_by_upper()->bytes >= 3 * MIB);
	CHECK(llabs(told_used() - held_by_upper()->bytes) <= 4 * MIB / 100);
	inodes = told_inodes();
	OK(unlink("merged/f"));
	CHECK_EQ(told_inodes(), inodes - 1);
	CHECK(told_used() < MIB / 4);
	CHECK_EQ(append("merged/g", sizeof(piece)), 0);
}

#define WAY(name, title, write_piece, flags)					\
	CASE(by_##name, title " keeps to the limit, and is given back") { keep_to_limit_by(write_piece, flags); }

WAY(direct, "O_DIRECT", write_directly, O_CREAT | O_DIRECT)
WAY(aio, "asynchronous writing", write_asynchronously, O_CREAT)
WAY(direct_aio, "asynchronous writing with O_DIRECT", write_asynchronously, O_CREAT | O_DIRECT)
WAY(splice, "splicing", splice_in, O_CREAT)
WAY(copy, "copy_file_range", copy_in, O_CREAT)
WAY(clone, "cloning", clone_in, O_CREAT)
WAY(fallocate, "fallocate", allocate, O_CREAT)
WAY(tmpfile, "a file without a name", write_directly, O_TMPFILE)
WAY(sync, "O_SYNC", write_directly, O_CREAT | O_SYNC)

enum { MAPPED = 3 << 20 };

static char *map_holes(int fd)
{
	char *map;

	OK(ftruncate(fd, MAPPED));
	map = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	return map;
}

CASE(mapped, "what a shared mapping fills is noticed when the file is closed")
{
	char *map;
	int fd;

	set_up_on("ext4");
	limited("size=1M");
	fd = open_file("merged/f", O_CREAT | O_RDWR);
	map = map_holes(fd);
	memset(map, 1, MAPPED);
	munmap(map, MAPPED);
	close(fd);
	CHECK_EQ(append("merged/g", 1), EDQUOT);
	OK(unlink("merged/f"));
	CHECK_EQ(append("merged/g", 1), 0);
}

CASE(mapped_and_closed, "what is filled after the file was closed and forgotten is noticed, and given back once")
{
	char *map;
	int fd;

	set_up_on("ext4");
	limited("size=4M");
	fd = open_file("merged/f", O_CREAT | O_RDWR);
	map = map_holes(fd);
	close(fd);
	drop_all_caches();
	memset(map, 1, MAPPED);
	munmap(map, MAPPED);
	drop_all_caches();
	CHECK_EQ(stat_of("merged/f").st_size, MAPPED);
	drop_all_caches();
	OK(unlink("merged/f"));
	/* ext4 may have taken a block or two to find the others, when it was forgotten already. */
	CHECK(llabs(told_used() - held_by_upper()->bytes) <= 4096);
	CHECK_EQ(append("merged/g", sizeof(piece)), 0);
	CHECK(llabs(told_used() - held_by_upper()->bytes) <= 4096);
}

/* The layer is full: of holes within a file at most a hundredth more is filled. */
static void expect_kept(const char *name)
{
	const long long before = held_by_upper()->bytes;
	const int fd = open_file(name, O_WRONLY);
	int step;

	OK(ftruncate(fd, 200 * sizeof(piece)));
	for (step = 0; step < 200; step++) {
		if (pwrite(fd, piece, sizeof(piece), step * sizeof(piece)) < 0)
			CHECK_EQ(errno, EDQUOT);
	}
	close(fd);
	printf("# %lld bytes more than before\n", held_by_upper()->bytes - before);
	CHECK(held_by_upper()->bytes <= 10 * MIB + 10 * MIB / 100);
	CHECK_EQ(append(name, sizeof(piece)), EDQUOT);
}

static void fill_up(const char *name)
{
	int error;

	do
		error = append(name, sizeof(piece));
	while (!error);
	CHECK_EQ(error, EDQUOT);
}

CASE(behind_the_end, "what is set apart behind the end of a file is no room within it")
{
	int fd;

	set_up_on("ext4");
	limited("size=10M");
	fd = open_file("merged/f", O_CREAT | O_RDWR);
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 30, 4 << 20));
	fill_up("merged/g");
	expect_kept("merged/f");
}

CASE(attributes_block, "nor is the block that a file's attributes take")
{
	set_up_on("ext4");
	limited("size=10M");
	make_file("merged/f", "text");
	OK(setxattr("merged/f", "user.long", piece, 900, 0));
	fill_up("merged/g");
	expect_kept("merged/f");
}

CASE(only_in_the_index, "a copy that has no name but that in the index is counted when it is mounted again")
{
	set_up_with("index=on");
	make_sized("low/a", 100000);
	OK(link("low/a", "low/b"));
	limited("size=1M");
	if (!shows_option("index=on"))
		SKIP("without file handles there is no index");
	close(open_file("merged/a", O_WRONLY));
	OK(unlink("merged/a"));
	unmount();
	limited("size=1M,inodes=10");
	CHECK_EQ(told_inodes(), 2);
	CHECK(told_used() >= 100000);
	OK(unlink("merged/b"));
	CHECK_EQ(told_inodes(), 1);
	CHECK(told_used() < 20000);
}

CASE(marks, "marks that a rename makes are counted, and given back")
{
	char name[256];

	memset(name, 'n', sizeof(name));
	name[200] = '\0';
	set_up_with("redirect_dir=on");
	make_dir("low/d");
	make_dir(text_of("low/d/%s", name));
	limited("size=10M");
	OK(rename(text_of("merged/d/%s", name), "merged/moved"));
	CHECK_EQ(told_used(), held_by_upper()->bytes);
	drop_all_caches();
	CHECK_EQ(stat_of("merged/moved").st_mode & S_IFMT, S_IFDIR);
	OK(rmdir("merged/moved"));
	CHECK_EQ(told_used(), held_by_upper()->bytes);
}

static void refused(const char *limits, int error)
{
	only_shale("overlayfs has no limits");
	FAILS(try_mount("merged", text_of(LAYERS ",%s", limits)), error);
}

CASE(xfs_needs_a_project, "xfs: size is refused without project quotas, as files have more than they hold; inodes is not")
{
	set_up_on("xfs");
	refused("size=100M", EOPNOTSUPP);
	limited("inodes=100");
	CHECK_EQ(append("merged/f", sizeof(piece)), 0);
	CHECK_EQ(told_inodes(), 2);
}

CASE(no_limits, "limits that are none are refused, and 0 means that there is none")
{
	set_up_on("ext4");
	refused("size=", EINVAL);
	refused("size=lots", EINVAL);
	refused("size=-1", EINVAL);
	refused("size=10X", EINVAL);
	refused("size=99999999T", EINVAL);
	refused("inodes=x", EINVAL);
	FAILS(try_mount("merged", "lowerdir=low:top,size=1M"), EINVAL);
	limited("size=0,inodes=0");
	CHECK(!shows_option("size="));
	CHECK_EQ(append("merged/f", sizeof(piece)), 0);
}

/* By netlink, of a live mount. */

/* What "get" tells, by attribute; NOT_TOLD where it does not. */
#define NOT_TOLD UINT64_MAX
static uint64_t told[SHALE_A_MOUNT_MAX + 1];

static void take_limits(const struct nlmsghdr *message, void *context)
{
	(void)context;
	for_each_attr(attr, message) {
		if (attr->nla_type >= SHALE_A_MOUNT_SIZE && attr->nla_type <= SHALE_A_MOUNT_INODES_USED)
			told[attr->nla_type] = attr_u64(attr);
		else if (attr->nla_type == SHALE_A_MOUNT_PROJECT)
			told[attr->nla_type] = attr_u32(attr);
	}
}

static void get_limits(void)
{
	memset(told, 0xff, sizeof(told));
	control_about(SHALE_CMD_GET, SHALE_A_MOUNT_FD, "merged");
	CHECK_EQ(control_send(take_limits, NULL).error, 0);
}

static struct refusal set_limit(uint16_t type, uint64_t value)
{
	request_add(control_about(SHALE_CMD_SET, SHALE_A_MOUNT_FD, "merged"), type, &value, sizeof(value));
	return control_send(control_ignore, NULL);
}

/* Return: 0, or why a file can't have that much. */
static int set_apart(const char *path, off_t size)
{
	int fd = open_file(path, O_WRONLY | O_CREAT);
	int error = fallocate(fd, 0, 0, size) ? errno : 0;

	close(fd);
	return error;
}

CASE(changed, "a limit of a live mount can be changed: room is made, or what is there stays and nothing new fits")
{
	set_up_on("ext4");
	limited("size=1M,inodes=10");
	CHECK_EQ(set_apart("merged/f", 512 << 10), 0);
	get_limits();
	CHECK_EQ(told[SHALE_A_MOUNT_SIZE], MIB);
	CHECK_EQ(told[SHALE_A_MOUNT_INODES], 10);
	CHECK_EQ(told[SHALE_A_MOUNT_SIZE_USED], held_by_upper()->bytes);
	CHECK_EQ(told[SHALE_A_MOUNT_INODES_USED], 2);
	CHECK_EQ(told[SHALE_A_MOUNT_PROJECT], NOT_TOLD);

	CHECK_EQ(set_limit(SHALE_A_MOUNT_SIZE, 256 << 10).error, 0);
	CHECK(shows_option("size=262144"));
	CHECK_EQ(append("merged/f", 4096), EDQUOT);
	CHECK_EQ(append("merged/g", 0), EDQUOT);
	CHECK_EQ(stat_of("merged/f").st_size, 512 << 10);
	CHECK_EQ(set_limit(SHALE_A_MOUNT_SIZE, 3 * MIB).error, 0);
	CHECK_EQ(set_apart("merged/f", 2 * MIB), 0);
	CHECK_EQ(set_apart("merged/f", 4 * MIB), EDQUOT);
	CHECK_EQ(set_limit(SHALE_A_MOUNT_SIZE, 0).error, 0);
	CHECK(!shows_option("size="));
	CHECK_EQ(set_apart("merged/f", 4 * MIB), 0);

	CHECK_EQ(set_limit(SHALE_A_MOUNT_INODES, 2).error, 0);
	FAILS(mkdir("merged/d", 0755), EDQUOT);
	CHECK_EQ(set_limit(SHALE_A_MOUNT_INODES, 3).error, 0);
	OK(mkdir("merged/d", 0755));
	CHECK_EQ(told_inodes(), 3);
}

static void expect_fixed(uint16_t type, const char *because)
{
	struct refusal refusal = set_limit(type, 100);

	CHECK_EQ(refusal.error, EOPNOTSUPP);
	CHECK(refusal.offset > 0);
	CHECK(strstr(refusal.text, because));
}

CASE(not_counted, "of a mount that was made without limits none can be set, as nobody counts")
{
	only_shale("overlayfs has no limits");
	set_up();
	mount_layers("low");
	expect_fixed(SHALE_A_MOUNT_SIZE, "without a limit");
	get_limits();
	CHECK_EQ(told[SHALE_A_MOUNT_SIZE], NOT_TOLD);
	unmount();
	mount_read_only("low");
	expect_fixed(SHALE_A_MOUNT_INODES, "no writable layer");
}

CASE(of_a_project, "limits of a project are told, and left to the tools of the file system below")
{
	set_up_on(PROJECTS_XFS);
	make_project();
	limited("size=10M,inodes=100");
	get_limits();
	CHECK_EQ(told[SHALE_A_MOUNT_SIZE], 10 * MIB);
	CHECK_EQ(told[SHALE_A_MOUNT_PROJECT], PROJECT);
	CHECK_EQ(told[SHALE_A_MOUNT_SIZE_USED], NOT_TOLD);
	expect_fixed(SHALE_A_MOUNT_INODES, "xfs_quota");
}

static struct fsxattr flags_of(const char *path)
{
	struct fsxattr attr;
	int fd = open_file(path, O_RDONLY);

	OK(ioctl(fd, FS_IOC_FSGETXATTR, &attr));
	close(fd);
	return attr;
}

CASE(no_way_out, "nobody leaves the project through the mount; other flags can be changed")
{
	struct fsxattr attr;
	int fd, flags;

	set_up_on(PROJECTS_XFS);
	make_project();
	make_file("low/file", "text");
	make_dir("low/d");
	limited("size=10M");
	make_file("merged/new", "text");
	fd = open_file("merged/new", O_RDONLY);
	OK(ioctl(fd, FS_IOC_FSGETXATTR, &attr));
	CHECK_EQ(attr.fsx_projid, PROJECT);
	attr.fsx_projid = 0;
	FAILS(ioctl(fd, FS_IOC_FSSETXATTR, &attr), EPERM);
	attr.fsx_projid = PROJECT;
	attr.fsx_xflags |= FS_XFLAG_NOATIME;
	OK(ioctl(fd, FS_IOC_FSSETXATTR, &attr));

	/* A lower's are others. */
	fd = open_file("merged/file", O_RDONLY);
	OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= FS_NOATIME_FL;
	OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	CHECK_EQ(flags_of("upper/file").fsx_projid, PROJECT);
	fd = open_file("merged/d", O_RDONLY);
	OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= FS_NOATIME_FL;
	OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	CHECK_EQ(flags_of("upper/d").fsx_projid, PROJECT);
	CHECK(flags_of("upper/d").fsx_xflags & FS_XFLAG_PROJINHERIT);
}

CASE(bytes_on_xfs, "a limit of bytes is not set on XFS without a project, and with it nothing else is")
{
	const uint64_t much = 100 * MIB;
	struct request *request;

	set_up_on("xfs");
	limited("inodes=100");
	expect_fixed(SHALE_A_MOUNT_SIZE, "XFS");
	request = control_about(SHALE_CMD_SET, SHALE_A_MOUNT_FD, "merged");
	request_add(request, SHALE_A_MOUNT_INODES, &much, sizeof(much));
	request_add(request, SHALE_A_MOUNT_SIZE, &much, sizeof(much));
	CHECK_EQ(control_send(control_ignore, NULL).error, EOPNOTSUPP);
	CHECK(shows_option("inodes=100"));
	CHECK_EQ(set_limit(SHALE_A_MOUNT_INODES, 200).error, 0);
	CHECK(shows_option("inodes=200"));
}

CASES_MAIN
