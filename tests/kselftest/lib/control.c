// SPDX-License-Identifier: GPL-2.0-or-later
#include "control.h"

#include <fcntl.h>
#include <poll.h>

#include "fixture.h"

static struct request request;
static int about = -1;		/* the descriptor in it */

const struct genl *control(void)
{
	static struct genl genl = { .fd = -1 };

	if (genl.fd < 0)
		genl = genl_open();
	return &genl;
}

struct request *control_about(uint8_t command, uint16_t fd_type, const char *path)
{
	CHECK((about = open(path, O_PATH | O_CLOEXEC)) >= 0);
	request_begin(&request, control()->family, command, NLM_F_ACK);
	request_add_fd(&request, fd_type, about);
	return &request;
}

struct refusal control_send(void (*take)(const struct nlmsghdr *message, void *context),
			    void *context)
{
	struct refusal refusal = genl_ask(control(), &request, take, context);

	if (refusal.error)
		printf("# refused with %s: %s\n", strerror(refusal.error), refusal.text);
	if (about >= 0)
		close(about);
	about = -1;
	return refusal;
}

void control_ignore(const struct nlmsghdr *message, void *context)
{
	(void)message;
	(void)context;
}

static void take_error(struct counters *told, const struct nlattr *nest)
{
	uint32_t number = 0;
	uint64_t count = 0;

	for_each_nested(attr, nest) {
		if (attr_type(attr) == SHALE_A_ERROR_COUNTER_ERRNO)
			number = attr_u32(attr);
		else if (attr_type(attr) == SHALE_A_ERROR_COUNTER_COUNT)
			count = attr_u64(attr);
	}
	CHECK(number < sizeof(told->error) / sizeof(told->error[0]));
	told->error[number] = count;
}

static void take_layer(struct counters *told, const struct nlattr *nest)
{
	uint64_t copy_ups = 0, bytes = 0, look_ups = 0;
	uint32_t lower = ~0U;

	for_each_nested(attr, nest) {
		switch (attr_type(attr)) {
		case SHALE_A_LAYER_COUNTERS_LOWER:
			lower = attr_u32(attr);
			break;
		case SHALE_A_LAYER_COUNTERS_COPY_UPS:
			copy_ups = attr_u64(attr);
			break;
		case SHALE_A_LAYER_COUNTERS_COPY_UP_BYTES:
			bytes = attr_u64(attr);
			break;
		case SHALE_A_LAYER_COUNTERS_LOOK_UPS:
			look_ups = attr_u64(attr);
			break;
		}
	}
	CHECK_EQ(lower, told->nr_layers);	/* in order, and each once */
	CHECK(lower < MAX_LAYERS_TOLD);
	told->layer[lower].copy_ups = copy_ups;
	told->layer[lower].bytes = bytes;
	told->layer[lower].look_ups = look_ups;
	told->nr_layers++;
}

static void take_counters(const struct nlmsghdr *message, void *context)
{
	struct counters *told = context;

	for_each_attr(attr, message) {
		const int type = attr_type(attr);

		CHECK(type <= SHALE_A_COUNTERS_MAX);
		if (type == SHALE_A_COUNTERS_ERROR)
			take_error(told, attr);
		else if (type == SHALE_A_COUNTERS_LAYER)
			take_layer(told, attr);
		else
			told->value[type] = attr->nla_len == NLA_HDRLEN + sizeof(uint32_t)
						    ? attr_u32(attr) : attr_u64(attr);
	}
}

const struct counters *counters_of(const char *path)
{
	static struct counters told;

	memset(&told, 0, sizeof(told));
	control_about(SHALE_CMD_COUNTERS, SHALE_A_COUNTERS_FD, path);
	CHECK_EQ(control_send(take_counters, &told).error, 0);
	return &told;
}

struct genl listen_to(const char *groups)
{
	struct genl genl = genl_open();
	char *names = strdup(groups), *name;

	for (name = strtok(names, " "); name; name = strtok(NULL, " "))
		CHECK_EQ(genl_join(&genl, name), 0);
	free(names);
	return genl;
}

static void take_event(struct event *event, const struct nlmsghdr *message)
{
	const struct genlmsghdr *genl = NLMSG_DATA(message);

	CHECK_EQ(genl->cmd, SHALE_CMD_EVENT);
	memset(event, 0, sizeof(*event));
	for_each_attr(attr, message) {
		switch (attr_type(attr)) {
#define NUMBER(name, field, bits) \
		case SHALE_A_EVENT_##name: event->field = attr_u##bits(attr); break
		NUMBER(MOUNT, mount, 64);
		NUMBER(SEQ, seq, 64);
		NUMBER(KIND, kind, 32);
		NUMBER(TIME, time, 64);
		NUMBER(DROPPED, dropped, 64);
		NUMBER(PID, pid, 32);
		NUMBER(TID, tid, 32);
		NUMBER(CGROUP, cgroup, 64);
		NUMBER(UID, uid, 32);
		NUMBER(INO, ino, 64);
		NUMBER(BYTES, bytes, 64);
		NUMBER(DURATION, duration, 64);
		NUMBER(REASON, reason, 32);
		NUMBER(ERRNO, error, 32);
#undef NUMBER
		case SHALE_A_EVENT_COMM:
			attr_text(attr, event->comm);
			break;
		case SHALE_A_EVENT_PATH:
			attr_text(attr, event->path);
			break;
		case SHALE_A_EVENT_REDIRECT:
			attr_text(attr, event->redirect);
			break;
		default:
			CHECK_EQ(attr_type(attr), 0);
		}
	}
}

const struct event *event_within(const struct genl *listener, int ms)
{
	static char buffer[BUFFER_SIZE] __attribute__((aligned(8)));
	struct pollfd wanted = { .fd = listener->fd, .events = POLLIN };
	static struct event event;
	ssize_t size;

	if (poll(&wanted, 1, ms) <= 0) {
		errno = 0;
		return NULL;
	}
	size = recv(listener->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (size < 0)
		return NULL;
	CHECK(NLMSG_OK((struct nlmsghdr *)buffer, size));
	take_event(&event, (struct nlmsghdr *)buffer);
	return &event;
}

const struct event *next_event(const struct genl *listener)
{
	const struct event *event = event_within(listener, 2000);

	CHECK(event);
	printf("# %llu: kind %u reason %u errno %u %s\n", (unsigned long long)event->seq, event->kind,
	       event->reason, event->error, event->path);
	return event;
}

void no_event(const struct genl *listener)
{
	const struct event *event = event_within(listener, 100);

	if (event)
		fail("there is an event: kind %u, %s", event->kind, event->path);
	CHECK_EQ(errno, 0);
}
