// SPDX-License-Identifier: GPL-2.0-or-later
/* Copy-up: what is copied, what makes it happen, and what a failed one leaves (nothing). */
#include "fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/statfs.h>

enum { MIB = 1 << 20 };

static bool is_copied_up(const char *name)
{
	return exists(text_of("upper/%s", name));
}

#define EXPECT_COPIED_UP(name)							\
	do {									\
		if (!is_copied_up(name))					\
			STEP(fail("%s was not copied up", name));		\
	} while (0)

#define EXPECT_NOT_COPIED_UP(name)						\
	do {									\
		if (is_copied_up(name))						\
			STEP(fail("%s was copied up", name));			\
	} while (0)

/* What is copied */

/*
 *	low  file link fifo char block socket dir/   each with a mode, an owner and times of its own
 */
CASE(every_kind, "every kind of object is copied up with type, mode, owner, device, content and times")
{
	static const char * const names[] = { "file", "link", "fifo", "char", "block", "socket",
					      "dir" };
	struct stat before[7];
	size_t i;

	set_up();
	make_file("low/file", "content");
	OK(symlink("a/target", "low/link"));
	OK(mkfifo("low/fifo", 0644));
	OK(mknod("low/char", S_IFCHR | 0600, makedev(1, 7)));
	OK(mknod("low/block", S_IFBLK | 0600, makedev(7, 250)));
	OK(mknod("low/socket", S_IFSOCK | 0600, 0));
	make_dir("low/dir");
	make_file("low/dir/inside", "inside");
	for (i = 0; i < 7; i++) {
		const char *path = text_of("low/%s", names[i]);

		OK(lchown(path, SOMEBODY + i, ANYBODY + i));
		if (i != 1)
			OK(chmod(path, 0421 + i));
		set_mtime(path, 1000000000 + i, 123456789 + i);
	}
	mount_layers("low");
	for (i = 0; i < 7; i++)
		before[i] = stat_of(text_of("merged/%s", names[i]));
	/* A change of the group to what it is already: only ctime changes. */
	for (i = 0; i < 7; i++) {
		OK(lchown(text_of("merged/%s", names[i]), -1, ANYBODY + i));
		EXPECT_COPIED_UP(names[i]);
	}
	for (i = 0; i < 7; i++) {
		struct stat merged = stat_of(text_of("merged/%s", names[i]));
		struct stat upper = stat_of(text_of("upper/%s", names[i]));
		struct stat low = stat_of(text_of("low/%s", names[i]));

		expect_same_attributes(&merged, &before[i]);
		expect_same_attributes(&upper, &before[i]);
		expect_same_attributes(&low, &before[i]);
		CHECK_EQ(merged.st_ino, before[i].st_ino);
	}
	again();
	expect_text("merged/file", "content");
	CHECK_EQ(stat_of("merged/link").st_size, 8);
	expect_text("merged/dir/inside", "inside");
	expect_names("upper/dir", "");
}

/*
 *	low  suid (04755) sgid (02755) both (06711) sticky/ (01777) sgiddir/ (02775) none (0000)
 */
CASE(set_id_bits, "set-id and sticky bits survive a copy-up that doesn't write")
{
	static const struct { const char *name; mode_t mode; } files[] = {
		{ "suid", S_IFREG | 04755 }, { "sgid", S_IFREG | 02755 }, { "both", S_IFREG | 06711 },
		{ "none", S_IFREG }, { "sticky", S_IFDIR | 01777 }, { "sgiddir", S_IFDIR | 02775 },
	};
	size_t i;

	set_up();
	for (i = 0; i < 6; i++) {
		const char *path = text_of("low/%s", files[i].name);

		if (S_ISDIR(files[i].mode))
			make_dir(path);
		else
			make_file(path, "x");
		OK(chown(path, SOMEBODY, ANYBODY));
		OK(chmod(path, files[i].mode & 07777));
	}
	mount_layers("low");
	for (i = 0; i < 6; i++) {
		set_mtime(text_of("merged/%s", files[i].name), 5, 6);
		EXPECT_COPIED_UP(files[i].name);
		CHECK_EQ(stat_of(text_of("merged/%s", files[i].name)).st_mode, files[i].mode);
		CHECK_EQ(stat_of(text_of("upper/%s", files[i].name)).st_mode, files[i].mode);
		CHECK_EQ(stat_of(text_of("upper/%s", files[i].name)).st_uid, SOMEBODY);
	}
}

