// SPDX-License-Identifier: GPL-2.0-or-later
/* Removing names: whiteouts where something lies below, and nowhere else. */
#include "fixture.h"

/*
 *	upper  b="upper"  c="upper"
 *	low    a="low"    b="low"
 */
CASE(whiteouts_where_needed, "unlink leaves a whiteout exactly where a lower has the name")
{
	set_up();
	make_file("low/a", "low");
	make_file("low/b", "low");
	make_file("upper/b", "upper");
	make_file("upper/c", "upper");
	mount_layers("low");
	OK(unlink("merged/a"));
	OK(unlink("merged/b"));
	OK(unlink("merged/c"));
	expect_whiteout("upper/a");
	expect_whiteout("upper/b");
	expect_absent("upper/c");
	expect_names("merged", "");
	FAILS(unlink("merged/a"), ENOENT);
	again();
	expect_names("merged", "");
	expect_text("low/a", "low");
}

/*
 *	upper  b
 *	low    a  b  c/  d
 */
CASE(one_object, "all whiteouts of a mount are links of one object, whatever they replace")
{
	static const char * const names[] = { "b", "c", "d" };
	size_t i;

	set_up();
	make_file("low/a", "low");
	make_file("low/b", "low");
	make_file("upper/b", "upper");
	make_dir("low/c");
	make_file("low/d", "low");
	mount_layers("low");
	OK(unlink("merged/a"));
	OK(unlink("merged/b"));
	OK(chmod("merged/c", 0700));
	OK(rmdir("merged/c"));
	OK(unlink("merged/d"));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		expect_whiteout(text_of("upper/%s", names[i]));
		CHECK_EQ(stat_of(text_of("upper/%s", names[i])).st_ino, stat_of("upper/a").st_ino);
	}
	make_file("merged/a", "new");
	expect_text("upper/a", "new");
	expect_whiteout("upper/d");
}

/* As many as ext4 takes, less those that are to be seen. */
enum { LINKS = 65000 };

CASE(many, "where one object can have no more links, there is another one")
{
	int i;

	set_up_on(LARGE_EXT4);
	for (i = 0; i < 4; i++)
		make_file(text_of("low/%d", i), "low");
	make_dir("elsewhere");
	mount_layers("low");
	OK(unlink("merged/0"));
	for (i = stat_of("upper/0").st_nlink; i < LINKS - 1; i++)
		OK(link("upper/0", text_of("elsewhere/%d", i)));
	OK(unlink("merged/1"));
	CHECK_EQ(stat_of("upper/1").st_ino, stat_of("upper/0").st_ino);
	FAILS(link("upper/0", "elsewhere/one-more"), EMLINK);
	OK(unlink("merged/2"));
	OK(unlink("merged/3"));
	expect_whiteout("upper/2");
	expect_whiteout("upper/3");
	expect_names("merged", "");
	/* overlayfs gives away the one that it keeps, and goes on with another. */
	only_shale("it spends what it has to make links of");
	CHECK_EQ(stat_of("upper/2").st_ino, stat_of("upper/3").st_ino);
	CHECK(stat_of("upper/2").st_ino != stat_of("upper/0").st_ino);
}

/*
 *	low  file  link -> file  fifo  char
 */
CASE(every_kind, "every kind of lower object can be removed without copying it up")
{
	static const char * const names[] = { "char", "fifo", "file", "link", "socket" };
	size_t i;

	set_up();
	make_file("low/file", "low");
	OK(symlink("file", "low/link"));
	OK(mkfifo("low/fifo", 0644));
	OK(mknod("low/char", S_IFCHR | 0600, makedev(1, 3)));
	OK(mknod("low/socket", S_IFSOCK | 0600, 0));
	mount_layers("low");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		OK(unlink(text_of("merged/%s", names[i])));
		expect_absent(text_of("merged/%s", names[i]));
		expect_whiteout(text_of("upper/%s", names[i]));
	}
}

/*
 *	top  a (whiteout)
 *	low  a="low"
 */
CASE(lower_whiteout_is_enough, "a name made over a lower whiteout needs none of its own when it goes")
{
	set_up();
	make_whiteout("top/a");
	make_file("low/a", "low");
	mount_layers("top:low");
	make_file("merged/a", "new");
	OK(unlink("merged/a"));
	expect_absent("merged/a");
	again();
	expect_absent("merged/a");
	expect_names("merged", "");
	if (on_shale())
		expect_absent("upper/a");
}

/*
 *	low  d/{x,y/z}
 */
