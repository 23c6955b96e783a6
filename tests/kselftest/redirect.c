// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redirects: directories that merge with lower ones are renamed, and are found below under the
 * name that their mark keeps.
 *
 * What a case does is looked at three times: at once, when nothing is cached any more, and after
 * mounting again (EACH_TIME).
 */
#include "fixture.h"

#include <linux/fs.h>
#include <signal.h>

#include "tree.h"

#define ON "redirect_dir=on,index=off,metacopy=off"

static void exchange(const char *a, const char *b)
{
	if (rename2(a, b, RENAME_EXCHANGE))
		fail("exchanging %s and %s: %s", a, b, errno_name(errno));
}

/* A directory with one file in it, of the same name as content. */
static void make_dir_with(const char *path, const char *name)
{
	make_dir(path);
	make_file(text_of("%s/%s", path, name), name);
}

/* One directory */

/*
 *	low  d/{x, sub/y}
 */
CASE(within_one_directory, "a lower directory is renamed within its parent: its mark is the old name")
{
	set_up_with(ON);
	make_dir_with("low/d", "x");
	make_dir_with("low/d/sub", "y");
	mount_layers("low");
	OK(rename("merged/d", "merged/e"));
	EACH_TIME {
		expect_names("merged", "e");
		expect_absent("merged/d");
		expect_names("merged/e", "sub x");
		expect_text("merged/e/x", "x");
		expect_text("merged/e/sub/y", "y");
	}
	expect_mark("upper/e", "redirect", "d");
	expect_mark("upper", "impure", "y");
	expect_not_opaque("upper/e");
	expect_names("upper/e", "");
	expect_whiteout("upper/d");
}

/*
 *	low  d/x  to/other
 */
CASE(into_another_directory, "a lower directory is renamed into another: its mark is the old path")
{
	set_up_with(ON);
	make_dir_with("low/d", "x");
	make_dir_with("low/to", "other");
	mount_layers("low");
	OK(rename("merged/d", "merged/to/e"));
	EACH_TIME {
		expect_names("merged", "to");
		expect_names("merged/to", "e other");
		expect_text("merged/to/e/x", "x");
	}
	expect_mark("upper/to/e", "redirect", "/d");
	expect_mark("upper/to", "impure", "y");
	expect_whiteout("upper/d");
}

/*
 *	upper  d/up
 *	top    d/{mid,both="top"}
 *	low    d/{low,both="low"}
 */
CASE(merged_directory, "a directory of three layers stays one of three")
{
	set_up_with(ON);
	make_dir_with("upper/d", "up");
	make_dir_with("top/d", "mid");
	make_dir_with("low/d", "low");
	make_file("top/d/both", "top");
	make_file("low/d/both", "low");
	make_dir("low/to");
	mount_layers("top:low");
	OK(rename("merged/d", "merged/to/d"));
	EACH_TIME {
		expect_names("merged/to/d", "both low mid up");
		expect_text("merged/to/d/both", "top");
		expect_text("merged/to/d/low", "low");
	}
	expect_mark("upper/to/d", "redirect", "/d");
	write_text("merged/to/d/low", "new");
	OK(unlink("merged/to/d/mid"));
	EACH_TIME {
		expect_names("merged/to/d", "both low up");
		expect_text("merged/to/d/low", "new");
	}
}

/*
 *	low  d/x
 */
CASE(old_name_anew, "what comes under the old name has nothing of the directory that was there")
{
	set_up_with(ON);
	make_dir_with("low/d", "x");
	mount_layers("low");
	OK(rename("merged/d", "merged/e"));
	make_dir("merged/d");
	EACH_TIME {
		expect_names("merged", "d e");
		expect_names("merged/d", "");
		expect_names("merged/e", "x");
	}
	expect_opaque("upper/d");
	OK(rmdir("merged/d"));
	make_file("merged/d", "a file");
	EACH_TIME {
		expect_text("merged/d", "a file");
		expect_text("merged/e/x", "x");
	}
}

/*
 *	low  d/x
 */
CASE(renamed_again, "renamed again and again within its parent, a directory keeps its first mark")
{
	set_up_with(ON);
	make_dir_with("low/d", "x");
	mount_layers("low");
	OK(rename("merged/d", "merged/e"));
	OK(rename("merged/e", "merged/f"));
	again();
	OK(rename("merged/f", "merged/g"));
	EACH_TIME {
		expect_names("merged", "g");
		expect_text("merged/g/x", "x");
	}
	expect_mark("upper/g", "redirect", "d");
	expect_absent("upper/e");
	expect_absent("upper/f");
}

/*
 *	low  d/x  to/
 */
CASE(relative_becomes_absolute, "a directory with a relative mark that leaves its parent gets a path")
{
	set_up_with(ON);
	make_dir_with("low/d", "x");
	make_dir("low/to");
	mount_layers("low");
	OK(rename("merged/d", "merged/e"));
	OK(rename("merged/e", "merged/to/f"));
	expect_mark("upper/to/f", "redirect", "/d");
	OK(rename("merged/to/f", "merged/to/g"));
	EACH_TIME {
		expect_names("merged", "to");
		expect_text("merged/to/g/x", "x");
	}
	expect_mark("upper/to/g", "redirect", "/d");
}

