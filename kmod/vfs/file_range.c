// SPDX-License-Identifier: GPL-2.0
/* Ranges of regular files: allocating, copying, sharing, and advice. */
#include "vfs/file.h"

#include "stack/creds.h"
#include "stack/inode.h"
#include "stack/upper.h"

/* Before the content changes. With i_rwsem of our inode; -EPERM: the file lies in a lower. */
static struct file *prepare_to_change(struct file *file)
{
	struct file *real = shale_file_real(file);
	int err;

	if (IS_ERR(real))
		return real;
	if (!shale_file_in_upper(file, real))
		return ERR_PTR(-EPERM);
	err = shale_file_remove_privs(file, real);
	return err ? ERR_PTR(err) : real;
}

static long fallocate_locked(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct file *real = prepare_to_change(file);

	if (IS_ERR(real))
		return PTR_ERR(real);

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb);
	return tok.err ?: shale_upper_fallocate(&tok, real, mode, offset, len);
}

long shale_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	long ret;

	inode_lock(inode);
	ret = fallocate_locked(file, mode, offset, len);
	shale_inode_copyattr(inode);
	inode_unlock(inode);
	return ret;
}

int shale_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	struct file *real = shale_file_real(file);

	if (IS_ERR(real))
		return PTR_ERR(real);

	CLASS(shale_mounter, cred)(file_inode(file)->i_sb);
	return vfs_fadvise(real, offset, len, advice);
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
	ret = shale_file_change_begin(file, real);
	if (ret)
		return ret;

	scoped_class(shale_upper_io, tok, sb)
		ret = tok.err ?: shale_upper_copy(&tok, real_in, in_pos, real, pos, len);
	shale_file_change_end(file, real);
	return ret;
}

static loff_t clone_locked(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			   loff_t len, unsigned int flags)
{
	struct file *real_in = shale_file_real(in);
	struct file *real;

	if (IS_ERR(real_in))
		return PTR_ERR(real_in);
	real = prepare_to_change(file);
	if (IS_ERR(real))
		return PTR_ERR(real);

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb);
	return tok.err ?: shale_upper_clone(&tok, real_in, in_pos, real, pos, len, flags);
}

/* Deduplication changes no content, so it is no reason to copy up: a lower is left as it is. */
static loff_t dedupe_locked(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			    loff_t len, unsigned int flags)
{
	struct file *real_in = shale_file_real(in);
	struct file *real = shale_file_real(file);

	if (IS_ERR(real_in))
		return PTR_ERR(real_in);
	if (IS_ERR(real))
		return PTR_ERR(real);
	if (!shale_file_in_upper(file, real))
		return -EPERM;

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb);
	return tok.err ?: shale_upper_dedupe(&tok, real_in, in_pos, real, pos, len,
					     flags & REMAP_FILE_CAN_SHORTEN);
}

loff_t shale_remap_file_range(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			      loff_t len, unsigned int flags)
{
	struct inode *inode = file_inode(file);
	loff_t ret;

	if (flags & ~(REMAP_FILE_DEDUP | REMAP_FILE_ADVISORY))
		return -EINVAL;

	inode_lock(inode);
	if (flags & REMAP_FILE_DEDUP)
		ret = dedupe_locked(in, in_pos, file, pos, len, flags);
	else
		ret = clone_locked(in, in_pos, file, pos, len, flags);
	shale_inode_copyattr(inode);
	inode_unlock(inode);
	return ret;
}
