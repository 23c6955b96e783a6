// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * st_dev and st_ino, and d_ino with them: what they are, and how long they stay.
 *
 * A copy has the number of what it was copied from, which its mark (origin) remembers.
 */
#include "fixture.h"

#include <ftw.h>

#include "device.h"

#define OFF "redirect_dir=nofollow,index=off,metacopy=off,xino=off"
#define XINO_ON "redirect_dir=nofollow,index=off,metacopy=off,xino=on"
#define XINO_AUTO "redirect_dir=nofollow,index=off,metacopy=off,xino=auto"
#define ORIGIN "trusted.overlay.origin"

/* A new file system on a directory of the case. */
static void mount_other_(const char *where, const char *type)
{
	struct device device = loop_device(type[0] == 'x' ? 512 << 20 : 64 << 20);

	make_fs(&device, type, type[0] == 'x' ? "-q" : "-q -m 0 -N 256 -J size=1 -E nodiscard");
	step_ok("mounting another file system", mount_fs(device.path, where, type, 0, NULL));
	if (exists(text_of("%s/lost+found", where)))
		step_ok("rmdir", rmdir(text_of("%s/lost+found", where)));
}
#define mount_other(where, type) STEP(mount_other_(where, type))

/*
 *	low  d/{file link fifo sub/}
 */
static const char * const kinds[] = { "d", "d/file", "d/link", "d/fifo", "d/sub" };
enum { NR_KINDS = 5 };

static void make_kinds_(const char *layer)
{
	make_dir_(text_of("%s/d", layer), 0755);
	make_file_(text_of("%s/d/file", layer), "low");
	step_ok("symlink", symlink("file", text_of("%s/d/link", layer)));
	step_ok("mkfifo", mkfifo(text_of("%s/d/fifo", layer), 0644));
	make_dir_(text_of("%s/d/sub", layer), 0755);
}
#define make_kinds(layer) STEP(make_kinds_(layer))

/* The device of directories is the mount's, and each number is listed as it is told. */
static void expect_numbers_(const char *root, const struct stat *wanted)
{
	int i;

	for (i = 0; i < NR_KINDS; i++) {
		const char *path = text_of("%s/%s", root, kinds[i]);
		struct stat st = stat_of_(path);
		ino_t listed = d_ino_of_(path);

		if (st.st_ino != wanted[i].st_ino)
			fail("%s has the number %llu, not %llu", path, (long long)st.st_ino,
			     (long long)wanted[i].st_ino);
		if (listed != st.st_ino)
			fail("%s is listed with the number %llu, not %llu", path,
			     (long long)listed, (long long)st.st_ino);
	}
}
#define expect_numbers(root, wanted) STEP(expect_numbers_(root, wanted))

static void copy_up_kinds_(const char *root)
{
	int i;

	for (i = 0; i < NR_KINDS; i++)
		step_ok("lchown", lchown(text_of("%s/%s", root, kinds[i]), SOMEBODY, ANYBODY));
}
#define copy_up_kinds(root) STEP(copy_up_kinds_(root))

/* All layers on one file system */

CASE(one_file_system, "on one file system all have the numbers of their layers, over copy-up and remount")
{
	struct stat st[NR_KINDS];
	int i;

	needs_handles();
	set_up();
	with_features(OFF);
	make_kinds("low");
	mount_layers("low");
	for (i = 0; i < NR_KINDS; i++) {
		st[i] = stat_of(text_of("merged/%s", kinds[i]));
		CHECK_EQ(st[i].st_ino, stat_of(text_of("low/%s", kinds[i])).st_ino);
		CHECK_EQ(st[i].st_dev, stat_of("merged").st_dev);
	}
	expect_numbers("merged", st);
	copy_up_kinds("merged");
	EACH_TIME {
		expect_numbers("merged", st);
		for (i = 0; i < NR_KINDS; i++)
			CHECK_EQ(stat_of(text_of("merged/%s", kinds[i])).st_dev,
				 stat_of("merged").st_dev);
	}
	expect_mark("upper/d", "impure", "y");
}

CASE(renamed, "a file that is renamed keeps its number, in the list of the new directory, too")
{
	ino_t ino;

	needs_handles();
	set_up();
	with_features(OFF);
	make_file("low/f", "f");
	mount_layers("low");
	ino = stat_of("merged/f").st_ino;
	make_dir("merged/new");
	OK(rename("merged/f", "merged/new/g"));
	CHECK_EQ(stat_of("merged/new/g").st_ino, ino);
	expect_mark("upper/new", "impure", "y");
	again();
	CHECK_EQ(d_ino_of("merged/new/g"), ino);
	CHECK_EQ(stat_of("merged/new/g").st_ino, ino);
	CHECK_EQ(d_ino_of("merged/new/g"), ino);
	write_text("merged/new/g", "new");
	EACH_TIME
		CHECK_EQ(stat_of("merged/new/g").st_ino, ino);
}

