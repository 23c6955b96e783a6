// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attributes through a mount: stat, permissions, changes, extended attributes, ACLs.
 *
 *	/mnt		tmpfs
 *	    top low	lower layers; "far" is a third, on a tmpfs of its own
 *	    upper work
 *	    merged	the mount
 *
 * What changes nothing must copy up nothing, and no lower ever changes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base.h"
#include "ktap.h"

#define SOMEBODY 1000

/* Fixture */

static const char *in(const char *format, ...)
{
	static char paths[4][4096];
	static int next;
	char *path = paths[next++ % 4];
	va_list args;

	strcpy(path, "/mnt/");
	va_start(args, format);
	vsnprintf(path + 5, sizeof(paths[0]) - 5, format, args);
	va_end(args);
	return path;
}

static void make_dir(const char *path)
{
	CHECK(!mkdir(path, 0755));
}

static void make_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(!fchmod(fd, mode));
	close(fd);
}

static void set_up(void)
{
	mount_base();
	make_dir(in("top"));
	make_dir(in("low"));
	make_dir(in("upper"));
	make_dir(in("work"));
	make_dir(in("merged"));
	make_file(in("low/file"), "12345", 0644);
}

static void mount_with(const char *options)
{
	if (!mount("none", in("merged"), module_name(), 0, options))
		return;
	if (errno == ENODEV)
		SKIP("the module is not loaded");
	CHECK(!"mounted");
}

static void mount_merged(void)
{
	mount_with("lowerdir=/mnt/top:/mnt/low,upperdir=/mnt/upper,workdir=/mnt/work");
}

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	CHECK(!lstat(path, &st));
	return st;
}

/* Gives up root's rights, in a child: what it does is checked there. */
static bool as_somebody(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		CHECK(!setresgid(SOMEBODY, SOMEBODY, SOMEBODY));
		CHECK(!syscall(SYS_setgroups, 0, NULL));
		CHECK(!setresuid(SOMEBODY, SOMEBODY, SOMEBODY));
		return true;
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	return false;
}

#define AS_SOMEBODY for (; as_somebody(); _exit(0))

/* stat */

static void a_file_keeps_its_number_over_copy_up(void)
{
	struct stat dir, before, after;

	set_up();
	mount_merged();
	dir = stat_of(in("merged"));
	before = stat_of(in("merged/file"));
	CHECK_EQ(before.st_dev, dir.st_dev);
	CHECK(!chmod(in("merged/file"), 0600));
	after = stat_of(in("merged/file"));
	CHECK(exists(in("upper/file")));
	CHECK_EQ(after.st_ino, before.st_ino);
	CHECK_EQ(after.st_dev, before.st_dev);
	CHECK_EQ(after.st_size, 5);
	CHECK_EQ(stat_of(in("low/file")).st_mode, S_IFREG | 0644);
}

static void layers_on_several_file_systems_have_numbers_of_their_own(void)
{
	struct stat dir, near, far, after;

	set_up();
	make_dir(in("far"));
	CHECK(!mount("none", in("far"), "tmpfs", 0, NULL));
	make_file(in("far/far"), "far", 0644);
	make_dir(in("far/dir"));
	mount_with("lowerdir=/mnt/low:/mnt/far,upperdir=/mnt/upper,workdir=/mnt/work");

	dir = stat_of(in("merged"));
	near = stat_of(in("merged/file"));
	far = stat_of(in("merged/far"));
	CHECK(near.st_dev != dir.st_dev && far.st_dev != dir.st_dev);
	CHECK(near.st_dev != far.st_dev);
	CHECK_EQ(stat_of(in("merged/dir")).st_dev, dir.st_dev);
	CHECK_EQ(far.st_ino, stat_of(in("far/far")).st_ino);

	CHECK(!chmod(in("merged/far"), 0600));
	CHECK(exists(in("upper/far")));
	after = stat_of(in("merged/far"));
	CHECK_EQ(after.st_ino, far.st_ino);
	CHECK_EQ(after.st_dev, far.st_dev);
}

