/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File data. vfs_iocb_iter_write() and do_splice_direct() take the freeze protection of the file's
 * file system by themselves from 6.8 on; the former keeps it for a write that was queued until
 * kiocb_end_write(). A file is
 * spliced from by vfs_splice_read() from 6.5 on. It is mapped by either of two operations from
 * 6.16 on.
 */
#ifndef SHALE_COMPAT_DATA_H
#define SHALE_COMPAT_DATA_H

#include <linux/fs.h>
#include <linux/splice.h>
#include <linux/uio.h>

/* Locks and leases moved out of linux/fs.h with 6.3. */
#ifdef SHALE_HAS_MNT_IDMAP_TYPE
#include <linux/filelock.h>
#endif

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

static inline ssize_t compat_do_splice_direct(struct file *in, loff_t *in_pos, struct file *out,
					      loff_t *pos, size_t len, unsigned int flags)
{
	ssize_t ret;

	file_start_write(out);
	ret = do_splice_direct(in, in_pos, out, pos, len, flags);
	file_end_write(out);
	return ret;
}

#define vfs_iocb_iter_write	compat_vfs_iocb_iter_write
#define do_splice_direct	compat_do_splice_direct

#endif

/* Ways to write that came with 6.11 and 6.14. */
#ifndef IOCB_ATOMIC
#define IOCB_ATOMIC		0
#define FMODE_CAN_ATOMIC_WRITE	((__force fmode_t)0)
#endif

#ifdef IOCB_DONTCACHE

static inline bool can_dontcache(const struct file *file)
{
	return file->f_op->fop_flags & FOP_DONTCACHE;
}

#else

#define IOCB_DONTCACHE		0
#define FOP_DONTCACHE		0

static inline bool can_dontcache(const struct file *file)
{
	return false;
}

#endif

/* Before 6.10, whether direct writes may run side by side was for each file to say, if at all. */
#ifdef FOP_DIO_PARALLEL_WRITE
#define SHALE_OPS_FOP_FLAGS	.fop_flags = FOP_DIO_PARALLEL_WRITE | FOP_DONTCACHE
#else
#define SHALE_OPS_FOP_FLAGS	.iopoll = NULL
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
