// SPDX-License-Identifier: GPL-2.0
#include "stack/touched.h"

#include <linux/hash.h>
#include <linux/slab.h>

#define NR_INODES (SHALE_TOUCHED_BUCKET_SIZE << SHALE_TOUCHED_BUCKET_BITS)

int shale_touched_init(struct shale_touched *touched)
{
	mutex_init(&touched->flushing);
	spin_lock_init(&touched->lock);
	touched->inodes = kcalloc(NR_INODES, sizeof(*touched->inodes), GFP_KERNEL_ACCOUNT);
	return touched->inodes ? 0 : -ENOMEM;
}

void shale_touched_exit(struct shale_touched *touched)
{
	unsigned int i;

	for (i = 0; touched->inodes && i < NR_INODES; i++)
		iput(touched->inodes[i]);
	kfree(touched->inodes);
}

/* Where an inode is, or NULL, is found. Return: NULL: neither is in the inode's bucket. */
static struct inode **find(const struct shale_touched *touched, const struct inode *inode,
			   const struct inode *wanted)
{
	struct inode **at = &touched->inodes[hash_ptr(inode, SHALE_TOUCHED_BUCKET_BITS) *
					     SHALE_TOUCHED_BUCKET_SIZE];
	unsigned int i;

	for (i = 0; i < SHALE_TOUCHED_BUCKET_SIZE; i++)
		if (READ_ONCE(at[i]) == wanted)
			return &at[i];
	return NULL;
}

/* Return: the inode that was there, to be put outside of the lock. */
static struct inode *take(struct inode **at)
{
	struct inode *inode = *at;

	WRITE_ONCE(*at, NULL);
	return inode;
}

static void add(struct shale_touched *touched, struct inode *inode)
{
	struct inode **at;

	spin_lock(&touched->lock);
	if (!find(touched, inode, inode)) {
		at = find(touched, inode, NULL);
		if (at) {
			ihold(inode);
			WRITE_ONCE(*at, inode);
		} else {
			WRITE_ONCE(touched->all, true);
		}
	}
	spin_unlock(&touched->lock);
}

void shale_touched_mark(struct shale_touched *touched, struct inode *inode)
{
	/* The change comes before a look at the mark; pairs with that in shale_touched_forget(). */
	smp_mb();
	if (READ_ONCE(touched->all) || find(touched, inode, inode) || !inode->i_nlink)
		return;
	add(touched, inode);
	/* Whoever takes its last name away sees it marked, or is seen here. */
	smp_mb();
	shale_touched_unlinked(touched, inode);
}

void shale_touched_mark_all(struct shale_touched *touched)
{
	spin_lock(&touched->lock);
	WRITE_ONCE(touched->all, true);
	spin_unlock(&touched->lock);
}

void shale_touched_unlinked(struct shale_touched *touched, struct inode *inode)
{
	struct inode *gone = NULL, **at;

	if (inode->i_nlink)
		return;
	smp_mb();	/* pairs with the last one in shale_touched_mark() */
	spin_lock(&touched->lock);
	at = find(touched, inode, inode);
	if (at)
		gone = take(at);
	spin_unlock(&touched->lock);
	iput(gone);
}

bool shale_touched_forget(struct shale_touched *touched)
{
	struct inode *inode;
	unsigned int i;
	bool any;

	spin_lock(&touched->lock);
	any = touched->all;
	WRITE_ONCE(touched->all, false);
	spin_unlock(&touched->lock);

	for (i = 0; i < NR_INODES; i++) {
		if (!READ_ONCE(touched->inodes[i]))
			continue;
		spin_lock(&touched->lock);
		inode = take(&touched->inodes[i]);
		spin_unlock(&touched->lock);
		any |= !!inode;
		iput(inode);
	}
	smp_mb();	/* pairs with the first one in shale_touched_mark() */
	return any;
}
