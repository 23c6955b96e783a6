// SPDX-License-Identifier: GPL-2.0-or-later
/* Which layer answers for a name. */
#include "fixture.h"

#include <limits.h>

/*
 *	top  a="top"  b="top"
 *	low  a="low"           c="low"
 */
CASE(top_most_wins, "of a file in several layers the top-most is shown")
{
	set_up();
	make_file("top/a", "top");
	make_file("top/b", "top");
	make_file("low/a", "low");
	make_file("low/c", "low");
	mount_layers("top:low");
	expect_text("merged/a", "top");
	expect_text("merged/b", "top");
	expect_text("merged/c", "low");
	expect_names("merged", "a b c");
	expect_names("upper", "");
}

/*
 *	upper  a="upper"
 *	top    a="top"    b="top"
 *	low    a="low"    b="low"  c="low"
 */
CASE(upper_wins, "the upper wins over all lowers")
{
	set_up();
	make_file("upper/a", "upper");
	make_file("top/a", "top");
	make_file("top/b", "top");
	make_file("low/a", "low");
	make_file("low/b", "low");
	make_file("low/c", "low");
	mount_layers("top:low");
	expect_text("merged/a", "upper");
	expect_text("merged/b", "top");
	expect_text("merged/c", "low");
}

/*
 *	top  d/{x="top", y="top"}
 *	low  d/{x="low",          z="low", sub/deep="low"}
 */
CASE(directories_merge, "directories of one name are merged")
{
	set_up();
	make_dir("top/d");
	make_file("top/d/x", "top");
	make_file("top/d/y", "top");
	make_dir("low/d");
	make_file("low/d/x", "low");
	make_file("low/d/z", "low");
	make_dir("low/d/sub");
	make_file("low/d/sub/deep", "low");
	mount_layers("top:low");
	expect_text("merged/d/x", "top");
	expect_text("merged/d/y", "top");
	expect_text("merged/d/z", "low");
	expect_text("merged/d/sub/deep", "low");
	expect_names("merged/d", "sub x y z");
}

/*
 *	upper        u (whiteout)
 *	top   t (whiteout)  d (whiteout)
 *	low   t      u      d/x            kept
 */
CASE(whiteout_hides, "a whiteout hides what lies below it")
{
	set_up();
	make_whiteout("upper/u");
	make_whiteout("top/t");
	make_whiteout("top/d");
	make_file("low/t", "low");
	make_file("low/u", "low");
	make_dir("low/d");
	make_file("low/d/x", "low");
	make_file("low/kept", "low");
	mount_layers("top:low");
	expect_absent("merged/t");
	expect_absent("merged/u");
	expect_absent("merged/d");
	FAILS(open("merged/t", O_RDONLY), ENOENT);
	FAILS(open("merged/d/x", O_RDONLY), ENOENT);
	FAILS(chmod("merged/u", 0600), ENOENT);
	FAILS(unlink("merged/u"), ENOENT);
	FAILS(rmdir("merged/d"), ENOENT);
	expect_names("merged", "kept");
}

/*
 *	upper  f="upper"
 *	top    f (whiteout)
 *	low    f="low"
 */
CASE(above_whiteout, "a name above a whiteout is shown")
{
	set_up();
	make_file("upper/f", "upper");
	make_whiteout("top/f");
	make_file("low/f", "low");
	mount_layers("top:low");
	expect_text("merged/f", "upper");
	expect_names("merged", "f");
}

/*
 *	top  d/a     (d opaque)
 *	low  d/{a,b}
 */
CASE(opaque_stops, "an opaque directory shows nothing of the directories below it")
{
	set_up();
	make_dir("top/d");
	make_file("top/d/a", "top");
	make_opaque("top/d");
	make_dir("low/d");
	make_file("low/d/a", "low");
	make_file("low/d/b", "low");
	mount_layers("top:low");
	expect_text("merged/d/a", "top");
	expect_absent("merged/d/b");
	expect_names("merged/d", "a");
}

/*
 *	upper  d/u
 *	top    d/t  (opaque)
 *	low    d/l
 */
CASE(opaque_in_the_middle, "an opaque directory still merges with those above it")
{
	set_up();
	make_dir("upper/d");
	make_file("upper/d/u", "upper");
	make_dir("top/d");
	make_opaque("top/d");
	make_file("top/d/t", "top");
	make_dir("low/d");
	make_file("low/d/l", "low");
	mount_layers("top:low");
	expect_names("merged/d", "t u");
	expect_text("merged/d/t", "top");
	expect_absent("merged/d/l");
}

/*
 *	top  d/sub/     (d opaque)
 *	low  d/sub/old
 */
