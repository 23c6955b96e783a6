// SPDX-License-Identifier: GPL-2.0
#include "stack/gate.h"

#include <linux/cleanup.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/* Closed is when the references of those inside are killed: then no more are given out. */
struct shale_gate {
	refcount_t ref;
	struct percpu_ref inside;
	wait_queue_head_t moved;	/* it was opened, or nobody is inside any more */
	struct mutex lock;		/* orders closing and opening; the outermost here */
	u64 hold;			/* who keeps it closed; 0: it is open, or being closed */
	u64 last_hold;
	atomic_t waiting;		/* to come in */
	bool was_closed;		/* or it was tried */
	bool ended;
	unsigned long until;		/* jiffies; when it is to be opened */
	struct delayed_work timeout;
};

static void nobody_inside(struct percpu_ref *ref)
{
	wake_up_all(&container_of(ref, struct shale_gate, inside)->moved);
}

static void open_locked(struct shale_gate *gate)
{
	WRITE_ONCE(gate->hold, 0);
	percpu_ref_resurrect(&gate->inside);
	wake_up_all(&gate->moved);
}

/* Another hold may have come meanwhile, and has a time of its own. */
static void time_is_over(struct work_struct *work)
{
	struct shale_gate *gate = container_of(work, struct shale_gate, timeout.work);

	guard(mutex)(&gate->lock);
	if (gate->hold && time_after_eq(jiffies, gate->until))
		open_locked(gate);
}

struct shale_gate *shale_gate_create(void)
{
	struct shale_gate *gate = kzalloc(sizeof(*gate), GFP_KERNEL_ACCOUNT);

	if (!gate)
		return NULL;
	if (percpu_ref_init(&gate->inside, nobody_inside, PERCPU_REF_ALLOW_REINIT, GFP_KERNEL)) {
		kfree(gate);
		return NULL;
	}
	refcount_set(&gate->ref, 1);
	init_waitqueue_head(&gate->moved);
	mutex_init(&gate->lock);
	INIT_DELAYED_WORK(&gate->timeout, time_is_over);
	return gate;
}

struct shale_gate *shale_gate_get(struct shale_gate *gate)
{
	refcount_inc(&gate->ref);
	return gate;
}

void shale_gate_put(struct shale_gate *gate)
{
	if (!gate || !refcount_dec_and_test(&gate->ref))
		return;
	cancel_delayed_work_sync(&gate->timeout);
	/* What closing has begun may have told us that it is done, and not be back yet. */
	if (gate->was_closed)
		rcu_barrier();
	percpu_ref_exit(&gate->inside);
	kfree(gate);
}

void shale_gate_end(struct shale_gate *gate)
{
	if (!gate)
		return;
	WRITE_ONCE(gate->ended, true);
	wake_up_all(&gate->moved);	/* whoever is closing it holds the lock */

	guard(mutex)(&gate->lock);
	if (gate->hold)
		open_locked(gate);
}

/* Whoever wants to close it waits for the last one. */
static void waited(struct shale_gate *gate)
{
	if (atomic_dec_and_test(&gate->waiting))
		wake_up_all(&gate->moved);
}

int shale_gate_enter(struct shale_gate *gate)
{
	int err;

	if (likely(shale_gate_try(gate)))
		return 0;
	atomic_inc(&gate->waiting);
	err = wait_event_killable(gate->moved, shale_gate_try(gate));
	waited(gate);
	return err ? -EINTR : 0;
}

void shale_gate_enter_for_sure(struct shale_gate *gate)
{
	if (likely(shale_gate_try(gate)))
		return;
	atomic_inc(&gate->waiting);
	wait_event(gate->moved, shale_gate_try(gate));
	waited(gate);
}

bool shale_gate_try(struct shale_gate *gate)
{
	return percpu_ref_tryget_live(&gate->inside);
}

void shale_gate_enter_again(struct shale_gate *gate)
{
	percpu_ref_get(&gate->inside);
}

void shale_gate_leave(struct shale_gate *gate)
{
	percpu_ref_put(&gate->inside);
}

int shale_gate_step_aside(struct shale_gate *gate)
{
	if (likely(shale_gate_is_open(gate)))
		return 0;
	shale_gate_leave(gate);
	return shale_gate_enter(gate);
}

bool shale_gate_is_open(const struct shale_gate *gate)
{
	/* Only reads, though it is not said to. */
	return !percpu_ref_is_dying((struct percpu_ref *)&gate->inside);
}

static bool nobody_waits(struct shale_gate *gate)
{
	return !atomic_read(&gate->waiting);
}

static bool is_empty(struct shale_gate *gate)
{
	return percpu_ref_is_zero(&gate->inside);
}

/* Waits until @holds, or the gate has ended. Return: 0, -EBUSY or -EINTR. */
static int wait_until(bool (*holds)(struct shale_gate *gate), struct shale_gate *gate)
{
	long left = wait_event_interruptible_timeout(gate->moved,
						     holds(gate) || READ_ONCE(gate->ended),
						     SHALE_GATE_PATIENCE);

	if (left < 0)
		return -EINTR;
	return left ? 0 : -EBUSY;
}

/* Under the lock. Return: 0, and nobody is inside, nor comes in; or why not. */
static int close_locked(struct shale_gate *gate)
{
	int err = gate->hold ? -EBUSY : wait_until(nobody_waits, gate);

	if (err)
		return err;
	gate->was_closed = true;
	percpu_ref_kill(&gate->inside);
	err = wait_until(is_empty, gate);
	if (!err && READ_ONCE(gate->ended))
		err = -ENOENT;
	if (err)
		open_locked(gate);
	return err;
}

int shale_gate_close(struct shale_gate *gate, unsigned int ms, u64 *hold)
{
	int err;

	if (!mutex_trylock(&gate->lock))
		return -EBUSY;
	err = close_locked(gate);
	if (!err) {
		*hold = ++gate->last_hold;
		WRITE_ONCE(gate->hold, *hold);
		gate->until = jiffies + msecs_to_jiffies(ms);
		mod_delayed_work(system_wq, &gate->timeout, msecs_to_jiffies(ms));
	}
	mutex_unlock(&gate->lock);
	return err;
}

void shale_gate_open(struct shale_gate *gate, u64 hold)
{
	guard(mutex)(&gate->lock);
	if (gate->hold == hold)
		open_locked(gate);
}

bool shale_gate_is_held(const struct shale_gate *gate, u64 hold)
{
	return READ_ONCE(gate->hold) == hold;
}