/*
 *	low  f with atime 1.000000001, mtime 2.999999999
 */
CASE(times, "access and modification time are kept to the nanosecond")
{
	const struct timespec times[] = { { 1, 1 }, { 2, 999999999 } };
	struct stat st;

	set_up();
	make_file("low/f", "low");
	OK(utimensat(AT_FDCWD, "low/f", times, 0));
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	st = stat_of("merged/f");
	CHECK_EQ(st.st_atim.tv_sec, 1);
	CHECK_EQ(st.st_atim.tv_nsec, 1);
	CHECK_EQ(st.st_mtim.tv_sec, 2);
	CHECK_EQ(st.st_mtim.tv_nsec, 999999999);
	CHECK(st.st_ctim.tv_sec > 1000000000);
}

/*
 *	low  f, d/  with user.*, trusted.* and security.* attributes
 */
CASE(xattrs, "extended attributes of all kinds are copied")
{
	/* cap_net_raw=ep, revision 2: file capabilities as setcap(8) writes them. */
	static const uint32_t capability[] = { 0x02000001, 1 << 13, 0, 0, 0 };
	static const char * const paths[] = { "low/f", "low/d" };
	uint32_t got[5];
	char big[1000];
	size_t i;

	set_up();
	memset(big, 'v', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	make_file("low/f", "low");
	make_dir("low/d");
	for (i = 0; i < 2; i++) {
		OK(setxattr(paths[i], "user.one", "1", 1, 0));
		OK(setxattr(paths[i], "user.empty", "", 0, 0));
		OK(setxattr(paths[i], "user.big", big, sizeof(big) - 1, 0));
		OK(setxattr(paths[i], "trusted.two", "2", 1, 0));
		OK(setxattr(paths[i], "security.three", "3", 1, 0));
	}
	OK(setxattr("low/f", "security.capability", capability, sizeof(capability), 0));
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	OK(chmod("merged/d", 0700));
	again();
	for (i = 0; i < 2; i++) {
		const char *path = i ? "merged/d" : "merged/f";

		expect_xattr(path, "user.one", "1");
		expect_xattr(path, "user.empty", "");
		expect_xattr(path, "user.big", big);
		expect_xattr(path, "trusted.two", "2");
		expect_xattr(path, "security.three", "3");
		expect_xattr(path, "user.none", NULL);
	}
	expect_xattr("upper/f", "user.one", "1");
	CHECK_EQ(OK(getxattr("merged/f", "security.capability", got, sizeof(got))), sizeof(got));
	CHECK(!memcmp(got, capability, sizeof(got)));
}

/*
 *	low  f with file capabilities
 */
CASE(empty_capability, "an empty capability, which any owner can store, does not keep a file from being copied up")
{
	set_up();
	make_file("low/f", "low");
	OK(setxattr("low/f", "security.capability", "", 0, 0));
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	EXPECT_COPIED_UP("f");
	expect_text("merged/f", "low");
}

CASE(capability_goes_with_a_write, "file capabilities are dropped by the first write, as on any file system")
{
	static const uint32_t capability[] = { 0x02000001, 1 << 13, 0, 0, 0 };

	set_up();
	make_file("low/f", "low");
	OK(setxattr("low/f", "security.capability", capability, sizeof(capability), 0));
	OK(chmod("low/f", 06777));
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY) {
		int fd = open_file("merged/f", O_WRONLY);

		CHECK_EQ(OK(write(fd, "x", 1)), 1);
	}
	expect_xattr("merged/f", "security.capability", NULL);
	expect_xattr("upper/f", "security.capability", NULL);
	CHECK_EQ(stat_of("merged/f").st_mode & 07777, 0777);
	CHECK_EQ(OK(getxattr("low/f", "security.capability", NULL, 0)), sizeof(capability));
	expect_text("merged/f", "xow");
}

/*
 *	low  f: u::rw- u:1001:rwx g::r-- m::rwx o::---    d/: the same as default ACL, too
 */
