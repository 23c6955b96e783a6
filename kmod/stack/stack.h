/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stack: the ordered layers of one mount. It is filled while it is described (from mount
 * options or netlink) and immutable from the moment a superblock uses it.
 */
#ifndef SHALE_STACK_STACK_H
#define SHALE_STACK_STACK_H

#include <linux/cleanup.h>
#include <linux/path.h>

#include "stack/layer.h"

struct fs_context;
struct shale_upper;

struct shale_stack {
	u64 epoch;			/* number of this stack within its superblock, from 1 */
	struct user_namespace *user_ns;	/* of whoever described it; counted */
	struct shale_layer *upper;	/* NULL: read-only */
	struct shale_layer *work;	/* the work directory; NULL without upper */
	unsigned int nr_lower;		/* filled slots of lower */
	unsigned int nr_data;		/* the last of these: data-only, never asked for a name */
	unsigned int max_lower;		/* slots of lower */
	struct shale_layer **lower;	/* the top-most first */
};

/* An empty stack of the calling task's user namespace, or ERR_PTR(-ENOMEM). */
struct shale_stack *shale_stack_alloc(void);

/* Drops the layers and the stack. May sleep for a grace period. NULL and ERR_PTR are fine. */
void shale_stack_free(struct shale_stack *stack);
DEFINE_FREE(shale_stack, struct shale_stack *, shale_stack_free(_T))

/* One of the functions that give a stack one layer more. */
typedef int (*shale_add_layer_t)(struct shale_stack *stack, const struct path *path);

/**
 * shale_stack_add_lower - append a layer below those the stack has
 * Return: 0, or what shale_layer_create() says; -E2BIG beyond SHALE_MAX_LOWER layers; -EBADSLT
 * below data-only layers.
 */
int shale_stack_add_lower(struct shale_stack *stack, const struct path *path);

/* The same for a layer of data only, below all others; from then on only such can follow. */
int shale_stack_add_data(struct shale_stack *stack, const struct path *path);

/* How many layers the union is merged from, without the upper. */
static inline unsigned int shale_stack_nr_merged(const struct shale_stack *stack)
{
	return stack->nr_lower - stack->nr_data;
}

/* Does the union ignore the case of names? Its layers agree on that. */
static inline bool shale_stack_casefolded(const struct shale_stack *stack)
{
	return stack->nr_lower && shale_layer_casefolded(stack->lower[0]);
}

/* Forgets the lower layers described so far; or all layers. */
void shale_stack_clear_lower(struct shale_stack *stack);
void shale_stack_clear(struct shale_stack *stack);

/* Sets or replaces the upper; -EINVAL also where the path cannot hold an upper. */
int shale_stack_set_upper(struct shale_stack *stack, const struct path *path);

/* Sets or replaces the work directory. */
int shale_stack_set_work(struct shale_stack *stack, const struct path *path);

/**
 * shale_stack_check - is this stack mountable?
 * @stack: stack, completely described
 * @why: set to a static text for people when it is not
 * @which: set to the layer to blame, or the work directory; NULL when it is no one layer
 *
 * The checks that need no superblock: an upper has a work directory on the same mount, neither
 * inside the other, no layer is given twice or lies inside another, at least one lower exists, and
 * all treat the case of names alike.
 *
 * Return: 0, -EINVAL or -ELOOP.
 */
int shale_stack_check(const struct shale_stack *stack, const char **why,
		      const struct shale_layer **which);

#endif
