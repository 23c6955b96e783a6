/* SPDX-License-Identifier: GPL-2.0 */
/* Copying a file's data into the upper. */
#ifndef SHALE_UNION_COPY_DATA_H
#define SHALE_UNION_COPY_DATA_H

#include <linux/fs.h>

/**
 * shale_copy_data - copy the beginning of a file
 * @sb: our superblock
 * @from: the file in a layer
 * @out: the copy, open for writing
 * @size: how much, in bytes
 *
 * Shared with the original where the file system can, else copied, holes kept. The copy is on
 * disk when this returns.
 *
 * Context: as the mounter; without a token, which it takes; killable.
 * Return: 0, -EINTR, -EIO when the file is shorter than it was, what the layers say.
 */
int shale_copy_data(struct super_block *sb, const struct path *from, struct file *out,
		    loff_t size);

#endif
