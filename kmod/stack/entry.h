/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An entry: what one inode stands on, the dentries of its parts in the layers.
 *
 * An entry never changes once it is published, but for what was seen of its upper's mark "impure",
 * which nobody takes away: shale_mark_impure(). Copy-up builds another one and stores a single
 * RCU pointer (shale_entry_publish()), so that whoever loads the pointer sees a whole picture.
 * The array of lower parts is counted on its own and shared by successive entries.
 *
 * Lifetime: entries are counted. The inode holds one reference on its current entry; everyone
 * else takes one with shale_entry_get() for as long as it looks. The last put drops the dentries at
 * once, in process context, and frees the memory after a grace period, because RCU-walk may
 * still be looking: such a reader (shale_entry_rcu()) may meet a part whose inode is gone and must
 * then answer -ECHILD.
 */
#ifndef SHALE_STACK_ENTRY_H
#define SHALE_STACK_ENTRY_H

#include <linux/cleanup.h>
#include <linux/dcache.h>
#include <linux/path.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "stack/layer.h"
#include "stack/sb.h"

/* One object in one lower layer. The layer is the stack's: it outlives every entry. */
struct shale_part {
	struct shale_layer *layer;
	struct dentry *dentry;
	bool xwhiteouts;		/* a directory in which empty files may be whiteouts */
};

/*
 * A directory has a part in each layer that it is merged from. Of other objects there is the
 * top-most lower one; where that is a regular file without data of its own (metacopy), the one
 * that holds the data is the second.
 */
struct shale_parts {
	refcount_t ref;
	struct rcu_head rcu;
	unsigned int nr;
	const char *data_path;		/* the last part, which has no dentry yet, is to be looked
					 * up by this path in the data-only layers; owned; or NULL
					 */
	struct shale_part part[] __counted_by(nr);	/* the top-most first */
};

struct shale_entry {
	refcount_t ref;
	struct rcu_head rcu;
	u64 epoch;			/* of the stack it was made for */
	struct dentry *upper;		/* counted; NULL: nothing in the upper */
	struct shale_parts *lower;	/* counted; NULL: nothing below */
	bool metacopy;			/* the upper has no data: it is the last lower part's */
	bool unverified;		/* the data is to be verified before it is used */
	bool indexed;			/* the index has the upper, or had it until the last name
					 * went: of what is no directory, one object for all its
					 * names, which the union counts, as neither upper nor
					 * lower do
					 */
	bool remembered;		/* with all its data in the upper, a look-up would not find
					 * the lower parts again
					 */
	bool impure;			/* a directory's upper was seen to carry that mark */
};

/* An array of @nr empty slots with one reference, or NULL. Slots hold counted dentries. */
struct shale_parts *shale_parts_alloc(unsigned int nr);
struct shale_parts *shale_parts_get(struct shale_parts *parts);	/* NULL is fine */
void shale_parts_put(struct shale_parts *parts);			/* NULL is fine */

/**
 * shale_entry_alloc - make an entry
 * @sbi: the mount
 * @upper: dentry in the upper or NULL; a reference is taken
 * @lower: lower parts or NULL; a reference is taken
 *
 * Return: an entry with one reference, or NULL.
 */
struct shale_entry *shale_entry_alloc(const struct shale_sb *sbi, struct dentry *upper,
				      struct shale_parts *lower);

/* The current entry of one of our inodes, with a reference. Never NULL for a live inode. */
struct shale_entry *shale_entry_get(struct inode *inode);
void shale_entry_put(struct shale_entry *entry);			/* NULL is fine */
DEFINE_FREE(shale_entry, struct shale_entry *, shale_entry_put(_T))

/* The current entry, to look at within rcu_read_lock() or RCU-walk only. May be NULL. */
struct shale_entry *shale_entry_rcu(const struct inode *inode);

/* Makes @entry the current one of @inode and takes over its reference. Under the entry mutex. */
void shale_entry_publish(struct inode *inode, struct shale_entry *entry);

static inline unsigned int shale_entry_nr_lower(const struct shale_entry *entry)
{
	return entry->lower ? entry->lower->nr : 0;
}

/* Does the object have parts in several layers, so that its names must be merged? */
static inline bool shale_entry_merged(const struct shale_entry *entry)
{
	return !!entry->upper + shale_entry_nr_lower(entry) > 1;
}

/*
 * Does the index get the copies of such a lower object? Of files with several names, to keep these
 * together when one of them is copied up; marks in user.* are for regular files only. With
 * nfs_export=on, of all: file handles of the lower object lead to its copy.
 */
bool shale_entry_index_takes(const struct shale_sb *sbi, const struct inode *lower);

/* May it have one already? Mounts with and without nfs_export=on may have had the upper before. */
bool shale_entry_index_may_have(const struct shale_sb *sbi, const struct inode *lower);

/* The part that gives the object its attributes and data: the top-most. No references taken. */
static inline struct dentry *shale_entry_real(const struct shale_entry *entry)
{
	return entry->upper ?: entry->lower->part[0].dentry;
}

struct shale_layer *shale_entry_layer(const struct shale_sb *sbi, const struct shale_entry *entry);
struct path shale_entry_path(const struct shale_sb *sbi, const struct shale_entry *entry);

/* The top-most lower part's path; the entry has one. No references taken. */
struct path shale_entry_lower_path(const struct shale_entry *entry);

/* Does the upper have the data of a regular file? Of others, does it have the object? */
static inline bool shale_entry_has_upper_data(const struct shale_entry *entry)
{
	return entry->upper && !entry->metacopy;
}

/* Has a regular file its data in another part than its attributes? */
static inline bool shale_entry_has_data_elsewhere(const struct shale_entry *entry)
{
	return entry->upper ? entry->metacopy : entry->lower->nr > 1;
}

/*
 * What holds the data of a regular file; of others, the object itself. No references taken. Empty
 * while the data was not looked up (shale_parts.data_path).
 */
struct path shale_entry_data_path(const struct shale_sb *sbi, const struct shale_entry *entry);

#endif