CASE(made_anew, "what comes under the name of something else has a number of its own")
{
	ino_t ino;

	set_up();
	with_features(OFF);
	make_file("low/f", "f");
	make_dir("low/d");
	mount_layers("low");
	ino = stat_of("merged/f").st_ino;
	OK(unlink("merged/f"));
	make_file("merged/f", "new");
	CHECK(stat_of("merged/f").st_ino != ino);
	ino = stat_of("merged/d").st_ino;
	OK(rmdir("merged/d"));
	make_dir("merged/d");
	CHECK(stat_of("merged/d").st_ino != ino);
	ino = stat_of("merged/f").st_ino;
	EACH_TIME {
		CHECK_EQ(stat_of("merged/f").st_ino, ino);
		CHECK_EQ(d_ino_of("merged/f"), ino);
	}
}

/*
 *	low  x y (hard links)  z
 */
CASE(hard_links, "one of several names of a file gets a number of its own when it is copied up")
{
	ino_t low, ino;

	set_up();
	with_features(OFF);
	make_file("low/x", "low");
	OK(link("low/x", "low/y"));
	mount_layers("low");
	low = stat_of("low/x").st_ino;
	CHECK_EQ(stat_of("merged/x").st_ino, low);
	CHECK_EQ(stat_of("merged/y").st_ino, low);
	CHECK_EQ(d_ino_of("merged/y"), low);
	OK(chmod("merged/x", 0600));
	ino = stat_of("upper/x").st_ino;
	EACH_TIME {
		CHECK_EQ(stat_of("merged/x").st_ino, ino);
		CHECK_EQ(d_ino_of("merged/x"), ino);
		CHECK_EQ(stat_of("merged/y").st_ino, low);
		CHECK_EQ(d_ino_of("merged/y"), low);
		CHECK_EQ(stat_of("merged/y").st_mode & 07777, 0644);
	}
	OK(chmod("merged/y", 0640));
	EACH_TIME {
		CHECK(stat_of("merged/x").st_ino != stat_of("merged/y").st_ino);
		CHECK_EQ(stat_of("merged/x").st_mode & 07777, 0600);
		CHECK_EQ(stat_of("merged/y").st_mode & 07777, 0640);
	}
	expect_xattr("upper/x", ORIGIN, NULL);
}

CASE(new_links, "both names of a copied file have the number of what it was copied from")
{
	ino_t ino;

	needs_handles();
	set_up();
	with_features(OFF);
	make_file("low/f", "low");
	make_dir("low/d");
	mount_layers("low");
	ino = stat_of("merged/f").st_ino;
	OK(link("merged/f", "merged/d/g"));
	EACH_TIME {
		CHECK_EQ(d_ino_of("merged/d/g"), ino);
		CHECK_EQ(stat_of("merged/f").st_ino, ino);
		CHECK_EQ(stat_of("merged/d/g").st_ino, ino);
	}
	OK(unlink("merged/f"));
	EACH_TIME
		CHECK_EQ(stat_of("merged/d/g").st_ino, ino);
	expect_names("merged", "d");
}

/* Lowers on another file system */

/*
 * Of files on other file systems than the mount can number, the device is one of the mount's own
 * making; directories have the mount's.
 */
