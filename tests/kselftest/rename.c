// SPDX-License-Identifier: GPL-2.0-or-later
/* Renaming: files of any layer, directories that are not merged. */
#include "fixture.h"

#include <linux/fs.h>
#include <sys/syscall.h>

/*
 *	low  f="low"
 */
CASE(lower_file, "a lower file is copied up under the new name, a whiteout takes the old one")
{
	struct stat before, after;

	set_up();
	make_file("low/f", "low");
	OK(chmod("low/f", 0640));
	set_mtime("low/f", 1000, 55);
	mount_layers("low");
	before = stat_of("merged/f");
	OK(rename("merged/f", "merged/g"));
	after = stat_of("merged/g");
	expect_same_attributes(&after, &before);
	CHECK_EQ(after.st_ino, before.st_ino);
	expect_absent("merged/f");
	expect_whiteout("upper/f");
	expect_text("upper/g", "low");
	again();
	expect_names("merged", "g");
	expect_text("merged/g", "low");
}

/*
 *	(nothing below)
 */
CASE(upper_file, "a file that is in the upper alone leaves no whiteout")
{
	set_up();
	mount_layers("low");
	make_file("merged/f", "new");
	OK(rename("merged/f", "merged/g"));
	expect_names("upper", "g");
	expect_names("merged", "g");
	expect_text("merged/g", "new");
}

/*
 *	low  every kind of object
 */
CASE(every_kind, "links, pipes, devices and sockets of a lower can be renamed")
{
	static const char * const names[] = { "link", "fifo", "char", "socket" };
	struct stat before, after;
	size_t i;

	set_up();
	OK(symlink("target", "low/link"));
	OK(mkfifo("low/fifo", 0644));
	OK(mknod("low/char", S_IFCHR | 0600, makedev(1, 3)));
	OK(mknod("low/socket", S_IFSOCK | 0600, 0));
	mount_layers("low");
	for (i = 0; i < 4; i++) {
		before = stat_of(text_of("merged/%s", names[i]));
		OK(rename(text_of("merged/%s", names[i]), text_of("merged/new-%s", names[i])));
		after = stat_of(text_of("merged/new-%s", names[i]));
		expect_same_attributes(&after, &before);
		expect_absent(text_of("merged/%s", names[i]));
	}
	again();
	expect_names("merged", "new-char new-fifo new-link new-socket");
}

/*
 *	low  a/f="low"  b/
 */
CASE(between_directories, "a file moves between lower directories")
{
	set_up();
	make_dir("low/a");
	make_file("low/a/f", "low");
	make_dir("low/b");
	mount_layers("low");
	OK(rename("merged/a/f", "merged/b/g"));
	expect_names("merged/a", "");
	expect_names("merged/b", "g");
	expect_text("merged/b/g", "low");
	expect_whiteout("upper/a/f");
	again();
	expect_names("merged/a", "");
	expect_names("merged/b", "g");
}

/*
 *	low  f="f"  g="g"  h="h" (removed)
 */
CASE(over_files, "a file replaces a lower one, an upper one, or a whiteout")
{
	set_up();
	make_file("low/f", "f");
	make_file("low/g", "g");
	make_file("low/h", "h");
	mount_layers("low");
	OK(rename("merged/f", "merged/g"));
	expect_text("merged/g", "f");
	expect_names("merged", "g h");
	expect_whiteout("upper/f");
	make_file("merged/new", "new");
	OK(rename("merged/new", "merged/g"));
	expect_text("merged/g", "new");
	expect_absent("upper/new");
	OK(unlink("merged/h"));
	OK(rename("merged/g", "merged/h"));
	expect_text("merged/h", "new");
	expect_whiteout("upper/g");
	OK(rename("merged/h", "merged/f"));
	again();
	expect_names("merged", "f");
	expect_text("merged/f", "new");
	expect_whiteout("upper/g");
	expect_whiteout("upper/h");
}

/*
 *	upper  n="new"
 *	low    gone (removed)
 */
CASE(upper_file_over_whiteout, "a new file renamed over a whiteout leaves nothing of either name")
{
	set_up();
	make_file("low/gone", "low");
	mount_layers("low");
	OK(unlink("merged/gone"));
	make_file("merged/n", "new");
	OK(rename("merged/n", "merged/gone"));
	expect_names("upper", "gone");
	expect_text("merged/gone", "new");
	again();
	expect_names("merged", "gone");
}

