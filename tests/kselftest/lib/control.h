/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the cases of the control plane ask the family, on the fixture's mount. Each answer is static,
 * until the next one of its kind.
 */
#ifndef SHALE_CONTROL_H
#define SHALE_CONTROL_H

#include "genl.h"

/* A socket, opened when it is first wanted. */
const struct genl *control(void);

/* A request of a command about the mount that @path lies in, to be sent by control_send(). */
struct request *control_about(uint8_t command, uint16_t fd_type, const char *path);
struct refusal control_send(void (*take)(const struct nlmsghdr *message, void *context),
			    void *context);
void control_ignore(const struct nlmsghdr *message, void *context);

/* Counters of a mount, by attribute. */
enum { MAX_LAYERS_TOLD = 64 };
struct counters {
	uint64_t value[SHALE_A_COUNTERS_MAX + 1];
	uint64_t error[140];		/* by errno */
	struct {
		uint64_t copy_ups, bytes, look_ups;
	} layer[MAX_LAYERS_TOLD];
	int nr_layers;
};
const struct counters *counters_of(const char *path);

/* An event, with 0 or "" for what it did not say. */
struct event {
	uint64_t mount, seq, time, dropped, cgroup, ino, bytes, duration;
	uint32_t kind, pid, tid, uid, reason, error;
	char comm[32], path[512], redirect[512];
};

/* A socket that listens to these groups, separated by blanks. */
struct genl listen_to(const char *groups);
/* The next event; fails when there is none for a second. */
const struct event *next_event(const struct genl *listener);
/* The same, or NULL when there is none within so many ms. -1 in errno's place: ENOBUFS. */
const struct event *event_within(const struct genl *listener, int ms);
/* Fails when there is one. */
void no_event(const struct genl *listener);

#endif
