// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Layers as tools make them: whiteouts that are files, layers of data alone, attributes of
 * layers within layers.
 */
#include "fixture.h"

#include <sys/syscall.h>

#include "device.h"

#define PLAIN "redirect_dir=nofollow,index=off,metacopy=off"
#define DATA "redirect_dir=on,metacopy=on,index=off"

/*
 * Whiteouts that are files. Where a directory does not say that it has any, the two differ: overlayfs
 * lists such a file and finds none, Shale takes it for what it is, an empty file.
 */

/* An empty file that is a whiteout, if its directory says that there may be such. */
static void make_xattr_whiteout_(const char *path)
{
	make_file_(path, "");
	set_mark_(path, "whiteout", "y", 1);
}
#define make_xattr_whiteout(path) STEP(make_xattr_whiteout_(path))

static void make_xattr_dir_(const char *path)
{
	make_dir_(path, 0755);
	set_mark_(path, "opaque", "x", 1);
}
#define make_xattr_dir(path) STEP(make_xattr_dir_(path))

static void expect_hidden_(const char *dir, const char *name)
{
	expect_absent_(text_of("%s/%s", dir, name));
	step_fails("open", open(text_of("%s/%s", dir, name), O_RDONLY), ENOENT);
}
#define expect_hidden(dir, name) STEP(expect_hidden_(dir, name))

/* Such whiteouts, escaped marks and layers of data: overlayfs has all of them since 6.7. */
static void want_new_format(void)
{
	if (!on_shale() && !kernel_is_at_least(6, 7))
		SKIP("overlayfs of this kernel knows nothing of it");
}

/*
 *	top  d/ (x) {gone, dir: whiteouts; stays="top"}
 *	low  d/{gone, dir/in, stays, other}
 */
CASE(xattr_whiteouts, "in a directory that says so, empty marked files are whiteouts")
{
	want_new_format();
	set_up_with(PLAIN);
	make_xattr_dir("top/d");
	make_xattr_whiteout("top/d/gone");
	make_xattr_whiteout("top/d/dir");
	make_file("top/d/stays", "top");
	make_dir("low/d");
	make_file("low/d/gone", "low");
	make_dir("low/d/dir");
	make_file("low/d/dir/in", "low");
	make_file("low/d/stays", "low");
	make_file("low/d/other", "low");
	mount_layers("top:low");
	expect_names("merged/d", "other stays");
	expect_hidden("merged/d", "gone");
	expect_hidden("merged/d", "dir");
	FAILS(open("merged/d/dir/in", O_RDONLY), ENOENT);
	expect_text("merged/d/stays", "top");
	expect_text("merged/d/other", "low");
	make_file("merged/d/gone", "new");
	make_dir("merged/d/dir");
	drop_all_caches();
	expect_names("merged/d", "dir gone other stays");
	expect_names("merged/d/dir", "");
	again();
	expect_names("merged/d", "dir gone other stays");
	expect_names("merged/d/dir", "");
	expect_text("merged/d/gone", "new");
	OK(unlink("merged/d/gone"));
	OK(rmdir("merged/d/dir"));
	again();
	expect_names("merged/d", "other stays");
}

/*
 *	top  d/ (x) gone: whiteout
 *	low  d/gone
 */
CASE(xattr_whiteouts_alone, "a directory with nothing but whiteouts that are files is empty, and can be removed")
{
	set_up_with(PLAIN);
	only_shale("to it such a directory is not empty");
	make_xattr_dir("top/d");
	make_xattr_whiteout("top/d/gone");
	make_dir("low/d");
	make_file("low/d/gone", "low");
	mount_layers("top:low");
	expect_names("merged/d", "");
	OK(rmdir("merged/d"));
	make_dir("merged/d");
	again();
	expect_names("merged/d", "");
}

/*
 *	t0  d/ (x) a: whiteout
 *	t1  d/ (x) b: whiteout      a
 *	t2  d/ (x) c: whiteout      a b       (the lowest: its directory says nothing)
 *	t2  lone/ (x) c: whiteout
 */
