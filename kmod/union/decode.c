// SPDX-License-Identifier: GPL-2.0
#include "union/decode.h"

#include <linux/namei.h>

#include "stack/entry.h"
#include "stack/inode.h"
#include "stack/upper.h"
#include "union/copy_up.h"
#include "union/index.h"
#include "union/lookup.h"

/* Directories. One in a layer, and the way from it up to one of ours that is known. */
struct way {
	struct super_block *sb;
	struct shale_sb *sbi;
	const struct shale_layer *layer;
	struct dentry *real;		/* the directory in the layer */
	struct dentry *ours;		/* stands on it or one above it; counted; NULL: none yet */
};

/* How often a way is begun anew, when directories are renamed under us. */
#define MAX_TRIES 16

static bool in_upper(const struct way *way)
{
	return way->sbi->upper && way->layer == way->sbi->upper->layer;
}

static bool stands_on(const struct way *way, const struct dentry *ours, const struct dentry *real)
{
	struct inode *inode = d_inode(ours);
	struct shale_entry *entry __free(shale_entry) = inode ? shale_entry_get(inode) : NULL;
	unsigned int i;

	if (!entry || !d_is_dir(ours))
		return false;
	if (in_upper(way))
		return entry->upper && d_inode(entry->upper) == d_inode(real);
	for (i = 0; i < shale_entry_nr_lower(entry); i++) {
		const struct shale_part *part = &entry->lower->part[i];

		if (part->layer == way->layer)
			return d_inode(part->dentry) == d_inode(real);
	}
	return false;
}

/* One of ours that stands on a directory of the layer. Counted; NULL: we know none; or ERR_PTR. */
static struct dentry *known_dir(const struct way *way, struct dentry *real)
{
	struct dentry *ours;
	struct inode *inode;

	if (real == way->layer->mnt->mnt_root)
		return dget(way->sb->s_root);
	inode = shale_inode_known(way->sb, d_inode(real));
	if (IS_ERR_OR_NULL(inode))
		return ERR_CAST(inode);
	ours = d_find_any_alias(inode);
	iput(inode);
	if (!ours || stands_on(way, ours, real))
		return ours;
	dput(ours);
	return NULL;
}

static struct dentry *connect(struct super_block *sb, const struct shale_layer *layer,
			      struct dentry *real);

/* What a lower directory was copied up to, if it was. Goes into the upper, never further. */
static struct dentry *indexed_dir(const struct way *way, struct dentry *real)
{
	struct dentry *index, *upper, *ours;

	if (in_upper(way) || !shale_entry_index_may_have(way->sbi, d_inode(real)))
		return NULL;
	index = shale_index_find(way->sbi, real);
	if (IS_ERR_OR_NULL(index))
		return index;
	upper = shale_index_upper(way->sbi, index);
	dput(index);
	if (IS_ERR(upper))
		return upper;
	ours = connect(way->sb, way->sbi->upper->layer, upper);
	dput(upper);
	if (IS_ERR(ours) || stands_on(way, ours, real))
		return ours;
	dput(ours);
	return ERR_PTR(-ESTALE);
}

/*
 * Goes up from the directory in the layer until one is known: way->ours, when there is one.
 * @below: set to the one before it on the way, counted; NULL when it was the first
 */
static struct dentry *climb(const struct way *way, struct dentry **below)
{
	struct dentry *next = dget(way->real), *parent, *found;

	*below = NULL;
	for (;;) {
		if (way->ours)
			found = stands_on(way, way->ours, next) ? dget(way->ours) : NULL;
		else
			found = known_dir(way, next) ?: indexed_dir(way, next);
		if (found)
			break;
		parent = dget_parent(next);
		dput(*below);
		*below = next;
		next = parent;
		if (*below == parent || *below == way->layer->mnt->mnt_root) {
			found = ERR_PTR(-ESTALE);
			break;
		}
	}
	dput(next);
	return found;
}

/* One step down, by the name that the directory has in the layer. */
static struct dentry *descend(const struct way *way, struct dentry *ours, struct dentry *below)
{
	struct name_snapshot name;
	struct dentry *found;

	take_dentry_name_snapshot(&name, below);
	found = lookup_one_positive_unlocked(&nop_mnt_idmap,
					     &QSTR_LEN(name.name.name, name.name.len), ours);
	release_dentry_name_snapshot(&name);
	if (IS_ERR(found) || stands_on(way, found, below))
		return found;
	dput(found);
	return ERR_PTR(-ESTALE);
}

static int go_one_step(struct way *way, bool *arrived)
{
	struct dentry *below, *ours = climb(way, &below);
	struct dentry *next = NULL;

	if (!IS_ERR(ours) && below) {
		next = descend(way, ours, below);
		dput(ours);
		ours = next;
	}
	*arrived = !below;
	dput(below);
	dput(way->ours);
	way->ours = IS_ERR(ours) ? NULL : ours;
	return PTR_ERR_OR_ZERO(ours);
}

/* Our directory that stands on one in a layer. */
static struct dentry *connect(struct super_block *sb, const struct shale_layer *layer,
			      struct dentry *real)
{
	struct way way = { .sb = sb, .sbi = shale_sb(sb), .layer = layer, .real = real };
	unsigned int seq, try = 0;
	bool arrived = false;
	int err;

