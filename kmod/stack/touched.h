/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a mount has changed in its upper since it was synced last, so that a sync flushes nothing
 * when there is nothing; and, to come, these inodes alone.
 *
 * The wrappers of stack/upper.h mark what they have changed, after they have: a sync that forgets
 * a mark sees the change. Others may see it before it is marked. So whoever may be changing
 * something is counted, and a sync with anybody in between flushes. Once a file is mapped to be
 * written each sync does, for good: nobody tells when it is written, and pages that somebody has
 * pinned can be after they are unmapped.
 *
 * An inode that is marked is counted: it may have to be flushed when nobody else knows it any
 * more. So they are few. Beyond that it is only known that there are more, as it is of files
 * without a name, whose space is not to be kept. What outsiders remove keeps its until the next
 * sync. Times of access are not marked.
 */
#ifndef SHALE_STACK_TOUCHED_H
#define SHALE_STACK_TOUCHED_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/fs.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#define SHALE_TOUCHED_BITS 6
#define SHALE_TOUCHED_INODES BIT(SHALE_TOUCHED_BITS)
#define SHALE_TOUCHED_BUCKET 8		/* so many of them can be where an inode is looked for */

struct shale_touched_passed {
	unsigned long begun;
	unsigned long ended;
};

struct shale_touched {
	struct shale_touched_passed __percpu *passed;	/* those who may change something */
	atomic_t flushing;		/* syncs under way */
	bool mapped;			/* a file was, to be written; only ever set */
	bool all;			/* more are marked than these */
	spinlock_t lock;		/* changes of these two; innermost, takes no other */
	struct inode *inodes[SHALE_TOUCHED_INODES];	/* each counted, or NULL */
};

int shale_touched_init(struct shale_touched *touched);
/* Safe on what is zeroed. */
void shale_touched_exit(struct shale_touched *touched);

/* Around whatever may change something, marks included. In any context. */
static inline void shale_touched_begin(struct shale_touched *touched)
{
	this_cpu_inc(touched->passed->begun);
}

static inline void shale_touched_end(struct shale_touched *touched)
{
	smp_wmb();	/* the marks come first; pairs with shale_touched_forget() */
	this_cpu_inc(touched->passed->ended);
}

/* @inode, which the caller holds, has been changed, or may have been. */
void shale_touched_mark(struct shale_touched *touched, struct inode *inode);
/* If it has no name left, it is no longer kept. */
void shale_touched_unlinked(struct shale_touched *touched, struct inode *inode);

/**
 * shale_touched_sync - flush if anything may have been changed
 * @flush: writes all that has been changed
 * Return: 0, or what @flush says; then all counts as changed.
 */
int shale_touched_sync(struct shale_touched *touched, int (*flush)(void *arg), void *arg);

#endif
