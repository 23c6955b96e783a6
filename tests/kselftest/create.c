// SPDX-License-Identifier: GPL-2.0-or-later
/* Making objects: in place, over whiteouts, with what they inherit. */
#include "fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

/* An ACL as the xattr system.posix_acl_* holds it: version 2, entries of tag, permissions, id. */
struct acl {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} entry[5];
};

/* u::rwx u:1001:r-x g::r-x m::rwx o::--- */
static const struct acl default_acl = { 2, {
	{ 0x01, 7, -1 }, { 0x02, 5, ANYBODY }, { 0x04, 5, -1 }, { 0x10, 7, -1 }, { 0x20, 0, -1 },
} };

static void set_default_acl(const char *dir)
{
	OK(setxattr(dir, "system.posix_acl_default", &default_acl, sizeof(default_acl), 0));
}

static struct acl acl_of(const char *path, const char *name)
{
	struct acl acl = { 0 };

	CHECK_EQ(OK(lgetxattr(path, name, &acl, sizeof(acl))), sizeof(acl));
	return acl;
}

static void make_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));

	strcpy(address.sun_path, path);
	OK(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
}

/*
 *	low  d/
 */
CASE(every_kind, "every kind of object can be made and lands in the upper alone")
{
	struct stat st;
	char target[8];

	set_up();
	make_dir("low/d");
	mount_layers("low");
	make_file("merged/d/file", "new");
	make_dir_mode("merged/d/dir", 0750);
	OK(symlink("text", "merged/d/link"));
	OK(mknod("merged/d/fifo", S_IFIFO | 0640, 0));
	OK(mknod("merged/d/char", S_IFCHR | 0600, makedev(1, 3)));
	OK(mknod("merged/d/block", S_IFBLK | 0600, makedev(7, 99)));
	OK(mknod("merged/d/mknod-file", S_IFREG | 0600, 0));
	make_socket("merged/d/socket");

	again();
	expect_names("merged/d", "block char dir fifo file link mknod-file socket");
	expect_names("upper/d", "block char dir fifo file link mknod-file socket");
	expect_text("merged/d/file", "new");
	CHECK_EQ(stat_of("merged/d/dir").st_mode, S_IFDIR | 0750);
	CHECK_EQ(OK(readlink("merged/d/link", target, sizeof(target))), 4);
	CHECK_EQ(stat_of("merged/d/fifo").st_mode, S_IFIFO | 0640);
	st = stat_of("merged/d/char");
	CHECK_EQ(st.st_mode, S_IFCHR | 0600);
	CHECK_EQ(st.st_rdev, makedev(1, 3));
	st = stat_of("merged/d/block");
	CHECK_EQ(st.st_mode, S_IFBLK | 0600);
	CHECK_EQ(st.st_rdev, makedev(7, 99));
	CHECK_EQ(stat_of("merged/d/mknod-file").st_mode, S_IFREG | 0600);
	CHECK(S_ISSOCK(stat_of("merged/d/socket").st_mode));
}

/*
 *	low  a/b/other  (b: mode 01775, somebody's)
 */
CASE(parents_are_copied, "making an object copies up the directories above it, and not what is in them")
{
	set_up();
	make_dir("low/a");
	make_dir_mode("low/a/b", 01775);
	OK(chown("low/a/b", SOMEBODY, ANYBODY));
	make_file("low/a/b/other", "low");
	mount_layers("low");
	make_file("merged/a/b/new", "new");
	expect_names("upper/a", "b");
	expect_names("upper/a/b", "new");
	CHECK_EQ(stat_of("upper/a/b").st_mode, S_IFDIR | 01775);
	CHECK_EQ(stat_of("upper/a/b").st_uid, SOMEBODY);
	CHECK_EQ(stat_of("upper/a/b").st_gid, ANYBODY);
	expect_names("merged/a/b", "new other");
	expect_not_opaque("upper/a/b");
}

/*
 *	low  d/
 */
