// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * metacopy=on: what changes attributes alone copies no data; what changes data completes the copy.
 *
 * The files are large, so that data that was copied shows in the blocks of the upper file.
 */
#include "fixture.h"

#include <ftw.h>
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "space.h"

#define ON "redirect_dir=on,metacopy=on,index=off"

enum { SIZE = (1 << 20) + 777 };

/* An upper file has attributes and size, but no data. Its xattrs may take a block. */
static void expect_without_data_(const char *path, off_t size)
{
	struct stat st = stat_of_(path);

	if (lgetxattr(path, "trusted.overlay.metacopy", NULL, 0) < 0)
		fail("%s has no mark: %s", path, errno_name(errno));
	if (st.st_size != size)
		fail("%s has %lld bytes", path, (long long)st.st_size);
	if (st.st_blocks > 16)
		fail("%s has %lld blocks", path, (long long)st.st_blocks);
}
#define expect_without_data(path) STEP(expect_without_data_(path, SIZE))

static void expect_with_data_(const char *path)
{
	if (lgetxattr(path, "trusted.overlay.metacopy", NULL, 0) >= 0)
		fail("%s still has the mark", path);
}
#define expect_with_data(path) STEP(expect_with_data_(path))

/* What the mount shows of a file whose data is that of a lower one. */
static void expect_lower_data_(const char *merged, const char *lower)
{
	struct stat got = stat_of_(merged), wanted = stat_of_(lower);

	expect_sized_(merged, SIZE);
	if (got.st_size != SIZE || got.st_blocks != wanted.st_blocks)
		fail("%s has %lld bytes in %lld blocks, not %d in %lld", merged,
		     (long long)got.st_size, (long long)got.st_blocks, SIZE,
		     (long long)wanted.st_blocks);
}
#define expect_lower_data(merged, lower) STEP(expect_lower_data_(merged, lower))

struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entry[5];
};

/* rw-rw----, and SOMEBODY may read. */
static const struct acl acl = {
	{ POSIX_ACL_XATTR_VERSION },
	{
		{ ACL_USER_OBJ, 6, -1 }, { ACL_USER, 4, SOMEBODY }, { ACL_GROUP_OBJ, 6, -1 },
		{ ACL_MASK, 6, -1 }, { ACL_OTHER, 0, -1 },
	},
};

#define ACCESS "system.posix_acl_access"
#define CAPABILITY "security.capability"

static const struct vfs_cap_data capability = {
	.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
	.data = { { .permitted = 1 << CAP_NET_RAW } },
};

/* Attributes alone */

static int do_chmod(const char *path)
{
	return chmod(path, 0600);
}

static int do_chown(const char *path)
{
	return chown(path, SOMEBODY, ANYBODY);
}

static int do_utimes(const char *path)
{
	const struct timespec times[] = { { 1000, 1 }, { 2000, 2 } };

	return utimensat(AT_FDCWD, path, times, 0);
}

static int do_set_user(const char *path)
{
	return setxattr(path, "user.new", "new", 3, 0);
}

static int do_set_trusted(const char *path)
{
	return setxattr(path, "trusted.new", "new", 3, 0);
}

static int do_remove(const char *path)
{
	return removexattr(path, "user.old");
}

static int do_set_acl(const char *path)
{
	return setxattr(path, ACCESS, &acl, sizeof(acl), 0);
}

static int do_set_capability(const char *path)
{
	return setxattr(path, CAPABILITY, &capability, sizeof(capability), 0);
}

static int do_fchmod(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = fchmod(fd, 0640);

	close(fd);
	return ret;
}

static int do_in_place(const char *path)
{
	return rename(path, path) ?: chmod(path, 0604);
}

/*
 *	low  d/{a,b,c...} (large, user.old)
 */
CASE(attributes_alone, "mode, owner, times, xattrs, ACLs and capabilities are changed without copying data")
{
	static const struct {
		const char *name;
		int (*change)(const char *path);
	} changes[] = {
		{ "chmod", do_chmod }, { "chown", do_chown }, { "utimes", do_utimes },
		{ "user", do_set_user }, { "trusted", do_set_trusted }, { "remove", do_remove },
		{ "acl", do_set_acl }, { "capability", do_set_capability }, { "fchmod", do_fchmod },
		{ "in_place", do_in_place },
	};
	enum { NR = sizeof(changes) / sizeof(changes[0]) };
	int i;

	set_up_with(ON);
	make_dir("low/d");
	for (i = 0; i < NR; i++) {
		make_sized(text_of("low/d/%s", changes[i].name), SIZE);
		OK(setxattr(text_of("low/d/%s", changes[i].name), "user.old", "old", 3, 0));
	}
	sync();
	mount_layers("low");
	for (i = 0; i < NR; i++)
		OK(changes[i].change(text_of("merged/d/%s", changes[i].name)));
	EACH_TIME {
		for (i = 0; i < NR; i++) {
			expect_without_data(text_of("upper/d/%s", changes[i].name));
			expect_lower_data(text_of("merged/d/%s", changes[i].name),
					  text_of("low/d/%s", changes[i].name));
		}
		CHECK_EQ(stat_of("merged/d/chmod").st_mode & 07777, 0600);
		CHECK_EQ(stat_of("merged/d/chown").st_gid, ANYBODY);
		CHECK_EQ(stat_of("merged/d/utimes").st_mtim.tv_sec, 2000);
		expect_xattr("merged/d/user", "user.new", "new");
		expect_xattr("merged/d/remove", "user.old", NULL);
		CHECK_EQ(stat_of("merged/d/acl").st_mode & 07777, 0660);
	}
	expect_mark("upper/d", "impure", "y");
}

