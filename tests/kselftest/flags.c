// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The flags of chattr(1). Immutable and append-only are a mark of the upper, other flags are its own.
 * Where a lower has them the case has a file system of its own: nobody could remove it else.
 */
#include "fixture.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define MARK "trusted.overlay.protattr"
enum { PROTECTED = FS_APPEND_FL | FS_IMMUTABLE_FL, COPIED = FS_SYNC_FL | FS_NOATIME_FL };

static int flags_of(const char *path)
{
	int flags = 0, fd = open_file(path, O_RDONLY | O_NONBLOCK);

	OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	close(fd);
	return flags & (PROTECTED | COPIED | FS_NODUMP_FL);
}

/* Changes the flags in @mask to @flags, as chattr does. Return: as a system call. */
static int change_flags(const char *path, int mask, int flags)
{
	int now = 0, ret, error, fd = open_file(path, O_RDONLY | O_NONBLOCK);

	OK(ioctl(fd, FS_IOC_GETFLAGS, &now));
	now = (now & ~mask) | flags;
	ret = ioctl(fd, FS_IOC_SETFLAGS, &now);
	error = errno;
	close(fd);
	errno = error;
	return ret;
}

static int set_flags(const char *path, int flags)
{
	return change_flags(path, 0, flags);
}

static int clear_flags(const char *path, int flags)
{
	return change_flags(path, flags, 0);
}

static void expect_flags_(const char *path, int wanted)
{
	int got = flags_of(path);

	if (got != wanted)
		fail("%s has the flags %#x, not %#x", path, got, wanted);
}

#define expect_flags(path, wanted) STEP(expect_flags_(path, wanted))

static uint64_t statx_attributes(const char *path)
{
	struct statx stx;

	OK(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx));
	return stx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);
}

static void expect_immutable(const char *path)
{
	FAILS(open(path, O_WRONLY), EPERM);
	FAILS(open(path, O_WRONLY | O_APPEND), EPERM);
	FAILS(truncate(path, 0), EPERM);
	FAILS(chmod(path, 0600), EPERM);
	FAILS(setxattr(path, "trusted.x", "x", 1, 0), EPERM);
	FAILS(unlink(path), EPERM);
	FAILS(rename(path, "merged/renamed"), EPERM);
	FAILS(link(path, "merged/linked"), EPERM);
}

static void expect_append_only(const char *path)
{
	int fd;

	FAILS(open(path, O_WRONLY), EPERM);
	FAILS(truncate(path, 0), EPERM);
	FAILS(chmod(path, 0600), EPERM);
	FAILS(unlink(path), EPERM);
	fd = open_file(path, O_WRONLY | O_APPEND);
	OK(write(fd, "+", 1));
	close(fd);
}

/*
 *	upper  f="text"
 */
CASE(immutable, "an immutable file is one by a mark, which is obeyed, kept and taken away")
{
	set_up();
	make_file("upper/f", "text");
	mount_layers("low");
	expect_flags("merged/f", 0);
	OK(set_flags("merged/f", FS_IMMUTABLE_FL));
	expect_flags("merged/f", FS_IMMUTABLE_FL);
	expect_flags("upper/f", 0);
	expect_xattr("upper/f", MARK, "i");
	expect_xattr("merged/f", MARK, NULL);
	expect_immutable("merged/f");
	CHECK_EQ(statx_attributes("merged/f"), STATX_ATTR_IMMUTABLE);
	again();
	expect_flags("merged/f", FS_IMMUTABLE_FL);
	expect_immutable("merged/f");
	CHECK_EQ(statx_attributes("merged/f"), STATX_ATTR_IMMUTABLE);
	OK(clear_flags("merged/f", FS_IMMUTABLE_FL));
	expect_xattr("upper/f", MARK, NULL);
	expect_flags("merged/f", 0);
	CHECK_EQ(statx_attributes("merged/f"), 0);
	write_text("merged/f", "changed");
	again();
	expect_flags("merged/f", 0);
	OK(unlink("merged/f"));
}