CASE(whiteout_device, "a character device 0:0 can't be made: it would be a whiteout")
{
	set_up();
	make_dir("low/d");
	mount_layers("low");
	FAILS(mknod("merged/d/w", S_IFCHR | 0600, makedev(0, 0)), EPERM);
	expect_names("merged/d", "");
	OK(mknod("merged/d/w", S_IFBLK | 0600, makedev(0, 0)));
	expect_names("merged/d", "w");
}

/*
 *	low  f="low"  d/  link -> f  dangling -> made
 */
CASE(existing_names, "what exists is EEXIST, and refused calls copy nothing up")
{
	set_up();
	make_file("low/f", "low");
	make_dir("low/d");
	OK(symlink("f", "low/link"));
	OK(symlink("made", "low/dangling"));
	mount_layers("low");
	FAILS(open("merged/f", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	FAILS(mkdir("merged/f", 0755), EEXIST);
	FAILS(mkdir("merged/d", 0755), EEXIST);
	FAILS(symlink("x", "merged/f"), EEXIST);
	FAILS(mknod("merged/d", S_IFIFO | 0644, 0), EEXIST);
	FAILS(link("merged/f", "merged/d"), EEXIST);
	FAILS(open("merged/dangling", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	FAILS(open("merged/f/x", O_CREAT | O_WRONLY, 0644), ENOTDIR);
	FAILS(open("merged/none/x", O_CREAT | O_WRONLY, 0644), ENOENT);
	FAILS(open("merged/d", O_CREAT | O_WRONLY, 0644), EISDIR);
	FAILS(link("merged/d", "merged/d2"), EPERM);
	FAILS(link("merged/f", "other"), EXDEV);
	FAILS(mkdir("merged/f/x", 0755), ENOTDIR);
	expect_names("upper", "");
	close(open_file("merged/dangling", O_CREAT | O_WRONLY));
	expect_names("upper", "made");
}

/*
 *	low  {file,link,fifo,hard,char}="low"  source="source"
 */
CASE(over_whiteout, "every kind can be made where a lower name was removed")
{
	static const char * const names[] = { "file", "link", "fifo", "hard", "char" };
	size_t i;

	set_up();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make_file(text_of("low/%s", names[i]), "low");
	make_file("low/source", "source");
	mount_layers("low");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		OK(unlink(text_of("merged/%s", names[i])));
		expect_whiteout(text_of("upper/%s", names[i]));
	}
	make_file("merged/file", "new");
	OK(symlink("target", "merged/link"));
	OK(mknod("merged/fifo", S_IFIFO | 0640, 0));
	OK(link("merged/source", "merged/hard"));
	OK(mknod("merged/char", S_IFCHR | 0620, makedev(1, 5)));
	again();
	expect_text("merged/file", "new");
	CHECK_EQ(stat_of("merged/file").st_mode, S_IFREG | 0644);
	CHECK(S_ISLNK(stat_of("merged/link").st_mode));
	CHECK_EQ(stat_of("merged/fifo").st_mode, S_IFIFO | 0640);
	expect_text("merged/hard", "source");
	CHECK_EQ(stat_of("merged/hard").st_nlink, 2);
	CHECK_EQ(stat_of("merged/char").st_mode, S_IFCHR | 0600);
	CHECK_EQ(stat_of("merged/char").st_rdev, makedev(1, 5));
	expect_names("merged", "char fifo file hard link source");
}

/*
 *	low  d/{x,y}  f="low"
 */
CASE(directory_over_whiteout, "a directory made where a lower one was removed is opaque and empty")
{
	set_up();
	make_dir("low/d");
	make_file("low/d/x", "low");
	make_file("low/d/y", "low");
	make_file("low/f", "low");
	mount_layers("low");
	OK(unlink("merged/d/x"));
	OK(unlink("merged/d/y"));
	OK(rmdir("merged/d"));
	expect_whiteout("upper/d");
	make_dir("merged/d");
	expect_opaque("upper/d");
	expect_names("merged/d", "");
	expect_absent("merged/d/x");
	make_file("merged/d/x", "new");
	OK(unlink("merged/f"));
	make_dir("merged/f");
	expect_opaque("upper/f");
	again();
	expect_names("merged", "d f");
	expect_names("merged/d", "x");
	expect_text("merged/d/x", "new");
}

/*
 *	upper (whiteout w of nothing)
 */
CASE(directory_over_lone_whiteout, "a whiteout with nothing below it is no hindrance")
{
	set_up();
	make_whiteout("upper/w");
	make_whiteout("upper/x");
	mount_layers("low");
	make_dir("merged/w");
	make_file("merged/x", "new");
	again();
	expect_names("merged", "w x");
	expect_text("merged/x", "new");
}

/*
 *	top  d (whiteout)
 *	low  d/x
 */
CASE(directory_over_lower_whiteout, "a directory made over a whiteout in a lower shows nothing from below that")
{
	set_up();
	make_whiteout("top/d");
	make_dir("low/d");
	make_file("low/d/x", "low");
	mount_layers("top:low");
	make_dir("merged/d");
	expect_names("merged/d", "");
	again();
	expect_names("merged/d", "");
	expect_absent("merged/d/x");
	make_file("merged/d/x", "new");
	expect_text("merged/d/x", "new");
}

/*
 *	low  d (0777)/gone-{file,dir,link,fifo}, which are removed first
 */
CASE(owner_is_the_caller, "what somebody makes belongs to them, in place and over a whiteout")
{
	static const char * const names[] = { "file", "dir", "link", "fifo", "gone-file", "gone-dir",
					      "gone-link", "gone-fifo" };
	size_t i;

	set_up();
	make_dir_mode("low/d", 0777);
	for (i = 4; i < 8; i++)
		make_file(text_of("low/d/%s", names[i]), "low");
	mount_layers("low");
	for (i = 4; i < 8; i++)
		OK(unlink(text_of("merged/d/%s", names[i])));
	AS(SOMEBODY, ANYBODY) {
		make_file("merged/d/file", "new");
		make_file("merged/d/gone-file", "new");
		OK(mkdir("merged/d/dir", 0755));
		OK(mkdir("merged/d/gone-dir", 0755));
		OK(symlink("x", "merged/d/link"));
		OK(symlink("x", "merged/d/gone-link"));
		OK(mkfifo("merged/d/fifo", 0644));
		OK(mkfifo("merged/d/gone-fifo", 0644));
		FAILS(mknod("merged/d/char", S_IFCHR | 0600, makedev(1, 3)), EPERM);
		expect_text("merged/d/gone-file", "new");
	}
	again();
	for (i = 0; i < 8; i++) {
		struct stat st = stat_of(text_of("merged/d/%s", names[i]));

		step_at(__FILE__, __LINE__);
		if (st.st_uid != SOMEBODY || st.st_gid != ANYBODY)
			fail("%s belongs to %u:%u", names[i], st.st_uid, st.st_gid);
	}
}

/*
 *	low  d/gone (removed)   the process is root with fsuid 1000
 */
CASE(owner_is_the_fsuid, "the caller's file-system ids decide, not the mounter's")
{
	set_up();
	make_dir_mode("low/d", 0777);
	make_file("low/d/gone", "low");
	mount_layers("low");
	OK(unlink("merged/d/gone"));
	IN_CHILD {
		OK(setegid(ANYBODY));
		OK(seteuid(SOMEBODY));
		make_file("merged/d/new", "new");
		make_file("merged/d/gone", "new");
	}
	CHECK_EQ(stat_of("merged/d/new").st_uid, SOMEBODY);
	CHECK_EQ(stat_of("merged/d/new").st_gid, ANYBODY);
	CHECK_EQ(stat_of("merged/d/gone").st_uid, SOMEBODY);
	CHECK_EQ(stat_of("merged/d/gone").st_gid, ANYBODY);
}

/*
 *	low  d/{gone-file, gone-dir}
 */
CASE(umask_is_applied, "the umask takes bits away, in place and over a whiteout")
{
	set_up();
	make_dir("low/d");
	make_file("low/d/gone-file", "low");
	make_file("low/d/gone-dir", "low");
	make_file("low/d/gone-fifo", "low");
	mount_layers("low");
	OK(unlink("merged/d/gone-file"));
	OK(unlink("merged/d/gone-dir"));
	OK(unlink("merged/d/gone-fifo"));
	umask(027);
	close(OK(open("merged/d/file", O_CREAT | O_EXCL | O_WRONLY, 0666)));
	close(OK(open("merged/d/gone-file", O_CREAT | O_EXCL | O_WRONLY, 0666)));
	OK(mkdir("merged/d/dir", 0777));
	OK(mkdir("merged/d/gone-dir", 01777));
	OK(mkfifo("merged/d/fifo", 0666));
	OK(mkfifo("merged/d/gone-fifo", 0666));
	CHECK_EQ(stat_of("merged/d/file").st_mode, S_IFREG | 0640);
	CHECK_EQ(stat_of("merged/d/gone-file").st_mode, S_IFREG | 0640);
	CHECK_EQ(stat_of("merged/d/dir").st_mode, S_IFDIR | 0750);
	CHECK_EQ(stat_of("merged/d/gone-dir").st_mode, S_IFDIR | 01750);
	CHECK_EQ(stat_of("merged/d/fifo").st_mode, S_IFIFO | 0640);
	CHECK_EQ(stat_of("merged/d/gone-fifo").st_mode, S_IFIFO | 0640);
}

/*
 *	low  d/{gone-file,gone-dir,gone-fifo}  with a default ACL
 */
CASE(default_acl_is_inherited, "a default ACL replaces the umask and is inherited, in place and over a whiteout")
{
	static const char * const files[] = { "file", "gone-file", "fifo", "gone-fifo" };
	static const char * const dirs[] = { "dir", "gone-dir" };
	size_t i;

	set_up();
	make_dir("low/d");
	set_default_acl("low/d");
	for (i = 0; i < 4; i++) {
		if (i % 2)
			make_file(text_of("low/d/%s", files[i]), "low");
	}
	make_dir("low/d/gone-dir");
	mount_layers("low");
	for (i = 0; i < 4; i++) {
		if (i % 2)
			OK(unlink(text_of("merged/d/%s", files[i])));
	}
	OK(rmdir("merged/d/gone-dir"));

	umask(077);
	for (i = 0; i < 2; i++) {
		close(OK(open(text_of("merged/d/%s", files[i]), O_CREAT | O_EXCL | O_WRONLY, 0664)));
		OK(mkfifo(text_of("merged/d/%s", files[i + 2]), 0664));
		OK(mkdir(text_of("merged/d/%s", dirs[i]), 0775));
	}
	again();
	for (i = 0; i < 4; i++) {
		const char *path = text_of("merged/d/%s", files[i]);
		struct acl acl = acl_of(path, "system.posix_acl_access");

		/* 0664 limits the owner, the mask and others: u::rw- u:1001:r-x g::r-x m::rw- o::--- */
		CHECK_EQ(stat_of(path).st_mode & 07777, 0660);
		CHECK_EQ(acl.entry[0].perm, 6);
		CHECK_EQ(acl.entry[1].perm, 5);
		CHECK_EQ(acl.entry[1].id, ANYBODY);
		CHECK_EQ(acl.entry[2].perm, 5);
		CHECK_EQ(acl.entry[3].perm, 6);
		CHECK_EQ(acl.entry[4].perm, 0);
		expect_xattr(path, "system.posix_acl_default", NULL);
	}
	for (i = 0; i < 2; i++) {
		const char *path = text_of("merged/d/%s", dirs[i]);
		struct acl acl = acl_of(path, "system.posix_acl_default");

		CHECK_EQ(stat_of(path).st_mode & 07777, 0770);
		CHECK(!memcmp(&acl, &default_acl, sizeof(acl)));
		acl = acl_of(path, "system.posix_acl_access");
		CHECK_EQ(acl.entry[3].perm, 7);
		CHECK_EQ(acl.entry[4].perm, 0);
	}
}

/*
 *	low  d (set-group-id, group 1001, 02777)/gone-*
 */
CASE(setgid_directory, "in a set-group-id directory the group is inherited, in place and over a whiteout")
{
	static const char * const names[] = { "file", "dir", "link", "gone-file", "gone-dir",
					      "gone-link" };
	size_t i;

	set_up();
	make_dir("low/d");
	OK(chown("low/d", 0, ANYBODY));
	OK(chmod("low/d", 02777));
	for (i = 3; i < 6; i++)
		make_file(text_of("low/d/%s", names[i]), "low");
	mount_layers("low");
	for (i = 3; i < 6; i++)
		OK(unlink(text_of("merged/d/%s", names[i])));
	AS(SOMEBODY, SOMEBODY) {
		for (i = 0; i < 6; i += 3) {
			const char *file = text_of("merged/d/%s", names[i]);

			close(OK(open(file, O_CREAT | O_EXCL | O_WRONLY, 0644)));
			OK(mkdir(text_of("merged/d/%s", names[i + 1]), 0755));
			OK(symlink("x", text_of("merged/d/%s", names[i + 2])));
		}
	}
	again();
	for (i = 0; i < 6; i++) {
		struct stat st = stat_of(text_of("merged/d/%s", names[i]));

		CHECK_EQ(st.st_uid, SOMEBODY);
		CHECK_EQ(st.st_gid, ANYBODY);
		CHECK_EQ(!!(st.st_mode & S_ISGID), S_ISDIR(st.st_mode));
	}
}

/*
 *	low  d (set-group-id, group 1001, 02777)/gone
 */
CASE(setgid_stripped, "who is not in the group makes no set-group-id file with it")
{
	set_up();
	make_dir("low/d");
	OK(chown("low/d", 0, ANYBODY));
	OK(chmod("low/d", 02777));
	make_file("low/d/gone", "low");
	mount_layers("low");
	OK(unlink("merged/d/gone"));
	AS(SOMEBODY, SOMEBODY) {
		close(OK(open("merged/d/file", O_CREAT | O_EXCL | O_WRONLY, 02775)));
		close(OK(open("merged/d/gone", O_CREAT | O_EXCL | O_WRONLY, 02775)));
	}
	CHECK_EQ(stat_of("merged/d/file").st_mode & 07777, 0755);
	CHECK_EQ(stat_of("merged/d/gone").st_mode & 07777, 0755);
	CHECK_EQ(stat_of("merged/d/file").st_gid, ANYBODY);
	CHECK_EQ(stat_of("merged/d/gone").st_gid, ANYBODY);
}

/*
 *	low  d/f="low"
 */
CASE(hard_link_of_a_lower, "a hard link of a lower file copies it up and leaves the lower's count alone")
{
	struct stat a, b;

	set_up();
	make_dir("low/d");
	make_file("low/d/f", "low");
	mount_layers("low");
	OK(link("merged/d/f", "merged/name"));
	a = stat_of("merged/d/f");
	b = stat_of("merged/name");
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_nlink, 2);
	CHECK_EQ(b.st_nlink, 2);
	write_text("merged/name", "changed");
	expect_text("merged/d/f", "changed");
	expect_text("low/d/f", "low");
	CHECK_EQ(stat_of("low/d/f").st_nlink, 1);
	again();
	CHECK_EQ(stat_of("merged/d/f").st_nlink, 2);
	CHECK_EQ(stat_of("merged/d/f").st_ino, stat_of("merged/name").st_ino);
	OK(unlink("merged/d/f"));
	CHECK_EQ(stat_of("merged/name").st_nlink, 1);
	expect_text("merged/name", "changed");
}

/*
 *	low  link -> f
 */
CASE(hard_link_of_a_symlink, "a hard link of a symbolic link is one of the link, not of its target")
{
	set_up();
	OK(symlink("f", "low/link"));
	mount_layers("low");
	OK(linkat(AT_FDCWD, "merged/link", AT_FDCWD, "merged/other", 0));
	CHECK(S_ISLNK(stat_of("merged/other").st_mode));
	CHECK_EQ(stat_of("merged/other").st_nlink, 2);
	again();
	CHECK(S_ISLNK(stat_of("merged/other").st_mode));
}

/*
 *	low  d/sub/, with times long past
 */
CASE(directory_times, "making and removing names changes the directory's times, and nobody else's")
{
	struct stat before, after;

	set_up();
	make_dir("low/d");
	make_dir("low/d/sub");
	set_mtime("low/d/sub", 1000, 1);
	set_mtime("low/d", 1000, 123456789);
	set_mtime("low", 2000, 5);
	mount_layers("low");
	before = stat_of("merged/d");
	CHECK_EQ(before.st_mtim.tv_nsec, 123456789);
	make_file("merged/d/new", "new");
	after = stat_of("merged/d");
	CHECK(after.st_mtim.tv_sec > before.st_mtim.tv_sec);
	CHECK_EQ(stat_of("merged/d/sub").st_mtim.tv_sec, 1000);
	set_mtime("merged/d", 3000, 7);
	CHECK_EQ(stat_of("merged/d").st_mtim.tv_nsec, 7);
	OK(unlink("merged/d/new"));
	CHECK(stat_of("merged/d").st_mtim.tv_sec > 3000);
}

/*
 *	low  d (0777)/gone="low"
 */
CASE(mode_without_write, "a file made without write permission can be written by its maker")
{
	int fd;

	set_up();
	make_dir_mode("low/d", 0777);
	make_file("low/d/gone", "low");
	mount_layers("low");
	OK(unlink("merged/d/gone"));
	AS(SOMEBODY, SOMEBODY) {
		fd = OK(open("merged/d/new", O_CREAT | O_EXCL | O_RDWR, 0400));
		CHECK_EQ(OK(write(fd, "text", 4)), 4);
		close(fd);
		fd = OK(open("merged/d/gone", O_CREAT | O_EXCL | O_RDWR, 0));
		CHECK_EQ(OK(write(fd, "text", 4)), 4);
		close(fd);
		FAILS(open("merged/d/new", O_WRONLY), EACCES);
		FAILS(open("merged/d/gone", O_RDONLY), EACCES);
	}
	expect_text("merged/d/new", "text");
	expect_text("merged/d/gone", "text");
	CHECK_EQ(stat_of("merged/d/gone").st_mode & 07777, 0);
}

/*
 *	low  d/
 */
CASE(deep_tree, "a chain of 100 directories can be made and removed")
{
	int i;

	set_up();
	make_dir("low/d");
	mount_layers("low");
	OK(chdir("merged/d"));
	for (i = 0; i < 100; i++) {
		OK(mkdir("sub", 0755));
		OK(chdir("sub"));
	}
	make_file("leaf", "leaf");
	expect_text("leaf", "leaf");
	OK(unlink("leaf"));
	for (i = 0; i < 100; i++) {
		OK(chdir(".."));
		OK(rmdir("sub"));
	}
	expect_names(".", "");
	OK(chdir("../.."));
	expect_names("upper/d", "");
}

/*
 *	low  d/
 */
CASE(removed_directory, "nothing can be made in a directory that has been removed")
{
	int fd;

	set_up();
	make_dir("low/d");
	mount_layers("low");
	fd = open_file("merged/d", O_RDONLY | O_DIRECTORY);
	OK(rmdir("merged/d"));
	FAILS(openat(fd, "f", O_CREAT | O_WRONLY, 0644), ENOENT);
	FAILS(mkdirat(fd, "f", 0755), ENOENT);
	close(fd);
	expect_absent("merged/d");
	expect_whiteout("upper/d");
}

CASES_MAIN
