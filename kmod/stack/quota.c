// SPDX-License-Identifier: GPL-2.0
#include "stack/quota.h"

#include <linux/fs_context.h>
#include <linux/magic.h>
#include <linux/quota.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "compat/compat.h"
#include "compat/real_file.h"
#include "stack/base.h"
#include "stack/creds.h"
#include "stack/entry.h"
#include "stack/inode.h"
#include "stack/sb.h"
#include "stack/upper.h"

bool shale_quota_of_project(const struct shale_sb *sbi)
{
	return sbi->quota && sbi->quota->by_project;
}

bool shale_quota_counts(const struct shale_sb *sbi)
{
	return sbi->quota && !sbi->quota->by_project;
}

static struct shale_quota *quota_of(const struct inode *inode)
{
	const struct shale_sb *sbi = shale_sb(inode->i_sb);

	return shale_quota_counts(sbi) ? sbi->quota : NULL;
}

/* Shares of objects */

static int read_share(const struct shale_sb *sbi, struct dentry *upper, u64 *share)
{
	const struct path path = { .mnt = sbi->stack->upper->mnt, .dentry = upper };
	struct kstat stat;
	int err;

	/* Some bases tell nothing to strangers. */
	CLASS(shale_mounter, cred)(sbi->sb);
	err = vfs_getattr_nosec(&path, &stat, STATX_BLOCKS, AT_STATX_DONT_SYNC);
	if (!err)
		*share = stat.blocks << SHALE_BLOCK_SHIFT;
	return err;
}

/*
 * Adds to what is held. What a base changes by itself (it may compress) when nobody looks is not
 * known here; then rather too little is held than a number that nothing fits below.
 */
static void grow(u64 *held, s64 change)
{
	*held = change < 0 && *held < -change ? 0 : *held + change;
}

static void change(struct shale_quota *quota, s64 bytes, s64 inodes)
{
	spin_lock(&quota->lock);
	grow(&quota->used.bytes, bytes);
	grow(&quota->used.inodes, inodes);
	spin_unlock(&quota->lock);
}

/*
 * Reads the share again. Return: by how much it has grown. Under the mutex no memory of file
 * systems is reclaimed: an inode that is evicted comes here, too.
 */
static s64 note_share(struct inode *inode, const struct shale_entry *entry)
{
	struct shale_inode *si = shale_inode(inode);
	struct shale_quota *quota = quota_of(inode);
	unsigned int nofs = memalloc_nofs_save();
	s64 growth = 0;
	u64 share;

	mutex_lock(&quota->reading);
	if (!read_share(shale_sb(inode->i_sb), entry->upper, &share)) {
		growth = share - si->share;
		WRITE_ONCE(si->share, share);
		change(quota, growth, 0);
	}
	mutex_unlock(&quota->reading);
	memalloc_nofs_restore(nofs);
	return growth;
}

static s64 note_growth(struct inode *inode)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

	return entry->upper ? note_share(inode, entry) : 0;
}

void shale_quota_note(struct inode *inode)
{
	if (quota_of(inode))
		note_growth(inode);
}

void shale_quota_note_blocks(struct inode *inode, u64 blocks)
{
	struct shale_quota *quota = quota_of(inode);

	if (!quota || blocks << SHALE_BLOCK_SHIFT == READ_ONCE(shale_inode(inode)->share))
		return;
	/* It may have changed since, and somebody noted that. */
	shale_quota_note(inode);
}

void shale_quota_fill(struct inode *inode)
{
	struct shale_entry *entry __free(shale_entry) = NULL;

	if (!quota_of(inode))
		return;
	entry = shale_entry_get(inode);
	if (entry->upper)
		read_share(shale_sb(inode->i_sb), entry->upper, &shale_inode(inode)->share);
}

void shale_quota_made(struct inode *inode)
{
	struct shale_quota *quota = quota_of(inode);

	if (quota)
		change(quota, shale_inode(inode)->share, 1);
}

void shale_quota_made_unseen(struct super_block *sb, struct dentry *made)
{
	u64 share = 0;

	if (!shale_quota_counts(shale_sb(sb)))
		return;
	read_share(shale_sb(sb), made, &share);
	change(shale_sb(sb)->quota, share, 1);
}

void shale_quota_copied(struct inode *inode)
{
	struct shale_quota *quota = quota_of(inode);

	if (!quota)
		return;
	change(quota, 0, 1);
	shale_quota_note(inode);
}

