// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mount of which another mount is made that maps ids.
 *
 *	merged		shows the ids of the layers
 *	mapped		shows the same ids, 100000 added: SEEN(x) is who is x on disk
 *
 * Each case is run on layers as they are, and on layers that are on a mapping mount themselves. With
 * SHALE_FSTYPE=bind there are no layers, and "merged" is "upper" itself: so these cases can be
 * judged by what a file system of the kernel does.
 */
#include "fixture.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "userns.h"

enum { OFFSET = 100000 };
#define SEEN(id) (OFFSET + (id))

/* As SEEN(id), with a group of the same number. */
#define AS_SEEN(id) AS(SEEN(id), SEEN(id))
/* As root of a namespace where ids are those on disk. */
#define AS_ROOT_INSIDE for (; STEP(child_as(0, 0)) && (enter_userns(inside), true); fflush(stdout), _exit(KTAP_PASS))

enum layers { PLAIN, MAPPED_LAYERS };

static const char *low = "low";		/* where to make what a lower is to have */
static int inside;			/* the namespace of AS_ROOT_INSIDE */

static bool on_bind(void)
{
	return !strcmp(fs_type(), "bind");
}

static void set_up_mapped(enum layers layers)
{
	set_up();
	if (on_bind()) {
		low = "upper";
		if (layers == MAPPED_LAYERS)
			SKIP("there are no layers");
	} else {
		only_shale("maps no ids");
	}
	make_dir("mapped");
	inside = userns("0 100000 65536");
	OK(chmod("upper", 0777));
	OK(chmod("low", 0777));
}

/* When the layers are made. */
static void mount_mapped_layers(enum layers layers)
{
	int map = inside;

	if (on_bind()) {
		OK(mount("upper", "merged", NULL, MS_BIND, NULL));
	} else if (layers == PLAIN) {
		mount_layers("low");
	} else {
		/* Who mounts must have an id on the layers. All other ids are moved. */
		make_dir("layers");
		if (mount_mapped(".", "layers", userns("0 0 1000\n1000 201000 60000")))
			SKIP("the base maps no ids");
		mount_options("merged", "lowerdir=layers/low,upperdir=layers/upper,workdir=layers/work");
		map = userns("0 100000 1000\n201000 101000 60000");
	}
	OK(mount_mapped("merged", "mapped", map));
}

