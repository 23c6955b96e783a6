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
#include <stddef.h>
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
#define SHALE_MARK_WHITEOUT	"whiteout"	/* empty file that is a whiteout (opaque "x") */
#define SHALE_MARK_REDIRECT	"redirect"	/* directory, or metacopy file */
#define SHALE_MARK_METACOPY	"metacopy"	/* regular file whose data lies further down */
#define SHALE_MARK_ORIGIN	"origin"	/* anything that was copied up */
#define SHALE_MARK_IMPURE	"impure"	/* directory holding such objects */
#define SHALE_MARK_NLINK	"nlink"		/* file that the index has */
#define SHALE_MARK_UPPER	"upper"		/* the index, and a directory's entry in it */
#define SHALE_MARK_UUID		"uuid"		/* root of an upper: 16 bytes, the mount's uuid */
#define SHALE_MARK_PROTATTR	"protattr"	/* object that is immutable or append-only */

/* What SHALE_MARK_OPAQUE says of a directory. */
enum shale_opaque {
	SHALE_OPAQUE_NO,	/* layers below show through */
	SHALE_OPAQUE_YES,	/* "y": they do not */
	SHALE_OPAQUE_XWHITEOUT,	/* "x": they do, and files here may be xattr whiteouts */
};

/* What overlayfs writes into a work directory: temporary objects, wiped at mount. */
#define SHALE_WORK_DIR		"work"
/* Beside it: what was copied up, under the names of its origins. */
#define SHALE_INDEX_DIR		"index"
/* Anything below work/incompat makes the upper unmountable for whoever does not know it. */
#define SHALE_INCOMPAT_DIR	"incompat"
/* Such a feature, and what is in it: written to by a mount that syncs nothing. */
#define SHALE_VOLATILE_DIR	"volatile"
#define SHALE_DIRTY_FILE	"dirty"

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

/* What SHALE_MARK_REDIRECT says: by which name layers further down know the object. */
enum shale_redirect {
	SHALE_REDIRECT_INVALID,
	SHALE_REDIRECT_RELATIVE,	/* a name, in the same directory */
	SHALE_REDIRECT_ABSOLUTE,	/* a path from the layer's root; begins with a slash */
};

/* Longest value, in bytes. */
#define SHALE_REDIRECT_MAX	4095

/* How many bytes of @text stand before its first slash, or its end. */
static inline __kernel_size_t shale_component_len(const char *text, __kernel_size_t size)
{
	__kernel_size_t len = 0;

	while (len < size && text[len] != '/')
		len++;
	return len;
}

/* May this be a name in a directory? Not "", ".", "..", and nothing with a null byte in it. */
static inline int shale_component_valid(const char *text, __kernel_size_t len)
{
	__kernel_size_t i;

	if (!len || len > 255 || (text[0] == '.' && (len == 1 || (len == 2 && text[1] == '.'))))
		return 0;
	for (i = 0; i < len; i++) {
		if (!text[i])
			return 0;
	}
	return 1;
}

/**
 * shale_redirect_decode - what kind of redirect is this?
 * @value: bytes of the attribute, without a null byte at their end
 * @size: their number
 *
 * Nothing that is not SHALE_REDIRECT_INVALID leads out of a layer, for no component is "..".
 */
static inline enum shale_redirect shale_redirect_decode(const char *value, __kernel_size_t size)
{
	__kernel_size_t len, pos = 0;
	int absolute = size && value[0] == '/';

	if (size > SHALE_REDIRECT_MAX)
		return SHALE_REDIRECT_INVALID;
	do {
		pos += absolute;
		len = shale_component_len(value + pos, size - pos);
		if (!shale_component_valid(value + pos, len))
			return SHALE_REDIRECT_INVALID;
		pos += len;
	} while (absolute && pos < size);

	if (pos < size)
		return SHALE_REDIRECT_INVALID;
	return absolute ? SHALE_REDIRECT_ABSOLUTE : SHALE_REDIRECT_RELATIVE;
}

/* The record behind SHALE_MARK_METACOPY. An empty value means one without a digest. */
#define SHALE_METACOPY_VERSION	0

