// SPDX-License-Identifier: GPL-2.0-or-later
/* Mounting: options as overlayfs has them, refusals that leave nothing behind, remounting. */
#include "fixture.h"

#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "userns.h"

static const char good[] = "lowerdir=low,upperdir=upper,workdir=work";

/* Whether something is mounted on "merged". */
static bool is_mounted(void)
{
	return stat_of("merged").st_dev != stat_of(".").st_dev;
}

/* The line of /proc/self/mountinfo that tells of the mount on "merged". */
static const char *mount_line(void)
{
	static char line[16384];
	FILE *info = fopen("/proc/self/mountinfo", "re");
	bool found = false;

	CHECK(info);
	while (!found && fgets(line, sizeof(line), info))
		found = strstr(line, "/merged ");
	fclose(info);
	CHECK(found);
	return line;
}

/* Options */

/*
 *	a:b/1  a,b/2  a\b/3  "a b"/4  $PWD/low/5
 */
CASE(escapes, "in lowerdir a backslash protects colon, comma and backslash")
{
	set_up();
	make_dir("a:b");
	make_file("a:b/1", "");
	make_dir("a,b");
	make_file("a,b/2", "");
	make_dir("a\\b");
	make_file("a\\b/3", "");
	make_dir("a b");
	make_file("a b/4", "");
	make_dir("u,p");
	make_dir("w\\k");
	mount_options("merged", "lowerdir=a\\:b:a\\,b:a\\\\b:a b,upperdir=u\\,p,workdir=w\\\\k");
	expect_names("merged", "1 2 3 4");
	make_file("merged/5", "");
	expect_names("u,p", "5");
	unmount();
}

static int fs_context(void)
{
	int fd = fsopen(fs_type(), FSOPEN_CLOEXEC);

	if (fd < 0 && errno == ENODEV && !on_shale())
		SKIP("this kernel has no overlay");
	return OK(fd);
}

static int set(int context, const char *key, const char *value)
{
	return fsconfig(context, FSCONFIG_SET_STRING, key, value, 0);
}