CASE(not_empty, "a directory with names in any layer is ENOTEMPTY, one without can go")
{
	set_up();
	make_dir("low/d");
	make_file("low/d/x", "low");
	make_dir("low/d/y");
	make_file("low/d/y/z", "low");
	mount_layers("low");
	FAILS(rmdir("merged/d"), ENOTEMPTY);
	expect_names("upper", "");
	OK(unlink("merged/d/x"));
	FAILS(rmdir("merged/d"), ENOTEMPTY);
	FAILS(rmdir("merged/d/y"), ENOTEMPTY);
	OK(unlink("merged/d/y/z"));
	OK(rmdir("merged/d/y"));
	make_file("merged/d/new", "new");
	FAILS(rmdir("merged/d"), ENOTEMPTY);
	OK(unlink("merged/d/new"));
	OK(rmdir("merged/d"));
	expect_whiteout("upper/d");
	again();
	expect_names("merged", "");
}

/*
 *	top  d/x (whiteout)
 *	low  d/x
 */
CASE(whited_out_in_lowers, "a merged directory whose names are all whited out is empty")
{
	set_up();
	make_dir("top/d");
	make_whiteout("top/d/x");
	make_dir("low/d");
	make_file("low/d/x", "low");
	mount_layers("top:low");
	OK(rmdir("merged/d"));
	expect_whiteout("upper/d");
	expect_names("merged", "");
}

/*
 *	low  a/ (empty)
 */
CASE(directories_of_the_upper, "a directory that is in the upper alone goes without a trace")
{
	set_up();
	mount_layers("low");
	make_dir("merged/d");
	make_file("merged/d/f", "new");
	FAILS(rmdir("merged/d"), ENOTEMPTY);
	OK(unlink("merged/d/f"));
	OK(rmdir("merged/d"));
	expect_names("upper", "");
	expect_names("merged", "");
}

/*
 *	upper  d/a (whiteout; d opaque)  e/b (whiteout)
 *	low    d/a="low"
 */
CASE(opaque_with_whiteouts, "a directory in the upper that holds nothing but whiteouts can be removed")
{
	set_up();
	make_dir("upper/d");
	make_opaque("upper/d");
	make_whiteout("upper/d/a");
	make_dir("upper/e");
	make_whiteout("upper/e/b");
	make_dir("low/d");
	make_file("low/d/a", "low");
	mount_layers("low");
	/* overlayfs reads the whiteouts of a directory that nothing merges with as names. */
	expect_names("merged/d", on_shale() ? "" : "a");
	OK(rmdir("merged/d"));
	expect_whiteout("upper/d");
	if (on_shale()) {
		OK(rmdir("merged/e"));
		expect_absent("upper/e");
		expect_names("merged", "");
	} else {
		/* overlayfs looks for whiteouts only where something lies below. */
		FAILS(rmdir("merged/e"), ENOTEMPTY);
	}
}

/*
 *	low  f="low"  d/x
 */
CASE(made_again, "what was removed can be made and removed, over and over")
{
	int i;

	set_up();
	make_file("low/f", "low");
	make_dir("low/d");
	make_file("low/d/x", "low");
	mount_layers("low");
	for (i = 0; i < 10; i++) {
		OK(unlink("merged/f"));
		expect_absent("merged/f");
		make_file("merged/f", text_of("%d", i));
		expect_text("merged/f", text_of("%d", i));
		OK(unlink("merged/d/x"));
		OK(rmdir("merged/d"));
		make_dir("merged/d");
		expect_names("merged/d", "");
		make_file("merged/d/x", "new");
	}
	again();
	expect_names("merged", "d f");
	expect_names("merged/d", "x");
	expect_text("merged/f", "9");
}

/*
 *	low  f="low"
 */
CASE(type_changes, "a file becomes a directory and a directory a file")
{
	set_up();
	make_file("low/f", "low");
	make_dir("low/d");
	make_file("low/d/x", "low");
	mount_layers("low");
	OK(unlink("merged/f"));
	make_dir("merged/f");
	make_file("merged/f/inside", "new");
	OK(unlink("merged/d/x"));
	OK(rmdir("merged/d"));
	make_file("merged/d", "new");
	again();
	expect_text("merged/f/inside", "new");
	expect_text("merged/d", "new");
	OK(unlink("merged/f/inside"));
	OK(rmdir("merged/f"));
	OK(unlink("merged/d"));
	expect_whiteout("upper/f");
	expect_whiteout("upper/d");
	expect_names("merged", "");
}

/*
 *	low  f="low"
 */