CASE(acls, "access and default ACLs are copied and effective")
{
	static const struct {
		uint32_t version;
		struct { uint16_t tag, perm; uint32_t id; } entry[5];
	} acl = { 2, { { 0x01, 6, -1 }, { 0x02, 7, ANYBODY }, { 0x04, 4, -1 }, { 0x10, 7, -1 },
		       { 0x20, 0, -1 } } };
	char got[sizeof(acl)];

	set_up();
	make_file("low/f", "low");
	make_dir("low/d");
	OK(setxattr("low/f", "system.posix_acl_access", &acl, sizeof(acl), 0));
	OK(setxattr("low/d", "system.posix_acl_access", &acl, sizeof(acl), 0));
	OK(setxattr("low/d", "system.posix_acl_default", &acl, sizeof(acl), 0));
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY)
		FAILS(open("merged/f", O_WRONLY), EACCES);
	AS(ANYBODY, ANYBODY)
		close(open_file("merged/f", O_WRONLY));
	EXPECT_COPIED_UP("f");
	set_mtime("merged/d", 7, 7);
	EXPECT_COPIED_UP("d");
	again();
	AS(SOMEBODY, SOMEBODY)
		FAILS(open("merged/f", O_RDONLY), EACCES);
	AS(ANYBODY, ANYBODY)
		expect_text("merged/f", "low");
	CHECK_EQ(OK(getxattr("upper/f", "system.posix_acl_access", got, sizeof(got))), sizeof(got));
	CHECK(!memcmp(got, &acl, sizeof(acl)));
	CHECK_EQ(OK(getxattr("upper/d", "system.posix_acl_default", got, sizeof(got))), sizeof(got));
	CHECK(!memcmp(got, &acl, sizeof(acl)));
	CHECK_EQ(OK(getxattr("upper/d", "system.posix_acl_access", got, sizeof(got))), sizeof(got));
	CHECK(!memcmp(got, &acl, sizeof(acl)));
}

/*
 *	low  f: data in the page at 0 and the one at 8 MiB, holes between and up to 16 MiB
 */
CASE(holes, "holes stay holes")
{
	int fd;

	set_up();
	fd = open_file("low/f", O_CREAT | O_RDWR);
	CHECK_EQ(OK(pwrite(fd, "start", 5, 0)), 5);
	CHECK_EQ(OK(pwrite(fd, "middle", 6, 8 * MIB)), 6);
	OK(ftruncate(fd, 16 * MIB));
	OK(fsync(fd));
	close(fd);
	CHECK(stat_of("low/f").st_blocks * 512 < MIB);
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	CHECK_EQ(stat_of("merged/f").st_size, 16 * MIB);
	/* overlayfs copies whole pieces of a mebibyte. */
	CHECK(stat_of("upper/f").st_blocks * 512 < (on_shale() ? MIB : 4 * MIB));
	CHECK_EQ(OK(system("cmp low/f merged/f")), 0);
}

/*
 *	low  f, 8 MiB and a few bytes
 */
CASE(large_file, "a large file is copied whole")
{
	set_up();
	make_sized("low/f", 8 * MIB + 321);
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	expect_sized("merged/f", 8 * MIB + 321);
	expect_sized("upper/f", 8 * MIB + 321);
	again();
	expect_sized("merged/f", 8 * MIB + 321);
}

/*
 *	low  empty, one (1 byte), page (4096 bytes), more (4097 bytes)
 */
CASE(small_sizes, "files of no, one and about a page of bytes are copied whole")
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 65536 };
	size_t i;

	set_up();
	for (i = 0; i < 6; i++)
		make_sized(text_of("low/%zu", sizes[i]), sizes[i]);
	mount_layers("low");
	for (i = 0; i < 6; i++)
		OK(chmod(text_of("merged/%zu", sizes[i]), 0600));
	for (i = 0; i < 6; i++)
		expect_sized(text_of("upper/%zu", sizes[i]), sizes[i]);
}

/*
 *	low  a, b (hard links of one file)
 */
CASE(hard_linked_lower, "copying up one name of a hard-linked lower file leaves the other name as it was")
{
	struct stat st;

	set_up();
	make_file("low/a", "low");
	OK(link("low/a", "low/b"));
	mount_layers("low");
	CHECK_EQ(stat_of("merged/a").st_nlink, 2);
	write_text("merged/a", "changed");
	expect_text("merged/a", "changed");
	expect_text("merged/b", "low");
	CHECK_EQ(stat_of("merged/a").st_nlink, 1);
	st = stat_of("low/a");
	CHECK_EQ(st.st_nlink, 2);
	EXPECT_NOT_COPIED_UP("b");
	again();
	expect_text("merged/a", "changed");
	expect_text("merged/b", "low");
}

