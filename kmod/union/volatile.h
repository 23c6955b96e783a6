/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fsync=volatile: nothing is written to the disk for durability's sake. A mark in the work
 * directory, there from the mount to a clean unmount, keeps an upper from being used again that a
 * crash may have left in pieces: work/incompat/volatile/dirty. overlayfs makes the same, and
 * leaves it there.
 */
#ifndef SHALE_UNION_VOLATILE_H
#define SHALE_UNION_VOLATILE_H

#include "stack/sb.h"

struct fs_context;

/**
 * shale_volatile_begin - leave the mark, on the disk, if the mount is to be volatile
 * Context: at mount, when the work directory is prepared; takes a token by itself.
 * Return: 0, or an errno with a message in @fc.
 */
int shale_volatile_begin(struct super_block *sb, struct fs_context *fc);

/* Takes the mark away when all is on the disk, or says in the kernel log why not. At the end. */
void shale_volatile_end(struct super_block *sb);

/**
 * shale_sync_wanted - is something to be synced that somebody asked to sync?
 * Return: 1; 0 on a volatile mount, as long as nothing has failed to be written to its upper's file
 * system; from then on that error, each time.
 */
int shale_sync_wanted(struct shale_sb *sbi);

#endif