/*
 *	low  f (large)  to/
 */
CASE(renamed_within, "a file is renamed without copying data, its mark the old name")
{
	set_up_with(ON);
	make_sized("low/f", SIZE);
	mount_layers("low");
	OK(rename("merged/f", "merged/g"));
	EACH_TIME {
		expect_names("merged", "g");
		expect_lower_data("merged/g", "low/f");
	}
	expect_without_data("upper/g");
	expect_mark("upper/g", "redirect", "f");
	expect_whiteout("upper/f");
}

CASE(renamed_away, "a file is renamed into another directory without copying data, its mark the old path")
{
	set_up_with(ON);
	make_dir("low/from");
	make_sized("low/from/f", SIZE);
	make_dir("low/to");
	mount_layers("low");
	OK(chmod("merged/from/f", 0600));
	expect_mark("upper/from/f", "redirect", NULL);
	OK(rename("merged/from/f", "merged/to/g"));
	OK(rename("merged/from", "merged/to/from"));
	EACH_TIME {
		expect_names("merged/to", "from g");
		expect_lower_data("merged/to/g", "low/from/f");
		CHECK_EQ(stat_of("merged/to/g").st_mode & 07777, 0600);
	}
	expect_without_data("upper/to/g");
	expect_mark("upper/to/g", "redirect", "/from/f");
	OK(rename("merged/to/g", "merged/h"));
	write_text("merged/h", "new");
	EACH_TIME
		expect_text("merged/h", "new");
}

CASE(moved_parent, "a file goes along with its directory, and finds its data by that's mark")
{
	set_up_with(ON);
	make_dir("low/d");
	make_sized("low/d/f", SIZE);
	make_dir("low/to");
	mount_layers("low");
	OK(chmod("merged/d/f", 0600));
	OK(rename("merged/d", "merged/to/e"));
	EACH_TIME
		expect_lower_data("merged/to/e/f", "low/d/f");
	OK(rename("merged/to/e/f", "merged/f"));
	expect_mark("upper/f", "redirect", "/d/f");
	EACH_TIME
		expect_lower_data("merged/f", "low/d/f");
}

CASE(linked, "a file gets a second name without copying data; what is written to one is in both")
{
	set_up_with(ON);
	make_dir("low/d");
	make_sized("low/d/f", SIZE);
	make_dir("low/to");
	mount_layers("low");
	OK(link("merged/d/f", "merged/to/g"));
	expect_without_data("upper/d/f");
	expect_mark("upper/d/f", "redirect", "/d/f");
	EACH_TIME {
		expect_lower_data("merged/d/f", "low/d/f");
		expect_lower_data("merged/to/g", "low/d/f");
		CHECK_EQ(stat_of("merged/d/f").st_nlink, 2);
		CHECK_EQ(stat_of("merged/to/g").st_ino, stat_of("merged/d/f").st_ino);
	}
	OK(unlink("merged/d/f"));
	OK(link("merged/to/g", "merged/h"));
	EACH_TIME {
		expect_names("merged/d", "");
		expect_lower_data("merged/h", "low/d/f");
	}
	write_text("merged/h", "new");
	EACH_TIME {
		expect_text("merged/to/g", "new");
		expect_text("merged/h", "new");
	}
}

CASE(linked_then_completed, "data that is completed by one name is there by the other, also to who has it open")
{
	char byte;
	int fd;

	set_up_with(ON);
	make_sized("low/f", SIZE);
	mount_layers("low");
	OK(link("merged/f", "merged/g"));
	again();
	expect_sized("merged/f", SIZE);
	fd = open_file("merged/f", O_RDONLY);
	close(open_file("merged/g", O_WRONLY));
	expect_with_data("upper/f");
	expect_sized("merged/f", SIZE);
	OK(truncate("merged/g", 1));
	CHECK_EQ(OK(pread(fd, &byte, 1, 0)), 1);
	CHECK_EQ(OK(pread(fd, &byte, 1, 1)), 0);
	CHECK_EQ(stat_of("merged/f").st_size, 1);
}

/* Data */

static int open_to_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? fd : close(fd);
}

static int open_to_update(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? fd : close(fd);
}

static int append_nothing(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? fd : close(fd);
}

static int allocate(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int ret = fd < 0 ? fd : fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE);

	if (ret && errno == EOPNOTSUPP)
		ret = 0;
	close(fd);
	return ret;
}

static int truncate_to_size(const char *path)
{
	return truncate(path, SIZE);
}

static int map_to_write(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), ret;
	char *map;

	if (fd < 0)
		return -1;
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -1;
	map[4096]++;
	map[4096]--;
	ret = msync(map, SIZE, MS_SYNC);
	munmap(map, SIZE);
	return ret;
}