static bool is_gone(const struct inode *real)
{
	return !real->i_nlink || (S_ISDIR(real->i_mode) && IS_DEADDIR(real));
}

void shale_quota_leave(struct inode *inode)
{
	struct shale_quota *quota = quota_of(inode);
	const struct shale_entry *entry;

	if (!quota)
		return;
	entry = rcu_dereference_protected(shale_inode(inode)->entry, true);
	if (!entry || !entry->upper || !(inode->i_sb->s_flags & SB_ACTIVE))
		return;
	if (is_gone(d_inode(entry->upper)))
		change(quota, -shale_inode(inode)->share, -1);
	else
		note_share(inode, entry);
}

/* Claims */

static bool fits(u64 max, u64 held, u64 claimed, u64 wanted)
{
	return !max || !wanted || (held <= max && claimed <= max - held &&
				   wanted <= max - held - claimed);
}

static bool take(struct shale_quota *quota, u64 bytes, u64 inodes)
{
	bool taken;

	spin_lock(&quota->lock);
	taken = fits(quota->max.bytes, quota->used.bytes, quota->claimed.bytes, bytes) &&
		fits(quota->max.inodes, quota->used.inodes, quota->claimed.inodes, inodes);
	if (taken) {
		quota->claimed.bytes += bytes;
		quota->claimed.inodes += inodes;
	}
	spin_unlock(&quota->lock);
	return taken;
}

struct shale_claim shale_claim_begin(struct inode *inode, u64 bytes, u64 inodes)
{
	struct shale_quota *quota = quota_of(inode);

	if (!quota)
		return (struct shale_claim){ };
	if (!take(quota, bytes, inodes))
		return (struct shale_claim){ .err = -EDQUOT };
	ihold(inode);
	return (struct shale_claim){ .inode = inode, .bytes = bytes, .inodes = inodes };
}

void shale_claim_end(const struct shale_claim *claim)
{
	struct shale_quota *quota;
	s64 growth;

	if (!claim->inode)
		return;
	quota = quota_of(claim->inode);
	/* In this order: what was used is at no time neither claimed nor held. */
	growth = note_growth(claim->inode);
	spin_lock(&quota->lock);
	if (claim->on_credit && growth > (s64)claim->bytes)
		quota->overdrawn += growth - claim->bytes;
	quota->claimed.bytes -= claim->bytes;
	quota->claimed.inodes -= claim->inodes;
	spin_unlock(&quota->lock);
	iput(claim->inode);
}

/* Ranges of files */

u64 shale_data_between(struct file *file, loff_t from, loff_t to)
{
	const unsigned int block = i_blocksize(file_inode(file));
	loff_t data;
	u64 bytes = 0;

	to = min(to, i_size_read(file_inode(file)));
	while (from < to && shale_real_next_data(file, from, to, &data, &from))
		bytes += round_up(from, block) - round_down(data, block);
	return bytes;
}

static u64 left(u64 max, u64 used)
{
	return max > used ? max - used : 0;
}

static u64 holes_between(struct file *real, loff_t from, loff_t to)
{
	const u64 data = shale_data_between(real, from, to);

	return left(to - from, data);
}

/*
 * Of @holes, which lie within the file, so much may have been set apart by fallocate(2): blocks
 * beyond its data can be that, or attributes, or lie behind its end. Nobody tells which. So it is
 * believed, in small pieces, until it was wrong too often: what was too much stays below a
 * hundredth of the limit, or a few of these pieces.
 */
#define CREDIT SZ_64K
static u64 credit(struct inode *inode, struct file *real, u64 holes)
{
	const struct shale_quota *quota = quota_of(inode);
	const u64 max = READ_ONCE(quota->max.bytes);
	u64 data;

	if (!holes || READ_ONCE(quota->overdrawn) > max >> 8)
		return 0;
	data = shale_data_between(real, 0, i_size_read(file_inode(real)));
	return min3(holes, left(READ_ONCE(shale_inode(inode)->share), data),
		    max_t(u64, max >> 10, CREDIT));
}

static u64 room(struct shale_quota *quota)
{
	u64 bytes;

	spin_lock(&quota->lock);
	bytes = left(quota->max.bytes ?: U64_MAX, quota->used.bytes + quota->claimed.bytes);
	spin_unlock(&quota->lock);
	return bytes;
}

