/* SPDX-License-Identifier: GPL-2.0 */
/* 6.6: the digest of fs-verity is there for modules. */
#ifndef SHALE_COMPAT_VERITY_H
#define SHALE_COMPAT_VERITY_H

#include <linux/fsverity.h>

#if defined(SHALE_HAS_FSVERITY_GET_DIGEST) && defined(CONFIG_FS_VERITY)
#define SHALE_VERITY_SUPPORTED 1

static inline int shale_fsverity_digest(struct inode *inode, u8 *digest, u8 *algorithm)
{
	return fsverity_get_digest(inode, digest, algorithm, NULL);
}
#else
#define SHALE_VERITY_SUPPORTED 0

static inline int shale_fsverity_digest(struct inode *inode, u8 *digest, u8 *algorithm)
{
	return 0;
}
#endif

#endif