static int splice_to_itself(const char *path)
{
	int in = open(path, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CLOEXEC);
	off_t pos = 4096, to = 4096;
	int ret;

	if (in < 0 || out < 0)
		return -1;
	ret = copy_file_range(in, &pos, out, &to, 0, 0);
	close(in);
	close(out);
	return ret;
}

/*
 *	low  write, update, ... (large)
 */
CASE(completes, "whoever may change data gets it copied: the mark goes, content and number stay")
{
	static const struct {
		const char *name;
		int (*use)(const char *path);
	} uses[] = {
		{ "write", open_to_write }, { "update", open_to_update }, { "append", append_nothing },
		{ "allocate", allocate }, { "truncate", truncate_to_size }, { "map", map_to_write },
		{ "splice", splice_to_itself },
	};
	enum { NR = sizeof(uses) / sizeof(uses[0]) };
	ino_t ino[NR];
	int i;

	needs_handles();
	set_up_with(ON);
	for (i = 0; i < NR; i++)
		make_sized(text_of("low/%s", uses[i].name), SIZE);
	mount_layers("low");
	for (i = 0; i < NR; i++) {
		const char *path = text_of("merged/%s", uses[i].name);

		ino[i] = stat_of(path).st_ino;
		OK(chmod(path, 0640));
		expect_without_data(text_of("upper/%s", uses[i].name));
		if (uses[i].use(path))
			STEP(fail("%s: %s", uses[i].name, errno_name(errno)));
		expect_with_data(text_of("upper/%s", uses[i].name));
		expect_sized(text_of("upper/%s", uses[i].name), SIZE);
	}
	EACH_TIME {
		for (i = 0; i < NR; i++) {
			const char *path = text_of("merged/%s", uses[i].name);

			expect_sized(path, SIZE);
			CHECK_EQ(stat_of(path).st_ino, ino[i]);
			CHECK_EQ(d_ino_of(path), ino[i]);
			CHECK_EQ(stat_of(path).st_mode & 07777, 0640);
		}
	}
}

/*
 *	low  zero, trunc, shorter, longer (large)
 */
CASE(truncates, "a file without data is truncated: to nothing, to less, to more")
{
	char byte;
	int fd;

	set_up_with(ON);
	make_sized("low/zero", SIZE);
	make_sized("low/trunc", SIZE);
	make_sized("low/shorter", SIZE);
	make_sized("low/longer", SIZE);
	mount_layers("low");
	OK(chmod("merged/zero", 0600));
	OK(chmod("merged/trunc", 0600));
	OK(chmod("merged/shorter", 0600));
	OK(chmod("merged/longer", 0600));
	OK(truncate("merged/zero", 0));
	close(open_file("merged/trunc", O_WRONLY | O_TRUNC));
	OK(truncate("merged/shorter", 5000));
	OK(truncate("merged/longer", SIZE + 5000));
	expect_with_data("upper/zero");
	expect_with_data("upper/trunc");
	expect_with_data("upper/shorter");
	expect_with_data("upper/longer");
	EACH_TIME {
		expect_text("merged/zero", "");
		expect_text("merged/trunc", "");
		expect_sized("merged/shorter", 5000);
		CHECK_EQ(stat_of("merged/longer").st_size, SIZE + 5000);
		fd = open_file("merged/longer", O_RDONLY);
		CHECK_EQ(OK(pread(fd, &byte, 1, SIZE + 4999)), 1);
		CHECK_EQ(byte, 0);
		close(fd);
	}
	OK(truncate("merged/longer", SIZE));
	expect_sized("merged/longer", SIZE);
}

/*
 *	low  f (large, with a hole)
 */
CASE(holes, "a file with holes keeps its blocks and its holes")
{
	struct stat low, st;
	int fd;

	set_up_with(ON);
	make_sized("low/f", 8192);
	OK(truncate("low/f", 8 << 20));
	sync();
	low = stat_of("low/f");
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	STEP(expect_without_data_("upper/f", 8 << 20));
	EACH_TIME {
		st = stat_of("merged/f");
		CHECK_EQ(st.st_blocks, low.st_blocks);
		CHECK_EQ(st.st_size, 8 << 20);
	}
	fd = open_file("merged/f", O_RDWR);
	if (on_shale())
		CHECK_EQ(OK(lseek(fd, 0, SEEK_HOLE)), 8192);
	close(fd);
}

/* As overlayfs does not, what copies data keeps the mtime. */
static void expect_same_as_before(const char *path, const struct stat *wanted)
{
	struct stat st = stat_of_(path);

	if (!on_shale())
		st.st_mtim = wanted->st_mtim;
	expect_same_attributes_(&st, wanted);
}

static void expect_attributes(const char *path, const struct stat *wanted)
{
	struct vfs_cap_data caps;
	struct acl got;

	STEP(expect_same_as_before(path, wanted));
	CHECK_EQ(OK(getxattr(path, CAPABILITY, &caps, sizeof(caps))), sizeof(caps));
	CHECK(!memcmp(&caps, &capability, sizeof(caps)));
	CHECK_EQ(OK(getxattr(path, ACCESS, &got, sizeof(got))), sizeof(got));
	CHECK(!memcmp(&got, &acl, sizeof(got)));
	expect_xattr(path, "user.a", "value");
}

