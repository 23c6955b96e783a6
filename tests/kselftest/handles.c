// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File handles, with nfs_export=on: what name_to_handle_at(2) gives leads to the same object later,
 * whatever happened to its name.
 *
 *	low	file twin1=twin2 link fifo dir/{inner sub/deep} shared/below/leaf
 *	top	shared/
 *	upper	new own/child
 */
#include "fixture.h"

#include <stdlib.h>

#include "handle.h"

#define EXPORT "redirect_dir=on,index=on,nfs_export=on,metacopy=off"

#ifndef AT_HANDLE_CONNECTABLE
#define AT_HANDLE_CONNECTABLE 0x002
#endif

static struct handle handle_of_(const char *path)
{
	struct handle handle;

	step_ok(text_of("name_to_handle_at(%s)", path), try_handle(path, 0, &handle));
	return handle;
}
#define handle_of(path) STEP(handle_of_(path))

static bool same_handle(const struct handle *a, const struct handle *b)
{
	return a->head.handle_bytes == b->head.handle_bytes &&
	       a->head.handle_type == b->head.handle_type &&
	       !memcmp(a->bytes, b->bytes, a->head.handle_bytes);
}

/* What a handle leads to is what has this name. */
static void expect_leads_to_(const struct handle *handle, const char *path)
{
	struct stat wanted, got;
	int fd = step_ok(text_of("opening the handle of %s", path),
			 open_handle(handle, O_PATH | O_NOFOLLOW));

	step_ok("fstat", fstat(fd, &got));
	close(fd);
	wanted = stat_of_(path);
	if (got.st_ino != wanted.st_ino || got.st_dev != wanted.st_dev)
		fail("the handle of %s leads to inode %llu, not %llu", path,
		     (unsigned long long)got.st_ino, (unsigned long long)wanted.st_ino);
	if (got.st_nlink != wanted.st_nlink)
		fail("by its handle %s has %lu links, not %lu", path, (long)got.st_nlink,
		     (long)wanted.st_nlink);
	expect_same_attributes_(&got, &wanted);
}
#define expect_leads_to(handle, path) STEP(expect_leads_to_(handle, path))

static void expect_stale_(const struct handle *handle)
{
	step_fails("open_by_handle_at", open_handle(handle, O_PATH), ESTALE);
}
#define expect_stale(handle) STEP(expect_stale_(handle))

static void expect_path_(const struct handle *handle, const char *path)
{
	char link[32], name[4096];
	int fd = step_ok("open_by_handle_at", open_handle(handle, O_PATH));
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = step_ok("readlink", readlink(link, name, sizeof(name) - 1));
	close(fd);
	name[size] = '\0';
	if (strcmp(strstr(name, "/merged/") ?: "", path))
		fail("a directory is found as %s, not %s", name, path);
}
#define expect_path(handle, path) STEP(expect_path_(handle, path))

static void write_by_handle_(const struct handle *handle, const char *text)
{
	int fd = step_ok("open_by_handle_at", open_handle(handle, O_WRONLY | O_TRUNC));

	step_ok("write", write(fd, text, strlen(text)));
	step_ok("close", close(fd));
}
#define write_by_handle(handle, text) STEP(write_by_handle_(handle, text))

static void make_layers(void)
{
	needs_handles();
	set_up();
	with_features(EXPORT);
	make_file("low/file", "low");
	make_file("low/twin1", "twin");
	OK(link("low/twin1", "low/twin2"));
	OK(symlink("file", "low/link"));
	OK(mkfifo("low/fifo", 0644));
	make_dir("low/dir");
	make_file("low/dir/inner", "inner");
	make_dir("low/dir/sub");
	make_file("low/dir/sub/deep", "deep");
	make_dir("low/shared");
	make_dir("low/shared/below");
	make_file("low/shared/below/leaf", "leaf");
	make_dir("top/shared");
}

static void set_up_all(void)
{
	make_layers();
	mount_layers("top:low");
	make_file("merged/new", "new");
	make_dir("merged/own");
	make_file("merged/own/child", "child");
}