#define ON_BOTH(function, title)						\
	static void function(enum layers layers);				\
	CASE(function##_plain, title)						\
	{									\
		function(PLAIN);						\
	}									\
	CASE(function##_mapped, title ", on layers that are mapped")		\
	{									\
		function(MAPPED_LAYERS);					\
	}									\
	static void function(enum layers layers)

static void expect_owner_(const char *path, unsigned int uid, unsigned int gid)
{
	struct stat st = stat_of_(path);

	if (st.st_uid != uid || st.st_gid != gid)
		fail("%s belongs to %u:%u, not %u:%u", path, st.st_uid, st.st_gid, uid, gid);
}

#define expect_owner(path, uid, gid) STEP(expect_owner_(path, uid, gid))

static void make_low(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	const char *path = text_of("%s/%s", low, name);

	make_file(path, "low");
	OK(chown(path, uid, gid));
	OK(chmod(path, mode));
}

static void make_low_dir(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	const char *path = text_of("%s/%s", low, name);

	make_dir(path);
	OK(chown(path, uid, gid));
	OK(chmod(path, mode));
}

/* Every kind of object, under names that end so. Returns the first error, or 0. */
static int make_all(const char *suffix, bool all_fail)
{
	int tmpfile, i, failed = 0;
	long results[6], errors[6];

	errno = 0;
	results[0] = open(text_of("mapped/d/file%s", suffix), O_CREAT | O_EXCL | O_WRONLY, 0644);
	errors[0] = errno;
	results[1] = mkdir(text_of("mapped/d/dir%s", suffix), 0755);
	errors[1] = errno;
	results[2] = symlink("x", text_of("mapped/d/link%s", suffix));
	errors[2] = errno;
	results[3] = mkfifo(text_of("mapped/d/fifo%s", suffix), 0644);
	errors[3] = errno;
	results[4] = tmpfile = open("mapped/d", O_TMPFILE | O_WRONLY, 0644);
	errors[4] = errno;
	results[5] = tmpfile < 0 ? -1 : linkat(AT_FDCWD, text_of("/proc/self/fd/%d", tmpfile), AT_FDCWD,
					       text_of("mapped/d/unnamed%s", suffix),
					       AT_SYMLINK_FOLLOW);
	errors[5] = tmpfile < 0 ? errors[4] : errno;
	for (i = 0; i < 6; i++) {
		if ((results[i] < 0) != all_fail)
			fail("making object %d: %s", i, errno_name(results[i] < 0 ? errors[i] : 0));
		if (results[i] < 0)
			failed = failed ?: errors[i];
		if (results[i] < 0 && errors[i] != failed)
			fail("making object %d: %s", i, errno_name(errors[i]));
	}
	return failed;
}

static const char * const all_names[] = { "file", "dir", "link", "fifo", "unnamed" };
enum { NR_NAMES = 5 };

/*
 *	low  f (1000:1001)  d (0:0)  beyond (70000:70000)
 */
ON_BOTH(ids_are_seen, "ids are seen through the map, and those that it does not have as nobody's")
{
	set_up_mapped(layers);
	make_low("f", 0644, SOMEBODY, ANYBODY);
	make_low_dir("d", 0755, 0, 0);
	make_low("beyond", 0644, 70000, 70000);
	mount_mapped_layers(layers);
	expect_owner("mapped/f", SEEN(SOMEBODY), SEEN(ANYBODY));
	expect_owner("mapped/d", SEEN(0), SEEN(0));
	expect_owner("mapped/beyond", 65534, 65534);
	AS_ROOT_INSIDE {
		expect_owner("mapped/f", SOMEBODY, ANYBODY);
		expect_owner("mapped/d", 0, 0);
		FAILS(chmod("mapped/beyond", 0600), EOVERFLOW);
		FAILS(open("mapped/beyond", O_WRONLY), EACCES);
		expect_text("mapped/beyond", "low");
	}
	/* Not for root either. */
	FAILS(open("mapped/beyond", O_WRONLY), EACCES);
}

/*
 *	low  d (0777)/gone-*, which are removed first
 */
ON_BOTH(made_by_the_caller, "what somebody makes belongs on disk to who is seen as them")
{
	int i;

	set_up_mapped(layers);
	make_low_dir("d", 0777, 0, 0);
	for (i = 0; i < NR_NAMES; i++)
		make_low(text_of("d/%s-gone", all_names[i]), 0644, 0, 0);
	mount_mapped_layers(layers);
	for (i = 0; i < NR_NAMES; i++)
		OK(unlink(text_of("mapped/d/%s-gone", all_names[i])));
	AS_SEEN(SOMEBODY) {
		CHECK_EQ(make_all("", false), 0);
		CHECK_EQ(make_all("-gone", false), 0);
		expect_owner("mapped/d/dir", SEEN(SOMEBODY), SEEN(SOMEBODY));
	}
	AS_ROOT_INSIDE {
		CHECK_EQ(make_all("-root", false), 0);
		expect_owner("mapped/d/dir-root", 0, 0);
		expect_owner("mapped/d/dir", SOMEBODY, SOMEBODY);
	}
	for (i = 0; i < NR_NAMES; i++) {
		expect_owner(text_of("upper/d/%s", all_names[i]), SOMEBODY, SOMEBODY);
		expect_owner(text_of("upper/d/%s-gone", all_names[i]), SOMEBODY, SOMEBODY);
		expect_owner(text_of("upper/d/%s-root", all_names[i]), 0, 0);
	}
}

/*
 *	low  d (0777)/f (0666)  gone, which is removed first
 */
ON_BOTH(made_by_nobody, "who has no id in the map makes nothing and names nothing, but uses what is there")
{
	set_up_mapped(layers);
	make_low_dir("d", 0777, 0, 0);
	make_low("d/f", 0666, SOMEBODY, SOMEBODY);
	make_low("d/file-gone", 0644, 0, 0);
	mount_mapped_layers(layers);
	OK(unlink("mapped/d/file-gone"));
	CHECK_EQ(make_all("", true), EOVERFLOW);
	CHECK_EQ(make_all("-gone", true), EOVERFLOW);
	AS(SOMEBODY, SOMEBODY) {
		CHECK_EQ(make_all("", true), EOVERFLOW);
		write_text("mapped/d/f", "theirs");
		FAILS(rename("mapped/d/f", "mapped/d/g"), EOVERFLOW);
		FAILS(chmod("mapped/d/f", 0600), EPERM);
	}
	FAILS(link("mapped/d/f", "mapped/d/g"), EOVERFLOW);
	expect_owner("upper/d/f", SOMEBODY, SOMEBODY);
	expect_text("upper/d/f", "theirs");
	OK(unlink("mapped/d/f"));
	expect_names("merged/d", "");
}

/*
 *	low  f, d/  (1000:1000)
 */
ON_BOTH(change_of_owner, "owners are changed to who is seen so, and not to whom the map does not have")
{
	set_up_mapped(layers);
	make_low("f", 04755, SOMEBODY, SOMEBODY);
	make_low_dir("d", 0755, SOMEBODY, SOMEBODY);
	mount_mapped_layers(layers);
	FAILS(chown("mapped/f", 5, -1), EOVERFLOW);
	FAILS(chown("mapped/f", -1, 5), EOVERFLOW);
	AS_SEEN(ANYBODY) {
		FAILS(chown("mapped/f", SEEN(ANYBODY), -1), EPERM);
	}
	AS_SEEN(SOMEBODY) {
		FAILS(chown("mapped/f", SEEN(ANYBODY), -1), EPERM);
		FAILS(chown("mapped/f", -1, SEEN(ANYBODY)), EPERM);
		OK(chown("mapped/f", -1, SEEN(SOMEBODY)));
	}
	AS(SEEN(SOMEBODY), SEEN(ANYBODY)) {
		OK(chown("mapped/f", -1, SEEN(ANYBODY)));
	}
	expect_owner("upper/f", SOMEBODY, ANYBODY);
	CHECK_EQ(stat_of("upper/f").st_mode, S_IFREG | 0755);
	OK(chown("mapped/f", SEEN(5), SEEN(6)));
	expect_owner("upper/f", 5, 6);
	expect_owner("mapped/f", SEEN(5), SEEN(6));
	AS_ROOT_INSIDE {
		OK(chown("mapped/d", 2000, 2001));
		OK(chmod("mapped/d", 02750));
	}
	expect_owner("upper/d", 2000, 2001);
	CHECK_EQ(stat_of("mapped/d").st_mode, S_IFDIR | 02750);
}

/*
 *	low  f (0600, 1000)  g (0060, group 1001)  d (0700, 1000)/x
 */
ON_BOTH(rights, "who may do what follows from the ids that are seen")
{
	set_up_mapped(layers);
	make_low("f", 0600, SOMEBODY, SOMEBODY);
	make_low("g", 0060, 0, ANYBODY);
	make_low_dir("d", 0700, SOMEBODY, SOMEBODY);
	make_low("d/x", 0644, SOMEBODY, SOMEBODY);
	mount_mapped_layers(layers);
	AS(SOMEBODY, ANYBODY) {
		FAILS(open("mapped/f", O_RDONLY), EACCES);
		FAILS(open("mapped/g", O_RDONLY), EACCES);
		FAILS(access("mapped/f", R_OK), EACCES);
		FAILS(open("mapped/d/x", O_RDONLY), EACCES);
		FAILS(open("mapped/d", O_RDONLY), EACCES);
	}
	AS(SEEN(SOMEBODY), SEEN(ANYBODY)) {
		OK(access("mapped/f", R_OK | W_OK));
		FAILS(access("mapped/f", X_OK), EACCES);
		write_text("mapped/f", "changed");
		write_text("mapped/g", "changed");
		expect_names("mapped/d", "x");
		OK(chmod("mapped/d/x", 0600));
		OK(utimensat(AT_FDCWD, "mapped/d/x", NULL, 0));
		FAILS(chmod("mapped/g", 0600), EPERM);
	}
	expect_owner("upper/f", SOMEBODY, SOMEBODY);
	expect_owner("upper/g", 0, ANYBODY);
	expect_owner("upper/d/x", SOMEBODY, SOMEBODY);
	CHECK_EQ(stat_of("upper/d/x").st_mode, S_IFREG | 0600);
}

/*
 *	low  sticky (01777)/{some,any,over}, of 1000, 1001, 1000
 */
ON_BOTH(sticky_directory, "in a sticky directory only the owner, as seen, removes and renames")
{
	set_up_mapped(layers);
	make_low_dir("sticky", 01777, 0, 0);
	make_low("sticky/some", 0666, SOMEBODY, SOMEBODY);
	make_low("sticky/any", 0666, ANYBODY, ANYBODY);
	make_low("sticky/over", 0666, SOMEBODY, SOMEBODY);
	mount_mapped_layers(layers);
	AS(SOMEBODY, SOMEBODY) {
		FAILS(unlink("mapped/sticky/some"), EPERM);
	}
	AS_SEEN(ANYBODY) {
		FAILS(unlink("mapped/sticky/some"), EPERM);
		FAILS(rename("mapped/sticky/some", "mapped/sticky/mine"), EPERM);
		FAILS(rename("mapped/sticky/any", "mapped/sticky/over"), EPERM);
		OK(rename("mapped/sticky/any", "mapped/sticky/moved"));
	}
	AS_SEEN(SOMEBODY) {
		OK(rename("mapped/sticky/some", "mapped/sticky/over"));
		OK(unlink("mapped/sticky/over"));
	}
	expect_names("merged/sticky", "moved");
	expect_owner("upper/sticky/moved", ANYBODY, ANYBODY);
}

/*
 *	low  d (02777, group 1001)/gone-*, which are removed first
 */
ON_BOTH(setgid_directory, "the group of a set-group-id directory is inherited")
{
	int i;

	set_up_mapped(layers);
	make_low_dir("d", 02777, 0, ANYBODY);
	for (i = 0; i < NR_NAMES; i++)
		make_low(text_of("d/%s-gone", all_names[i]), 0644, 0, 0);
	mount_mapped_layers(layers);
	for (i = 0; i < NR_NAMES; i++)
		OK(unlink(text_of("mapped/d/%s-gone", all_names[i])));
	AS_SEEN(SOMEBODY) {
		CHECK_EQ(make_all("", false), 0);
		CHECK_EQ(make_all("-gone", false), 0);
		/* Not of the group: no set-group-id for it. */
		close(OK(open("mapped/d/setgid", O_CREAT | O_EXCL | O_WRONLY, 02775)));
		close(OK(open("mapped/d/tool", O_CREAT | O_EXCL | O_WRONLY, 0775)));
		OK(chmod("mapped/d/tool", 02775));
	}
	AS(SEEN(SOMEBODY), SEEN(ANYBODY)) {
		close(OK(open("mapped/d/setgid-member", O_CREAT | O_EXCL | O_WRONLY, 02775)));
	}
	for (i = 0; i < NR_NAMES; i++) {
		expect_owner(text_of("upper/d/%s", all_names[i]), SOMEBODY, ANYBODY);
		expect_owner(text_of("upper/d/%s-gone", all_names[i]), SOMEBODY, ANYBODY);
	}
	CHECK_EQ(stat_of("upper/d/dir").st_mode, S_IFDIR | 02755);
	CHECK_EQ(stat_of("upper/d/dir-gone").st_mode, S_IFDIR | 02755);
	CHECK_EQ(stat_of("upper/d/setgid").st_mode, S_IFREG | 0755);
	CHECK_EQ(stat_of("upper/d/tool").st_mode, S_IFREG | 0775);
	CHECK_EQ(stat_of("upper/d/setgid-member").st_mode, S_IFREG | 02755);
}

/*
 *	low  f (06777, 1000:1001)
 */
ON_BOTH(privileges_go, "writing by another takes set-id bits away")
{
	int fd;

	set_up_mapped(layers);
	make_low("f", 06777, SOMEBODY, ANYBODY);
	make_low("g", 06777, SOMEBODY, ANYBODY);
	mount_mapped_layers(layers);
	AS_SEEN(2000) {
		fd = open_file("mapped/f", O_WRONLY);
		OK(write(fd, "x", 1));
		close(fd);
	}
	CHECK_EQ(stat_of("mapped/f").st_mode, S_IFREG | 0777);
	OK(chmod("mapped/f", 06777));
	/* Root of the initial namespace keeps them, and no other. */
	AS_ROOT_INSIDE {
		fd = open_file("mapped/f", O_WRONLY);
		OK(write(fd, "x", 1));
		close(fd);
	}
	CHECK_EQ(stat_of("mapped/f").st_mode, S_IFREG | 0777);
	fd = open_file("mapped/g", O_WRONLY);
	OK(write(fd, "x", 1));
	close(fd);
	CHECK_EQ(stat_of("mapped/g").st_mode, S_IFREG | 06777);
	expect_owner("upper/g", SOMEBODY, ANYBODY);
}

/* ACLs: version 2, entries of tag, permissions, id. */
struct acl {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} entry[6];
};

/* u::rw- u:@id:rw- g::--- g:@id:r-- m::rw- o::--- */
static struct acl acl_for(uint32_t id)
{
	return (struct acl){ 2, {
		{ 0x01, 6, -1 }, { 0x02, 6, id }, { 0x04, 0, -1 }, { 0x08, 4, id },
		{ 0x10, 6, -1 }, { 0x20, 0, -1 },
	} };
}

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

static void expect_acl_(const char *path, const char *name, uint32_t id)
{
	struct acl acl = { 0 }, wanted = acl_for(id);
	ssize_t size = getxattr(path, name, &acl, sizeof(acl));

	if (size != sizeof(acl))
		fail("%s of %s: %zd, %s", name, path, size, errno_name(errno));
	if (memcmp(&acl, &wanted, sizeof(acl)))
		fail("%s of %s is for %u and %u, not %u", name, path, acl.entry[1].id,
		     acl.entry[3].id, id);
}

#define expect_acl(path, name, id) STEP(expect_acl_(path, name, id))

static int set_acl(const char *path, const char *name, uint32_t id)
{
	struct acl acl = acl_for(id);

	return setxattr(path, name, &acl, sizeof(acl), 0);
}

/*
 *	low  f, old, with an ACL for 1001; d/gone-*
 */
ON_BOTH(acls, "ids in ACLs are mapped, in what is set, read, inherited and obeyed")
{
	set_up_mapped(layers);
	make_low("f", 0600, SOMEBODY, SOMEBODY);
	make_low("old", 0600, SOMEBODY, SOMEBODY);
	OK(set_acl(text_of("%s/old", low), ACCESS, ANYBODY));
	make_low_dir("d", 0777, SOMEBODY, SOMEBODY);
	make_low("d/gone", 0644, 0, 0);
	mount_mapped_layers(layers);
	OK(unlink("mapped/d/gone"));

	expect_acl("mapped/old", ACCESS, SEEN(ANYBODY));
	AS(ANYBODY, ANYBODY) {
		FAILS(open("mapped/old", O_RDWR), EACCES);
	}
	AS_SEEN(ANYBODY) {
		close(OK(open("mapped/old", O_RDWR)));
		FAILS(set_acl("mapped/old", ACCESS, SEEN(5)), EPERM);
	}
	expect_acl("upper/old", ACCESS, ANYBODY);
	expect_acl("mapped/old", ACCESS, SEEN(ANYBODY));

	FAILS(set_acl("mapped/f", ACCESS, 5), EINVAL);
	AS_SEEN(SOMEBODY) {
		OK(set_acl("mapped/f", ACCESS, SEEN(ANYBODY)));
		OK(set_acl("mapped/d", DEFAULT, SEEN(ANYBODY)));
	}
	expect_acl("upper/f", ACCESS, ANYBODY);
	expect_acl("upper/d", DEFAULT, ANYBODY);
	AS_ROOT_INSIDE {
		expect_acl("mapped/f", ACCESS, ANYBODY);
		OK(set_acl("mapped/f", ACCESS, 5));
		expect_acl("mapped/f", ACCESS, 5);
	}
	expect_acl("upper/f", ACCESS, 5);
	AS_SEEN(SOMEBODY) {
		close(OK(open("mapped/d/new", O_CREAT | O_EXCL | O_WRONLY, 0666)));
		close(OK(open("mapped/d/gone", O_CREAT | O_EXCL | O_WRONLY, 0666)));
		OK(mkdir("mapped/d/sub", 0777));
	}
	expect_acl("upper/d/new", ACCESS, ANYBODY);
	expect_acl("upper/d/gone", ACCESS, ANYBODY);
	expect_acl("upper/d/sub", DEFAULT, ANYBODY);
	expect_acl("mapped/d/gone", ACCESS, SEEN(ANYBODY));
	AS_SEEN(ANYBODY) {
		close(OK(open("mapped/d/gone", O_RDWR)));
	}
	AS_SEEN(SOMEBODY) {
		OK(removexattr("mapped/d", DEFAULT));
	}
	expect_xattr("upper/d", DEFAULT, NULL);
}

/*
 *	low  f (1000)
 */
ON_BOTH(capabilities, "capabilities of a file belong to the root that is seen")
{
	struct vfs_ns_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1 << CAP_CHOWN,
	};
	int fd;

	set_up_mapped(layers);
	make_low("f", 0777, SOMEBODY, SOMEBODY);
	mount_mapped_layers(layers);
	AS_SEEN(SOMEBODY) {
		FAILS(setxattr("mapped/f", "security.capability", &caps, XATTR_CAPS_SZ_2, 0), EPERM);
	}
	AS_ROOT_INSIDE {
		OK(setxattr("mapped/f", "security.capability", &caps, XATTR_CAPS_SZ_2, 0));
		/* Inside they are just root's. */
		CHECK_EQ(OK(getxattr("mapped/f", "security.capability", &caps, sizeof(caps))),
			 XATTR_CAPS_SZ_2);
	}
	CHECK_EQ(OK(getxattr("mapped/f", "security.capability", &caps, sizeof(caps))),
		 XATTR_CAPS_SZ_3);
	CHECK_EQ(caps.rootid, SEEN(0));
	AS_SEEN(2000) {
		fd = open_file("mapped/f", O_WRONLY);
		OK(write(fd, "x", 1));
		close(fd);
	}
	expect_xattr("upper/f", "security.capability", NULL);
}

