/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the cases share: layers on the base file system, a mount of them, and steps.
 *
 *	.			a fresh directory on /scratch, the working directory of the case
 *	    top low		lower layers; "top" lies over "low"
 *	    upper work
 *	    merged		the mount
 *
 * The mount's type comes from the environment variable SHALE_FSTYPE, so that the cases can be run
 * against the kernel's own overlayfs (SHALE_FSTYPE=overlay). What holds for one only says so:
 * only_shale() skips the case, on_shale() tells the two apart where they differ on purpose.
 * Without it the type is SHALE_MODULE, the name under which our module is loaded: "overlay", too,
 * if it stands in for overlayfs. Then on_shale() holds, and so does like_overlay(): for what engines
 * rely on it does as overlayfs does (docs/differences.md, As overlay.ko).
 *
 * A step that does not do what it should ends the case and names the line that took it.
 * When a case ends, and however it does, what it mounted must be unmountable, no lower layer may have changed and
 * nothing may be left in the work directory: that is part of every case.
 */
#ifndef SHALE_FIXTURE_H
#define SHALE_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>

#include "ktap.h"

/* Cases are run in the order of their definition. A program ends with CASES_MAIN. */
#define CASE(function, title)							\
	static void function(void);						\
	static const struct ktap_test case_##function				\
		__attribute__((used, section("cases"), no_reorder,		\
			       aligned(__alignof__(struct ktap_test)))) = { title, function };	\
	static void function(void)

extern const struct ktap_test __start_cases[], __stop_cases[];

#define CASES_MAIN								\
	int main(int argc, char **argv)						\
	{									\
		return ktap_main(argc, argv, __start_cases, __stop_cases - __start_cases);	\
	}

/* Calls whose result is the usual one of a system call. */
#define OK(call) STEP(step_ok(#call, (errno = 0, (call))))
#define FAILS(call, wanted) STEP(step_fails(#call, (errno = 0, (call)), wanted))

/* Runs what follows in a child, as somebody else or as root, and waits for its success. */
#define AS(uid, gid) for (; STEP(child_as(uid, gid)); fflush(stdout), _exit(KTAP_PASS))
#define IN_CHILD AS(0, 0)
enum { SOMEBODY = 1000, ANYBODY = 1001 };

/* The line of the step that is being taken, for the message if it fails. */
void step_at(const char *file, int line);
#define STEP(call) (step_at(__FILE__, __LINE__), (call))

__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);
long step_ok(const char *call, long result);
void step_fails(const char *call, long result, int wanted);
bool child_as(uid_t uid, gid_t gid);
const char *errno_name(int error);

/* The mount */
const char *fs_type(void);
bool on_shale(void);
bool like_overlay(void);
void only_shale(const char *why);

/* Skips the case where the kernel has no file handles, by which origins are found again. */
void needs_handles(void);

/*
 * Mounts of this case have these features, as options, instead of none: not all defaults are the
 * same for Shale, for overlayfs and from one distribution to the next.
 */
void with_features(const char *features);

void set_up(void);
void set_up_with(const char *features);
/*
 * The same on a new file system of the given type: tmpfs, ext4, xfs, btrfs, or an ext4 whose device
 * can be broken. Skips the case where the kernel has none.
 */
void set_up_on(const char *type);
#define BREAKABLE "breakable"
/* With room for some hundred MiB; with project quotas, too. */
#define LARGE_EXT4 "large ext4"
#define PROJECTS_EXT4 "ext4 with projects"
#define PROJECTS_XFS "xfs with projects"
enum base_damage { WRITES_FAIL, READS_AND_WRITES_FAIL, REQUESTS_WAIT };
void base_break_(enum base_damage damage);
void base_repair_(void);
/* Whole again, and as after a power cut: what was not written then is lost. */
void base_remount_(void);
#define base_break(damage) STEP(base_break_(damage))
#define base_repair() STEP(base_repair_())
#define base_remount() STEP(base_remount_())
enum { READ_ONLY = 1 };
void mount_layers_(const char *lowers, int flags);
void mount_options_(const char *where, const char *options);
int try_mount(const char *where, const char *options);
void unmount_(void);
void again_(void);
#define mount_layers(lowers) STEP(mount_layers_(lowers, 0))
#define mount_read_only(lowers) STEP(mount_layers_(lowers, READ_ONLY))
#define mount_options(where, options) STEP(mount_options_(where, options))
#define unmount() STEP(unmount_())
/* Does the mount table say this of "merged"? */
bool shows_option(const char *text);
/* set_up_with(), but that the case is skipped where no mount can have these features. */
void set_up_if_known(const char *features);
/* Unmounts and mounts the same again: what is cached goes, what was written stays. */
#define again() STEP(again_())

