// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * syncfs() of the mount flushes the upper's file system, but only if something was changed through the mount since
 * it last did. What is asked is whether the disk was told to keep what it has.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>

#include "aio.h"
#include "device.h"
#include "fixture.h"

#define PAGE 4096

/* Has syncfs() told the disk? */
static bool flushes(void)
{
	const long long before = nr_flushes("low");
	const int fd = open_file("merged", O_RDONLY);

	OK(syncfs(fd));
	close(fd);
	return nr_flushes("low") > before;
}

/* overlayfs does so each time. */
static void expect_quiet(void)
{
	CHECK(flushes() == !on_shale());
}

/*
 *	upper  mine, other, directory, link
 *	low    theirs, linked, renamed, removed, big
 */
static void set_up_synced(void)
{
	set_up_on(LARGE_EXT4);
	flush_only_if_told("low/..");
	with_features("redirect_dir=on,metacopy=off,index=off");
	make_sized("upper/mine", 4 * PAGE);
	make_sized("upper/other", 4 * PAGE);
	make_dir("upper/directory");
	make_dir("upper/empty");
	make_file("low/theirs", "theirs");
	make_file("low/linked", "linked");
	make_file("low/renamed", "renamed");
	make_file("low/removed", "removed");
	make_dir("low/full");
	make_file("low/full/file", "file");
	mount_layers("low");
	flushes();
}

/* Changes. Each begins where the one before has left the tree. */

static int mine(int flags)
{
	return open_file("merged/mine", O_RDWR | flags);
}

static void write_to(int fd)
{
	CHECK_EQ(OK(pwrite(fd, aligned_pages(PAGE), PAGE, 0)), PAGE);
	close(fd);
}

static void write_buffered(void)
{
	write_to(mine(0));
}

static void write_direct(void)
{
	write_to(mine(O_DIRECT));
}

static void append(void)
{
	const int fd = mine(O_APPEND);

	CHECK_EQ(OK(write(fd, "text", 4)), 4);
	close(fd);
}

static void write_asynchronously(void)
{
	const int fd = mine(O_DIRECT);

	CHECK_EQ(asynchronously(fd, IOCB_CMD_PWRITE, aligned_pages(PAGE), PAGE, PAGE), PAGE);
	close(fd);
}

static void copy_a_range(void)
{
	const int in = open_file("merged/other", O_RDONLY), out = mine(0);
	off_t from = 0, to = PAGE;

	CHECK_EQ(OK(copy_file_range(in, &from, out, &to, PAGE, 0)), PAGE);
	close(in);
	close(out);
}

static void send_a_file(void)
{
	const int in = open_file("merged/other", O_RDONLY), out = mine(0);

	CHECK_EQ(OK(sendfile(out, in, NULL, PAGE)), PAGE);
	close(in);
	close(out);
}

static void splice_from_a_pipe(void)
{
	const int out = mine(0);
	int ends[2];

	OK(pipe(ends));
	CHECK_EQ(OK(write(ends[1], "text", 4)), 4);
	CHECK_EQ(OK(splice(ends[0], NULL, out, NULL, 4, 0)), 4);
	close(ends[0]);
	close(ends[1]);
	close(out);
}

static void allocate(void)
{
	const int fd = mine(0);

	OK(fallocate(fd, 0, 0, 8 * PAGE));
	close(fd);
}

static void punch(void)
{
	const int fd = mine(0);

	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	close(fd);
}

static void shorten(void)
{
	OK(truncate("merged/mine", PAGE));
}

static void empty_at_open(void)
{
	close(mine(O_TRUNC));
}

static void change_mode(void)
{
	OK(chmod("merged/mine", 0640));
}

static void change_owner(void)
{
	OK(chown("merged/mine", 1, 1));
}

static void change_times(void)
{
	set_mtime("merged/mine", 1000, 0);
}

static void change_mode_of_directory(void)
{
	OK(chmod("merged/directory", 0711));
}

static void set_xattr(void)
{
	OK(setxattr("merged/mine", "user.name", "value", 5, 0));
}

static void remove_xattr(void)
{
	OK(removexattr("merged/mine", "user.name"));
}

static void set_flags(void)
{
	const int fd = mine(0);
	int flags;

	OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags ^= FS_NODUMP_FL;
	OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
}

static void create_file(void)
{
	close(open_file("merged/new", O_CREAT | O_EXCL | O_WRONLY));
}

static void create_directory(void)
{
	OK(mkdir("merged/new_directory", 0755));
}

static void create_fifo(void)
{
	OK(mkfifo("merged/fifo", 0600));
}

static void create_symlink(void)
{
	OK(symlink("target", "merged/symlink"));
}

static void link_own(void)
{
	OK(link("merged/mine", "merged/link"));
}

static void name_unnamed(void)
{
	const int fd = open_file("merged", O_TMPFILE | O_WRONLY);

	OK(linkat(AT_FDCWD, text_of("/proc/self/fd/%d", fd), AT_FDCWD, "merged/named", AT_SYMLINK_FOLLOW));
	close(fd);
}

static void rename_own(void)
{
	OK(rename("merged/new", "merged/newer"));
}

static void replace(void)
{
	OK(rename("merged/newer", "merged/link"));
}

static void exchange(void)
{
	OK(rename2("merged/mine", "merged/other", RENAME_EXCHANGE));
}

static void remove_own(void)
{
	OK(unlink("merged/link"));
}

static void remove_own_directory(void)
{
	OK(rmdir("merged/empty"));
}

static void remove_lower(void)
{
	OK(unlink("merged/removed"));
}

static void create_over_whiteout(void)
{
	OK(mkdir("merged/removed", 0755));
}

static void link_lower(void)
{
	OK(link("merged/linked", "merged/linked_too"));
}

