/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pending stack: described over netlink, not mounted yet. It lives as long as its
 * descriptor, an anonymous inode; a mount takes the stack out of it, once.
 */
#ifndef SHALE_STACK_PENDING_H
#define SHALE_STACK_PENDING_H

struct file;
struct shale_stack;

/* A file that owns @stack, or ERR_PTR. The stack is taken over in any case. */
struct file *shale_pending_file(struct shale_stack *stack);

/**
 * shale_pending_take - take the stack out of a pending stack's file
 * Return: the stack, now the caller's; ERR_PTR(-EINVAL) when @file is something else;
 * ERR_PTR(-EBUSY) when a mount has taken it before; ERR_PTR(-EPERM) when it was described in
 * another user namespace than the caller's.
 */
struct shale_stack *shale_pending_take(struct file *file);

#endif
