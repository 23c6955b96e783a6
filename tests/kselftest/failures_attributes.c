// SPDX-License-Identifier: GPL-2.0-or-later
/* Each failure of an operation on attributes: see lib/failures.h, which draws the tree. */
#include "failures.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>

/* One of each kind, in the layer that makes more work of it. */
static const char * const kinds[] = { "merged/file", "merged/shared", "merged/link", "merged/fifo" };
enum { NR_KINDS = 4 };

/* Reading */

OPERATION(stat_all,
	  "shale_file_iops.getattr shale_dir_iops.getattr "
	  "shale_symlink_iops.getattr shale_special_iops.getattr",
	  "stat tells of an object of each kind or fails")
{
	struct stat st;
	int i, ret = 0;

	for (i = 0; !ret && i < NR_KINDS; i++)
		ret = lstat(kinds[i], &st);
	return ret;
}

OPERATION(access_all,
	  "shale_file_iops.permission shale_dir_iops.permission "
	  "shale_symlink_iops.permission shale_special_iops.permission",
	  "an object of each kind may be used or access() fails")
{
	int i, ret = 0;

	for (i = 0; !ret && i < NR_KINDS; i++)
		ret = faccessat(AT_FDCWD, kinds[i], W_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW);
	return ret;
}

OPERATION(read_link, "shale_symlink_iops.get_link", "a symbolic link is read whole or not at all")
{
	char target[16];
	ssize_t len = readlink("merged/link", target, sizeof(target));

	if (len >= 0 && (len != 4 || memcmp(target, "file", 4)))
		fail("the link leads to \"%.*s\"", (int)len, target);
	return len;
}

OPERATION(follow_link, "shale_symlink_iops.get_link", "a symbolic link is followed or not")
{
	struct stat st;

	return stat("merged/link", &st);
}

/* Times of access: relatime notes one that is older than a day. */

static void touch_all_long_ago(void)
{
	int i;

	for (i = 0; i < NR_KINDS; i++)
		set_mtime(kinds[i], 1000000000, 0);
}

OPERATION(note_access, "shale_file_iops.update_time shale_dir_iops.update_time shale_symlink_iops.update_time",
	  "what was read says so or not", .prepare = touch_all_long_ago)
{
	char buffer[4096], byte;
	int file = keep(open("merged/file", O_RDONLY)), dir = keep(open("merged/shared", O_RDONLY));

	if (file < 0 || dir < 0)
		return -1;
	if (read(file, &byte, 1) != 1 || getdents64(dir, buffer, sizeof(buffer)) < 0)
		return -1;
	return readlink("merged/link", buffer, sizeof(buffer));
}

static int fifo;

static void fill_fifo(void)
{
	touch_all_long_ago();
	fifo = OK(keep(open("merged/fifo", O_RDWR | O_NONBLOCK)));
	OK(write(fifo, "1", 1));
}

OPERATION(note_access_of_fifo, "shale_special_iops.update_time", "a fifo that was read says so or not",
	  .prepare = fill_fifo)
{
	char byte;

	return read(fifo, &byte, 1);
}

/* Owner, mode, size, times */

OPERATION(chmod_file, "shale_file_iops.setattr", "a file of a lower has the old mode or the new")
{
	return chmod("merged/file", 04711);
}

OPERATION(chmod_deep, "shale_file_iops.setattr", "a file deep in a lower has the old mode or the new")
{
	return chmod("merged/shared/inner", 0600);
}

OPERATION(chmod_twin, "shale_file_iops.setattr", "one of a lower's two names has the old mode or the new")
{
	return chmod("merged/twin1", 0600);
}

OPERATION(chmod_upper, "shale_file_iops.setattr", "a file of the upper has the old mode or the new")
{
	return chmod("merged/mine", 0600);
}

OPERATION(chmod_directory, "shale_dir_iops.setattr", "a merged directory has the old mode or the new")
{
	return chmod("merged/shared", 01700);
}

OPERATION(chown_link, "shale_symlink_iops.setattr", "a symbolic link has the old owner or the new")
{
	return lchown("merged/link", SOMEBODY, ANYBODY);
}

OPERATION(chmod_fifo, "shale_special_iops.setattr", "a fifo has the old mode or the new")
{
	return chmod("merged/fifo", 0622);
}

OPERATION(truncate_lower, "shale_file_iops.setattr", "a file of a lower is cut or not")
{
	return truncate("merged/file", 100);
}

OPERATION(truncate_lower_up, "shale_file_iops.setattr", "a file of a lower is made longer or not")
{
	return truncate("merged/file", 20000);
}

/* Copies without data */

