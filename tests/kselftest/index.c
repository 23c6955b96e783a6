// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * index=on: a file of a lower that has several names stays one file when it is copied up. Its copy lies
 * in work/index under the name of its origin, and each name that is copied up is a link to that.
 *
 *	low	a b (one file) other d/{c (the same), sub/}
 *	top	d/
 */
#include "fixture.h"

#include <stdlib.h>

#define INDEX "redirect_dir=on,index=on,metacopy=off"
#define METACOPY "redirect_dir=on,index=on,metacopy=on"
#define LAYERS "lowerdir=top:low,upperdir=upper,workdir=work"

static const char * const names[] = { "merged/a", "merged/b", "merged/d/c" };
enum { NR_NAMES = 3 };

static void make_layers(const char *features)
{
	needs_handles();
	set_up();
	with_features(features);
	make_file("low/a", "low");
	OK(link("low/a", "low/b"));
	make_file("low/other", "other");
	make_dir("low/d");
	make_dir("low/d/sub");
	OK(link("low/a", "low/d/c"));
	make_dir("top/d");
}

static void set_up_links(const char *features)
{
	make_layers(features);
	mount_layers("top:low");
}

/* All of these names are one file with so many links and this text. */
static void expect_one_(const char * const *paths, int nr, unsigned long nlink, const char *text)
{
	struct stat first = stat_of_(paths[0]), st;
	int i;

	for (i = 0; i < nr; i++) {
		st = stat_of_(paths[i]);
		if (st.st_ino != first.st_ino || st.st_dev != first.st_dev)
			fail("%s and %s are two files", paths[0], paths[i]);
		if (st.st_nlink != nlink)
			fail("%s has %lu links, not %lu", paths[i], (long)st.st_nlink, nlink);
		if (d_ino_of_(paths[i]) != st.st_ino)
			fail("the list has another number for %s", paths[i]);
		expect_text_(paths[i], text);
	}
}
#define expect_one(nlink, text, ...)							\
	STEP(expect_one_((const char *[]){ __VA_ARGS__ },				\
			 sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), nlink, text))

/* The entries of the index, but for the whiteout that overlayfs keeps there to make links of. */
static int nr_entries(char *last)
{
	DIR *dir = opendir("work/index");
	struct dirent *entry;
	int nr = 0;

	if (!dir)
		fail("there is no index");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || entry->d_name[0] == '#')
			continue;
		nr++;
		if (last)
			snprintf(last, 256, "%s", entry->d_name);
	}
	closedir(dir);
	return nr;
}

static const char *only_entry_(void)
{
	char name[256];

	if (nr_entries(name) != 1)
		fail("the index has not one entry");
	return text_of("work/index/%s", name);
}
#define only_entry() STEP(only_entry_())

CASE(all_names_stay_one_file, "by whichever of its names a file is copied up, all show the copy, and keep number and links")
{
	ino_t ino;
	int i;

	make_layers(INDEX);
	for (i = 0; i < NR_NAMES; i++) {
		mount_layers("top:low");
		ino = stat_of("merged/a").st_ino;
		write_text(names[i], "copy");
		CHECK_EQ(nr_entries(NULL), 1);
		CHECK_EQ(stat_of(names[i]).st_ino, ino);
		EACH_TIME {
			expect_one(3, "copy", "merged/a", "merged/b", "merged/d/c");
			CHECK_EQ(stat_of("merged/b").st_ino, ino);
		}
		unmount();
		remove_in("upper");
		remove_in("work");
	}
}

CASE(other_names_first, "after a remount a name that was not copied up shows the copy, also to who looks at nothing else")
{
	int i;

	set_up_links(INDEX);
	write_text("merged/b", "copy");
	OK(chmod("merged/b", 0600));
	for (i = 0; i < NR_NAMES; i++) {
		again();
		expect_text(names[i], "copy");
		CHECK_EQ(stat_of(names[i]).st_mode & 07777, 0600);
	}
	CHECK(!exists("upper/a"));
	CHECK(!exists("upper/d/c"));
	write_text("merged/a", "more");
	OK(setxattr("merged/d/c", "user.x", "1", 1, 0));
	EACH_TIME
		expect_one(3, "more", "merged/a", "merged/b", "merged/d/c");
	CHECK_EQ(stat_of("upper/b").st_ino, stat_of(only_entry()).st_ino);
	expect_xattr("upper/b", "user.x", "1");
}

