// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mounts by somebody without any right, in a user namespace of their own. On disk, ID(x) is who is x
 * in there; root in there is SOMEBODY. Layers are SOMEBODY's but for what "low" has of others.
 */
#include "fixture.h"

#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "userns.h"

#define ID(x) ((x) ? 99999 + (x) : SOMEBODY)

/* In a child: as root of the namespace, with mounts of its own. */
#define INSIDE for (; STEP(child_inside()); fflush(stdout), _exit(KTAP_PASS))

static int inside;

static bool child_inside(void)
{
	if (!child_as(0, 0))
		return false;
	enter_userns(inside);
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	return true;
}

static void set_up_inside(void)
{
	static const char * const dirs[] = { ".", "top", "low", "upper", "work", "merged" };
	size_t i;

	set_up();
	allow_userns_mounts(true);
	inside = userns("0 1000 1\n1 100000 65536");
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		OK(chown(dirs[i], SOMEBODY, SOMEBODY));
}

static void mine(const char *path)
{
	OK(lchown(path, SOMEBODY, SOMEBODY));
}

static void make_my_file(const char *path, const char *text)
{
	make_file(path, text);
	mine(path);
}

static void make_my_dir(const char *path)
{
	make_dir(path);
	mine(path);
}

static int try_mount_inside(const char *lowers)
{
	return try_mount("merged", text_of("lowerdir=%s,upperdir=upper,workdir=work,userxattr", lowers));
}

#define mount_inside(lowers) OK(try_mount_inside(lowers))

static void expect_owner_(const char *path, unsigned int uid, unsigned int gid)
{
	struct stat st = stat_of_(path);

	if (st.st_uid != uid || st.st_gid != gid)
		fail("%s belongs to %u:%u, not %u:%u", path, st.st_uid, st.st_gid, uid, gid);
}

#define expect_owner(path, uid, gid) STEP(expect_owner_(path, uid, gid))

/*
 *	low  f="low"  gone  d/{x,y}  full/z
 */
CASE(names, "files and directories are made, changed, removed and renamed")
{
	int fd;

	set_up_inside();
	make_my_file("low/f", "low");
	make_my_file("low/gone", "low");
	make_my_dir("low/d");
	make_my_file("low/d/x", "low");
	make_my_file("low/d/y", "low");
	make_my_dir("low/full");
	make_my_file("low/full/z", "low");
	INSIDE {
		mount_inside("low");
		expect_names("merged", "d f full gone");
		expect_text("merged/f", "low");
		write_text("merged/f", "changed");
		make_file("merged/new", "new");
		OK(mkdir("merged/dir", 0755));
		OK(symlink("f", "merged/link"));
		OK(mkfifo("merged/fifo", 0644));
		OK(link("merged/f", "merged/hard"));
		OK(unlink("merged/gone"));
		OK(unlink("merged/d/x"));
		OK(unlink("merged/d/y"));
		OK(rmdir("merged/d"));
		OK(mkdir("merged/d", 0755));
		expect_names("merged/d", "");
		OK(rename("merged/new", "merged/dir/renamed"));
		OK(rename("merged/full/z", "merged/gone"));
		fd = OK(open("merged/dir", O_TMPFILE | O_RDWR, 0600));
		OK(write(fd, "text", 4));
		OK(linkat(AT_FDCWD, text_of("/proc/self/fd/%d", fd), AT_FDCWD, "merged/unnamed",
			  AT_SYMLINK_FOLLOW));
		close(fd);
		expect_names("merged", "d dir f fifo full gone hard link unnamed");
		unmount();
		mount_inside("low");
		expect_names("merged", "d dir f fifo full gone hard link unnamed");
		expect_names("merged/d", "");
		expect_names("merged/full", "");
		expect_names("merged/dir", "renamed");
		expect_text("merged/gone", "low");
		expect_text("merged/hard", "changed");
	}
	expect_whiteout("upper/full/z");
	expect_xattr("upper/d", "user.overlay.opaque", "y");
	expect_xattr("upper/d", "trusted.overlay.opaque", NULL);
	expect_owner("upper/f", SOMEBODY, SOMEBODY);
	expect_owner("upper/dir", SOMEBODY, SOMEBODY);
	expect_owner("upper/unnamed", SOMEBODY, SOMEBODY);
	expect_owner("upper/full/z", SOMEBODY, SOMEBODY);
}