#define METACOPY .features = "redirect_dir=on,index=off,metacopy=on"

OPERATION(chmod_without_data, "shale_file_iops.setattr", "a file has the old mode or the new, and no data is copied",
	  METACOPY)
{
	return chmod("merged/file", 0600);
}

OPERATION(chown_without_data, "shale_file_iops.setattr", "a file deep in a lower has the old owner or the new",
	  METACOPY)
{
	return chown("merged/shared/inner", SOMEBODY, SOMEBODY);
}

OPERATION(set_xattr_without_data, "shale_xattr_handler.set", "a file gets an attribute or not, and no data is copied",
	  METACOPY)
{
	return setxattr("merged/file", "user.new", "new", 3, 0);
}

static void chmod_before(void)
{
	OK(chmod("merged/file", 04750));
	set_mtime("merged/file", 1000000001, 5);
}

OPERATION(truncate_without_data, "shale_file_iops.setattr", "a file without data is cut or not",
	  .prepare = chmod_before, METACOPY)
{
	return truncate("merged/file", 100);
}

OPERATION(empty_without_data, "shale_file_iops.setattr", "a file without data is emptied or not",
	  .prepare = chmod_before, METACOPY)
{
	return truncate("merged/file", 0);
}

OPERATION(lengthen_without_data, "shale_file_iops.setattr", "a file without data is made longer or not",
	  .prepare = chmod_before, METACOPY)
{
	return truncate("merged/file", 20000);
}

/* Extended attributes */

OPERATION(list_xattrs,
	  "shale_file_iops.listxattr shale_dir_iops.listxattr "
	  "shale_symlink_iops.listxattr shale_special_iops.listxattr",
	  "attributes are listed whole or not at all")
{
	char list[256];
	int i;

	for (i = 0; i < NR_KINDS; i++) {
		if (llistxattr(kinds[i], list, sizeof(list)) < 0)
			return -1;
	}
	return 0;
}

OPERATION(get_xattr, "shale_xattr_handler.get", "an attribute is read whole or not at all")
{
	char value[16];
	ssize_t size = getxattr("merged/file", "user.a", value, sizeof(value));

	if (size >= 0 && (size != 5 || memcmp(value, "value", 5)))
		fail("the attribute is \"%.*s\"", (int)size, value);
	return size;
}

OPERATION(set_xattr_lower, "shale_xattr_handler.set", "a file of a lower gets an attribute or not")
{
	return setxattr("merged/file", "user.new", "new", 3, 0);
}

OPERATION(set_xattr_directory, "shale_xattr_handler.set", "a directory gets an attribute or not")
{
	return setxattr("merged/shared", "user.new", "new", 3, XATTR_CREATE);
}

OPERATION(replace_xattr, "shale_xattr_handler.set", "an attribute has the old value or the new")
{
	return setxattr("merged/mine", "user.a", "another value", 13, XATTR_REPLACE);
}

OPERATION(remove_xattr, "shale_xattr_handler.set", "an attribute of a file of a lower is gone or not")
{
	return removexattr("merged/file", "user.a");
}

OPERATION(set_escaped_xattr, "shale_xattr_handler.set",
	  "an attribute with the name of a mark is set under another, or not")
{
	return setxattr("merged/file", "trusted.overlay.opaque", "y", 1, 0);
}

/* ACLs */

struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entry[5];
};

/* rw-r-----, and SOMEBODY may read. */
static const struct acl readable = {
	{ POSIX_ACL_XATTR_VERSION },
	{
		{ ACL_USER_OBJ, 6, -1 }, { ACL_USER, 4, SOMEBODY }, { ACL_GROUP_OBJ, 4, -1 },
		{ ACL_MASK, 4, -1 }, { ACL_OTHER, 0, -1 },
	},
};

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

static void set_acls(void)
{
	OK(setxattr("merged/file", ACCESS, &readable, sizeof(readable), 0));
	OK(setxattr("merged/shared", DEFAULT, &readable, sizeof(readable), 0));
	OK(setxattr("merged/fifo", ACCESS, &readable, sizeof(readable), 0));
}

static long get_acl(const char *path, const char *name)
{
	char value[256];
	ssize_t size = getxattr(path, name, value, sizeof(value));

	if (size >= 0 && (size != sizeof(readable) || memcmp(value, &readable, size)))
		fail("%s of %s is another", name, path);
	return size;
}

OPERATION(get_acls, "shale_file_iops.get_acl shale_dir_iops.get_acl shale_special_iops.get_acl",
	  "an ACL is read whole or not at all", .prepare = set_acls)
{
	if (get_acl("merged/file", ACCESS) < 0 || get_acl("merged/shared", DEFAULT) < 0)
		return -1;
	return get_acl("merged/fifo", ACCESS);
}

