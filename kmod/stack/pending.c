// SPDX-License-Identifier: GPL-2.0
#include "stack/pending.h"

#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "stack/stack.h"

/* The stack, or NULL once a mount has taken it, is the file's private_data. */
static int pending_release(struct inode *inode, struct file *file)
{
	shale_stack_free(file->private_data);
	return 0;
}

static const struct file_operations pending_fops = {
	.owner		= THIS_MODULE,
	.release	= pending_release,
	.llseek		= noop_llseek,
};

struct file *shale_pending_file(struct shale_stack *stack)
{
	struct file *file = anon_inode_getfile("[shale-stack]", &pending_fops, stack, O_RDONLY);

	if (IS_ERR(file))
		shale_stack_free(stack);
	return file;
}

struct shale_stack *shale_pending_take(struct file *file)
{
	if (file->f_op != &pending_fops)
		return ERR_PTR(-EINVAL);

	/*
	 * The file was opened by whoever described the stack. The stack's own note of the user
	 * namespace can't be read before it is taken: another mount may be freeing it.
	 */
	if (file->f_cred->user_ns != current_user_ns())
		return ERR_PTR(-EPERM);

	return xchg(&file->private_data, NULL) ?: ERR_PTR(-EBUSY);
}