CASE(below_opaque, "a directory inside an opaque one does not merge either")
{
	set_up();
	make_dir("top/d");
	make_opaque("top/d");
	make_dir("top/d/sub");
	make_dir("low/d");
	make_dir("low/d/sub");
	make_file("low/d/sub/old", "low");
	mount_layers("top:low");
	expect_names("merged/d/sub", "");
	expect_absent("merged/d/sub/old");
}

/*
 *	top  x="top"
 *	low  x/{a,b}
 */
CASE(file_over_directory, "a file hides a directory below it")
{
	set_up();
	make_file("top/x", "top");
	make_dir("low/x");
	make_file("low/x/a", "low");
	mount_layers("top:low");
	expect_text("merged/x", "top");
	FAILS(open("merged/x/a", O_RDONLY), ENOTDIR);
	FAILS(open("merged/x", O_RDONLY | O_DIRECTORY), ENOTDIR);
}

/*
 *	top  x/a
 *	low  x="low"
 */
CASE(directory_over_file, "a directory hides a file below it")
{
	set_up();
	make_dir("top/x");
	make_file("top/x/a", "top");
	make_file("low/x", "low");
	mount_layers("top:low");
	expect_names("merged/x", "a");
	expect_text("merged/x/a", "top");
	FAILS(open("merged/x", O_WRONLY), EISDIR);
}

/*
 *	upper  x/a
 *	top    x="top"
 *	low    x/b
 */
CASE(directory_file_directory, "a file between two directories ends the merging")
{
	set_up();
	make_dir("upper/x");
	make_file("upper/x/a", "upper");
	make_file("top/x", "top");
	make_dir("low/x");
	make_file("low/x/b", "low");
	mount_layers("top:low");
	expect_names("merged/x", "a");
	expect_absent("merged/x/b");
}

/*
 *	top  x -> nowhere
 *	low  x/a
 */
CASE(symlink_over_directory, "a symbolic link hides a directory below it")
{
	set_up();
	OK(symlink("nowhere", "top/x"));
	make_dir("low/x");
	make_file("low/x/a", "low");
	mount_layers("top:low");
	CHECK(S_ISLNK(stat_of("merged/x").st_mode));
	FAILS(open("merged/x/a", O_RDONLY), ENOENT);
}

/*
 *	top  d/x="top"
 *	low  link -> d/x  out -> /proc/self  loop -> loop  up -> ../merged/d
 */
CASE(symlinks_are_followed, "symbolic links are followed in the merged tree")
{
	char target[16];

	set_up();
	make_dir("top/d");
	make_file("top/d/x", "top");
	OK(symlink("d/x", "low/link"));
	OK(symlink("/proc/self", "low/out"));
	OK(symlink("loop", "low/loop"));
	OK(symlink("../merged/d", "low/up"));
	mount_layers("top:low");
	expect_text("merged/link", "top");
	expect_text("merged/up/x", "top");
	CHECK_EQ(OK(readlink("merged/link", target, sizeof(target))), 3);
	CHECK(!memcmp(target, "d/x", 3));
	CHECK_EQ(stat_of("merged/link").st_size, 3);
	CHECK(exists("merged/out/status"));
	FAILS(open("merged/loop", O_RDONLY), ELOOP);
	FAILS(open("merged/link", O_RDONLY | O_NOFOLLOW), ELOOP);
}

/*
 *	low  NNN...N (255 bytes)
 */