CASE(open_and_removed, "a removed file lives on for who has it open, with no link left")
{
	char text[8] = "";
	struct stat st;
	int lower, upper;

	set_up();
	make_file("low/f", "low");
	make_file("low/g", "low");
	mount_layers("low");
	lower = open_file("merged/f", O_RDONLY);
	upper = open_file("merged/g", O_RDWR);
	OK(unlink("merged/f"));
	OK(unlink("merged/g"));
	OK(fstat(lower, &st));
	/* overlayfs shows what the lower says of itself, where the name still is. */
	CHECK_EQ(st.st_nlink, on_shale() ? 0 : 1);
	OK(fstat(upper, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(OK(read(lower, text, 8)), 3);
	CHECK(!memcmp(text, "low", 3));
	CHECK_EQ(OK(pwrite(upper, "LOW", 3, 0)), 3);
	CHECK_EQ(OK(pread(upper, text, 8, 0)), 3);
	CHECK(!memcmp(text, "LOW", 3));
	make_file("merged/f", "new");
	OK(lseek(lower, 0, SEEK_SET));
	CHECK_EQ(OK(read(lower, text, 8)), 3);
	CHECK(!memcmp(text, "low", 3));
}

/*
 *	upper  a, b (hard links)
 */
CASE(link_counts, "the link count follows each name that goes")
{
	struct stat st;
	int fd;

	set_up();
	mount_layers("low");
	make_file("merged/a", "new");
	OK(link("merged/a", "merged/b"));
	OK(link("merged/a", "merged/c"));
	CHECK_EQ(stat_of("merged/b").st_nlink, 3);
	fd = open_file("merged/a", O_RDONLY);
	OK(unlink("merged/b"));
	CHECK_EQ(stat_of("merged/a").st_nlink, 2);
	OK(unlink("merged/a"));
	OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 1);
	OK(unlink("merged/c"));
	OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
}

/*
 *	low  a, b (hard links)
 */
CASE(lower_hard_links, "removing one name of a hard-linked lower file leaves the other")
{
	set_up();
	make_file("low/a", "low");
	OK(link("low/a", "low/b"));
	mount_layers("low");
	OK(unlink("merged/a"));
	expect_absent("merged/a");
	expect_text("merged/b", "low");
	again();
	expect_names("merged", "b");
	CHECK_EQ(stat_of("low/a").st_nlink, 2);
}

/*
 *	low  d/ (0755, root's)  sticky/ (01777)/f (root's)
 */
CASE(who_may_remove, "only who may write the directory removes, and in a sticky one only the owner")
{
	set_up();
	make_dir("low/d");
	make_file("low/d/f", "low");
	make_dir_mode("low/sticky", 01777);
	make_file("low/sticky/f", "low");
	make_file("low/sticky/own", "low");
	OK(chown("low/sticky/own", SOMEBODY, SOMEBODY));
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY) {
		FAILS(unlink("merged/d/f"), EACCES);
		FAILS(unlink("merged/sticky/f"), EPERM);
		OK(unlink("merged/sticky/own"));
	}
	expect_text("merged/d/f", "low");
	expect_text("merged/sticky/f", "low");
	expect_whiteout("upper/sticky/own");
}

/*
 *	low  d/f="low"
 */
CASE(refusals, "unlink of a directory and rmdir of a file are refused, and copy nothing up")
{
	set_up();
	make_dir("low/d");
	make_file("low/f", "low");
	mount_layers("low");
	FAILS(unlink("merged/d"), EISDIR);
	FAILS(rmdir("merged/f"), ENOTDIR);
	FAILS(rmdir("merged/none"), ENOENT);
	FAILS(rmdir("merged/d/."), EINVAL);
	FAILS(rmdir("merged"), EBUSY);
	expect_names("upper", "");
}

/*
 *	top  t0 ... t49  d/
 *	low  l0 ... l49  t0 ... t49  d/{l0 ... l49}
 */
CASE(gone_below, "a lower file that was removed behind our back can't be removed, and harms nobody")
{
	set_up();
	only_shale("overlayfs removes the name it has in its cache");
	make_file("low/f", "low");
	/* Not by mount_layers(), which remembers that a lower must not change. */
	mount_options("merged", "lowerdir=low,upperdir=upper,workdir=work");
	expect_text("merged/f", "low");
	OK(unlink("low/f"));
	FAILS(unlink("merged/f"), ESTALE);
	expect_names("upper", "");
}

CASE(remove_everything, "rm -rf of all layers' contents leaves whiteouts and an empty mount")
{
	int i;

	set_up();
	make_dir("top/d");
	make_dir("low/d");
	for (i = 0; i < 50; i++) {
		make_file(text_of("top/t%d", i), "top");
		make_file(text_of("low/t%d", i), "low");
		make_file(text_of("low/l%d", i), "low");
		make_file(text_of("low/d/l%d", i), "low");
	}
	mount_layers("top:low");
	CHECK_EQ(OK(system("rm -rf merged/*")), 0);
	expect_names("merged", "");
	for (i = 0; i < 50; i++) {
		expect_whiteout(text_of("upper/t%d", i));
		expect_whiteout(text_of("upper/l%d", i));
	}
	expect_whiteout("upper/d");
	again();
	expect_names("merged", "");
}

CASES_MAIN