/*
 *	low  f="text"
 */
CASE(append_only, "an append-only file of a lower is copied up and can be appended to")
{
	struct fsxattr fsx = { 0 };
	int fd;

	set_up();
	make_file("low/f", "text");
	mount_layers("low");
	OK(set_flags("merged/f", FS_APPEND_FL | FS_NODUMP_FL));
	expect_flags("merged/f", FS_APPEND_FL | FS_NODUMP_FL);
	expect_flags("upper/f", FS_NODUMP_FL);
	expect_xattr("upper/f", MARK, "a");
	expect_append_only("merged/f");
	again();
	expect_append_only("merged/f");
	expect_text("merged/f", "text++");
	OK(set_flags("merged/f", FS_IMMUTABLE_FL));
	expect_xattr("upper/f", MARK, "ai");
	expect_immutable("merged/f");
	again();
	CHECK_EQ(statx_attributes("merged/f"), STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);

	/* The same by the other call. */
	fd = open_file("merged/f", O_RDONLY);
	OK(ioctl(fd, FS_IOC_FSGETXATTR, &fsx));
	CHECK_EQ(fsx.fsx_xflags & (FS_XFLAG_APPEND | FS_XFLAG_IMMUTABLE),
		 FS_XFLAG_APPEND | FS_XFLAG_IMMUTABLE);
	fsx.fsx_xflags &= ~FS_XFLAG_APPEND;
	OK(ioctl(fd, FS_IOC_FSSETXATTR, &fsx));
	close(fd);
	expect_xattr("upper/f", MARK, "i");
	expect_flags("merged/f", FS_IMMUTABLE_FL | FS_NODUMP_FL);
	OK(clear_flags("merged/f", FS_IMMUTABLE_FL));
	expect_flags("merged/f", FS_NODUMP_FL);
}

/*
 *	low  d/{f="low",sub/x}
 */
CASE(immutable_directory, "in an immutable directory nothing comes or goes, and what is there can change")
{
	set_up();
	make_dir("low/d");
	make_file("low/d/f", "low");
	make_dir("low/d/sub");
	make_file("low/d/sub/x", "low");
	mount_layers("low");
	OK(set_flags("merged/d", FS_IMMUTABLE_FL));
	expect_xattr("upper/d", MARK, "i");
	FAILS(open("merged/d/new", O_CREAT | O_WRONLY, 0600), EPERM);
	FAILS(mkdir("merged/d/new", 0700), EPERM);
	FAILS(unlink("merged/d/f"), EPERM);
	FAILS(rmdir("merged/d/sub"), EPERM);
	write_text("merged/d/f", "changed");
	make_file("merged/d/sub/new", "new");
	expect_names("upper/d", "f sub");
	again();
	expect_text("merged/d/f", "changed");
	expect_names("merged/d/sub", "new x");
	FAILS(unlink("merged/d/f"), EPERM);
	OK(change_flags("merged/d", FS_IMMUTABLE_FL, FS_APPEND_FL));
	make_file("merged/d/new", "new");
	FAILS(unlink("merged/d/new"), EPERM);
	OK(clear_flags("merged/d", FS_APPEND_FL));
	OK(unlink("merged/d/new"));
}

/*
 *	low  {immutable,append,d/f,both}="text", with such flags; d is immutable
 */
