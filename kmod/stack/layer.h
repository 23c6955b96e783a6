/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A layer: one directory tree of a stack, held by a private clone of its mount, so that
 * mounting or unmounting at the layer's path later changes nothing here.
 */
#ifndef SHALE_STACK_LAYER_H
#define SHALE_STACK_LAYER_H

#include <linux/mount.h>
#include <linux/path.h>
#include <linux/refcount.h>

#include "compat/casefold.h"

struct shale_layer {
	refcount_t ref;
	struct vfsmount *mnt;	/* private clone; its root is the layer's root */
	const struct vfsmount *given;	/* the mount it was cloned from: compared, never followed */
	char *name;		/* path as it was when the layer was described, for people */
	const void *named_in;	/* the mount namespace of that path: compared, never followed */
	unsigned int base;	/* number of its file system in the mount (stack/base.h) */

	/* Away from the above, which each look-up reads: */
	atomic_long_t look_ups ____cacheline_aligned_in_smp;	/* names that it was asked for */
	atomic64_t copy_ups;	/* objects copied from it */
	atomic64_t copy_up_bytes;
};

/* Which of the two kinds of private clone to make. */
enum shale_layer_kind { SHALE_LAYER_LOWER, SHALE_LAYER_UPPER };

/**
 * shale_layer_create - open a layer
 * @path: root of the layer, in the caller's mount namespace
 * @kind: a lower is cloned read-only and without atime
 *
 * Context: process context of whoever described the layer: the clone is made with its rights.
 * Return: a layer with one reference, or ERR_PTR: -ENOTDIR, -EINVAL (a mount that may not be
 * cloned, a file system whose names cannot be stacked), -EPERM, -ENOMEM.
 */
struct shale_layer *shale_layer_create(const struct path *path, enum shale_layer_kind kind);

/*
 * Can what a name of this file system leads to not be remembered? Where the file system hashes or
 * compares names in its own way, or where looking one up mounts something. How names are folded
 * that ignore case is known.
 */
bool shale_dentry_is_weird(const struct dentry *dentry);

/* Do the directories of this layer ignore the case of names? */
static inline bool shale_layer_casefolded(const struct shale_layer *layer)
{
	return shale_is_casefolded(layer->mnt->mnt_root);
}

/* Drop a reference and, with the last one, the mount. Sleeps for a grace period then. */
void shale_layer_put(struct shale_layer *layer);

/* For a stack, which unmounts all its layers in one go: frees a layer whose mount is gone. */
void shale_layer_free(struct shale_layer *layer);

static inline struct mnt_idmap *shale_layer_idmap(const struct shale_layer *layer)
{
	return mnt_idmap(layer->mnt);
}

/**
 * shale_layer_acl - an ACL of a layer with ids as the layer's mount shows them
 * @real: the object in the layer
 * @acl: what the VFS gave for it, NULL and ERR_PTR included; its reference is taken over
 *
 * Return: @acl or, as that may be the real inode's cached one, a copy; or ERR_PTR.
 */
struct posix_acl *shale_layer_acl(const struct path *real, struct posix_acl *acl);

static inline struct super_block *shale_layer_sb(const struct shale_layer *layer)
{
	return layer->mnt->mnt_sb;
}

#endif
