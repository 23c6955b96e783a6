// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disk below all layers breaks. Operations are done while nothing can be written; then the
 * machine, so to say, loses its power, and comes back with a disk that is whole. See
 * lib/failures.h, which draws the tree and says what must hold.
 */
#include "failures.h"
#include "tree.h"

#define BROKEN(function, title, ...)						\
	static long function(void);						\
	ROW(function##_broken, function, title, fail_to_write,			\
	    .base = BREAKABLE, __VA_ARGS__)					\
	static long function(void)

/* A copy is not named before its data is on disk. */

BROKEN(copy_up, "a file is not copied up by chmod() if its copy can't be written", .flags = WRITES)
{
	return chmod("merged/file", 0600);
}

BROKEN(copy_up_to_write, "a file is not copied up by open() if its copy can't be written", .flags = WRITES)
{
	return keep(open("merged/file", O_RDWR));
}

BROKEN(copy_up_deep, "a file is not copied up into a directory of a lower if it can't be written",
       .flags = WRITES)
{
	return chmod("merged/shared/inner", 0600);
}

BROKEN(rename_lower, "a file of a lower is not renamed if its copy can't be written", .flags = WRITES)
{
	return rename("merged/file", "merged/own/new");
}

BROKEN(link_lower, "a file of a lower is not linked if its copy can't be written", .flags = WRITES)
{
	return link("merged/file", "merged/new");
}

/* What is said to be synced is on disk. */

static int mine, dir;

static void open_mine(void)
{
	mine = OK(keep(open("merged/mine", O_RDWR)));
	dir = OK(keep(open("merged/bare", O_RDONLY)));
}

BROKEN(write_and_sync, "fsync() of what can't be written fails", .prepare = open_mine,
       .flags = WRITES | TOUCHES)
{
	static const char piece[] = "what was written";

	return pwrite(mine, piece, sizeof(piece), 0) < 0 ? -1 : fsync(mine);
}

BROKEN(create_and_sync, "fsync() of a directory that can't be written fails", .prepare = open_mine,
       .flags = WRITES)
{
	if (mkdir("merged/bare/new", 0755))
		return -1;
	return fsync(dir);
}

BROKEN(create_and_sync_all, "syncfs() of what can't be written fails", .prepare = open_mine,
       .flags = WRITES)
{
	if (mkdir("merged/new", 0755))
		return -1;
	return syncfs(dir);
}

/* Without any sync, what is done may be lost, but wholly. */

BROKEN(make_directory_over_whiteout, "a new directory over a whiteout is there, empty, or lost")
{
	return mkdir("merged/hidden_dir", 0755);
}

BROKEN(unlink_lower, "a file of a lower is gone or there again")
{
	return unlink("merged/file");
}

BROKEN(unlink_deep, "a file deep in a lower is gone or there again")
{
	return unlink("merged/shared/gone");
}

BROKEN(remove_shell, "a directory of whiteouts is gone or there again")
{
	return rmdir("merged/shell");
}

BROKEN(rename_directory_over_whiteout, "a directory has its old name or the new")
{
	return rename("merged/own", "merged/hidden_dir");
}

BROKEN(rename_directory_over_shell, "a directory that replaces one of whiteouts has its old name or the new")
{
	return rename("merged/own", "merged/shell");
}

BROKEN(truncate_lower, "a file of a lower is cut or whole")
{
	return truncate("merged/file", 100);
}

BROKEN(set_xattr_directory, "a directory of lowers has an attribute or not")
{
	return setxattr("merged/shared", "user.new", "new", 3, 0);
}

BROKEN(mount_all, "a mount is made, or not, and can be made later", .flags = NOT_MOUNTED)
{
	return mount("kselftest", "merged", fs_type(), 0,
		     "lowerdir=top:low,upperdir=upper,workdir=work");
}

/* Reading */

