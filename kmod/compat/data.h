/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File data. vfs_iocb_iter_write() takes the freeze protection of the file's file system by itself
 * from 6.8 on, and keeps it for a write that was queued until kiocb_end_write(). A file is
 * spliced from by vfs_splice_read() from 6.5 on. It is mapped by either of two operations from
 * 6.16 on.
 */
#ifndef SHALE_COMPAT_DATA_H
#define SHALE_COMPAT_DATA_H

#include <linux/fs.h>
#include <linux/splice.h>
#include <linux/uio.h>

#ifndef SHALE_HAS_PROTECTED_IOCB_WRITE

static inline ssize_t compat_vfs_iocb_iter_write(struct file *file, struct kiocb *iocb,
						 struct iov_iter *iter)
{
	ssize_t ret;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	kiocb_start_write(iocb);
	ret = vfs_iocb_iter_write(file, iocb, iter);
	if (ret != -EIOCBQUEUED)
		kiocb_end_write(iocb);
	return ret;
}

#define vfs_iocb_iter_write compat_vfs_iocb_iter_write

#endif

#ifndef SHALE_HAS_CAN_MMAP

static inline bool can_mmap_file(const struct file *file)
{
	return file->f_op->mmap;
}

#endif

#ifndef SHALE_HAS_VFS_SPLICE_READ

static inline ssize_t vfs_splice_read(struct file *file, loff_t *pos,
				      struct pipe_inode_info *pipe, size_t len, unsigned int flags)
{
	if (!file->f_op->splice_read)
		return -EINVAL;
	return file->f_op->splice_read(file, pos, pipe, len, flags);
}

#endif

#endif