CASE(longest_name, "names of 255 bytes are found, longer ones are ENAMETOOLONG")
{
	char longest[NAME_MAX + 1], too_long[NAME_MAX + 2];

	memset(longest, 'N', NAME_MAX);
	longest[NAME_MAX] = 0;
	memset(too_long, 'N', NAME_MAX + 1);
	too_long[NAME_MAX + 1] = 0;

	set_up();
	make_file(text_of("low/%s", longest), "long");
	mount_layers("low");
	expect_text(text_of("merged/%s", longest), "long");
	expect_names("merged", longest);
	FAILS(open(text_of("merged/%s", too_long), O_RDONLY), ENAMETOOLONG);
	FAILS(open(text_of("merged/%s", too_long), O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
	OK(chmod(text_of("merged/%s", longest), 0600));
	expect_text(text_of("upper/%s", longest), "long");
	OK(unlink(text_of("merged/%s", longest)));
	expect_whiteout(text_of("upper/%s", longest));
}

/*
 *	low  "a b"  ä  "new\nline"  -  \x01  "#5"  .wh.x
 */
CASE(odd_names, "names are bytes: blanks, line ends, UTF-8 and what other unions reserve")
{
	static const char * const names[] = { "a b", "\xc3\xa4", "new\nline", "-", "\x01", "#5",
					      ".wh.x", "...", "a:b", "a\\b", "\xff\xfe" };
	size_t i;

	set_up();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make_file(text_of("low/%s", names[i]), names[i]);
	mount_layers("low");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = text_of("merged/%s", names[i]);

		expect_text(name, names[i]);
		OK(truncate(name, 0));
		expect_text(name, "");
		OK(unlink(name));
		expect_absent(name);
	}
	expect_names("merged", "");
	again();
	expect_names("merged", "");
}

/*
 *	low  (empty)
 */
CASE(negative_then_created, "a name that was looked up in vain is there once it is made")
{
	set_up();
	mount_layers("low");
	expect_absent("merged/f");
	expect_absent("merged/f");
	FAILS(open("merged/f", O_RDONLY), ENOENT);
	make_file("merged/f", "new");
	expect_text("merged/f", "new");
	OK(unlink("merged/f"));
	expect_absent("merged/f");
	make_dir("merged/f");
	expect_names("merged/f", "");
	again();
	expect_names("merged", "f");
}

/*
 *	low  f="low"
 */
CASE(errors_of_paths, "a file is no directory, and what is not there is ENOENT")
{
	set_up();
	make_file("low/f", "low");
	mount_layers("low");
	FAILS(open("merged/f/x", O_RDONLY), ENOTDIR);
	FAILS(open("merged/f/", O_RDONLY), ENOTDIR);
	FAILS(open("merged/none", O_RDONLY), ENOENT);
	FAILS(open("merged/none/x", O_RDONLY), ENOENT);
	FAILS(rmdir("merged/f"), ENOTDIR);
	FAILS(unlink("merged/none"), ENOENT);
	FAILS(mkdir("merged/none/x", 0755), ENOENT);
	FAILS(chdir("merged/f"), ENOTDIR);
}

/*
 *	low  d/e/f
 */
CASE(dot_dot, ".. leads to the parent in the merged tree, . to the directory itself")
{
	set_up();
	make_dir("low/d");
	make_dir("low/d/e");
	make_file("low/d/e/f", "low");
	mount_layers("low");
	CHECK_EQ(stat_of("merged/d/e/..").st_ino, stat_of("merged/d").st_ino);
	CHECK_EQ(stat_of("merged/d/.").st_ino, stat_of("merged/d").st_ino);
	CHECK_EQ(stat_of("merged/d/..").st_ino, stat_of("merged").st_ino);
	CHECK_EQ(stat_of("merged/d/..").st_dev, stat_of("merged").st_dev);
	CHECK(stat_of("merged/..").st_dev != stat_of("merged").st_dev);
	expect_text("merged/d/e/../../d/e/f", "low");
}

/*
 *	low  d (mode 0700)/f  open (0755)  file (0600)
 */
CASE(permissions, "the modes of the merged tree decide who may pass")
{
	set_up();
	make_dir_mode("low/d", 0700);
	make_file("low/d/f", "low");
	make_dir("low/open");
	make_file("low/file", "low");
	OK(chmod("low/file", 0600));
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY) {
		FAILS(open("merged/d/f", O_RDONLY), EACCES);
		FAILS(open("merged/file", O_RDONLY), EACCES);
		FAILS(open("merged/file", O_WRONLY), EACCES);
		FAILS(open("merged/open/new", O_CREAT | O_WRONLY, 0644), EACCES);
		FAILS(unlink("merged/file"), EACCES);
		FAILS(chmod("merged/file", 0666), EPERM);
	}
	expect_names("upper", "");
}

/*
 *	21 lower layers l0 ... l20; li holds fi and a part of d
 */
CASE(many_layers, "a name is found in each of 21 layers")
{
	char lowers[512];
	int i, len = 0;

	set_up();
	for (i = 0; i <= 20; i++) {
		make_dir(text_of("l%d", i));
		make_dir(text_of("l%d/d", i));
		make_file(text_of("l%d/d/f%d", i, i), text_of("%d", i));
		make_file(text_of("l%d/d/all", i), text_of("%d", i));
		len += sprintf(lowers + len, "%sl%d", i ? ":" : "", i);
	}
	mount_layers(lowers);
	for (i = 0; i <= 20; i++)
		expect_text(text_of("merged/d/f%d", i), text_of("%d", i));
	expect_text("merged/d/all", "0");
	FAILS(open("merged/d/f21", O_RDONLY), ENOENT);
	expect_names("merged/d", "all f0 f1 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f2 f20 f3 f4 f5 f6 f7 f8 f9");
}

CASES_MAIN