/*
 *	low  d/x  to/
 */
CASE(moved_back, "a directory that comes back to its old name is what it was")
{
	set_up_with(ON);
	make_dir_with("low/d", "x");
	make_dir("low/to");
	mount_layers("low");
	OK(rename("merged/d", "merged/to/d"));
	OK(rename("merged/to/d", "merged/d"));
	EACH_TIME {
		expect_names("merged", "d to");
		expect_names("merged/to", "");
		expect_names("merged/d", "x");
		expect_text("merged/d/x", "x");
	}
	OK(rename("merged/d", "merged/e"));
	OK(rename("merged/e", "merged/d"));
	EACH_TIME {
		expect_names("merged", "d to");
		expect_names("merged/d", "x");
	}
}

/* One in the other */

/*
 *	low  a/{x, sub/y}
 */
CASE(inside_a_moved_one, "a directory inside a moved one is renamed: within it by name, out of it by path")
{
	set_up_with(ON);
	make_dir_with("low/a", "x");
	make_dir_with("low/a/sub", "y");
	mount_layers("low");
	OK(rename("merged/a", "merged/b"));
	OK(rename("merged/b/sub", "merged/b/sub2"));
	EACH_TIME {
		expect_names("merged", "b");
		expect_names("merged/b", "sub2 x");
		expect_text("merged/b/sub2/y", "y");
	}
	expect_mark("upper/b/sub2", "redirect", "sub");
	OK(rename("merged/b/sub2", "merged/out"));
	EACH_TIME {
		expect_names("merged", "b out");
		expect_names("merged/b", "x");
		expect_text("merged/out/y", "y");
	}
	expect_mark("upper/out", "redirect", "/a/sub");
}

/*
 *	low  a/b/c/{x}  to/
 */
CASE(path_of_redirected_parents, "a path is made of the names that the layers below know")
{
	set_up_with(ON);
	make_dir("low/a");
	make_dir("low/a/b");
	make_dir_with("low/a/b/c", "x");
	make_dir("low/to");
	mount_layers("low");
	OK(rename("merged/a", "merged/to/A"));
	OK(rename("merged/to/A/b", "merged/to/A/B"));
	OK(rename("merged/to/A/B/c", "merged/C"));
	expect_mark("upper/C", "redirect", "/a/b/c");
	OK(rename("merged/to/A/B", "merged/to/B"));
	expect_mark("upper/to/B", "redirect", "/a/b");
	EACH_TIME {
		expect_names("merged", "C to");
		expect_names("merged/to", "A B");
		expect_names("merged/to/A", "");
		expect_names("merged/to/B", "");
		expect_text("merged/C/x", "x");
	}
}

/*
 *	low  a/x  b/y
 */
CASE(child_then_parent, "a directory that was moved into another goes along with it")
{
	set_up_with(ON);
	make_dir_with("low/a", "x");
	make_dir_with("low/b", "y");
	mount_layers("low");
	OK(rename("merged/a", "merged/b/a"));
	OK(rename("merged/b", "merged/c"));
	EACH_TIME {
		expect_names("merged", "c");
		expect_names("merged/c", "a y");
		expect_text("merged/c/a/x", "x");
	}
	expect_mark("upper/c/a", "redirect", "/a");
	FAILS(rename("merged/c", "merged/c/a/c"), EINVAL);
	OK(rename("merged/c/a", "merged/a"));
	OK(rename("merged/c", "merged/a/c"));
	EACH_TIME {
		expect_names("merged", "a");
		expect_names("merged/a", "c x");
		expect_names("merged/a/c", "y");
	}
}

/* Exchanging, replacing */

/*
 *	low  a/x  b/y  to/c/z
 */
CASE(exchange_merged, "two merged directories are exchanged, each goes on below under its old name")
{
	set_up_with(ON);
	make_dir_with("low/a", "x");
	make_dir_with("low/b", "y");
	make_dir("low/to");
	make_dir_with("low/to/c", "z");
	mount_layers("low");
	STEP(exchange("merged/a", "merged/b"));
	EACH_TIME {
		expect_names("merged/a", "y");
		expect_names("merged/b", "x");
	}
	expect_mark("upper/a", "redirect", "b");
	expect_mark("upper/b", "redirect", "a");
	STEP(exchange("merged/a", "merged/to/c"));
	EACH_TIME {
		expect_names("merged", "a b to");
		expect_names("merged/a", "z");
		expect_names("merged/to/c", "y");
	}
	expect_mark("upper/a", "redirect", "/to/c");
	expect_mark("upper/to/c", "redirect", "/b");
}

/*
 *	low  d/x
 *	     pure/p is made through the mount
 */
CASE(exchange_merged_with_pure, "a merged directory and one of the upper are exchanged")
{
	set_up_with(ON);
	make_dir_with("low/d", "x");
	mount_layers("low");
	make_dir_with("merged/pure", "p");
	STEP(exchange("merged/d", "merged/pure"));
	EACH_TIME {
		expect_names("merged", "d pure");
		expect_names("merged/d", "p");
		expect_names("merged/pure", "x");
	}
	expect_mark("upper/pure", "redirect", "d");
	expect_opaque("upper/d");
}