CASE(xattr_layers, "whiteouts that are files hide what is below them, in each layer but the lowest")
{
	want_new_format();
	set_up_with(PLAIN);
	make_dir("t0");
	make_dir("t1");
	make_dir("t2");
	make_xattr_dir("t0/d");
	make_xattr_dir("t1/d");
	make_xattr_dir("t2/d");
	make_xattr_whiteout("t0/d/a");
	make_file("t1/d/a", "t1");
	make_xattr_whiteout("t1/d/b");
	make_file("t2/d/a", "t2");
	make_file("t2/d/b", "t2");
	make_xattr_whiteout("t2/d/c");
	make_file("t1/d/e", "t1");
	make_xattr_whiteout("t0/d/e");
	make_file("t2/d/f", "t2");
	mount_layers("t0:t1:t2");
	expect_hidden("merged/d", "a");
	expect_hidden("merged/d", "b");
	expect_hidden("merged/d", "e");
	expect_text("merged/d/f", "t2");
	if (on_shale())
		expect_text("merged/d/c", "");
	expect_names("merged/d", "c f");
}

/*
 *	top (x)  gone: whiteout  d/ (no x) f: marked
 *	low      gone  d/f
 */
CASE(xattr_root, "the root of a layer may say that it has such whiteouts")
{
	want_new_format();
	set_up_with(PLAIN);
	set_mark("top", "opaque", "x");
	make_xattr_whiteout("top/gone");
	make_file("low/gone", "low");
	make_file("low/stays", "low");
	mount_layers("top:low");
	expect_hidden("merged", "gone");
	expect_names("merged", "stays");
	make_file("merged/gone", "new");
	again();
	expect_text("merged/gone", "new");
}

/*
 *	top  plain/f (marked)  x/ (x) {full (marked, not empty), empty (no mark), link}
 *	low  plain/f  x/{full,empty,link}
 */
CASE(xattr_none, "neither a file that is not empty is such a whiteout, nor one outside of such a directory")
{
	want_new_format();
	set_up_with(PLAIN);
	make_dir("top/plain");
	make_xattr_whiteout("top/plain/f");
	make_xattr_dir("top/x");
	make_file("top/x/full", "top");
	set_mark("top/x/full", "whiteout", "y");
	make_file("top/x/empty", "");
	make_dir("top/x/dir");
	set_mark("top/x/dir", "whiteout", "y");
	make_dir("top/x/sub");
	make_xattr_whiteout("top/x/sub/f");
	make_dir("low/plain");
	make_file("low/plain/f", "low");
	make_dir("low/x");
	make_file("low/x/full", "low");
	make_file("low/x/empty", "low");
	make_dir("low/x/dir");
	make_file("low/x/dir/in", "low");
	make_dir("low/x/sub");
	make_file("low/x/sub/f", "low");
	mount_layers("top:low");
	if (on_shale()) {
		expect_text("merged/plain/f", "");
		expect_text("merged/x/sub/f", "");
	}
	expect_names("merged/plain", "f");
	expect_names("merged/x", "dir empty full sub");
	expect_text("merged/x/full", "top");
	expect_text("merged/x/empty", "");
	expect_names("merged/x/dir", "in");
}

/*
 *	upper  d/ (x) f (marked)
 *	low    d/f
 */
CASE(xattr_upper, "the upper has no such whiteouts")
{
	only_shale("finds some of them");
	set_up_with(PLAIN);
	make_xattr_dir("upper/d");
	make_xattr_whiteout("upper/d/f");
	make_dir("low/d");
	make_file("low/d/f", "low");
	make_file("low/d/g", "low");
	mount_layers("low");
	expect_text("merged/d/f", "");
	expect_names("merged/d", "f g");
	OK(unlink("merged/d/f"));
	expect_whiteout("upper/d/f");
	expect_names("merged/d", "g");
}

/*
 *	top  d/ (x) {f: whiteout}
 *	low  d/f
 */
