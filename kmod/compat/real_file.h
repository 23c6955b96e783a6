/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Opening files of the layers, and mapping them.
 *
 * Real files must not notify: our own file raised the event, and a permission listener asked once
 * more would stop us under locks. Until 6.13 __FMODE_NONOTIFY at open is enough. Then the mode of
 * a file is what counts, which must be set before it is opened; such a file is to be had as a
 * backing file (alloc_empty_backing_file(), exported from 6.19 on), opened by finish_open().
 *
 * /proc/PID/maps should show the path that the user knows. Until 6.4, open_with_fake_path() gave
 * that path to the real file, so that the way from the file to its dentry leads through our
 * ->d_real(). From 6.5 on backing_file_open() keeps both paths, with CONFIG_FS_STACK; it took the
 * user's path until stable kernels began, for security modules, to pass the user's open file.
 * Where there is neither, real files are ordinary ones, and the path shown is the one within
 * the layer.
 */
#ifndef SHALE_COMPAT_REAL_FILE_H
#define SHALE_COMPAT_REAL_FILE_H

#include <linux/fs.h>
#include <linux/mm.h>

/**
 * shale_real_file_open - open a regular file of a layer for one of our open files
 * @user: our file, or any file where there is none
 * Context: as the mounter.
 */
struct file *shale_real_file_open(const struct file *user, int flags, const struct path *real);

/*
 * The same for nobody in particular: directories, and what is copied up. The mounter must be
 * allowed to; of a file that somebody opens, the caller has asked.
 */
struct file *shale_real_open(const struct path *real, int flags);

/* An unnamed file in a directory of the upper. As the mounter; -EOPNOTSUPP where there are none. */
struct file *shale_real_tmpfile(const struct path *dir, umode_t mode, int flags);

/* Maps @real where our file @user was to be mapped. As the mounter. */
int shale_real_file_mmap(struct file *user, struct file *real, struct vm_area_struct *vma);

/* Reads of layers leave no trace there, as far as the mounter may read without one. */
static inline int shale_noatime_flag(const struct path *real)
{
	return inode_owner_or_capable(mnt_idmap(real->mnt), d_inode(real->dentry)) ? O_NOATIME : 0;
}

/* A directory of a layer, to read its names. */
static inline struct file *shale_real_dir_open(const struct path *real)
{
	return shale_real_open(real, O_RDONLY | O_DIRECTORY | O_LARGEFILE |
				     shale_noatime_flag(real));
}

/**
 * shale_real_next_data - find data between holes
 * @from, @to: set to where the first data starts that lies between @pos and @end, and where it ends
 *
 * Where a file system can't tell, all is data. Return: whether there is some.
 */
static inline bool shale_real_next_data(struct file *real, loff_t pos, loff_t end, loff_t *from,
					loff_t *to)
{
	*from = vfs_llseek(real, pos, SEEK_DATA);
	if (*from == -ENXIO)
		return false;		/* a hole up to the end */
	if (*from < 0)
		*from = pos;
	if (*from >= end)
		return false;
	*to = vfs_llseek(real, *from, SEEK_HOLE);
	if (*to <= *from || *to > end)
		*to = end;
	return true;
}

/* Exported, but declared for the kernel's own file systems only. */
#ifndef __FMODE_NONOTIFY
struct file *alloc_empty_backing_file(int flags, const struct cred *cred, const struct file *user);
void backing_file_set_user_path(struct file *file, const struct path *path);
#endif

int shale_real_file_init(void);
void shale_real_file_exit(void);

#endif