static void a_copied_hard_link_is_another_file(void)
{
	set_up();
	CHECK(!link(in("low/file"), in("low/link")));
	mount_merged();
	CHECK_EQ(stat_of(in("merged/file")).st_nlink, 2);
	CHECK(!chmod(in("merged/file"), 0600));
	CHECK(stat_of(in("merged/file")).st_ino != stat_of(in("merged/link")).st_ino);
	CHECK_EQ(stat_of(in("merged/file")).st_nlink, 1);
	CHECK_EQ(stat_of(in("merged/link")).st_mode & 07777, 0644);
}

static void a_removed_file_has_no_links(void)
{
	struct stat st;
	int fd;

	set_up();
	mount_merged();
	fd = open(in("merged/file"), O_RDONLY);
	CHECK(fd >= 0);
	CHECK(!unlink(in("merged/file")));
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK(exists(in("low/file")));
}

static void a_merged_directory_has_one_link(void)
{
	set_up();
	make_dir(in("top/dir"));
	make_dir(in("low/dir"));
	make_dir(in("low/dir/sub"));
	make_dir(in("low/single"));
	make_dir(in("low/single/sub"));
	mount_merged();
	CHECK_EQ(stat_of(in("merged/dir")).st_nlink, 1);
	CHECK_EQ(stat_of(in("merged/single")).st_nlink, 3);
}

/* Changes */

static void changes_reach_the_copy_only(void)
{
	const struct timespec times[2] = { { 1000, 1 }, { 2000, 2 } };
	struct stat st;

	set_up();
	mount_merged();
	CHECK(!chown(in("merged/file"), 7, 8));
	CHECK(!chmod(in("merged/file"), 0751));
	CHECK(!utimensat(AT_FDCWD, in("merged/file"), times, 0));
	st = stat_of(in("merged/file"));
	CHECK_EQ(st.st_uid, 7);
	CHECK_EQ(st.st_gid, 8);
	CHECK_EQ(st.st_mode, S_IFREG | 0751);
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK_EQ(st.st_mtim.tv_sec, 2000);
	CHECK_EQ(st.st_mtim.tv_nsec, 2);
	st = stat_of(in("upper/file"));
	CHECK_EQ(st.st_uid, 7);
	CHECK_EQ(st.st_mtim.tv_sec, 2000);
	st = stat_of(in("low/file"));
	CHECK_EQ(st.st_uid, 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0644);

	CHECK(!truncate(in("merged/file"), 2));
	CHECK_EQ(stat_of(in("merged/file")).st_size, 2);
	CHECK(!truncate(in("merged/file"), 100));
	CHECK_EQ(stat_of(in("merged/file")).st_size, 100);
	CHECK_EQ(stat_of(in("low/file")).st_size, 5);
}

static void truncation_of_a_lower_file_works_in_every_direction(void)
{
	static const int sizes[] = { 0, 3, 5, 9 };
	unsigned int i;

	set_up();
	for (i = 0; i < 4; i++)
		make_file(in("low/t%d", i), "12345", 0644);
	mount_merged();
	for (i = 0; i < 4; i++) {
		char got[16] = "", *wanted = "12345\0\0\0\0";
		int fd;

		CHECK(!truncate(in("merged/t%d", i), sizes[i]));
		CHECK_EQ(stat_of(in("merged/t%d", i)).st_size, sizes[i]);
		fd = open(in("merged/t%d", i), O_RDONLY);
		CHECK_EQ(read(fd, got, sizeof(got)), sizes[i]);
		CHECK(!memcmp(got, wanted, sizes[i]));
	}
}

