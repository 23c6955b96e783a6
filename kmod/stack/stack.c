// SPDX-License-Identifier: GPL-2.0
#include "stack/stack.h"

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/shale.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

struct shale_stack *shale_stack_alloc(void)
{
	struct shale_stack *stack = kzalloc(sizeof(*stack), GFP_KERNEL_ACCOUNT);

	if (!stack)
		return ERR_PTR(-ENOMEM);
	stack->epoch = 1;
	stack->user_ns = get_user_ns(current_user_ns());
	return stack;
}

/*
 * Drops several layers. Each last reference ends a private mount, which takes a grace period
 * of its own unless they end together. The layers' memory outlives it: RCU-walk may still be
 * looking at them.
 */
static void put_layers(struct shale_layer **layers, unsigned int nr)
{
	struct vfsmount **mounts = kvmalloc_array(nr, sizeof(*mounts), GFP_KERNEL);
	unsigned int i, gone = 0;

	for (i = 0; i < nr; i++) {
		if (!mounts) {
			shale_layer_put(layers[i]);
		} else if (refcount_dec_and_test(&layers[i]->ref)) {
			mounts[gone] = layers[i]->mnt;
			layers[gone++] = layers[i];
		}
	}
	if (!mounts)
		return;
	kern_unmount_array(mounts, gone);
	for (i = 0; i < gone; i++)
		shale_layer_free(layers[i]);
	kvfree(mounts);
}

void shale_stack_clear_lower(struct shale_stack *stack)
{
	if (stack->nr_lower)
		put_layers(stack->lower, stack->nr_lower);
	kvfree(stack->lower);
	stack->lower = NULL;
	stack->nr_lower = 0;
	stack->nr_data = 0;
	stack->max_lower = 0;
}

void shale_stack_clear(struct shale_stack *stack)
{
	shale_stack_clear_lower(stack);
	if (stack->work)
		shale_layer_put(stack->work);
	if (stack->upper)
		shale_layer_put(stack->upper);
	stack->work = NULL;
	stack->upper = NULL;
}

void shale_stack_free(struct shale_stack *stack)
{
	if (IS_ERR_OR_NULL(stack))
		return;
	shale_stack_clear(stack);
	put_user_ns(stack->user_ns);
	kfree(stack);
}

/* Makes room for one more lower layer, growing by doubling. */
static int stack_reserve(struct shale_stack *stack)
{
	unsigned int max = stack->max_lower ? 2 * stack->max_lower : 8;
	struct shale_layer **lower;

	if (stack->nr_lower < stack->max_lower)
		return 0;
	if (stack->nr_lower >= SHALE_MAX_LOWER)
		return -E2BIG;

	lower = kvcalloc(max, sizeof(*lower), GFP_KERNEL_ACCOUNT);
	if (!lower)
		return -ENOMEM;
	if (stack->nr_lower)
		memcpy(lower, stack->lower, stack->nr_lower * sizeof(*lower));
	kvfree(stack->lower);
	stack->lower = lower;
	stack->max_lower = max;
	return 0;
}

static int add_lower(struct shale_stack *stack, const struct path *path)
{
	struct shale_layer *layer;
	int err = stack_reserve(stack);

	if (err)
		return err;

	layer = shale_layer_create(path, SHALE_LAYER_LOWER);
	if (IS_ERR(layer))
		return PTR_ERR(layer);
	stack->lower[stack->nr_lower++] = layer;
	return 0;
}

int shale_stack_add_lower(struct shale_stack *stack, const struct path *path)
{
	return stack->nr_data ? -EBADSLT : add_lower(stack, path);
}

int shale_stack_add_data(struct shale_stack *stack, const struct path *path)
{
	int err = add_lower(stack, path);

	if (!err)
		stack->nr_data++;
	return err;
}

/* A stacking file system can't hold an upper: a copy-up there would copy up below it again. */
static bool can_hold_upper(const struct path *path)
{
	return !(path->dentry->d_flags & DCACHE_OP_REAL);
}

static int set_writable(struct shale_layer **slot, const struct path *path)
{
	struct shale_layer *layer;

	if (!can_hold_upper(path))
		return -EINVAL;

	layer = shale_layer_create(path, SHALE_LAYER_UPPER);
	if (IS_ERR(layer))
		return PTR_ERR(layer);
	if (*slot)
		shale_layer_put(*slot);
	*slot = layer;
	return 0;
}

int shale_stack_set_upper(struct shale_stack *stack, const struct path *path)
{
	return set_writable(&stack->upper, path);
}

int shale_stack_set_work(struct shale_stack *stack, const struct path *path)
{
	return set_writable(&stack->work, path);
}