/*
 *	low  d/x  f="f"
 */
CASE(exchange_with_file, "a merged directory and a file are exchanged")
{
	set_up_with(ON);
	make_dir_with("low/d", "x");
	make_file("low/f", "f");
	mount_layers("low");
	STEP(exchange("merged/f", "merged/d"));
	EACH_TIME {
		expect_text("merged/d", "f");
		expect_names("merged/f", "x");
	}
}

/*
 *	low  a/x  e/gone  full/y
 */
CASE(over_an_empty_one, "a merged directory replaces one that was emptied, and nothing shows through")
{
	set_up_with(ON);
	make_dir_with("low/a", "x");
	make_dir_with("low/e", "gone");
	make_dir_with("low/full", "y");
	mount_layers("low");
	FAILS(rename("merged/a", "merged/full"), ENOTEMPTY);
	FAILS(rename2("merged/a", "merged/e", RENAME_NOREPLACE), EEXIST);
	OK(unlink("merged/e/gone"));
	OK(rename("merged/a", "merged/e"));
	EACH_TIME {
		expect_names("merged", "e full");
		expect_names("merged/e", "x");
		expect_names("merged/full", "y");
	}
	expect_mark("upper/e", "redirect", "a");
}

/*
 *	low  a/x  e/ (empty)
 */
CASE(over_an_empty_lower, "a merged directory replaces an empty one of a lower")
{
	set_up_with(ON);
	make_dir_with("low/a", "x");
	make_dir("low/e");
	mount_layers("low");
	OK(rename("merged/a", "merged/e"));
	EACH_TIME {
		expect_names("merged", "e");
		expect_names("merged/e", "x");
	}
}

/*
 *	low  a/x  file  dir/inside
 */
CASE(over_whiteouts, "a merged directory takes the place of a whiteout")
{
	set_up_with(ON);
	make_dir_with("low/a", "x");
	make_file("low/file", "file");
	make_dir_with("low/dir", "inside");
	mount_layers("low");
	OK(unlink("merged/file"));
	OK(unlink("merged/dir/inside"));
	OK(rmdir("merged/dir"));
	OK(rename("merged/a", "merged/file"));
	EACH_TIME {
		expect_names("merged", "file");
		expect_names("merged/file", "x");
	}
	OK(rename("merged/file", "merged/dir"));
	EACH_TIME {
		expect_names("merged", "dir");
		expect_names("merged/dir", "x");
	}
}

/*
 *	low  d/{old/inside, empty/}
 *	     new/n is made through the mount
 */
CASE(pure_over_lower_names, "a directory of the upper that comes to lie over a lower one hides it")
{
	set_up_with(ON);
	make_dir("low/d");
	make_dir_with("low/d/old", "inside");
	make_dir("low/d/empty");
	mount_layers("low");
	make_dir_with("merged/new", "n");
	OK(unlink("merged/d/old/inside"));
	OK(rmdir("merged/d/old"));
	OK(rename("merged/new", "merged/d/old"));
	expect_opaque("upper/d/old");
	EACH_TIME {
		expect_names("merged/d", "empty old");
		expect_names("merged/d/old", "n");
	}
	OK(rename("merged/d/old", "merged/d/empty"));
	expect_opaque("upper/d/empty");
	expect_mark("upper/d/empty", "redirect", NULL);
	EACH_TIME {
		expect_names("merged/d", "empty");
		expect_names("merged/d/empty", "n");
	}
}

/*
 *	low  a/{x, sub/y}  b/{sub/hidden}
 */
CASE(lower_names_of_the_new_place, "a directory in a moved one is not merged with what has its path now")
{
	set_up_with(ON);
	make_dir_with("low/a", "x");
	make_dir_with("low/a/sub", "y");
	make_dir("low/b");
	make_dir_with("low/b/sub", "hidden");
	mount_layers("low");
	OK(rename("merged/b", "merged/old"));
	OK(rename("merged/a", "merged/b"));
	EACH_TIME {
		expect_names("merged/b", "sub x");
		expect_names("merged/b/sub", "y");
		expect_names("merged/old/sub", "hidden");
	}
	OK(chmod("merged/b/sub", 0700));
	OK(chmod("merged/old/sub", 0711));
	EACH_TIME {
		expect_names("merged/b/sub", "y");
		expect_names("merged/old/sub", "hidden");
	}
}

/* Numbers */

/*
 *	low  d/{x, sub/y}  to/
 */
