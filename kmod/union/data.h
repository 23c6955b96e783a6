/* SPDX-License-Identifier: GPL-2.0 */
/* Where the data of a regular file is. */
#ifndef SHALE_UNION_DATA_H
#define SHALE_UNION_DATA_H

#include "stack/entry.h"

/**
 * shale_data_get - an entry whose data path can be used
 * @inode: one of our inodes
 * @known: its current entry, when the caller holds the entry mutex; or NULL
 *
 * Data in a data-only layer is looked up by the first who asks for it, and verified, if the mount
 * is to do that, against the digest that the mark of the file without data has.
 *
 * Context: as the mounter.
 * Return: the inode's entry with a reference; ERR_PTR: -EIO when no data-only layer has the data or
 * it is not what the digest says, -ENOMEM, -EINTR, what the layers say.
 */
struct shale_entry *shale_data_get(struct inode *inode, struct shale_entry *known);

#endif
