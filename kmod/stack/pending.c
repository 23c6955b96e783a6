// SPDX-License-Identifier: GPL-2.0
#include "stack/pending.h"

#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct shale_pending *shale_pending_alloc(void)
{
	struct shale_pending *pending = kzalloc(sizeof(*pending), GFP_KERNEL_ACCOUNT);
	struct shale_stack *stack;

	if (!pending)
		return ERR_PTR(-ENOMEM);
	stack = shale_stack_alloc();
	if (IS_ERR(stack)) {
		kfree(pending);
		return ERR_CAST(stack);
	}
	pending->stack = stack;
	INIT_LIST_HEAD(&pending->named);
	shale_features_init(&pending->options.features);
	return pending;
}

void shale_pending_free(struct shale_pending *pending)
{
	struct shale_named_layer *layer, *next;

	if (IS_ERR_OR_NULL(pending))
		return;
	list_for_each_entry_safe(layer, next, &pending->named, link)
		kfree(layer);
	shale_stack_free(pending->stack);
	kfree(pending);
}

int shale_pending_name(struct shale_pending *pending, const char *role, shale_add_layer_t add,
		       const char *path, size_t length)
{
	struct shale_named_layer *layer;

	layer = kmalloc(struct_size(layer, path, length + 1), GFP_KERNEL_ACCOUNT);
	if (!layer)
		return -ENOMEM;
	layer->role = role;
	layer->add = add;
	memcpy(layer->path, path, length);
	layer->path[length] = '\0';
	list_add_tail(&layer->link, &pending->named);
	return 0;
}

/* What is pending, or NULL once a mount has taken it, is the file's private_data. */
static int pending_release(struct inode *inode, struct file *file)
{
	shale_pending_free(file->private_data);
	return 0;
}

static const struct file_operations pending_fops = {
	.owner		= THIS_MODULE,
	.release	= pending_release,
	.llseek		= noop_llseek,
};

struct file *shale_pending_file(struct shale_pending *pending)
{
	struct file *file = anon_inode_getfile("[shale-stack]", &pending_fops, pending, O_RDONLY);

	if (IS_ERR(file))
		shale_pending_free(pending);
	return file;
}

struct shale_pending *shale_pending_take(struct file *file)
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

void shale_pending_give_back(struct file *file, struct shale_pending *pending)
{
	xchg(&file->private_data, pending);
}
