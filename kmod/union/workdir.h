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
 * shale_workdir_make - make an object under a fresh temporary name
 * Context: takes i_rwsem of the work directory.
 * Return: its dentry, counted, or ERR_PTR.
 */
struct dentry *shale_workdir_make(const struct shale_token *tok, const struct shale_new *what);

typedef int (*shale_upper_visit_t)(const struct shale_token *tok, struct dentry *dir,
				   struct dentry *dentry, void *arg);

/**
 * shale_upper_for_each - visit all that is in a directory of the upper or the work directory
 * @visit: called for each name there is, without a lock; stops the visit when it is not 0
 * Return: what @visit said; or what reading the directory says.
 */
int shale_upper_for_each(const struct shale_token *tok, struct dentry *dir,
			 shale_upper_visit_t visit, void *arg);

/* Removes what a crash left, a directory with what is in it, as deep as our own are. */
int shale_workdir_wipe(const struct shale_token *tok, struct dentry *parent,
		       struct dentry *victim);

/*
 * Removes a temporary object, a directory only when empty but for whiteouts. Takes i_rwsem of
 * the work directory. What can't be removed is logged and left for the next mount.
 */
void shale_workdir_discard(const struct shale_token *tok, struct dentry *temp);

#endif