static void set_attributes(const char *path)
{
	OK(setxattr(path, "user.a", "value", 5, 0));
	OK(chown(path, SOMEBODY, ANYBODY));
	OK(setxattr(path, ACCESS, &acl, sizeof(acl), 0));
	OK(chmod(path, 06775));
	OK(setxattr(path, ACCESS, &acl, sizeof(acl), 0));
	OK(setxattr(path, CAPABILITY, &capability, sizeof(capability), 0));
	set_mtime(path, 1000000000, 123456789);
}

/*
 *	low  f (large, set-id bits, capabilities, ACL)
 */
CASE(attributes_stay, "set-id bits, capabilities, ACL, owner and times outlive the copying of data")
{
	struct stat st;

	set_up_with(ON);
	make_sized("low/f", SIZE);
	set_attributes("low/f");
	st = stat_of("low/f");
	CHECK(st.st_mode & 06000);
	mount_layers("low");
	OK(setxattr("merged/f", "user.b", "b", 1, 0));
	expect_without_data("upper/f");
	STEP(expect_attributes("merged/f", &st));
	close(open_file("merged/f", O_RDWR));
	expect_with_data("upper/f");
	EACH_TIME
		STEP(expect_attributes("merged/f", &st));
	expect_sized("merged/f", SIZE);
}

CASE(later_attributes_stay, "so do those that were set on the copy without data")
{
	struct stat st;

	set_up_with(ON);
	make_sized("low/f", SIZE);
	mount_layers("low");
	STEP(set_attributes("merged/f"));
	expect_without_data("upper/f");
	st = stat_of("merged/f");
	CHECK(st.st_mode & 06000);
	again();
	STEP(expect_attributes("merged/f", &st));
	close(open_file("merged/f", O_RDWR));
	expect_with_data("upper/f");
	EACH_TIME
		STEP(expect_attributes("merged/f", &st));
}

CASE(writing_takes_privileges, "writing still takes set-id bits and capabilities away")
{
	int fd;

	set_up_with(ON);
	make_sized("low/f", SIZE);
	mount_layers("low");
	OK(chown("merged/f", SOMEBODY, SOMEBODY));
	OK(chmod("merged/f", 04755));
	OK(setxattr("merged/f", CAPABILITY, &capability, sizeof(capability), 0));
	expect_without_data("upper/f");
	AS(SOMEBODY, SOMEBODY) {
		fd = open_file("merged/f", O_WRONLY);
		OK(write(fd, "x", 1));
	}
	CHECK_EQ(stat_of("merged/f").st_mode & 07777, 0755);
	expect_xattr("merged/f", CAPABILITY, NULL);
}

/*
 *	low  f (large)
 */
CASE(open_before, "who opened a file before its data was copied reads what is written then")
{
	int before, without_data, writer;
	char text[4];

	set_up_with(ON);
	make_sized("low/f", SIZE);
	mount_layers("low");
	before = open_file("merged/f", O_RDONLY);
	OK(chmod("merged/f", 0600));
	without_data = open_file("merged/f", O_RDONLY);
	expect_without_data("upper/f");
	writer = open_file("merged/f", O_WRONLY);
	OK(pwrite(writer, "new", 3, 4096));
	CHECK_EQ(OK(pread(before, text, 3, 4096)), 3);
	CHECK(!memcmp(text, "new", 3));
	CHECK_EQ(OK(pread(without_data, text, 3, 4096)), 3);
	CHECK(!memcmp(text, "new", 3));
}

/*
 *	low  f (large)  other (large)
 */
CASE(reads, "a file without data is mapped, sent, copied from, and synced")
{
	int fd, out;
	char *map;
	off_t pos = 0;
	loff_t in = 0;

	set_up_with(ON);
	make_sized("low/f", SIZE);
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	fd = open_file("merged/f", O_RDONLY);
	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(posix_fadvise(fd, 0, SIZE, POSIX_FADV_WILLNEED));
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	out = open_file("merged/mapped", O_CREAT | O_WRONLY);
	CHECK_EQ(OK(write(out, map, SIZE)), SIZE);
	close(out);
	out = open_file("merged/sent", O_CREAT | O_WRONLY);
	CHECK_EQ(OK(sendfile(out, fd, &pos, SIZE)), SIZE);
	close(out);
	out = open_file("merged/copied", O_CREAT | O_WRONLY);
	while (in < SIZE)
		OK(copy_file_range(fd, &in, out, NULL, SIZE, 0));
	close(out);
	expect_sized("merged/mapped", SIZE);
	expect_sized("merged/sent", SIZE);
	expect_sized("merged/copied", SIZE);
	expect_without_data("upper/f");
}

CASE(runs, "a program is run from a file without data")
{
	set_up_with(ON);
	OK(system("cp /bin/true low/program"));
	mount_layers("low");
	OK(chmod("merged/program", 0700));
	CHECK(getxattr("upper/program", "trusted.overlay.metacopy", NULL, 0) >= 0);
	CHECK_EQ(system("merged/program"), 0);
	again();
	CHECK_EQ(system("merged/program"), 0);
}

