/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From records back to objects of the union: what file handles are decoded with.
 *
 * A directory is found by its name: from the real one up to the nearest directory that we know,
 * then down again by look-ups. The index knows what lower directories have become that were
 * renamed. Any other object is found without a name, by the index alone, and gets a dentry that has
 * none.
 */
#ifndef SHALE_UNION_DECODE_H
#define SHALE_UNION_DECODE_H

#include <linux/dcache.h>

#include "stack/origin.h"

/**
 * shale_decode - the object that a record stands for
 * @sb: our superblock
 * @record: may come from anywhere
 *
 * Context: as the mounter; no lock of ours or of layers held.
 * Return: one of our dentries, counted: a directory's is connected to the root; ERR_PTR: -ESTALE
 * when there is no such object, or not any more; -ENOMEM.
 */
struct dentry *shale_decode(struct super_block *sb, const struct shale_origin_record *record);

/**
 * shale_encode - the record of an object
 * @decodable: it is to be decoded later; else it only has to be the same each time
 *
 * It stays the same when the object is copied up, where the index takes the copy. A lower
 * directory whose parents have their names from other layers is copied up first: it could not be
 * found by these names once they change.
 *
 * Context: as the mounter. Return: 0 with @record filled, or an errno.
 */
int shale_encode(struct shale_origin_record *record, struct inode *inode, bool decodable);

#endif