/* Takes as much as there is to have. Return: whether that is enough. */
static bool take_range(struct shale_quota *quota, struct shale_claim *claim, struct file *real,
		       loff_t pos, u64 len, bool whole)
{
	const unsigned int block = i_blocksize(file_inode(real));
	const loff_t from = round_down(pos, block), to = round_up(pos + len, block);
	const loff_t end = clamp(round_up(i_size_read(file_inode(real)), block), from, to);
	u64 holes, set_apart, granted;

	claim->bytes = len + 2 * block;
	if (take(quota, claim->bytes, 0))
		return true;
	/* It is getting tight: time for a closer look. */
	shale_quota_note(claim->inode);
	holes = holes_between(real, from, end);
	set_apart = credit(claim->inode, real, holes);
	claim->on_credit = set_apart;
	claim->bytes = holes - set_apart + to - end;
	if (take(quota, claim->bytes, 0))
		return true;
	claim->bytes = round_down(min(room(quota), len), block);
	granted = round_down(claim->bytes + set_apart, block);
	claim->granted = min(granted - min_t(u64, granted, pos & (block - 1)), len);
	return !whole && claim->granted && take(quota, claim->bytes, 0);
}

static struct shale_claim claim_range(struct inode *inode, struct file *real, loff_t pos,
				      u64 len, bool whole)
{
	struct shale_quota *quota = quota_of(inode);
	struct shale_claim claim = { .inode = inode, .granted = len };

	if (!quota)
		return (struct shale_claim){ .granted = len };
	/* What takes nothing needs no room: a hole can be punched into a file of a full layer. */
	if (!len)
		return shale_claim_begin(inode, 0, 0);
	if (!take_range(quota, &claim, real, pos, len, whole))
		return (struct shale_claim){ .err = -EDQUOT };
	ihold(inode);
	return claim;
}

struct shale_claim shale_claim_range(struct inode *inode, struct file *real, loff_t pos,
				     size_t len)
{
	return claim_range(inode, real, pos, len, false);
}

struct shale_claim shale_claim_whole_range(struct inode *inode, struct file *real, loff_t pos,
					   u64 len)
{
	return claim_range(inode, real, pos, len, true);
}

/* Limits of a project, which the base keeps */

static struct super_block *base_sb(const struct shale_sb *sbi)
{
	return shale_layer_sb(sbi->upper->layer);
}

static kprojid_t project_of(struct dentry *dir)
{
	struct file_kattr fa = { };

	if (vfs_fileattr_get(dir, &fa) || !(fa.fsx_xflags & FS_XFLAG_PROJINHERIT))
		return INVALID_PROJID;
	return make_kprojid(&init_user_ns, fa.fsx_projid);
}

/* Of a project's limits, those are the upper's whose directories are all of the project. */
static kprojid_t project(const struct shale_sb *sbi)
{
	const kprojid_t upper = project_of(sbi->upper->root);

	if (!projid_valid(upper) || projid_eq(upper, KPROJIDT_INIT(0)) ||
	    !projid_eq(upper, project_of(sbi->upper->workbase)))
		return INVALID_PROJID;
	return upper;
}

/* Does the base refuse what is too much for a project? */
static bool base_enforces(struct super_block *sb)
{
	struct qc_state state = { };

	return sb->s_qcop && sb->s_qcop->get_state && sb->s_qcop->set_dqblk &&
	       !sb->s_qcop->get_state(sb, &state) &&
	       (state.s_state[PRJQUOTA].flags & QCI_LIMITS_ENFORCED);
}

/* A limit that was not asked for stays as its administrator has set it. */
static int set_project(const struct shale_sb *sbi, bool lift, struct fs_context *fc)
{
	struct super_block *sb = base_sb(sbi);
	const struct shale_usage *max = &sbi->quota->max;
	struct qc_dqblk limits = {
		.d_fieldmask = (max->bytes ? QC_SPC_HARD | QC_SPC_SOFT : 0) |
			       (max->inodes ? QC_INO_HARD | QC_INO_SOFT : 0),
		.d_spc_hardlimit = lift ? 0 : max->bytes,
		.d_ino_hardlimit = lift ? 0 : max->inodes,
	};
	int err;

	CLASS(shale_upper, tok)(sbi->sb);
	if (tok.err)
		return tok.err;
	down_read(&sb->s_umount);
	err = sb->s_qcop->set_dqblk(sb, make_kqid_projid(sbi->quota->project), &limits);
	up_read(&sb->s_umount);
	if (err)
		errorfc(fc, "size: can't set the limits of project %u: error %d",
			from_kprojid(&init_user_ns, sbi->quota->project), err);
	return err;
}

