// SPDX-License-Identifier: GPL-2.0
#include "stack/sb.h"

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/wait_bit.h>

static DEFINE_MUTEX(table_lock);
static LIST_HEAD(table);	/* in ascending order of ids */
static u64 last_id;

void shale_sb_publish(struct shale_sb *sbi)
{
	guard(mutex)(&table_lock);
	sbi->id = ++last_id;
	list_add_tail(&sbi->link, &table);
}

void shale_sb_unpublish(struct shale_sb *sbi)
{
	if (!sbi->id)
		return;
	scoped_guard(mutex, &table_lock)
		list_del_init(&sbi->link);
	wait_var_event(&sbi->visitors, !atomic_read(&sbi->visitors));
}

void shale_sb_visit(struct shale_sb *sbi)
{
	lockdep_assert_held(&table_lock);
	atomic_inc(&sbi->visitors);
}

/* The mount may be gone once nobody visits it; its address alone is used then. */
void shale_sb_leave(struct shale_sb *sbi)
{
	if (atomic_dec_and_test(&sbi->visitors))
		wake_up_var(&sbi->visitors);
}

void shale_sb_table_lock(void)
{
	mutex_lock(&table_lock);
}

void shale_sb_table_unlock(void)
{
	mutex_unlock(&table_lock);
}

struct shale_sb *shale_sb_next(u64 id)
{
	struct shale_sb *sbi;

	lockdep_assert_held(&table_lock);
	list_for_each_entry(sbi, &table, link) {
		if (sbi->id >= id)
			return sbi;
	}
	return NULL;
}

bool shale_sb_is_ours(const struct super_block *sb)
{
	return sb->s_type->owner == THIS_MODULE;
}
