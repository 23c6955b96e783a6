// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fs-verity: copies without data are marked with the digest of the data that they leave behind, and
 * data is compared with it before it is read.
 */
#include "fixture.h"

#include <linux/fsverity.h>
#include <sys/ioctl.h>

#include "device.h"

#define LAYERS "lowerdir=low,upperdir=upper,workdir=work"

/* low is an ext4 that has fs-verity. */
static void mount_low(void)
{
	struct device device = loop_device(64 << 20);

	make_fs(&device, "ext4", "-q -m 0 -N 256 -b 4096 -O verity -J size=4 -E nodiscard");
	OK(mount_fs(device.path, "low", "ext4", 0, NULL));
	OK(rmdir("low/lost+found"));
}

static void set_up_verity(void)
{
	set_up_if_known("verity=on");
	mount_low();
}

/* Return: as ioctl(2). */
static int try_verity(const char *path)
{
	struct fsverity_enable_arg enable = {
		.version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096,
	};
	int fd = open(path, O_RDONLY);
	int ret = ioctl(fd, FS_IOC_ENABLE_VERITY, &enable), error = errno;

	close(fd);
	errno = error;
	return ret;
}

static void enable_verity_(const char *path)
{
	step_ok("FS_IOC_ENABLE_VERITY", try_verity(path));
}

static void make_verity_file_(const char *path, const char *text)
{
	make_file_(path, text);
	enable_verity_(path);
}
#define make_verity_file(path, text) STEP(make_verity_file_(path, text))

struct digest {
	struct fsverity_digest header;
	unsigned char bytes[64];
};

/* Return: as ioctl(2). */
static int try_digest(const char *path, struct digest *digest)
{
	int fd = open(path, O_RDONLY), ret, error;

	memset(digest, 0, sizeof(*digest));
	digest->header.digest_size = sizeof(digest->bytes);
	ret = ioctl(fd, FS_IOC_MEASURE_VERITY, digest);
	error = errno;
	close(fd);
	errno = error;
	return ret;
}

/* The mark that a copy of the file is to have. Return: its size. */
static size_t wanted_mark_(const char *path, unsigned char *mark)
{
	struct digest digest;

	step_ok("FS_IOC_MEASURE_VERITY", try_digest(path, &digest));
	mark[0] = 0;
	mark[1] = 4 + digest.header.digest_size;
	mark[2] = 0;
	mark[3] = digest.header.digest_algorithm;
	memcpy(mark + 4, digest.bytes, digest.header.digest_size);
	return mark[1];
}

static void expect_digest_of_(const char *copy, const char *lower)
{
	unsigned char wanted[68], got[68];
	size_t size = wanted_mark_(lower, wanted);

	if (step_ok("getxattr", lgetxattr(copy, "trusted.overlay.metacopy", got, sizeof(got))) != (long)size ||
	    memcmp(got, wanted, size))
		fail("the mark of %s is not the digest of %s", copy, lower);
}
#define expect_digest_of(copy, lower) STEP(expect_digest_of_(copy, lower))

static void expect_no_data(const char *path)
{
	struct stat st = stat_of(path);

	CHECK(st.st_size > 0);
	FAILS(open(path, O_RDONLY), EIO);
	FAILS(open(path, O_WRONLY), EIO);
}

/* Another file, with other content of the same size, takes its place. */
static void exchange_(const char *path, const char *text, bool verity)
{
	step_ok("unlink", unlink(path));
	make_file_(path, text);
	if (verity)
		enable_verity_(path);
}

static void remount(const char *features)
{
	with_features(features);
	again();
}

/*
 *	low/f, with fs-verity; low/plain, without
 */
CASE(marked, "verity=on: a copy without data is marked with the digest, if there is one, and reads")
{
	set_up_verity();
	make_verity_file("low/f", "content");
	make_file("low/plain", "content");
	mount_layers("low");
	OK(chmod("merged/f", 0600));
	OK(chmod("merged/plain", 0600));
	expect_digest_of("upper/f", "low/f");
	expect_mark("upper/plain", "metacopy", "");
	EACH_TIME {
		expect_text("merged/f", "content");
		expect_text("merged/plain", "content");
	}
	write_text("merged/f", "new");
	EACH_TIME
		expect_text("merged/f", "new");
	expect_text("low/f", "content");
}

/*
 *	low/f, copied up without data; then another file
 */