/*
 *	low  f (1000)  d/x (1000)
 */
ON_BOTH(everything_else, "attributes, flags, names and content are as without a map")
{
	int fd, flags = 0;

	set_up_mapped(layers);
	make_low("f", 0644, SOMEBODY, SOMEBODY);
	make_low_dir("d", 0755, SOMEBODY, SOMEBODY);
	make_low("d/x", 0644, SOMEBODY, SOMEBODY);
	mount_mapped_layers(layers);
	AS_SEEN(SOMEBODY) {
		OK(setxattr("mapped/f", "user.a", "value", 5, 0));
		expect_xattr("mapped/f", "user.a", "value");
		OK(truncate("mapped/f", 1));
		fd = open_file("mapped/f", O_RDWR);
		OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
		flags |= FS_NODUMP_FL;
		OK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
		close(fd);
		OK(link("mapped/d/x", "mapped/d/y"));
		OK(rename("mapped/d/x", "mapped/d/z"));
		OK(unlink("mapped/d/y"));
		OK(mkdir("mapped/d/sub", 0755));
		OK(rmdir("mapped/d/sub"));
	}
	expect_text("upper/f", "l");
	expect_names("merged/d", "z");
	expect_owner("upper/f", SOMEBODY, SOMEBODY);
	expect_owner("upper/d/z", SOMEBODY, SOMEBODY);
	AS_ROOT_INSIDE {
		OK(mknod("mapped/d/fifo", S_IFIFO | 0644, 0));
		FAILS(mknod("mapped/d/null", S_IFCHR | 0666, makedev(1, 3)), EPERM);
	}
	expect_owner("upper/d/fifo", 0, 0);
}

CASES_MAIN
