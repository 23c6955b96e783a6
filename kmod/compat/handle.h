/* SPDX-License-Identifier: GPL-2.0 */
/* File handles, for kernels that were built without them: there, no file system has any. */
#ifndef SHALE_COMPAT_HANDLE_H
#define SHALE_COMPAT_HANDLE_H

#include <linux/exportfs.h>
#include <linux/kconfig.h>

/* Handles that can't be decoded, for fanotify alone, came with 6.6. */
#ifdef EXPORT_FH_FID
#define COMPAT_HAS_FIDS IS_ENABLED(CONFIG_EXPORTFS)
#else
#define COMPAT_HAS_FIDS 0
#endif

#if !IS_ENABLED(CONFIG_EXPORTFS)

static inline int compat_exportfs_encode_fh(struct dentry *dentry, struct fid *fid, int *max_len,
					    int flags)
{
	return FILEID_INVALID;
}

static inline struct dentry *compat_exportfs_decode_fh(struct vfsmount *mnt, struct fid *fid,
						       int fh_len, int fileid_type,
						       int (*acceptable)(void *, struct dentry *),
						       void *context)
{
	return ERR_PTR(-ESTALE);
}

#define exportfs_encode_fh compat_exportfs_encode_fh
#define exportfs_decode_fh compat_exportfs_decode_fh

#endif

#endif