CASE(numbers, "a moved directory, and what is in it, keeps its number, which readdir(3) gives, too")
{
	static const char * const there[] = { "merged/to/e", "merged/to/e/sub", "merged/to/e/x" };
	ino_t ino[3];
	int i;

	needs_handles();
	set_up_with(ON);
	make_dir_with("low/d", "x");
	make_dir_with("low/d/sub", "y");
	make_dir("low/to");
	mount_layers("low");
	ino[0] = stat_of("merged/d").st_ino;
	ino[1] = stat_of("merged/d/sub").st_ino;
	ino[2] = stat_of("merged/d/x").st_ino;
	OK(rename("merged/d", "merged/e"));
	CHECK_EQ(stat_of("merged/e").st_ino, ino[0]);
	CHECK_EQ(d_ino_of("merged/e"), ino[0]);
	OK(rename("merged/e", "merged/to/e"));
	OK(chmod("merged/to/e/sub", 0700));
	OK(chmod("merged/to/e/x", 0600));
	EACH_TIME {
		for (i = 0; i < 3; i++)
			CHECK_EQ(d_ino_of(there[i]), ino[i]);
		for (i = 0; i < 3; i++) {
			CHECK_EQ(stat_of(there[i]).st_ino, ino[i]);
			CHECK_EQ(d_ino_of(there[i]), ino[i]);
			CHECK_EQ(stat_of(there[i]).st_dev, stat_of("merged").st_dev);
		}
	}
}

/* Marks in lower layers */

static void set_up_lowers(void)
{
	int i;

	set_up_with(ON);
	for (i = 0; i < 4; i++)
		make_dir(text_of("l%d", i));
}

/*
 *	l0  c/f0 → b
 *	l1  b/f1 → a
 *	l2  a/f2
 */
CASE(three_deep, "redirects of several layers lead from one to the next")
{
	set_up_lowers();
	make_dir_with("l0/c", "f0");
	set_mark("l0/c", "redirect", "b");
	make_dir_with("l1/b", "f1");
	set_mark("l1/b", "redirect", "a");
	make_dir_with("l2/a", "f2");
	make_dir("l0/other");
	mount_layers("l0:l1:l2");
	expect_names("merged", "a b c other");
	expect_names("merged/c", "f0 f1 f2");
	expect_names("merged/b", "f1 f2");
	expect_names("merged/a", "f2");
	OK(rename("merged/c", "merged/other/d"));
	EACH_TIME {
		expect_names("merged/other/d", "f0 f1 f2");
		expect_text("merged/other/d/f2", "f2");
	}
	expect_mark("upper/other/d", "redirect", "/c");
}

/*
 *	l0  x/f0 → /deep/er/y
 *	l1  deep/ → profound   deep/er/y/f1 → z
 *	l2  profound/er/z/f2   (not: deep/er/z/no, deep/er/y/no, z/no, x/no)
 */
CASE(relative_under_absolute, "a relative redirect on the way of a path changes that one name")
{
	set_up_lowers();
	make_dir_with("l0/x", "f0");
	set_mark("l0/x", "redirect", "/deep/er/y");
	make_dir("l1/deep");
	set_mark("l1/deep", "redirect", "profound");
	make_dir("l1/deep/er");
	make_dir_with("l1/deep/er/y", "f1");
	set_mark("l1/deep/er/y", "redirect", "z");
	make_dir("l2/profound");
	make_dir("l2/profound/er");
	make_dir_with("l2/profound/er/z", "f2");
	make_dir_with("l2/x", "no");
	make_dir_with("l2/z", "no");
	make_dir("l2/deep");
	make_dir("l2/deep/er");
	make_dir_with("l2/deep/er/z", "no");
	make_dir_with("l2/deep/er/y", "no");
	mount_layers("l0:l1:l2");
	expect_names("merged/x", "f0 f1 f2");
	expect_names("merged/deep/er", "y z");
	expect_names("merged/deep/er/y", "f1 f2");
}

/*
 *	l0  d/e/f0   e → g
 *	l1  d/g/f1   g → /a/b
 *	l2  a/b/f2   (not: d/g/no)
 *	l3  a/b/f3
 */
CASE(absolute_in_the_middle, "an absolute redirect in the middle leads away from the directories so far")
{
	set_up_lowers();
	make_dir("l0/d");
	make_dir_with("l0/d/e", "f0");
	set_mark("l0/d/e", "redirect", "g");
	make_dir("l1/d");
	make_dir_with("l1/d/g", "f1");
	set_mark("l1/d/g", "redirect", "/a/b");
	make_dir("l2/a");
	make_dir_with("l2/a/b", "f2");
	make_dir("l2/d");
	make_dir_with("l2/d/g", "no");
	make_dir("l3/a");
	make_dir_with("l3/a/b", "f3");
	mount_layers("l0:l1:l2:l3");
	expect_names("merged/d/e", "f0 f1 f2 f3");
	expect_names("merged/d/g", "f1 f2 f3");
	expect_text("merged/d/e/f3", "f3");
}

/*
 *	l0  d/e/f0 → /a/b       l1  (nothing)       l2  a/b/f2
 */
CASE(layer_without_the_name, "a layer that has nothing under the path is passed by")
{
	set_up_lowers();
	make_dir("l0/d");
	make_dir_with("l0/d/e", "f0");
	set_mark("l0/d/e", "redirect", "/a/b");
	make_dir("l1/a");
	make_dir("l2/a");
	make_dir_with("l2/a/b", "f2");
	mount_layers("l0:l1:l2");
	expect_names("merged/d/e", "f0 f2");
}