/*
 *	low  a/b/c/f   a: 0700 somebody's, b: 02750 with xattr, c: 0777, all with times of their own
 */
CASE(parents, "parents are copied with their attributes, and their times stay")
{
	static const char * const dirs[] = { "a", "a/b", "a/b/c" };
	struct stat before[3], root;
	int i;

	set_up();
	for (i = 0; i < 3; i++)
		make_dir(text_of("low/%s", dirs[i]));
	make_file("low/a/b/c/f", "low");
	OK(chown("low/a", SOMEBODY, SOMEBODY));
	OK(chmod("low/a", 0700));
	OK(chmod("low/a/b", 02750));
	OK(setxattr("low/a/b", "user.mark", "kept", 4, 0));
	OK(chmod("low/a/b/c", 0777));
	for (i = 2; i >= 0; i--)
		set_mtime(text_of("low/%s", dirs[i]), 100 + i, 900 + i);
	set_mtime("upper", 50, 51);
	mount_layers("low");
	root = stat_of("merged");
	for (i = 0; i < 3; i++)
		before[i] = stat_of(text_of("merged/%s", dirs[i]));
	write_text("merged/a/b/c/f", "changed");
	for (i = 0; i < 3; i++) {
		struct stat merged = stat_of(text_of("merged/%s", dirs[i]));
		struct stat upper = stat_of(text_of("upper/%s", dirs[i]));

		expect_same_attributes(&merged, &before[i]);
		expect_same_attributes(&upper, &before[i]);
		CHECK_EQ(merged.st_ino, before[i].st_ino);
	}
	CHECK_EQ(stat_of("merged").st_mtim.tv_sec, root.st_mtim.tv_sec);
	CHECK_EQ(stat_of("merged").st_mtim.tv_nsec, root.st_mtim.tv_nsec);
	expect_xattr("upper/a/b", "user.mark", "kept");
	expect_names("merged/a/b/c", "f");
}

/*
 *	top  d/ (mode 0711, an opaque directory)  low  d/
 */
CASE(marks_are_not_copied, "marks of a lower directory are not copied, nor seen through the mount")
{
	ssize_t len;
	char list[512];

	set_up();
	make_dir("top/d");
	make_opaque("top/d");
	make_file("top/d/f", "top");
	make_dir("low/d");
	make_file("low/d/hidden", "low");
	mount_layers("top:low");
	FAILS(getxattr("merged/d", "trusted.overlay.opaque", list, sizeof(list)), ENODATA);
	OK(chmod("merged/d", 0700));
	EXPECT_COPIED_UP("d");
	expect_not_opaque("upper/d");
	expect_names("merged/d", "f");
	len = OK(listxattr("merged/d", list, sizeof(list)));
	CHECK(!memmem(list, len, "trusted.overlay.", 16));
	again();
	expect_names("merged/d", "f");
}

/* What makes it happen */

/*
 *	low  write readwrite truncate chmod chown utimes setxattr link rename ftruncate creat
 */
