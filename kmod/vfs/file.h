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

/**
 * shale_file_remove_privs - take set-id bits and capabilities off a file that is about to change
 *
 * By the rights of the caller: to the real file the writer is the mounter, who may keep them.
 * Context: i_rwsem of our inode held, not as the mounter.
 */
int shale_file_remove_privs(struct file *file, const struct file *real);

/*
 * Around a change that may take long, or wait for someone else's data, so that it must not
 * hold our inode's lock meanwhile: others could neither write nor change attributes. It removes
 * privileges before and after; nobody runs the program while it is open for writing.
 */
int shale_file_change_begin(struct file *file, const struct file *real);
void shale_file_change_end(struct file *file, const struct file *real);

/* file_range.c */
long shale_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
int shale_fadvise(struct file *file, loff_t offset, loff_t len, int advice);
ssize_t shale_copy_file_range(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			      size_t len, unsigned int flags);
loff_t shale_remap_file_range(struct file *in, loff_t in_pos, struct file *file, loff_t pos,
			      loff_t len, unsigned int flags);

#endif