/* An ACL: version 2, entries of tag, permissions, id: u::rw- u:@id:r-- g::--- m::r-- o::--- */
struct acl {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} entry[5];
};

static struct acl acl_for(uint32_t id)
{
	return (struct acl){ 2, {
		{ 0x01, 6, -1 }, { 0x02, 4, id }, { 0x04, 0, -1 }, { 0x10, 4, -1 }, { 0x20, 0, -1 },
	} };
}

#define ACCESS "system.posix_acl_access"

static void expect_acl(const char *path, uint32_t id)
{
	struct acl acl = { 0 }, wanted = acl_for(id);

	CHECK_EQ(OK(getxattr(path, ACCESS, &acl, sizeof(acl))), sizeof(acl));
	CHECK_EQ(acl.entry[1].id, wanted.entry[1].id);
}

/*
 *	low  f="low"
 */
CASE(attributes, "owners, modes, attributes, ACLs and capabilities are changed, in ids of the namespace")
{
	struct vfs_ns_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1 << CAP_CHOWN,
	};
	struct acl acl = acl_for(5);

	set_up_inside();
	make_my_file("low/f", "low");
	make_my_file("low/g", "low");
	INSIDE {
		mount_inside("low");
		expect_owner("merged/f", 0, 0);
		OK(chown("merged/f", 1, 2));
		expect_owner("merged/f", 1, 2);
		FAILS(chown("merged/f", 70000, -1), EINVAL);
		OK(chmod("merged/f", 02750));
		OK(setxattr("merged/f", "user.a", "value", 5, 0));
		OK(setxattr("merged/f", ACCESS, &acl, sizeof(acl), 0));
		expect_acl("merged/f", 5);
		FAILS(setxattr("merged/f", "trusted.a", "value", 5, 0), EPERM);
		OK(setxattr("merged/g", "security.capability", &caps, XATTR_CAPS_SZ_2, 0));
		CHECK_EQ(OK(getxattr("merged/g", "security.capability", &caps, sizeof(caps))),
			 XATTR_CAPS_SZ_2);
		/* Marks are hidden, and set under escaped names, as everywhere. */
		if (on_shale()) {
			OK(setxattr("merged/f", "user.overlay.opaque", "y", 1, 0));
			expect_xattr("merged/f", "user.overlay.opaque", "y");
		}
		AS(5, 5) {
			close(OK(open("merged/f", O_RDONLY)));
			FAILS(open("merged/f", O_WRONLY), EACCES);
			FAILS(open("merged/new", O_CREAT | O_WRONLY, 0600), EACCES);
		}
		OK(chmod("merged", 01777));
		AS(5, 6) {
			make_file("merged/theirs", "theirs");
			expect_owner("merged/theirs", 5, 6);
			FAILS(unlink("merged/f"), EPERM);
		}
	}
	expect_owner("upper/f", ID(1), ID(2));
	expect_acl("upper/f", ID(5));
	CHECK_EQ(stat_of("upper/f").st_mode & 07700, 02600);
	expect_owner("upper/theirs", ID(5), ID(6));
	CHECK_EQ(OK(getxattr("upper/g", "security.capability", &caps, sizeof(caps))), XATTR_CAPS_SZ_3);
	CHECK_EQ(caps.rootid, SOMEBODY);
	if (on_shale())
		expect_xattr("upper/f", "user.overlay.overlay.opaque", "y");
}

/*
 *	low  {public (0644), private (0600), writable (0666)}  d/ (0755): all root's
 */
