// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount's own uuid: a mark of the upper's root, which statfs shows as f_fsid; and what uuid=off
 * makes of the uuids of file systems in file handles.
 */
#include "fixture.h"

#include <sys/statfs.h>

#include "device.h"

#define MARK "trusted.overlay.uuid"

static bool upper_has_uuid(void)
{
	char value[64];
	ssize_t size = lgetxattr("upper", MARK, value, sizeof(value));

	if (size < 0 && errno == ENODATA)
		return false;
	CHECK_EQ(OK(size), 16);
	return true;
}

static void needs_uuid(void)
{
	set_up();
	if (try_mount("merged", "uuid=null,lowerdir=low,upperdir=upper,workdir=work"))
		SKIP("this kernel's overlayfs knows no uuid=null");
	unmount();
}

static long long fsid_of_(const char *path)
{
	struct statfs st;
	long long fsid;

	step_ok("statfs", statfs(path, &st));
	memcpy(&fsid, &st.f_fsid, sizeof(fsid));
	return fsid;
}
#define fsid_of(path) STEP(fsid_of_(path))

static void remount(const char *option)
{
	unmount();
	mount_options("merged", text_of("%slowerdir=low,upperdir=upper,workdir=work", option));
}

CASE(new_upper, "a new upper gets a uuid, and statfs a number of the mount's own, the same after remounting")
{
	long long fsid;

	needs_uuid();
	CHECK(!upper_has_uuid());
	mount_options("merged", "lowerdir=low,upperdir=upper,workdir=work");
	CHECK(upper_has_uuid());
	CHECK(shows_option("uuid=on"));
	fsid = fsid_of("merged");
	CHECK(fsid != fsid_of("upper"));
	remount("");
	CHECK_EQ(fsid_of("merged"), fsid);
	remount("uuid=on,");
	CHECK_EQ(fsid_of("merged"), fsid);
	OK(removexattr("upper", MARK));
	remount("");
	CHECK(fsid_of("merged") != fsid);
	CHECK(lgetxattr("merged", MARK, NULL, 0) < 0);
}

/*
 *	low/d/f
 */
CASE(used_upper, "an upper that was written to before stays without a uuid, until it is asked for")
{
	needs_uuid();
	make_dir("low/d");
	make_file("low/d/f", "");
	mount_options("merged", "uuid=null,lowerdir=low,upperdir=upper,workdir=work");
	CHECK_EQ(fsid_of("merged"), fsid_of("upper"));
	OK(chmod("merged/d/f", 0600));
	remount("");
	CHECK(!upper_has_uuid());
	CHECK(shows_option("uuid=null"));
	CHECK_EQ(fsid_of("merged"), fsid_of("upper"));
	remount("uuid=on,");
	CHECK(upper_has_uuid());
	CHECK(fsid_of("merged") != fsid_of("upper"));
}

CASE(null, "uuid=null neither makes a uuid nor minds one, and the number is the upper's")
{
	needs_uuid();
	mount_options("merged", "uuid=null,lowerdir=low,upperdir=upper,workdir=work");
	CHECK(!upper_has_uuid());
	remount("uuid=on,");
	remount("uuid=null,");
	CHECK(upper_has_uuid());
	CHECK_EQ(fsid_of("merged"), fsid_of("upper"));
}

CASE(not_a_uuid, "a mark of another length is no uuid and stays: uuid=null, and a line in the kernel log")
{
	needs_uuid();
	set_mark_bytes("upper", "uuid", "short", 5);
	mount_options("merged", "uuid=on,lowerdir=low,upperdir=upper,workdir=work");
	CHECK(shows_option("uuid=null"));
	CHECK_EQ(fsid_of("merged"), fsid_of("upper"));
	expect_mark("upper", "uuid", "short");
}

CASE(without_upper, "without an upper there is none to keep, and the number is the top-most layer's")
{
	set_up();
	make_dir("low2");
	mount_options("merged", "uuid=on,lowerdir=low:low2");
	if (on_shale())
		CHECK_EQ(fsid_of("merged"), fsid_of("low"));
	CHECK(lgetxattr("low", MARK, NULL, 0) < 0);
}

/*
 *	low/f, copied up
 */
CASE(off, "uuid=off makes origins without the uuid of the file system, and knows no others")
{
	static const char none[16];
	unsigned char origin[256];
	ino_t ino;

	needs_uuid();
	needs_handles();
	make_file("low/f", "");
	make_file("low/g", "");
	mount_options("merged", "uuid=off,xino=off,lowerdir=low,upperdir=upper,workdir=work");
	CHECK(!upper_has_uuid());
	CHECK_EQ(fsid_of("merged"), fsid_of("upper"));
	ino = stat_of("merged/f").st_ino;
	write_text("merged/f", "new");
	OK(lgetxattr("upper/f", "trusted.overlay.origin", origin, sizeof(origin)));
	CHECK(!memcmp(origin + 5, none, sizeof(none)));
	remount("uuid=off,xino=off,");
	CHECK_EQ(stat_of("merged/f").st_ino, ino);
	remount("uuid=null,xino=off,");
	CHECK_EQ(stat_of("merged/f").st_ino, stat_of("upper/f").st_ino);
	ino = stat_of("merged/g").st_ino;
	write_text("merged/g", "new");
	remount("uuid=off,xino=off,");
	CHECK_EQ(stat_of("merged/g").st_ino, stat_of("upper/g").st_ino);
	CHECK(stat_of("merged/g").st_ino != ino);
}

CASE(off_on_several, "uuid=off with layers on two file systems is uuid=null")
{
	struct device device;

	needs_uuid();
	make_dir("other");
	device = loop_device(64 << 20);
	make_fs(&device, "ext4", "-q -m 0 -N 256 -J size=1 -E nodiscard");
	OK(mount_fs(device.path, "other", "ext4", 0, NULL));
	mount_options("merged", "uuid=off,lowerdir=other,upperdir=upper,workdir=work");
	CHECK(shows_option("uuid=null"));
}

CASES_MAIN