static void expect_unreadable(const char *call, long result)
{
	if (result >= 0)
		fail("%s: success, not EIO", call);
	if (errno != EIO)
		fail("%s: %s, not EIO", call, errno_name(errno));
}

#define UNREADABLE(call) STEP(expect_unreadable(#call, (errno = 0, (call))))

static long list(const char *path)
{
	DIR *dir = opendir(path);
	int error;

	if (!dir)
		return -1;
	errno = 0;
	while (readdir(dir))
		errno = 0;
	error = errno;
	closedir(dir);
	return error ? failed(error) : 0;
}

static long read_all(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY), error;
	long size;

	if (fd < 0)
		return -1;
	size = read(fd, &byte, 1);
	error = errno;
	close(fd);
	return size < 0 ? failed(error) : size;
}

/* What is dirty stays, and what was used of late stays once more. */
static void forget(void)
{
	int fd = open_file("/proc/sys/vm/drop_caches", O_WRONLY), i;

	sync();
	for (i = 0; i < 3; i++)
		OK(write(fd, "3", 1));
	close(fd);
}

/* Whoever happens to hold a block keeps it in the cache, so it may take several tries. */
static void break_with_empty_caches(void)
{
	struct stat st;
	int tries;

	for (tries = 0; tries < 20; tries++) {
		again();	/* the mount would remember the names in its root */
		forget();
		base_break(READS_AND_WRITES_FAIL);
		if (lstat("merged/file", &st))
			return;
		base_repair();
		usleep(100000);
	}
	fail("the caches could not be emptied");
}

/*
 *	low	file dir/inside dir/gone
 *	upper	mine
 */
CASE(unreadable, "what can't be read is EIO, not absent; and there when it can be read again")
{
	struct stat st;
	char *before;

	set_up_on(BREAKABLE);
	make_sized("low/file", 100000);
	make_dir("low/dir");
	make_file("low/dir/inside", "inside");
	make_file("low/dir/gone", "gone");
	make_file("upper/mine", "mine");
	base_remount();		/* the journal would keep what it has seen */
	mount_layers("low");
	before = tree_of("merged");

	break_with_empty_caches();
	UNREADABLE(lstat("merged/file", &st));
	UNREADABLE(lstat("merged/mine", &st));
	UNREADABLE(lstat("merged/absent", &st));
	UNREADABLE(list("merged"));
	UNREADABLE(list("merged/dir"));
	UNREADABLE(read_all("merged/file"));
	UNREADABLE(chmod("merged/dir/inside", 0600));
	UNREADABLE(unlink("merged/file"));
	UNREADABLE(rmdir("merged/dir"));
	UNREADABLE(mkdir("merged/dir/new", 0755));
	UNREADABLE(rename("merged/mine", "merged/dir/mine"));
	UNREADABLE(open("merged/new", O_CREAT | O_WRONLY, 0600));

	base_repair();
	CHECK(!tree_difference(tree_of("merged"), before));
	CHECK(!tree_difference(union_of("upper:low"), before));
}

/*
 *	low	file, of which a page was read
 */
CASE(unreadable_copy, "a copy-up of what can't be read fails, and leaves nothing")
{
	int fd;

	set_up_on(BREAKABLE);
	make_sized("low/file", 1 << 20);
	mount_layers("low");
	fd = open_file("merged/file", O_RDONLY);
	forget();
	CHECK_EQ(read_all("merged/file"), 1);

	base_break(READS_AND_WRITES_FAIL);
	UNREADABLE(chmod("merged/file", 0600));
	UNREADABLE(open("merged/file", O_WRONLY));
	UNREADABLE(pread(fd, &(char){ 0 }, 1, 900000));
	close(fd);

	unmount();
	base_remount();
	expect_names("upper", "");
	mount_layers("low");
	OK(chmod("merged/file", 0600));
	expect_sized("merged/file", 1 << 20);
	expect_sized("upper/file", 1 << 20);
}

CASES_MAIN