CASE(removed_names, "links count what names are left, whether the file was copied up before or not")
{
	set_up_links(INDEX);
	OK(unlink("merged/a"));
	EACH_TIME
		expect_one(2, "low", "merged/b", "merged/d/c");
	write_text("merged/b", "copy");
	EACH_TIME
		expect_one(2, "copy", "merged/b", "merged/d/c");
	OK(unlink("merged/b"));
	EACH_TIME
		expect_one(1, "copy", "merged/d/c");
	expect_names("merged", "d other");
}

CASE(last_name, "with its last name a file leaves the index, and lives on for who has it open")
{
	struct stat st;
	char text[8] = "";
	int fd, i;

	set_up_links(INDEX);
	write_text("merged/a", "copy");
	fd = open_file("merged/d/c", O_RDWR);
	for (i = 0; i < NR_NAMES; i++)
		OK(unlink(names[i]));
	OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(OK(pread(fd, text, sizeof(text), 0)), 4);
	CHECK(!strcmp(text, "copy"));
	FAILS(linkat(fd, "", AT_FDCWD, "merged/anew", AT_EMPTY_PATH), ENOENT);
	CHECK_EQ(nr_entries(NULL), 0);
	close(fd);
	EACH_TIME
		expect_names("merged", "d other");
	make_file("merged/a", "new");
	EACH_TIME
		expect_one(1, "new", "merged/a");
}

CASE(new_names, "a new name is one of the same file, counts, and stays when the old ones go")
{
	ino_t ino;

	set_up_links(INDEX);
	ino = stat_of("merged/a").st_ino;
	OK(link("merged/b", "merged/d/sub/new"));
	EACH_TIME
		expect_one(4, "low", "merged/a", "merged/b", "merged/d/c", "merged/d/sub/new");
	OK(unlink("merged/a"));
	OK(unlink("merged/b"));
	write_text("merged/d/c", "copy");
	EACH_TIME
		expect_one(2, "copy", "merged/d/c", "merged/d/sub/new");
	OK(unlink("merged/d/c"));
	EACH_TIME {
		expect_one(1, "copy", "merged/d/sub/new");
		CHECK_EQ(stat_of("merged/d/sub/new").st_ino, ino);
	}
	OK(unlink("merged/d/sub/new"));
	CHECK_EQ(nr_entries(NULL), 0);
}

CASE(renamed_names, "names are renamed, exchanged and replaced, and links still count them")
{
	set_up_links(INDEX);
	OK(rename("merged/a", "merged/d/a2"));
	EACH_TIME
		expect_one(3, "low", "merged/d/a2", "merged/b", "merged/d/c");
	/* Onto another name of the same file: nothing happens. */
	OK(rename("merged/b", "merged/d/a2"));
	EACH_TIME
		expect_one(3, "low", "merged/d/a2", "merged/b", "merged/d/c");
	OK(rename2("merged/other", "merged/d/c", RENAME_EXCHANGE));
	EACH_TIME {
		expect_one(3, "low", "merged/d/a2", "merged/b", "merged/other");
		expect_one(1, "other", "merged/d/c");
	}
	OK(rename("merged/d/c", "merged/b"));
	EACH_TIME {
		expect_one(2, "low", "merged/d/a2", "merged/other");
		expect_one(1, "other", "merged/b");
	}
	OK(rename("merged/b", "merged/other"));
	EACH_TIME {
		expect_one(1, "low", "merged/d/a2");
		expect_one(1, "other", "merged/other");
	}
	expect_names("merged/d", "a2 sub");
}

CASE(moved_with_directory, "names go along with a directory that is renamed")
{
	set_up_links(INDEX);
	OK(rename("merged/d", "merged/e"));
	write_text("merged/e/c", "copy");
	EACH_TIME
		expect_one(3, "copy", "merged/a", "merged/b", "merged/e/c");
	OK(unlink("merged/e/c"));
	OK(rmdir("merged/e/sub"));
	OK(rmdir("merged/e"));
	EACH_TIME
		expect_one(2, "copy", "merged/a", "merged/b");
}

