/* SPDX-License-Identifier: GPL-2.0 */
/* Copying attributes into the upper. After the data: writing it takes file capabilities away. */
#ifndef SHALE_UNION_COPY_ATTR_H
#define SHALE_UNION_COPY_ATTR_H

#include <linux/stat.h>

#include "stack/upper.h"

/**
 * shale_copy_xattrs - copy extended attributes and ACLs
 * @from: the original
 * @to: the copy, in the upper
 *
 * All but the marks, which say what an object means in its own layer. What the upper can't keep
 * is left out, unless it protects something.
 *
 * Return: 0, -EOPNOTSUPP, -EIO when the list of names is damaged, what the layers say.
 */
int shale_copy_xattrs(const struct shale_sb *sbi, const struct shale_token *tok,
		      const struct path *from, struct dentry *to);

/*
 * Copies the flags "synchronous" and "no access times", as chattr(1) sets them. What protects an
 * object the copy must not carry itself: shale_mark_set_protection().
 */
int shale_copy_flags(const struct shale_token *tok, const struct path *from, struct dentry *to);

/* Gives a copy the owner, mode and times in @stat. */
int shale_copy_owner_mode_times(const struct shale_token *tok, const struct kstat *stat,
				struct dentry *to);

#endif