struct shale_metacopy {
	__u8 version;		/* SHALE_METACOPY_VERSION */
	__u8 len;		/* of the whole record, this header included, in bytes */
	__u8 flags;		/* none is defined: 0 */
	__u8 digest_algo;	/* FS_VERITY_HASH_ALG_*; 0: no digest */
	__u8 digest[64];	/* of the file that has the data, by fs-verity; cut off at len */
} __attribute__((packed));

static_assert(sizeof(struct shale_metacopy) == 68, "on-disk size");

#define SHALE_METACOPY_MIN	4

/**
 * shale_metacopy_valid - is this a well-formed metacopy record?
 * @record: bytes of the attribute; may be NULL when @size is 0
 * @size: their number
 *
 * Whoever meets another one knows that the data lies elsewhere, but not which data: -EIO.
 */
static inline int shale_metacopy_valid(const void *record, __kernel_size_t size)
{
	const struct shale_metacopy *metacopy = (const struct shale_metacopy *)record;

	if (!size)
		return 1;
	return size >= SHALE_METACOPY_MIN && size <= sizeof(*metacopy) &&
	       metacopy->version == SHALE_METACOPY_VERSION && metacopy->len == size;
}

/*
 * The text behind SHALE_MARK_NLINK: how many names the union has for a file of the index, as a
 * difference to the links of the upper ("U+2") or of the lower file ("L-1").
 */
struct shale_nlink {
	int of_upper;		/* 1: relative to the upper file's, 0: to the lower's */
	int diff;
};

/* Sign, digits and 'U' or 'L'; no file has more links than the digits can say. */
#define SHALE_NLINK_MAX		12

/**
 * shale_nlink_decode - read the value of SHALE_MARK_NLINK
 * Return: 1 with @nlink set; 0 when the value is malformed, and the links are not known by it.
 */
static inline int shale_nlink_decode(const char *value, __kernel_size_t size,
				     struct shale_nlink *nlink)
{
	__kernel_size_t i;

	if (size < 3 || size > SHALE_NLINK_MAX || (value[0] != 'U' && value[0] != 'L') ||
	    (value[1] != '+' && value[1] != '-'))
		return 0;
	nlink->of_upper = value[0] == 'U';
	nlink->diff = 0;
	for (i = 2; i < size; i++) {
		if (value[i] < '0' || value[i] > '9' || nlink->diff > 99999999)
			return 0;
		nlink->diff = 10 * nlink->diff + (value[i] - '0');
	}
	if (value[1] == '-')
		nlink->diff = -nlink->diff;
	return 1;
}

/*
 * The value of SHALE_MARK_PROTATTR: the inode flags that protect an object in the union. One of the
 * upper that carried them itself could neither be named nor marked, nor get children any more.
 */
#define SHALE_PROTATTR_APPEND		'a'	/* append-only */
#define SHALE_PROTATTR_IMMUTABLE	'i'
#define SHALE_PROTATTR_MAX		32	/* a longer value has no meaning */

enum shale_protection {
	SHALE_PROTECT_APPEND	= 1,
	SHALE_PROTECT_IMMUTABLE	= 2,
};

/**
 * shale_protattr_decode - read the value of SHALE_MARK_PROTATTR
 * @value: bytes of the attribute; may be NULL when @size is 0
 * @size: their number
 *
 * Return: a sum of enum shale_protection; -1 for a value that no version of the format
 * defines, which counts as absent, as in overlayfs.
 */
static inline int shale_protattr_decode(const void *value, __kernel_size_t size)
{
	const char *letters = (const char *)value;
	__kernel_size_t i;
	int protection = 0;

	if (!size || size > SHALE_PROTATTR_MAX)
		return -1;
	for (i = 0; i < size; i++) {
		if (letters[i] == SHALE_PROTATTR_APPEND)
			protection |= SHALE_PROTECT_APPEND;
		else if (letters[i] == SHALE_PROTATTR_IMMUTABLE)
			protection |= SHALE_PROTECT_IMMUTABLE;
		else
			return -1;
	}
	return protection;
}

/**
 * shale_protattr_encode - the value that says so
 * @protection: a sum of enum shale_protection
 * @value: SHALE_PROTATTR_MAX bytes, the first of which are set
 *
 * Return: the size; 0 means that there should be no such mark.
 */