static void set_id_bits_are_dropped_as_anywhere(void)
{
	set_up();
	make_file(in("low/s1"), "x", 06755);
	make_file(in("low/s2"), "x", 06777);
	make_file(in("low/s3"), "x", 06755);
	CHECK(!chown(in("low/s3"), SOMEBODY, 0));
	CHECK(!chmod(in("low/s3"), 0755));
	mount_merged();

	CHECK(!chown(in("merged/s1"), 5, 5));
	CHECK_EQ(stat_of(in("merged/s1")).st_mode & 07777, 0755);

	AS_SOMEBODY {
		CHECK(!truncate(in("merged/s2"), 0));
		/* The owner is not in the file's group. */
		CHECK(!chmod(in("merged/s3"), 02755));
	}
	CHECK_EQ(stat_of(in("merged/s2")).st_mode & 07777, 0777);
	CHECK_EQ(stat_of(in("merged/s3")).st_mode & 07777, 0755);
}

static void what_the_caller_may_not_is_refused_and_copies_nothing(void)
{
	set_up();
	make_file(in("low/secret"), "x", 0600);
	make_dir(in("low/closed"));
	make_file(in("low/closed/inner"), "x", 0666);
	CHECK(!chmod(in("low/closed"), 0700));
	mount_merged();

	AS_SOMEBODY {
		CHECK(open(in("merged/secret"), O_RDONLY) < 0 && errno == EACCES);
		CHECK(open(in("merged/file"), O_RDWR) < 0 && errno == EACCES);
		CHECK(access(in("merged/file"), R_OK) == 0);
		CHECK(access(in("merged/file"), W_OK) && errno == EACCES);
		CHECK(open(in("merged/closed/inner"), O_RDONLY) < 0 && errno == EACCES);
		CHECK(chmod(in("merged/file"), 0777) && errno == EPERM);
		CHECK(chown(in("merged/file"), SOMEBODY, SOMEBODY) && errno == EPERM);
		CHECK(truncate(in("merged/file"), 0) && errno == EACCES);
		CHECK(utimensat(AT_FDCWD, in("merged/file"), NULL, 0) && errno == EACCES);
		CHECK(setxattr(in("merged/file"), "user.a", "v", 1, 0) && errno == EACCES);
		CHECK(mkdir(in("merged/new"), 0755) && errno == EACCES);
	}
	CHECK(!exists(in("upper/file")));
	CHECK(!exists(in("upper/secret")));
}

static void a_mount_without_upper_changes_nothing(void)
{
	set_up();
	mount_with("lowerdir=/mnt/top:/mnt/low");
	CHECK(chmod(in("merged/file"), 0600) && errno == EROFS);
	CHECK(truncate(in("merged/file"), 0) && errno == EROFS);
	CHECK(setxattr(in("merged/file"), "user.a", "v", 1, 0) && errno == EROFS);
	CHECK(access(in("merged/file"), W_OK) && errno == EROFS);
	CHECK_EQ(stat_of(in("merged/file")).st_size, 5);
}

static void copy_program(const char *from, const char *to)
{
	char buffer[65536];
	int in_fd = open(from, O_RDONLY), out_fd = open(to, O_CREAT | O_WRONLY, 0755);
	ssize_t size;

	CHECK(in_fd >= 0 && out_fd >= 0);
	while ((size = read(in_fd, buffer, sizeof(buffer))) > 0)
		CHECK(write(out_fd, buffer, size) == size);
	close(in_fd);
	close(out_fd);
}

/* Returns when the program runs: exec then has closed its end of the pipe. */
static int start_program(const char *path)
{
	int ends[2], child, nr;
	char byte;

	CHECK(!pipe2(ends, O_CLOEXEC));
	child = fork();
	if (!child) {
		execl(path, path, "100", NULL);
		nr = write(ends[1], "", 1);
		_exit(nr);
	}
	close(ends[1]);
	nr = read(ends[0], &byte, 1);
	close(ends[0]);
	CHECK(child > 0 && !nr);
	return child;
}

static void a_running_program_is_not_truncated(void)
{
	int child, status;

	set_up();
	copy_program("/bin/sleep", in("upper/sleep"));
	mount_merged();
	child = start_program(in("upper/sleep"));
	CHECK(truncate(in("merged/sleep"), 100000) && errno == ETXTBSY);
	CHECK(!kill(child, 9));
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(!truncate(in("merged/sleep"), 0));
}