/* EACH_TIME looks three times: at once, without caches, and after mounting again. */
bool next_look(int number);
#define EACH_TIME for (int look_ = 0; next_look(look_); look_++)

/* rename(2) with the flags of renameat2(2). */
int rename2(const char *from, const char *to, unsigned int flags);

/* Making layers */
void make_dir_(const char *path, mode_t mode);
void make_file_(const char *path, const char *text);
void make_sized_(const char *path, size_t size);
void make_whiteout_(const char *path);
void make_opaque_(const char *path);
void write_text_(const char *path, const char *text);
void set_mtime_(const char *path, time_t sec, long nsec);
#define make_dir(path) STEP(make_dir_(path, 0755))
#define make_dir_mode(path, mode) STEP(make_dir_(path, mode))
#define make_file(path, text) STEP(make_file_(path, text))
/* A file of that many bytes, no two pages of which are alike. */
#define make_sized(path, size) STEP(make_sized_(path, size))
#define make_whiteout(path) STEP(make_whiteout_(path))
#define make_opaque(path) STEP(make_opaque_(path))
/* A mark, "trusted.overlay.MARK", on an object of a layer. */
void set_mark_(const char *path, const char *mark, const void *value, size_t size);
#define set_mark(path, mark, text) STEP(set_mark_(path, mark, text, strlen(text)))
#define set_mark_bytes(path, mark, value, size) STEP(set_mark_(path, mark, value, size))
/* Overwrites the beginning of a file. */
void write_inside_(const char *path, const char *text);
#define write_inside(path, text) STEP(write_inside_(path, text))
/* Replaces the content through a descriptor opened with O_WRONLY | O_TRUNC. */
#define write_text(path, text) STEP(write_text_(path, text))
#define set_mtime(path, sec, nsec) STEP(set_mtime_(path, sec, nsec))

/* Removes all that is in a directory. */
void remove_in(const char *path);

/* Looking */
struct stat stat_of_(const char *path);
int open_(const char *path, int flags);
bool exists(const char *path);
bool is_whiteout(const char *path);
void expect_text_(const char *path, const char *text);
void expect_sized_(const char *path, size_t size);
void expect_names_(const char *path, const char *names);
void expect_absent_(const char *path);
void expect_whiteout_(const char *path);
/* Does a work directory hold more than every mount keeps there? */
bool has_leftovers(const char *work);
void expect_no_leftovers_(const char *work);
void expect_opaque_(const char *path, bool wanted);
void expect_xattr_(const char *path, const char *name, const char *value);
void expect_same_attributes_(const struct stat *got, const struct stat *wanted);
/* How many names, "." and ".." included, are left to read of an open directory; or -1. */
long nr_names_from(int fd);
#define stat_of(path) STEP(stat_of_(path))
#define open_file(path, flags) STEP(open_(path, flags))
#define expect_text(path, text) STEP(expect_text_(path, text))
#define expect_sized(path, size) STEP(expect_sized_(path, size))
/* All names, sorted and with blanks between, without "." and ".."; "" for an empty directory. */
#define expect_names(path, names) STEP(expect_names_(path, names))
#define expect_absent(path) STEP(expect_absent_(path))
#define expect_whiteout(path) STEP(expect_whiteout_(path))
#define expect_no_leftovers(work) STEP(expect_no_leftovers_(work))
#define expect_opaque(path) STEP(expect_opaque_(path, true))
#define expect_not_opaque(path) STEP(expect_opaque_(path, false))
/* NULL: there is none. */
#define expect_xattr(path, name, value) STEP(expect_xattr_(path, name, value))
/* What a mark says; NULL: there is none. */
#define expect_mark(path, mark, text) expect_xattr(path, "trusted.overlay." mark, text)
/* The number that readdir(3) gives with a name. */
ino_t d_ino_of_(const char *path);
#define d_ino_of(path) STEP(d_ino_of_(path))
/* Memory as O_DIRECT wants it. */
void *aligned_pages(size_t size);
/* Seconds, of a clock that only goes forward. */
double now(void);
/* Of names, inodes and pages all that nobody is using. */
void drop_all_caches(void);
/* Type, mode, owner, group, device, size (not of directories) and mtime. */
#define expect_same_attributes(got, wanted) STEP(expect_same_attributes_(got, wanted))

/* Anything the case needs that must not outlive it in memory. */
const char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