/* What the index has, by kind. */
static void expect_index_(int files, int dirs, int whiteouts)
{
	DIR *dir = opendir("work/index");
	struct dirent *entry;
	int found[3] = { };

	if (!dir)
		fail("there is no index");
	while ((entry = readdir(dir))) {
		const char *path = text_of("work/index/%s", entry->d_name);

		/* overlayfs keeps a whiteout here to make links of. */
		if (entry->d_name[0] == '.' || entry->d_name[0] == '#')
			continue;
		found[is_whiteout(path) ? 2 : S_ISDIR(stat_of_(path).st_mode) ? 1 : 0]++;
	}
	closedir(dir);
	if (found[0] != files || found[1] != dirs || found[2] != whiteouts)
		fail("the index has %d files, %d directories and %d whiteouts; not %d, %d, %d",
		     found[0], found[1], found[2], files, dirs, whiteouts);
}
#define expect_index(files, dirs, whiteouts) STEP(expect_index_(files, dirs, whiteouts))

/* "merged" comes first: it must be there before what is in it is looked for. */
static const char * const all[] = {
	"merged", "merged/file", "merged/twin1", "merged/link", "merged/fifo", "merged/dir",
	"merged/dir/inner", "merged/dir/sub", "merged/dir/sub/deep", "merged/shared",
	"merged/shared/below", "merged/shared/below/leaf", "merged/new", "merged/own",
	"merged/own/child",
};
enum { NR_ALL = sizeof(all) / sizeof(all[0]) };

CASE(each_kind, "the handle of each kind of object leads to it, again and again")
{
	struct handle handle[NR_ALL];
	int i;

	set_up_all();
	for (i = 0; i < NR_ALL; i++)
		handle[i] = handle_of(all[i]);
	EACH_TIME {
		for (i = 0; i < NR_ALL; i++)
			expect_leads_to(&handle[i], all[i]);
	}
}

CASE(from_below, "what was not looked for by its name is found, the deepest first")
{
	struct handle handle[NR_ALL];
	int i;

	set_up_all();
	for (i = 0; i < NR_ALL; i++)
		handle[i] = handle_of(all[i]);
	again();
	for (i = NR_ALL - 1; i >= 0; i--)
		expect_leads_to(&handle[i], all[i]);
	for (i = NR_ALL - 1; i >= 0; i--) {
		drop_all_caches();
		expect_leads_to(&handle[i], all[i]);
	}
}

CASE(copied_up, "a handle stays what it is over copy-up, and leads to the copy")
{
	struct handle handle[NR_ALL], after;
	int i;

	set_up_all();
	for (i = 1; i < NR_ALL; i++) {
		handle[i] = handle_of(all[i]);
		OK(lchown(all[i], SOMEBODY, ANYBODY));
		after = handle_of(all[i]);
		CHECK(same_handle(&handle[i], &after));
	}
	EACH_TIME {
		for (i = 1; i < NR_ALL; i++) {
			expect_leads_to(&handle[i], all[i]);
			CHECK_EQ(stat_of(all[i]).st_uid, SOMEBODY);
			after = handle_of(all[i]);
			CHECK(same_handle(&handle[i], &after));
		}
	}
}

CASE(copied_up_by_handle, "what is changed through its handle alone has changed by its names")
{
	struct handle file, twin, inner;

	set_up_all();
	file = handle_of("merged/file");
	twin = handle_of("merged/twin1");
	inner = handle_of("merged/dir/inner");
	again();
	write_by_handle(&file, "changed");
	write_by_handle(&twin, "both");
	drop_all_caches();
	write_by_handle(&inner, "in it");
	EACH_TIME {
		expect_text("merged/file", "changed");
		expect_text("merged/twin1", "both");
		expect_text("merged/twin2", "both");
		expect_text("merged/dir/inner", "in it");
		expect_leads_to(&inner, "merged/dir/inner");
		CHECK_EQ(stat_of("merged/twin2").st_nlink, 2);
		CHECK_EQ(stat_of("merged/file").st_nlink, 1);
	}
	expect_absent("upper/file");
	write_text("merged/file", "by name");
	EACH_TIME
		expect_leads_to(&file, "merged/file");
	expect_text("upper/file", "by name");
}