static void without_room(const char *type)
{
	struct stat st[NR_KINDS], new;
	int i;

	set_up();
	with_features(OFF);
	mount_other("low", type);
	make_kinds("low");
	make_file("low/other", "other");
	mount_layers("low");
	for (i = 0; i < NR_KINDS; i++) {
		st[i] = stat_of(text_of("merged/%s", kinds[i]));
		if (S_ISDIR(st[i].st_mode)) {
			CHECK_EQ(st[i].st_dev, stat_of("merged").st_dev);
			continue;
		}
		CHECK_EQ(st[i].st_ino, stat_of(text_of("low/%s", kinds[i])).st_ino);
		CHECK_EQ(st[i].st_dev, stat_of("merged/other").st_dev);
		CHECK(st[i].st_dev != stat_of("merged").st_dev);
		CHECK(st[i].st_dev != stat_of("low").st_dev);
	}
	copy_up_kinds("merged");
	make_file("merged/new", "new");
	for (i = 0; i < NR_KINDS; i++) {
		new = stat_of(text_of("merged/%s", kinds[i]));
		CHECK_EQ(new.st_ino, st[i].st_ino);
		CHECK_EQ(new.st_dev, st[i].st_dev);
	}
	new = stat_of("merged/new");
	CHECK(new.st_dev != stat_of("merged/other").st_dev);
	EACH_TIME {
		for (i = 0; i < NR_KINDS; i++) {
			if (S_ISDIR(st[i].st_mode))
				continue;
			new = stat_of(text_of("merged/%s", kinds[i]));
			CHECK_EQ(new.st_ino, st[i].st_ino);
			CHECK_EQ(new.st_dev, stat_of("merged/other").st_dev);
			/* overlayfs lists the number in the layer. */
			if (on_shale())
				CHECK_EQ(d_ino_of(text_of("merged/%s", kinds[i])), st[i].st_ino);
		}
	}
}

CASE(other_ext4, "xino=off, a lower on another ext4: files have its numbers and a device of the mount's making")
{
	needs_handles();
	without_room("ext4");
}

CASE(other_xfs, "xino=off, a lower on an xfs: the same")
{
	needs_handles();
	without_room("xfs");
}

CASE(directories_in_use, "xino=off: a directory's number stays while it is in use, over copy-up")
{
	struct stat before, after;
	int fd;

	set_up();
	with_features(OFF);
	mount_other("low", "ext4");
	make_kinds("low");
	mount_layers("low");
	fd = open_file("merged/d", O_RDONLY | O_DIRECTORY);
	OK(fstat(fd, &before));
	OK(chmod("merged/d", 0700));
	make_file("merged/d/new", "new");
	drop_all_caches();
	OK(fstat(fd, &after));
	CHECK_EQ(after.st_ino, before.st_ino);
	CHECK_EQ(after.st_dev, before.st_dev);
	CHECK_EQ(stat_of("merged/d").st_ino, before.st_ino);
}

static int nr_seen;
static ino_t seen[256];

static int collect(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)type;
	if (!where->level)
		return 0;
	if (st->st_ino != d_ino_of_(path))
		fail("%s has the number %llu, and is listed with %llu", path,
		     (long long)st->st_ino, (long long)d_ino_of_(path));
	if (st->st_dev != stat_of_("merged").st_dev)
		fail("%s has a device of its own", path);
	seen[nr_seen++] = st->st_ino;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	ino_t x = *(const ino_t *)a, y = *(const ino_t *)b;

	return x < y ? -1 : x > y;
}

static void expect_unique_(void)
{
	int i;

	nr_seen = 0;
	nftw("merged", collect, 16, FTW_PHYS);
	qsort(seen, nr_seen, sizeof(seen[0]), by_number);
	for (i = 1; i < nr_seen; i++) {
		if (seen[i] == seen[i - 1])
			fail("two objects have the number %llu", (long long)seen[i]);
	}
}
#define expect_unique() STEP(expect_unique_())

static void with_room(const char *features)
{
	struct stat st[NR_KINDS];
	int i;

	set_up();
	with_features(features);
	mount_other("low", "ext4");
	mount_other("top", "ext4");
	make_kinds("low");
	for (i = 0; i < 20; i++) {
		/* The same numbers in each layer. */
		make_file(text_of("low/l%d", i), "low");
		make_file(text_of("top/t%d", i), "top");
		make_file(text_of("upper/u%d", i), "upper");
	}
	mount_layers("top:low");
	for (i = 0; i < NR_KINDS; i++)
		st[i] = stat_of(text_of("merged/%s", kinds[i]));
	expect_numbers("merged", st);
	expect_unique();
	copy_up_kinds("merged");
	for (i = 0; i < 20; i += 3) {
		OK(chmod(text_of("merged/l%d", i), 0600));
		OK(chmod(text_of("merged/t%d", i), 0600));
	}
	EACH_TIME {
		expect_numbers("merged", st);
		expect_unique();
	}
}

CASE(xino_on, "xino=on: all have the mount's device, numbers that no two share, and keep them")
{
	needs_handles();
	with_room(XINO_ON);
}

CASE(xino_auto, "xino=auto does the same where there is room")
{
	needs_handles();
	with_room(XINO_AUTO);
}

