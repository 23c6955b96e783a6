// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file system of all layers is full: each operation is repeated with no block left, then one,
 * two, and so on until it works; then with no inode left. See lib/failures.h, which draws the
 * tree and says what must hold each time.
 */
#include "failures.h"

#define FULL(function, title, ...)						\
	static long function(void);						\
	ROW(function##_tmpfs, function, "tmpfs: " title, fail_for_space,	\
	    .base = "tmpfs", __VA_ARGS__)					\
	ROW(function##_ext4, function, "ext4: " title, fail_for_space,		\
	    .base = "ext4", __VA_ARGS__)					\
	static long function(void)

/* What needs no space works on a full file system */

FULL(look_up, "names are found on a full file system", .flags = NEEDS_NO_SPACE)
{
	struct stat st;

	return lstat("merged/shared/inner", &st) ?: lstat("merged/file", &st);
}

FULL(list, "a directory is listed on a full file system", .flags = NEEDS_NO_SPACE)
{
	DIR *dir = opendir("merged/shared");
	long nr = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		nr++;
	closedir(dir);
	CHECK_EQ(nr, 5);
	return nr;
}

FULL(read_file, "a file is read on a full file system", .flags = NEEDS_NO_SPACE)
{
	static char content[FILE_SIZE + 1];
	int fd = keep(open("merged/file", O_RDONLY));

	if (fd < 0)
		return -1;
	CHECK_EQ(read(fd, content, sizeof(content)), FILE_SIZE);
	return 0;
}

FULL(unlink_upper, "a file of the upper is removed on a full file system", .flags = NEEDS_NO_SPACE)
{
	return unlink("merged/mine");
}

/* Copy-up */

FULL(copy_up, "a file is copied up or stays in its lower")
{
	return chmod("merged/file", 0600);
}

FULL(copy_up_to_write, "a file is opened to be written or not")
{
	return keep(open("merged/file", O_WRONLY));
}

FULL(copy_up_deep, "a file is copied up with its directory, or not")
{
	return chmod("merged/shared/inner", 0600);
}

FULL(copy_up_directory, "a directory is copied up or stays in its lowers")
{
	return chmod("merged/shared", 0700);
}

/* Making names */

FULL(create, "a new file is there or not")
{
	return keep(open("merged/new", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

FULL(make_directory, "a new directory is there or not")
{
	return mkdir("merged/new", 0755);
}

FULL(make_directory_over_whiteout, "a new directory over a whiteout is there, empty, or not")
{
	return mkdir("merged/hidden_dir", 0755);
}

FULL(make_symlink, "a new symbolic link is there or not")
{
	static char target[1000];

	memset(target, 't', sizeof(target) - 1);
	return symlink(target, "merged/new");
}

FULL(link_lower, "a hard link to a file of a lower is there or not")
{
	return link("merged/file", "merged/new");
}

/* Removing: by links of one whiteout. On tmpfs each name takes an inode. */

#define REMOVED(function, thing)						\
	static long function(void);						\
	ROW(function##_tmpfs, function, "tmpfs: " thing " is gone or not",	\
	    fail_for_space, .base = "tmpfs")					\
	ROW(function##_ext4, function,						\
	    "ext4: " thing " is removed on a full file system",			\
	    fail_for_space, .base = "ext4", .flags = NEEDS_NO_SPACE)		\
	static long function(void)

REMOVED(unlink_lower, "a file of a lower")
{
	return unlink("merged/file");
}

FULL(unlink_deep, "a file deep in a lower is gone or not")
{
	return unlink("merged/shared/gone");
}

REMOVED(remove_lower_directory, "a directory of a lower")
{
	return rmdir("merged/empty");
}

REMOVED(remove_shell, "a directory of whiteouts")
{
	return rmdir("merged/shell");
}

/* Renaming */

FULL(rename_lower, "a file of a lower has its old name or the new")
{
	return rename("merged/file", "merged/own/new");
}

FULL(rename_over_lower, "a file takes the name of another or not")
{
	return rename("merged/file", "merged/twin1");
}

/* Data and attributes */

static int mine;

static void open_mine(void)
{
	mine = OK(keep(open("merged/mine", O_RDWR)));
}

/* All of it or the error: a piece may have been written. */
FULL(write_more, "a write fails, or all is written", .prepare = open_mine, .flags = TOUCHES)
{
	static const char piece[100];

	return pwrite(mine, piece, sizeof(piece), 100000);
}

FULL(allocate, "space is allocated or not", .prepare = open_mine, .flags = TOUCHES)
{
	return fallocate(mine, 0, 200000, 1);
}

FULL(truncate_lower, "a file of a lower is cut or not")
{
	return truncate("merged/file", 100);
}

/* Of tmpfs only these count as space, which it has since 6.6. */
static void need_user_attributes(void)
{
	if (getxattr("low/file", "user.a", NULL, 0) < 0)
		SKIP("the base has no user attributes");
}

FULL(set_xattr, "a file of the upper gets a long attribute or not", .prepare = need_user_attributes)
{
	static char value[900];

	memset(value, 'v', sizeof(value));
	return setxattr("merged/mine", "user.long", value, sizeof(value), 0);
}

FULL(set_xattr_lower, "a file of a lower gets a long attribute or not",
     .prepare = need_user_attributes)
{
	static char value[900];

	memset(value, 'v', sizeof(value));
	return setxattr("merged/file", "user.long", value, sizeof(value), 0);
}

FULL(set_owner, "a directory of a lower has the old owner or the new")
{
	return chown("merged/full", SOMEBODY, ANYBODY);
}

/* Mounting makes a directory, and tries what the upper can do */

FULL(mount_all, "mount(2) makes a mount with all that was asked for, or leaves nothing", .flags = NOT_MOUNTED)
{
	if (mount("kselftest", "merged", fs_type(), 0,
		  "lowerdir=top:low,upperdir=upper,workdir=work,index=on"))
		return -1;
	CHECK(shows_option("index=on"));
	return 0;
}

CASES_MAIN
