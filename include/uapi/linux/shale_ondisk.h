/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a Shale layer looks like on disk: the format of the kernel's overlayfs, as
 * Documentation/filesystems/overlayfs.rst describes it.
 *
 * The module, the tools and the fuzzers compile this one file. Everything in it is pure: it
 * reads bytes that are already in memory and does no I/O.
 *
 * A whiteout, which deletes the name in every layer below, is a character device 0:0.
 * The marks are extended attributes, named PREFIX "overlay." MARK, where PREFIX is
 * "trusted." or, in a mount made with the option userxattr, "user.".
 */
#ifndef _UAPI_LINUX_SHALE_ONDISK_H
#define _UAPI_LINUX_SHALE_ONDISK_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif

#define SHALE_XATTR_TRUSTED	"trusted.overlay."
#define SHALE_XATTR_USER	"user.overlay."

/*
 * A mount shows and sets an attribute that lies in the marks' name space, "trusted.overlay.X",
 * by the name "trusted.overlay.overlay.X" in the layer. So an upper can hold the layer of
 * another mount; each nesting adds one such level.
 */
#define SHALE_XATTR_ESCAPE	"overlay."

/* Marks. Behind each: the kind of object that carries it. */
#define SHALE_MARK_OPAQUE	"opaque"	/* directory */
#define SHALE_MARK_REDIRECT	"redirect"	/* directory, or metacopy file */
#define SHALE_MARK_METACOPY	"metacopy"	/* regular file */
#define SHALE_MARK_ORIGIN	"origin"	/* anything that was copied up */
#define SHALE_MARK_IMPURE	"impure"	/* directory holding such objects */

/* What SHALE_MARK_OPAQUE says of a directory. */
enum shale_opaque {
	SHALE_OPAQUE_NO,	/* layers below show through */
	SHALE_OPAQUE_YES,	/* "y": they do not */
	SHALE_OPAQUE_XWHITEOUT,	/* "x": they do, and files here may be xattr whiteouts */
};

/* What overlayfs writes into a work directory: temporary objects, wiped at mount. */
#define SHALE_WORK_DIR		"work"
/* Anything below work/incompat makes the upper unmountable for whoever does not know it. */
#define SHALE_INCOMPAT_DIR	"incompat"

/**
 * shale_opaque_decode - read the value of SHALE_MARK_OPAQUE
 * @value: bytes of the attribute; may be NULL when @size is 0
 * @size: their number
 *
 * Values that no version of the format defines count as absent, as they do in overlayfs.
 */
static inline enum shale_opaque shale_opaque_decode(const void *value, __kernel_size_t size)
{
	if (size == 1 && *(const char *)value == 'y')
		return SHALE_OPAQUE_YES;
	if (size == 1 && *(const char *)value == 'x')
		return SHALE_OPAQUE_XWHITEOUT;
	return SHALE_OPAQUE_NO;
}

/* The record behind SHALE_MARK_ORIGIN: which lower object an upper one was copied from. */
#define SHALE_ORIGIN_VERSION	0
#define SHALE_ORIGIN_MAGIC	0xfb
#define SHALE_ORIGIN_BIG_ENDIAN	0x01	/* the handle's file system was big-endian */
#define SHALE_ORIGIN_ANY_ENDIAN	0x02	/* the handle has no byte order */
#define SHALE_ORIGIN_UPPER	0x04	/* the handle names an upper object */
#define SHALE_ORIGIN_FLAGS	0x07

struct shale_origin {
	__u8 version;		/* SHALE_ORIGIN_VERSION */
	__u8 magic;		/* SHALE_ORIGIN_MAGIC */
	__u8 len;		/* of the whole record, this header included, in bytes */
	__u8 flags;		/* SHALE_ORIGIN_* */
	__u8 type;		/* of the file handle */
	__u8 uuid[16];		/* of the file system that holds the lower object */
	__u8 handle[];		/* the file handle */
} __attribute__((packed));

static_assert(sizeof(struct shale_origin) == 21, "on-disk size");

/**
 * shale_origin_valid - is this a well-formed origin record?
 * @record: bytes of the attribute
 * @size: their number
 *
 * Return: 1 when the record may be decoded, 0 when it is empty (origin unknown), of another
 * version, or damaged. None of these is an error of the object that carries it.
 */
static inline int shale_origin_valid(const void *record, __kernel_size_t size)
{
	const struct shale_origin *origin = (const struct shale_origin *)record;

	return size > sizeof(*origin) && origin->version == SHALE_ORIGIN_VERSION &&
	       origin->magic == SHALE_ORIGIN_MAGIC && origin->len == size &&
	       !(origin->flags & ~SHALE_ORIGIN_FLAGS);
}

#endif /* _UAPI_LINUX_SHALE_ONDISK_H */
