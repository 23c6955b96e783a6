/* SPDX-License-Identifier: GPL-2.0 */
/* Reading and writing the marks of include/uapi/linux/shale_ondisk.h on real objects. */
#ifndef SHALE_STACK_MARKS_H
#define SHALE_STACK_MARKS_H

#include <linux/shale_ondisk.h>

#include "stack/sb.h"
#include "stack/upper.h"

/* Is this the dentry of a whiteout? */
static inline bool shale_is_whiteout(const struct dentry *dentry)
{
	const struct inode *inode = d_inode(dentry);

	return inode && S_ISCHR(inode->i_mode) && inode->i_rdev == MKDEV(0, 0);
}

/* Is the attribute @name of a layer's object a mark of this mount, hidden from its users? */
bool shale_mark_is_private(const struct shale_sb *sbi, const char *name);

/* The prefix of such names; a mount shows and sets others that have it under escaped names. */
const char *shale_mark_prefix(const struct shale_sb *sbi);

/*
 * The readers. Context: as the mounter. A file system without xattrs has no marks.
 * Return: an enum shale_opaque, and 1 or 0; or a negative errno when the object can't be read: then
 * nobody knows whether it is marked, and showing what a mark may hide would be wrong.
 */
int shale_mark_opaque(const struct shale_sb *sbi, const struct path *path);
int shale_mark_present(const struct shale_sb *sbi, const struct path *path, const char *mark);

/* Makes a directory of the upper opaque. -EOPNOTSUPP where the upper keeps no xattrs. */
int shale_mark_set_opaque(const struct shale_token *tok, const struct shale_sb *sbi,
			  struct dentry *dir);

#endif