CASE(xino_shown, "the mount says xino=on and xino=auto, and says nothing of what is off")
{
	set_up();
	mount_other("low", "ext4");
	with_features(OFF);
	mount_layers("low");
	CHECK(!shows_option("xino="));
	unmount();
	with_features(XINO_ON);
	mount_layers("low");
	CHECK(shows_option(",xino=on"));
	unmount();
	with_features(XINO_AUTO);
	mount_layers("low");
	CHECK(shows_option(",xino=auto"));
}

/*
 *	below  a mount of low, itself the lower of merged
 */
CASE(lower_is_a_mount, "a lower that is a mount itself: numbers stay while an object is in use")
{
	struct stat before, after;
	int fd;

	set_up();
	with_features(OFF);
	make_kinds("low");
	make_dir("top/unused");
	make_dir("below");
	mount_options("below", "lowerdir=top:low");
	mount_layers("below");
	fd = open_file("merged/d/file", O_RDONLY);
	OK(fstat(fd, &before));
	OK(chmod("merged/d/file", 0600));
	OK(fstat(fd, &after));
	CHECK_EQ(after.st_ino, before.st_ino);
	CHECK_EQ(after.st_dev, before.st_dev);
	CHECK_EQ(stat_of("merged/d/file").st_ino, before.st_ino);
	close(fd);
	EACH_TIME {
		expect_text("merged/d/file", "low");
		CHECK_EQ(stat_of("merged/d/file").st_mode & 07777, 0600);
	}
}

/* Marks that say nothing */

struct origin {
	unsigned char bytes[256];
	size_t size;
};

static struct origin origin_of(const char *path)
{
	struct origin origin;

	origin.size = OK(lgetxattr(path, ORIGIN, origin.bytes, sizeof(origin.bytes)));
	return origin;
}

/* Something that is wrong with the record. */
static void spoil(struct origin *origin, int how)
{
	switch (how) {
	case 0:
		origin->size = 0;
		break;
	case 1:
		origin->size = 7;
		memcpy(origin->bytes, "garbage", 7);
		break;
	case 2:
		origin->bytes[0] = 1;		/* of a later version */
		break;
	case 3:
		origin->bytes[1]++;		/* the magic number */
		break;
	case 4:
		origin->bytes[2]++;		/* the length */
		break;
	case 5:
		origin->size--;
		break;
	case 6:
		origin->bytes[3] |= 0x80;	/* a flag that nobody knows */
		break;
	case 7:
		origin->bytes[3] ^= 1;		/* the other order of bytes */
		break;
	case 8:
		origin->bytes[5]++;		/* another uuid */
		break;
	case 9:
		origin->bytes[4] = 0xfe;	/* no type of handle */
		break;
	case 10:
		memset(origin->bytes + 21, 0xff, origin->size - 21);	/* no object */
		break;
	}
}
enum { NR_SPOILED = 11 };

/*
 *	low  0 1 2 ... none, all copied up
 */
CASE(unknown, "a mark that is gone, garbage, or of another file system makes the origin unknown, and no error")
{
	struct origin origin;
	int i;

	needs_handles();
	set_up();
	with_features(OFF);
	make_file("low/none", "low");
	for (i = 0; i < NR_SPOILED; i++)
		make_file(text_of("low/%d", i), "low");
	mount_layers("low");
	OK(chmod("merged/none", 0600));
	for (i = 0; i < NR_SPOILED; i++)
		OK(chmod(text_of("merged/%d", i), 0600));
	unmount();
	OK(removexattr("upper/none", ORIGIN));
	for (i = 0; i < NR_SPOILED; i++) {
		origin = origin_of(text_of("upper/%d", i));
		spoil(&origin, i);
		set_mark_bytes(text_of("upper/%d", i), "origin", origin.bytes, origin.size);
	}
	mount_layers("low");
	EACH_TIME {
		CHECK_EQ(stat_of("merged/none").st_ino, stat_of("upper/none").st_ino);
		for (i = 0; i < NR_SPOILED; i++) {
			const char *path = text_of("merged/%d", i);

			expect_text(path, "low");
			CHECK_EQ(stat_of(path).st_ino, stat_of(text_of("upper/%d", i)).st_ino);
			CHECK_EQ(d_ino_of(path), stat_of(path).st_ino);
			CHECK_EQ(stat_of(path).st_dev, stat_of("merged").st_dev);
		}
	}
	for (i = 0; i < NR_SPOILED; i++) {
		write_text(text_of("merged/%d", i), "new");
		OK(rename(text_of("merged/%d", i), text_of("merged/r%d", i)));
		expect_text(text_of("merged/r%d", i), "new");
	}
}

