/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names: what a directory shows, as a snapshot. It is two listings side by side, of the lower parts
 * and of the upper's, or one of all parts where the lower ones' may not be kept.
 *
 * Names stand in the order of a keyed hash of theirs, and a position in the directory is that
 * hash: it depends on the name alone. Copy-up, creation and removal of other names move nobody,
 * and a position outlives the open directory, every cache and the mount, for the key is derived
 * from what identifies the mount (union/listing.h).
 *
 * Names whose hashes are equal are moved up to the next free position, in order of the names.
 * So a position may change when one of the few names right before it comes or goes, and no
 * two names ever have the same.
 */
#ifndef SHALE_UNION_NAMES_H
#define SHALE_UNION_NAMES_H

#include <linux/fs.h>

#include "stack/entry.h"
#include "stack/upper.h"

struct shale_listing;

struct shale_names {
	struct shale_entry *entry;	/* what the directory stood on; counted; NULL: no names */
	struct shale_listing *top;	/* of the upper's part or of all; counted; or NULL */
	struct shale_listing *lower;	/* of lower parts; counted; may be NULL */
};

/**
 * shale_names_get - what a directory shows now
 * @dir: inode of one of our directories
 * @names: set to the snapshot, on error to nothing; for shale_names_put()
 *
 * What may be kept is shared by whoever asks, until a name changes (shale_dir_changed()).
 *
 * Context: i_rwsem of @dir held, shared or exclusive, no entry mutex; killable.
 * Return: 0, -ENOMEM, -EINTR, what a layer says.
 */
int shale_names_get(struct inode *dir, struct shale_names *names);
void shale_names_put(struct shale_names *names);

/* The position of the first name, after "." and "..". */
#define SHALE_NAMES_FIRST 3

/**
 * shale_names_emit - give the names from a position on to a reader
 * @names: the names
 * @dir: the directory
 * @ctx: the reader; its position will be that of the next name, or shale_names_end()
 * @narrow: positions must fit into 31 bits
 *
 * Return: 0; -ENOMEM or -EINTR, with the position of the name that could not be judged.
 */
int shale_names_emit(const struct shale_names *names, struct dentry *dir, struct dir_context *ctx,
		     bool narrow);

/* The position behind all names. */
static inline loff_t shale_names_end(bool narrow)
{
	return narrow ? S32_MAX : S64_MAX;
}

/*
 * Where the number that stat(2) shows is to be had from. What the upper has may be a copy, which
 * has the number of what it was copied from, or a directory that merges with another one: if
 * there is the same name below, or the directory is marked. Directories of layers on several file
 * systems may have a number of our own making.
 */
enum shale_ask {
	SHALE_ASK_NOBODY,		/* it is the one that the name stands with in its layer */
	SHALE_ASK_INODE,		/* our inode, if there is one */
	SHALE_ASK_LAYERS,		/* else a look-up: it may be a copy */
};

/**
 * shale_name_number - the number of a name of one of our directories
 * @base: number of the base of the layer that has it
 * @ino: its number there
 *
 * Context: SHALE_ASK_LAYERS without any lock on a layer.
 */
u64 shale_name_number(struct dentry *dir, struct qstr text, unsigned int base, u64 ino,
		      enum shale_ask ask);

/**
 * shale_dir_is_empty - does the union show no name in a directory?
 * @dentry: one of our directories
 *
 * Context: as shale_names_get().
 * Return: 0, -ENOTEMPTY, or what shale_names_get() says.
 */
int shale_dir_is_empty(struct dentry *dentry);

/**
 * shale_dir_remove_whiteouts - make a directory of the upper, or one in the work directory, empty
 * @tok: a token
 * @upper_dir: the directory
 *
 * Context: no lock on @upper_dir; killable.
 * Return: 0; -ENOTEMPTY when something other than whiteouts is there.
 */
int shale_dir_remove_whiteouts(const struct shale_token *tok, struct dentry *upper_dir);

#endif
