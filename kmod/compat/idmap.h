/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Id maps. From 6.3 a mount has a struct mnt_idmap, which mnt_idmap() returns. Before, the map
 * was a user namespace, which mnt_user_ns() returned; the functions that take it have the same
 * names and meanings.
 */
#ifndef SHALE_COMPAT_IDMAP_H
#define SHALE_COMPAT_IDMAP_H

#include <linux/fs.h>
#include <linux/mnt_idmapping.h>
#include <linux/mount.h>
#include <linux/xattr.h>

#ifndef SHALE_HAS_MNT_IDMAP_TYPE

/* The function that mnt_idmap() becomes: a type and a function may share a name. */
static inline struct user_namespace *user_namespace(const struct vfsmount *mnt)
{
	return mnt_user_ns(mnt);
}

#define mnt_idmap user_namespace
#define nop_mnt_idmap init_user_ns

#endif

#endif
