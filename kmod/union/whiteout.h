/* SPDX-License-Identifier: GPL-2.0 */
/* Removing names, and putting new objects where whiteouts are. */
#ifndef SHALE_UNION_WHITEOUT_H
#define SHALE_UNION_WHITEOUT_H

#include "stack/upper.h"

/**
 * shale_whiteout_share - make the object that the mount's whiteouts are links of
 * Context: at mount, with the work directory.
 * Return: 0 with upper->whiteout set, or what the upper says: then the first one that is removed
 * makes it.
 */
int shale_whiteout_share(const struct shale_token *tok);

/**
 * shale_remove - remove a name from the union
 * @tok: a token
 * @dir: directory in the upper
 * @name: the name
 * @victim: what the upper has of that name, or NULL. A directory shows nothing in the union
 * @below: lower layers have the name too, so that a whiteout must take its place
 *
 * One rename makes the difference between before and after; a crash leaves either.
 * Context: no lock on @dir or the work directory.
 * Return: 0, -ESTALE when the upper was changed behind our back, and what the upper says.
 */
int shale_remove(const struct shale_token *tok, struct dentry *dir, const struct qstr *name,
		 struct dentry *victim, bool below);

/* Counts the whiteout that hides a name now, and tells of it, after all locks. */
void shale_note_whiteout(struct dentry *dentry);

/**
 * shale_put_over_whiteout - give an object from the work directory a name that is whited out
 * @temp: the object; its dentry becomes the one of the name
 * Context: no lock on @dir or the work directory.
 * Return: 0, -ESTALE when @name is no whiteout in @dir, and what the upper says.
 */
int shale_put_over_whiteout(const struct shale_token *tok, struct dentry *dir,
			    const struct qstr *name, struct dentry *temp);

#endif