static void rename_lower(void)
{
	OK(rename("merged/renamed", "merged/renamed_too"));
}

static void rename_lower_directory(void)
{
	OK(rename("merged/full", "merged/moved"));
}

static void write_lower(void)
{
	write_to(open_file("merged/theirs", O_RDWR));
}

static void copy_up_at_open(void)
{
	close(open_file("merged/moved/file", O_RDWR));
}

static const struct {
	const char *what;
	void (*change)(void);
} changes[] = {
	{ "a buffered write", write_buffered },
	{ "a direct write", write_direct },
	{ "appending", append },
	{ "an asynchronous write", write_asynchronously },
	{ "copy_file_range()", copy_a_range },
	{ "sendfile()", send_a_file },
	{ "splice()", splice_from_a_pipe },
	{ "fallocate()", allocate },
	{ "punching a hole", punch },
	{ "truncate()", shorten },
	{ "O_TRUNC", empty_at_open },
	{ "chmod()", change_mode },
	{ "chown()", change_owner },
	{ "utimensat()", change_times },
	{ "chmod() of a directory", change_mode_of_directory },
	{ "setxattr()", set_xattr },
	{ "removexattr()", remove_xattr },
	{ "FS_IOC_SETFLAGS", set_flags },
	{ "creating a file", create_file },
	{ "mkdir()", create_directory },
	{ "mkfifo()", create_fifo },
	{ "symlink()", create_symlink },
	{ "link()", link_own },
	{ "a name for an unnamed file", name_unnamed },
	{ "rename()", rename_own },
	{ "rename() over a name", replace },
	{ "an exchange", exchange },
	{ "unlink()", remove_own },
	{ "rmdir()", remove_own_directory },
	{ "unlink() of a lower file", remove_lower },
	{ "mkdir() in the place of a whiteout", create_over_whiteout },
	{ "link() of a lower file", link_lower },
	{ "rename() of a lower file", rename_lower },
	{ "rename() of a lower directory", rename_lower_directory },
	{ "a write to a lower file", write_lower },
	{ "opening a lower file to write", copy_up_at_open },
};

CASE(changed, "after each kind of change syncfs() flushes, once")
{
	size_t i;

	set_up_synced();
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		changes[i].change();
		if (!flushes())
			fail("nothing was flushed after %s", changes[i].what);
		expect_quiet();
	}
}

CASE(unchanged, "when things were only looked at, syncfs() flushes nothing")
{
	only_shale("it flushes each time");
	set_up_synced();
	CHECK(!flushes());
	CHECK(!system("find merged -type f -exec cat {} + >/dev/null"));
	CHECK(!system("ls -lR merged >/dev/null"));
	CHECK(!flushes());
}

/* Nobody tells when pages are written, and pages that are pinned can be after they are unmapped. */
CASE(mapped, "once a file was mapped to be written, syncfs() flushes each time")
{
	char *map;
	int fd;

	set_up_synced();
	fd = mine(0);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	close(fd);
	CHECK(flushes());
	OK(mprotect(map, PAGE, PROT_READ | PROT_WRITE));
	map[0]++;
	CHECK(flushes());
	OK(munmap(map, PAGE));
	CHECK(flushes());
	CHECK(flushes());
	again();
	flushes();
	expect_quiet();
}

CASE(mapped_to_read, "mappings that can't be written don't count")
{
	int fd;

	set_up_synced();
	fd = open_file("merged/mine", O_RDONLY);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	expect_quiet();
}

static int pipe_ends[2];

static void *splice_from_empty_pipe(void *unused)
{
	const int out = mine(0);

	(void)unused;
	CHECK_EQ(OK(splice(pipe_ends[0], NULL, out, NULL, 4, 0)), 4);
	close(out);
	return NULL;
}

/* What it has done so far may have been seen already. */
CASE(unfinished, "while somebody is about to change something, syncfs() flushes each time")
{
	pthread_t writer;

	set_up_synced();
	expect_quiet();
	OK(pipe(pipe_ends));
	CHECK(!pthread_create(&writer, NULL, splice_from_empty_pipe, NULL));
	while (!flushes())
		usleep(1000);
	CHECK(flushes());
	CHECK(flushes());
	CHECK_EQ(OK(write(pipe_ends[1], "text", 4)), 4);
	CHECK(!pthread_join(writer, NULL));
	CHECK(flushes());
	expect_quiet();
}

CASE(many, "more changed files than are kept apart are flushed, too")
{
	int i;

	set_up_synced();
	for (i = 0; i < 2000; i++)
		OK(mknod(text_of("merged/directory/%d", i), S_IFREG | 0644, 0));
	CHECK(flushes());
	expect_quiet();
	for (i = 0; i < 2000; i++)
		OK(chmod(text_of("merged/directory/%d", i), 0600));
	CHECK(flushes());
	expect_quiet();
	OK(chmod("merged/directory/7", 0644));
	CHECK(flushes());
	expect_quiet();
}

/* The journal gives them back when it has written what took them away. */
static unsigned long nr_free(void)
{
	struct statfs st;
	const int fd = open_file("low", O_RDONLY);

	OK(syncfs(fd));
	OK(fstatfs(fd, &st));
	close(fd);
	return st.f_bfree;
}

CASE(removed, "what was changed and is removed gives its space back without a syncfs() of the mount")
{
	unsigned long before;
	int fd;

	set_up_synced();
	fd = open_file("merged/new", O_CREAT | O_RDWR);
	before = nr_free();
	OK(fallocate(fd, 0, 0, 64 << 20));
	CHECK(before - nr_free() >= 16384);
	OK(unlink("merged/new"));
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	CHECK(before - nr_free() >= 16383);
	close(fd);
	CHECK_EQ(nr_free(), before);
}

CASES_MAIN