CASE(protected_lowers, "what protects objects of a lower holds, and goes along with a copy-up")
{
	set_up_on("ext4");
	make_file("low/immutable", "text");
	make_file("low/append", "text");
	make_dir("low/d");
	make_file("low/d/f", "text");
	OK(set_flags("low/immutable", FS_IMMUTABLE_FL));
	OK(set_flags("low/append", FS_APPEND_FL));
	OK(set_flags("low/d", FS_IMMUTABLE_FL));
	mount_layers("low");
	expect_flags("merged/immutable", FS_IMMUTABLE_FL);
	expect_immutable("merged/immutable");
	FAILS(unlink("merged/d/f"), EPERM);
	expect_names("upper", "");

	expect_append_only("merged/append");
	expect_xattr("upper/append", MARK, "a");
	expect_flags("upper/append", 0);
	expect_flags("merged/append", FS_APPEND_FL);
	expect_append_only("merged/append");

	write_text("merged/d/f", "changed");
	expect_xattr("upper/d", MARK, "i");
	FAILS(unlink("merged/d/f"), EPERM);

	OK(clear_flags("merged/immutable", FS_IMMUTABLE_FL));
	expect_xattr("upper/immutable", MARK, NULL);
	again();
	expect_text("merged/append", "text++");
	FAILS(unlink("merged/append"), EPERM);
	FAILS(unlink("merged/d/f"), EPERM);
	write_text("merged/immutable", "changed");
	expect_flags("low/immutable", FS_IMMUTABLE_FL);
}

/*
 *	low  {f,d/x}="text", synchronous and without access times
 */
CASE(copied_flags, "synchronous and no-atime go along with a copy-up, as the copy's own")
{
	set_up();
	make_file("low/f", "text");
	make_dir("low/d");
	make_file("low/d/x", "text");
	OK(set_flags("low/f", FS_SYNC_FL | FS_NOATIME_FL | FS_NODUMP_FL));
	OK(set_flags("low/d", FS_SYNC_FL));
	mount_layers("low");
	expect_flags("merged/f", FS_SYNC_FL | FS_NOATIME_FL | FS_NODUMP_FL);
	OK(chmod("merged/f", 0600));
	OK(chmod("merged/d/x", 0600));
	expect_flags("upper/f", FS_SYNC_FL | FS_NOATIME_FL);
	expect_flags("upper/d", FS_SYNC_FL);
	expect_flags("upper/d/x", 0);
	expect_flags("merged/f", FS_SYNC_FL | FS_NOATIME_FL);
	expect_xattr("upper/f", MARK, NULL);
	CHECK_EQ(stat_of("merged/f").st_mtime, stat_of("low/f").st_mtime);
}

/*
 *	upper  {f,d/x}="text", f and d with real flags
 */
CASE(upper_protected_itself, "an upper that carries the flags itself is obeyed, and relieved of them by a change")
{
	set_up();
	make_file("upper/f", "text");
	make_dir("upper/d");
	make_file("upper/d/x", "text");
	OK(set_flags("upper/f", FS_IMMUTABLE_FL));
	OK(set_flags("upper/d", FS_APPEND_FL));
	mount_layers("low");
	expect_flags("merged/f", FS_IMMUTABLE_FL);
	expect_immutable("merged/f");
	FAILS(unlink("merged/d/x"), EPERM);
	/* overlayfs sets its mark first, which it can't. */
	if (on_shale()) {
		OK(change_flags("merged/f", FS_IMMUTABLE_FL, FS_APPEND_FL));
		expect_flags("upper/f", 0);
		expect_xattr("upper/f", MARK, "a");
		expect_append_only("merged/f");
		OK(clear_flags("merged/f", FS_APPEND_FL));
		OK(unlink("merged/f"));
		OK(clear_flags("merged/d", FS_APPEND_FL));
		expect_flags("upper/d", 0);
		OK(unlink("merged/d/x"));
	} else {
		OK(clear_flags("upper/f", FS_IMMUTABLE_FL));
		OK(clear_flags("upper/d", FS_APPEND_FL));
	}
}

/*
 *	upper  {ia,unknown,partly,empty,long}, with values of the mark that nobody writes
 */
