// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Layers that somebody made up: any values as marks, on objects of all kinds, in lowers and the upper.
 * Then all that the mount shows is looked at, opened, changed, renamed, removed. Each may fail, with an
 * error that says so; nothing else may happen, and what lies outside of the layers shows nowhere.
 *
 *	canary/		beside the layers, with "SECRET" as the content of all files
 *	low top upper	each with the same names: d/{d/{f,g},f,g} e/{f} f g
 *	data		a layer of data alone
 */
#include "fixture.h"

#include <linux/fs.h>
#include <signal.h>
#include <sys/mman.h>

#define FEATURES "redirect_dir=on,metacopy=on,index=off"

enum { MAX_VALUES = 256, ROUNDS = 60 };

struct value {
	size_t size;
	unsigned char bytes[4200];
};

static struct value values[MAX_VALUES];
static int nr_values;

static uint64_t state;

static unsigned int any(unsigned int below)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % below;
}

/* Values: what follows, what the fuzzer knows, and either with random bytes in it. */

static void add_value(const void *bytes, size_t size)
{
	if (nr_values == MAX_VALUES || size > sizeof(values[0].bytes))
		return;
	values[nr_values].size = size;
	memcpy(values[nr_values++].bytes, bytes, size);
}

static const char * const texts[] = {
	"", "y", "x", "z", "/", "f", "d", "/f", "/d", "/d/d", "/d/f", "/e", "e", "/e/f", "..", "../canary",
	"/../canary", "/../canary/f", "/d/../../canary/f", "/d/d/d/d/d", ".", "/.", "//d", "/d/", "g", "/g", "link",
	"/link", "/link/f", "/work", "/up", "/up/f", "/upper", "/canary", "/canary/f", "U+1", "L-1", "U-5",
	"L+999999999", "U-99999999999", "y\n", "/data", "/data/f",
};

static void read_corpus(void)
{
	DIR *dir = opendir(SHALE_CORPUS);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		static char bytes[sizeof(values[0].bytes)];
		int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
		ssize_t size = read(fd, bytes, sizeof(bytes));

		if (size >= 0)
			add_value(bytes, size);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

static void make_values(void)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		add_value(texts[i], strlen(texts[i]));
	read_corpus();
}

static struct value any_value(void)
{
	struct value value = values[any(nr_values)];
	int changes;

	if (any(4))
		return value;
	for (changes = 1 + any(4); changes; changes--) {
		if (value.size && any(3))
			value.bytes[any(value.size)] = any(256);
		else if (value.size < sizeof(value.bytes) && any(2))
			value.bytes[value.size++] = any(256);
		else if (value.size)
			value.size--;
	}
	return value;
}

/* Layers */

static const char * const objects[] = {
	"d", "d/d", "d/d/f", "d/d/g", "d/f", "d/g", "e", "e/f", "f", "g", "link",
};
enum { NR_OBJECTS = 11 };

static const char * const marks[] = {
	"opaque", "redirect", "redirect", "redirect", "origin", "metacopy", "metacopy", "whiteout", "impure",
	"nlink", "upper", "uuid", "protattr", "overlay.opaque", "overlay.overlay.redirect", "",
};
enum { NR_MARKS = 16 };

static bool is_dir(int object)
{
	return !strchr("fg", objects[object][strlen(objects[object]) - 1]) && object != NR_OBJECTS - 1;
}

static void make_object(const char *layer, int object)
{
	const char *path = text_of("%s/%s", layer, objects[object]);

	switch (is_dir(object) ? 0 : any(12)) {
	case 0:
		mkdir(path, 0755);
		break;
	case 1:
		mknod(path, S_IFCHR, makedev(0, 0));
		break;
	case 2:
		mkdir(path, 0755);
		break;
	case 3:
		if (symlink("../canary/f", path))
			break;
		break;
	case 4:
	case 5:
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		break;
	default:
		if (!exists(path))
			make_file_(path, layer);
		break;
	}
}

static void mark_object(const char *layer, int object)
{
	const struct value value = any_value();

	/* What a file system can't store is not stored. */
	lsetxattr(text_of("%s/%s", layer, objects[object]),
		  text_of("trusted.overlay.%s", marks[any(NR_MARKS)]), value.bytes, value.size, 0);
}

