// SPDX-License-Identifier: GPL-2.0
/* Ranges of regular files: allocating, copying, sharing, and advice. */
#include "vfs/file.h"

#include <linux/falloc.h>

#include "stack/creds.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/quota.h"
#include "stack/upper.h"

/* What is given back, or moved, takes nothing. */
static bool fallocates(int mode)
{
	return !(mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
			 FALLOC_FL_INSERT_RANGE));
}

static int fallocate_claimed(struct file *file, struct file *real, int mode, loff_t offset,
			     loff_t len)
{
	CLASS(shale_claim_whole_range, claim)(file_inode(file), real, offset,
					      fallocates(mode) ? len : 0);
	if (claim.err)
		return claim.err;

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb, file_inode(real));
	return tok.err ?: shale_upper_fallocate(&tok, real, mode, offset, len);
}

long shale_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct file *real = shale_file_real(file);
	long ret;

	if (IS_ERR(real))
		return PTR_ERR(real);
	ret = shale_file_change_begin(file, real, false);
	if (ret)
		return ret;

	ret = fallocate_claimed(file, real, mode, offset, len);
	shale_file_change_end(file, real);
	return shale_checked(file_inode(file)->i_sb, file_dentry(file), SHALE_REASON_WRITE, ret);
}

int shale_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	struct file *real = shale_file_real(file);

	if (IS_ERR(real))
		return PTR_ERR(real);

	CLASS(shale_mounter, cred)(file_inode(file)->i_sb);
	return vfs_fadvise(real, offset, len, advice);
}

static ssize_t copy_claimed(struct file *real_in, loff_t in_pos, struct file *file,
			    struct file *real, loff_t pos, size_t len)
{
	/* Who copies a file asks for more than it has, and others would have no room meanwhile. */
	const loff_t left = i_size_read(file_inode(real_in)) - in_pos;
	const size_t wanted = clamp_t(loff_t, left, 0, len);

	CLASS(shale_claim_range, claim)(file_inode(file), real, pos, wanted);
	if (claim.err)
		return claim.err;
	if (claim.granted < wanted)
		len = claim.granted;

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb, file_inode(real));
	return tok.err ?: shale_upper_copy(&tok, real_in, in_pos, real, pos, len);
}

ssize_t shale_copy_file_range(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			      size_t len, unsigned int flags)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct file *real_in = shale_file_real(in);
	struct file *real = shale_file_real(file);
	ssize_t ret;

	/* The mounter of one mount is a stranger to the layers of another. */
	if (file_inode(in)->i_sb != sb)
		return -EXDEV;
	if (IS_ERR(real_in))
		return PTR_ERR(real_in);
	if (IS_ERR(real))
		return PTR_ERR(real);
	ret = shale_file_change_begin(file, real, false);
	if (ret)
		return ret;

	ret = copy_claimed(real_in, in_pos, file, real, pos, len);
	shale_file_change_end(file, real);
	return shale_file_written(file, real, file->f_flags & O_DSYNC, ret);
}

static loff_t clone_claimed(struct file *real_in, loff_t in_pos, struct file *file,
			    struct file *real, loff_t pos, loff_t len, unsigned int flags)
{
	/* Of no length means all there is. */
	const loff_t all = i_size_read(file_inode(real_in)) - in_pos;

	CLASS(shale_claim_whole_range, claim)(file_inode(file), real, pos,
					      len ?: max(all, 0));
	if (claim.err)
		return claim.err;

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb, file_inode(real));
	return tok.err ?: shale_upper_clone(&tok, real_in, in_pos, real, pos, len, flags);
}

static loff_t clone_range(struct file *real_in, loff_t in_pos, struct file *file,
			  struct file *real, loff_t pos, loff_t len, unsigned int flags)
{
	loff_t ret = shale_file_change_begin(file, real, false);

	if (ret)
		return ret;
	ret = clone_claimed(real_in, in_pos, file, real, pos, len, flags);
	shale_file_change_end(file, real);
	return ret;
}

/* Deduplication changes no content, so it is no reason to copy up: a lower is left as it is. */
static loff_t dedupe_range(struct file *real_in, loff_t in_pos, struct file *file,
			   struct file *real, loff_t pos, loff_t len, unsigned int flags)
{
	if (!shale_file_in_upper(file, real))
		return -EPERM;

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb, NULL);
	return tok.err ?: shale_upper_dedupe(&tok, real_in, in_pos, real, pos, len,
					     flags & REMAP_FILE_CAN_SHORTEN);
}

loff_t shale_remap_file_range(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			      loff_t len, unsigned int flags)
{
	struct file *real_in, *real;

	if (flags & ~(REMAP_FILE_DEDUP | REMAP_FILE_ADVISORY))
		return -EINVAL;
	real_in = shale_file_real(in);
	if (IS_ERR(real_in))
		return PTR_ERR(real_in);
	real = shale_file_real(file);
	if (IS_ERR(real))
		return PTR_ERR(real);
	if (flags & REMAP_FILE_DEDUP)
		return dedupe_range(real_in, in_pos, file, real, pos, len, flags);
	return clone_range(real_in, in_pos, file, real, pos, len, flags);
}