/* Why bytes can't be counted by what the base says of each file, or NULL. */
static const char *why_uncounted(const struct shale_sb *sbi)
{
	switch (base_sb(sbi)->s_magic) {
	case XFS_SUPER_MAGIC:
		/* It sets apart as much again as a file has, and takes that back when it likes. */
		return "on XFS it takes project quotas, and a project of upperdir and workdir";
	case FUSE_SUPER_MAGIC:
	case NFS_SUPER_MAGIC:
		return "its file system tells too late how much a file takes";
	default:
		return NULL;
	}
}

/* Life of it */

int shale_quota_open(struct shale_sb *sbi, const struct shale_usage *max, struct fs_context *fc)
{
	const char *why;
	struct shale_quota *quota = kzalloc(sizeof(*quota), GFP_KERNEL_ACCOUNT);

	if (!quota)
		return -ENOMEM;
	mutex_init(&quota->reading);
	spin_lock_init(&quota->lock);
	quota->max = *max;
	sbi->quota = quota;

	/* Limits of the base are the host's administrator's to set. */
	quota->project = project(sbi);
	quota->by_project = projid_valid(quota->project) && base_enforces(base_sb(sbi)) &&
			    capable(CAP_SYS_ADMIN);
	if (quota->by_project)
		return set_project(sbi, true, fc);
	why = max->bytes ? why_uncounted(sbi) : NULL;
	if (why) {
		errorfc(fc, "size: %s", why);
		return -EOPNOTSUPP;
	}
	return 0;
}

int shale_quota_enforce(struct shale_sb *sbi, struct fs_context *fc)
{
	const struct shale_quota *quota = sbi->quota;

	if (!quota || !quota->by_project)
		return 0;
	return set_project(sbi, false, fc);
}

void shale_quota_begin(struct shale_sb *sbi, const struct shale_usage *held)
{
	sbi->quota->used = *held;
}

void shale_quota_close(struct shale_sb *sbi)
{
	kfree(sbi->quota);
	sbi->quota = NULL;
}

void shale_quota_look(const struct shale_sb *sbi, struct shale_usage *max,
		      struct shale_usage *used)
{
	struct shale_quota *quota = sbi->quota;

	spin_lock(&quota->lock);
	*max = quota->max;
	*used = quota->used;
	spin_unlock(&quota->lock);
}

const char *shale_quota_fixed(const struct shale_sb *sbi, bool bytes)
{
	if (!sbi->upper)
		return "the mount has no writable layer";
	if (!sbi->quota)
		return "made without a limit, so that nobody counts: mount it again with one";
	if (sbi->quota->by_project)
		return "limits are those of a project: setquota(8) and xfs_quota(8) change them";
	return bytes ? why_uncounted(sbi) : NULL;
}

void shale_quota_change(struct shale_sb *sbi, const u64 *max_bytes, const u64 *max_inodes)
{
	struct shale_quota *quota = sbi->quota;

	spin_lock(&quota->lock);
	if (max_bytes)
		quota->max.bytes = *max_bytes;
	if (max_inodes)
		quota->max.inodes = *max_inodes;
	spin_unlock(&quota->lock);
}

static void limit_blocks(struct kstatfs *buf, u64 max, u64 used)
{
	const u64 free = div_u64(left(max, used), buf->f_frsize);

	buf->f_blocks = min(buf->f_blocks, div_u64(max, buf->f_frsize));
	buf->f_bfree = min(buf->f_bfree, free);
	buf->f_bavail = min(buf->f_bavail, free);
}

/* Some file systems make objects as they are needed, and say 0. */
static void limit_files(struct kstatfs *buf, u64 max, u64 used)
{
	const u64 free = left(max, used);

	buf->f_ffree = buf->f_files ? min(buf->f_ffree, free) : free;
	buf->f_files = buf->f_files ? min(buf->f_files, max) : max;
}

void shale_quota_statfs(const struct shale_sb *sbi, struct kstatfs *buf)
{
	struct shale_usage max, used;

	/* Of a project, the base has said so itself. */
	if (!shale_quota_counts(sbi) || !buf->f_frsize)
		return;
	shale_quota_look(sbi, &max, &used);
	if (max.bytes)
		limit_blocks(buf, max.bytes, used.bytes);
	if (max.inodes)
		limit_files(buf, max.inodes, used.inodes);
}