static void make_layer(const char *layer)
{
	int i, nr;

	for (i = 0; i < NR_OBJECTS; i++) {
		if (is_dir(i) || any(3))
			make_object(layer, i);
	}
	if (symlink("d", text_of("%s/link", layer)) && errno != EEXIST)
		fail("symlink: %s", errno_name(errno));
	for (nr = 4 + any(20); nr; nr--)
		mark_object(layer, any(NR_OBJECTS));
	if (!any(4))
		setxattr(layer, "trusted.overlay.opaque", any(2) ? "x" : "y", 1, 0);
}

static void make_canary(void)
{
	make_dir("canary");
	make_file("canary/f", "SECRET");
	make_file("canary/g", "SECRET");
	make_dir("canary/d");
	make_file("canary/d/f", "SECRET");
	make_file("canary/only_here", "SECRET");
}

/* Using what is shown */

/* What says that an object is damaged, or that something of it is in the way. */
static bool is_allowed(int error)
{
	static const int allowed[] = {
		EIO, ESTALE, EPERM, ENOENT, ENOTDIR, EISDIR, ENOTEMPTY, EEXIST, ELOOP, EXDEV, EINVAL, ENODATA,
		EOPNOTSUPP, ENXIO, ENODEV, ENAMETOOLONG, EBUSY, EACCES, EMLINK, EUCLEAN,
	};
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (error == allowed[i])
			return true;
	}
	return false;
}

static long try_(const char *what, const char *path, long result)
{
	if (result < 0 && !is_allowed(errno))
		fail("%s(%s): %s", what, path, errno_name(errno));
	return result;
}
#define TRY(what, path, ...) STEP(try_(#what, path, what(path, ##__VA_ARGS__)))

static void read_file(const char *path)
{
	int fd = TRY(open, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[4096];
	ssize_t size;

	if (fd < 0)
		return;
	size = read(fd, text, sizeof(text));
	if (size < 0 && !is_allowed(errno))
		fail("read(%s): %s", path, errno_name(errno));
	if (size > 0 && memmem(text, size, "SECRET", 6))
		fail("%s shows what lies outside of all layers", path);
	close(fd);
}

static void change_file(const char *path)
{
	int fd;

	switch (any(6)) {
	case 0:
		TRY(chmod, path, 0640);
		break;
	case 1:
		TRY(truncate, path, any(10000));
		break;
	case 2:
		TRY(setxattr, path, "user.a", "value", 5, 0);
		break;
	default:
		fd = TRY(open, path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 && write(fd, "changed", 7) < 0 && !is_allowed(errno))
			fail("write(%s): %s", path, errno_name(errno));
		if (fd >= 0)
			close(fd);
		break;
	}
}

static void use_object(const char *path, bool change)
{
	struct stat st;
	char list[4096], target[4096];

	if (TRY(lstat, path, &st))
		return;
	if (S_ISREG(st.st_mode))
		read_file(path);
	TRY(readlink, path, target, sizeof(target));
	TRY(llistxattr, path, list, sizeof(list));
	if (change && !S_ISLNK(st.st_mode) && !S_ISCHR(st.st_mode))
		change_file(path);
}

static void walk(const char *path, int depth, bool change)
{
	DIR *dir;
	struct dirent *entry;
	char name[4096];

	if (depth > 6)
		return;
	dir = opendir(path);
	if (!dir) {
		if (!is_allowed(errno))
			fail("opendir(%s): %s", path, errno_name(errno));
		return;
	}
	errno = 0;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, "only_here"))
			fail("%s shows a directory from outside of all layers", path);
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) {
			snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
			use_object(name, change);
			if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
				walk(name, depth + 1, change);
		}
		errno = 0;
	}
	if (errno && !is_allowed(errno))
		fail("readdir(%s): %s", path, errno_name(errno));
	closedir(dir);
}

static int exchange(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
}

static void move_about(void)
{
	int i;

	for (i = 0; i < 30; i++) {
		const char *from = text_of("merged/%s", objects[any(NR_OBJECTS)]);
		const char *to = text_of("merged/%s", objects[any(NR_OBJECTS)]);

		switch (any(5)) {
		case 0:
			TRY(exchange, from, to);
			break;
		case 1:
			TRY(link, from, to);
			break;
		case 2:
			TRY(mkdir, from, 0755);
			break;
		case 3:
			TRY(rename, from, text_of("merged/n%u", any(5)));
			break;
		default:
			TRY(rename, from, to);
			break;
		}
	}
}

