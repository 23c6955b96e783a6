/* SPDX-License-Identifier: GPL-2.0 */
/* The cgroup of the calling task, in the unified hierarchy; not all kernels have any. */
#ifndef SHALE_COMPAT_CGROUP_H
#define SHALE_COMPAT_CGROUP_H

#include <linux/cgroup.h>

static inline u64 shale_cgroup_of_current(void)
{
	u64 id = 0;

#ifdef CONFIG_CGROUPS
	rcu_read_lock();
	id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
#endif
	return id;
}

#endif