static inline __kernel_size_t shale_protattr_encode(int protection, char *value)
{
	__kernel_size_t size = 0;

	if (protection & SHALE_PROTECT_APPEND)
		value[size++] = SHALE_PROTATTR_APPEND;
	if (protection & SHALE_PROTECT_IMMUTABLE)
		value[size++] = SHALE_PROTATTR_IMMUTABLE;
	return size;
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

/*
 * An entry of the index is named by the record of the lower object's origin, in lower-case
 * hexadecimal digits.
 */
#define SHALE_INDEX_NAME_MAX	255

/**
 * shale_index_name_encode - the name that an origin has in the index
 * @record: the origin
 * @size: its size, in bytes
 * @name: room for SHALE_INDEX_NAME_MAX bytes
 *
 * Return: the length of the name, or 0 when no name can be as long.
 */
static inline __kernel_size_t shale_index_name_encode(const __u8 *record, __kernel_size_t size,
						      char *name)
{
	__kernel_size_t i;

	if (2 * size > SHALE_INDEX_NAME_MAX)
		return 0;
	for (i = 0; i < size; i++) {
		name[2 * i] = "0123456789abcdef"[record[i] >> 4];
		name[2 * i + 1] = "0123456789abcdef"[record[i] & 15];
	}
	return 2 * size;
}

/**
 * shale_index_name_decode - the origin that a name in the index stands for
 * @name: the name
 * @len: its length, in bytes
 * @record: room for @len / 2 bytes
 *
 * Return: the record's size, or 0 when the name is none of an index.
 */
static inline __kernel_size_t shale_index_name_decode(const char *name, __kernel_size_t len,
						      __u8 *record)
{
	__kernel_size_t i;

	if (len % 2 || len > SHALE_INDEX_NAME_MAX)
		return 0;
	for (i = 0; i < len; i++) {
		int digit;

		if (name[i] >= '0' && name[i] <= '9')
			digit = name[i] - '0';
		else if (name[i] >= 'a' && name[i] <= 'f')
			digit = name[i] - 'a' + 10;
		else
			return 0;
		record[i / 2] = (__u8)(i % 2 ? record[i / 2] | digit : digit << 4);
	}
	return shale_origin_valid(record, len / 2) ? len / 2 : 0;
}

/*
 * File handles of a mount, which its users keep: NFS clients do, for years. One is an origin
 * record behind some padding, so that the handle of the real object in it begins at a multiple of
 * four. The record says what the object is or was copied from.
 *
 * A connectable one has the directory's record, padded alike, behind the object's. overlayfs makes
 * and takes none.
 */
#define SHALE_HANDLE_PLAIN		0xfb	/* without padding: overlayfs once made such */
#define SHALE_HANDLE_PADDED		0xf8
#define SHALE_HANDLE_CONNECTABLE	0xf9
#define SHALE_HANDLE_PADDING		3

/**
 * shale_handle_decode - the record in a file handle
 * @bytes: the handle
 * @size: its size, in bytes
 * @type: the handle's type
 * @parent: give the directory's record, instead of the object's
 *
 * Return: a well-formed record within @bytes, which says its size itself; or NULL.
 */
static inline const struct shale_origin *shale_handle_decode(const void *bytes,
							     __kernel_size_t size, int type,
							     int parent)
{
	const struct shale_origin *origin;
	__kernel_size_t at = type == SHALE_HANDLE_PLAIN ? 0 : SHALE_HANDLE_PADDING;

	if (type != SHALE_HANDLE_PLAIN && type != SHALE_HANDLE_PADDED &&
	    type != SHALE_HANDLE_CONNECTABLE)
		return NULL;
	if (parent && type != SHALE_HANDLE_CONNECTABLE)
		return NULL;
	for (;;) {
		if (size < at + sizeof(*origin))
			return NULL;
		origin = (const struct shale_origin *)((const __u8 *)bytes + at);
		if (origin->len > size - at || !shale_origin_valid(origin, origin->len))
			return NULL;
		if (!parent)
			return origin;
		at += origin->len + SHALE_HANDLE_PADDING;
		parent = 0;
	}
}

#endif /* _UAPI_LINUX_SHALE_ONDISK_H */
