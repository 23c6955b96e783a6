// SPDX-License-Identifier: GPL-2.0
#include "stack/layer.h"

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/nsproxy.h>
#include <linux/posix_acl.h>
#include <linux/sched.h>
#include <linux/slab.h>

bool shale_dentry_is_weird(const struct dentry *dentry)
{
	if (dentry->d_flags & (DCACHE_NEED_AUTOMOUNT | DCACHE_MANAGE_TRANSIT))
		return true;
	return (dentry->d_flags & (DCACHE_OP_HASH | DCACHE_OP_COMPARE)) &&
	       !shale_sb_has_encoding(dentry->d_sb);
}

/* The path as the caller sees it. A layer without a nameable path is still a layer. */
static char *layer_name(const struct path *path)
{
	char *page __free(kfree) = kmalloc(PATH_MAX, GFP_KERNEL);
	char *name;

	if (!page)
		return NULL;

	name = d_path(path, page, PATH_MAX);
	return kstrdup(IS_ERR(name) ? "?" : name, GFP_KERNEL_ACCOUNT);
}

struct shale_layer *shale_layer_create(const struct path *path, enum shale_layer_kind kind)
{
	struct shale_layer *layer;
	int err;

	if (!d_is_dir(path->dentry))
		return ERR_PTR(-ENOTDIR);
	if (shale_dentry_is_weird(path->dentry))
		return ERR_PTR(-EINVAL);

	layer = kzalloc(sizeof(*layer), GFP_KERNEL_ACCOUNT);
	if (!layer)
		return ERR_PTR(-ENOMEM);
	refcount_set(&layer->ref, 1);
	layer->given = path->mnt;
	layer->named_in = current->nsproxy->mnt_ns;

	err = -ENOMEM;
	layer->name = layer_name(path);
	if (!layer->name)
		goto free_layer;

	layer->mnt = clone_private_mount(path);
	if (IS_ERR(layer->mnt)) {
		err = PTR_ERR(layer->mnt);
		goto free_name;
	}

	/*
	 * Nobody else holds the clone yet, so its flags may be set plainly. Reading a lower
	 * must not even change its access times; an upper keeps its own.
	 */
	if (kind == SHALE_LAYER_LOWER)
		layer->mnt->mnt_flags |= MNT_READONLY | MNT_NOATIME;
	else
		layer->mnt->mnt_flags &= ~(MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME);
	return layer;

free_name:
	kfree(layer->name);
free_layer:
	kfree(layer);
	return ERR_PTR(err);
}

void shale_layer_free(struct shale_layer *layer)
{
	kfree(layer->name);
	kfree(layer);
}

void shale_layer_put(struct shale_layer *layer)
{
	if (!refcount_dec_and_test(&layer->ref))
		return;
	kern_unmount(layer->mnt);
	shale_layer_free(layer);
}

struct posix_acl *shale_layer_acl(const struct path *real, struct posix_acl *acl)
{
	struct mnt_idmap *idmap = mnt_idmap(real->mnt);
	struct user_namespace *user_ns = i_user_ns(d_inode(real->dentry));
	struct posix_acl_entry *entry, *end;
	struct posix_acl *mapped;

	if (!IS_ENABLED(CONFIG_FS_POSIX_ACL) || IS_ERR_OR_NULL(acl) ||
	    !is_idmapped_mnt(real->mnt))
		return acl;

	mapped = posix_acl_clone(acl, GFP_KERNEL);
	posix_acl_release(acl);
	if (!mapped)
		return ERR_PTR(-ENOMEM);

	FOREACH_ACL_ENTRY(entry, mapped, end) {
		if (entry->e_tag == ACL_USER)
			entry->e_uid = vfsuid_into_kuid(make_vfsuid(idmap, user_ns, entry->e_uid));
		else if (entry->e_tag == ACL_GROUP)
			entry->e_gid = vfsgid_into_kgid(make_vfsgid(idmap, user_ns, entry->e_gid));
	}
	return mapped;
}