CASE(strange_marks, "a mark with letters in another order counts, one that nobody defines does not")
{
	static const struct {
		const char *name, *value;
		int flags;
	} marks[] = {
		{ "upper/ia", "ia", PROTECTED },
		{ "upper/many", "iiiiiiiiaaaaaaaaiiiiiiiiaaaaaaaa", PROTECTED },
		{ "upper/unknown", "x", 0 },
		{ "upper/partly", "ix", 0 },
		{ "upper/empty", "", 0 },
		{ "upper/long", "iiiiiiiiaaaaaaaaiiiiiiiiaaaaaaaaa", 0 },
	};
	size_t i;

	set_up();
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		make_file(marks[i].name, "text");
		OK(setxattr(marks[i].name, MARK, marks[i].value, strlen(marks[i].value), 0));
	}
	mount_layers("low");
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		expect_flags(text_of("merged/%s", marks[i].name + 6), marks[i].flags);
}

/*
 *	low  f="low"
 */
CASE(needs_a_right, "who may not set the flags does not")
{
	set_up();
	make_file("low/f", "low");
	OK(chown("low/f", SOMEBODY, SOMEBODY));
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY) {
		FAILS(set_flags("merged/f", FS_IMMUTABLE_FL), EPERM);
		FAILS(set_flags("merged/f", FS_APPEND_FL), EPERM);
	}
	AS(ANYBODY, ANYBODY) {
		FAILS(set_flags("merged/f", FS_NODUMP_FL), EPERM);
	}
	expect_flags("merged/f", 0);
	if (on_shale())
		expect_names("upper", "");
}

/*
 *	low  f="low"
 */
CASE(userxattr, "with userxattr the mark is a user attribute")
{
	set_up();
	make_file("low/f", "low");
	mount_options("merged", "lowerdir=low,upperdir=upper,workdir=work,userxattr");
	OK(set_flags("merged/f", FS_APPEND_FL));
	expect_xattr("upper/f", "user.overlay.protattr", "a");
	expect_append_only("merged/f");
	OK(clear_flags("merged/f", FS_APPEND_FL));
	expect_xattr("upper/f", "user.overlay.protattr", NULL);
}

static void mount_type(const char *type)
{
	if (mount("kselftest", "merged", type, 0,
		  "lowerdir=low,upperdir=upper,workdir=work,metacopy=off"))
		SKIP("this kernel has no %s to exchange layers with", type);
}

/*
 *	low  {ours,theirs,d/x}="low"
 */
CASE(exchange, "overlayfs obeys the mark that Shale has set, and the other way round")
{
	only_shale("it is the other of the two");
	if (like_overlay())
		SKIP("the kernel's own overlayfs is out of reach");
	set_up();
	make_file("low/ours", "low");
	make_file("low/theirs", "low");
	make_dir("low/d");
	make_file("low/d/x", "low");
	mount_type(fs_type());
	OK(set_flags("merged/ours", FS_APPEND_FL));
	OK(set_flags("merged/d", FS_IMMUTABLE_FL));
	unmount();

	mount_type("overlay");
	expect_flags("merged/ours", FS_APPEND_FL);
	expect_append_only("merged/ours");
	expect_flags("merged/d", FS_IMMUTABLE_FL);
	FAILS(unlink("merged/d/x"), EPERM);
	OK(clear_flags("merged/d", FS_IMMUTABLE_FL));
	OK(set_flags("merged/theirs", FS_APPEND_FL));
	OK(set_flags("merged/ours", FS_IMMUTABLE_FL));
	unmount();

	mount_type(fs_type());
	expect_flags("merged/ours", PROTECTED);
	expect_flags("merged/theirs", FS_APPEND_FL);
	expect_append_only("merged/theirs");
	expect_flags("merged/d", 0);
	OK(unlink("merged/d/x"));
	OK(clear_flags("merged/ours", PROTECTED));
	unmount();

	mount_type("overlay");
	expect_flags("merged/ours", 0);
	OK(unlink("merged/ours"));
	unmount();

	/* Takes away what overlayfs keeps in the work directory. */
	mount_type(fs_type());
	expect_absent("merged/ours");
	unmount();
}

CASES_MAIN