/*
 *	low  d/ (removed)
 */
CASE(new_directory_over_whiteout, "a new directory renamed to where a lower one was shows nothing of it")
{
	set_up();
	make_dir("low/d");
	make_file("low/d/old", "low");
	mount_layers("low");
	OK(unlink("merged/d/old"));
	OK(rmdir("merged/d"));
	make_dir("merged/n");
	make_file("merged/n/new", "new");
	OK(rename("merged/n", "merged/d"));
	expect_names("merged/d", "new");
	expect_opaque("upper/d");
	expect_absent("upper/n");
	again();
	expect_names("merged", "d");
	expect_names("merged/d", "new");
}

/*
 *	(all in the upper)  d/{f,sub/g}
 */
CASE(upper_directory, "a directory of the upper moves with all that is in it")
{
	set_up();
	make_dir("low/to");
	mount_layers("low");
	make_dir("merged/d");
	make_file("merged/d/f", "new");
	make_dir("merged/d/sub");
	make_file("merged/d/sub/g", "new");
	OK(rename("merged/d", "merged/to/e"));
	expect_names("merged/to/e", "f sub");
	expect_text("merged/to/e/sub/g", "new");
	expect_absent("merged/d");
	CHECK_EQ(stat_of("merged/to/e/..").st_ino, stat_of("merged/to").st_ino);
	OK(rename("merged/to/e", "merged/d"));
	again();
	expect_names("merged", "d to");
	expect_text("merged/d/sub/g", "new");
	expect_names("upper", "d to");
}

/*
 *	low  l/x   m/x
 *	top        m/y
 */
CASE(lower_directory, "renaming a lower or a merged directory is EXDEV and changes nothing")
{
	set_up();
	make_dir("low/l");
	make_file("low/l/x", "low");
	make_dir("low/m");
	make_file("low/m/x", "low");
	make_dir("top/m");
	make_file("top/m/y", "top");
	mount_layers("top:low");
	FAILS(rename("merged/l", "merged/new"), EXDEV);
	FAILS(rename("merged/m", "merged/new"), EXDEV);
	FAILS(rename("merged/l", "merged/m"), EXDEV);
	make_file("merged/l/new", "new");
	FAILS(rename("merged/l", "merged/new"), EXDEV);
	make_dir("merged/mine");
	FAILS(rename2("merged/mine", "merged/l", RENAME_EXCHANGE), EXDEV);
	FAILS(rename2("merged/l", "merged/mine", RENAME_EXCHANGE), EXDEV);
	expect_names("merged", "l m mine");
	expect_names("merged/l", "new x");
	expect_names("merged/m", "x y");
	again();
	expect_names("merged", "l m mine");
	expect_names("merged/l", "new x");
	CHECK_EQ(OK(system("mv merged/l merged/moved")), 0);
	expect_names("merged", "m mine moved");
	expect_names("merged/moved", "new x");
}

/*
 *	low  empty/  full/x  cleared/{x,y} (both removed)
 */
CASE(over_directories, "a directory replaces an empty lower one, or one whose names are all whited out")
{
	set_up();
	make_dir("low/empty");
	make_dir("low/full");
	make_file("low/full/x", "low");
	make_dir("low/cleared");
	make_file("low/cleared/x", "low");
	make_file("low/cleared/y", "low");
	mount_layers("low");
	OK(unlink("merged/cleared/x"));
	OK(unlink("merged/cleared/y"));
	make_dir("merged/one");
	make_file("merged/one/1", "1");
	make_dir("merged/two");
	make_file("merged/two/2", "2");
	FAILS(rename("merged/one", "merged/full"), ENOTEMPTY);
	OK(rename("merged/one", "merged/empty"));
	OK(rename("merged/two", "merged/cleared"));
	expect_names("merged/empty", "1");
	expect_names("merged/cleared", "2");
	again();
	expect_names("merged", "cleared empty full");
	expect_names("merged/empty", "1");
	expect_names("merged/cleared", "2");
	expect_absent("merged/cleared/x");
	expect_opaque("upper/cleared");
	expect_opaque("upper/empty");
	expect_absent("upper/one");
}

/*
 *	low  d/sub  full/x
 */