/* Upper and work: on one file system, and apart. */
static const char *check_writable(const struct shale_stack *stack, const struct shale_layer **which)
{
	struct dentry *upper, *work;

	if (!stack->upper && !stack->work)
		return NULL;
	*which = stack->work ?: stack->upper;
	if (!stack->upper)
		return "a work directory needs an upper";
	if (!stack->work)
		return "an upper needs a work directory";

	if (__mnt_is_readonly(stack->upper->mnt)) {
		*which = stack->upper;
		return "upper lies on a read-only mount or file system";
	}

	upper = stack->upper->mnt->mnt_root;
	work = stack->work->mnt->mnt_root;
	if (upper->d_sb != work->d_sb)
		return "upper and work directory must lie on the same file system";
	if (stack->upper->given != stack->work->given)
		return "upper and work directory must lie on the same mount";
	if (is_subdir(upper, work) || is_subdir(work, upper))
		return "upper and work directory must not lie inside one another";
	*which = NULL;
	return NULL;
}

/* The roots of a stack, hashed, so that thousands of layers are compared in linear time. */
struct root {
	struct hlist_node node;
	struct dentry *dentry;
};

struct roots {
	DECLARE_HASHTABLE(table, 10);
	unsigned int nr;
	struct root root[];
};

static bool roots_have(struct roots *roots, struct dentry *dentry)
{
	struct root *root;

	hash_for_each_possible(roots->table, root, node, (unsigned long)dentry) {
		if (root->dentry == dentry)
			return true;
	}
	return false;
}

static bool roots_add(struct roots *roots, const struct shale_layer *layer)
{
	struct root *root = &roots->root[roots->nr++];

	root->dentry = layer->mnt->mnt_root;
	if (roots_have(roots, root->dentry))
		return false;
	hash_add(roots->table, &root->node, (unsigned long)root->dentry);
	return true;
}

/*
 * Does any directory above the root of @layer hold another layer? Directories may move
 * meanwhile, which the traps at the layers' roots catch later (shale_inode_trap()).
 */
static bool roots_have_above(struct roots *roots, const struct shale_layer *layer)
{
	struct dentry *dentry = dget(layer->mnt->mnt_root);
	bool found = false;

	while (!found && !IS_ROOT(dentry)) {
		struct dentry *parent = dget_parent(dentry);

		dput(dentry);
		dentry = parent;
		found = roots_have(roots, dentry);
	}
	dput(dentry);
	return found;
}

/* The @i-th of all layers, upper and work directory first; NULL where there is none. */
static struct shale_layer *any_layer(const struct shale_stack *stack, unsigned int i)
{
	if (i < 2)
		return i ? stack->work : stack->upper;
	return stack->lower[i - 2];
}

static int check_overlap(const struct shale_stack *stack, const char **why,
			 const struct shale_layer **which)
{
	struct roots *roots __free(kvfree) = NULL;
	unsigned int i, nr = stack->nr_lower + 2;

	roots = kvzalloc(struct_size(roots, root, nr), GFP_KERNEL);
	if (!roots)
		return -ENOMEM;
	hash_init(roots->table);

	*why = "the same directory is given twice";
	for (i = 0; i < nr; i++) {
		*which = any_layer(stack, i);
		if (*which && !roots_add(roots, *which))
			return -ELOOP;
	}

	*why = "one layer or work directory lies inside another";
	for (i = 0; i < nr; i++) {
		*which = any_layer(stack, i);
		if (*which && roots_have_above(roots, *which))
			return -ELOOP;
	}
	return 0;
}

/* Names that are equal in one layer must be so in all. */
static const char *check_case(const struct shale_stack *stack, const struct shale_layer **which)
{
	const bool casefolded = shale_stack_casefolded(stack);
	const struct super_block *first = shale_layer_sb(stack->lower[0]);
	unsigned int i;

	*which = stack->lower[0];
	if (casefolded && shale_sb_is_strict(first))
		return "a file system that refuses names which are no text can't be stacked";
	for (i = 0; i < stack->nr_lower + 2; i++) {
		*which = any_layer(stack, i);
		if (!*which)
			continue;
		if (casefolded && !shale_layer_casefolded(*which))
			return "minds the case of names, and other layers do not";
		if (!casefolded && shale_layer_casefolded(*which))
			return "ignores the case of names, and other layers do not";
		if (casefolded && !sb_same_encoding(shale_layer_sb(*which), first))
			return "ignores the case of names in another way than other layers";
	}
	*which = NULL;
	return NULL;
}

int shale_stack_check(const struct shale_stack *stack, const char **why,
		      const struct shale_layer **which)
{
	*which = NULL;
	*why = check_writable(stack, which);
	if (*why)
		return -EINVAL;
	if (!shale_stack_nr_merged(stack)) {
		*why = stack->nr_data ? "data-only layers need a lower layer above them"
				      : "at least one lower layer is needed";
		return -EINVAL;
	}
	*why = check_case(stack, which);
	return *why ? -EINVAL : check_overlap(stack, why, which);
}
