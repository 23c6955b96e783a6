/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Security modules are asked about each xattr that a copy-up would copy: from 6.9 on with the
 * original, and they answer "leave it out" by -ECANCELED; before, by 1.
 */
#ifndef SHALE_COMPAT_SECURITY_H
#define SHALE_COMPAT_SECURITY_H

#include <linux/security.h>

#ifndef SHALE_HAS_COPY_UP_XATTR_OF

static inline int compat_security_inode_copy_up_xattr(struct dentry *original, const char *name)
{
	int ret = security_inode_copy_up_xattr(name);

	return ret == 1 ? -ECANCELED : ret;
}

#define security_inode_copy_up_xattr compat_security_inode_copy_up_xattr

#endif

#endif