static void remove_all(const char *path, int depth)
{
	DIR *dir = depth > 8 ? NULL : opendir(path);
	struct dirent *entry;
	char name[4096];

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (TRY(unlink, name)) {
			remove_all(name, depth + 1);
			TRY(rmdir, name);
		}
	}
	if (dir)
		closedir(dir);
}

static void expect_canary(void)
{
	expect_text("canary/f", "SECRET");
	expect_text("canary/g", "SECRET");
	expect_text("canary/d/f", "SECRET");
	expect_names("canary", "d f g only_here");
}

/* One round: other layers, other values; then without caches, and mounted again. */
static void use_layers(uint64_t seed, const char *options)
{
	static const char * const dirs[] = { "l1", "l0", "up", "data" };
	size_t i;

	state = seed;
	for (i = 0; i < 4; i++) {
		make_dir(dirs[i]);
		STEP(make_layer(dirs[i]));
	}
	make_dir("wd");
	if (try_mount("merged", options))
		fail("mount -o %s: %s", options, errno_name(errno));
	walk("merged", 0, false);
	walk("merged", 0, true);
	move_about();
	drop_all_caches();
	walk("merged", 0, true);
	unmount();
	if (try_mount("merged", options))
		fail("mounting again: %s", errno_name(errno));
	walk("merged", 0, false);
	remove_all("merged", 0);
	walk("merged", 0, false);
	unmount();
	expect_canary();
	for (i = 0; i < 4; i++) {
		remove_in(dirs[i]);
		OK(rmdir(dirs[i]));
	}
	remove_in("wd");
	OK(rmdir("wd"));
}

static void use_many(const char *features, const char *options, uint64_t seed)
{
	int round;

	set_up();
	with_features(features);
	make_values();
	make_canary();
	for (round = 0; round < ROUNDS; round++) {
		printf("# seed %llu\n", (long long)(seed + round));
		use_layers(seed + round, options);
	}
}

#define WRITABLE "lowerdir=l0:l1,upperdir=up,workdir=wd"

CASE(any_marks, "any values as marks: errors, and nothing from outside")
{
	use_many(FEATURES, WRITABLE, 1000);
}

CASE(marks_with_data, "the same above a layer of data")
{
	only_shale("of older kernels has none");
	use_many(FEATURES, "lowerdir=l0:l1::data,upperdir=up,workdir=wd", 2000);
}

CASE(marks_not_followed, "the same where neither redirects nor files without data are followed")
{
	use_many("redirect_dir=nofollow,metacopy=off,index=off", WRITABLE, 3000);
}

CASE(marks_xino, "the same with numbers that know their layer")
{
	use_many("redirect_dir=on,metacopy=on,index=off,xino=on", WRITABLE, 4000);
}

/* The index */

/* A name as the index has them, for any bytes; or any bytes as a name. */
static const char *any_entry_name(void)
{
	const struct value value = any_value();
	static char name[256];
	size_t i;

	for (i = 0; i < value.size && i < 120; i++)
		sprintf(name + 2 * i, any(50) ? "%02x" : "%02X", value.bytes[i]);
	if (any(3) && i)
		return name;
	snprintf(name, sizeof(name), "%.*s", (int)(value.size < 255 ? value.size : 255), value.bytes);
	for (i = 0; name[i]; i++) {
		if (name[i] == '/')
			name[i] = 'f';
	}
	return name[0] && strcmp(name, ".") && strcmp(name, "..") ? name : "none";
}

static const char *any_entry(void)
{
	static char path[300];
	struct dirent *entry;
	DIR *dir = opendir("wd/index");
	int nr = 0;

	path[0] = '\0';
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && !any(++nr))
			snprintf(path, sizeof(path), "wd/index/%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return path[0] ? path : NULL;
}

