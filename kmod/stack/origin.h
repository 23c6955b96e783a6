/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Origins: which lower object an upper one was copied from, as a record with a file handle
 * (struct shale_origin), in the copy's xattr.
 */
#ifndef SHALE_STACK_ORIGIN_H
#define SHALE_STACK_ORIGIN_H

#include <linux/exportfs.h>
#include <linux/shale_ondisk.h>
#include <linux/string.h>

#include "stack/base.h"

struct shale_token;

/* A record with room for the longest handle. */
struct shale_origin_record {
	u8 padding[3];			/* so that the handle begins at a multiple of 4 */
	union {
		struct shale_origin origin;
		u8 bytes[sizeof(struct shale_origin) + MAX_HANDLE_SZ];
	};
	unsigned int size;		/* of the record, in bytes; 0: unknown */
} __aligned(4);

/* May the calling task use file handles? They are a right to reach what no path leads to. */
bool shale_may_decode(void);

/* Can file handles of this file system be turned into objects again? */
bool shale_can_decode(const struct super_block *sb);

/**
 * shale_origin_encode - make a record
 * @sbi: says whether the record has the uuid of the object's file system (option "uuid")
 * @record: filled; empty where the object's file system has no handles
 * @is_upper: the object is one of the upper
 * Return: 0, -EIO when the file system does not make a handle after all, -EOVERFLOW.
 */
int shale_origin_encode(const struct shale_sb *sbi, struct shale_origin_record *record,
			struct dentry *dentry, bool is_upper);

/**
 * shale_origin_get - read the record of an upper object
 * @mark: SHALE_MARK_ORIGIN or SHALE_MARK_UPPER
 * Return: 1; 0 when there is none or it says nothing; or an errno.
 */
int shale_origin_get(const struct shale_sb *sbi, const struct path *path, const char *mark,
		     struct shale_origin_record *record);

/**
 * shale_origin_take - take a record over from where it may be anything
 * Return: false when it is malformed, or was made by a machine with another order of bytes.
 */
bool shale_origin_take(struct shale_origin_record *record, const void *bytes, size_t size);

static inline bool shale_origin_is_same(const struct shale_origin_record *a,
					const struct shale_origin_record *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

/* Will an object's record be found again, as far as the mount and its layers allow that? */
bool shale_origin_is_known(const struct shale_sb *sbi, const struct shale_origin_record *record);

/* Writes a record. Return: 1 when it will be found again, 0 when not, or an errno. */
int shale_origin_set(const struct shale_token *tok, const struct shale_sb *sbi,
		     struct dentry *dentry, const char *mark,
		     const struct shale_origin_record *record);

/**
 * shale_origin_find - the lower object that a record names
 * @part: set to it; its dentry, counted, may be one that has no name
 *
 * Only for objects that are no directories. Context: as the mounter.
 * Return: 1; 0 when it is not to be found; -ENOMEM or another error of the file system.
 */
int shale_origin_find(const struct shale_sb *sbi, const struct shale_origin_record *record,
		      struct shale_part *part);

/*
 * The same for a directory as well, which must lie within a layer; and of another object, as far
 * as a name is known, the layer is the one that it lies in.
 */
int shale_origin_find_any(const struct shale_sb *sbi, const struct shale_origin_record *record,
			  struct shale_part *part);

/**
 * shale_origin_find_upper - the object of the upper that a record names
 * Context: as the mounter.
 * Return: its dentry, counted: of a directory it lies within the upper, of another object it may
 * have no name; NULL when it is not to be found; ERR_PTR(-ENOMEM).
 */
struct dentry *shale_origin_find_upper(const struct shale_sb *sbi,
				       const struct shale_origin_record *record);

#endif