CASE(removed, "a file without data that is removed, or replaced, can be read as long as it is open")
{
	int fd, replaced;
	char *map;

	set_up_with(ON);
	make_sized("low/f", SIZE);
	make_sized("low/g", SIZE);
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	OK(chmod("merged/g", 0600));
	fd = open_file("merged/f", O_RDONLY);
	replaced = open_file("merged/g", O_RDONLY);
	OK(unlink("merged/f"));
	make_file("merged/new", "new");
	OK(rename("merged/new", "merged/g"));
	map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	expect_sized(text_of("/proc/self/fd/%d", fd), SIZE);
	expect_sized(text_of("/proc/self/fd/%d", replaced), SIZE);
	OK(fchmod(fd, 0640));
	expect_names("merged", "g");
	expect_text("merged/g", "new");
	/* What has no name any more can still be written: its data comes to a file without a name. */
	if (on_shale()) {
		close(open_file(text_of("/proc/self/fd/%d", replaced), O_RDWR));
		expect_sized(text_of("/proc/self/fd/%d", replaced), SIZE);
	}
	close(fd);
	close(replaced);
	munmap(map, SIZE);
	again();
	expect_names("merged", "g");
}

CASE(small, "files of no byte and of one are what they were")
{
	set_up_with(ON);
	make_file("low/empty", "");
	make_file("low/one", "1");
	mount_layers("low");
	OK(chmod("merged/empty", 0600));
	OK(chmod("merged/one", 0600));
	EACH_TIME {
		expect_text("merged/empty", "");
		expect_text("merged/one", "1");
	}
	write_text("merged/empty", "more");
	OK(truncate("merged/one", 0));
	EACH_TIME {
		expect_text("merged/empty", "more");
		expect_text("merged/one", "");
	}
}

/* Lower layers */

/* A file without data, as a copy-up by metacopy=on leaves it. */
static void make_without_data_(const char *path, off_t size)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);

	if (fd < 0 || ftruncate(fd, size))
		fail("making %s: %s", path, errno_name(errno));
	close(fd);
	set_mark_(path, "metacopy", "", 0);
}
#define make_without_data(path) STEP(make_without_data_(path, SIZE))

/*
 *	top  f (no data)
 *	low  f (large)
 */
CASE(in_a_lower, "a lower file without data has that of the next layer")
{
	set_up_with(ON);
	make_without_data("top/f");
	make_sized("low/f", SIZE);
	mount_layers("top:low");
	expect_lower_data("merged/f", "low/f");
	CHECK_EQ(stat_of("merged/f").st_mode & 07777, 0640);
	OK(chmod("merged/f", 0600));
	expect_without_data("upper/f");
	EACH_TIME {
		expect_lower_data("merged/f", "low/f");
		CHECK_EQ(stat_of("merged/f").st_mode & 07777, 0600);
	}
	close(open_file("merged/f", O_WRONLY));
	expect_with_data("upper/f");
	EACH_TIME
		expect_sized("merged/f", SIZE);
}

/*
 *	top  f (no data)
 *	low  f (large)
 */
CASE(only_read, "without an upper, following redirects is all that a file without data needs")
{
	set_up();
	make_without_data("top/f");
	make_sized("low/f", SIZE);
	with_features("metacopy=on,redirect_dir=nofollow");
	FAILS(try_mount("merged", "lowerdir=top:low"), EINVAL);
	with_features("metacopy=on,redirect_dir=follow");
	mount_options("merged", "lowerdir=top:low");
	expect_lower_data("merged/f", "low/f");
}

CASE(in_a_lower_written, "a lower file without data that is written at once gets all of it")
{
	int fd;

	set_up_with(ON);
	make_without_data("top/f");
	make_without_data("top/g");
	make_sized("low/f", SIZE);
	make_sized("low/g", SIZE);
	mount_layers("top:low");
	fd = open_file("merged/f", O_WRONLY | O_APPEND);
	OK(write(fd, "+", 1));
	close(fd);
	OK(truncate("merged/g", 4096));
	expect_with_data("upper/f");
	expect_with_data("upper/g");
	EACH_TIME {
		CHECK_EQ(stat_of("merged/f").st_size, SIZE + 1);
		expect_sized("merged/g", 4096);
	}
	OK(truncate("merged/f", SIZE));
	expect_sized("merged/f", SIZE);
}

/*
 *	upper  f (no data) → /d/g   d/g (whiteout)
 *	top    d/g (no data) → h
 *	mid    d/h (no data) → /k
 *	low    k (large)
 */
CASE(chain, "a chain of files without data leads through the layers")
{
	set_up_with(ON);
	make_dir("mid");
	make_without_data("upper/f");
	set_mark("upper/f", "redirect", "/d/g");
	make_dir("upper/d");
	make_whiteout("upper/d/g");
	make_dir("top/d");
	make_without_data("top/d/g");
	set_mark("top/d/g", "redirect", "h");
	make_dir("mid/d");
	make_without_data("mid/d/h");
	set_mark("mid/d/h", "redirect", "/k");
	make_sized("low/k", SIZE);
	mount_layers("top:mid:low");
	EACH_TIME {
		expect_lower_data("merged/f", "low/k");
		expect_names("merged/d", "h");
		expect_lower_data("merged/d/h", "low/k");
	}
	close(open_file("merged/f", O_WRONLY));
	OK(chmod("merged/d/h", 0600));
	OK(rename("merged/d", "merged/e"));
	OK(rename("merged/e/h", "merged/h"));
	EACH_TIME {
		expect_sized("merged/f", SIZE);
		expect_lower_data("merged/h", "low/k");
	}
}

