// SPDX-License-Identifier: GPL-2.0
#include "stack/entry.h"

#include <linux/slab.h>

#include "stack/inode.h"
#include "stack/upper.h"

struct shale_parts *shale_parts_alloc(unsigned int nr)
{
	struct shale_parts *parts = kzalloc(struct_size(parts, part, nr), GFP_KERNEL_ACCOUNT);

	if (!parts)
		return NULL;
	refcount_set(&parts->ref, 1);
	parts->nr = nr;
	return parts;
}

struct shale_parts *shale_parts_get(struct shale_parts *parts)
{
	if (parts)
		refcount_inc(&parts->ref);
	return parts;
}

void shale_parts_put(struct shale_parts *parts)
{
	unsigned int i;

	if (!parts || !refcount_dec_and_test(&parts->ref))
		return;
	for (i = 0; i < parts->nr; i++)
		dput(parts->part[i].dentry);
	kfree(parts->data_path);
	kfree_rcu(parts, rcu);
}

struct shale_entry *shale_entry_alloc(const struct shale_sb *sbi, struct dentry *upper,
				      struct shale_parts *lower)
{
	struct shale_entry *entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);

	if (!entry)
		return NULL;
	refcount_set(&entry->ref, 1);
	entry->epoch = sbi->stack->epoch;
	entry->upper = dget(upper);
	entry->lower = shale_parts_get(lower);
	return entry;
}

struct shale_entry *shale_entry_get(struct inode *inode)
{
	struct shale_entry *entry;

	guard(rcu)();
	do {
		/* Fails only when a newer entry has just taken this one's place. */
		entry = rcu_dereference(shale_inode(inode)->entry);
	} while (entry && !refcount_inc_not_zero(&entry->ref));
	return entry;
}

void shale_entry_put(struct shale_entry *entry)
{
	if (!entry || !refcount_dec_and_test(&entry->ref))
		return;
	shale_parts_put(entry->lower);
	dput(entry->upper);
	kfree_rcu(entry, rcu);
}

struct shale_entry *shale_entry_rcu(const struct inode *inode)
{
	return rcu_dereference(shale_inode(inode)->entry);
}

void shale_entry_publish(struct inode *inode, struct shale_entry *entry)
{
	struct shale_inode *si = shale_inode(inode);

	entry = rcu_replace_pointer(si->entry, entry, lockdep_is_held(&si->lock));
	shale_entry_put(entry);
}

bool shale_entry_index_takes(const struct shale_sb *sbi, const struct inode *lower)
{
	return shale_entry_index_may_have(sbi, lower) &&
	       (lower->i_nlink > 1 || shale_feature_on(&sbi->features, SHALE_NFS_EXPORT));
}

bool shale_entry_index_may_have(const struct shale_sb *sbi, const struct inode *lower)
{
	if (!sbi->upper || !sbi->upper->indexdir)
		return false;
	if (S_ISDIR(lower->i_mode))
		return shale_feature_on(&sbi->features, SHALE_NFS_EXPORT);
	return S_ISREG(lower->i_mode) || !shale_feature_on(&sbi->features, SHALE_USERXATTR);
}

struct shale_layer *shale_entry_layer(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	return entry->upper ? sbi->upper->layer : entry->lower->part[0].layer;
}

struct path shale_entry_path(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	return (struct path){
		.mnt = shale_entry_layer(sbi, entry)->mnt,
		.dentry = shale_entry_real(entry),
	};
}

struct path shale_entry_data_path(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	const struct shale_part *last;

	if (shale_entry_has_upper_data(entry) || d_is_dir(shale_entry_real(entry)))
		return shale_entry_path(sbi, entry);
	last = &entry->lower->part[entry->lower->nr - 1];
	return (struct path){
		.mnt = last->layer ? last->layer->mnt : NULL,
		.dentry = last->dentry,
	};
}

struct path shale_entry_lower_path(const struct shale_entry *entry)
{
	return (struct path){
		.mnt = entry->lower->part[0].layer->mnt,
		.dentry = entry->lower->part[0].dentry,
	};
}
