// SPDX-License-Identifier: GPL-2.0
/*
 * Data of the upper. The kernel's functions take freeze protection by themselves, so the token
 * must not hold it: taken twice, it lets a freeze in between stop the task for good.
 */
#include "stack/upper.h"

#include <linux/splice.h>

static void assert_data_token(const struct shale_token *tok)
{
	WARN_ON_ONCE(tok->err || tok->write);
}

/* Whether or not all went well. */
static void mark(const struct shale_token *tok, struct file *real)
{
	shale_touched_mark(&tok->upper->touched, file_inode(real));
}

ssize_t shale_upper_write_iocb(const struct shale_token *tok, struct file *real,
			       struct kiocb *iocb, struct iov_iter *iter)
{
	ssize_t ret;

	assert_data_token(tok);
	if (is_sync_kiocb(iocb)) {
		ret = vfs_iocb_iter_write(real, iocb, iter);
	} else {
		shale_gate_enter_again(tok->upper->gate);
		shale_touched_begin(&tok->upper->touched);
		ret = vfs_iocb_iter_write(real, iocb, iter);
		if (ret != -EIOCBQUEUED) {
			shale_touched_end(&tok->upper->touched);
			shale_gate_leave(tok->upper->gate);
		}
	}
	mark(tok, real);
	return ret;
}

void shale_upper_write_done(const struct shale_upper *upper, struct kiocb *iocb)
{
	kiocb_end_write(iocb);
	shale_gate_leave(upper->gate);
}

void shale_upper_write_end(struct shale_upper *upper, struct file *real)
{
	shale_touched_mark(&upper->touched, file_inode(real));
	shale_touched_end(&upper->touched);
}

void shale_upper_mapped(const struct shale_token *tok)
{
	WRITE_ONCE(tok->upper->touched.mapped, true);
}

ssize_t shale_upper_splice_write(const struct shale_token *tok, struct pipe_inode_info *pipe,
				 struct file *real, loff_t *pos, size_t len, unsigned int flags)
{
	ssize_t ret;

	assert_data_token(tok);
	if (!real->f_op->splice_write)
		return -EINVAL;
	file_start_write(real);
	ret = real->f_op->splice_write(pipe, real, pos, len, flags);
	file_end_write(real);
	mark(tok, real);
	return ret;
}

ssize_t shale_upper_splice(const struct shale_token *tok, struct file *in, loff_t *in_pos,
			   struct file *real, loff_t *pos, size_t len)
{
	ssize_t ret;

	assert_data_token(tok);
	ret = do_splice_direct(in, in_pos, real, pos, len, 0);
	mark(tok, real);
	return ret;
}

int shale_upper_fallocate(const struct shale_token *tok, struct file *real, int mode,
			  loff_t offset, loff_t len)
{
	int err;

	assert_data_token(tok);
	err = vfs_fallocate(real, mode, offset, len);
	mark(tok, real);
	return err;
}

ssize_t shale_upper_copy(const struct shale_token *tok, struct file *in, loff_t in_pos,
			 struct file *real, loff_t pos, size_t len)
{
	ssize_t ret;

	assert_data_token(tok);
	ret = vfs_copy_file_range(in, in_pos, real, pos, len, 0);
	/* Files of one mount may lie on two file systems, which is nobody's business above. */
	if (ret == -EXDEV || ret == -EOPNOTSUPP)
		ret = vfs_copy_file_range(in, in_pos, real, pos, len, COPY_FILE_SPLICE);
	mark(tok, real);
	return ret;
}

loff_t shale_upper_clone(const struct shale_token *tok, struct file *in, loff_t in_pos,
			 struct file *real, loff_t pos, loff_t len, unsigned int flags)
{
	loff_t ret;

	assert_data_token(tok);
	ret = vfs_clone_file_range(in, in_pos, real, pos, len, flags);
	mark(tok, real);
	return ret;
}

loff_t shale_upper_dedupe(const struct shale_token *tok, struct file *in, loff_t in_pos,
			  struct file *real, loff_t pos, loff_t len, unsigned int flags)
{
	loff_t ret;

	assert_data_token(tok);
	ret = vfs_dedupe_file_range_one(in, in_pos, real, pos, len, flags);
	mark(tok, real);
	return ret;
}