/*
 *	l0  opaque/f0  white/f0  file/f0     each → /on/the/way_N
 *	l1  on/ opaque in the first, the/ a whiteout in the second, the="file" in the third
 *	l2  on/the/way/hidden
 */
CASE(ends_on_the_way, "an opaque directory, a whiteout or a file on the way ends it")
{
	set_up_lowers();
	make_dir_with("l0/opaque", "f0");
	set_mark("l0/opaque", "redirect", "/o/the/way");
	make_dir_with("l0/white", "f0");
	set_mark("l0/white", "redirect", "/w/the/way");
	make_dir_with("l0/file", "f0");
	set_mark("l0/file", "redirect", "/f/the/way");
	make_dir("l1/o");
	make_dir("l1/o/the");
	make_opaque("l1/o/the");
	make_dir("l1/w");
	make_whiteout("l1/w/the");
	make_dir("l1/f");
	make_file("l1/f/the", "in the way");
	make_dir("l2/o");
	make_dir("l2/o/the");
	make_dir_with("l2/o/the/way", "hidden");
	make_dir("l2/w");
	make_dir("l2/w/the");
	make_dir_with("l2/w/the/way", "hidden");
	make_dir("l2/f");
	make_dir("l2/f/the");
	make_dir_with("l2/f/the/way", "hidden");
	mount_layers("l0:l1:l2");
	expect_names("merged/opaque", "f0");
	expect_names("merged/white", "f0");
	expect_names("merged/file", "f0");
}

/*
 *	l0  x/f0 → /o/i
 *	l1  o/ (opaque)/i/f1 → /elsewhere
 *	l2  o/i/hidden  elsewhere/f2
 */
CASE(path_out_of_opaque, "an absolute redirect leads out of an opaque directory")
{
	set_up_lowers();
	make_dir_with("l0/x", "f0");
	set_mark("l0/x", "redirect", "/o/i");
	make_dir("l1/o");
	make_opaque("l1/o");
	make_dir_with("l1/o/i", "f1");
	set_mark("l1/o/i", "redirect", "/elsewhere");
	make_dir("l2/o");
	make_dir_with("l2/o/i", "hidden");
	make_dir_with("l2/elsewhere", "f2");
	mount_layers("l0:l1:l2");
	expect_names("merged/x", "f0 f1 f2");
}

/*
 *	l0  x/f0 → /file   y/f0 → /white   z/f0 → /link
 *	l1  file  white (whiteout)  link -> d  d/hidden
 */
CASE(leads_to_no_directory, "a redirect that leads to no directory adds nothing")
{
	set_up_lowers();
	make_dir_with("l0/x", "f0");
	set_mark("l0/x", "redirect", "/file");
	make_dir_with("l0/y", "f0");
	set_mark("l0/y", "redirect", "/white");
	make_dir_with("l0/z", "f0");
	set_mark("l0/z", "redirect", "/link");
	make_file("l1/file", "file");
	make_whiteout("l1/white");
	OK(symlink("d", "l1/link"));
	make_dir_with("l1/d", "hidden");
	mount_layers("l0:l1");
	expect_names("merged/x", "f0");
	expect_names("merged/y", "f0");
	expect_names("merged/z", "f0");
}

/*
 *	upper  x/ with a mark that is none
 */
CASE(invalid, "a redirect that could lead out of the layer, or means nothing, is EIO")
{
	static const char * const marks[] = { "..", "/..", "/../low", "a/b", "/", "//", "/a//b", "/d/",
					      "/d/../..", ".", "/d/." };
	size_t i;

	set_up_with(ON);
	make_dir("canary");
	make_file("canary/secret", "secret");
	make_dir_with("low/d", "x");
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		make_dir(text_of("upper/%zu", i));
		set_mark(text_of("upper/%zu", i), "redirect", marks[i]);
	}
	mount_layers("low");
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct stat st;

		/* overlayfs takes some of these for a path. */
		if (on_shale())
			FAILS(stat(text_of("merged/%zu", i), &st), EIO);
		CHECK(!exists(text_of("merged/%zu/canary", i)));
	}
	expect_names("merged/d", "x");
}

/* What is not allowed */

/*
 *	upper  moved/u → d   (d: whiteout)
 *	low    d/x  e/y
 */
static void make_moved(void)
{
	make_dir_with("low/d", "x");
	make_dir_with("low/e", "y");
	make_whiteout("upper/d");
	make_dir_with("upper/moved", "u");
	set_mark("upper/moved", "redirect", "d");
}

CASE(follow, "with redirect_dir=follow marks are followed, and none is made: EXDEV")
{
	set_up_with("redirect_dir=follow,index=off,metacopy=off");
	make_moved();
	mount_layers("low");
	expect_names("merged", "e moved");
	expect_names("merged/moved", "u x");
	FAILS(rename("merged/e", "merged/f"), EXDEV);
	FAILS(rename("merged/moved", "merged/f"), EXDEV);
	make_dir("merged/pure");
	FAILS(rename2("merged/pure", "merged/e", RENAME_EXCHANGE), EXDEV);
	OK(rename("merged/pure", "merged/f"));
	OK(rename("merged/e/y", "merged/moved/y"));
	expect_names("merged/moved", "u x y");
	expect_mark("upper/moved", "redirect", "d");
}