CASE(without_export, "what was written through a handle shows in a mount with an index that gives none")
{
	struct handle file;

	set_up_all();
	file = handle_of("merged/file");
	again();
	write_by_handle(&file, "changed");
	unmount();
	with_features("redirect_dir=on,index=on,metacopy=off");
	mount_layers("top:low");
	EACH_TIME {
		expect_text("merged/file", "changed");
		CHECK_EQ(stat_of("merged/file").st_nlink, 1);
	}
}

CASE(renamed, "what was renamed is found, and what lies in it")
{
	struct handle handle[NR_ALL];
	int i;

	set_up_all();
	for (i = 0; i < NR_ALL; i++)
		handle[i] = handle_of(all[i]);
	OK(rename("merged/file", "merged/dir/sub/file"));
	OK(rename("merged/new", "merged/shared/new"));
	OK(rename("merged/dir", "merged/own/dir"));
	OK(rename("merged/shared", "merged/s"));
	OK(rename("merged/own", "merged/s/below/own"));
	EACH_TIME {
		expect_leads_to(&handle[1], "merged/s/below/own/dir/sub/file");
		expect_leads_to(&handle[5], "merged/s/below/own/dir");
		expect_leads_to(&handle[6], "merged/s/below/own/dir/inner");
		expect_leads_to(&handle[7], "merged/s/below/own/dir/sub");
		expect_leads_to(&handle[8], "merged/s/below/own/dir/sub/deep");
		expect_leads_to(&handle[9], "merged/s");
		expect_leads_to(&handle[10], "merged/s/below");
		expect_leads_to(&handle[11], "merged/s/below/leaf");
		expect_leads_to(&handle[12], "merged/s/new");
		expect_leads_to(&handle[13], "merged/s/below/own");
		drop_all_caches();
		expect_path(&handle[7], "/merged/s/below/own/dir/sub");
		drop_all_caches();
		expect_path(&handle[10], "/merged/s/below");
	}
}

CASE(other_layer, "a directory is found whose parents have their names from another layer")
{
	struct handle below;

	set_up_all();
	below = handle_of("merged/shared/below");
	unmount();
	mount_layers("top:low");
	OK(rename("merged/shared", "merged/moved"));
	EACH_TIME
		expect_path(&below, "/merged/moved/below");
}

CASE(exchanged, "two directories that were exchanged are found under their new names")
{
	struct handle dir, own, inner;

	set_up_all();
	dir = handle_of("merged/dir");
	own = handle_of("merged/own");
	inner = handle_of("merged/dir/sub");
	OK(rename2("merged/dir", "merged/own", RENAME_EXCHANGE));
	EACH_TIME {
		expect_path(&inner, "/merged/own/sub");
		drop_all_caches();
		expect_path(&dir, "/merged/own");
		expect_path(&own, "/merged/dir");
	}
}

CASE(removed, "what was removed is stale for good, also when its name comes back")
{
	struct handle handle[NR_ALL];
	int i;

	set_up_all();
	for (i = 0; i < NR_ALL; i++)
		handle[i] = handle_of(all[i]);
	OK(chmod("merged/dir/inner", 0600));
	for (i = NR_ALL - 1; i > 0; i--)
		OK(remove(all[i]));
	OK(unlink("merged/twin2"));
	EACH_TIME {
		for (i = 1; i < NR_ALL; i++)
			expect_stale(&handle[i]);
	}
	make_file("merged/file", "new");
	make_dir("merged/dir");
	make_file("merged/dir/inner", "new");
	EACH_TIME {
		expect_names("merged", "dir file");
		for (i = 1; i < NR_ALL; i++)
			expect_stale(&handle[i]);
	}
}

CASE(removed_uncopied, "to remove a large file does not copy it")
{
	struct handle file;

	only_shale("overlayfs copies it");
	make_layers();
	make_sized("low/large", 1 << 20);
	mount_layers("top:low");
	file = handle_of("merged/large");
	OK(unlink("merged/large"));
	CHECK(is_whiteout("upper/large"));
	expect_index(0, 0, 1);
	EACH_TIME
		expect_stale(&file);
}