CASE(without_data, "with metacopy=on, too: attributes by one name, content by another")
{
	set_up_links(METACOPY);
	OK(chmod("merged/a", 0640));
	CHECK(getxattr(only_entry(), "trusted.overlay.metacopy", NULL, 0) >= 0);
	EACH_TIME {
		expect_one(3, "low", "merged/a", "merged/b", "merged/d/c");
		CHECK_EQ(stat_of("merged/d/c").st_mode & 07777, 0640);
	}
	OK(link("merged/b", "merged/new"));
	write_text("merged/d/c", "copy");
	expect_mark(only_entry(), "metacopy", NULL);
	EACH_TIME
		expect_one(4, "copy", "merged/a", "merged/b", "merged/d/c", "merged/new");
	OK(unlink("merged/a"));
	OK(unlink("merged/b"));
	OK(unlink("merged/d/c"));
	EACH_TIME
		expect_one(1, "copy", "merged/new");
}

CASE(every_kind, "links, pipes and devices with several names are files of the index as well")
{
	static const char * const kinds[] = { "link", "fifo", "null" };
	struct stat st;
	int i;

	make_layers(INDEX);
	OK(symlink("target", "low/link"));
	OK(mkfifo("low/fifo", 0644));
	OK(mknod("low/null", S_IFCHR | 0644, makedev(1, 3)));
	for (i = 0; i < 3; i++)
		OK(link(text_of("low/%s", kinds[i]), text_of("low/d/%s", kinds[i])));
	mount_layers("top:low");
	for (i = 0; i < 3; i++)
		OK(lchown(text_of("merged/%s", kinds[i]), SOMEBODY, ANYBODY));
	EACH_TIME {
		for (i = 0; i < 3; i++) {
			st = stat_of(text_of("merged/d/%s", kinds[i]));
			CHECK_EQ(st.st_nlink, 2);
			CHECK_EQ(st.st_uid, SOMEBODY);
			CHECK_EQ(st.st_ino, stat_of(text_of("merged/%s", kinds[i])).st_ino);
		}
	}
	for (i = 0; i < 3; i++)
		OK(unlink(text_of("merged/%s", kinds[i])));
	EACH_TIME {
		for (i = 0; i < 3; i++)
			CHECK_EQ(stat_of(text_of("merged/d/%s", kinds[i])).st_nlink, 1);
	}
}

CASE(read_only, "mounted read-only, names are as they were left")
{
	set_up_links(INDEX);
	write_text("merged/a", "copy");
	OK(unlink("merged/b"));
	unmount();
	OK(mount("none", "merged", fs_type(), MS_RDONLY, LAYERS "," INDEX));
	expect_one(2, "copy", "merged/a", "merged/d/c");
	FAILS(unlink("merged/a"), EROFS);
	unmount();
	mount_layers("top:low");
	expect_one(2, "copy", "merged/a", "merged/d/c");
}

CASE(with_and_without, "index=off shows the copy by the names that were copied, and index=on goes on after it")
{
	set_up_links(INDEX);
	write_text("merged/a", "copy");
	unmount();
	with_features("redirect_dir=on,index=off,metacopy=off");
	mount_layers("top:low");
	expect_text("merged/a", "copy");
	expect_text("merged/b", "low");
	make_file("merged/new", "new");
	unmount();
	with_features(INDEX);
	mount_layers("top:low");
	EACH_TIME
		expect_one(3, "copy", "merged/a", "merged/b", "merged/d/c");
	expect_text("merged/new", "new");
}

CASE(files_in_a_lower_upper, "an upper with an index is a layer like any other")
{
	set_up_links(INDEX);
	write_text("merged/a", "copy");
	OK(link("merged/a", "merged/new"));
	unmount();
	make_dir("upper2");
	make_dir("work2");
	mount_options("merged", "lowerdir=upper:top:low,upperdir=upper2,workdir=work2");
	expect_text("merged/a", "copy");
	expect_text("merged/b", "low");
	write_text("merged/new", "more");
	expect_text("merged/a", "more");
	unmount();
	mount_options("merged", "lowerdir=upper:top:low,upperdir=upper2,workdir=work2");
	expect_text("merged/a", "more");
	expect_text("merged/new", "more");
	expect_text("merged/b", "low");
}

/* What does not belong together */

CASE(other_lower, "an upper that belongs to another lower is refused: ESTALE; index=off takes it")
{
	set_up_links(INDEX);
	make_dir("elsewhere");
	make_file("elsewhere/a", "elsewhere");
	make_file("merged/new", "new");
	unmount();
	FAILS(try_mount("merged", "lowerdir=elsewhere,upperdir=upper,workdir=work"), ESTALE);
	FAILS(try_mount("merged", "lowerdir=low:top,upperdir=upper,workdir=work"), ESTALE);
	/* Layers below the first may change. */
	mount_options("merged", "lowerdir=top:low:elsewhere,upperdir=upper,workdir=work");
	expect_text("merged/new", "new");
	unmount();
	with_features("redirect_dir=on,index=off,metacopy=off");
	mount_options("merged", "lowerdir=elsewhere,upperdir=upper,workdir=work");
	expect_text("merged/a", "elsewhere");
}

