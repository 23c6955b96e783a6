/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The name word: what belongs to a name rather than to the object it leads to. It is one
 * word in d_fsdata of our dentry, so that it costs no allocation: one of the flags below,
 * the epoch of the stack it was found in above them.
 */
#ifndef SHALE_STACK_NAME_H
#define SHALE_STACK_NAME_H

#include <linux/dcache.h>

#define SHALE_NAME_ABSENT	0x0UL	/* negative, or removed: the upper has nothing here */
#define SHALE_NAME_WHITEOUT	0x1UL	/* negative, or removed: the upper has a whiteout here */
#define SHALE_NAME_LOWER	0x2UL	/* positive: lower layers alone have the name */
#define SHALE_NAME_UPPER	0x3UL	/* positive: the upper has the name */
#define SHALE_NAME_MASK		0x3UL
#define SHALE_NAME_EPOCH_SHIFT	2

static inline unsigned long shale_name(const struct dentry *dentry)
{
	return (unsigned long)READ_ONCE(dentry->d_fsdata) & SHALE_NAME_MASK;
}

/*
 * Does the name still lead to its object? Asked under the entry mutex, under which removal
 * says so before the VFS unhashes the dentry.
 */
static inline bool shale_name_positive(const struct dentry *dentry)
{
	return shale_name(dentry) >= SHALE_NAME_LOWER;
}

/*
 * Says what the name is now. Called in look-up, before the dentry is visible, and where the
 * parent's i_rwsem is held to change the name; for positive names also under the entry mutex.
 */
static inline void shale_name_set(struct dentry *dentry, u64 epoch, unsigned long what)
{
	/* Where a word has 32 bits, so many stacks of one mount are told apart as 30 bits can. */
	unsigned long word = (unsigned long)epoch << SHALE_NAME_EPOCH_SHIFT | what;

	WRITE_ONCE(dentry->d_fsdata, (void *)word);
}

#endif