CASE(triggers, "open for writing, truncate, chmod, chown, utimes, setxattr, link and rename copy up")
{
	static const char * const names[] = { "write", "readwrite", "truncate", "chmod", "chown",
					      "utimes", "setxattr", "link", "rename", "append",
					      "fchmod", "removexattr" };
	size_t i;
	int fd;

	set_up();
	for (i = 0; i < 12; i++)
		make_file(text_of("low/%s", names[i]), names[i]);
	OK(setxattr("low/removexattr", "user.x", "x", 1, 0));
	mount_layers("low");

	close(open_file("merged/write", O_WRONLY));
	EXPECT_COPIED_UP("write");
	expect_text("upper/write", "write");
	close(open_file("merged/readwrite", O_RDWR));
	EXPECT_COPIED_UP("readwrite");
	expect_text("upper/readwrite", "readwrite");
	close(open_file("merged/append", O_WRONLY | O_APPEND));
	EXPECT_COPIED_UP("append");
	OK(truncate("merged/truncate", 3));
	expect_text("upper/truncate", "tru");
	OK(chmod("merged/chmod", 0640));
	EXPECT_COPIED_UP("chmod");
	OK(chown("merged/chown", SOMEBODY, ANYBODY));
	EXPECT_COPIED_UP("chown");
	set_mtime("merged/utimes", 10, 20);
	EXPECT_COPIED_UP("utimes");
	OK(setxattr("merged/setxattr", "user.x", "x", 1, 0));
	EXPECT_COPIED_UP("setxattr");
	OK(removexattr("merged/removexattr", "user.x"));
	EXPECT_COPIED_UP("removexattr");
	expect_xattr("merged/removexattr", "user.x", NULL);
	OK(link("merged/link", "merged/link2"));
	EXPECT_COPIED_UP("link");
	EXPECT_COPIED_UP("link2");
	OK(rename("merged/rename", "merged/rename2"));
	EXPECT_COPIED_UP("rename2");
	expect_text("upper/rename2", "rename");
	fd = open_file("merged/fchmod", O_RDONLY);
	OK(fchmod(fd, 0600));
	EXPECT_COPIED_UP("fchmod");
	expect_text("merged/fchmod", "fchmod");
	for (i = 0; i < 8; i++)
		CHECK(exists(text_of("low/%s", names[i])));
}

/*
 *	low  f (0444, root's)  d/f  link -> f  fifo
 */