static void attach(int context)
{
	int fd;

	OK(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = OK(fsmount(context, FSMOUNT_CLOEXEC, 0));
	OK(move_mount(fd, "", AT_FDCWD, "merged", MOVE_MOUNT_F_EMPTY_PATH));
	close(fd);
	close(context);
}

/*
 *	top/1  low/2  a:b\c,d/3
 */
CASE(lowerdir_plus, "fsconfig's lowerdir+ adds one layer each, its path taken as it is")
{
	int context;

	set_up();
	make_file("top/1", "top");
	make_file("low/1", "low");
	make_file("low/2", "low");
	make_dir("a:b\\c,d");
	make_file("a:b\\c,d/3", "");
	context = fs_context();
	OK(set(context, "source", "kselftest"));
	OK(set(context, "lowerdir+", "top"));
	OK(set(context, "lowerdir+", "low"));
	OK(set(context, "lowerdir+", "a:b\\c,d"));
	OK(set(context, "upperdir", "upper"));
	OK(set(context, "workdir", "work"));
	attach(context);
	expect_names("merged", "1 2 3");
	expect_text("merged/1", "top");
	make_file("merged/new", "new");
	expect_names("upper", "new");
}

static int open_dir(const char *path, int flags)
{
	return OK(open(path, flags | O_DIRECTORY | O_CLOEXEC));
}

/* @key is the directory behind @fd, which is closed. */
static int set_fd(int context, const char *key, int fd)
{
	int ret = fsconfig(context, FSCONFIG_SET_FD, key, NULL, fd);

	close(fd);
	return ret;
}

static int set_path(int context, const char *key, const char *path, int dirfd)
{
	return fsconfig(context, *path ? FSCONFIG_SET_PATH : FSCONFIG_SET_PATH_EMPTY, key, path, dirfd);
}

/*
 *	top/1  low/2  data/3
 */
CASE(layers_by_descriptor, "fsconfig takes directories that are open as lowerdir+, datadir+, upperdir and workdir")
{
	int context;

	only_shale("6.12's takes paths only");
	set_up();
	make_file("top/1", "top");
	make_file("low/2", "low");
	make_dir("data");
	make_file("data/3", "");
	context = fs_context();
	OK(set_fd(context, "lowerdir+", open_dir("top", O_RDONLY)));
	OK(set_fd(context, "lowerdir+", open_dir("low", O_RDONLY)));
	OK(set_fd(context, "datadir+", open_dir("data", O_RDONLY)));
	OK(set_fd(context, "upperdir", open_dir("upper", O_RDONLY)));
	OK(set_fd(context, "workdir", open_dir("work", O_RDONLY)));
	attach(context);
	expect_names("merged", "1 2");
	make_file("merged/new", "new");
	expect_names("upper", "new");
}

/*
 *	top/1  low/2
 */
CASE(layers_by_path_descriptor, "FSCONFIG_SET_PATH takes paths from a descriptor, SET_PATH_EMPTY one that is O_PATH")
{
	int context, here;

	only_shale("6.12's takes strings only");
	set_up();
	make_file("top/1", "top");
	make_file("low/2", "low");
	here = open_dir(".", O_PATH);
	context = fs_context();
	OK(set_path(context, "lowerdir+", "top", here));
	OK(set_path(context, "lowerdir+", "", open_dir("low", O_PATH)));
	OK(set_path(context, "upperdir", "upper", AT_FDCWD));
	OK(set_path(context, "workdir", "", open_dir("work", O_PATH)));
	attach(context);
	expect_names("merged", "1 2");
	make_file("merged/new", "new");
	expect_names("upper", "new");
	close(here);
}

/*
 *	file  low/
 */
CASE(no_layers_by_descriptor, "files, sockets, closed descriptors and missing paths are no layers: refused, and others can follow")
{
	int context;

	only_shale("6.12's takes strings only");
	set_up();
	make_file("file", "");
	context = fs_context();
	FAILS(set_fd(context, "lowerdir+", OK(open("file", O_RDONLY))), EINVAL);
	FAILS(set_fd(context, "lowerdir+", OK(socket(AF_UNIX, SOCK_STREAM, 0))), EINVAL);
	FAILS(set_fd(context, "upperdir", OK(open("file", O_RDONLY))), EINVAL);
	FAILS(fsconfig(context, FSCONFIG_SET_FD, "lowerdir+", NULL, 987), EBADF);
	FAILS(set_path(context, "lowerdir+", "missing", AT_FDCWD), ENOENT);
	FAILS(set_path(context, "lowerdir+", "", OK(open("file", O_PATH))), EINVAL);
	FAILS(set(context, "lowerdir+", ""), EINVAL);
	FAILS(set_fd(context, "lowerdir", open_dir("low", O_RDONLY)), EINVAL);
	OK(set_fd(context, "lowerdir+", open_dir("low", O_RDONLY)));
	OK(set_fd(context, "lowerdir+", open_dir("top", O_RDONLY)));
	attach(context);
	expect_names("merged", "");
}

/*
 *	(a directory of 250 bytes)/(another)/lower, upper, work
 */
CASE(long_paths, "paths of over 255 bytes are layers by mount(2) and by FSCONFIG_SET_PATH")
{
	char name[256], dir[600], path[3][700], options[2200];
	int context, i;

	set_up();
	memset(name, 'n', 250);
	name[250] = '\0';
	make_dir(name);
	snprintf(dir, sizeof(dir), "%s/%s", name, name);
	make_dir(dir);
	for (i = 0; i < 3; i++) {
		static const char *const leaf[] = { "lower", "upper", "work" };

		snprintf(path[i], sizeof(path[i]), "%s/%s", dir, leaf[i]);
		make_dir(path[i]);
	}
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s", path[0], path[1], path[2]);
	mount_options("merged", options);
	make_file("merged/new", "new");
	unmount();

	if (!on_shale())
		return;
	context = fs_context();
	OK(set_path(context, "lowerdir+", path[0], AT_FDCWD));
	OK(set_path(context, "upperdir", path[1], AT_FDCWD));
	OK(set_path(context, "workdir", path[2], AT_FDCWD));
	attach(context);
	expect_names("merged", "new");
}

/*
 *	top/  low/
 */
CASE(lowerdir_then_plus, "lowerdir+ after lowerdir is EINVAL; a second lowerdir replaces the first")
{
	int context;

	set_up();
	make_file("top/t", "top");
	make_file("low/l", "low");
	context = fs_context();
	OK(set(context, "lowerdir", "top"));
	FAILS(set(context, "lowerdir+", "low"), EINVAL);
	close(context);
	context = fs_context();
	OK(set(context, "lowerdir", "top"));
	OK(set(context, "lowerdir", "low"));
	OK(set(context, "upperdir", "upper"));
	OK(set(context, "workdir", "work"));
	attach(context);
	expect_names("merged", "l");
}

/*
 *	top/t  low/l    upper is not given
 */
CASE(without_upper, "without upper the mount is read-only: EROFS for every change")
{
	struct statvfs st;

	set_up();
	make_file("top/t", "top");
	make_file("low/l", "low");
	make_dir("low/d");
	mount_read_only("top:low");
	OK(statvfs("merged", &st));
	CHECK(st.f_flag & ST_RDONLY);
	expect_names("merged", "d l t");
	FAILS(open("merged/l", O_WRONLY), EROFS);
	FAILS(open("merged/new", O_WRONLY | O_CREAT, 0644), EROFS);
	FAILS(mkdir("merged/new", 0755), EROFS);
	FAILS(unlink("merged/l"), EROFS);
	FAILS(rmdir("merged/d"), EROFS);
	FAILS(chmod("merged/l", 0600), EROFS);
	FAILS(chown("merged/l", 1, 1), EROFS);
	FAILS(rename("merged/l", "merged/m"), EROFS);
	FAILS(link("merged/l", "merged/m"), EROFS);
	FAILS(symlink("x", "merged/m"), EROFS);
	FAILS(setxattr("merged/l", "user.x", "x", 1, 0), EROFS);
	FAILS(utimensat(AT_FDCWD, "merged/l", NULL, 0), EROFS);
	FAILS(mount(NULL, "merged", NULL, MS_REMOUNT, NULL), EROFS);
	expect_text("merged/l", "low");
}

/*
 *	low/l
 */
CASE(one_lower, "one lower without upper is enough (overlayfs wants two)")
{
	set_up();
	make_file("low/l", "low");
	if (like_overlay()) {
		FAILS(try_mount("merged", "lowerdir=low"), EINVAL);
		return;
	}
	mount_read_only("low");
	expect_names("merged", "l");
	FAILS(unlink("merged/l"), EROFS);
}

/*
 *	low/l
 */
CASE(remounting, "remounting read-only stops changes, remounting writable allows them again")
{
	int fd;

	set_up();
	make_file("low/l", "low");
	mount_layers("low");
	OK(mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	FAILS(chmod("merged/l", 0600), EROFS);
	FAILS(open("merged/new", O_CREAT | O_WRONLY, 0644), EROFS);
	expect_names("upper", "");
	OK(mount(NULL, "merged", NULL, MS_REMOUNT, NULL));
	OK(chmod("merged/l", 0600));
	fd = open_file("merged/new", O_CREAT | O_WRONLY);
	FAILS(mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	OK(mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	expect_names("merged", "l new");
	/* mount(8) repeats the options, and mount(2) ignores them. */
	OK(mount(NULL, "merged", NULL, MS_REMOUNT, "lowerdir=other"));
	OK(unlink("merged/l"));
	expect_names("merged", "new");
}

/*
 *	low/
 */
CASE(reconfiguring, "by fsconfig a live mount turns read-only and back, and takes no other option")
{
	int fd, context;

	set_up();
	make_file("low/l", "low");
	mount_layers("low");
	fd = open_file("merged", O_PATH);
	context = OK(fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC));
	FAILS(set(context, "lowerdir", "top"), EINVAL);
	close(context);
	context = OK(fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC));
	OK(fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	OK(fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	close(context);
	close(fd);
	FAILS(unlink("merged/l"), EROFS);
}

/*
 *	top/  low/
 */
CASE(shown_options, "/proc/self/mountinfo shows type, source and layers as they were given")
{
	const char *line;

	set_up();
	make_dir("with space");
	mount_options("merged", "lowerdir=top:with space,upperdir=upper,workdir=work");
	line = mount_line();
	CHECK(strstr(line, text_of(" - %s kselftest ", fs_type())));
	CHECK(strstr(line, "lowerdir=top:with\\040space"));
	CHECK(strstr(line, "upperdir=upper"));
	CHECK(strstr(line, "workdir=work"));
}

/* Where the mount's own options begin in its line, behind type, source and "rw" or "ro". */
static const char *own_options(void)
{
	const char *text = strstr(mount_line(), " - ");
	int field;

	for (field = 0; text && field < 4; field++)
		text = strchr(text + (field > 0), ' ') ?: NULL;
	CHECK(text);
	return text + 1;
}

/* In the mount table what could be taken for something else is written as three octal digits. */
static void decode(char *text)
{
	char *to = text;
	int code;

	while (*text) {
		if (*text == '\\' && sscanf(text + 1, "%3o", &code) == 1) {
			*to++ = code;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* Mounts what the mount table says, and nothing else; it must then say the same. */
static void mount_as_shown(void)
{
	static char shown[8192], list[8192];
	char *option, *rest;
	int context = fs_context();

	snprintf(shown, sizeof(shown), "%s", own_options());
	shown[strcspn(shown, "\n")] = '\0';
	unmount();
	strcpy(list, shown);
	OK(set(context, "source", "kselftest"));
	for (option = strtok_r(list, ",", &rest); option; option = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(option, '=');

		if (!strcmp(option, "rw") || !strcmp(option, "ro"))
			continue;
		if (value)
			*value++ = '\0';
		if (value)
			decode(value);
		if (value ? set(context, option, value) : fsconfig(context, FSCONFIG_SET_FLAG, option, NULL, 0))
			STEP(fail("%s=%s of \"%s\": %s", option, value ?: "", shown, errno_name(errno)));
	}
	attach(context);
	if (strncmp(own_options(), shown, strlen(shown)))
		STEP(fail("\"%s\" becomes \"%s\"", shown, own_options()));
	unmount();
}

/*
 *	top low data, and lowers with odd names
 */
CASE(mounted_as_shown, "what /proc/self/mountinfo shows mounts the same again")
{
	static const char * const features[] = {
		"", ",redirect_dir=off", ",redirect_dir=follow", ",redirect_dir=nofollow", ",redirect_dir=on",
		",metacopy=off", ",metacopy=on", ",redirect_dir=off,metacopy=off", ",index=on", ",index=off",
		",nfs_export=on", ",index=on,metacopy=on", ",xino=on", ",xino=off", ",xino=auto", ",userxattr",
		",uuid=on", ",uuid=null", ",uuid=off", ",uuid=auto", ",volatile", ",fsync=volatile",
		",fsync=strict", ",fsync=auto", ",copy_up=open", ",default_permissions", ",verity=on",
		",verity=require", ",userxattr,xino=on,index=on,volatile",
		",nfs_export=on,xino=on,uuid=on,redirect_dir=follow",
	};
	static const char * const layers[] = {
		"lowerdir=top:low", "lowerdir=top:low::data", "lowerdir=a\\:b:a\\,b:a\\\\b:a b:a=b:a\nb",
		"lowerdir=low", "lowerdir=top:low,upperdir=upper,workdir=work",
		"lowerdir=top:low::data,upperdir=upper,workdir=work",
		"lowerdir=a\\:b:a\\,b,upperdir=u\\,p,workdir=w\\\\k",
	};
	size_t i, j;
	int nr = 0;

	only_shale("of other versions has other options");
	set_up();
	make_dir("data");
	make_dir("a:b");
	make_dir("a,b");
	make_dir("a\\b");
	make_dir("a b");
	make_dir("a=b");
	make_dir("a\nb");
	make_dir("u,p");
	make_dir("w\\k");
	for (i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		for (j = 0; j < sizeof(features) / sizeof(features[0]); j++) {
			/* Not all go together, and not on all kernels. */
			if (mount("kselftest", "merged", fs_type(), 0, text_of("%s%s", layers[i], features[j])))
				continue;
			STEP(mount_as_shown());
			nr++;
			remove_in("upper");
			remove_in("work");
			remove_in("u,p");
			remove_in("w\\k");
			removexattr("upper", "trusted.overlay.uuid");
		}
	}
	printf("# %d mounts\n", nr);
	CHECK(nr > 120);
}

/*
 *	a:b\c,d/  top/  data/
 */
CASE(mounted_as_shown_plus, "so does what it shows of layers that were named one by one")
{
	int context;

	only_shale("of 6.1 has no such options");
	set_up();
	make_dir("data");
	make_dir("a:b\\c,d");
	make_dir("u:p\\p,r");
	make_dir("w:k\\k,r");
	context = fs_context();
	OK(set(context, "lowerdir+", "a:b\\c,d"));
	OK(set(context, "lowerdir+", "top"));
	OK(set(context, "datadir+", "data"));
	attach(context);
	STEP(mount_as_shown());
	context = fs_context();
	OK(set(context, "lowerdir+", "a:b\\c,d"));
	OK(set(context, "upperdir", "upper"));
	OK(set(context, "workdir", "work"));
	attach(context);
	STEP(mount_as_shown());
	context = fs_context();
	OK(set_fd(context, "lowerdir+", open_dir("a:b\\c,d", O_RDONLY)));
	OK(set_fd(context, "upperdir", open_dir("u:p\\p,r", O_RDONLY)));
	OK(set_fd(context, "workdir", open_dir("w:k\\k,r", O_RDONLY)));
	attach(context);
	STEP(mount_as_shown());
}

/* Refusals */

/* Gives the options one by one through fsconfig, so that the kernel's words can be read. */
static int refused_by_fsconfig(const char *options, char *words, size_t size)
{
	char list[8192], *option, *rest;
	int context = fs_context(), error = 0;
	ssize_t len;

	snprintf(list, sizeof(list), "%s", options);
	for (option = strtok_r(list, ",", &rest); option && !error;
	     option = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = 0;
		if (value ? set(context, option, value)
			  : fsconfig(context, FSCONFIG_SET_FLAG, option, NULL, 0))
			error = errno;
	}
	if (!error && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		error = errno;
	words[0] = 0;
	while ((len = read(context, words, size - 1)) > 0)
		words[len] = 0;
	close(context);
	return error;
}

/*
 * The mount is refused, by mount(2) and by fsconfig(2) alike, Shale's words name the thing, and a
 * good mount works afterwards.
 */
static void refused(const char *options, int wanted, const char *thing)
{
	char words[4096];
	int error;

	FAILS(try_mount("merged", options), wanted);
	CHECK(!is_mounted());
	error = refused_by_fsconfig(options, words, sizeof(words));
	if (error != wanted)
		STEP(fail("%s: by fsconfig %s, not %s", options, errno_name(error),
			  errno_name(wanted)));
	if (on_shale() && !strstr(words, thing))
		STEP(fail("the message does not name \"%s\": %s", thing, words));
	mount_options("merged", good);
	CHECK(is_mounted());
	make_file("merged/f", "new");
	OK(unlink("merged/f"));
	unmount();
}

/*
 *	low/ upper/ work/
 */
CASE(missing_layer, "a layer that does not exist is refused: ENOENT")
{
	set_up();
	refused("lowerdir=none,upperdir=upper,workdir=work", ENOENT, "none");
	refused("lowerdir=low:none,upperdir=upper,workdir=work", ENOENT, "none");
	refused("lowerdir=low,upperdir=none,workdir=work", ENOENT, "none");
	refused("lowerdir=low,upperdir=upper,workdir=none", ENOENT, "none");
}

/*
 *	file
 */
CASE(file_as_layer, "a file as layer is refused: EINVAL")
{
	set_up();
	make_file("file", "");
	refused("lowerdir=file,upperdir=upper,workdir=work", EINVAL, "file");
	refused("lowerdir=low,upperdir=file,workdir=work", EINVAL, "file");
	refused("lowerdir=low,upperdir=upper,workdir=file", EINVAL, "file");
}

/*
 *	upper/in
 */
CASE(lower_inside_upper, "a lower inside the upper is refused: ELOOP")
{
	set_up();
	make_dir("upper/in");
	refused("lowerdir=upper/in,upperdir=upper,workdir=work", ELOOP, "upper");
}

/*
 *	low/in
 */
CASE(upper_inside_lower, "an upper inside a lower is refused: ELOOP (overlayfs: only when it is met)")
{
	set_up();
	make_dir("low/in");
	if (on_shale()) {
		refused("lowerdir=low,upperdir=low/in,workdir=work", ELOOP, "low");
		return;
	}
	mount_options("merged", "lowerdir=low,upperdir=low/in,workdir=work");
	FAILS(open("merged/in", O_RDONLY), ELOOP);
}

/*
 *	low/in
 */
CASE(same_layer_twice, "the same layer twice, or one inside another, is refused: ELOOP")
{
	set_up();
	make_dir("low/in");
	OK(symlink("low", "link"));
	refused("lowerdir=low:low,upperdir=upper,workdir=work", ELOOP, "low");
	refused("lowerdir=low:top:low,upperdir=upper,workdir=work", ELOOP, "low");
	refused("lowerdir=low:link,upperdir=upper,workdir=work", ELOOP, "low");
	refused("lowerdir=low:low/in,upperdir=upper,workdir=work", ELOOP, "low");
	refused("lowerdir=low/in:low,upperdir=upper,workdir=work", ELOOP, "low");
	refused("lowerdir=upper,upperdir=upper,workdir=work", ELOOP, "upper");
	refused("lowerdir=work,upperdir=upper,workdir=work", ELOOP, "work");
}

/*
 *	other/work  on a tmpfs of its own
 */
CASE(work_elsewhere, "a work directory on another file system is refused: EINVAL")
{
	set_up();
	make_dir("other");
	OK(mount("none", "other", "tmpfs", 0, NULL));
	make_dir("other/work");
	refused("lowerdir=low,upperdir=upper,workdir=other/work", EINVAL, "other/work");
}

/*
 *	bind/ = a bind mount of this directory
 */
CASE(work_on_another_mount, "a work directory on another mount of the same file system is refused: EINVAL")
{
	set_up();
	make_dir("bind");
	OK(mount("work", "bind", NULL, MS_BIND, NULL));
	refused("lowerdir=low,upperdir=upper,workdir=bind", EINVAL, "bind");
}

/*
 *	upper/in  work/in
 */
CASE(work_inside_upper, "a work directory inside the upper, the upper inside it, or both one: EINVAL")
{
	set_up();
	make_dir("upper/in");
	make_dir("work/in");
	refused("lowerdir=low,upperdir=upper,workdir=upper/in", EINVAL, "upper");
	refused("lowerdir=low,upperdir=work/in,workdir=work", EINVAL, "work");
	refused("lowerdir=low,upperdir=upper,workdir=upper", EINVAL, "upper");
}

/*
 *	two mounts
 */
CASE(in_use, "an upper or work directory in use is EBUSY (overlayfs only warns, unless index=on)")
{
	set_up();
	make_dir("other");
	make_dir("other-upper");
	make_dir("other-work");
	mount_layers("low");
	if (!like_overlay()) {
		FAILS(try_mount("other", "lowerdir=top,upperdir=upper,workdir=other-work"), EBUSY);
		FAILS(try_mount("other", "lowerdir=top,upperdir=other-upper,workdir=work"), EBUSY);
		FAILS(try_mount("other", "lowerdir=upper,upperdir=other-upper,workdir=other-work"),
		      EBUSY);
	} else {
		mount_options("other", "lowerdir=top,upperdir=upper,workdir=other-work");
		OK(umount2("other", 0));
	}
	/* The first is none the worse for it. */
	make_file("merged/f", "new");
	expect_names("upper", "f");
	mount_options("other", "lowerdir=low,upperdir=other-upper,workdir=other-work");
	expect_names("other", "");
	make_file("other/g", "new");
	expect_names("merged", "f");
	OK(umount2("other", 0));
	unmount();
	mount_options("other", "lowerdir=upper,upperdir=other-upper,workdir=other-work");
	expect_names("other", "f g");
}

/*
 *	low/ upper/ work/
 */
CASE(bad_options, "unknown options and values, and layers left out, are refused: EINVAL")
{
	set_up();
	refused("lowerdir=low,upperdir=upper,workdir=work,nonsense", EINVAL, "nonsense");
	refused("lowerdir=low,upperdir=upper,workdir=work,nonsense=1", EINVAL, "nonsense");
	refused("lowerdir=low,upperdir=upper,workdir=work,redirect_dir=nonsense", EINVAL,
		"redirect_dir");
	refused("lowerdir=low,upperdir=upper,workdir=work,index=nonsense", EINVAL, "index");
	refused("lowerdir=low,upperdir=upper", EINVAL, "work");
	refused("upperdir=upper,workdir=work", EINVAL, "lower");
	refused("lowerdir=:low,upperdir=upper,workdir=work", EINVAL, "lowerdir");
	refused("lowerdir=low:,upperdir=upper,workdir=work", EINVAL, "lowerdir");
	FAILS(try_mount("merged", ""), EINVAL);
	FAILS(mount("kselftest", "merged", fs_type(), 0, NULL), EINVAL);
	CHECK(!is_mounted());
}

/*
 *	merged/{upper,work}   inside a mount of the same type
 */
CASE(upper_on_itself, "an upper on a stacking file system is refused: EINVAL")
{
	set_up();
	make_dir("other");
	mount_layers("low");
	make_dir("merged/upper");
	make_dir("merged/work");
	FAILS(try_mount("other", "lowerdir=top,upperdir=merged/upper,workdir=merged/work"), EINVAL);
	CHECK_EQ(stat_of("other").st_dev, stat_of(".").st_dev);
}

/*
 *	one = mount of low; two = mount over one; three is refused
 */
CASE(stacked_mounts, "a mount serves as a lower of another, but no deeper than the kernel allows")
{
	set_up();
	make_dir("one");
	make_dir("two");
	make_file("low/l", "low");
	make_file("low/m", "low");
	mount_options("one", "lowerdir=top:low");
	make_dir("upper2");
	make_dir("work2");
	mount_options("two", "lowerdir=one,upperdir=upper2,workdir=work2");
	expect_text("two/l", "low");
	write_text("two/l", "changed");
	OK(unlink("two/m"));
	expect_text("two/l", "changed");
	expect_text("one/l", "low");
	expect_names("two", "l");
	expect_names("one", "l m");
	FAILS(try_mount("merged", "lowerdir=two,upperdir=upper,workdir=work"), EINVAL);
}

/*
 *	ro = read-only bind mount with ro/{upper,work}
 */
CASE(upper_on_read_only_mount, "an upper on a read-only mount is refused: EINVAL")
{
	set_up();
	make_dir("ro");
	make_dir("ro/upper");
	make_dir("ro/work");
	OK(mount("ro", "ro", NULL, MS_BIND, NULL));
	OK(mount(NULL, "ro", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	refused("lowerdir=low,upperdir=ro/upper,workdir=ro/work", EINVAL, "ro/upper");
}

/*
 *	work/work/incompat/nonsense
 */
CASE(incompatible_feature, "a feature below work/incompat that is not known is refused: EINVAL")
{
	set_up();
	make_dir("work/work");
	make_dir("work/work/incompat");
	make_dir("work/work/incompat/nonsense");
	FAILS(try_mount("merged", good), EINVAL);
	CHECK(exists("work/work/incompat/nonsense"));
	OK(rmdir("work/work/incompat/nonsense"));
	OK(rmdir("work/work/incompat"));
	mount_options("merged", good);
	unmount();
}

/*
 *	top  d/ (redirect=elsewhere)  f (metacopy, empty)  plain
 *	low  d/x  elsewhere/y  f="low"
 */
CASE(marks_not_followed, "names with marks that this mount does not follow are EPERM, the rest works")
{
	set_up();
	make_dir("top/d");
	OK(setxattr("top/d", "trusted.overlay.redirect", "elsewhere", 9, 0));
	make_file("top/f", "");
	OK(setxattr("top/f", "trusted.overlay.metacopy", "", 0, 0));
	make_file("top/plain", "top");
	make_dir("low/d");
	make_file("low/d/x", "low");
	make_dir("low/elsewhere");
	make_file("low/elsewhere/y", "low");
	make_file("low/f", "low");
	mount_layers("top:low");
	FAILS(open("merged/d", O_RDONLY), EPERM);
	FAILS(open("merged/d/x", O_RDONLY), EPERM);
	FAILS(open("merged/f", O_RDONLY), EPERM);
	FAILS(chmod("merged/f", 0600), EPERM);
	expect_text("merged/plain", "top");
	expect_names("upper", "");
}

/* What a mount does and does not do */

/*
 *	work/work/{#1, #2/{whiteout}, "#3"/sub}
 */
CASE(leftovers, "what a crash left in the work directory is removed at the next mount")
{
	set_up();
	make_dir("work/work");
	make_file("work/work/#1", "leftover");
	make_dir("work/work/#2");
	make_whiteout("work/work/#2/gone");
	make_file("low/l", "low");
	mount_layers("low");
	expect_no_leftovers("work");
	OK(unlink("merged/l"));
	expect_names("merged", "");
}

/*
 *	low/sub/l  and a tmpfs mounted on low/sub
 */
CASE(mounts_on_layers, "what is mounted on a layer, before or after, is not part of it")
{
	set_up();
	make_dir("low/sub");
	make_file("low/sub/l", "low");
	make_dir("low/later");
	make_file("low/later/l", "low");
	OK(mount("none", "low/sub", "tmpfs", 0, NULL));
	make_file("low/sub/hidden", "");
	mount_options("merged", good);
	OK(mount("none", "low/later", "tmpfs", 0, NULL));
	expect_names("merged/sub", "l");
	expect_names("merged/later", "l");
	OK(umount2("low/sub", 0));
	OK(umount2("low/later", 0));
	unmount();
}

/*
 *	layers/0 ... layers/199, each with a file and a part of d
 */
CASE(two_hundred_layers, "200 lower layers with short paths fit into one lowerdir= of mount(2)")
{
	char options[4096] = "lowerdir=", cwd[512];
	size_t len = strlen(options);
	int i;

	set_up();
	OK(mkdir("l", 0755));
	CHECK(getcwd(cwd, sizeof(cwd)));
	for (i = 0; i < 200; i++) {
		make_dir(text_of("l/%d", i));
		make_dir(text_of("l/%d/d", i));
		make_file(text_of("l/%d/d/f%d", i, i), text_of("%d", i));
		make_file(text_of("l/%d/same", i), text_of("%d", i));
		len += sprintf(options + len, "%sl/%d", i ? ":" : "", i);
	}
	strcat(options, ",upperdir=upper,workdir=work");
	CHECK(strlen(options) < 4096);
	mount_options("merged", options);
	for (i = 0; i < 200; i += 13)
		expect_text(text_of("merged/d/f%d", i), text_of("%d", i));
	expect_text("merged/d/f199", "199");
	expect_text("merged/same", "0");
	expect_absent("merged/d/f200");
	write_text("merged/d/f199", "changed");
	OK(unlink("merged/d/f0"));
	expect_text("merged/d/f199", "changed");
	expect_absent("merged/d/f0");
	unmount();
}

/*
 *	low/l
 */
CASE(hundred_times, "mounting, changing something and unmounting works 100 times in a row")
{
	int i;

	set_up();
	make_file("low/l", "low");
	for (i = 0; i < 100; i++) {
		mount_layers("low");
		write_text("merged/l", text_of("%d", i));
		make_file(text_of("merged/f%d", i), "new");
		if (i)
			OK(unlink(text_of("merged/f%d", i - 1)));
		unmount();
	}
	mount_layers("low");
	expect_names("merged", "f99 l");
	expect_text("merged/l", "99");
}

/*
 *	low/l
 */
CASE(busy, "a mount with an open file is EBUSY, and can go once it is closed")
{
	int fd;

	set_up();
	make_file("low/l", "low");
	mount_layers("low");
	fd = open_file("merged/l", O_RDONLY);
	FAILS(umount2("merged", 0), EBUSY);
	close(fd);
	fd = open_file("merged", O_RDONLY | O_DIRECTORY);
	FAILS(umount2("merged", 0), EBUSY);
	close(fd);
	unmount();
	CHECK(!is_mounted());
}

/*
 *	low/l
 */
CASE(lazily_unmounted, "a mount detached with a file open serves the file to the end, then frees the upper")
{
	char text[8];
	int fd;

	set_up();
	make_file("low/l", "low");
	mount_layers("low");
	fd = open_file("merged/l", O_RDWR);
	OK(umount2("merged", MNT_DETACH));
	CHECK_EQ(OK(pwrite(fd, "LOW", 3, 0)), 3);
	CHECK_EQ(OK(pread(fd, text, 8, 0)), 3);
	if (!like_overlay())
		FAILS(try_mount("merged", good), EBUSY);
	close(fd);
	mount_options("merged", good);
	expect_text("merged/l", "LOW");
}

/*
 *	low/l    mounted by somebody without rights
 */
CASE(unprivileged, "somebody without CAP_SYS_ADMIN can't mount: EPERM")
{
	set_up();
	AS(SOMEBODY, SOMEBODY)
		FAILS(mount("kselftest", "merged", fs_type(), 0, good), EPERM);
	mount_options("merged", good);
	unmount();
}

/* Return: the context, which the parent has as well, for both share the table of files. */
static int describe_layers_as_root_of_a_namespace(void)
{
	int context;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 0;
	context = fs_context();
	OK(set(context, "source", "kselftest"));
	OK(set(context, "lowerdir", "low:low2"));
	return context;
}

/*
 *	low/  low2/
 */
CASE(handed_on, "layers that a user namespace described are nothing for somebody with more rights: EIO")
{
	int status, context;
	pid_t child;

	only_shale("it gives other errors, too");
	set_up();
	allow_userns_mounts(true);
	make_dir("low2");
	child = OK(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
	if (!child)
		_exit(describe_layers_as_root_of_a_namespace());
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	context = WEXITSTATUS(status);
	if (!context)
		SKIP("no user namespaces here");
	FAILS(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EIO);
	allow_userns_mounts(like_overlay());
	OK(close(context));
}

/*
 *	(statfs)
 */
CASE(statfs_numbers, "statvfs tells the upper's space, and names of 255 bytes")
{
	struct statvfs merged, base;

	set_up();
	mount_layers("low");
	OK(statvfs("upper", &base));
	OK(statvfs("merged", &merged));
	CHECK_EQ(merged.f_namemax, 255);
	CHECK_EQ(merged.f_bsize, base.f_bsize);
	CHECK_EQ(merged.f_blocks, base.f_blocks);
	CHECK(!(merged.f_flag & ST_RDONLY));
}

CASES_MAIN
