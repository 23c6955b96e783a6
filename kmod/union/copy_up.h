/* SPDX-License-Identifier: GPL-2.0 */
/* Copy-up: before the first change, an object gets a copy in the upper. */
#ifndef SHALE_UNION_COPY_UP_H
#define SHALE_UNION_COPY_UP_H

#include <linux/fs.h>
#include <uapi/linux/shale.h>

/**
 * shale_copy_up - make sure that an object lies in the upper, its parents included
 * @dentry: one of ours, positive
 * @reason: what for, for those who watch
 *
 * The data of a regular file may stay where it is.
 *
 * Context: sleeps; killable. The caller may hold i_rwsem of the object and its parent, and no
 * token. Takes entry mutexes, credentials and the upper's write access by itself.
 * Return: 0, -EROFS, -EINTR, -EOVERFLOW (owner has no mapping), -EFBIG (more data than
 * the mount is to copy), -ENOSPC and others of the upper.
 */
int shale_copy_up(struct dentry *dentry, enum shale_reason reason);

/* The same with a regular file's data: before that is changed. */
int shale_copy_up_data(struct dentry *dentry, enum shale_reason reason);

/*
 * The same for a regular file that is about to be truncated to @size: no more data is copied.
 * Return: also 1, when the copy was made with that size.
 */
int shale_copy_up_truncated(struct dentry *dentry, loff_t size);

#endif