CASE(replaced, "what a rename replaced is stale")
{
	struct handle file, inner, sub;

	set_up_all();
	file = handle_of("merged/file");
	inner = handle_of("merged/dir/inner");
	sub = handle_of("merged/dir/sub");
	OK(rename("merged/new", "merged/file"));
	OK(rename("merged/own/child", "merged/dir/inner"));
	OK(unlink("merged/dir/sub/deep"));
	OK(rename("merged/own", "merged/dir/sub"));
	EACH_TIME {
		expect_stale(&file);
		expect_stale(&inner);
		expect_stale(&sub);
	}
}

static void expect_open_(const struct handle *handle, const char *text)
{
	char read_text[16] = "";
	int fd = step_ok("open_by_handle_at", open_handle(handle, O_RDONLY));

	step_ok("read", read(fd, read_text, sizeof(read_text) - 1));
	close(fd);
	if (strcmp(read_text, text))
		fail("a removed file reads '%s', not '%s'", read_text, text);
}
#define expect_open(handle, text) STEP(expect_open_(handle, text))

CASE(removed_open, "what was removed while it is open is found until it is closed")
{
	struct handle file, new;
	int fd, new_fd;

	set_up_all();
	file = handle_of("merged/file");
	new = handle_of("merged/new");
	fd = open_file("merged/file", O_RDONLY);
	new_fd = open_file("merged/new", O_RDONLY);
	OK(unlink("merged/file"));
	OK(unlink("merged/new"));
	expect_open(&file, "low");
	expect_open(&new, "new");
	drop_all_caches();
	expect_open(&file, "low");
	write_by_handle(&file, "late");
	expect_open(&file, "late");
	OK(close(fd));
	OK(close(new_fd));
	expect_stale(&file);
	expect_stale(&new);
}

CASE(hard_links, "all names of a file have one handle, which leads to it until the last is gone")
{
	struct handle one, two, three;

	set_up_all();
	one = handle_of("merged/twin1");
	two = handle_of("merged/twin2");
	CHECK(same_handle(&one, &two));
	OK(link("merged/twin1", "merged/own/twin3"));
	three = handle_of("merged/own/twin3");
	CHECK(same_handle(&one, &three));
	OK(unlink("merged/twin1"));
	EACH_TIME {
		expect_leads_to(&one, "merged/own/twin3");
		CHECK_EQ(stat_of("merged/twin2").st_nlink, 2);
	}
	OK(unlink("merged/twin2"));
	EACH_TIME
		expect_leads_to(&one, "merged/own/twin3");
	OK(unlink("merged/own/twin3"));
	EACH_TIME
		expect_stale(&one);
}

CASE(link_by_handle, "a file that was found by its handle gets another name")
{
	struct handle file;
	int fd;

	set_up_all();
	file = handle_of("merged/file");
	again();
	fd = OK(open_handle(&file, O_RDONLY));
	OK(linkat(AT_FDCWD, text_of("/proc/self/fd/%d", fd), AT_FDCWD, "merged/own/linked",
		  AT_SYMLINK_FOLLOW));
	OK(close(fd));
	EACH_TIME {
		expect_leads_to(&file, "merged/own/linked");
		expect_leads_to(&file, "merged/file");
		CHECK_EQ(stat_of("merged/file").st_nlink, 2);
	}
	write_text("merged/own/linked", "one");
	EACH_TIME
		expect_text("merged/file", "one");
	OK(unlink("merged/file"));
	EACH_TIME
		expect_leads_to(&file, "merged/own/linked");
	OK(unlink("merged/own/linked"));
	EACH_TIME
		expect_stale(&file);
}

