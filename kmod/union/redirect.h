/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Redirects: an object of the upper that goes on below under another name carries a mark that says
 * which one. It is written before the object moves, when it still says no more than what is so.
 */
#ifndef SHALE_UNION_REDIRECT_H
#define SHALE_UNION_REDIRECT_H

#include "stack/upper.h"

/**
 * shale_redirect_needed - will this object want a redirect to be found again elsewhere?
 * A directory that merges with lower ones, or a file whose data is in a lower layer.
 */
bool shale_redirect_needed(struct dentry *dentry);

/**
 * shale_redirect_set - mark an object that is about to get another name
 * @dentry: ours, in the upper with all its parents
 * @same_dir: the other name is in the same directory, and the only one
 * @written: set to the redirect, if one had to be written, for shale_note_redirect()
 *
 * Context: as the mounter, i_rwsem of the parent held so that the name stays.
 * Return: 0; -EXDEV when the path is longer than redirect_max or the upper keeps no xattrs; an
 * errno.
 */
int shale_redirect_set(const struct shale_token *tok, struct dentry *dentry, bool same_dir,
		       char **written);

/*
 * Counts a redirect and tells of it, after all locks.
 * @place: a dentry of ours where the object is now
 * @written: freed; NULL is fine
 */
void shale_note_redirect(struct dentry *place, struct inode *inode, char *written);

#endif