OPERATION(set_acl_file, "shale_file_iops.set_acl", "a file of a lower gets an ACL or not")
{
	return setxattr("merged/file", ACCESS, &readable, sizeof(readable), 0);
}

OPERATION(set_acl_directory, "shale_dir_iops.set_acl", "a directory gets a default ACL or not")
{
	return setxattr("merged/shared", DEFAULT, &readable, sizeof(readable), 0);
}

OPERATION(set_acl_fifo, "shale_special_iops.set_acl", "a fifo gets an ACL or not")
{
	return setxattr("merged/fifo", ACCESS, &readable, sizeof(readable), 0);
}

OPERATION(remove_acl, "shale_file_iops.set_acl", "an ACL is gone or not", .prepare = set_acls)
{
	return removexattr("merged/file", ACCESS);
}

OPERATION(create_with_acl, "shale_dir_iops.create", "a new file inherits an ACL or is not there",
	  .prepare = set_acls)
{
	return keep(open("merged/shared/new", O_CREAT | O_EXCL | O_WRONLY, 0666));
}

/* To become somebody takes an allocation, too; to become root again must not fail. */
static long as_somebody(long (*call)(void))
{
	long result = failed(ENOMEM);
	int error;

	setfsuid(SOMEBODY);
	if (setfsuid(-1) == SOMEBODY)
		result = call();
	error = errno;
	while (setfsuid(-1))
		setfsuid(0);
	errno = error;
	return result;
}

static long use_all(void)
{
	static const char * const paths[] = { "merged/file", "merged/shared", "merged/fifo" };
	int i;

	for (i = 0; i < 3; i++) {
		int fd = keep(open(paths[i], O_RDONLY | O_NONBLOCK));

		if (fd < 0)
			return -1;
	}
	return 0;
}

OPERATION(allowed_by_acl, "shale_file_iops.get_inode_acl shale_dir_iops.get_inode_acl shale_special_iops.get_inode_acl",
	  "somebody is let in by an ACL, or the reading of it fails; never: denied",
	  .prepare = set_acls)
{
	return as_somebody(use_all);
}

/* Flags and extents */

static int target;

static void open_lower(void)
{
	target = OK(keep(open("merged/file", O_RDONLY)));
}

static void open_shared(void)
{
	target = OK(keep(open("merged/shared", O_RDONLY)));
}

static long set_one_flag(int flag)
{
	int flags = flag;

	return ioctl(target, FS_IOC_SETFLAGS, &flags);
}

static long set_flag(void)
{
	return set_one_flag(FS_NODUMP_FL);
}

OPERATION(get_flags, "shale_file_iops.fileattr_get", "the flags of a file are read or not",
	  .prepare = open_lower)
{
	int flags;

	return ioctl(target, FS_IOC_GETFLAGS, &flags);
}

OPERATION(get_directory_flags, "shale_dir_iops.fileattr_get", "the flags of a directory are read or not",
	  .prepare = open_shared)
{
	int flags;

	return ioctl(target, FS_IOC_GETFLAGS, &flags);
}

OPERATION(set_flags, "shale_file_iops.fileattr_set", "a file of a lower gets a flag or not",
	  .prepare = open_lower)
{
	return set_flag();
}

OPERATION(set_directory_flags, "shale_dir_iops.fileattr_set", "a directory gets a flag or not",
	  .prepare = open_shared)
{
	return set_flag();
}

OPERATION(protect, "shale_file_iops.fileattr_set", "a file of a lower is append-only or not",
	  .prepare = open_lower)
{
	return set_one_flag(FS_APPEND_FL);
}

static void protect_lower(void)
{
	open_lower();
	OK(set_one_flag(FS_IMMUTABLE_FL));
}

OPERATION(unprotect, "shale_file_iops.fileattr_set", "an immutable file is so still, or no longer",
	  .prepare = protect_lower)
{
	return set_one_flag(0);
}

OPERATION(map_extents, "shale_file_iops.fiemap", "the extents of a file are told or not",
	  .prepare = open_lower, .base = "ext4")
{
	static struct {
		struct fiemap map;
		struct fiemap_extent extent[4];
	} request;

	request.map = (struct fiemap){
		.fm_length = FIEMAP_MAX_OFFSET,
		.fm_flags = FIEMAP_FLAG_SYNC,
		.fm_extent_count = 4,
	};
	return ioctl(target, FS_IOC_FIEMAP, &request);
}

NO_OPERATION("shale_xattr_handler.prefix", "is no function");

CASES_MAIN
