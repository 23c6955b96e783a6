/* SPDX-License-Identifier: GPL-2.0 */
/* What the upper holds, counted by looking at all of it. */
#ifndef SHALE_UNION_USAGE_H
#define SHALE_UNION_USAGE_H

struct fs_context;
struct super_block;

/**
 * shale_usage_count - count what the upper holds, for its quota to begin with
 * Context: at mount, before anybody changes the upper; takes a token by itself. Takes as long as
 * looking at every object of the upper takes; killable.
 * Return: 0, -ENOMEM, -EINTR, or what the upper says, with a message in @fc.
 */
int shale_usage_count(struct super_block *sb, struct fs_context *fc);

#endif
