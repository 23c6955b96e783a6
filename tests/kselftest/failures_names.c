// SPDX-License-Identifier: GPL-2.0-or-later
/* Each failure of an operation on names: see lib/failures.h, which draws the tree. */
#include "failures.h"

#define REDIRECTS .features = "redirect_dir=on,index=off,metacopy=off"
#define METACOPY .features = "redirect_dir=on,index=off,metacopy=on"

/* Looking up */

OPERATION(look_up_file, "shale_dir_iops.lookup shale_super_operations.alloc_inode",
	  "a file of a lower is found or not")
{
	struct stat st;

	return lstat("merged/file", &st);
}

OPERATION(look_up_merged, "shale_dir_iops.lookup",
	  "a directory of two layers is found whole, and what is in it")
{
	struct stat st;

	return lstat("merged/shared/extra", &st) ?: lstat("merged/shared/inner", &st);
}

static long expect_no(const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		fail("%s is there", path);
	return errno == ENOENT ? 0 : -1;
}

OPERATION(look_up_absent, "shale_dir_iops.lookup", "a name that is not there is not found")
{
	return expect_no("merged/absent");
}

OPERATION(look_up_hidden, "shale_dir_iops.lookup", "a whiteout hides in spite of failures")
{
	return expect_no("merged/hidden");
}

/* Nothing is known of it when it is looked for. The second time it is there already. */
static void move(const char *path)
{
	if (!exists("merged/own/moved"))
		OK(rename(path, "merged/own/moved"));
	unmount();
	mount_layers("top:low");
}

static void move_shared(void)
{
	move("merged/shared");
}

OPERATION(look_up_moved, "shale_dir_iops.lookup", "a moved directory is found whole, and what is in it",
	  .prepare = move_shared, REDIRECTS)
{
	struct stat st;

	return lstat("merged/own/moved/extra", &st) ?: lstat("merged/own/moved/inner", &st);
}

static void move_without_data(void)
{
	move("merged/file");
}

OPERATION(look_up_without_data, "shale_dir_iops.lookup", "a moved file without data of its own is found or not",
	  .prepare = move_without_data, METACOPY)
{
	struct stat st;

	return lstat("merged/own/moved", &st);
}

/* A lower whose names may change by themselves, as those of a network do: an overlayfs. */
static void mount_changing_lower(void)
{
	if (!exists("changing")) {
		make_dir("changing");
		if (mount("none", "changing", "overlay", 0, "lowerdir=top:low"))
			SKIP("this kernel has no overlay, whose names are looked at again");
	}
	umount2("merged", 0);	/* of the time before, if this is the second */
	mount_options("merged", "lowerdir=changing,upperdir=upper,workdir=work");
	OK(access("merged/shared/inner", F_OK));
}

OPERATION(look_again, "shale_dentry_revalidate_operations.d_revalidate "
	  "shale_dentry_revalidate_operations.d_weak_revalidate",
	  "a name that is known still stands, or looking fails", .flags = NOT_MOUNTED,
	  .prepare = mount_changing_lower)
{
	struct stat st;

	return lstat("merged/shared/inner", &st) ?: lstat("merged/shared/..", &st);
}

/* Listing */

static int dir_fd;

static void open_root(void)
{
	dir_fd = OK(keep(open("merged", O_RDONLY | O_DIRECTORY)));
}

static void open_shared(void)
{
	dir_fd = OK(keep(open("merged/shared", O_RDONLY | O_DIRECTORY)));
}

static long expect_names_in(int fd, long wanted)
{
	long nr = nr_names_from(fd);

	if (nr >= 0 && nr != wanted)
		fail("a directory shows %ld names, not %ld", nr, wanted);
	return nr;
}

OPERATION(list_root, "shale_dir_fops.iterate_shared", "a directory is listed whole or not at all",
	  .prepare = open_root)
{
	return expect_names_in(dir_fd, 14);
}

OPERATION(list_shared, "shale_dir_fops.iterate_shared", "a merged directory is listed whole or not at all",
	  .prepare = open_shared)
{
	return expect_names_in(dir_fd, 5);
}

OPERATION(list_again, "shale_dir_fops.iterate_shared shale_dir_fops.llseek",
	  "a directory that is read from its start again is listed whole or not at all",
	  .prepare = open_shared)
{
	if (expect_names_in(dir_fd, 5) < 0 || mkdir("merged/shared/new", 0755) ||
	    lseek(dir_fd, 0, SEEK_SET))
		return -1;
	return expect_names_in(dir_fd, 6);
}

