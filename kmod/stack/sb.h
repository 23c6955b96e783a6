/* SPDX-License-Identifier: GPL-2.0 */
/* What a Shale superblock is made of, and the table of the live ones. */
#ifndef SHALE_STACK_SB_H
#define SHALE_STACK_SB_H

#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>

#include "stack/counters.h"
#include "stack/features.h"
#include "stack/stack.h"

struct shale_base;
struct shale_quota;
struct shale_upper;

/* What is remembered of directories' names: see union/listings.h. */
struct shale_listings {
	spinlock_t lock;		/* the innermost of all */
	struct list_head list;		/* of struct shale_listing, the oldest first */
	unsigned long nr;		/* of them, and of names in them */
	unsigned int nr_lists;		/* of them */
	size_t bytes;			/* of memory of them */
	unsigned long wanted;		/* of names to be forgotten, that was too little so far */
	atomic_t nr_jobs;		/* that make some in the background */
	bool closing;			/* nothing is to be made any more */
};

/* What is sent of what happens in a mount, and how much of that there was. */
struct shale_events {
	struct net *net;		/* the mounter's; counted */
	u32 mask;			/* bit kind - 1: such are sent */
	spinlock_t lock;		/* for all that follows: in this order events are sent */
	u32 rate;			/* most in a second; 0: no limit */
	u32 in_second;			/* so many were, in this one */
	unsigned long second;		/* jiffies, when it began */
	u64 seq;			/* of the last one */
	u64 dropped;
};

struct shale_sb {
	u64 id;				/* of the mount; never used twice */
	struct super_block *sb;
	struct list_head link;		/* in the table of mounts, under its lock */
	atomic_t visitors;		/* that need it to stay for a while, see below */
	const struct cred *writer;	/* the mounter without CAP_FSETID: see stack/upper.h */
	const struct cred *mounter;	/* constant from mount to umount, like all up to here */
	struct shale_stack *stack;
	struct shale_upper *upper;	/* NULL: read-only */
	struct shale_quota *quota;	/* of the upper; NULL: it has no limits */
	unsigned int name_max;		/* longest name that the upper, or top lower, can hold */
	struct shale_base *base;	/* the file systems of the layers, the upper's first */
	unsigned int nr_base;
	unsigned int xino_bits;		/* of inode numbers, that say which one; or 0 */
	bool default_permissions;
	bool casefolded;		/* all directories ignore the case of names */
	bool layers_change;		/* names in some may change without a call of ours */
	struct shale_features features;	/* resolved */
	char *source;			/* as given at mount time */
	char *lowerdir;			/* the options, as given; NULL: layers came one by one, */
	char *upperdir, *workdir;	/* or as descriptors */
	struct inode **trap;		/* on the layers' roots; counted */
	unsigned int nr_trap;
	siphash_key_t name_key;		/* orders the names of directories */
	struct shale_listings listings;
	struct shale_events events;
	struct shale_counters counters;
	atomic64_t copy_ups;
	atomic64_t copy_up_bytes;
	u64 max_copy_up;		/* bytes of data; 0: no limit; read and set at once */
};

static inline struct shale_sb *shale_sb(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/*
 * The table of mounts. A mount is in it from the end of mounting to the start of killing:
 * ->kill_sb() unpublishes first of all, which waits for whoever holds the table. A look-up
 * therefore needs no reference on the superblock, and can never be the one that ends up
 * unmounting it. Who needs more time than others should wait for the table visits the mount:
 * unpublishing waits for visitors, too, who therefore stay for a second or two at most.
 */
void shale_sb_publish(struct shale_sb *sbi);	/* also gives the id, from 1 */
void shale_sb_unpublish(struct shale_sb *sbi);	/* does nothing to a mount without id */

/* guard(shale_sb_table)(): no mount enters or leaves the table in the rest of the scope. Memory
 * may be allocated under it; s_umount is taken before it, never after.
 */
void shale_sb_table_lock(void);
void shale_sb_table_unlock(void);
DEFINE_LOCK_GUARD_0(shale_sb_table, shale_sb_table_lock(), shale_sb_table_unlock())

/* The mount with the smallest id that is at least @id, or NULL. Under the table's lock. */
struct shale_sb *shale_sb_next(u64 id);

/* Under the table's lock; and the end of the visit, without. */
void shale_sb_visit(struct shale_sb *sbi);
void shale_sb_leave(struct shale_sb *sbi);

/* Is @sb a Shale superblock? */
bool shale_sb_is_ours(const struct super_block *sb);

#endif
