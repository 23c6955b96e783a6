// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module with one bug of each kind that the debug kernel's detectors are there for. Loading it
 * with what=NAME commits the bug NAME; self-test.sh looks whether the run fails, and with which words.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static char *what = "";
module_param(what, charp, 0444);

/* Memory that nobody points to any more. */
static void leak(void)
{
	char *memory = kmalloc(123, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(memory);
}

/* One byte behind an object. */
static void overflow(void)
{
	char *memory = kzalloc(123, GFP_KERNEL);

	if (!memory)
		return;
	OPTIMIZER_HIDE_VAR(memory);
	memory[123] = 1;
	kfree(memory);
}

/* One byte behind a page that vmalloc() gave. */
static void vmalloc_overflow(void)
{
	char *memory = vmalloc(PAGE_SIZE - 1);

	if (!memory)
		return;
	OPTIMIZER_HIDE_VAR(memory);
	memory[PAGE_SIZE - 1] = 1;
	vfree(memory);
}

/* An object after its end. */
static void use_after_free(void)
{
	char *memory = kzalloc(123, GFP_KERNEL);

	if (!memory)
		return;
	kfree(memory);
	OPTIMIZER_HIDE_VAR(memory);
	memory[0] = 1;
}

/* Sleeping under a spin lock. */
static void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);
	void *memory;

	spin_lock(&lock);
	memory = kmalloc(123, GFP_KERNEL);
	spin_unlock(&lock);
	kfree(memory);
}

/* Two locks, taken in both orders: no deadlock today. */
static void lock_order(void)
{
	static DEFINE_MUTEX(one);
	static DEFINE_MUTEX(other);

	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);

	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

/* One element in a list, twice. */
static void list_twice(void)
{
	static LIST_HEAD(list);
	static struct list_head element;

	list_add(&element, &list);
	list_add(&element, &list);
}

static void nothing(struct timer_list *timer)
{
}

/* An object goes whose timer still runs. */
static void free_active(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 3600 * HZ);
	kfree(timer);
}

/* More bits to the left than there are. */
static void shift(void)
{
	int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	bits = 1 << bits;
	OPTIMIZER_HIDE_VAR(bits);
}

static const struct {
	const char *name;
	void (*commit)(void);
} bugs[] = {
	{ "leak", leak },
	{ "overflow", overflow },
	{ "vmalloc_overflow", vmalloc_overflow },
	{ "use_after_free", use_after_free },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "lock_order", lock_order },
	{ "list_twice", list_twice },
	{ "free_active", free_active },
	{ "shift", shift },
};

static int __init misbehave_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(bugs[i].name, what))
			continue;
		bugs[i].commit();
		return 0;
	}
	return -EINVAL;
}
module_init(misbehave_init);

static void __exit misbehave_exit(void)
{
}
module_exit(misbehave_exit);

MODULE_DESCRIPTION("One bug of each kind, for those who look for them");
MODULE_LICENSE("GPL");