OPERATION(open_directory, "shale_dir_fops.release", "a directory is opened and closed or not")
{
	int fd = open("merged/shared", O_RDONLY | O_DIRECTORY);

	return fd < 0 ? -1 : close(fd);
}

OPERATION(read_directory, "shale_dir_fops.read", "a directory can't be read as a file",
	  .prepare = open_root)
{
	char byte;

	return read(dir_fd, &byte, 1) < 0 && errno == EISDIR ? 0 : -1;
}

static void open_bare(void)
{
	dir_fd = OK(keep(open("merged/bare", O_RDONLY | O_DIRECTORY)));
}

OPERATION(sync_directory, "shale_dir_fops.fsync", "a directory is synced or not",
	  .prepare = open_bare)
{
	return fsync(dir_fd);
}

/* Making */

static long make_new_file(const char *path)
{
	return keep(open(path, O_CREAT | O_EXCL | O_WRONLY, 0600));
}

OPERATION(create, "shale_dir_iops.create", "a new file is there or not")
{
	return make_new_file("merged/new");
}

OPERATION(create_below, "shale_dir_iops.create",
	  "a new file in a directory of the lowers is there or not")
{
	return make_new_file("merged/shared/new");
}

OPERATION(create_over_whiteout, "shale_dir_iops.create", "a new file over a whiteout is there or not")
{
	return make_new_file("merged/hidden");
}

OPERATION(make_directory, "shale_dir_iops.mkdir", "a new directory is there or not")
{
	return mkdir("merged/new", 0755);
}

OPERATION(make_directory_over_whiteout, "shale_dir_iops.mkdir",
	  "a new directory over a whiteout is empty or not there")
{
	return mkdir("merged/hidden_dir", 0755);
}

OPERATION(make_fifo, "shale_dir_iops.mknod", "a new fifo is there or not")
{
	return mkfifo("merged/new", 0644);
}

OPERATION(make_fifo_over_whiteout, "shale_dir_iops.mknod", "a new fifo over a whiteout is there or not")
{
	return mkfifo("merged/hidden", 0644);
}

OPERATION(make_symlink, "shale_dir_iops.symlink", "a new symbolic link is there or not")
{
	return symlink("target", "merged/new");
}

OPERATION(make_symlink_over_whiteout, "shale_dir_iops.symlink",
	  "a new symbolic link over a whiteout is there or not")
{
	return symlink("target", "merged/hidden");
}

OPERATION(link_lower, "shale_dir_iops.link", "a hard link to a file of a lower is there or not")
{
	return link("merged/file", "merged/new");
}

OPERATION(link_over_whiteout, "shale_dir_iops.link", "a hard link over a whiteout is there or not")
{
	return link("merged/mine", "merged/hidden");
}

OPERATION(link_without_data, "shale_dir_iops.link", "a hard link to a file without data is there or not", METACOPY)
{
	return link("merged/file", "merged/own/new");
}

/* Without a name, until it is given one */

static int unnamed;

static long make_unnamed_in(const char *dir)
{
	unnamed = keep(open(dir, O_TMPFILE | O_RDWR, 0600));
	return unnamed;
}

static void open_unnamed(void)
{
	OK(make_unnamed_in("merged"));
}

static long name_unnamed(const char *name)
{
	return linkat(AT_FDCWD, text_of("/proc/self/fd/%d", unnamed), AT_FDCWD, name,
		      AT_SYMLINK_FOLLOW);
}

OPERATION(make_tmpfile, "shale_dir_iops.tmpfile", "a file without a name is open or not")
{
	return make_unnamed_in("merged");
}

OPERATION(make_tmpfile_below, "shale_dir_iops.tmpfile",
	  "a file without a name in a directory of the lowers is open or not")
{
	return make_unnamed_in("merged/shared");
}

OPERATION(link_tmpfile, "shale_dir_iops.link", "an unnamed file gets a name or not",
	  .prepare = open_unnamed)
{
	return name_unnamed("merged/new");
}

OPERATION(link_tmpfile_over_whiteout, "shale_dir_iops.link",
	  "an unnamed file gets a whiteout's name or not", .prepare = open_unnamed)
{
	return name_unnamed("merged/hidden");
}

/* Removing */

OPERATION(unlink_lower, "shale_dir_iops.unlink", "a file of a lower is gone or not")
{
	return unlink("merged/file");
}

OPERATION(unlink_upper, "shale_dir_iops.unlink", "a file of the upper is gone or not")
{
	return unlink("merged/mine");
}

OPERATION(unlink_below, "shale_dir_iops.unlink", "a file deep in the lowers is gone or not")
{
	return unlink("merged/shared/gone");
}

static void copy_up_file(void)
{
	OK(chmod("merged/file", 0640));
}