CASE(other_upper, "an index that belongs to another upper is refused: ESTALE")
{
	set_up_links(INDEX);
	write_text("merged/a", "copy");
	unmount();
	make_dir("upper2");
	FAILS(try_mount("merged", "lowerdir=top:low,upperdir=upper2,workdir=work"), ESTALE);
	mount_layers("top:low");
	expect_one(3, "copy", "merged/a", "merged/b", "merged/d/c");
}

/* What a crash, or somebody, leaves in the index */

CASE(orphan, "an entry without any name is removed at the next mount, one that has names is not")
{
	set_up_links(INDEX);
	write_text("merged/a", "copy");
	unmount();
	/* The last name went, and then the power. */
	OK(unlink("upper/a"));
	make_whiteout("upper/a");
	make_whiteout("upper/b");
	make_dir("upper/d");
	make_whiteout("upper/d/c");
	set_mark(only_entry(), "nlink", "U+1");
	mount_layers("top:low");
	CHECK_EQ(nr_entries(NULL), 1);
	unmount();
	set_mark(only_entry(), "nlink", "U-1");
	mount_layers("top:low");
	CHECK_EQ(nr_entries(NULL), 0);
	expect_names("merged", "d other");
	expect_names("merged/d", "sub");
}

static void copy_mark_(const char *from, const char *to, const char *mark)
{
	char value[256];
	ssize_t size = lgetxattr(from, text_of("trusted.overlay.%s", mark), value, sizeof(value));

	if (size < 0)
		fail("%s has no mark %s: %s", from, mark, errno_name(errno));
	set_mark_(to, mark, value, size);
}
#define copy_mark(from, to, mark) STEP(copy_mark_(from, to, mark))

CASE(wrong_entries, "an entry of another kind is EIO, one of another origin goes, one without origin or name is refused")
{
	struct stat st;
	char entry[512];

	set_up_links(INDEX);
	write_text("merged/a", "copy");
	OK(chmod("merged/other", 0600));
	unmount();
	snprintf(entry, sizeof(entry), "%s", only_entry());

	OK(rename(entry, "kept"));
	make_whiteout(entry);
	mount_layers("top:low");
	FAILS(stat("merged/b", &st), EIO);
	expect_text("merged/other", "other");
	unmount();
	OK(unlink(entry));

	make_file(entry, "forged");
	FAILS(try_mount("merged", LAYERS), on_shale() ? EINVAL : ENODATA);
	/* With the origin of another file, it is of no use. */
	copy_mark("upper/other", entry, "origin");
	mount_layers("top:low");
	expect_text("merged/b", "low");
	CHECK_EQ(nr_entries(NULL), 0);
	unmount();

	OK(rename("kept", entry));
	mount_layers("top:low");
	expect_text("merged/b", "copy");
	unmount();

	make_file("work/index/nonsense", "");
	FAILS(try_mount("merged", LAYERS), EINVAL);
	OK(unlink("work/index/nonsense"));
	mount_layers("top:low");
	EACH_TIME
		expect_one(3, "copy", "merged/a", "merged/b", "merged/d/c");
}

CASE(wrong_counts, "a count that is malformed, or less than there are names, does no harm")
{
	static const char * const counts[] = {
		"", "U", "U+", "L-3", "U-2", "L-999999999", "U+99999999", "X+1", "U+1x", "L+0",
	};
	size_t i;
	int j;

	make_layers(INDEX);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		mount_layers("top:low");
		write_text("merged/a", "copy");
		unmount();
		set_mark(only_entry(), "nlink", counts[i]);
		mount_layers("top:low");
		CHECK(stat_of("merged/b").st_nlink > 0);
		expect_text("merged/b", "copy");
		OK(link("merged/b", "merged/new"));
		OK(unlink("merged/b"));
		expect_text("merged/a", "copy");
		for (j = 0; j < NR_NAMES; j++) {
			if (j != 1)
				OK(unlink(names[j]));
		}
		/* Though it has no names any more as far as is counted. */
		expect_text("merged/new", "copy");
		OK(unlink("merged/new"));
		expect_names("merged", "d other");
		unmount();
		remove_in("upper");
		remove_in("work");
	}
}

CASES_MAIN