CASE(refused, "a directory that does not replace a full one is not copied up for it")
{
	set_up_with("redirect_dir=on");
	make_dir("low/d");
	make_dir("low/d/sub");
	make_dir("low/full");
	make_file("low/full/x", "low");
	mount_layers("low");
	FAILS(rename("merged/d/sub", "merged/full"), ENOTEMPTY);
	expect_absent("upper/d");
	if (on_shale()) {	/* overlayfs leaves it to the upper to refuse */
		make_dir("merged/new");
		make_file("merged/new/x", "new");
		FAILS(rename("merged/d/sub", "merged/new"), ENOTEMPTY);
		expect_absent("upper/d");
	}
	expect_names("merged/d", "sub");
}

/*
 *	low  d/x  f="low"
 */
CASE(wrong_types, "a file doesn't replace a directory, nor a directory a file")
{
	set_up();
	make_dir("low/d");
	make_file("low/f", "low");
	mount_layers("low");
	make_dir("merged/new");
	FAILS(rename("merged/f", "merged/d"), EISDIR);
	FAILS(rename("merged/new", "merged/f"), ENOTDIR);
	FAILS(rename("merged/none", "merged/f"), ENOENT);
	FAILS(rename("merged/f", "merged/none/f"), ENOENT);
	FAILS(rename("merged/new", "merged/new/inside"), EINVAL);
	FAILS(rename("merged/f", "outside"), EXDEV);
	expect_names("merged", "d f new");
	expect_text("merged/f", "low");
}

/*
 *	low  f="f"  g="g"
 */
CASE(noreplace, "RENAME_NOREPLACE refuses names of any layer, and not whiteouts")
{
	set_up();
	make_file("low/f", "f");
	make_file("low/g", "g");
	make_file("low/gone", "gone");
	mount_layers("low");
	make_file("merged/new", "new");
	FAILS(rename2("merged/f", "merged/g", RENAME_NOREPLACE), EEXIST);
	FAILS(rename2("merged/new", "merged/g", RENAME_NOREPLACE), EEXIST);
	FAILS(rename2("merged/f", "merged/new", RENAME_NOREPLACE), EEXIST);
	expect_absent("upper/f");
	OK(unlink("merged/gone"));
	OK(rename2("merged/f", "merged/gone", RENAME_NOREPLACE));
	OK(rename2("merged/new", "merged/other", RENAME_NOREPLACE));
	again();
	expect_names("merged", "g gone other");
	expect_text("merged/gone", "f");
	expect_text("merged/other", "new");
}

/*
 *	low  f="f"  g="g"  link -> f
 */
CASE(exchange, "RENAME_EXCHANGE swaps files of any layer, and a file and a new directory")
{
	set_up();
	make_file("low/f", "f");
	make_file("low/g", "g");
	mount_layers("low");
	make_file("merged/new", "new");
	OK(rename2("merged/f", "merged/g", RENAME_EXCHANGE));
	expect_text("merged/f", "g");
	expect_text("merged/g", "f");
	OK(rename2("merged/new", "merged/f", RENAME_EXCHANGE));
	expect_text("merged/f", "new");
	expect_text("merged/new", "g");
	make_dir("merged/d");
	make_file("merged/d/inside", "inside");
	OK(rename2("merged/d", "merged/g", RENAME_EXCHANGE));
	expect_text("merged/d", "f");
	expect_names("merged/g", "inside");
	expect_opaque("upper/g");
	FAILS(rename2("merged/f", "merged/none", RENAME_EXCHANGE), ENOENT);
	again();
	expect_names("merged", "d f g new");
	expect_text("merged/f", "new");
	expect_text("merged/new", "g");
	expect_text("merged/d", "f");
	expect_names("merged/g", "inside");
}

/*
 *	low  f="f"
 */