OPERATION(unlink_copied, "shale_dir_iops.unlink", "a file that was copied up is gone or not",
	  .prepare = copy_up_file)
{
	return unlink("merged/file");
}

OPERATION(remove_lower_directory, "shale_dir_iops.rmdir", "an empty directory of a lower is gone or not")
{
	return rmdir("merged/empty");
}

OPERATION(remove_upper_directory, "shale_dir_iops.rmdir",
	  "an empty directory of the upper is gone or not")
{
	return rmdir("merged/bare");
}

OPERATION(remove_shell, "shale_dir_iops.rmdir", "a directory of whiteouts is gone or not")
{
	return rmdir("merged/shell");
}

OPERATION(remove_full, "shale_dir_iops.rmdir", "a directory that is not empty stays")
{
	return rmdir("merged/full") && errno == ENOTEMPTY ? 0 : -1;
}

/* Renaming */

OPERATION(rename_upper, "shale_dir_iops.rename", "a file of the upper has its old name or the new")
{
	return rename("merged/mine", "merged/new");
}

OPERATION(rename_lower, "shale_dir_iops.rename", "a file of a lower has its old name or the new")
{
	return rename("merged/file", "merged/own/new");
}

OPERATION(rename_over_lower, "shale_dir_iops.rename", "a file takes the name of another or not")
{
	return rename("merged/file", "merged/twin1");
}

OPERATION(rename_over_whiteout, "shale_dir_iops.rename", "a file takes a whiteout's name or not")
{
	return rename("merged/file", "merged/hidden");
}

OPERATION(rename_directory, "shale_dir_iops.rename", "a directory of the upper has its old name or the new")
{
	return rename("merged/own", "merged/new");
}

OPERATION(rename_directory_over_whiteout, "shale_dir_iops.rename",
	  "a directory takes a whiteout's name, and nothing shows in it, or not")
{
	return rename("merged/own", "merged/hidden_dir");
}

OPERATION(rename_directory_over_shell, "shale_dir_iops.rename",
	  "a directory replaces one of whiteouts or not")
{
	return rename("merged/own", "merged/shell");
}

OPERATION(rename_merged, "shale_dir_iops.rename", "a merged directory has its old path or the new", REDIRECTS)
{
	return rename("merged/shared", "merged/own/new");
}

OPERATION(rename_merged_within, "shale_dir_iops.rename", "a merged directory has its old name or the new", REDIRECTS)
{
	return rename("merged/shared", "merged/new");
}

OPERATION(rename_merged_again, "shale_dir_iops.rename", "a moved directory has its old name or the new",
	  .prepare = move_shared, REDIRECTS)
{
	return rename("merged/own/moved", "merged/new");
}

OPERATION(rename_merged_over_whiteout, "shale_dir_iops.rename", "a merged directory takes a whiteout's name or not",
	  REDIRECTS)
{
	return rename("merged/shared", "merged/hidden_dir");
}

OPERATION(rename_merged_over_shell, "shale_dir_iops.rename", "a merged directory replaces one of whiteouts or not",
	  REDIRECTS)
{
	return rename("merged/shared", "merged/shell");
}

OPERATION(exchange_merged, "shale_dir_iops.rename", "two merged directories are exchanged or not", REDIRECTS)
{
	return renameat2(AT_FDCWD, "merged/shared", AT_FDCWD, "merged/full", RENAME_EXCHANGE);
}

OPERATION(exchange_merged_with_upper, "shale_dir_iops.rename",
	  "a merged directory and one of the upper are exchanged or not", REDIRECTS)
{
	return renameat2(AT_FDCWD, "merged/own", AT_FDCWD, "merged/shared", RENAME_EXCHANGE);
}

OPERATION(rename_without_data, "shale_dir_iops.rename", "a file without data has its old path or the new", METACOPY)
{
	return rename("merged/file", "merged/own/new");
}

OPERATION(exchange, "shale_dir_iops.rename", "two names are exchanged or not")
{
	return renameat2(AT_FDCWD, "merged/mine", AT_FDCWD, "merged/file", RENAME_EXCHANGE);
}

OPERATION(exchange_with_directory, "shale_dir_iops.rename",
	  "a directory and a file of a lower are exchanged or not")
{
	return renameat2(AT_FDCWD, "merged/own", AT_FDCWD, "merged/file", RENAME_EXCHANGE);
}

NO_OPERATION("shale_dir_fops.owner", "is no function");
NO_OPERATION("shale_super_operations.nr_cached_objects shale_super_operations.free_cached_objects",
	     "allocate nothing, and are asked for when memory is short");

CASES_MAIN
