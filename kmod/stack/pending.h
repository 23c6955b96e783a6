/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pending stack: described over netlink, not mounted yet. It lives as long as its
 * descriptor, an anonymous inode; a mount takes the stack out of it, once.
 */
#ifndef SHALE_STACK_PENDING_H
#define SHALE_STACK_PENDING_H

#include <linux/list.h>

#include "stack/options.h"
#include "stack/stack.h"

struct file;

struct shale_pending {
	struct shale_stack *stack;	/* never NULL; empty where layers are named by paths */
	struct list_head named;		/* of struct shale_named_layer, in order */
	unsigned int nr_named_lower;	/* in there; counted by whoever adds */
	struct shale_options options;
};

/* A layer that was given as a path: who mounts looks it up. */
struct shale_named_layer {
	struct list_head link;
	const char *role;		/* for messages; static */
	shale_add_layer_t add;
	char path[];
};

/* One without layers, of the calling task's user namespace, or ERR_PTR(-ENOMEM). */
struct shale_pending *shale_pending_alloc(void);

/* Drops what it holds, too. NULL and ERR_PTR are fine. */
void shale_pending_free(struct shale_pending *pending);
DEFINE_FREE(shale_pending, struct shale_pending *, shale_pending_free(_T))

/* Notes a layer, below those noted before. @path has no nul at its end. */
int shale_pending_name(struct shale_pending *pending, const char *role, shale_add_layer_t add,
		       const char *path, size_t length);

/* A file that owns @pending, or ERR_PTR. It is taken over in any case. */
struct file *shale_pending_file(struct shale_pending *pending);

/**
 * shale_pending_take - take what was described out of a pending stack's file
 * Return: it, now the caller's; ERR_PTR(-EINVAL) when @file is something else; ERR_PTR(-EBUSY) when
 * a mount has taken it before, or is about to; ERR_PTR(-EPERM) when it was described in another
 * user namespace than the caller's.
 */
struct shale_pending *shale_pending_take(struct file *file);

/* Undoes that, for another mount to try. The caller has had the file open all the time. */
void shale_pending_give_back(struct file *file, struct shale_pending *pending);

#endif
