/* SPDX-License-Identifier: GPL-2.0 */
/* What is counted of a mount. */
#ifndef SHALE_STACK_COUNTERS_H
#define SHALE_STACK_COUNTERS_H

#include <linux/atomic.h>
#include <linux/percpu.h>

/* As many as the uapi has an attribute for, see control/counters.c. Wrap around with 32 bits. */
enum shale_counter {
	SHALE_COUNT_LOOK_UPS,
	SHALE_COUNT_PROBES,
	SHALE_COUNT_PROBES_SAVED,
	SHALE_COUNT_REOPENS,
	SHALE_COUNT_WHITEOUTS,
	SHALE_COUNT_REDIRECTS,
	SHALE_COUNT_NR
};

/* The errnos that layers answer with lie below. */
#define SHALE_NR_ERRORS 134

struct shale_counters {
	unsigned long __percpu *cpu;	/* of SHALE_COUNT_NR */
	atomic_t error[SHALE_NR_ERRORS];	/* by errno; the first for all others */
};

static inline int shale_counters_init(struct shale_counters *counters)
{
	counters->cpu = __alloc_percpu(SHALE_COUNT_NR * sizeof(unsigned long),
				       __alignof__(unsigned long));
	return counters->cpu ? 0 : -ENOMEM;
}

static inline void shale_counters_exit(struct shale_counters *counters)
{
	free_percpu(counters->cpu);
}

static inline void shale_count(const struct shale_counters *counters, enum shale_counter which,
			       unsigned long n)
{
	this_cpu_add(counters->cpu[which], n);
}

static inline unsigned long shale_counted(const struct shale_counters *counters,
					  enum shale_counter which)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(counters->cpu, cpu)[which];
	return sum;
}

#endif
