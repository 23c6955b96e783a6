/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "As the mounter": layers are read and written with the credentials of whoever made the
 * mount; what the calling task may do was checked before, on our own inode.
 */
#ifndef SHALE_STACK_CREDS_H
#define SHALE_STACK_CREDS_H

#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/fs.h>

#include "stack/sb.h"

/* CLASS(shale_mounter, cred)(sb): the rest of the scope runs as the mounter; cred is the caller. */
DEFINE_CLASS(shale_mounter, const struct cred *, revert_creds(_T),
	     override_creds(shale_sb(sb)->mounter), struct super_block *sb)

#endif
