/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fs-verity: the mark of a file without data may have the digest of the file that has the data.
 * Who reads by way of the mark reads what was there when it was made, or gets EIO.
 */
#ifndef SHALE_UNION_VERITY_H
#define SHALE_UNION_VERITY_H

#include <linux/shale_ondisk.h>

#include "stack/entry.h"

/**
 * shale_verity_record - make the mark of a copy without data
 * @data: the file that has the data
 * @record: filled; its len is the size of the mark's value
 *
 * Context: as the mounter. @data is opened when it was not before.
 * Return: 0; 0 and a len of 0 when the file has no digest; -ENODATA when it has none, but verity is
 * required; or what opening says.
 */
int shale_verity_record(const struct shale_sb *sbi, const struct path *data,
			struct shale_metacopy *record);

/**
 * shale_verity_check - is an object's data what the mark of its top-most part says?
 * @entry: with its data looked up; other than @entry's top-most part
 *
 * Context: as the mounter.
 * Return: 0; -EIO, with a line in the kernel log, when it is not or, with verity=require, when the
 * mark has no digest; what reading the mark says.
 */
int shale_verity_check(const struct shale_sb *sbi, const struct shale_entry *entry);

#endif
