/* SPDX-License-Identifier: GPL-2.0 */
/* Reads and writes on a real file, on behalf of a request to one of our files. */
#ifndef SHALE_VFS_AIO_H
#define SHALE_VFS_AIO_H

#include <linux/fs.h>

#include "stack/upper.h"

/**
 * shale_read_real - pass a read on to the real file
 * @real: the real file, open for reading
 * @iocb: the request to our file; its position advances
 * @iter: where the data goes
 *
 * Context: as the mounter.
 * Return: as ->read_iter(); -EIOCBQUEUED for an asynchronous request that completes later.
 */
ssize_t shale_read_real(struct file *real, struct kiocb *iocb, struct iov_iter *iter);

/**
 * shale_write_real - pass a write on to the real file
 *
 * The same for writes. One that completes later brings our inode's attributes up to date by
 * itself, before it completes @iocb; of others the caller does.
 *
 * Context: with a token of shale_upper_begin_io().
 */
ssize_t shale_write_real(const struct shale_token *tok, struct file *real, struct kiocb *iocb,
			 struct iov_iter *iter);

int shale_aio_init(void);
void shale_aio_exit(void);

#endif