static void symbolic_links_are_read_and_owned(void)
{
	char long_target[3000], target[4096];
	ssize_t size;

	set_up();
	memset(long_target, 'l', sizeof(long_target) - 1);
	long_target[sizeof(long_target) - 1] = 0;
	CHECK(!symlink("file", in("low/short")));
	CHECK(!symlink(long_target, in("low/long")));
	mount_merged();

	CHECK_EQ(readlink(in("merged/short"), target, sizeof(target)), 4);
	size = readlink(in("merged/long"), target, sizeof(target));
	CHECK_EQ(size, sizeof(long_target) - 1);
	CHECK(!lchown(in("merged/long"), 3, 4));
	CHECK_EQ(readlink(in("merged/long"), target, sizeof(target)), size);
	CHECK(!memcmp(target, long_target, size));
	CHECK_EQ(stat_of(in("merged/long")).st_uid, 3);
	CHECK_EQ(stat_of(in("low/long")).st_uid, 0);
	CHECK(access(in("merged/short"), R_OK) == 0);
}

static void access_times_are_the_copys(void)
{
	const struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };
	char byte;
	int fd;

	set_up();
	make_file(in("upper/mine"), "x", 0644);
	CHECK(!utimensat(AT_FDCWD, in("upper/mine"), times, 0));
	CHECK(!utimensat(AT_FDCWD, in("low/file"), times, 0));
	mount_merged();
	fd = open(in("merged/mine"), O_RDONLY);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK(stat_of(in("upper/mine")).st_atime > 1000);
	CHECK_EQ(stat_of(in("merged/mine")).st_atime, stat_of(in("upper/mine")).st_atime);
	CHECK_EQ(stat_of(in("upper/mine")).st_mtime, 2000);

	fd = open(in("merged/file"), O_RDONLY);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(stat_of(in("low/file")).st_atime, 1000);
	CHECK(!exists(in("upper/file")));
}

static void file_flags_are_the_copys(void)
{
	int fd, flags = 0;

	set_up();
	mount_merged();
	fd = open(in("merged/file"), O_RDONLY);
	CHECK(fd >= 0);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		SKIP("no file flags on this kernel's tmpfs");
	flags |= FS_NODUMP_FL;
	CHECK(!ioctl(fd, FS_IOC_SETFLAGS, &flags));
	CHECK(exists(in("upper/file")));
	CHECK(!ioctl(fd, FS_IOC_GETFLAGS, &flags));
	CHECK(flags & FS_NODUMP_FL);
}

/* Extended attributes */

static bool lists(const char *path, const char *name)
{
	char list[4096];
	ssize_t size = llistxattr(path, list, sizeof(list));
	char *at;

	CHECK(size >= 0);
	for (at = list; at < list + size; at += strlen(at) + 1) {
		if (!strcmp(at, name))
			return true;
	}
	return false;
}

static void set_value(const char *path, const char *name, const char *value)
{
	CHECK(!setxattr(path, name, value, strlen(value), 0));
}

static void attributes_are_copied_and_changed(void)
{
	char value[16] = "";

	set_up();
	set_value(in("low/file"), "user.old", "1");
	set_value(in("low/file"), "trusted.old", "2");
	mount_merged();
	CHECK_EQ(getxattr(in("merged/file"), "user.old", value, sizeof(value)), 1);
	CHECK(lists(in("merged/file"), "user.old") && lists(in("merged/file"), "trusted.old"));
	CHECK(getxattr(in("merged/file"), "user.none", value, 16) < 0 && errno == ENODATA);

	set_value(in("merged/file"), "user.new", "3");
	CHECK(lists(in("upper/file"), "user.old") && lists(in("upper/file"), "trusted.old"));
	CHECK(lists(in("upper/file"), "user.new"));
	CHECK(!removexattr(in("merged/file"), "user.old"));
	CHECK(!lists(in("merged/file"), "user.old"));
	CHECK(lists(in("low/file"), "user.old"));
}

