/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much the writable layer may hold: bytes, and objects.
 *
 * Where the base keeps count of a project, and the upper and the work directory are one, the base
 * is told the limits and does the rest. Elsewhere each object's share is noted in its inode, as the
 * base says it (st_blocks); the sum of all is what the layer holds. It is counted once, at mount
 * (union/usage.h), and from then on whoever makes the layer grow claims what that takes before, and
 * afterwards has the share of what was changed read again:
 *
 *	CLASS(shale_claim, claim)(inode, bytes, inodes);
 *
 *	if (claim.err)
 *		return claim.err;
 *
 * Whiteouts are not counted, nor is the work directory: a full layer can be emptied. What a shared
 * mapping fills is noted when the file is synced, closed, or asked for its attributes.
 *
 * A claim is made before a token is taken and ends after it. The mutex in here is taken under any
 * of our locks, and of the base's only what getattr takes comes after it.
 */
#ifndef SHALE_STACK_QUOTA_H
#define SHALE_STACK_QUOTA_H

#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/projid.h>
#include <linux/spinlock.h>

struct fs_context;
struct kstatfs;
struct shale_sb;

/* What a layer holds, or may hold. */
struct shale_usage {
	u64 bytes;
	u64 inodes;
};

struct shale_quota {
	bool by_project;		/* the base counts */
	kprojid_t project;		/* this one; constant, like all up to here */
	struct mutex reading;		/* of an object's share, and noting it */
	spinlock_t lock;		/* for what follows */
	struct shale_usage max;		/* 0: no limit; constant where the base counts */
	struct shale_usage used, claimed;
	u64 overdrawn;			/* bytes that were believed to be there, and were not */
};

/**
 * shale_quota_open - find out who counts
 * @max: a 0 is no limit
 *
 * Context: as the mounter; the upper is open, and nothing has been made in it. Limits that the base
 * keeps are lifted, as mounting a layer makes things in it, even in one that is full.
 * Return: 0, -ENOMEM, or what the base says, with a message in @fc.
 */
int shale_quota_open(struct shale_sb *sbi, const struct shale_usage *max, struct fs_context *fc);

/* Where the base counts: from now on it keeps the limits. Return: as shale_quota_open(). */
int shale_quota_enforce(struct shale_sb *sbi, struct fs_context *fc);

/* Where we count: this is what the layer holds. Before anybody changes it. */
void shale_quota_begin(struct shale_sb *sbi, const struct shale_usage *held);

void shale_quota_close(struct shale_sb *sbi);

/* Does the base keep the limits, of a project? */
bool shale_quota_of_project(const struct shale_sb *sbi);

/* Do we count ourselves? */
bool shale_quota_counts(const struct shale_sb *sbi);

/* The limits, and where we count ourselves (else 0) what is used. Of a mount that has a quota. */
void shale_quota_look(const struct shale_sb *sbi, struct shale_usage *max,
		      struct shale_usage *used);

/*
 * Why the limits of a live mount can't be changed, or NULL. @bytes: is the one of bytes to be?
 * What the mount was made with decides, so that is the answer as long as it lives.
 */
const char *shale_quota_fixed(const struct shale_sb *sbi, bool bytes);

/* Changes them, where they are not fixed; a limit may be less than what is used. NULL: stays. */
void shale_quota_change(struct shale_sb *sbi, const u64 *max_bytes, const u64 *max_inodes);

/* Makes of what the base has to offer what the mount may have of it. */
void shale_quota_statfs(const struct shale_sb *sbi, struct kstatfs *buf);

struct shale_claim {
	int err;			/* not 0: there is none, and nothing to be changed */
	struct inode *inode;		/* whose share is read again; NULL: there is no limit */
	u64 bytes, inodes;		/* what was claimed */
	bool on_credit;			/* it is believed that more is set apart already */
	size_t granted;			/* of a range: so much of it, counted from its start */
};

/*
 * Claims room for something that is done to @inode, ours, be it in the upper or yet to get there.
 * What takes nothing is always granted. Return: a claim; its @err is -EDQUOT.
 */
struct shale_claim shale_claim_begin(struct inode *inode, u64 bytes, u64 inodes);

/*
 * Claims room for @len bytes from @pos of a file, of which @real is the upper's. What is there
 * already takes none, and the start of a range may be granted alone.
 */
struct shale_claim shale_claim_range(struct inode *inode, struct file *real, loff_t pos,
				     size_t len);
/* The same, all or nothing. */
struct shale_claim shale_claim_whole_range(struct inode *inode, struct file *real, loff_t pos,
					   u64 len);
void shale_claim_end(const struct shale_claim *claim);

DEFINE_CLASS(shale_claim, struct shale_claim, shale_claim_end(&_T),
	     shale_claim_begin(inode, bytes, inodes), struct inode *inode, u64 bytes, u64 inodes)
DEFINE_CLASS(shale_claim_range, struct shale_claim, shale_claim_end(&_T),
	     shale_claim_range(inode, real, pos, len),
	     struct inode *inode, struct file *real, loff_t pos, size_t len)
DEFINE_CLASS(shale_claim_whole_range, struct shale_claim, shale_claim_end(&_T),
	     shale_claim_whole_range(inode, real, pos, len),
	     struct inode *inode, struct file *real, loff_t pos, u64 len)

/* st_blocks are of 512 bytes, whatever the base's are of. */
#define SHALE_BLOCK_SHIFT 9

/* What any object but a file's data may take: a block of its own or of its directory. */
#define SHALE_CLAIM_OBJECT 4096

/* How many bytes of a file, from @from to @to, are data rather than holes; in whole blocks. */
u64 shale_data_between(struct file *file, loff_t from, loff_t to);

/* Reads an object's share again. Does nothing where we don't count. */
void shale_quota_note(struct inode *inode);
/* The same, from what the base said a moment ago. */
void shale_quota_note_blocks(struct inode *inode, u64 blocks);

/* Of stack/inode.c: a new inode stands on an object of the upper, whose share is counted. */
void shale_quota_fill(struct inode *inode);
/* The object is new in the layer: it was made, or copied up. After its inode stands on it. */
void shale_quota_made(struct inode *inode);
void shale_quota_copied(struct inode *inode);
/* The same of one that no inode of ours stands on yet, for want of memory. */
void shale_quota_made_unseen(struct super_block *sb, struct dentry *made);
/*
 * The inode goes away, and with it the object, if nothing leads there any more. To be called while
 * it can still be found: who looks the object up waits until it is gone, and then reads the share.
 */
void shale_quota_leave(struct inode *inode);

#endif