/*
 *	upper  f g h i (no data)
 *	low      g/  h (whiteout)  i -> k  k (large)
 */
CASE(without_any, "a file without data, and with none below, is EIO")
{
	static const char * const names[] = { "f", "g", "h", "i" };
	struct stat st;
	int i;

	set_up_with(ON);
	for (i = 0; i < 4; i++)
		make_without_data(text_of("upper/%s", names[i]));
	make_dir("low/g");
	make_whiteout("low/h");
	make_sized("low/k", SIZE);
	OK(symlink("k", "low/i"));
	mount_layers("low");
	for (i = 0; i < 4; i++) {
		FAILS(stat(text_of("merged/%s", names[i]), &st), EIO);
		FAILS(open(text_of("merged/%s", names[i]), O_RDONLY), EIO);
		FAILS(unlink(text_of("merged/%s", names[i])), EIO);
	}
	expect_sized("merged/k", SIZE);
}

/*
 *	top  f (no data)    mid  f (whiteout in the first, a directory in the second)    low  f (large)
 */
CASE(ends_on_the_way, "what lies between hides the data below it: EIO")
{
	struct stat st;

	set_up_with(ON);
	make_dir("mid");
	make_without_data("top/f");
	make_without_data("top/g");
	make_whiteout("mid/f");
	make_dir("mid/g");
	make_sized("low/f", SIZE);
	make_sized("low/g", SIZE);
	mount_layers("top:mid:low");
	FAILS(stat("merged/f", &st), EIO);
	FAILS(stat("merged/g", &st), EIO);
}

/*
 *	upper  f (no data)    top  g (no data)    low  f g (large)  h (no data, in the lowest)
 */
CASE(off, "with metacopy=off a file without data can't be looked up: EPERM")
{
	struct stat st;

	set_up_with("redirect_dir=on,metacopy=off,index=off");
	make_without_data("upper/f");
	make_without_data("top/g");
	make_sized("low/f", SIZE);
	make_sized("low/g", SIZE);
	mount_layers("top:low");
	FAILS(stat("merged/f", &st), EPERM);
	FAILS(stat("merged/g", &st), EPERM);
	FAILS(open("merged/f", O_WRONLY | O_TRUNC), EPERM);
	FAILS(unlink("merged/g"), EPERM);
	expect_names("merged", "f g");
}

/*
 *	upper  a ... (no data), with records that are none
 */
CASE(invalid, "a record that no version defines is EIO")
{
	static const struct {
		const char *name, *value;
		size_t size;
	} records[] = {
		{ "short", "\0\3\0", 3 },
		{ "version", "\1\4\0\0", 4 },
		{ "length", "\0\5\0\0", 4 },
		{ "cut", "\0\44\0\1", 4 },
	};
	struct stat st;
	size_t i;

	only_shale("older ones read no record");
	set_up_with(ON);
	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		make_without_data(text_of("upper/%s", records[i].name));
		set_mark_bytes(text_of("upper/%s", records[i].name), "metacopy", records[i].value,
			       records[i].size);
		make_sized(text_of("low/%s", records[i].name), SIZE);
	}
	make_without_data("upper/digest");
	set_mark_bytes("upper/digest", "metacopy",
		       "\0\44\0\1" "0123456789abcdef0123456789abcdef", 36);
	make_sized("low/digest", SIZE);
	mount_layers("low");
	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		FAILS(stat(text_of("merged/%s", records[i].name), &st), EIO);
	expect_lower_data("merged/digest", "low/digest");
}

CASE(wants_redirects, "metacopy=on and redirect_dir=nofollow contradict each other")
{
	set_up();
	make_file("low/f", "f");
	with_features("metacopy=on,redirect_dir=nofollow");
	FAILS(try_mount("merged", "lowerdir=low,upperdir=upper,workdir=work"), EINVAL);
	with_features("metacopy=on,redirect_dir=follow");
	FAILS(try_mount("merged", "lowerdir=low,upperdir=upper,workdir=work"), EINVAL);
	with_features("metacopy=on,index=off");
	mount_options("merged", "lowerdir=low,upperdir=upper,workdir=work");
}

/* Many: SHALE_METACOPY_FILES says how many, if not 2,000. */

enum { MANY = 2000, SMALL = 8192, IN_ONE_DIR = 100 };

static int nr_files(void)
{
	const char *text = getenv("SHALE_METACOPY_FILES");

	return text ? atoi(text) : MANY;
}

static const char *path_of_number(const char *root, int number)
{
	return text_of("%s/%d/%d", root, number / IN_ONE_DIR, number);
}

/* Nothing but its number, again and again. */
static void text_of_number(char text[SMALL + 1], int number)
{
	int pos;

	for (pos = 0; pos < SMALL; pos += 8)
		snprintf(text + pos, 9, "%07u\n", number % 10000000U);
}

static void make_numbered(int number)
{
	static char text[SMALL + 1];
	int fd = OK(open(path_of_number("low", number), O_CREAT | O_EXCL | O_WRONLY, 0644));

	text_of_number(text, number);
	CHECK_EQ(OK(write(fd, text, SMALL)), SMALL);
	close(fd);
}