CASE(nofollow, "with redirect_dir=nofollow what carries a mark can't be looked up: EPERM")
{
	struct stat st;

	set_up_with("redirect_dir=nofollow,index=off,metacopy=off");
	make_moved();
	mount_layers("low");
	expect_names("merged", "e moved");
	FAILS(stat("merged/moved", &st), EPERM);
	FAILS(open("merged/moved/u", O_RDONLY), EPERM);
	FAILS(rename("merged/moved", "merged/f"), EPERM);
	FAILS(rename("merged/e", "merged/f"), EXDEV);
	expect_names("merged/e", "y");
}

/*
 *	top  moved/ → d     low  d/x
 */
CASE(nofollow_lower, "with redirect_dir=nofollow a mark in a lower is not followed either, unless none is below")
{
	struct stat st;

	set_up_with("redirect_dir=nofollow,index=off,metacopy=off");
	make_dir_with("top/moved", "t");
	set_mark("top/moved", "redirect", "d");
	make_dir_with("low/d", "x");
	make_dir_with("low/last", "l");
	set_mark("low/last", "redirect", "d");
	mount_layers("top:low");
	FAILS(stat("merged/moved", &st), EPERM);
	expect_names("merged/last", "l");
}

CASE(off, "redirect_dir=off follows marks, as the module's parameter says, and makes none")
{
	set_up_with("redirect_dir=off,index=off,metacopy=off");
	make_moved();
	mount_layers("low");
	expect_names("merged/moved", "u x");
	FAILS(rename("merged/e", "merged/f"), EXDEV);
}

/* Sets the longest path of a redirect, for all mounts. Return: what it was. */
static long set_redirect_max(long value)
{
	const char *path = text_of("/sys/module/%s/parameters/redirect_max", fs_type());
	char text[32] = "";
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("%s: %s", path, errno_name(errno));
	step_ok("reading the parameter", read(fd, text, sizeof(text) - 1));
	step_ok("writing the parameter", dprintf(fd, "%ld", value));
	close(fd);
	return atol(text);
}

/*
 *	low  abcde/fghij/klmno/x  to/
 */
CASE(redirect_max, "a path longer than the parameter redirect_max allows is EXDEV, a name is not")
{
	long before;
	int shorter, longer, name;

	set_up_with(ON);
	make_dir("low/abcde");
	make_dir("low/abcde/fghij");
	make_dir_with("low/abcde/fghij/klmno", "x");
	make_dir("low/to");
	mount_layers("low");
	before = STEP(set_redirect_max(16));
	name = rename("merged/abcde/fghij/klmno", "merged/abcde/fghij/klmno.renamed");
	longer = rename("merged/abcde/fghij/klmno.renamed", "merged/to/a") ? errno : 0;
	shorter = rename("merged/abcde/fghij", "merged/to/b");
	STEP(set_redirect_max(before));
	CHECK_EQ(name, 0);
	CHECK_EQ(longer, EXDEV);
	CHECK_EQ(shorter, 0);
	EACH_TIME {
		expect_names("merged/to", "b");
		expect_text("merged/to/b/klmno.renamed/x", "x");
	}
	expect_mark("upper/to/b", "redirect", "/abcde/fghij");
	OK(rename("merged/to/b/klmno.renamed", "merged/to/a"));
	expect_mark("upper/to/a", "redirect", "/abcde/fghij/klmno");
}

/* Names */

CASE(odd_names, "redirects are bytes, whatever names are made of")
{
	static const char * const names[] = { "a b", "\xc3\xa4", "new\nline", "...", "..a", "a:b", "a\\b",
					      "\xff\xfe", "a,b", "\x01", "#5", "%s%n", ".hidden" };
	size_t i;

	set_up_with(ON);
	make_dir("low/to");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		make_dir(text_of("low/%s", names[i]));
		make_dir_with(text_of("low/%s/%s", names[i], names[i]), "x");
	}
	mount_layers("low");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		OK(rename(text_of("merged/%s", names[i]), text_of("merged/r%zu", i)));
		expect_mark(text_of("upper/r%zu", i), "redirect", names[i]);
		OK(rename(text_of("merged/r%zu/%s", i, names[i]), text_of("merged/to/%s", names[i])));
		expect_mark(text_of("upper/to/%s", names[i]), "redirect",
			    text_of("/%s/%s", names[i], names[i]));
	}
	EACH_TIME {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			expect_absent(text_of("merged/%s", names[i]));
			expect_names(text_of("merged/r%zu", i), "");
			expect_text(text_of("merged/to/%s/x", names[i]), "x");
		}
	}
}

/*
 *	low  NNN...N (255 bytes)/x
 */
CASE(longest_name, "a name of 255 bytes is a redirect as any other")
{
	char name[256];

	memset(name, 'N', 255);
	name[255] = 0;
	set_up_with(ON);
	make_dir_with(text_of("low/%s", name), "x");
	mount_layers("low");
	OK(rename(text_of("merged/%s", name), "merged/short"));
	expect_mark("upper/short", "redirect", name);
	EACH_TIME
		expect_text("merged/short/x", "x");
}

