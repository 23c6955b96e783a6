// SPDX-License-Identifier: GPL-2.0-or-later
/* Files without a name (O_TMPFILE), and giving them one. */
#include "fixture.h"

#include <sys/mman.h>

static int unnamed_in(const char *dir, int flags, mode_t mode)
{
	int fd = open(dir, O_TMPFILE | O_CLOEXEC | flags, mode);

	if (fd < 0)
		fail("open(%s, O_TMPFILE): %s, not success", dir, errno_name(errno));
	return fd;
}

static int unnamed_with(const char *dir, const char *text)
{
	int fd = unnamed_in(dir, O_RDWR, 0644);

	CHECK_EQ(OK(write(fd, text, strlen(text))), (ssize_t)strlen(text));
	return fd;
}

static int link_fd(int fd, const char *name)
{
	return linkat(AT_FDCWD, text_of("/proc/self/fd/%d", fd), AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static struct stat stat_of_fd(int fd)
{
	struct stat st;

	OK(fstat(fd, &st));
	return st;
}

static void expect_text_in(int fd, const char *text)
{
	char got[64] = "";

	CHECK_EQ(OK(pread(fd, got, sizeof(got) - 1, 0)), (ssize_t)strlen(text));
	CHECK(!strcmp(got, text));
}

/*
 *	low  d/f="low"
 */
CASE(never_named, "a file without a name can be used, and leaves nothing")
{
	struct stat st;
	char *map;
	int fd, other;

	set_up();
	make_dir("low/d");
	make_file("low/d/f", "low");
	mount_layers("low");
	fd = unnamed_in("merged/d", O_RDWR, 0640);
	st = stat_of_fd(fd);
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(st.st_dev, stat_of("merged/d/f").st_dev);
	expect_names("merged/d", "f");
	expect_names("upper/d", "");
	expect_names("upper", "d");

	OK(write(fd, "0123456789", 10));
	CHECK_EQ(stat_of_fd(fd).st_size, 10);
	OK(ftruncate(fd, 4));
	OK(fallocate(fd, 0, 0, 8192));
	OK(pwrite(fd, "end", 3, 4096));
	CHECK_EQ(stat_of_fd(fd).st_size, 8192);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK(!memcmp(map, "0123\0", 5) && !memcmp(map + 4096, "end\0", 4));
	map[0] = 'x';
	OK(munmap(map, 8192));

	OK(fchmod(fd, 0600));
	OK(fchown(fd, SOMEBODY, ANYBODY));
	OK(fsetxattr(fd, "user.a", "value", 5, 0));
	OK(fsync(fd));
	other = OK(open(text_of("/proc/self/fd/%d", fd), O_RDONLY));
	OK(ftruncate(fd, 4));
	expect_text_in(other, "x123");
	st = stat_of_fd(other);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_EQ(st.st_uid, SOMEBODY);
	CHECK_EQ(st.st_ino, stat_of_fd(fd).st_ino);
	CHECK_EQ(st.st_nlink, 0);
	close(fd);
	expect_text_in(other, "x123");
	close(other);
	expect_names("merged/d", "f");
	expect_names("upper/d", "");
}

/*
 *	low  d/f="low"
 */
CASE(named_later, "an unnamed file can be given a name, and is then as any other")
{
	ino_t ino;
	int fd;

	set_up();
	make_dir("low/d");
	make_file("low/d/f", "low");
	mount_layers("low");
	fd = unnamed_with("merged/d", "new");
	ino = stat_of_fd(fd).st_ino;
	expect_absent("merged/d/new");
	OK(link_fd(fd, "merged/d/new"));
	CHECK_EQ(stat_of_fd(fd).st_nlink, 1);
	CHECK_EQ(stat_of("merged/d/new").st_nlink, 1);
	CHECK_EQ(stat_of("merged/d/new").st_ino, ino);
	expect_names("merged/d", "f new");
	expect_text("merged/d/new", "new");

	/* One inode: what is written by one is read by the other. */
	OK(pwrite(fd, "NEW", 3, 0));
	expect_text("merged/d/new", "NEW");
	write_text("merged/d/new", "another");
	expect_text_in(fd, "another");

	OK(linkat(AT_FDCWD, "merged/d/new", AT_FDCWD, "merged/second", 0));
	CHECK_EQ(stat_of_fd(fd).st_nlink, 2);
	OK(rename("merged/d/new", "merged/moved"));
	OK(unlink("merged/second"));
	CHECK_EQ(stat_of_fd(fd).st_nlink, 1);
	close(fd);
	again();
	expect_names("merged", "d moved");
	expect_names("merged/d", "f");
	expect_text("merged/moved", "another");
	CHECK_EQ(stat_of("merged/moved").st_ino, ino);
	expect_text("upper/moved", "another");
}

/*
 *	low  {file,other}="low"  dir/x  d/
 */
CASE(named_over_whiteout, "an unnamed file can be given a name that was removed")
{
	struct stat st;
	int fd;

	set_up();
	make_dir("low/d");
	make_file("low/file", "low");
	make_file("low/other", "low");
	make_dir("low/dir");
	make_file("low/dir/x", "low");
	mount_layers("low");
	OK(unlink("merged/file"));
	OK(unlink("merged/dir/x"));
	OK(rmdir("merged/dir"));
	fd = unnamed_with("merged/d", "new");
	FAILS(link_fd(fd, "merged/other"), EEXIST);
	FAILS(link_fd(fd, "merged/d"), EEXIST);
	FAILS(link_fd(fd, "merged/none/x"), ENOENT);
	FAILS(link_fd(fd, "top/x"), EXDEV);
	CHECK_EQ(stat_of_fd(fd).st_nlink, 0);
	OK(link_fd(fd, "merged/file"));
	CHECK_EQ(stat_of_fd(fd).st_nlink, 1);
	OK(link_fd(fd, "merged/dir"));
	st = stat_of_fd(fd);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(stat_of("merged/file").st_ino, st.st_ino);
	CHECK_EQ(stat_of("merged/dir").st_ino, st.st_ino);
	OK(unlink("merged/file"));
	expect_whiteout("upper/file");
	close(fd);
	again();
	expect_text("merged/dir", "new");
	CHECK_EQ(stat_of("merged/dir").st_nlink, 1);
	expect_names("merged", "d dir other");
}

/*
 *	low  d/
 */
CASE(never_to_be_named, "O_EXCL forbids a name, and so does having lost the last one")
{
	int fd;

	set_up();
	make_dir("low/d");
	mount_layers("low");
	fd = unnamed_in("merged/d", O_RDWR | O_EXCL, 0644);
	FAILS(link_fd(fd, "merged/d/new"), ENOENT);
	close(fd);
	fd = unnamed_with("merged/d", "text");
	OK(link_fd(fd, "merged/d/new"));
	OK(unlink("merged/d/new"));
	CHECK_EQ(stat_of_fd(fd).st_nlink, 0);
	FAILS(link_fd(fd, "merged/d/new"), ENOENT);
	expect_text_in(fd, "text");
	OK(pwrite(fd, "T", 1, 0));
	close(fd);
	expect_names("merged/d", "");
	expect_names("upper/d", "");
}

/*
 *	low  d (02777, group 1001)/
 */
CASE(belongs_to_the_caller, "an unnamed file belongs to the caller and inherits the directory's group")
{
	struct stat st;
	int fd;

	set_up();
	make_dir("low/d");
	OK(chown("low/d", 0, ANYBODY));
	OK(chmod("low/d", 02777));
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY) {
		umask(027);
		/* Whoever makes a file may write to it in spite of its mode. */
		fd = unnamed_in("merged/d", O_RDWR, 02070);
		OK(write(fd, "text", 4));
		st = stat_of_fd(fd);
		CHECK_EQ(st.st_uid, SOMEBODY);
		CHECK_EQ(st.st_gid, ANYBODY);
		CHECK_EQ(st.st_mode, S_IFREG | 050);
		OK(link_fd(fd, "merged/d/new"));
		FAILS(open("merged/d/new", O_RDONLY), EACCES);
	}
	again();
	st = stat_of("upper/d/new");
	CHECK_EQ(st.st_uid, SOMEBODY);
	CHECK_EQ(st.st_gid, ANYBODY);
	expect_text("merged/d/new", "text");
}

/* An ACL as the xattr system.posix_acl_* holds it: u::rwx u:1001:r-x g::r-x m::rwx o::--- */
static const struct {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} entry[5];
} default_acl = { 2, {
	{ 0x01, 7, -1 }, { 0x02, 5, ANYBODY }, { 0x04, 5, -1 }, { 0x10, 7, -1 }, { 0x20, 0, -1 },
} };

