/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The base: the file systems that a mount's layers lie on. Inode numbers are unique, and file
 * handles valid, within one of them.
 */
#ifndef SHALE_STACK_BASE_H
#define SHALE_STACK_BASE_H

#include <linux/stat.h>
#include <linux/types.h>

#include "stack/entry.h"
#include "stack/sb.h"

struct shale_base {
	struct super_block *sb;
	struct vfsmount *mnt;		/* of a layer on it; the stack's */
	dev_t pseudo_dev;		/* st_dev of files, where nothing better is to be had */
	bool owns_dev;			/* pseudo_dev was allocated */
	bool has_handles;		/* file handles can be made, and found again */
	unsigned long told;		/* bit by enum shale_base_lack: the log has it */
};

/* What a base is only seen to lack in use. */
enum shale_base_lack {
	SHALE_BASE_TYPES,		/* of the names in a directory */
	SHALE_BASE_XINO,		/* room in an inode number */
};

/* Is it the first time that this is seen? */
bool shale_base_lacks(struct shale_base *base, enum shale_base_lack lack);

/**
 * shale_bases_init - take stock of the file systems
 * @sbi: with stack and features; the features may lose what the file systems do not allow
 *
 * Also gives each layer its base. Undone by shale_bases_exit(), whatever the result.
 * Return: 0, -ENOMEM, or that there are no more device numbers.
 */
int shale_bases_init(struct shale_sb *sbi);
void shale_bases_exit(struct shale_sb *sbi);

/* The name of a layer that is merged and whose file system has no file handles; or NULL. */
const char *shale_bases_without_handles(const struct shale_sb *sbi);

/* Of the @nr top-most lower layers, the first that lies on a base; or NULL. */
struct shale_layer *shale_base_lower(const struct shale_sb *sbi, unsigned int base,
				     unsigned int nr);

/* What stat(2) says of an object. */
struct shale_number {
	u64 ino;
	dev_t dev;
};

/**
 * shale_number - st_dev and st_ino
 * @entry: what the object stands on
 * @own: number of our own making, for directories that have no better one
 *
 * A copy keeps the number of what it was copied from, as long as that is known.
 */
struct shale_number shale_number(const struct shale_sb *sbi, const struct shale_entry *entry,
				 u64 own);

/* The number of an object that lies in a layer on one base, and is nothing's copy. */
u64 shale_number_in(const struct shale_sb *sbi, unsigned int base, u64 ino);

#endif
