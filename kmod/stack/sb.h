/* SPDX-License-Identifier: GPL-2.0 */
/* What a Shale superblock is made of, and the table of the live ones. */
#ifndef SHALE_STACK_SB_H
#define SHALE_STACK_SB_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/list.h>

#include "stack/stack.h"

struct shale_upper;

struct shale_sb {
	u64 id;				/* of the mount; never used twice */
	struct super_block *sb;
	struct list_head link;		/* in the table of mounts, under its lock */
	const struct cred *mounter;	/* constant from mount to umount, like all up to here */
	struct shale_stack *stack;
	struct shale_upper *upper;	/* NULL: read-only */
	bool same_fs;			/* all layers lie on one file system */
	bool userxattr;
	bool default_permissions;
	char *source;			/* as given at mount time */
	atomic64_t copy_ups;
	atomic64_t copy_up_bytes;
};

static inline struct shale_sb *shale_sb(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/* The table of mounts. A mount is in it from the end of mounting to the start of killing. */
void shale_sb_publish(struct shale_sb *sbi);	/* also gives the id */
void shale_sb_unpublish(struct shale_sb *sbi);

/**
 * shale_sb_next - the live mount with the smallest id that is at least @id
 *
 * Return: the mount with an active reference (drop it with shale_sb_put()), or NULL.
 */
struct shale_sb *shale_sb_next(u64 id);

/* Drops the reference from a work item: it may be the last, and umount must not run under the
 * caller's locks.
 */
void shale_sb_put(struct shale_sb *sbi);

/* Is @sb a Shale superblock? */
bool shale_sb_is_ours(const struct super_block *sb);

int shale_sb_init(void);
void shale_sb_exit(void);

#endif