	do {
		seq = read_seqbegin(&rename_lock);
		do {
			err = go_one_step(&way, &arrived);
		} while (!err && !arrived);
	} while (err && err != -ENOMEM && read_seqretry(&rename_lock, seq) && ++try < MAX_TRIES);
	return err ? ERR_PTR(err) : way.ours;
}

/* Any other object. The inode that we know is right even when the object has no name any more. */
static struct inode *obtain_inode(struct super_block *sb, struct dentry *upper,
				  const struct shale_part *lower)
{
	struct inode *inode = shale_inode_known(sb, d_inode(upper ?: lower->dentry));
	struct shale_entry *entry;

	if (inode)
		return inode;
	entry = shale_lookup_object(sb, upper, lower);
	return IS_ERR(entry) ? ERR_CAST(entry) : shale_inode_find(sb, entry);
}

static struct dentry *obtain(struct super_block *sb, struct dentry *upper,
			     const struct shale_part *lower)
{
	struct inode *inode;
	int try = 0;

	do {
		inode = obtain_inode(sb, upper, lower);
	} while (inode == ERR_PTR(-ESTALE) && ++try < SHALE_INODE_TRIES);
	return d_obtain_alias(inode);
}

static struct dentry *decode_upper(struct super_block *sb,
				   const struct shale_origin_record *record)
{
	struct shale_sb *sbi = shale_sb(sb);
	struct dentry *upper = shale_origin_find_upper(sbi, record);
	struct dentry *ours;

	if (IS_ERR_OR_NULL(upper))
		return upper ?: ERR_PTR(-ESTALE);
	if (d_is_dir(upper))
		ours = connect(sb, sbi->upper->layer, upper);
	else
		ours = obtain(sb, upper, NULL);
	dput(upper);
	return ours;
}

static struct dentry *decode_lower(struct super_block *sb,
				   const struct shale_origin_record *record)
{
	struct shale_part part;
	struct dentry *ours;
	int ret = shale_origin_find_any(shale_sb(sb), record, &part);

	if (ret <= 0)
		return ERR_PTR(ret ?: -ESTALE);
	if (d_is_dir(part.dentry))
		ours = connect(sb, part.layer, part.dentry);
	else
		ours = obtain(sb, NULL, &part);
	dput(part.dentry);
	return ours;
}

struct dentry *shale_decode(struct super_block *sb, const struct shale_origin_record *record)
{
	struct dentry *ours = record->origin.flags & SHALE_ORIGIN_UPPER ?
		decode_upper(sb, record) : decode_lower(sb, record);

	if (!IS_ERR(ours) || ours == ERR_PTR(-ENOMEM))
		return ours;
	return ERR_PTR(-ESTALE);
}

/* Encoding */

/*
 * The nearest directory, on the way up from a lower one, that the decoder would not find again once
 * the directories above it were renamed: its parent is known to the index, or will be, by another
 * layer's. It is copied up, so that the index knows itself.
 */
static struct dentry *find_unconnected(struct dentry *dentry, const struct shale_layer *layer)
{
	struct dentry *next = dget(dentry);

	for (;;) {
		struct dentry *parent = dget_parent(next);
		struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(parent));
		bool end = parent == dentry->d_sb->s_root || entry->indexed;

		if (!end && (entry->upper || entry->lower->part[0].layer != layer)) {
			dput(parent);
			return next;
		}
		dput(next);
		next = parent;
		if (end || IS_ROOT(next))
			break;
	}
	dput(next);
	return NULL;
}

static int connect_lower(struct inode *dir, const struct shale_entry *entry)
{
	struct dentry *dentry, *next;
	int err = 0;

	if (!shale_sb(dir->i_sb)->upper || entry->indexed || !dir->i_nlink)
		return 0;
	dentry = d_find_any_alias(dir);
	if (!dentry)
		return -ESTALE;
	next = find_unconnected(dentry, entry->lower->part[0].layer);
	dput(dentry);
	/* On a read-only mount nothing is written for a reader, nor will anything be renamed. */
	if (next && !sb_rdonly(dir->i_sb))
		err = shale_copy_up(next, SHALE_REASON_HANDLE);
	dput(next);
	return err;
}

/* Does the record name the object of the upper, rather than the lower one? */
static bool is_named_by_upper(const struct shale_sb *sbi, const struct shale_entry *entry,
			      bool decodable)
{
	const struct inode *lower;

	if (!entry->upper)
		return false;
	/* The index never has the root. */
	if (!entry->lower || entry->upper == sbi->upper->root)
		return true;
	if (entry->indexed)
		return false;
	if (decodable)
		return true;
	/* The copy of one of several names is another object than the others stay. */
	lower = d_inode(entry->lower->part[0].dentry);
	return !S_ISDIR(lower->i_mode) && lower->i_nlink > 1;
}

int shale_encode(struct shale_origin_record *record, struct inode *inode, bool decodable)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	bool by_upper = is_named_by_upper(shale_sb(inode->i_sb), entry, decodable);
	int err = 0;

	if (!by_upper && decodable && S_ISDIR(inode->i_mode))
		err = connect_lower(inode, entry);
	if (!err)
		err = shale_origin_encode(shale_sb(inode->i_sb), record, by_upper ? entry->upper :
					  entry->lower->part[0].dentry, by_upper);
	if (!err && !record->size)
		err = -EOPNOTSUPP;
	return err;
}
