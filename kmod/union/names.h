/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names: what a directory shows, merged from its parts, as a snapshot that never changes.
 *
 * Names stand in the order of a keyed hash of theirs, and a position in the directory is that
 * hash: it depends on the name alone. Copy-up, creation and removal of other names move nobody,
 * and a position outlives the open directory and every cache, though not the module: the key
 * is random and kept in memory. Serving NFS over a reboot would take a key that is derived from
 * what identifies the mount to its clients.
 *
 * Names whose hashes are equal are moved up to the next free position, in order of the names.
 * So a position may change when one of the few names right before it comes or goes, and no
 * two names ever have the same.
 */
#ifndef SHALE_UNION_NAMES_H
#define SHALE_UNION_NAMES_H

#include <linux/fs.h>

#include "stack/upper.h"

struct shale_names;

/**
 * shale_names_get - what a directory shows now
 * @dir: inode of one of our directories
 *
 * The snapshot is shared by whoever asks, until a name changes (shale_dir_changed()).
 *
 * Context: i_rwsem of @dir held, shared or exclusive, no entry mutex; killable.
 * Return: names with a reference, or ERR_PTR: -ENOMEM, -EINTR, what a layer says.
 */
struct shale_names *shale_names_get(struct inode *dir);
void shale_names_put(struct shale_names *names);	/* NULL and ERR_PTR are fine */
DEFINE_FREE(shale_names, struct shale_names *, shale_names_put(_T))

/* Are these the names that @dir shows now? */
bool shale_names_current(const struct shale_names *names, const struct inode *dir);

/* The position of the first name, after "." and "..". */
#define SHALE_NAMES_FIRST 3

/**
 * shale_names_emit - give the names from a position on to a reader
 * @names: the names
 * @dir: the directory
 * @ctx: the reader; its position will be that of the next name, or shale_names_end()
 * @narrow: positions must fit into 31 bits
 */
void shale_names_emit(const struct shale_names *names, struct dentry *dir,
		      struct dir_context *ctx, bool narrow);

/* The position behind all names. */
static inline loff_t shale_names_end(bool narrow)
{
	return narrow ? S32_MAX : S64_MAX;
}

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
