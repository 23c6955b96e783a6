/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inodes: state, times, attributes.
 *
 * i_state has accessors from 6.19 on, i_atime and i_mtime from 6.7 (i_ctime from 6.6, and older
 * stable kernels). ->update_time() was told the times as S_ATIME and others, until 6.5 with
 * the time to set; from 7.0 it is told an enum and, as IOCB_NOWAIT, whether it may block.
 * struct fileattr is struct file_kattr from 6.17, generic_delete_inode() is inode_just_drop()
 * from 6.19. ATTR_DELEG came with 6.12.
 */
#ifndef SHALE_COMPAT_INODE_H
#define SHALE_COMPAT_INODE_H

#include <linux/fs.h>
#include <linux/fileattr.h>

#ifndef SHALE_HAS_INODE_STATE_ACCESSORS

static inline unsigned long inode_state_read(const struct inode *inode)
{
	return inode->i_state;
}

static inline unsigned long inode_state_read_once(const struct inode *inode)
{
	return READ_ONCE(inode->i_state);
}

static inline void inode_state_set(struct inode *inode, unsigned long flags)
{
	inode->i_state |= flags;
}

static inline void inode_state_clear(struct inode *inode, unsigned long flags)
{
	inode->i_state &= ~flags;
}

#endif

#ifndef SHALE_HAS_INODE_TIME_ACCESSORS

static inline struct timespec64 inode_get_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 inode_get_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline void inode_set_atime_to_ts(struct inode *inode, struct timespec64 ts)
{
	inode->i_atime = ts;
}

static inline void inode_set_mtime_to_ts(struct inode *inode, struct timespec64 ts)
{
	inode->i_mtime = ts;
}

#endif

#ifndef ATTR_DELEG
#define ATTR_DELEG 0
#endif

#ifndef SHALE_HAS_INODE_JUST_DROP_NAME
#define inode_just_drop generic_delete_inode
#endif

#ifndef SHALE_HAS_FILE_KATTR_NAME
#define file_kattr fileattr
#endif

/*
 * SHALE_ADAPT_UPDATE_TIME(f) before a table, SHALE_OP_UPDATE_TIME(f) in it: f is an ->update_time()
 * of the newest kind.
 */
#if defined(SHALE_HAS_UPDATE_TIME_TYPE)

#define SHALE_ADAPT_UPDATE_TIME(f)
#define SHALE_OP_UPDATE_TIME(f) f

#else

enum fs_update_time {
	FS_UPD_ATIME,
	FS_UPD_CMTIME,
};

#ifdef SHALE_HAS_UPDATE_TIME_FLAGS
#define COMPAT_UPDATE_TIME_ARGS struct inode *inode, int times
#else
#define COMPAT_UPDATE_TIME_ARGS struct inode *inode, struct timespec64 *now, int times
#endif

#define SHALE_ADAPT_UPDATE_TIME(f)						\
static int compat_##f(COMPAT_UPDATE_TIME_ARGS)					\
{										\
	return f(inode, times & S_ATIME ? FS_UPD_ATIME : FS_UPD_CMTIME, 0);	\
}

#define SHALE_OP_UPDATE_TIME(f) compat_##f

#endif

#endif