CASE(flags, "RENAME_WHITEOUT and contradicting flags are EINVAL")
{
	set_up();
	make_file("low/f", "f");
	mount_layers("low");
	FAILS(rename2("merged/f", "merged/g", RENAME_WHITEOUT), EINVAL);
	FAILS(rename2("merged/f", "merged/g", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	FAILS(rename2("merged/f", "merged/g", 1 << 20), EINVAL);
	expect_names("merged", "f");
	expect_names("upper", "");
}

/*
 *	upper  a, b (hard links)    low  x, y (hard links)
 */
CASE(hard_links, "renaming one name of a file onto another name of it does nothing")
{
	set_up();
	make_file("low/x", "low");
	OK(link("low/x", "low/y"));
	mount_layers("low");
	make_file("merged/a", "new");
	OK(link("merged/a", "merged/b"));
	OK(rename("merged/a", "merged/b"));
	expect_names("merged", "a b x y");
	OK(rename("merged/b", "merged/c"));
	CHECK_EQ(stat_of("merged/a").st_nlink, 2);
	CHECK_EQ(stat_of("merged/a").st_ino, stat_of("merged/c").st_ino);
	OK(rename("merged/x", "merged/z"));
	expect_text("merged/y", "low");
	expect_text("merged/z", "low");
	write_text("merged/z", "changed");
	expect_text("merged/y", "low");
	again();
	expect_names("merged", "a c y z");
	expect_text("merged/z", "changed");
}

/*
 *	low  f="low"
 */
CASE(open_file_follows, "an open file is the same file after the rename, and a replaced one lives on")
{
	char text[8];
	struct stat st;
	int moved, replaced;

	set_up();
	make_file("low/f", "f");
	make_file("low/g", "g");
	mount_layers("low");
	moved = open_file("merged/f", O_RDONLY);
	replaced = open_file("merged/g", O_RDWR);
	OK(rename("merged/f", "merged/g"));
	CHECK_EQ(OK(pread(moved, text, 8, 0)), 1);
	CHECK_EQ(text[0], 'f');
	OK(fstat(moved, &st));
	CHECK_EQ(st.st_ino, stat_of("merged/g").st_ino);
	CHECK_EQ(OK(pread(replaced, text, 8, 0)), 1);
	CHECK_EQ(text[0], 'g');
	OK(fstat(replaced, &st));
	CHECK_EQ(st.st_nlink, 0);
	write_text("merged/g", "changed");
	CHECK_EQ(OK(pread(moved, text, 8, 0)), 7);
}

/*
 *	low  d/f="low"    a file in it is moved and another comes in its place
 */
CASE(round_trip, "a name that goes away and comes back is what was put there last")
{
	int i;

	set_up();
	make_dir("low/d");
	make_file("low/d/f", "low");
	mount_layers("low");
	for (i = 0; i < 5; i++) {
		OK(rename("merged/d/f", "merged/away"));
		expect_absent("merged/d/f");
		OK(rename("merged/away", "merged/d/f"));
		expect_text("merged/d/f", "low");
	}
	again();
	expect_names("merged", "d");
	expect_names("merged/d", "f");
	expect_absent("upper/away");
}

/*
 *	low  d (0755)/f  sticky (01777)/f (root's)
 */
CASE(permissions, "only who may write both directories renames")
{
	set_up();
	make_dir("low/d");
	make_file("low/d/f", "low");
	make_dir_mode("low/sticky", 01777);
	make_file("low/sticky/f", "low");
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY) {
		FAILS(rename("merged/d/f", "merged/d/g"), EACCES);
		FAILS(rename("merged/sticky/f", "merged/sticky/g"), EPERM);
		FAILS(rename("merged/d/f", "merged/sticky/g"), EACCES);
	}
	expect_names("upper", "");
}

/*
 *	low  d/f="low"
 */
CASE(directory_times, "both directories get new times, the object keeps its own")
{
	set_up();
	make_dir("low/a");
	make_dir("low/b");
	make_file("low/a/f", "low");
	set_mtime("low/a/f", 1000, 1);
	set_mtime("low/a", 1000, 2);
	set_mtime("low/b", 1000, 3);
	mount_layers("low");
	OK(rename("merged/a/f", "merged/b/f"));
	CHECK(stat_of("merged/a").st_mtim.tv_sec > 1000);
	CHECK(stat_of("merged/b").st_mtim.tv_sec > 1000);
	CHECK_EQ(stat_of("merged/b/f").st_mtim.tv_sec, 1000);
	CHECK_EQ(stat_of("merged/b/f").st_mtim.tv_nsec, 1);
}

/*
 *	low  f="low"
 */
CASE(replace_by_rename, "a file is written anew and renamed over the old one, as dpkg does, a hundred times")
{
	int i;

	set_up();
	make_file("low/f", "low");
	mount_layers("low");
	for (i = 0; i < 100; i++) {
		make_file("merged/f.new", text_of("%d", i));
		OK(rename("merged/f.new", "merged/f"));
		expect_text("merged/f", text_of("%d", i));
	}
	expect_names("merged", "f");
	expect_names("upper", "f");
}

CASES_MAIN