CASE(of_others, "what belongs to others can be read, when all may, and hidden, but not changed")
{
	set_up_inside();
	make_file("low/public", "root's");
	make_file("low/private", "root's");
	OK(chmod("low/private", 0600));
	make_file("low/writable", "root's");
	OK(chmod("low/writable", 0666));
	make_dir("low/d");
	make_file("low/d/x", "root's");
	INSIDE {
		mount_inside("low");
		expect_owner("merged/public", 65534, 65534);
		expect_text("merged/public", "root's");
		expect_text("merged/d/x", "root's");
		FAILS(open("merged/private", O_RDONLY), EACCES);
		FAILS(open("merged/public", O_WRONLY), EACCES);
		FAILS(open("merged/public", O_RDONLY | O_NOATIME), EPERM);
		FAILS(chmod("merged/public", 0666), EPERM);
		FAILS(chown("merged/public", 0, 0), EPERM);
		FAILS(truncate("merged/public", 0), EACCES);
		FAILS(setxattr("merged/public", "user.a", "", 0, 0), EACCES);
		FAILS(open("merged/d/new", O_CREAT | O_WRONLY, 0600), EACCES);
		FAILS(unlink("merged/d/x"), EACCES);
		/* The copy would be theirs, and can't be made so. */
		FAILS(rename("merged/public", "merged/mine"), EOVERFLOW);
		FAILS(open("merged/writable", O_WRONLY), EOVERFLOW);
		expect_names("upper", "");
		OK(unlink("merged/public"));
		expect_names("merged", "d private writable");
	}
	expect_whiteout("upper/public");
}

/* It may be opened, but no name is seen. */
static void expect_unreadable_(const char *path)
{
	DIR *dir = opendir(path);

	errno = dir ? 0 : errno;
	while (dir && readdir(dir))
		errno = 0;
	if (errno != EACCES)
		fail("reading %s: %s, not EACCES", path, errno_name(errno));
	if (dir)
		closedir(dir);
}

#define expect_unreadable(path) STEP(expect_unreadable_(path))

/*
 *	upper  secret/ (mine)
 *	low    secret/ (0700, root's)/x
 */
CASE(closed_below, "a directory of others that is closed stays so under an open one")
{
	struct stat st;

	set_up_inside();
	make_my_dir("upper/secret");
	make_dir_mode("low/secret", 0700);
	make_file("low/secret/x", "root's");
	INSIDE {
		mount_inside("low");
		expect_unreadable("merged/secret");
		FAILS(lstat("merged/secret/x", &st), EACCES);
		FAILS(open("merged/secret/x", O_RDONLY), EACCES);
	}
}

/*
 *	low  null (device 1:3, 0666)
 */
CASE(devices, "devices can neither be made nor opened")
{
	set_up_inside();
	OK(mknod("low/null", S_IFCHR | 0666, makedev(1, 3)));
	OK(chmod("low/null", 0666));
	INSIDE {
		mount_inside("low");
		CHECK(S_ISCHR(stat_of("merged/null").st_mode));
		FAILS(open("merged/null", O_RDONLY), EACCES);
		FAILS(mknod("merged/char", S_IFCHR | 0666, makedev(1, 3)), EPERM);
		FAILS(mknod("merged/block", S_IFBLK | 0666, makedev(7, 0)), EPERM);
		FAILS(mknod("merged/whiteout", S_IFCHR | 0666, 0), EPERM);
		OK(unlink("merged/null"));
	}
	expect_whiteout("upper/null");
}

/*
 *	closed (0700, root's)/low  theirs (0755, root's)/  theirwork (0777, root's)/
 */
CASE(layers_of_others, "layers must be the mounter's to read, and an upper and work directory to write")
{
	set_up_inside();
	make_dir_mode("closed", 0700);
	make_dir("closed/low");
	make_dir("theirs");
	make_dir_mode("theirwork", 0777);
	INSIDE {
		FAILS(try_mount_inside("closed/low"), EACCES);
		/* overlayfs marks them in use, and mounts read-only where it can't make "work". */
		if (on_shale()) {
			FAILS(try_mount("merged",
					"lowerdir=low,upperdir=upper,workdir=theirs,userxattr"), EPERM);
			FAILS(try_mount("merged",
					"lowerdir=low,upperdir=theirs,workdir=work,userxattr"), EPERM);
			FAILS(try_mount("merged",
					"lowerdir=low,upperdir=upper,workdir=theirwork,userxattr"), EPERM);
		}
		/* One whose root is closed shows nothing. */
		if (!try_mount_inside("closed:low")) {
			expect_unreadable("merged");
			FAILS(access("merged/low", F_OK), EACCES);
			unmount();
		}
	}
}

/*
 *	low  f="low"
 */
