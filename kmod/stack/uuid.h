/* SPDX-License-Identifier: GPL-2.0 */
/* The mount's own uuid, which statfs(2) shows as f_fsid: kept as a mark of the upper's root. */
#ifndef SHALE_STACK_UUID_H
#define SHALE_STACK_UUID_H

struct super_block;

/**
 * shale_uuid_open - give the superblock its uuid, as the option "uuid" says
 * @sb: its upper is prepared; without an upper nothing is done
 *
 * uuid=on takes the one of the mark, or makes one. So does uuid=auto for a new upper; one that has
 * been written to without a uuid stays without it, as its users know it by the number of its file
 * system. An upper that can't be marked makes it uuid=null, with a line in the kernel log.
 */
void shale_uuid_open(struct super_block *sb);

#endif