CASE(before_export, "what was copied up before nfs_export was on has a handle, too")
{
	struct handle file, dir, sub, moved;

	make_layers();
	with_features("redirect_dir=on,index=on,metacopy=off");
	mount_layers("top:low");
	write_text("merged/file", "copy");
	OK(chmod("merged/dir", 0700));
	OK(rename("merged/shared", "merged/moved"));
	unmount();
	with_features(EXPORT);
	mount_layers("top:low");
	file = handle_of("merged/file");
	dir = handle_of("merged/dir");
	sub = handle_of("merged/dir/sub");
	moved = handle_of("merged/moved/below");
	EACH_TIME {
		expect_leads_to(&file, "merged/file");
		expect_path(&dir, "/merged/dir");
		drop_all_caches();
		expect_path(&sub, "/merged/dir/sub");
		expect_path(&moved, "/merged/moved/below");
	}
	OK(rename("merged/dir", "merged/other"));
	EACH_TIME {
		expect_path(&sub, "/merged/other/sub");
		expect_path(&dir, "/merged/other");
	}
}

CASE(lower_only, "layers without an upper have handles")
{
	struct handle handle[NR_ALL];
	int i;

	make_layers();
	with_features("redirect_dir=nofollow,nfs_export=on,metacopy=off");
	mount_read_only("top:low");
	for (i = 0; i < 12; i++)
		handle[i] = handle_of(all[i]);
	EACH_TIME {
		/* overlayfs takes the root's for that of a directory in the layer. */
		for (i = on_shale() ? 0 : 1; i < 12; i++)
			expect_leads_to(&handle[i], all[i]);
	}
	handle[3] = handle_of("merged/twin2");
	CHECK(same_handle(&handle[2], &handle[3]));
}

/* Options */

CASE(options, "options that contradict nfs_export=on are refused, others follow from it")
{
	make_layers();
	with_features("");
	FAILS(try_mount("merged", "lowerdir=top:low,upperdir=upper,workdir=work,nfs_export=on,metacopy=on"), EINVAL);
	FAILS(try_mount("merged", "lowerdir=top:low,upperdir=upper,workdir=work,nfs_export=on,index=off"), EINVAL);
	mount_options("merged", "lowerdir=top:low,upperdir=upper,workdir=work,nfs_export=on");
	CHECK(shows_option("nfs_export=on"));
	CHECK(shows_option("index=on"));
	CHECK(!shows_option("metacopy=on"));
	handle_of("merged/file");
}

CASE(options_lower_only, "without an upper, nfs_export=on follows no redirects")
{
	only_shale("overlayfs leaves nfs_export off then");
	make_layers();
	with_features("");
	FAILS(try_mount("merged", "ro,lowerdir=top:low,nfs_export=on,redirect_dir=on"), EINVAL);
	mount_options("merged", "ro,lowerdir=top:low,nfs_export=on");
	handle_of("merged/dir/sub");
}

CASE(userxattr, "marks of users go with no handles")
{
	only_shale("overlayfs makes an index then that it does not mount again");
	make_layers();
	with_features("");
	FAILS(try_mount("merged", "lowerdir=top:low,upperdir=upper,workdir=work,userxattr,nfs_export=on"), EINVAL);
}

CASE(off, "without nfs_export there are no handles but to tell objects apart")
{
	struct handle one, two;

	make_layers();
	with_features("redirect_dir=on,index=on,metacopy=off,nfs_export=off");
	mount_layers("top:low");
	FAILS(try_handle("merged/file", 0, &one), EOPNOTSUPP);
	if (try_handle("merged/file", AT_HANDLE_FID, &one))
		SKIP("this kernel has no handles for that");
	OK(chmod("merged/file", 0600));
	OK(try_handle("merged/file", AT_HANDLE_FID, &two));
	CHECK(same_handle(&one, &two));
	OK(try_handle("merged/dir", AT_HANDLE_FID, &two));
	CHECK(!same_handle(&one, &two));
	expect_stale(&one);
}

CASE(connectable, "a connectable handle leads to a file and to its name")
{
	struct handle file, inner;

	only_shale("overlayfs makes none");
	set_up_all();
	if (try_handle("merged/file", AT_HANDLE_CONNECTABLE, &file) && errno == EINVAL)
		SKIP("this kernel makes no connectable handles for users");
	OK(try_handle("merged/file", AT_HANDLE_CONNECTABLE, &file));
	OK(try_handle("merged/dir/inner", AT_HANDLE_CONNECTABLE, &inner));
	EACH_TIME {
		expect_path(&file, "/merged/file");
		expect_path(&inner, "/merged/dir/inner");
	}
	write_text("merged/dir/inner", "copy");
	OK(rename("merged/dir", "merged/own/dir"));
	EACH_TIME {
		expect_leads_to(&inner, "merged/own/dir/inner");
		expect_path(&inner, "/merged/own/dir/inner");
	}
	OK(unlink("merged/own/dir/inner"));
	EACH_TIME
		expect_stale(&inner);
}

