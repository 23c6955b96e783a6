/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a mount has changed in its upper since it was synced last, so that a sync flushes nothing
 * when there is nothing; and, to come, these inodes alone. The wrappers of stack/upper.h mark what
 * they have changed, after they have: a sync that forgets a mark sees the change.
 *
 * An inode that is marked is counted: it may have to be flushed when nobody else knows it any
 * more. Those without a name are not marked, for that would keep their space, and what outsiders
 * remove keeps it until the next sync. Inodes are kept in buckets; when one is full, it is no
 * longer known which they are, only that there are some.
 *
 * Not marked are times of access.
 */
#ifndef SHALE_STACK_TOUCHED_H
#define SHALE_STACK_TOUCHED_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

/* The whole of it is a page. */
#define SHALE_TOUCHED_BUCKET_BITS 6
#define SHALE_TOUCHED_BUCKET_SIZE (L1_CACHE_BYTES / sizeof(struct inode *))

struct shale_touched {
	struct mutex flushing;		/* from forgetting to the end of the sync; sleeps within */
	spinlock_t lock;		/* changes of what follows; innermost, takes no other */
	bool all;			/* more than are known */
	struct inode **inodes;		/* each counted, or NULL */
};

int shale_touched_init(struct shale_touched *touched);
/* Safe on what is zeroed. */
void shale_touched_exit(struct shale_touched *touched);

/*
 * @inode has been changed, or may have been. Sleeps if it lost its last name meanwhile; else may
 * be called in any context in which the inode may be.
 */
void shale_touched_mark(struct shale_touched *touched, struct inode *inode);
/* Any of them may have been. */
void shale_touched_mark_all(struct shale_touched *touched);
/* If the inode has no name left, it need not be flushed. May be the last to let go of it. */
void shale_touched_unlinked(struct shale_touched *touched, struct inode *inode);

/*
 * Before a sync; who may change inodes without marking them marks all after this.
 * Return: whether anything was marked.
 */
bool shale_touched_forget(struct shale_touched *touched);

#endif
