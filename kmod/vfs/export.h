/* SPDX-License-Identifier: GPL-2.0 */
/* File handles of a mount: nfs_export. */
#ifndef SHALE_VFS_EXPORT_H
#define SHALE_VFS_EXPORT_H

#include <linux/fs.h>

struct shale_sb;

/* Takes nfs_export=on away where the layers do not allow it. With the bases known. */
void shale_export_check(struct shale_sb *sbi);

/* Lets a superblock have what file handles it can. With features and the index settled. */
void shale_export_set_up(struct super_block *sb);

#endif
