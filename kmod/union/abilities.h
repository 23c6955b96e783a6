/* SPDX-License-Identifier: GPL-2.0 */
/* What the file systems below can do, and what that they can't costs. */
#ifndef SHALE_UNION_ABILITIES_H
#define SHALE_UNION_ABILITIES_H

#include <linux/fs_context.h>

#include "stack/sb.h"
#include "stack/upper.h"

/**
 * shale_upper_probe - find out what an upper can do, with a fresh work directory
 *
 * By trying: file systems do not say. What it lacks is named in the kernel log, and features that
 * can't do without are switched off. A remote one must have all that names are made of: what is
 * wrong there would show late, and to others.
 * Return: 0; -EINVAL with a message in @fc; or that there is no memory.
 */
int shale_upper_probe(const struct shale_token *tok, struct shale_sb *sbi, struct fs_context *fc);

/* Names in the kernel log what the file systems of the lower layers lack: a line for each. */
void shale_lowers_report(const struct shale_sb *sbi);

#endif
