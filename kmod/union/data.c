// SPDX-License-Identifier: GPL-2.0
#include "union/data.h"

#include <linux/namei.h>
#include <linux/slab.h>

#include "stack/inode.h"
#include "union/verity.h"

static bool is_pending(const struct shale_entry *entry)
{
	return entry->lower && entry->lower->data_path && !shale_entry_has_upper_data(entry);
}

static bool is_ready(const struct shale_entry *entry)
{
	return !is_pending(entry) && !entry->unverified;
}

/* Looks in one data-only layer. Return: 1 with @part set, 0, or an errno. */
static int look_in_layer(struct shale_layer *layer, const char *text, struct shale_part *part)
{
	const struct path root = { .mnt = layer->mnt, .dentry = layer->mnt->mnt_root };
	struct path path;
	int err = vfs_path_lookup(root.dentry, root.mnt, text,
				  LOOKUP_BENEATH | LOOKUP_NO_SYMLINKS | LOOKUP_NO_XDEV, &path);

	if (err)
		return err == -ENOENT || err == -ENOTDIR ? 0 : err;
	if (!d_is_reg(path.dentry)) {
		path_put(&path);
		return 0;
	}
	part->layer = layer;
	part->dentry = dget(path.dentry);
	path_put(&path);
	return 1;
}

static int look_in_data_layers(const struct shale_sb *sbi, const char *text,
			       struct shale_part *part)
{
	const struct shale_stack *stack = sbi->stack;
	unsigned int i;
	int ret = 0;

	for (i = shale_stack_nr_merged(stack); !ret && i < stack->nr_lower; i++)
		ret = look_in_layer(stack->lower[i], text, part);
	if (ret > 0)
		return 0;
	pr_warn_ratelimited("no data-only layer has %s\n", text);
	return ret ?: -EIO;
}

/* The same parts with the last one filled in, or ERR_PTR. */
static struct shale_parts *with_data(const struct shale_sb *sbi, const struct shale_parts *old)
{
	struct shale_part data = { };
	struct shale_parts *parts;
	unsigned int i;
	/* Its slash is the root of the layer. */
	int err = look_in_data_layers(sbi, old->data_path + 1, &data);

	if (err)
		return ERR_PTR(err);
	parts = shale_parts_alloc(old->nr);
	if (!parts) {
		dput(data.dentry);
		return ERR_PTR(-ENOMEM);
	}
	for (i = 0; i < old->nr - 1; i++) {
		parts->part[i] = old->part[i];
		dget(parts->part[i].dentry);
	}
	parts->part[i] = data;
	return parts;
}

/* The same entry with its data found and, where that is asked for, verified; or ERR_PTR. */
static struct shale_entry *make_ready(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	struct shale_parts *parts = is_pending(entry) ? with_data(sbi, entry->lower)
						      : shale_parts_get(entry->lower);
	struct shale_entry *new;
	int err = 0;

	if (IS_ERR(parts))
		return ERR_CAST(parts);
	new = shale_entry_alloc(sbi, entry->upper, parts);
	shale_parts_put(parts);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->metacopy = entry->metacopy;
	new->indexed = entry->indexed;
	new->remembered = entry->remembered;
	if (entry->unverified)
		err = shale_verity_check(sbi, new);
	if (err) {
		shale_entry_put(new);
		return ERR_PTR(err);
	}
	return new;
}

static struct shale_entry *get_ready(struct inode *inode, struct shale_entry *entry)
{
	struct shale_entry *new;

	if (is_ready(entry)) {
		refcount_inc(&entry->ref);
		return entry;
	}
	new = make_ready(shale_sb(inode->i_sb), entry);
	if (IS_ERR(new))
		return new;
	refcount_inc(&new->ref);
	shale_entry_publish(inode, new);
	return new;
}

struct shale_entry *shale_data_get(struct inode *inode, struct shale_entry *known)
{
	struct shale_entry *entry, *ready;
	int err;

	if (known)
		return get_ready(inode, known);
	entry = shale_entry_get(inode);
	if (is_ready(entry))
		return entry;
	shale_entry_put(entry);

	err = shale_inode_lock(inode);
	if (err)
		return ERR_PTR(err);
	entry = shale_entry_get(inode);
	ready = get_ready(inode, entry);
	shale_entry_put(entry);
	shale_inode_unlock(inode);
	return ready;
}