/*
 *	low  d/  with a default ACL
 */
CASE(inherits_acl, "an unnamed file inherits its directory's default ACL")
{
	char value[sizeof(default_acl)];
	int fd;

	set_up();
	make_dir("low/d");
	OK(setxattr("low/d", "system.posix_acl_default", &default_acl, sizeof(default_acl), 0));
	mount_layers("low");
	umask(077);
	fd = unnamed_in("merged/d", O_WRONLY, 0664);
	CHECK_EQ(stat_of_fd(fd).st_mode, S_IFREG | 0660);
	OK(link_fd(fd, "merged/d/new"));
	close(fd);
	again();
	CHECK_EQ(stat_of("merged/d/new").st_mode, S_IFREG | 0660);
	CHECK_EQ(OK(getxattr("merged/d/new", "system.posix_acl_access", value, sizeof(value))),
		 sizeof(value));
}

/*
 *	low  d (0755)/  gone/
 */
CASE(refused, "an unnamed file can't be made where no name could be")
{
	int dir;

	set_up();
	make_dir("low/d");
	make_dir("low/gone");
	make_file("low/f", "low");
	mount_read_only("top:low");
	FAILS(open("merged/d", O_TMPFILE | O_RDWR, 0600), EROFS);
	unmount();
	mount_layers("low");
	FAILS(open("merged/d", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	FAILS(open("merged/f", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
	AS(SOMEBODY, SOMEBODY) {
		FAILS(open("merged/d", O_TMPFILE | O_RDWR, 0600), EACCES);
	}
	if (on_shale())
		expect_names("upper", "");
	dir = open_file("merged/gone", O_RDONLY | O_DIRECTORY);
	OK(rmdir("merged/gone"));
	if (on_shale())
		FAILS(openat(dir, ".", O_TMPFILE | O_RDWR, 0600), ENOENT);
	close(dir);
}

static void on_base(const char *type)
{
	int fd, i;

	set_up_on(type);
	make_dir("low/d");
	make_file("low/gone", "low");
	mount_layers("low");
	OK(unlink("merged/gone"));
	for (i = 0; i < 2; i++) {
		fd = unnamed_with("merged/d", "text");
		if (!i)
			OK(fsync(fd));
		OK(link_fd(fd, i ? "merged/gone" : "merged/d/new"));
		close(fd);
	}
	again();
	expect_text("merged/d/new", "text");
	expect_text("merged/gone", "text");
	CHECK_EQ(stat_of("merged/gone").st_nlink, 1);
}

CASE(on_tmpfs, "unnamed files on tmpfs")
{
	on_base("tmpfs");
}

CASE(on_xfs, "unnamed files on xfs")
{
	on_base("xfs");
}

CASE(on_btrfs, "unnamed files on btrfs")
{
	on_base("btrfs");
}

CASES_MAIN