CASE(xattr_without_values, "the mark of such a whiteout may have any value, and be set on a file of no byte only")
{
	want_new_format();
	set_up_with(PLAIN);
	make_xattr_dir("top/d");
	make_file("top/d/a", "");
	set_mark("top/d/a", "whiteout", "");
	make_file("top/d/b", "");
	set_mark("top/d/b", "whiteout", "no");
	make_dir("low/d");
	make_file("low/d/a", "low");
	make_file("low/d/b", "low");
	make_dir("low/d/moved");
	mount_layers("top:low");
	expect_names("merged/d", "moved");
	expect_hidden("merged/d", "a");
	expect_hidden("merged/d", "b");
	/* A name that such a whiteout hides needs none when it goes. */
	OK(rename("merged/d/moved", "merged/d/a") ? (errno == EXDEV ? 0 : -1) : 0);
	make_file("merged/d/b", "new");
	OK(rename("merged/d/b", "merged/d/c"));
	again();
	expect_names("merged/d", "c moved");
}

CASE(xattr_rmdir, "a directory whose lower names are all hidden by such whiteouts is empty")
{
	want_new_format();
	set_up_with(PLAIN);
	make_xattr_dir("top/d");
	make_xattr_whiteout("top/d/f");
	make_dir("low/d");
	make_file("low/d/f", "low");
	mount_layers("top:low");
	expect_names("merged/d", "");
	if (!on_shale())
		SKIP("overlayfs: ENOTEMPTY");
	OK(rmdir("merged/d"));
	expect_absent("merged/d");
	make_dir("merged/d");
	again();
	expect_names("merged/d", "");
}

/* Layers of data alone */

enum { SIZE = (1 << 20) + 77 };

/* A file of a layer whose data is at a path in a data-only one. */
static void make_pointer_(const char *path, const char *to, off_t size)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, size))
		fail("making %s: %s", path, errno_name(errno));
	close(fd);
	set_mark_(path, "metacopy", "", 0);
	set_mark_(path, "redirect", to, strlen(to));
}
#define make_pointer(path, to) STEP(make_pointer_(path, to, SIZE))

static void set_up_data(void)
{
	want_new_format();
	set_up_with(DATA);
	make_dir("data");
	make_dir("data2");
	make_dir("data/ab");
	make_dir("data2/cd");
}

/*
 *	low    f → /ab/object (1 MiB)
 *	data   ab/object   (as "data-only": not to be seen)
 */
CASE(data_only, "a file's data comes from a layer whose names are not to be seen")
{
	struct stat st;

	set_up_data();
	make_pointer("low/f", "/ab/object");
	make_sized("data/ab/object", SIZE);
	OK(chmod("low/f", 0640));
	mount_layers("low::data");
	expect_names("merged", "f");
	expect_absent("merged/ab");
	st = stat_of("merged/f");
	CHECK_EQ(st.st_size, SIZE);
	CHECK_EQ(st.st_mode & 07777, 0640);
	CHECK(st.st_blocks > 0);
	expect_sized("merged/f", SIZE);
	CHECK_EQ(stat_of("merged/f").st_blocks, stat_of("data/ab/object").st_blocks);
	OK(chmod("merged/f", 0600));
	CHECK(stat_of("upper/f").st_blocks <= 16);
	again();
	expect_sized("merged/f", SIZE);
	OK(rename("merged/f", "merged/g"));
	expect_mark("upper/g", "redirect", "f");
	again();
	expect_sized("merged/g", SIZE);
	close(open_file("merged/g", O_WRONLY));
	expect_mark("upper/g", "metacopy", NULL);
	again();
	expect_sized("merged/g", SIZE);
}

/*
 *	low    f → /x   g → /y   h → /both
 *	data   x both="..."(the first wins)     data2  y both
 */
