// SPDX-License-Identifier: GPL-2.0-or-later
/* What is on the disk, and when: the values of fsync=, and the mark of a mount that syncs nothing. */
#include "device.h"
#include "fixture.h"

#define MARK "work/work/incompat/volatile/dirty"
#define LAYERS "lowerdir=low,upperdir=upper,workdir=work"

/* overlayfs's stays. */
static void forget_mark(void)
{
	remove_in("work/work");
}

static void set_up_volatile(void)
{
	set_up_if_known("fsync=volatile");
	forget_mark();
}

/*
 *	low  f
 */
CASE(marked, "a volatile mount is marked in the work directory, until it is unmounted and all is on the disk")
{
	only_shale("it leaves the mark");
	set_up_volatile();
	make_file("low/f", "f");
	mount_layers("low");
	CHECK(exists(MARK));
	CHECK(shows_option("fsync=volatile"));
	write_text("merged/f", "changed");
	CHECK(exists(MARK));
	unmount();
	CHECK(!exists("work/work/incompat"));
	mount_layers("low");
	expect_text("merged/f", "changed");
}

CASE(old_spelling, "\"volatile\" is another way to say it")
{
	set_up_volatile();
	with_features("volatile");
	mount_layers("low");
	CHECK(shows_option(on_shale() ? "fsync=volatile" : "volatile"));
	CHECK(exists(MARK));
	unmount();
	forget_mark();
}

CASE(crashed, "what a volatile mount left without an end is refused by every mount, until the mark is removed")
{
	set_up_volatile();
	make_dir("work/work/incompat");
	make_dir("work/work/incompat/volatile");
	make_file(MARK, "");
	FAILS(try_mount("merged", LAYERS), EINVAL);
	with_features("fsync=auto");
	FAILS(try_mount("merged", LAYERS), EINVAL);
	CHECK(exists(MARK));
	forget_mark();
	OK(try_mount("merged", LAYERS));
}

CASE(refused_mount, "a volatile mount that is refused leaves no mark")
{
	set_up_volatile();
	with_features("fsync=volatile,nfs_export=on,metacopy=on");
	FAILS(try_mount("merged", LAYERS), EINVAL);
	CHECK(!exists("work/work/incompat"));
}

CASE(without_upper, "without an upper, fsync=volatile means nothing")
{
	set_up_volatile();
	OK(try_mount("merged", "lowerdir=top:low"));
	CHECK(!shows_option("volatile"));
}

CASE(values, "other values are refused")
{
	set_up_volatile();
	with_features("fsync=never");
	FAILS(try_mount("merged", LAYERS), EINVAL);
	with_features("fsync=strict");
	OK(try_mount("merged", LAYERS));
	CHECK(shows_option("fsync=strict"));
}

/*
 * The disk takes nothing any more, so that whoever writes to it fails.
 *
 *	upper  mine
 */
CASE(nothing_is_synced, "on a volatile mount fsync, syncfs and O_SYNC write nothing and succeed")
{
	static const char piece[] = "piece";
	int fd, dir;

	only_shale("it leaves the mark");
	set_up_on(BREAKABLE);
	with_features("fsync=volatile");
	make_file("upper/mine", "mine");
	mount_layers("low");
	fd = open_file("merged/mine", O_RDWR | O_SYNC);
	dir = open_file("merged", O_RDONLY);
	base_break(WRITES_FAIL);
	CHECK_EQ(OK(pwrite(fd, piece, sizeof(piece), 0)), sizeof(piece));
	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(fsync(dir));
	OK(syncfs(dir));
	base_repair();
}

CASE(lost_writes_are_told, "once something could not be written, each sync of a volatile mount says so, and the mark stays")
{
	int fd, base;

	only_shale("its syncs are not ours to judge");
	set_up_on(BREAKABLE);
	with_features("fsync=volatile");
	make_file("upper/mine", "mine");
	mount_layers("low");
	write_inside("merged/mine", "written");
	fd = open_file("merged/mine", O_RDWR);
	base = open_file(".", O_RDONLY);
	base_break(WRITES_FAIL);
	write_inside("merged/mine", "written");
	CHECK(syncfs(base));
	FAILS(fsync(fd), EIO);
	FAILS(fsync(fd), EIO);
	FAILS(syncfs(fd), EIO);
	close(fd);
	close(base);
	unmount();
	base_remount();
	CHECK(exists(MARK));
	FAILS(try_mount("merged", LAYERS), EINVAL);
	forget_mark();
}

/* Copies reach the disk before their names do */

/* How often the disk was told to keep what it has, for one change of a file or directory of a lower. */
static long long flushes_of(const char *fsync, const char *path)
{
	long long before;

	with_features(text_of("redirect_dir=on,metacopy=on,%s", fsync));
	mount_layers("low");
	OK(syncfs(open_file("merged", O_RDONLY)));
	before = nr_flushes("low");
	OK(chmod(path, 0700));
	return nr_flushes("low") - before;
}

/*
 *	low  file, directory
 */
static void set_up_flushes(void)
{
	set_up_on(BREAKABLE);
	flush_only_if_told("low/..");
	make_file("low/file", "data");
	make_dir("low/directory");
}

CASE(auto_syncs_data, "fsync=auto: a copy without data is on the disk when the file system sees fit")
{
	set_up_flushes();
	CHECK_EQ(flushes_of("fsync=auto", "merged/file"), 0);
}

CASE(strict_syncs_attributes, "fsync=strict: a copy without data is on the disk before it has a name")
{
	set_up_flushes();
	CHECK(flushes_of("fsync=strict", "merged/file") > 0);
}

CASE(strict_syncs_directories, "fsync=strict: so is the copy of a directory")
{
	set_up_flushes();
	CHECK(flushes_of("fsync=strict", "merged/directory") > 0);
}

CASES_MAIN