static void expect_numbered(int number)
{
	static char wanted[SMALL + 1], got[SMALL + 1];
	const char *path = path_of_number("merged", number);
	int fd = open_file(path, O_RDONLY);
	struct stat st;

	OK(fstat(fd, &st));
	CHECK_EQ(st.st_uid, SOMEBODY);
	text_of_number(wanted, number);
	CHECK_EQ(OK(read(fd, got, sizeof(got))), SMALL);
	if (memcmp(got, wanted, SMALL))
		fail("%s has the content of another file", path);
	close(fd);
}

static int chown_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return lchown(path, SOMEBODY, SOMEBODY);
}

static long long nr_blocks;

static int count_blocks(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)path;
	(void)where;
	if (type == FTW_F)
		nr_blocks += st->st_blocks;
	return 0;
}

/* What was written so far to the device that the upper lies on. Negative: it has none of its own. */
static long long written_kib(void)
{
	struct stat st = stat_of("upper");
	int dir = open_file("upper", O_RDONLY);
	long long sectors = -2;
	FILE *file;

	OK(syncfs(dir));
	close(dir);
	file = fopen(text_of("/sys/dev/block/%u:%u/stat", major(st.st_dev), minor(st.st_dev)),
		     "r");
	if (!file)
		return -1;
	if (fscanf(file, "%*s %*s %*s %*s %*s %*s %lld", &sectors) != 1)
		sectors = -2;
	fclose(file);
	return sectors / 2;
}

static void tell_written(long long before)
{
	if (before >= 0)
		printf("# %lld KiB were written to the device\n", written_kib() - before);
}

CASE(chown_many, "the owner of 2,000 files is changed without copying any of their data")
{
	int i, many = nr_files();
	long long before;

	if (many > MANY)
		alarm(0);	/* whoever asks for more has the time */
	set_up_with(ON);
	for (i = 0; i < many; i += IN_ONE_DIR)
		make_dir(text_of("low/%d", i / IN_ONE_DIR));
	for (i = 0; i < many; i++)
		make_numbered(i);
	mount_layers("low");
	before = written_kib();
	OK(nftw("merged", chown_one, 16, FTW_PHYS));
	tell_written(before);
	OK(nftw("upper", count_blocks, 16, FTW_PHYS));
	printf("# %lld KiB for the attributes of %d files of %d KiB\n", nr_blocks / 2, many,
	       SMALL / 1024);
	CHECK(nr_blocks <= many * 8LL);	/* a block of xattrs each, at most */
	for (i = 0; i < many; i += 99)
		STEP(expect_without_data_(path_of_number("upper", i), SMALL));
	again();
	for (i = 0; i < many; i++)
		expect_numbered(i);
}

/* What goes wrong */

/*
 *	low  f (4 MiB) on a file system that is nearly full
 */
CASE(no_space, "want of space while data is copied leaves the file as it was")
{
	enum { LARGE = 4 << 20 };
	struct stat st;

	set_up_on("ext4");
	with_features(ON);
	make_sized("low/f", LARGE);
	mount_layers("low");
	OK(chmod("merged/f", 06750));
	set_mtime("merged/f", 1000000000, 5);
	st = stat_of("merged/f");
	space_leave_blocks(100);
	FAILS(open("merged/f", O_WRONLY), ENOSPC);
	FAILS(truncate("merged/f", LARGE - 1), ENOSPC);
	space_give_back();
	CHECK(getxattr("upper/f", "trusted.overlay.metacopy", NULL, 0) >= 0);
	EACH_TIME {
		STEP(expect_same_as_before("merged/f", &st));
		expect_sized("merged/f", LARGE);
	}
	OK(truncate("merged/f", LARGE - 1));
	expect_with_data("upper/f");
	EACH_TIME
		expect_sized("merged/f", LARGE - 1);
}

/*
 *	low  f (64 MiB)
 */
CASE(killed, "whoever is killed while data is copied leaves the file as it was, or whole")
{
	enum { LARGE = 64 << 20 };
	int attempt, status, interrupted = 0;
	struct stat st;

	set_up_with(ON);
	make_sized("low/f", LARGE);
	mount_layers("low");
	for (attempt = 0; attempt < 12; attempt++) {
		pid_t child;

		if (!exists("upper/f")) {
			OK(chmod("merged/f", 0600));
			set_mtime("merged/f", 1000000000, 5);
		}
		st = stat_of("merged/f");
		child = OK(fork());
		if (!child) {
			open_file("merged/f", O_WRONLY);
			_exit(0);
		}
		usleep(500 << attempt / 2);
		kill(child, SIGKILL);
		CHECK(waitpid(child, &status, 0) == child);
		if (getxattr("upper/f", "trusted.overlay.metacopy", NULL, 0) >= 0)
			interrupted++;
		if (attempt % 4 == 3)
			again();
		if (attempt % 4 >= 2) {
			STEP(expect_same_as_before("merged/f", &st));
			expect_sized("merged/f", LARGE);
		}
		if (getxattr("upper/f", "trusted.overlay.metacopy", NULL, 0) < 0) {
			expect_sized("upper/f", LARGE);
			unmount();
			OK(unlink("upper/f"));
			mount_layers("low");
		}
	}
	printf("# %d of 12 were interrupted\n", interrupted);
}

