// SPDX-License-Identifier: GPL-2.0
#include "stack/touched.h"

#include <linux/hash.h>

#include "compat/compat.h"

int shale_touched_init(struct shale_touched *touched)
{
	spin_lock_init(&touched->lock);
	touched->passed = alloc_percpu_gfp(struct shale_touched_passed, GFP_KERNEL_ACCOUNT);
	return touched->passed ? 0 : -ENOMEM;
}

void shale_touched_exit(struct shale_touched *touched)
{
	unsigned int i;

	for (i = 0; i < SHALE_TOUCHED_INODES; i++)
		iput(touched->inodes[i]);
	free_percpu(touched->passed);
}

/* Marking */

/* Where in the inode's bucket @wanted is, that inode or NULL. Return: NULL: nowhere. */
static struct inode **find(struct shale_touched *touched, const struct inode *inode,
			   const struct inode *wanted)
{
	/* Where it is put when the bucket is empty comes first. */
	const unsigned int first = hash_ptr(inode, SHALE_TOUCHED_BITS);
	unsigned int i;

	for (i = 0; i < SHALE_TOUCHED_BUCKET; i++) {
		struct inode **at = &touched->inodes[first ^ i];

		if (READ_ONCE(*at) == wanted)
			return at;
	}
	return NULL;
}

static void add(struct shale_touched *touched, struct inode *inode)
{
	struct inode **at;

	spin_lock(&touched->lock);
	at = find(touched, inode, inode) ?: find(touched, inode, NULL);
	if (!at || !inode->i_nlink) {
		WRITE_ONCE(touched->all, true);
	} else if (!*at) {
		ihold(inode);
		WRITE_ONCE(*at, inode);
	}
	spin_unlock(&touched->lock);
}

void shale_touched_mark(struct shale_touched *touched, struct inode *inode)
{
	/* The change comes before a look at the marks; pairs with take_marks(). */
	smp_mb();
	if (READ_ONCE(touched->all) || READ_ONCE(touched->mapped) || find(touched, inode, inode))
		return;
	/* One that has no name yet is marked when it gets it. */
	if (inode_state_read_once(inode) & I_LINKABLE)
		return;
	add(touched, inode);
	/* Whoever takes its last name away sees it marked, or is seen here. */
	smp_mb();
	shale_touched_unlinked(touched, inode);
}

void shale_touched_unlinked(struct shale_touched *touched, struct inode *inode)
{
	struct inode **at;

	if (inode->i_nlink)
		return;
	smp_mb();	/* pairs with the last one in shale_touched_mark() */
	spin_lock(&touched->lock);
	at = find(touched, inode, inode);
	if (at)
		WRITE_ONCE(*at, NULL);
	spin_unlock(&touched->lock);
	/* Not the last reference: the caller has one. */
	if (at)
		iput(inode);
}

/* Syncing */

/* Return: whether there were any. */
static bool take_marks(struct shale_touched *touched)
{
	struct inode *inodes[SHALE_TOUCHED_INODES];
	unsigned int i;
	bool any;

	spin_lock(&touched->lock);
	any = touched->all;
	WRITE_ONCE(touched->all, false);
	for (i = 0; i < SHALE_TOUCHED_INODES; i++) {
		inodes[i] = touched->inodes[i];
		WRITE_ONCE(touched->inodes[i], NULL);
	}
	spin_unlock(&touched->lock);

	for (i = 0; i < SHALE_TOUCHED_INODES; i++) {
		any |= !!inodes[i];
		iput(inodes[i]);
	}
	smp_mb();	/* pairs with shale_touched_mark() */
	return any;
}

static unsigned long total(const unsigned long __percpu *counter)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(counter, cpu));
	return sum;
}

/*
 * Return: whether anything may have been changed and not been flushed. Who has ended by the first
 * sum has marked before, and who began before the second one counts: if they are equal, nobody is
 * in between.
 */
static bool forget(struct shale_touched *touched)
{
	unsigned long ended;
	bool any;

	smp_mb();	/* what the caller has seen was begun before */
	ended = total(&touched->passed->ended);
	smp_mb();	/* pairs with shale_touched_end() */
	any = take_marks(touched);
	return any || READ_ONCE(touched->mapped) || total(&touched->passed->begun) != ended;
}

/* Who finds nothing to do must not overtake who does it, or has failed to. */
static bool somebody_flushes(struct shale_touched *touched)
{
	if (atomic_read(&touched->flushing) > 1)
		return true;
	smp_rmb();	/* pairs with the last barrier in shale_touched_sync() */
	return READ_ONCE(touched->all);
}

int shale_touched_sync(struct shale_touched *touched, int (*flush)(void *arg), void *arg)
{
	int err = 0;

	atomic_inc(&touched->flushing);
	if (forget(touched) || somebody_flushes(touched))
		err = flush(arg);
	if (err) {
		spin_lock(&touched->lock);
		WRITE_ONCE(touched->all, true);
		spin_unlock(&touched->lock);
	}
	smp_mb__before_atomic();	/* pairs with somebody_flushes() */
	atomic_dec(&touched->flushing);
	return err;
}