CASE(directory_origin, "what the mark of a directory says changes nothing: it merges by its name")
{
	struct origin origin;
	struct stat st;
	int i;

	needs_handles();
	set_up();
	with_features(OFF);
	make_dir("low/d");
	make_file("low/d/x", "x");
	make_dir("low/other");
	mount_layers("low");
	st = stat_of("merged/d");
	OK(chmod("merged/d", 0700));
	OK(chmod("merged/other", 0700));
	unmount();
	for (i = 0; i < NR_SPOILED; i++) {
		origin = origin_of("upper/other");
		spoil(&origin, i);
		set_mark_bytes("upper/d", "origin", origin.bytes, origin.size);
		mount_layers("low");
		expect_names("merged/d", "x");
		CHECK_EQ(stat_of("merged/d").st_ino, st.st_ino);
		unmount();
	}
	origin = origin_of("upper/other");
	set_mark_bytes("upper/d", "origin", origin.bytes, origin.size);
	mount_layers("low");
	expect_names("merged/d", "x");
	expect_names("merged/other", "");
	CHECK_EQ(stat_of("merged/d").st_ino, st.st_ino);
}

/* The content that a file must have, if it can be looked up at all: nobody else's. */
static void expect_own_or_stale_(const char *path, const char *text)
{
	struct stat st;

	if (lstat(path, &st)) {
		if (errno != ESTALE)
			fail("lstat(%s): %s, not ESTALE", path, errno_name(errno));
		return;
	}
	expect_text_(path, text);
}
#define expect_own_or_stale(path, text) STEP(expect_own_or_stale_(path, text))

/*
 *	upper  f="f" g="g", both marked as copies of low/f
 */
CASE(forged, "of two copies of one original each has its own content, or is stale while the other is known")
{
	struct origin origin;
	int fd;

	set_up();
	with_features(OFF);
	make_file("low/f", "low");
	mount_layers("low");
	write_text("merged/f", "f");
	unmount();
	origin = origin_of("upper/f");
	make_file("upper/g", "g");
	set_mark_bytes("upper/g", "origin", origin.bytes, origin.size);
	mount_layers("low");
	fd = open_file("merged/f", O_RDONLY);
	expect_own_or_stale("merged/g", "g");
	expect_own_or_stale("merged/f", "f");
	close(fd);
	drop_all_caches();
	expect_text("merged/g", "g");
	expect_own_or_stale("merged/f", "f");
	again();
	/* overlayfs leaves out what it can't look up. */
	if (on_shale())
		expect_names("merged", "f g");
	drop_all_caches();
	expect_text("merged/g", "g");
	OK(unlink("merged/g"));
	drop_all_caches();
	expect_text("merged/f", "f");
}

/*
 *	upper  g="g", marked as a copy of low/f, which is still there
 */
CASE(forged_original, "a copy beside its original: neither shows the other's content")
{
	struct origin origin;

	only_shale("shows the content of the copy for both");
	set_up();
	with_features(OFF);
	make_file("low/f", "low");
	mount_layers("low");
	write_text("merged/f", "f");
	unmount();
	origin = origin_of("upper/f");
	OK(unlink("upper/f"));
	make_file("upper/g", "g");
	set_mark_bytes("upper/g", "origin", origin.bytes, origin.size);
	mount_layers("low");
	expect_text("merged/g", "g");
	expect_own_or_stale("merged/f", "low");
	again();
	expect_text("merged/f", "low");
	expect_own_or_stale("merged/g", "g");
}

/*
 *	upper  f="f", marked as a copy of a file outside of all layers
 */
CASE(outside, "a mark that leads out of the layers lends a number and nothing else")
{
	struct origin origin;

	set_up();
	with_features(OFF);
	make_dir("canary");
	make_file("canary/secret", "secret");
	OK(chmod("canary/secret", 0600));
	make_dir("upper2");
	make_dir("work2");
	make_dir("merged2");
	mount_options("merged2", "lowerdir=canary,upperdir=upper2,workdir=work2");
	OK(chmod("merged2/secret", 0640));
	origin = origin_of("upper2/secret");
	OK(umount2("merged2", 0));
	make_file("upper/f", "f");
	make_file("low/g", "g");
	set_mark_bytes("upper/f", "origin", origin.bytes, origin.size);
	mount_layers("low");
	EACH_TIME {
		expect_text("merged/f", "f");
		CHECK_EQ(stat_of("merged/f").st_mode & 07777, 0644);
	}
	write_text("merged/f", "new");
	OK(unlink("merged/f"));
	expect_text("canary/secret", "secret");
}

CASES_MAIN