/* The index on disk */

CASE(index_on_disk, "the index has all that was copied up, and remembers files that were removed")
{
	make_layers();
	mount_layers("top:low");
	expect_index(0, 0, 0);
	write_text("merged/file", "copy");
	write_text("merged/dir/inner", "copy");
	OK(lchown("merged/link", SOMEBODY, ANYBODY));
	expect_index(3, 1, 0);
	again();
	expect_index(3, 1, 0);
	OK(unlink("merged/dir/inner"));
	OK(unlink("merged/link"));
	expect_index(1, 1, 2);
	OK(unlink("merged/dir/sub/deep"));
	again();
	expect_names("merged/dir", "sub");
	expect_text("merged/file", "copy");
}

CASE(index_of_removed_dir, "a directory of the index whose copy is gone does not stay")
{
	struct handle dir;

	make_layers();
	mount_layers("top:low");
	dir = handle_of("merged/dir");
	OK(chmod("merged/dir", 0700));
	expect_index(0, 1, 0);
	unmount();
	remove_in("upper");
	make_whiteout("upper/dir");
	mount_layers("top:low");
	expect_stale(&dir);
	EACH_TIME {
		expect_absent("merged/dir");
		expect_text("merged/file", "low");
	}
}

CASE(copied_dir, "a directory that was copied behind our back is not taken for the one of the index")
{
	make_layers();
	mount_layers("top:low");
	OK(chmod("merged/dir", 0700));
	unmount();
	OK(rename("upper/dir", "upper/moved"));
	mount_layers("top:low");
	/* The lower one is not covered any more. */
	FAILS(access("merged/dir", F_OK), EIO);
	expect_names("merged/moved", "");
}

CASE(other_origin, "a directory merges with none but the one that it was copied from")
{
	const char *options = "lowerdir=top:low,upperdir=upper,workdir=work";

	make_layers();
	mount_options("merged", options);
	OK(chmod("merged/dir", 0700));
	unmount();
	OK(rename("low/dir", "low/was"));
	make_dir("low/dir");
	make_file("low/dir/other", "other");
	mount_options("merged", options);
	expect_names("merged/dir", "");
	unmount();
	OK(rename("low/dir", "low/other"));
	OK(rename("low/was", "low/dir"));
	mount_options("merged", options);
	expect_names("merged/dir", "inner sub");
}

/* Handles that nobody gave out */