CASE(not_triggered, "reading, looking and refused changes copy nothing up")
{
	char text[64];
	int fd;

	set_up();
	make_file("low/f", "low");
	OK(chmod("low/f", 0444));
	OK(setxattr("low/f", "user.x", "x", 1, 0));
	make_dir("low/d");
	make_file("low/d/f", "low");
	OK(symlink("f", "low/link"));
	OK(mkfifo("low/fifo", 0644));
	OK(mknod("low/null", S_IFCHR | 0666, makedev(1, 3)));
	mount_layers("low");

	fd = open_file("merged/f", O_RDONLY);
	CHECK_EQ(OK(read(fd, text, sizeof(text))), 3);
	OK(fsync(fd));
	FAILS(write(fd, "x", 1), EBADF);
	FAILS(ftruncate(fd, 0), EINVAL);
	close(fd);
	close(open_file("merged/f", O_PATH));
	stat_of("merged/link");
	OK(readlink("merged/link", text, sizeof(text)));
	OK(getxattr("merged/f", "user.x", text, sizeof(text)));
	OK(listxattr("merged/f", text, sizeof(text)));
	expect_names("merged/d", "f");
	OK(access("merged/f", W_OK));

	FAILS(open("merged/d", O_WRONLY), EISDIR);
	FAILS(open("merged/f", O_WRONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open("merged/link", O_WRONLY | O_NOFOLLOW), ELOOP);
	FAILS(removexattr("merged/f", "user.none"), ENODATA);
	FAILS(truncate("merged/d", 0), EISDIR);
	FAILS(truncate("merged/f", -1), EINVAL);
	AS(SOMEBODY, SOMEBODY) {
		FAILS(open("merged/f", O_WRONLY), EACCES);
		FAILS(chmod("merged/f", 0777), EPERM);
		FAILS(truncate("merged/f", 0), EACCES);
		FAILS(chown("merged/f", SOMEBODY, SOMEBODY), EPERM);
		FAILS(setxattr("merged/f", "user.y", "y", 1, 0), EACCES);
	}
	expect_names("upper", "");

	/* What is written to a device or a pipe is not written to the file system. */
	fd = open_file("merged/null", O_WRONLY);
	CHECK_EQ(OK(write(fd, "x", 1)), 1);
	close(fd);
	fd = open_file("merged/fifo", O_RDWR | O_NONBLOCK);
	CHECK_EQ(OK(write(fd, "x", 1)), 1);
	CHECK_EQ(OK(read(fd, text, 1)), 1);
	close(fd);
	expect_names("upper", "");

	/* overlayfs copies up before it finds that these fail. */
	FAILS(setxattr("merged/f", "user.none", "x", 1, XATTR_REPLACE), ENODATA);
	FAILS(setxattr("merged/f", "user.x", "x", 1, XATTR_CREATE), EEXIST);
	expect_names("upper", on_shale() ? "" : "f");
}

/*
 *	low  f, g: 32 MiB each
 */
CASE(truncating_copies_no_data, "O_TRUNC and truncate to a few bytes copy up no more than what stays")
{
	struct statfs before, after;
	int fd;

	set_up();
	make_sized("low/f", 32 * MIB);
	make_sized("low/g", 32 * MIB);
	fd = open_file(".", O_RDONLY);
	OK(syncfs(fd));
	OK(statfs(".", &before));
	mount_layers("low");
	close(open_file("merged/f", O_WRONLY | O_TRUNC));
	CHECK_EQ(stat_of("merged/f").st_size, 0);
	OK(truncate("merged/g", 5000));
	CHECK_EQ(stat_of("merged/g").st_size, 5000);
	expect_sized("merged/g", 5000);
	OK(syncfs(fd));
	OK(statfs(".", &after));
	CHECK((long long)(before.f_bfree - after.f_bfree) * before.f_bsize < 16LL * MIB);
}

/*
 *	low  f, 8 MiB    upper and work on a tmpfs of 1 MiB
 */
CASE(truncating_needs_no_space, "a file larger than the upper can be emptied")
{
	set_up();
	make_dir("small");
	make_sized("low/f", 8 * MIB);
	OK(mount("none", "small", "tmpfs", 0, "size=1m"));
	make_dir("small/upper");
	make_dir("small/work");
	mount_options("merged", "lowerdir=low,upperdir=small/upper,workdir=small/work");
	write_text("merged/f", "short");
	expect_text("merged/f", "short");
	expect_text("small/upper/f", "short");
	unmount();
}

/* Descriptors that are open meanwhile */

/*
 *	low  f="low"
 */
CASE(old_descriptor_sees_new_data, "a descriptor opened before the copy-up reads what is written after it")
{
	char text[16];
	struct stat st;
	int reader, writer;

	set_up();
	make_file("low/f", "old text");
	mount_layers("low");
	reader = open_file("merged/f", O_RDONLY);
	CHECK_EQ(OK(read(reader, text, 3)), 3);
	CHECK(!memcmp(text, "old", 3));
	writer = open_file("merged/f", O_WRONLY);
	CHECK_EQ(OK(pwrite(writer, "NEW TEXT, LONGER", 16, 0)), 16);
	CHECK_EQ(OK(read(reader, text, 16)), 13);
	CHECK(!memcmp(text, " TEXT, LONGER", 13));
	OK(fstat(reader, &st));
	CHECK_EQ(st.st_size, 16);
	OK(ftruncate(writer, 2));
	CHECK_EQ(OK(pread(reader, text, 16, 0)), 2);
	CHECK_EQ(OK(lseek(reader, 0, SEEK_END)), 2);
	OK(fsync(reader));
}

/*
 *	low  f="low"
 */
CASE(old_mapping_stays, "a private mapping made before the copy-up keeps the old data")
{
	char *map;
	int fd;

	set_up();
	make_file("low/f", "old");
	mount_layers("low");
	fd = open_file("merged/f", O_RDONLY);
	map = mmap(NULL, 3, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK(!memcmp(map, "old", 3));
	write_text("merged/f", "NEW");
	CHECK(!memcmp(map, "old", 3));
	expect_text("merged/f", "NEW");
}

/*
 *	low  f="low"
 */
CASE(unlinked_then_changed, "changing a removed lower file through its descriptor does not bring the name back")
{
	struct stat st;
	int fd;

	set_up();
	make_dir("low/d");
	make_file("low/d/f", "low");
	mount_layers("low");
	fd = open_file("merged/d/f", O_RDONLY);
	OK(unlink("merged/d/f"));
	if (on_shale()) {
		OK(fchmod(fd, 0600));
		OK(fstat(fd, &st));
		CHECK_EQ(st.st_mode & 07777, 0600);
		CHECK_EQ(st.st_nlink, 0);
		OK(fchown(fd, SOMEBODY, SOMEBODY));
		OK(fsetxattr(fd, "user.x", "x", 1, 0));
	} else {
		/* overlayfs copies up under the name, where the whiteout now is. */
		FAILS(fchmod(fd, 0600), EEXIST);
	}
	expect_absent("merged/d/f");
	expect_names("merged/d", "");
	expect_whiteout("upper/d/f");
	close(fd);
	expect_names("merged/d", "");
	again();
	expect_names("merged/d", "");
}

/*
 *	low  f="low"
 */
CASE(unlinked_then_reopened, "a removed lower file can be opened for writing through /proc, and stays removed")
{
	char text[8];
	int reader, writer;

	set_up();
	make_file("low/f", "low");
	mount_layers("low");
	reader = open_file("merged/f", O_RDONLY);
	OK(unlink("merged/f"));
	if (on_shale()) {
		writer = OK(open(text_of("/proc/self/fd/%d", reader), O_RDWR));
		OK(ftruncate(writer, 0));
		CHECK_EQ(OK(write(writer, "NEW", 3)), 3);
		CHECK_EQ(OK(pread(reader, text, 8, 0)), 3);
		CHECK(!memcmp(text, "NEW", 3));
	} else {
		FAILS(open(text_of("/proc/self/fd/%d", reader), O_RDWR), EEXIST);
	}
	expect_absent("merged/f");
	expect_names("merged", "");
	expect_whiteout("upper/f");
}

/* Several at once, and failures */

static void *open_for_writing(void *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return (void *)(long)(fd < 0 ? -errno : fd);
}

/*
 *	low  f0, f1, f2: 4 MiB each
 */
CASE(openers_at_once, "eight threads that open a file for writing at once get one copy")
{
	enum { THREADS = 8 };
	int round, i;

	set_up();
	for (round = 0; round < 3; round++)
		make_sized(text_of("low/f%d", round), 4 * MIB);
	mount_layers("low");
	for (round = 0; round < 3; round++) {
		pthread_t thread[THREADS];
		struct stat first = { 0 }, st;

		for (i = 0; i < THREADS; i++)
			CHECK(!pthread_create(&thread[i], NULL, open_for_writing,
					      (void *)text_of("merged/f%d", round)));
		for (i = 0; i < THREADS; i++) {
			void *fd;

			CHECK(!pthread_join(thread[i], &fd));
			CHECK((long)fd >= 0);
			OK(fstat((long)fd, i ? &st : &first));
			if (i)
				CHECK_EQ(st.st_ino, first.st_ino);
			CHECK_EQ(OK(pwrite((long)fd, text_of("%d", i), 1, 4 * MIB + i)), 1);
			close((long)fd);
		}
		CHECK_EQ(stat_of(text_of("merged/f%d", round)).st_size, 4 * MIB + THREADS);
		OK(truncate(text_of("merged/f%d", round), 4 * MIB));
		expect_sized(text_of("upper/f%d", round), 4 * MIB);
	}
	expect_names("upper", "f0 f1 f2");
}

static bool has_ended(pid_t child)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == child;
}

/*
 *	low  f, 256 MiB      upper and work on a tmpfs, where the progress can be seen
 */
CASE(killed, "SIGKILL during the copy-up of a large file leaves no trace")
{
	enum { SIZE = 256 * MIB };
	struct statfs st;
	unsigned long long free;
	int status, fd;
	pid_t child;

	set_up();
	make_dir("space");
	OK(mount("none", "space", "tmpfs", 0, "size=400m"));
	make_dir("space/upper");
	make_dir("space/work");
	/* Sparse would be copied in no time. Zeros that are allocated are copied. */
	fd = open_file("low/f", O_CREAT | O_WRONLY);
	for (int i = 0; i < SIZE / MIB; i++) {
		static char zeros[MIB];

		CHECK_EQ(OK(write(fd, zeros, MIB)), MIB);
	}
	close(fd);
	mount_options("merged", "lowerdir=low,upperdir=space/upper,workdir=space/work");
	OK(statfs("space", &st));
	free = st.f_bfree;

	fflush(stdout);
	child = OK(fork());
	if (!child) {
		chmod("merged/f", 0600);
		_exit(0);
	}
	/* The copying has begun, or it has ended before we could see it. */
	do {
		OK(statfs("space", &st));
	} while ((free - st.f_bfree) * st.f_bsize < MIB && !has_ended(child));
	OK(kill(child, SIGKILL));
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status))
		SKIP("the copy-up of 256 MiB was done before the signal came");
	CHECK_EQ(WTERMSIG(status), SIGKILL);
	/* The signal may have come after the last byte was copied: then all must be there. */
	if (exists("space/upper/f")) {
		CHECK_EQ(stat_of("space/upper/f").st_size, SIZE);
		SKIP("the copy-up of 256 MiB was done before the signal came");
	}
	expect_names("space/upper", "");
	expect_no_leftovers("space/work");
	CHECK_EQ(stat_of("merged/f").st_mode & 07777, 0644);
	CHECK_EQ(stat_of("merged/f").st_size, SIZE);
	unmount();
	/* Even unnamed files hold space: it must be free again. */
	OK(statfs("space", &st));
	CHECK((free - st.f_bfree) * st.f_bsize < MIB);
}

