/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate in front of the upper: whoever changes the upper is inside. It can be closed for a
 * while, so that a tool can read or clone the upper as it is at one moment.
 *
 * It lies between our locks and those of the upper (stack/inode.h): whoever waits for it may hold
 * locks of ours, so who is inside takes none. Closing it waits for those inside, but not for long,
 * since one of them may wait for something that waits for the gate: a page fault in a write, for
 * example, for a task that maps a file.
 */
#ifndef SHALE_STACK_GATE_H
#define SHALE_STACK_GATE_H

#include <linux/percpu-refcount.h>
#include <linux/types.h>

struct shale_gate;

/* An open gate with one reference, or NULL. */
struct shale_gate *shale_gate_create(void);
struct shale_gate *shale_gate_get(struct shale_gate *gate);
void shale_gate_put(struct shale_gate *gate);		/* sleeps; NULL is fine */

/* Open from now on, whoever keeps it closed. NULL is fine. */
void shale_gate_end(struct shale_gate *gate);

/* Enter, which may have to wait. Return: 0, or -EINTR when the task is being killed. */
int shale_gate_enter(struct shale_gate *gate);
/* Once more, by somebody inside; never waits. */
void shale_gate_enter_again(struct shale_gate *gate);
/* In any context. */
void shale_gate_leave(struct shale_gate *gate);
/* Out, and in again when it is open, if somebody wants it closed. Can't be killed. */
void shale_gate_step_aside(struct shale_gate *gate);
bool shale_gate_is_open(const struct shale_gate *gate);

/**
 * shale_gate_close - let nobody in, and wait until nobody is inside
 * @ms: open it again after this time, come what may
 * @hold: set to a number, never used twice, that opens it
 *
 * Return: 0; -EBUSY when it is closed already, or somebody stays inside for longer than
 * SHALE_GATE_PATIENCE; -EINTR; -ENOENT after shale_gate_end().
 */
int shale_gate_close(struct shale_gate *gate, unsigned int ms, u64 *hold);
#define SHALE_GATE_PATIENCE HZ

/* Does nothing if it was opened meanwhile. */
void shale_gate_open(struct shale_gate *gate, u64 hold);
/* Is it still closed by this one? */
bool shale_gate_is_held(const struct shale_gate *gate, u64 hold);

#endif
