/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHALE_CONTROL_EVENTS_H
#define SHALE_CONTROL_EVENTS_H

#include "stack/events.h"

/* An event, and what was found out about it for those who are told. */
struct shale_news {
	const struct shale_event *event;
	const char *path;	/* from the mount's root; empty: it has none */
	u64 ino;		/* as the mount shows it; 0: it has none */
	u64 duration;		/* ns; 0: it took no time worth telling */
};

/* Before the family is registered: who may listen to its groups, and where events go. */
void shale_events_init(void);

/* The tracepoints: is the one for this kind switched on; and tell it. */
bool shale_traced(enum shale_event_kind kind);
void shale_trace(const struct shale_sb *sbi, const struct shale_news *news);

#endif
