/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The work directory: where objects are made before one rename or link puts them into the
 * upper, so that a crash leaves a whole object or none. What a crash leaves here is wiped
 * at the next mount.
 */
#ifndef SHALE_UNION_WORKDIR_H
#define SHALE_UNION_WORKDIR_H

#include "stack/upper.h"

struct fs_context;

/**
 * shale_workdir_prepare - make an empty "work" in the user's work directory, and probe the upper
 * Context: at mount; takes a token by itself.
 * Return: 0 with upper->workdir set, or an errno with a message in @fc.
 */
int shale_workdir_prepare(struct super_block *sb, struct fs_context *fc);

/**
 * shale_workdir_name - look up a fresh temporary name
 * Context: i_rwsem of the work directory held exclusively.
 * Return: a negative dentry with a reference, or ERR_PTR.
 */
struct dentry *shale_workdir_name(const struct shale_token *tok);

/* Removes a temporary object, a directory only when empty but for whiteouts. Takes i_rwsem of
 * the work directory. What can't be removed is logged and left for the next mount.
 */
void shale_workdir_discard(const struct shale_token *tok, struct dentry *temp);

/* The same with i_rwsem of the work directory held; for objects that are not directories. */
void shale_workdir_discard_locked(const struct shale_token *tok, struct dentry *temp);

/*
 * Locks the work directory and a directory of the upper for a rename between them.
 * Return: 0, or -EIO (nothing locked) when one lies inside the other by now.
 */
int shale_workdir_lock(const struct shale_token *tok, struct dentry *dir);
void shale_workdir_unlock(const struct shale_token *tok, struct dentry *dir);

#endif