static void try_hostile(const struct handle *handle)
{
	char byte;
	int fd = open_handle(handle, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (read(fd, &byte, 1) < 0)
		errno = 0;
	close(fd);
}

CASE(hostile, "no bytes do harm")
{
	struct handle good[NR_ALL];
	int i, k, n;

	set_up_all();
	for (i = 0; i < NR_ALL; i++)
		good[i] = handle_of(all[i]);
	OK(chmod("merged/dir", 0700));
	srandom(1);
	for (n = 0; n < 4000; n++) {
		struct handle bad = good[n % NR_ALL];

		for (k = random() % 3; k >= 0; k--)
			bad.bytes[random() % bad.head.handle_bytes] ^= 1 << random() % 8;
		if (n % 5 == 0)
			bad.head.handle_bytes = random() % (MAX_HANDLE_SZ + 1);
		if (n % 7 == 0)
			bad.head.handle_type = random() % 256;
		try_hostile(&bad);
		if (n % 500 == 0)
			drop_all_caches();
	}
	for (n = 0; n < 256; n++) {
		struct handle bad = good[n % NR_ALL];

		bad.head.handle_type = n;
		try_hostile(&bad);
	}
	EACH_TIME {
		for (i = 0; i < NR_ALL; i++)
			expect_leads_to(&good[i], all[i]);
	}
}

CASE(forged, "a handle with another length, file system or kind is stale")
{
	struct handle good, bad;
	unsigned char *bytes = bad.bytes;

	set_up_all();
	good = handle_of("merged/dir");
	bad = good;
	bad.head.handle_bytes -= 4;
	expect_stale(&bad);
	bad = good;
	bytes[5]++;		/* the length in it */
	expect_stale(&bad);
	bad = good;
	bytes[8] ^= 1;		/* uuid */
	expect_stale(&bad);
	bad = good;
	bytes[6] ^= 4;		/* it is of the upper, it says */
	expect_stale(&bad);
	bad = good;
	bad.head.handle_type = 1;
	expect_stale(&bad);

	/* Of a directory beside the layers. */
	make_dir("beside");
	OK(try_handle("beside", 0, &bad));
	CHECK_EQ(bad.head.handle_bytes + 24, good.head.handle_bytes);
	memcpy(good.bytes + 24, bad.bytes, bad.head.handle_bytes);
	expect_stale(&good);
	good.bytes[6] ^= 4;
	expect_stale(&good);
}

/* The other driver */

static void mount_as(const char *type)
{
	const char *options = "lowerdir=top:low,upperdir=upper,workdir=work," EXPORT;

	if (mount("kselftest", "merged", type, 0, options)) {
		if (errno == ENODEV)
			SKIP("this kernel has no overlayfs");
		fail("mount -t %s: %s", type, errno_name(errno));
	}
}

CASE(other_driver, "the handles of a mount are those of an overlayfs over the same layers")
{
	struct handle handle[NR_ALL], other;
	int i;

	only_shale("compares both");
	if (like_overlay())
		SKIP("the other driver can't be there");
	set_up_all();
	for (i = 1; i < NR_ALL; i++)
		handle[i] = handle_of(all[i]);
	write_text("merged/file", "copy");
	OK(rename("merged/dir", "merged/moved"));
	OK(unlink("merged/fifo"));
	unmount();

	mount_as("overlay");
	expect_leads_to(&handle[1], "merged/file");
	expect_path(&handle[7], "/merged/moved/sub");
	expect_leads_to(&handle[6], "merged/moved/inner");
	expect_stale(&handle[4]);
	other = handle_of("merged/moved/sub");
	CHECK(same_handle(&handle[7], &other));
	OK(rename("merged/moved/sub", "merged/own/sub"));
	OK(chmod("merged/own/sub/deep", 0600));
	OK(unlink("merged/link"));
	unmount();

	mount_as(fs_type());
	EACH_TIME {
		expect_path(&handle[7], "/merged/own/sub");
		expect_leads_to(&handle[8], "merged/own/sub/deep");
		expect_leads_to(&handle[5], "merged/moved");
		expect_leads_to(&handle[1], "merged/file");
		expect_stale(&handle[3]);
		expect_stale(&handle[4]);
	}
}

/* One mount on another */

CASE(nested, "a mount with handles is a layer like any other")
{
	struct handle handle[12];
	int i;

	make_layers();
	make_dir("inner");
	with_features("redirect_dir=nofollow,nfs_export=on,metacopy=off");
	mount_options("inner", "ro,lowerdir=top:low");
	with_features(EXPORT);
	mount_options("merged", "lowerdir=inner,upperdir=upper,workdir=work");
	for (i = 1; i < 12; i++)
		handle[i] = handle_of(all[i]);
	write_text("merged/file", "copy");
	OK(rename("merged/dir", "merged/moved"));
	drop_all_caches();
	expect_path(&handle[7], "/merged/moved/sub");
	expect_leads_to(&handle[1], "merged/file");
	expect_leads_to(&handle[11], "merged/shared/below/leaf");
	unmount();
	mount_options("merged", "lowerdir=inner,upperdir=upper,workdir=work");
	expect_path(&handle[7], "/merged/moved/sub");
	expect_leads_to(&handle[1], "merged/file");
	expect_leads_to(&handle[11], "merged/shared/below/leaf");
	unmount();
	OK(umount("inner"));
}

CASES_MAIN
