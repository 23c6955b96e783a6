/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Our inode.
 *
 * Invariant: at most one inode per key, and the key does not change while the inode is hashed.
 * The key is the real inode that identifies the object for as long as we know the object:
 * see inode_key() in inode.c. Two inodes over one real inode would mean two entry mutexes, hence
 * two copy-ups and lost writes.
 *
 * Lock order, outermost first:
 *
 *	i_rwsem of our directory, of our file	(taken by the VFS)
 *	  entry mutex of a parent		(copy-up goes from the top down, one at a time)
 *	  entry mutex
 *	    freeze protection of the upper	(shale_upper_begin())
 *	      i_rwsem of upper and work directories, of upper files
 *
 * The i_rwsem of a lower object is never taken while write access to the upper is held: a
 * lower may itself be a stacking file system whose order is the one above.
 */
#ifndef SHALE_STACK_INODE_H
#define SHALE_STACK_INODE_H

#include <linux/fs.h>
#include <linux/mutex.h>

#include "stack/entry.h"

struct shale_listing;

struct shale_inode {
	struct inode vfs_inode;
	struct shale_entry __rcu *entry;	/* stored under lock */
	struct mutex lock;			/* the entry mutex: orders who replaces it */
	struct inode *key;			/* compared, never followed: NULL when unhashed */
	u64 share;				/* bytes of the quota, under its lock */
	unsigned int protection;		/* S_APPEND, S_IMMUTABLE: the upper's mark */
	union {
		atomic_t unsettled;		/* not 0: it may be copied up since it was synced */
		atomic_t misses;		/* a directory's: layers that were asked in vain */
	};
	struct shale_listing __rcu *listing[2];	/* directories: see union/listings.h */
};

static inline struct shale_inode *shale_inode(const struct inode *inode)
{
	return container_of(inode, struct shale_inode, vfs_inode);
}

/*
 * Takes the entry mutex. Who holds it may be copying gigabytes: whoever waits can be killed.
 * Return: 0 or -EINTR.
 */
static inline int shale_inode_lock(struct inode *inode)
{
	return mutex_lock_killable(&shale_inode(inode)->lock);
}

static inline void shale_inode_unlock(struct inode *inode)
{
	mutex_unlock(&shale_inode(inode)->lock);
}

/* What the VFS calls on each kind of inode; vfs/ registers it, so that nothing here names vfs/. */
struct shale_inode_tables {
	const struct inode_operations *dir_iops, *file_iops, *symlink_iops, *special_iops;
	const struct file_operations *dir_fops, *file_fops;
	const struct address_space_operations *aops;
	/* Does what was found still hold, now that nobody else can get an inode for the object? */
	bool (*is_current)(const struct shale_sb *sbi, const struct shale_entry *entry);
};

extern const struct shale_inode_tables *shale_inode_tables;

/**
 * shale_inode_find - the inode of what a look-up or a creation found
 * @sb: our superblock
 * @entry: the parts; its reference is taken over, also on error
 *
 * Context: as the mounter.
 * Return: an inode with a reference, new or known, or ERR_PTR: -ENOMEM; -ESTALE when a known
 * inode contradicts @entry, or the object was copied up or removed since it was looked for: to be
 * looked for again, SHALE_INODE_TRIES times at most; -ELOOP when the object is the root of another
 * layer; what reading the upper's mark says that protects an object.
 */
#define SHALE_INODE_TRIES 3
struct inode *shale_inode_find(struct super_block *sb, struct shale_entry *entry);

/*
 * The inode whose key is this real inode, with a reference; NULL when there is none now;
 * ERR_PTR(-ELOOP) for the root of a layer.
 */
struct inode *shale_inode_known(struct super_block *sb, struct inode *real);

/* The root's inode: not hashed, for traps lie on the layers' roots. Else as above. */
struct inode *shale_inode_root(struct super_block *sb, struct shale_entry *entry);

/**
 * shale_inode_trap - reserve a layer's root, so that look-ups through other layers fail
 * Return: an inode to be put at umount, or ERR_PTR: -ELOOP when it is reserved already.
 */
struct inode *shale_inode_trap(struct super_block *sb, struct dentry *root);

/*
 * An inode of ours, with a reference, whose file in the upper somebody has mapped so that it can be
 * written; or NULL. Looks through all inodes that are in memory.
 */
struct inode *shale_inode_find_mapped(struct super_block *sb);

/* Is an object's real inode the root of some layer of this mount? */
bool shale_inode_is_trap(struct super_block *sb, struct inode *real);

/* Copies owner, mode, times, size and flags from the real inode: before an entry is published
 * and after each mutation, for RCU permission checks and the page-cache-free stat paths.
 */
void shale_inode_copyattr(struct inode *inode);
void shale_inode_copyattr_from(struct inode *inode, const struct shale_sb *sbi,
			       const struct shale_entry *entry);

/*
 * The upper's mark says so, or will when the inode's next entry is published. What the real
 * inode's own flags say comes on top. Before shale_inode_copyattr().
 */
void shale_inode_set_protection(struct inode *inode, unsigned int i_flags);

/*
 * Before an entry is published that the inode's key does not follow from: hash the inode by
 * what it will be looked for by. Under the entry mutex.
 */
void shale_inode_rehash(struct inode *inode, const struct shale_entry *entry);

/*
 * A name in the directory changed: what was cached of its names is void. The VFS leaves i_version
 * to us, as our superblocks have no SB_I_VERSION.
 */
static inline void shale_dir_changed(struct inode *dir)
{
	atomic64_inc(&dir->i_version);
}

struct inode *shale_inode_alloc(struct super_block *sb);	/* super_operations */
void shale_inode_destroy(struct inode *inode);
void shale_inode_free(struct inode *inode);

int shale_inode_init(void);
void shale_inode_exit(void);

#endif