CASE(two_of_data, "of two layers of data the first that has the path is taken")
{
	set_up_data();
	make_pointer("low/f", "/ab/x");
	make_pointer("low/g", "/cd/y");
	STEP(make_pointer_("low/h", "/both", 3));
	make_sized("data/ab/x", SIZE);
	make_sized("data2/cd/y", SIZE);
	make_file("data/both", "one");
	make_file("data2/both", "two");
	mount_layers("low::data::data2");
	expect_names("merged", "f g h");
	expect_sized("merged/f", SIZE);
	expect_sized("merged/g", SIZE);
	expect_text("merged/h", "one");
	OK(truncate("merged/g", 10));
	OK(rename("merged/f", "merged/f2"));
	again();
	CHECK_EQ(stat_of("merged/g").st_size, 10);
	expect_sized("merged/f2", SIZE);
}

CASE(merged_and_data, "a layer that is merged may have the data, too, and is asked first")
{
	set_up_data();
	STEP(make_pointer_("top/f", "/object", 3));
	make_file("low/object", "low");
	make_file("data/object", "dat");
	make_file("data/alone", "dat");
	STEP(make_pointer_("low/g", "/alone", 3));
	mount_layers("top:low::data");
	expect_names("merged", "f g object");
	expect_text("merged/f", "low");
	expect_text("merged/g", "dat");
}

/*
 *	low  gone → /nothing   dir → /ab   link → /link   deep → /file/x
 */
CASE(data_missing, "data that is missing, or no file, is EIO when it is asked for, and not before")
{
	static const char * const names[] = { "gone", "dir", "link", "deep", "whiteout" };
	struct stat st;
	int i;

	set_up_data();
	make_pointer("low/gone", "/nothing");
	make_pointer("low/dir", "/ab");
	make_pointer("low/link", "/link");
	make_pointer("low/deep", "/file/x");
	make_pointer("low/whiteout", "/white");
	make_file("data/file", "file");
	make_sized("data/ab/object", SIZE);
	OK(symlink("ab/object", "data/link"));
	make_whiteout("data/white");
	mount_layers("low::data");
	expect_names("merged", "deep dir gone link whiteout");
	for (i = 0; i < 5; i++) {
		const char *path = text_of("merged/%s", names[i]);

		OK(stat(path, &st));
		CHECK_EQ(st.st_size, SIZE);
		CHECK(open(path, O_RDONLY) < 0);
		if (!on_shale())
			continue;	/* it says otherwise from one version to the next */
		FAILS(open(path, O_RDONLY), EIO);
		FAILS(open(path, O_WRONLY), EIO);
		OK(chmod(path, 0600));
		OK(stat(path, &st));
		FAILS(truncate(path, 1), EIO);
	}
	for (i = 0; i < 5; i++)
		OK(unlink(text_of("merged/%s", names[i])));
	expect_names("merged", "");
}

static long long nr_reads(const struct device *device)
{
	const char *path = text_of("/sys/block/%s/stat", strrchr(device->path, '/') + 1);
	long long reads = -1;
	FILE *stat = fopen(path, "re");

	if (!stat || fscanf(stat, "%lld", &reads) != 1)
		fail("%s: %s", path, errno_name(errno));
	fclose(stat);
	return reads;
}

/*
 *	low    0 1 2 ... → /ab/N     data is a file system of its own, none of which is in memory
 */
CASE(data_is_not_touched, "looking up and changing a thousand names reads nothing of the data's layer")
{
	enum { MANY = 1000 };
	struct device device;
	long long before;
	int i;

	set_up_data();
	device = loop_device(64 << 20);
	STEP(make_fs(&device, "ext4", "-q -m 0 -J size=1 -E nodiscard"));
	OK(mount_fs(device.path, "data", "ext4", 0, NULL));
	make_dir("data/ab");
	for (i = 0; i < MANY; i++) {
		make_pointer(text_of("low/%d", i), text_of("/ab/%d", i));
		if (i)
			make_file(text_of("data/ab/%d", i), text_of("%d", i));
	}
	make_sized("data/ab/0", SIZE);
	mount_layers("low::data");
	sync();
	drop_all_caches();
	before = STEP(nr_reads(&device));
	for (i = 0; i < MANY; i++)
		CHECK_EQ(stat_of(text_of("merged/%d", i)).st_size, SIZE);
	CHECK_EQ(STEP(nr_reads(&device)), before);
	for (i = 1; on_shale() && i < MANY; i += 10) {
		OK(chmod(text_of("merged/%d", i), 0600));
		OK(rename(text_of("merged/%d", i), text_of("merged/r%d", i)));
		OK(unlink(text_of("merged/%d", i + 1)));
	}
	if (on_shale())
		CHECK_EQ(STEP(nr_reads(&device)), before);
	expect_sized("merged/0", SIZE);
	CHECK(STEP(nr_reads(&device)) > before);
	again();
	CHECK_EQ(stat_of(on_shale() ? "merged/r11" : "merged/11").st_size, SIZE);
}