/*
 *	low  d/f, 8 MiB; d/small     upper and work on a tmpfs of 2 MiB
 */
CASE(no_space, "a copy-up that finds no space fails with ENOSPC and leaves no trace")
{
	struct statfs before, after;

	set_up();
	make_dir("small");
	make_dir("low/d");
	make_sized("low/d/f", 8 * MIB);
	make_file("low/d/small", "small");
	OK(mount("none", "small", "tmpfs", 0, "size=2m"));
	make_dir("small/upper");
	make_dir("small/upper/d");
	make_dir("small/work");
	mount_options("merged", "lowerdir=low,upperdir=small/upper,workdir=small/work");
	OK(statfs("small", &before));
	FAILS(open("merged/d/f", O_WRONLY), ENOSPC);
	FAILS(chmod("merged/d/f", 0600), ENOSPC);
	FAILS(rename("merged/d/f", "merged/d/g"), ENOSPC);
	FAILS(link("merged/d/f", "merged/d/g"), ENOSPC);
	FAILS(truncate("merged/d/f", 6 * MIB), ENOSPC);
	expect_names("small/upper/d", "");
	expect_no_leftovers("small/work");
	OK(statfs("small", &after));
	CHECK_EQ(after.f_bfree, before.f_bfree);
	expect_sized("merged/d/f", 8 * MIB);
	expect_names("merged/d", "f small");
	/* There is space for less. */
	write_text("merged/d/small", "changed");
	expect_text("merged/d/small", "changed");
	unmount();
}