/*
 *	low  f (large)
 */
CASE(completed_by_many, "of several who need the data at once each finds all of it")
{
	enum { OPENERS = 8, ROUNDS = 10 };
	int i, round, status;

	set_up_with(ON);
	for (round = 0; round < ROUNDS; round++)
		make_sized(text_of("low/%d", round), SIZE);
	mount_layers("low");
	for (round = 0; round < ROUNDS; round++) {
		const char *path = text_of("merged/%d", round);
		char byte;
		int fd;

		OK(chmod(path, 0600));
		fflush(stdout);
		for (i = 0; i < OPENERS; i++) {
			if (OK(fork()))
				continue;
			fd = open_file(path, O_RDWR);
			OK(pwrite(fd, "!", 1, SIZE + i));
			fflush(stdout);
			_exit(KTAP_PASS);
		}
		for (i = 0; i < OPENERS; i++) {
			CHECK(wait(&status) > 0);
			CHECK_EQ(status, 0);
		}
		expect_with_data(text_of("upper/%d", round));
		fd = open_file(path, O_RDONLY);
		for (i = 0; i < OPENERS; i++) {
			CHECK_EQ(OK(pread(fd, &byte, 1, SIZE + i)), 1);
			CHECK_EQ(byte, '!');
		}
		close(fd);
		OK(truncate(path, SIZE));
		expect_sized(path, SIZE);
	}
}

/*
 *	low  f0 f1 ... (large)
 */
CASE(changed_meanwhile, "attributes that change while data is copied are not lost")
{
	enum { ROUNDS = 40 };
	int round, status;

	set_up_with(ON);
	for (round = 0; round < ROUNDS; round++)
		make_sized(text_of("low/%d", round), SIZE);
	mount_layers("low");
	for (round = 0; round < ROUNDS; round++) {
		const char *path = text_of("merged/%d", round);
		pid_t child;

		OK(chmod(path, 0600));
		child = OK(fork());
		if (!child) {
			open_file(path, O_RDWR);
			_exit(KTAP_PASS);
		}
		usleep(round * 50);
		OK(chown(path, SOMEBODY, ANYBODY));
		OK(chmod(path, 06711));
		OK(setxattr(path, "user.new", "new", 3, 0));
		OK(setxattr(path, CAPABILITY, &capability, sizeof(capability), 0));
		set_mtime(path, 1234567890, 11);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(status, 0);
	}
	EACH_TIME {
		for (round = 0; round < ROUNDS; round++) {
			const char *path = text_of("merged/%d", round);
			struct stat st = stat_of(path);
			struct vfs_cap_data caps;

			CHECK_EQ(st.st_mode & 07777, 06711);
			CHECK_EQ(st.st_uid, SOMEBODY);
			CHECK_EQ(st.st_gid, ANYBODY);
			expect_xattr(path, "user.new", "new");
			/* These, overlayfs loses. */
			if (on_shale()) {
				CHECK_EQ(st.st_mtim.tv_sec, 1234567890);
				CHECK_EQ(OK(getxattr(path, CAPABILITY, &caps, sizeof(caps))),
					 sizeof(caps));
			}
			expect_with_data(text_of("upper/%d", round));
			expect_sized(path, SIZE);
		}
	}
}

/*
 *	low  d/f0 d/f1 ... (large)  to/
 */
CASE(moved_meanwhile, "a file that moves while its data is copied has it, and its new name")
{
	enum { ROUNDS = 20 };
	int round, status;

	set_up_with(ON);
	make_dir("low/d");
	make_dir("low/to");
	for (round = 0; round < ROUNDS; round++)
		make_sized(text_of("low/d/%d", round), SIZE);
	mount_layers("low");
	for (round = 0; round < ROUNDS; round++) {
		const char *from = text_of("merged/d/%d", round);
		const char *to = text_of("merged/to/%d", round);
		pid_t child;

		OK(chmod(from, 0600));
		child = OK(fork());
		if (!child) {
			int fd = open(from, O_WRONLY);

			_exit(fd < 0 && errno != ENOENT);
		}
		usleep(round * 100);
		OK(rename(from, to));
		OK(truncate(to, SIZE - 1));
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(status, 0);
	}
	EACH_TIME {
		expect_names("merged/d", "");
		for (round = 0; round < ROUNDS; round++)
			expect_sized(text_of("merged/to/%d", round), SIZE - 1);
	}
}

/*
 *	low/f, copied up without data; then another file
 */
CASE(other_original, "with index=on a copy without data takes none of another file: ESTALE")
{
	static const char layers[] = "lowerdir=low,upperdir=upper,workdir=work";
	struct stat st;

	needs_handles();
	set_up_with("redirect_dir=on,metacopy=on,index=on");
	make_file("low/f", "one");
	mount_options("merged", layers);
	OK(chmod("merged/f", 0600));
	unmount();
	OK(rename("low/f", "low/g"));
	make_file("low/f", "two");
	mount_options("merged", layers);
	FAILS(stat("merged/f", &st), ESTALE);
	expect_text("merged/g", "one");
	unmount();
	with_features("redirect_dir=on,metacopy=on,index=off");
	mount_options("merged", layers);
	expect_text("merged/f", "two");
}

CASES_MAIN