CASE(data_without_path, "a file whose mark is a name, or that has none, gets nothing from layers of data: EIO")
{
	struct stat st;

	set_up_data();
	make_pointer("low/relative", "object");
	make_pointer("low/none", "x");
	OK(removexattr("low/none", "trusted.overlay.redirect"));
	make_sized("data/object", SIZE);
	make_sized("data/none", SIZE);
	make_sized("data/relative", SIZE);
	mount_layers("low::data");
	FAILS(stat("merged/relative", &st), EIO);
	FAILS(stat("merged/none", &st), EIO);
}

CASE(data_in_use, "what is open, mapped or linked keeps its data when it is changed or removed")
{
	int fd;

	set_up_data();
	make_pointer("low/f", "/ab/object");
	make_pointer("low/g", "/ab/object");
	make_sized("data/ab/object", SIZE);
	mount_layers("low::data");
	fd = open_file("merged/f", O_RDONLY);
	OK(link("merged/f", "merged/f2"));
	OK(unlink("merged/f"));
	expect_sized(text_of("/proc/self/fd/%d", fd), SIZE);
	expect_sized("merged/f2", SIZE);
	write_text("merged/g", "new");
	expect_sized("merged/f2", SIZE);
	close(fd);
	again();
	expect_names("merged", "f2 g");
	expect_sized("merged/f2", SIZE);
	expect_text("merged/g", "new");
}

CASE(data_metacopy_off, "layers of data work without metacopy=on, too")
{
	only_shale("of 6.12 wants metacopy=on");
	set_up_data();
	with_features(PLAIN);
	make_pointer("low/f", "/ab/object");
	make_sized("data/ab/object", SIZE);
	mount_layers("low::data");
	expect_sized("merged/f", SIZE);
	OK(chmod("merged/f", 0600));
	expect_mark("upper/f", "metacopy", NULL);
	expect_sized("upper/f", SIZE);
	again();
	expect_sized("merged/f", SIZE);
}

/* Options */

CASE(data_options, "a merged layer after one of data, or none at all, is EINVAL")
{
	set_up_data();
	make_file("low/f", "f");
	FAILS(try_mount("merged", "lowerdir=::data"), EINVAL);
	FAILS(try_mount("merged", "lowerdir=low::data:top,upperdir=upper,workdir=work"), EINVAL);
	FAILS(try_mount("merged", "lowerdir=low:::data,upperdir=upper,workdir=work"), EINVAL);
	FAILS(try_mount("merged", "lowerdir=low::,upperdir=upper,workdir=work"), EINVAL);
	FAILS(try_mount("merged", "lowerdir=low::absent,upperdir=upper,workdir=work"), ENOENT);
	mount_options("merged", "lowerdir=low::data::data2,upperdir=upper,workdir=work");
	expect_names("merged", "f");
	unmount();
	mount_options("merged", "lowerdir=top:low::data");
	expect_names("merged", "f");
}

enum { CONFIG_STRING = 1, CONFIG_CREATE = 6 };

static int set_option(int fs, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fs, CONFIG_STRING, key, value, 0);
}

static int open_fs(void)
{
	int fs = syscall(SYS_fsopen, fs_type(), 1);

	if (fs < 0 && errno == ENODEV)
		SKIP("this kernel has no %s", fs_type());
	return OK(fs);
}