CASE(needs_userxattr, "marks must be user attributes, for trusted ones could not be read")
{
	set_up_inside();
	make_my_file("low/f", "low");
	INSIDE {
		if (like_overlay()) {
			OK(try_mount("merged", "lowerdir=low,upperdir=upper,workdir=work"));
			expect_text("merged/f", "low");
			write_text("merged/f", "changed");
		} else {
			FAILS(try_mount("merged", "lowerdir=low,upperdir=upper,workdir=work"), EPERM);
		}
	}
}

/*
 *	top  dir/ (opaque by a user attribute)  gone (whiteout)
 *	low  dir/x  gone
 */
CASE(user_marks, "marks that somebody has made in a layer count")
{
	set_up_inside();
	make_my_dir("top/dir");
	OK(setxattr("top/dir", "user.overlay.opaque", "y", 1, 0));
	make_my_dir("low/dir");
	make_my_file("low/dir/x", "low");
	make_my_file("low/gone", "low");
	INSIDE {
		OK(mknod("top/gone", S_IFCHR, 0));
		mount_inside("top:low");
		expect_names("merged", "dir");
		expect_names("merged/dir", "");
	}
}

static int run(const char *path)
{
	char * const argv[] = { "program", NULL };
	int status;
	pid_t child = fork();

	if (!child) {
		execv(path, argv);
		_exit(errno);
	}
	CHECK(waitpid(child, &status, 0) == child);
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

/*
 *	noexec/  shows low, without programs
 *	low  program
 */
CASE(noexec, "a layer that was mounted without programs is no way to run them")
{
	only_shale("runs them");
	set_up_inside();
	make_my_dir("noexec");
	make_my_file("low/program", "#!/bin/sh\n");
	OK(chmod("low/program", 0755));
	INSIDE {
		mount_inside("low");
		OK(run("merged/program"));
		unmount();
		OK(mount("low", "noexec", NULL, MS_BIND, NULL));
		OK(mount(NULL, "noexec", NULL, MS_BIND | MS_REMOUNT | MS_NOEXEC, NULL));
		mount_inside("noexec");
		FAILS(run("merged/program"), EACCES);
	}
}

/*
 *	low  f="low"
 */
CASE(mapped, "such a mount can be mapped once more by who has made it")
{
	only_shale("maps no ids");
	set_up_inside();
	make_my_file("low/f", "low");
	make_my_dir("mapped");
	INSIDE {
		mount_inside("low");
		OK(mount_mapped("merged", "mapped", userns("0 10 100")));
		expect_owner("mapped/f", 10, 10);
		AS(10, 10) {
			write_text("mapped/f", "changed");
			make_file("mapped/new", "new");
		}
		AS(11, 11) {
			FAILS(open("mapped/f", O_WRONLY), EACCES);
		}
		OK(chown("mapped/f", 11, 12));
		FAILS(chown("mapped/f", 5, -1), EOVERFLOW);
		expect_owner("merged/f", 1, 2);
	}
	expect_owner("upper/new", SOMEBODY, SOMEBODY);
	expect_owner("upper/f", ID(1), ID(2));
}

CASE(remount, "such a mount can become read-only and writable again")
{
	set_up_inside();
	make_my_file("low/f", "low");
	INSIDE {
		mount_inside("low");
		OK(mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL));
		FAILS(open("merged/f", O_WRONLY), EROFS);
		OK(mount(NULL, "merged", NULL, MS_REMOUNT, NULL));
		write_text("merged/f", "changed");
	}
}

/* The last: as the parameter is by default. */
CASE(turned_off, "the module's parameter turns such mounts off, and the log of the context says so")
{
	only_shale("always lets them");
	set_up_inside();
	allow_userns_mounts(false);
	INSIDE {
		char message[256] = "";
		int fs = OK(syscall(SYS_fsopen, fs_type(), 0));

		FAILS(try_mount_inside("low"), EPERM);
		FAILS(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "lowerdir+", "low", 0), EPERM);
		OK(read(fs, message, sizeof(message) - 1));
		CHECK(strstr(message, "userns_mount"));
		FAILS(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), EPERM);
	}
	allow_userns_mounts(like_overlay());
	OK(try_mount("merged", "lowerdir=low,upperdir=upper,workdir=work"));
}

CASES_MAIN
