/* SPDX-License-Identifier: GPL-2.0 */
/* 6.9: a uuid that is shorter than its field; FS_IOC_GETFSUUID(2) tells it. */
#ifndef SHALE_COMPAT_UUID_H
#define SHALE_COMPAT_UUID_H

#include <linux/fs.h>

#ifndef SHALE_HAS_SUPER_SET_UUID
static inline void super_set_uuid(struct super_block *sb, const u8 *uuid, unsigned int len)
{
	memcpy(&sb->s_uuid, uuid, len);
}
#endif

#endif