CASE(exchanged, "data that is not what the digest says, or has none, is EIO; with verity=off it is read")
{
	set_up_verity();
	make_verity_file("low/f", "content");
	make_verity_file("low/g", "content");
	mount_options("merged", LAYERS);
	OK(chmod("merged/f", 0600));
	OK(chmod("merged/g", 0600));
	unmount();
	STEP(exchange_("low/f", "CONTENT", true));
	STEP(exchange_("low/g", "CONTENT", false));
	mount_layers("low");
	EACH_TIME {
		expect_no_data("merged/f");
		expect_no_data("merged/g");
		if (on_shale())		/* to overlayfs that is EIO, too */
			OK(chmod("merged/f", 0644));
	}
	remount("metacopy=on,redirect_dir=on");
	expect_text("merged/f", "CONTENT");
	expect_text("merged/g", "CONTENT");
}

/*
 *	low/f, with fs-verity; low/plain, without
 */
CASE(required, "verity=require: what has no digest is copied with its data, and a mark without one is EIO")
{
	set_up_verity();
	make_verity_file("low/f", "content");
	make_file("low/plain", "content");
	make_file("low/before", "content");
	mount_layers("low");
	OK(chmod("merged/before", 0600));
	remount("verity=require");
	OK(chmod("merged/f", 0600));
	OK(chmod("merged/plain", 0600));
	expect_digest_of("upper/f", "low/f");
	CHECK(lgetxattr("upper/plain", "trusted.overlay.metacopy", NULL, 0) < 0);
	expect_text("upper/plain", "content");
	EACH_TIME {
		expect_text("merged/f", "content");
		expect_text("merged/plain", "content");
		expect_no_data("merged/before");
	}
}

/*
 *	low  f, g, plain: content, with fs-verity but for plain
 *	top  a, b, c: without data, redirected to these, with the digest of f
 */
CASE(data_layers, "files of data-only layers are compared with the digest of the file that names them")
{
	static const char *const names[] = { "a", "b", "c" };
	static const char *const data[] = { "f", "g", "plain" };
	unsigned char mark[68];
	size_t size;
	int i;

	set_up_verity();
	make_verity_file("low/f", "content");
	make_verity_file("low/g", "CONTENT");
	make_file("low/plain", "content");
	size = wanted_mark_("low/f", mark);
	for (i = 0; i < 3; i++) {
		const char *path = text_of("top/%s", names[i]);

		make_sized(path, 7);
		set_mark_bytes(path, "metacopy", mark, size);
		set_mark(path, "redirect", text_of("/%s", data[i]));
	}
	with_features("verity=require");
	mount_layers("top::low");
	EACH_TIME {
		expect_text("merged/a", "content");
		for (i = 1; i < 3; i++)
			expect_no_data(text_of("merged/%s", names[i]));
	}
	OK(chmod("merged/a", 0600));
	expect_digest_of("upper/a", "low/f");
	expect_text("merged/a", "content");
}

static void refused_(const char *features)
{
	with_features(features);
	step_fails(features, try_mount("merged", LAYERS), EINVAL);
}

CASE(conflicts, "verity conflicts with metacopy=off, userxattr and redirect_dir=off; there is no other value")
{
	set_up_verity();
	STEP(refused_("verity=on,metacopy=off"));
	STEP(refused_("verity=on,userxattr"));
	STEP(refused_("verity=on,redirect_dir=nofollow"));
	STEP(refused_("verity=yes"));
	with_features("verity=require");
	mount_options("merged", LAYERS);
}

/*
 *	low/f, with fs-verity; low/plain, without
 */
CASE(measured, "the fs-verity digest of a file of a lower is that of the file; where there is none, ENODATA")
{
	struct digest in_lower, in_mount;

	only_shale("it has no ioctl of a base");
	set_up();
	mount_low();
	make_file("low/f", "content");
	make_file("low/plain", "content");
	if (try_verity("low/f"))
		SKIP("this kernel has no fs-verity");
	mount_layers("low");
	OK(try_digest("low/f", &in_lower));
	OK(try_digest("merged/f", &in_mount));
	CHECK(!memcmp(&in_mount, &in_lower, sizeof(in_lower)));
	FAILS(try_digest("merged/plain", &in_mount), ENODATA);
	/* What would change the layer is none of the operations that are passed on. */
	FAILS(try_verity("merged/plain"), ENOTTY);
}

CASES_MAIN