/* What is in use */

/*
 *	low  d/{f="old", sub/}  to/
 */
CASE(open_files, "files and directories that are open in a directory stay what they are when it moves")
{
	int reader, writer, dir, sub;
	char text[8];

	set_up_with(ON);
	make_dir("low/d");
	make_file("low/d/f", "old");
	make_dir("low/d/sub");
	make_dir("low/to");
	mount_layers("low");
	reader = open_file("merged/d/f", O_RDONLY);
	dir = open_file("merged/d", O_RDONLY | O_DIRECTORY);
	sub = open_file("merged/d/sub", O_RDONLY | O_DIRECTORY);
	OK(rename("merged/d", "merged/to/e"));
	writer = OK(openat(dir, "f", O_WRONLY | O_APPEND));
	OK(write(writer, "+new", 4));
	CHECK_EQ(OK(pread(reader, text, 8, 0)), 7);
	OK(mkdirat(sub, "made", 0755));
	OK(unlinkat(dir, "f", 0));
	CHECK_EQ(OK(pread(reader, text, 8, 0)), 7);
	CHECK(!memcmp(text, "old+new", 7));
	close(OK(openat(dir, "g", O_CREAT | O_EXCL | O_WRONLY, 0644)));
	close(reader);
	close(writer);
	close(dir);
	close(sub);
	EACH_TIME {
		expect_names("merged", "to");
		expect_names("merged/to/e", "g sub");
		expect_names("merged/to/e/sub", "made");
	}
}

/*
 *	low  d/sub/x
 */
CASE(working_directory, "a process stays in its directory when that, or one above, is renamed")
{
	char where[4096];

	set_up_with(ON);
	make_dir("low/d");
	make_dir_with("low/d/sub", "x");
	mount_layers("low");
	OK(chdir("merged/d/sub"));
	OK(rename("../../d", "../../e"));
	OK(rename("../sub", "../sub2"));
	CHECK(getcwd(where, sizeof(where)));
	CHECK(!strcmp(where + strlen(where) - strlen("/merged/e/sub2"), "/merged/e/sub2"));
	expect_text("x", "x");
	make_file("new", "new");
	OK(chdir("../../.."));
	EACH_TIME
		expect_names("merged/e/sub2", "new x");
}

/*
 *	low  d (SOMEBODY's)/sub/x
 */
CASE(by_its_owner, "who may write both directories renames, and needs no right to set marks")
{
	set_up_with(ON);
	make_dir("low/d");
	make_dir_with("low/d/sub", "x");
	make_dir("low/d/to");
	OK(chown("low/d", SOMEBODY, SOMEBODY));
	OK(chown("low/d/sub", SOMEBODY, SOMEBODY));
	OK(chown("low/d/to", SOMEBODY, SOMEBODY));
	make_dir_with("low/e", "y");
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY) {
		char value[16];

		OK(rename("merged/d/sub", "merged/d/to/sub"));
		FAILS(rename("merged/e", "merged/d/e"), EACCES);
		CHECK(getxattr("merged/d/to/sub", "trusted.overlay.redirect", value, 16) < 0);
	}
	EACH_TIME
		expect_text("merged/d/to/sub/x", "x");
	expect_mark("upper/d/to/sub", "redirect", "/d/sub");
}

CASE(hidden, "the mark is not to be seen through the mount")
{
	char list[256], value[16];
	ssize_t size;

	set_up_with(ON);
	make_dir_with("low/d", "x");
	mount_layers("low");
	OK(rename("merged/d", "merged/e"));
	size = OK(listxattr("merged/e", list, sizeof(list)));
	CHECK(!memmem(list, size, "redirect", 8));
	CHECK(getxattr("merged/e", "trusted.overlay.redirect", value, sizeof(value)) < 0);
	expect_names("merged/e", "x");
}

/* Everything at once */

struct random_tree {
	const char *roots[2];	/* the mount, and a plain directory with the same in it */
	uint64_t state;
};

static unsigned int any(struct random_tree *tree, unsigned int below)
{
	tree->state = tree->state * 6364136223846793005 + 1442695040888963407;
	return (tree->state >> 33) % below;
}

/* Up to four names deep, of four names. */
static void any_path(struct random_tree *tree, char *path)
{
	int depth = 1 + any(tree, 4);

	while (depth--) {
		*path++ = '/';
		*path++ = 'a' + any(tree, 4);
	}
	*path = 0;
}

static int change(const char *root, int what, const char *a, const char *b)
{
	const char *from = text_of("%s%s", root, a), *to = text_of("%s%s", root, b);
	int ret, fd;

	switch (what) {
	case 0:
		ret = mkdir(from, 0755);
		break;
	case 1:
		fd = open(from, O_CREAT | O_WRONLY | O_APPEND, 0644);
		ret = fd < 0 ? fd : write(fd, b, strlen(b));
		close(fd);
		break;
	case 2:
		ret = unlink(from);
		break;
	case 3:
		ret = rmdir(from);
		break;
	case 4:
		ret = rename2(from, to, RENAME_EXCHANGE);
		break;
	case 5:
		ret = chmod(from, 0755);
		break;
	case 6:
		ret = rename2(from, to, RENAME_NOREPLACE);
		break;
	case 7:
		ret = link(from, to);
		break;
	default:
		ret = rename(from, to);
		break;
	}
	/* Of a directory that is not empty, xfs says that it exists. */
	return ret >= 0 ? 0 : errno == ENOTEMPTY ? EEXIST : errno;
}