static void changes_that_fail_copy_nothing(void)
{
	set_up();
	set_value(in("low/file"), "user.old", "1");
	mount_merged();
	CHECK(removexattr(in("merged/file"), "user.none") && errno == ENODATA);
	CHECK(setxattr(in("merged/file"), "user.old", "v", 1, XATTR_CREATE) && errno == EEXIST);
	CHECK(setxattr(in("merged/file"), "user.none", "v", 1, XATTR_REPLACE) && errno == ENODATA);
	CHECK(!exists(in("upper/file")));

	CHECK(!setxattr(in("merged/file"), "user.old", "v", 1, XATTR_REPLACE));
	CHECK(exists(in("upper/file")));
}

static void marks_are_hidden(void)
{
	static const char mark[] = "trusted.overlay.impure";

	set_up();
	make_dir(in("low/dir"));
	set_value(in("low/dir"), mark, "y");
	set_value(in("low/dir"), "trusted.overlayed", "1");
	mount_merged();
	CHECK(!lists(in("merged/dir"), mark));
	CHECK(lists(in("merged/dir"), "trusted.overlayed"));
	CHECK(getxattr(in("merged/dir"), mark, NULL, 0) < 0 && errno == ENODATA);
	CHECK(removexattr(in("merged/dir"), mark) && errno == ENODATA);
	CHECK(!exists(in("upper/dir")));
	/* Not this mount's marks: ordinary attributes of users. */
	set_value(in("merged/file"), "user.overlay.opaque", "y");
	CHECK(lists(in("upper/file"), "user.overlay.opaque"));
}

/* So that an upper can hold the layers of another mount. */
static void what_looks_like_a_mark_is_stored_escaped(void)
{
	static const char mark[] = "trusted.overlay.opaque";
	static const char escaped[] = "trusted.overlay.overlay.opaque";
	char value;

	set_up();
	mount_merged();
	set_value(in("merged/file"), mark, "y");
	CHECK_EQ(getxattr(in("merged/file"), mark, &value, 1), 1);
	CHECK(lists(in("merged/file"), mark) && !lists(in("merged/file"), escaped));
	CHECK(lists(in("upper/file"), escaped) && !lists(in("upper/file"), mark));
	CHECK(!removexattr(in("merged/file"), mark));
	CHECK(!lists(in("upper/file"), escaped));
}

static void trusted_attributes_are_roots(void)
{
	set_up();
	set_value(in("low/file"), "trusted.a", "1");
	set_value(in("low/file"), "user.a", "1");
	mount_merged();
	CHECK(lists(in("merged/file"), "trusted.a"));
	AS_SOMEBODY {
		CHECK(!lists(in("merged/file"), "trusted.a"));
		CHECK(lists(in("merged/file"), "user.a"));
		CHECK(getxattr(in("merged/file"), "trusted.a", NULL, 0) < 0 && errno == ENODATA);
	}
}

/* ACLs, in the form that system.posix_acl_* has */

struct acl_entry {
	uint16_t tag, permissions;
	uint32_t id;
};

struct acl {
	uint32_t version;
	struct acl_entry entry[5];
};

enum { TAG_OWNER = 1, TAG_USER = 2, TAG_GROUP_OWNER = 4, TAG_MASK = 16, TAG_OTHER = 32 };

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* rw for the owner and for one user, nothing for anyone else. */
static struct acl acl_for(uint32_t user, uint16_t permissions)
{
	const uint32_t nobody = -1;

	return (struct acl){ 2, {
		{ TAG_OWNER, 6, nobody },
		{ TAG_USER, permissions, user },
		{ TAG_GROUP_OWNER, 0, nobody },
		{ TAG_MASK, permissions, nobody },
		{ TAG_OTHER, 0, nobody },
	} };
}

static void set_acl(const char *path, const char *name, const struct acl *acl)
{
	if (!setxattr(path, name, acl, sizeof(*acl), 0))
		return;
	if (errno == EOPNOTSUPP)
		SKIP("no ACLs on this kernel's tmpfs");
	CHECK(!"set the ACL");
}