/* What a file system can't do is not done. */
static void damage_entry(void)
{
	const struct value value = any_value();
	const char *entry = any_entry(), *from, *to;

	if (!entry)
		return;
	switch (any(10)) {
	case 0:
		from = text_of("%s", entry);
		to = text_of("%s", any_entry());
		if (!exchange(from, to))
			break;
		break;
	case 1:
		rename(entry, text_of("wd/index/%s", any_entry_name()));
		break;
	case 2:
		if (!unlink(entry) || !rmdir(entry))
			mknod(entry, S_IFCHR, makedev(0, 0));
		break;
	case 3:
		if (!unlink(entry) || !rmdir(entry))
			mkdir(entry, 0755);
		break;
	case 4:
		if (!unlink(entry) && symlink("../../canary/f", entry))
			break;
		break;
	case 5:
		if (!unlink(entry) && link("canary/f", entry))
			break;
		break;
	case 6:
		if (!rename("up/d", "up/elsewhere"))
			rename("up/e", "up/d");
		break;
	default:
		lsetxattr(entry, text_of("trusted.overlay.%s", marks[any(NR_MARKS)]), value.bytes, value.size, 0);
		break;
	}
}

static int nr_refused, nr_mounted;

/*
 * An index that is real is damaged. Such a mount may be refused; which of these the index is to blame for is
 * not told here.
 */
static void use_index(uint64_t seed, const char *features)
{
	static const char * const dirs[] = { "l1", "l0", "up" };
	int damages;
	size_t i;

	state = seed;
	with_features(features);
	for (i = 0; i < 3; i++)
		make_dir(dirs[i]);
	for (i = 0; i < 2; i++) {
		STEP(make_layer(dirs[i]));
		/* Each with names of one file. */
		make_file(text_of("%s/one", dirs[i]), "one");
		OK(link(text_of("%s/one", dirs[i]), text_of("%s/two", dirs[i])));
		OK(link(text_of("%s/one", dirs[i]), text_of("%s/n0", dirs[i])));
	}
	make_dir("wd");
	mount_options("merged", WRITABLE);
	write_text("merged/one", "changed");
	OK(chmod("merged", 0750));
	walk("merged", 0, true);
	move_about();
	unmount();
	for (damages = 1 + any(6); damages; damages--)
		STEP(damage_entry());
	for (i = 0; i < 2; i++) {
		if (try_mount("merged", WRITABLE)) {
			if (!is_allowed(errno))
				fail("mounting: %s", errno_name(errno));
			nr_refused++;
			break;
		}
		nr_mounted++;
		walk("merged", 0, false);
		drop_all_caches();
		walk("merged", 0, true);
		move_about();
		if (i)
			remove_all("merged", 0);
		unmount();
	}
	expect_canary();
	for (i = 0; i < 3; i++) {
		remove_in(dirs[i]);
		OK(rmdir(dirs[i]));
	}
	remove_in("wd");
	OK(rmdir("wd"));
}

static void use_indexes(const char *features, uint64_t seed)
{
	int round;

	needs_handles();
	set_up();
	make_values();
	make_canary();
	nr_refused = nr_mounted = 0;
	for (round = 0; round < ROUNDS; round++) {
		printf("# seed %llu\n", (long long)(seed + round));
		use_index(seed + round, features);
	}
	printf("# %d mounts, %d refused\n", nr_mounted, nr_refused);
	CHECK(nr_mounted > ROUNDS / 4 && nr_refused);
}

CASE(damaged_index, "any damage to an index: errors, refused mounts, and nothing from outside")
{
	use_indexes("redirect_dir=on,metacopy=on,index=on", 6000);
}

CASE(damaged_index_export, "the same with file handles, and so with directories in the index")
{
	use_indexes("redirect_dir=on,metacopy=off,index=on,nfs_export=on", 7000);
}

CASE(marks_index, "any values as marks, where hard links are looked for in the index")
{
	needs_handles();
	use_many("redirect_dir=on,metacopy=on,index=on", WRITABLE, 8000);
}

CASE(marks_read_only, "the same without an upper")
{
	only_shale("can be asked in the other cases");
	set_up();
	with_features("redirect_dir=on,metacopy=on");
	make_values();
	make_canary();
	for (int round = 0; round < ROUNDS; round++) {
		static const char * const dirs[] = { "l0", "l1", "up", "data" };
		int i;

		state = 5000 + round;
		printf("# seed %llu\n", (long long)state);
		for (i = 0; i < 4; i++) {
			make_dir(dirs[i]);
			STEP(make_layer(dirs[i]));
		}
		mount_options("merged", "lowerdir=up:l0:l1::data");
		walk("merged", 0, false);
		drop_all_caches();
		walk("merged", 0, false);
		unmount();
		for (i = 0; i < 4; i++) {
			remove_in(dirs[i]);
			OK(rmdir(dirs[i]));
		}
	}
	expect_canary();
}

CASES_MAIN
