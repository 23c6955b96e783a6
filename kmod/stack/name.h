/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The name word: what belongs to a name rather than to the object it leads to. It is one
 * word in d_fsdata of our dentry, so that it costs no allocation: flags below, the epoch of
 * the stack it was found in above them.
 */
#ifndef SHALE_STACK_NAME_H
#define SHALE_STACK_NAME_H

#include <linux/dcache.h>

#define SHALE_NAME_UPPER	0x1UL	/* the upper has this name, as an object */
#define SHALE_NAME_WHITEOUT	0x2UL	/* the upper has a whiteout of this name */
#define SHALE_NAME_FLAGS	0x3UL
#define SHALE_NAME_EPOCH_SHIFT	2

static inline unsigned long shale_name(const struct dentry *dentry)
{
	return (unsigned long)READ_ONCE(dentry->d_fsdata);
}

/*
 * Says what the name is now. Called where the parent's i_rwsem orders changes of the name:
 * shared in look-up (the dentry is not hashed yet), exclusive in creation and removal; or
 * under the entry mutex, by copy-up.
 */
static inline void shale_name_set(struct dentry *dentry, u64 epoch, unsigned long flags)
{
	WRITE_ONCE(dentry->d_fsdata, (void *)(epoch << SHALE_NAME_EPOCH_SHIFT | flags));
}

#endif