static void acls_of_lowers_hold(void)
{
	struct acl acl = acl_for(SOMEBODY, 4), got;

	set_up();
	make_file(in("low/other"), "x", 0600);
	set_acl(in("low/file"), ACL_ACCESS, &acl);
	mount_merged();
	CHECK_EQ(getxattr(in("merged/file"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
	CHECK(!memcmp(&got, &acl, sizeof(acl)));
	CHECK(lists(in("merged/file"), ACL_ACCESS));
	AS_SOMEBODY {
		CHECK(open(in("merged/file"), O_RDONLY) >= 0);
		CHECK(open(in("merged/file"), O_WRONLY) < 0 && errno == EACCES);
		CHECK(open(in("merged/other"), O_RDONLY) < 0 && errno == EACCES);
	}
	CHECK(!chmod(in("merged/file"), 0600));
	CHECK_EQ(getxattr(in("merged/file"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.entry[3].permissions, 0);
	AS_SOMEBODY {
		CHECK(open(in("merged/file"), O_RDONLY) < 0 && errno == EACCES);
	}
}

static void acls_are_set_on_the_copy(void)
{
	struct acl acl = acl_for(SOMEBODY, 6), got;

	set_up();
	make_dir(in("low/dir"));
	mount_merged();
	/* Removing what is not there is no change. */
	removexattr(in("merged/file"), ACL_ACCESS);
	CHECK(!exists(in("upper/file")));

	set_acl(in("merged/file"), ACL_ACCESS, &acl);
	CHECK_EQ(getxattr(in("upper/file"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
	CHECK(getxattr(in("low/file"), ACL_ACCESS, NULL, 0) < 0);
	CHECK_EQ(stat_of(in("merged/file")).st_mode & 0777, 0660);
	AS_SOMEBODY {
		CHECK(open(in("merged/file"), O_RDWR) >= 0);
		CHECK(setxattr(in("merged/file"), ACL_ACCESS, &acl, sizeof(acl), 0) && errno == EPERM);
	}
	CHECK(!removexattr(in("merged/file"), ACL_ACCESS));
	AS_SOMEBODY {
		CHECK(open(in("merged/file"), O_RDWR) < 0 && errno == EACCES);
	}

	/* A directory's default ACL is what its children get, and no umask is. */
	set_acl(in("merged/dir"), ACL_DEFAULT, &acl);
	umask(077);
	make_file(in("merged/dir/child"), "x", 0664);
	CHECK_EQ(getxattr(in("merged/dir/child"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
}

static void an_acl_takes_set_group_id_from_strangers_to_the_group(void)
{
	struct acl acl = acl_for(3, 6);

	set_up();
	CHECK(!chown(in("low/file"), SOMEBODY, 77));
	CHECK(!chmod(in("low/file"), 02755));
	mount_merged();
	AS_SOMEBODY {
		set_acl(in("merged/file"), ACL_ACCESS, &acl);
	}
	CHECK_EQ(stat_of(in("merged/file")).st_mode & 07777, 0660);
}

/* Layers through an idmapped mount */

static int user_namespace(const char *map)
{
	char path[64];
	int ready[2], child, fd;
	char byte = 0;

	CHECK(!pipe(ready));
	child = fork();
	if (!child) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		CHECK(write(ready[1], "y", 1) == 1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		SKIP("no user namespaces here");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
	fd = open(path, O_WRONLY);
	CHECK(write(fd, map, strlen(map)) == (ssize_t)strlen(map));
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", child);
	fd = open(path, O_WRONLY);
	CHECK(write(fd, map, strlen(map)) == (ssize_t)strlen(map));
	close(fd);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	kill(child, 9);
	waitpid(child, NULL, 0);
	return fd;
}

static void mount_idmapped(const char *from, const char *to, int user_ns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = user_ns };
	int tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE);

	CHECK(tree >= 0);
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)))
		SKIP("tmpfs takes no idmapped mounts here");
	make_dir(to);
	CHECK(!move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH));
}

static void idmapped_layers_keep_owners_and_acls_straight(void)
{
	struct acl acl = acl_for(5, 6), got;
	int user_ns;

	set_up();
	set_acl(in("low/file"), ACL_ACCESS, &acl);
	CHECK(!chown(in("low/file"), 7, 8));
	user_ns = user_namespace("0 1000 100\n");
	mount_idmapped("/mnt/low", in("shifted"), user_ns);
	mount_with("lowerdir=/mnt/shifted,upperdir=/mnt/upper,workdir=/mnt/work");

	CHECK_EQ(stat_of(in("merged/file")).st_uid, 1007);
	CHECK_EQ(stat_of(in("merged/file")).st_gid, 1008);
	CHECK_EQ(getxattr(in("merged/file"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.entry[1].id, 1005);

	CHECK(!utimensat(AT_FDCWD, in("merged/file"), NULL, 0));
	CHECK_EQ(stat_of(in("upper/file")).st_uid, 1007);
	CHECK_EQ(getxattr(in("upper/file"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.entry[1].id, 1005);
	/* The lower's own ACL was not edited on the way. */
	CHECK_EQ(getxattr(in("low/file"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.entry[1].id, 5);
}

static void an_idmapped_upper_stores_shifted_owners(void)
{
	struct acl acl = acl_for(1005, 6), got;
	int user_ns;

	set_up();
	user_ns = user_namespace("0 0 1\n1 1001 2000\n");
	CHECK(!mkdir(in("store"), 0755));
	CHECK(!mkdir(in("store/upper"), 0755));
	CHECK(!mkdir(in("store/work"), 0755));
	mount_idmapped("/mnt/store", in("shifted"), user_ns);
	CHECK(!chown(in("low/file"), 1007, 1008));
	mount_with("lowerdir=/mnt/low,upperdir=/mnt/shifted/upper,workdir=/mnt/shifted/work");

	CHECK(!chmod(in("merged/file"), 0640));
	CHECK_EQ(stat_of(in("merged/file")).st_uid, 1007);
	CHECK_EQ(stat_of(in("store/upper/file")).st_uid, 7);
	CHECK(!chown(in("merged/file"), 1010, 1011));
	CHECK_EQ(stat_of(in("merged/file")).st_uid, 1010);
	CHECK_EQ(stat_of(in("store/upper/file")).st_uid, 10);
	CHECK_EQ(stat_of(in("store/upper/file")).st_gid, 11);

	set_acl(in("merged/file"), ACL_ACCESS, &acl);
	CHECK_EQ(getxattr(in("merged/file"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.entry[1].id, 1005);
	CHECK_EQ(getxattr(in("store/upper/file"), ACL_ACCESS, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.entry[1].id, 5);
}

static const struct ktap_test tests[] = {
	TEST(a_file_keeps_its_number_over_copy_up),
	TEST(layers_on_several_file_systems_have_numbers_of_their_own),
	TEST(a_copied_hard_link_is_another_file),
	TEST(a_removed_file_has_no_links),
	TEST(a_merged_directory_has_one_link),
	TEST(changes_reach_the_copy_only),
	TEST(truncation_of_a_lower_file_works_in_every_direction),
	TEST(set_id_bits_are_dropped_as_anywhere),
	TEST(what_the_caller_may_not_is_refused_and_copies_nothing),
	TEST(a_mount_without_upper_changes_nothing),
	TEST(a_running_program_is_not_truncated),
	TEST(symbolic_links_are_read_and_owned),
	TEST(access_times_are_the_copys),
	TEST(file_flags_are_the_copys),
	TEST(attributes_are_copied_and_changed),
	TEST(changes_that_fail_copy_nothing),
	TEST(marks_are_hidden),
	TEST(what_looks_like_a_mark_is_stored_escaped),
	TEST(trusted_attributes_are_roots),
	TEST(acls_of_lowers_hold),
	TEST(acls_are_set_on_the_copy),
	TEST(an_acl_takes_set_group_id_from_strangers_to_the_group),
	TEST(idmapped_layers_keep_owners_and_acls_straight),
	TEST(an_idmapped_upper_stores_shifted_owners),
};

KTAP_MAIN(tests)
