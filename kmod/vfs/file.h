/* SPDX-License-Identifier: GPL-2.0 */
/* From our open regular files to the real ones; what file.c and file_range.c share. */
#ifndef SHALE_VFS_FILE_H
#define SHALE_VFS_FILE_H

#include <linux/fs.h>

/**
 * shale_file_real - the real file that an open file of ours stands on now
 * @file: one of our open regular files
 *
 * The only way from the one to the other. A file that was opened for reading before its
 * copy-up stands on the upper afterwards.
 *
 * Return: the real file, which lives as long as @file and has its status flags, or ERR_PTR:
 * what opening it in the upper says; -EINVAL when it can't take the flags.
 */
struct file *shale_file_real(struct file *file);

/* Does the real file lie in the upper? Always when it is open for writing. */
bool shale_file_in_upper(const struct file *file, const struct file *real);

/*
 * Around each change of a file's content. They take set-id bits and capabilities off, by the
 * rights of the caller: before and once more after, under our inode's lock, but not during the
 * change, so that others may write and change attributes meanwhile. What the owner gives then the
 * upper itself takes off (shale_upper_begin_io()); these two do where it does not.
 *
 * Context: not as the mounter.
 * Return: 0, what the removal says, or -EAGAIN when it had to wait and @nowait is set.
 */
int shale_file_change_begin(struct file *file, const struct file *real, bool nowait);
void shale_file_change_end(struct file *file, const struct file *real);

/*
 * A write has come back, with @ret. If it was to be on disk, because of @dsync or of the mount,
 * what leads to it is now, too. Sleeps.
 * Context: not as the mounter. Return: @ret, or why it is not.
 */
ssize_t shale_file_written(struct file *file, struct file *real, bool dsync, ssize_t ret);

/* file_range.c */
long shale_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
int shale_fadvise(struct file *file, loff_t offset, loff_t len, int advice);
ssize_t shale_copy_file_range(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			      size_t len, unsigned int flags);
loff_t shale_remap_file_range(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			      loff_t len, unsigned int flags);

#endif
