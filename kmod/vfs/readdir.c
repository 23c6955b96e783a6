// SPDX-License-Identifier: GPL-2.0
/* Open directories. All parts together show the names that union/names.c merges. */
#include <linux/compat.h>
#include <linux/fs.h>

#include "stack/entry.h"
#include "stack/inode.h"
#include "union/names.h"
#include "vfs/operations.h"

/*
 * file->private_data of our directories is the names that are being read, counted: none before
 * the first reading. Names are exchanged for newer ones only at the start, so that one
 * pass shows one state. The position's lock keeps readers of one open directory apart.
 */

/* What 32-bit callers see of a position must fit into their long. */
static bool is_narrow(const struct file *file)
{
	if (file->f_mode & FMODE_32BITHASH)
		return true;
	if (file->f_mode & FMODE_64BITHASH)
		return false;
	return BITS_PER_LONG == 32 || in_compat_syscall();
}

static struct shale_names *names_to_read(struct file *file, bool start)
{
	struct inode *dir = file_inode(file);
	struct shale_names *names = file->private_data;

	if (names && !(start && !shale_names_current(names, dir)))
		return names;

	names = shale_names_get(dir);
	if (!IS_ERR(names)) {
		shale_names_put(file->private_data);
		file->private_data = names;
	}
	return names;
}

static int shale_iterate(struct file *file, struct dir_context *ctx)
{
	struct shale_names *names = names_to_read(file, !ctx->pos);

	if (IS_ERR(names))
		return PTR_ERR(names);
	if (dir_emit_dots(file, ctx))
		shale_names_emit(names, file_dentry(file), ctx, is_narrow(file));
	return 0;
}

static loff_t shale_dir_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_file_llseek_size(file, offset, whence, S64_MAX,
					shale_names_end(is_narrow(file)));
}

static int shale_dir_release(struct inode *inode, struct file *file)
{
	shale_names_put(file->private_data);
	return 0;
}

static int shale_dir_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return shale_sync_object(file_inode(file));
}

const struct file_operations shale_dir_fops = {
	.owner		= THIS_MODULE,
	.read		= generic_read_dir,
	.iterate_shared	= shale_iterate,
	.llseek		= shale_dir_llseek,
	.release	= shale_dir_release,
	.fsync		= shale_dir_fsync,
	.setlease	= generic_setlease,
};