/* The last message of a configuration. */
static const char *message_of(int fs)
{
	static char text[1024];
	ssize_t len;

	*text = 0;
	while ((len = read(fs, text, sizeof(text) - 1)) > 0)
		text[len] = 0;
	return text;
}

CASE(datadir, "datadir+ adds a layer of data, after all that are merged")
{
	int fs, mnt;

	set_up_data();
	make_pointer("low/f", "/ab/object");
	make_pointer("top/g", "/cd/object");
	make_sized("data/ab/object", SIZE);
	make_sized("data2/cd/object", SIZE);
	fs = STEP(open_fs());
	OK(set_option(fs, "lowerdir+", "top"));
	OK(set_option(fs, "lowerdir+", "low"));
	OK(set_option(fs, "datadir+", "data"));
	FAILS(set_option(fs, "lowerdir+", "top"), EINVAL);
	if (on_shale())
		CHECK(strstr(message_of(fs), "can't follow one of data only"));
	OK(set_option(fs, "datadir+", "data2"));
	OK(set_option(fs, "metacopy", "on"));
	OK(syscall(SYS_fsconfig, fs, CONFIG_CREATE, NULL, NULL, 0));
	mnt = OK(syscall(SYS_fsmount, fs, 1, 0));
	OK(syscall(SYS_move_mount, mnt, "", AT_FDCWD, "merged", 4));
	close(fs);
	close(mnt);
	expect_names("merged", "f g");
	expect_sized("merged/f", SIZE);
	expect_sized("merged/g", SIZE);
}

CASE(datadir_alone, "datadir+ without a merged layer, or with lowerdir, is EINVAL")
{
	int fs;

	set_up_data();
	fs = STEP(open_fs());
	FAILS(set_option(fs, "datadir+", "absent"), ENOENT);
	if (on_shale()) {
		CHECK(strstr(message_of(fs), "datadir+ absent: no such directory"));
		OK(set_option(fs, "datadir+", "data"));
		FAILS(syscall(SYS_fsconfig, fs, CONFIG_CREATE, NULL, NULL, 0), EINVAL);
		CHECK(strstr(message_of(fs), "data-only layers need a lower layer above them"));
	}
	close(fs);
	fs = STEP(open_fs());
	OK(set_option(fs, "lowerdir", "low"));
	FAILS(set_option(fs, "datadir+", "data"), EINVAL);
	if (on_shale())
		CHECK(strstr(message_of(fs), "name all layers one way"));
	close(fs);
}

CASE(datadir_shown, "the mount says which layers are of data")
{
	set_up_data();
	make_file("low/f", "f");
	mount_layers("low::data");
	CHECK(shows_option("low::data,"));
}

/* Attributes of layers within layers */

#define NAME(levels) "trusted.overlay." levels "opaque"

CASE(escaped, "marks that are set through the mount lie in the layer under an escaped name, and show as set")
{
	char list[512];
	ssize_t size;

	want_new_format();
	set_up_with(PLAIN);
	make_dir("low/d");
	make_file("low/d/f", "f");
	mount_layers("low");
	OK(setxattr("merged/d", NAME(""), "y", 1, 0));
	OK(setxattr("merged/d", NAME("overlay."), "two", 3, 0));
	OK(setxattr("merged/d", NAME("overlay.overlay."), "three", 5, 0));
	expect_xattr("upper/d", NAME("overlay."), "y");
	expect_xattr("upper/d", NAME("overlay.overlay."), "two");
	expect_xattr("upper/d", NAME("overlay.overlay.overlay."), "three");
	expect_not_opaque("upper/d");
	again();
	expect_names("merged/d", "f");
	expect_xattr("merged/d", NAME(""), "y");
	expect_xattr("merged/d", NAME("overlay."), "two");
	expect_xattr("merged/d", NAME("overlay.overlay."), "three");
	expect_xattr("merged/d", NAME("overlay.overlay.overlay."), NULL);
	size = OK(listxattr("merged/d", list, sizeof(list)));
	CHECK(memmem(list, size, NAME(""), sizeof(NAME(""))));
	CHECK(memmem(list, size, NAME("overlay."), sizeof(NAME("overlay."))));
	CHECK(!memmem(list, size, NAME("overlay.overlay.overlay."), sizeof(NAME("overlay.overlay.overlay."))));
	CHECK(!memmem(list, size, "origin", 6));
	OK(removexattr("merged/d", NAME("")));
	expect_xattr("merged/d", NAME(""), NULL);
	expect_xattr("merged/d", NAME("overlay."), "two");
	expect_xattr("upper/d", NAME("overlay."), NULL);
	FAILS(removexattr("merged/d", NAME("")), ENODATA);
}