static void expect_same_trees(const char *got, const char *wanted, int step)
{
	char *a = tree_of(got), *b = tree_of(wanted), *old = a, *other = b, *difference;

	a = tree_without_mtimes(old);
	b = tree_without_mtimes(other);
	free(old);
	free(other);
	difference = tree_difference(a, b);
	if (difference)
		fail("after %d steps: %s", step, difference);
	free(a);
	free(b);
}

/* Whatever can be made there: errors are for what is in the way. */
static void make_any(struct random_tree *tree, const char *layer)
{
	char path[16];
	size_t end;

	any_path(tree, path);
	for (end = 2; end < strlen(path); end += 2)
		mkdir(text_of("%s%.*s", layer, (int)end, path), 0755);
	switch (any(tree, 8)) {
	case 0:
		/* overlayfs lists those that lie over nothing. */
		if (on_shale())
			mknod(text_of("%s%s", layer, path), S_IFCHR, makedev(0, 0));
		break;
	case 1:
		if (!mkdir(text_of("%s%s", layer, path), 0755))
			make_opaque(text_of("%s%s", layer, path));
		break;
	case 2:
	case 3:
	case 4:
		change(layer, 1, path, path);
		break;
	default:
		mkdir(text_of("%s%s", layer, path), 0755);
		break;
	}
}

/* The lowers, and what they show as a plain tree. */
static void make_trees(struct random_tree *tree)
{
	int i;

	for (i = 0; i < 40; i++) {
		make_any(tree, "low");
		make_any(tree, "top");
	}
	make_dir("plain");
	mount_layers("top:low");
	OK(system("cp -a merged/. plain"));
}

static void change_at_random(uint64_t seed, const char *features)
{
	enum { STEPS = 600 };
	struct random_tree tree = { .roots = { "merged", "plain" }, .state = seed };
	int step;

	set_up_with(features);
	make_trees(&tree);
	expect_same_trees("merged", "plain", 0);
	for (step = 1; step <= STEPS; step++) {
		char a[16], b[16];
		int what = any(&tree, 14), got, wanted;

		any_path(&tree, a);
		any_path(&tree, b);
		got = change("merged", what, a, b);
		wanted = change("plain", what, a, b);
		if (got != wanted)
			fail("seed %llu, step %d: operation %d on %s and %s: %s, not %s",
			     (long long)seed, step, what, a, b, errno_name(got),
			     errno_name(wanted));
		if (step % 100 == 0) {
			expect_same_trees("merged", "plain", step);
			drop_all_caches();
			expect_same_trees("merged", "plain", step);
			again();
			expect_same_trees("merged", "plain", step);
		}
	}
}

CASE(at_random, "600 random changes leave what they leave in a plain directory, before and after remounts")
{
	change_at_random(1, ON);
}

CASE(at_random_2, "600 other ones, too")
{
	change_at_random(20261126, ON);
}

CASE(at_random_metacopy, "600 with metacopy=on, too")
{
	change_at_random(4711, "redirect_dir=on,index=off,metacopy=on");
}

/* Two that work against each other */

static void rename_back_and_forth(const char *a, const char *b, int times)
{
	while (times--) {
		if (rename(a, b) && errno != ENOENT)
			fail("rename(%s, %s): %s", a, b, errno_name(errno));
		if (rename(b, a) && errno != ENOENT)
			fail("rename(%s, %s): %s", b, a, errno_name(errno));
	}
}

/*
 *	low  p/x/d0/f ... p/x/d49/f  out/
 */
CASE(parent_is_renamed_meanwhile, "a path is right, however often a parent is renamed while it is written")
{
	int i, status;
	pid_t child;

	set_up_with(ON);
	make_dir("low/p");
	make_dir("low/p/x");
	make_dir("low/out");
	for (i = 0; i < 50; i++)
		make_dir_with(text_of("low/p/x/d%d", i), text_of("f%d", i));
	mount_layers("low");
	child = OK(fork());
	if (!child) {
		rename_back_and_forth("merged/p", "merged/q", 1000000);
		_exit(0);
	}
	for (i = 0; i < 50; i++) {
		const char *from[] = { text_of("merged/p/x/d%d", i), text_of("merged/q/x/d%d", i) };
		const char *to = text_of("merged/out/d%d", i);
		int tries = 0;

		while (rename(from[tries++ % 2], to)) {
			if (errno != ENOENT)
				STEP(fail("rename: %s", errno_name(errno)));
		}
	}
	kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child);
	EACH_TIME {
		for (i = 0; i < 50; i++) {
			expect_names(text_of("merged/out/d%d", i), text_of("f%d", i));
			expect_mark(text_of("upper/out/d%d", i), "redirect", text_of("/p/x/d%d", i));
		}
	}
}

CASES_MAIN