/*
 *	low  a/b/c/f      upper and work on a tmpfs of few inodes
 */
CASE(no_inodes, "a copy-up that finds no inode fails with ENOSPC, and works when there is one")
{
	int i;

	set_up();
	make_dir("small");
	make_dir("low/a");
	make_file("low/a/f", "low");
	OK(mount("none", "small", "tmpfs", 0, "nr_inodes=16"));
	make_dir("small/upper");
	make_dir("small/work");
	mount_options("merged", "lowerdir=low,upperdir=small/upper,workdir=small/work");
	for (i = 0; i < 32; i++) {
		int fd = open(text_of("small/fill%d", i), O_CREAT | O_EXCL | O_WRONLY, 0600);

		if (fd < 0)
			break;
		close(fd);
	}
	CHECK_EQ(errno, ENOSPC);
	FAILS(chmod("merged/a/f", 0600), ENOSPC);
	expect_names("small/upper", "");
	expect_no_leftovers("small/work");
	CHECK_EQ(stat_of("merged/a/f").st_mode & 07777, 0644);
	while (i--)
		OK(unlink(text_of("small/fill%d", i)));
	OK(chmod("merged/a/f", 0600));
	CHECK_EQ(stat_of("small/upper/a/f").st_mode & 07777, 0600);
	unmount();
}

/*
 *	low  f="low"
 */
CASE(read_only_mount, "on a read-only mount nothing is copied up: EROFS")
{
	set_up();
	make_file("low/f", "low");
	make_dir("top/d");
	mount_read_only("top:low");
	FAILS(open("merged/f", O_WRONLY), EROFS);
	FAILS(chmod("merged/f", 0600), EROFS);
	FAILS(truncate("merged/f", 0), EROFS);
	FAILS(unlink("merged/f"), EROFS);
	FAILS(mkdir("merged/new", 0755), EROFS);
	FAILS(rename("merged/f", "merged/g"), EROFS);
	FAILS(setxattr("merged/f", "user.x", "x", 1, 0), EROFS);
	expect_text("merged/f", "low");
}

CASES_MAIN