CASE(escaped_copy, "escaped marks of a lower are copied up, its own marks are not")
{
	want_new_format();
	set_up_with(PLAIN);
	make_dir("low/d");
	make_file("low/d/f", "f");
	set_mark("low/d", "overlay.opaque", "y");
	set_mark("low/d", "overlay.overlay.redirect", "z");
	set_mark("low/d", "unknown", "mark");
	set_mark("low/d/f", "overlay.metacopy", "");
	mount_layers("low");
	expect_xattr("merged/d", "trusted.overlay.opaque", "y");
	expect_xattr("merged/d", "trusted.overlay.overlay.redirect", "z");
	expect_xattr("merged/d", "trusted.overlay.unknown", NULL);
	OK(chmod("merged/d", 0700));
	OK(chmod("merged/d/f", 0700));
	again();
	expect_mark("upper/d", "overlay.opaque", "y");
	expect_mark("upper/d", "overlay.overlay.redirect", "z");
	expect_mark("upper/d", "unknown", NULL);
	expect_mark("upper/d/f", "overlay.metacopy", "");
	expect_mark("upper/d/f", "metacopy", NULL);
	expect_xattr("merged/d", "trusted.overlay.opaque", "y");
	expect_text("merged/d/f", "f");
	expect_names("merged/d", "f");
}

/*
 *	merged is the home of layers: merged/{top,low} are those of "inner"
 */
CASE(layers_within, "a mount can hold the layers of another, marks and all")
{
	want_new_format();
	set_up_with(PLAIN);
	make_file("low/unused", "");
	mount_layers("low");
	make_dir("merged/top");
	make_dir("merged/low");
	make_dir("merged/top/opaque");
	OK(setxattr("merged/top/opaque", NAME(""), "y", 1, 0));
	make_dir("merged/top/x");
	OK(setxattr("merged/top/x", NAME(""), "x", 1, 0));
	make_file("merged/top/x/gone", "");
	OK(setxattr("merged/top/x/gone", "trusted.overlay.whiteout", "y", 1, 0));
	make_dir("merged/low/opaque");
	make_file("merged/low/opaque/hidden", "hidden");
	make_dir("merged/low/x");
	make_file("merged/low/x/gone", "gone");
	make_file("merged/low/x/there", "there");
	make_dir("inner");
	mount_options("inner", "lowerdir=merged/top:merged/low");
	expect_names("inner", "opaque x");
	expect_names("inner/opaque", "");
	expect_names("inner/x", "there");
	expect_absent("inner/x/gone");
	expect_names("merged/low/opaque", "hidden");
}

CASE(escaped_too_long, "a name that would be too long with its escape is EOPNOTSUPP")
{
	char name[256];

	only_shale("says otherwise on some kernels");
	set_up_with(PLAIN);
	make_file("low/f", "f");
	mount_layers("low");
	memset(name, 'n', 255);
	memcpy(name, "trusted.overlay.", 16);
	name[255] = 0;
	FAILS(setxattr("merged/f", name, "v", 1, 0), EOPNOTSUPP);
	FAILS(getxattr("merged/f", name, NULL, 0), EOPNOTSUPP);
	name[255 - 8] = 0;
	OK(setxattr("merged/f", name, "v", 1, 0));
	expect_xattr("merged/f", name, "v");
}

CASES_MAIN
