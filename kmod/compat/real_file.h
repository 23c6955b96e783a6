/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Opening a file of a layer for one of our open files, and mapping it.
 *
 * The API's history: open_with_fake_path() gave the real file our path until 6.4. From 6.5 it
 * is backing_file_open(), which keeps both paths, so that /proc/PID/maps shows the one the
 * user knows; it took the user's path until stable kernels began, for security modules, to
 * pass the user's open file. It exists only with CONFIG_FS_STACK. Without that the real file
 * is an ordinary one and maps shows the layer's path.
 *
 * Real files must not notify: our own file raised the event, and a permission listener
 * asked once more would stop us under locks. Until 6.13 __FMODE_NONOTIFY at open is enough.
 */
#ifndef SHALE_COMPAT_REAL_FILE_H
#define SHALE_COMPAT_REAL_FILE_H

#include <linux/backing-file.h>
#include <linux/fs.h>
#include <linux/mm.h>

/* Reads of layers leave no trace there, as far as the mounter may read without one. */
static inline int shale_noatime_flag(const struct path *real)
{
	return inode_owner_or_capable(mnt_idmap(real->mnt), d_inode(real->dentry)) ? O_NOATIME : 0;
}

#if IS_ENABLED(CONFIG_FS_STACK)

/* Is the user, to backing_file_open(), an open file? Else it is the path of one. */
#define SHALE_BACKING_TAKES_FILE						\
	__builtin_types_compatible_p(typeof(backing_file_open),			\
		struct file *(const struct file *, int, const struct path *,	\
			      const struct cred *))

static inline struct file *shale_real_file_open(const struct file *user, int flags,
						const struct path *real)
{
	return backing_file_open(__builtin_choose_expr(SHALE_BACKING_TAKES_FILE, user,
						       &user->f_path),
				 flags | __FMODE_NONOTIFY, real, current_cred());
}

/* By way of the kernel's helper, because security modules want to know both files. */
static inline int shale_real_file_mmap(struct file *user, struct file *real,
				       struct vm_area_struct *vma)
{
	struct backing_file_ctx ctx = {
		.cred = current_cred(),
		.user_file = user,
	};

	return backing_file_mmap(real, vma, &ctx);
}

#else

static inline struct file *shale_real_file_open(const struct file *user, int flags,
						const struct path *real)
{
	return dentry_open(real, flags | __FMODE_NONOTIFY, current_cred());
}

static inline int shale_real_file_mmap(struct file *user, struct file *real,
				       struct vm_area_struct *vma)
{
	vma_set_file(vma, real);
	return call_mmap(real, vma);
}

#endif

/* A directory of a layer, to read its names; it has no user. */
static inline struct file *shale_real_dir_open(const struct path *real)
{
	return dentry_open(real, O_RDONLY | O_DIRECTORY | O_LARGEFILE | __FMODE_NONOTIFY |
			   shale_noatime_flag(real), current_cred());
}

#endif
