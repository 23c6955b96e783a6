// SPDX-License-Identifier: GPL-2.0-or-later
/* Events, counters, and what can be asked about objects and layers, by netlink. */
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "control.h"
#include "fixture.h"

static const char all_groups[] = SHALE_MCGRP_MOUNTS " " SHALE_MCGRP_COPY_UPS " " SHALE_MCGRP_NAMES
				 " " SHALE_MCGRP_ERRORS;

static void needs_family(void)
{
	only_shale("overlayfs has no netlink family");
}

static void set_number(uint16_t type, uint64_t value, size_t size, int wanted)
{
	request_add(control_about(SHALE_CMD_SET, SHALE_A_MOUNT_FD, "merged"), type, &value, size);
	CHECK_EQ(control_send(control_ignore, NULL).error, wanted);
}

static void expect_event(const struct genl *listener, uint32_t kind, uint32_t reason,
			 const char *path)
{
	const struct event *event = next_event(listener);

	CHECK_EQ(event->kind, kind);
	CHECK_EQ(event->reason, reason);
	CHECK(!strcmp(event->path, path));
}

CASE(copy_up_says_who_what_and_why, "a copy-up is told: who, which file, how many bytes, how long, what for")
{
	const struct event *event;
	struct genl listener;
	struct stat st;

	needs_family();
	set_up();
	make_sized("low/file", 10000);
	mount_layers("low");
	listener = listen_to(SHALE_MCGRP_COPY_UPS);
	st = stat_of("merged/file");
	OK(open_file("merged/file", O_WRONLY));
	event = next_event(&listener);
	CHECK_EQ(event->kind, SHALE_EVENT_KIND_COPIED_UP);
	CHECK_EQ(event->reason, SHALE_REASON_OPEN);
	CHECK(!strcmp(event->path, "/file"));
	CHECK_EQ(event->bytes, 10000);
	CHECK_EQ(event->ino, st.st_ino);
	CHECK_EQ(event->pid, getpid());
	CHECK_EQ(event->tid, getpid());
	CHECK_EQ(event->uid, 0);
	CHECK(!strcmp(event->comm, "events"));
	CHECK(event->cgroup);
	CHECK(event->duration > 0 && event->duration < 100000000000);
	CHECK(event->time / 1000000000 - time(NULL) + 100 < 200);
	CHECK_EQ(event->seq, 1);
	CHECK_EQ(event->dropped, 0);
	OK(open_file("merged/file", O_WRONLY));
	no_event(&listener);
}

CASE(actor_is_the_caller, "who did it is the caller, not the mounter")
{
	const struct event *event;
	struct genl listener;

	needs_family();
	set_up();
	make_file("low/file", "text");
	OK(chown("low/file", SOMEBODY, SOMEBODY));
	mount_layers("low");
	listener = listen_to(SHALE_MCGRP_COPY_UPS);
	AS(SOMEBODY, SOMEBODY)
		OK(open_file("merged/file", O_WRONLY));
	event = next_event(&listener);
	CHECK_EQ(event->uid, SOMEBODY);
	CHECK(event->pid != (uint32_t)getpid());
}

CASE(each_cause_has_its_reason, "what an object was copied up for is told, and that its parents came along")
{
	struct genl listener;

	needs_family();
	set_up();
	make_dir("low/dir");
	make_dir("low/dir/sub");
	make_file("low/dir/sub/mode", "text");
	make_file("low/size", "text");
	make_file("low/xattr", "text");
	make_file("low/link", "text");
	make_file("low/move", "text");
	make_dir("low/parent");
	mount_layers("low");
	listener = listen_to(SHALE_MCGRP_COPY_UPS);

	OK(chmod("merged/dir/sub/mode", 0600));
	expect_event(&listener, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_CHANGE_BELOW, "/dir");
	expect_event(&listener, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_CHANGE_BELOW, "/dir/sub");
	expect_event(&listener, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_ATTRIBUTES,
		     "/dir/sub/mode");
	OK(truncate("merged/size", 1));
	expect_event(&listener, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_TRUNCATE, "/size");
	OK(setxattr("merged/xattr", "user.a", "b", 1, 0));
	expect_event(&listener, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_XATTR, "/xattr");
	OK(link("merged/link", "merged/linked"));
	expect_event(&listener, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_LINK, "/link");
	OK(rename("merged/move", "merged/moved"));
	expect_event(&listener, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_RENAME, "/move");
	OK(mkdir("merged/parent/new", 0755));
	expect_event(&listener, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_CHANGE_BELOW, "/parent");
	no_event(&listener);
}

CASE(names_are_told, "whiteouts and redirects are told, with the name they are about, and counted")
{
	const struct counters *counted;
	const struct event *event;
	struct genl listener;

	needs_family();
	set_up_with("redirect_dir=on,metacopy=off");
	make_file("low/gone", "text");
	make_dir("low/dir");
	make_file("low/dir/file", "text");
	make_file("low/moved", "text");
	mount_layers("low");
	listener = listen_to(SHALE_MCGRP_NAMES);

	OK(unlink("merged/gone"));
	expect_event(&listener, SHALE_EVENT_KIND_WHITED_OUT, 0, "/gone");
	OK(rename("merged/moved", "merged/elsewhere"));
	expect_event(&listener, SHALE_EVENT_KIND_WHITED_OUT, 0, "/moved");
	OK(mkdir("merged/other", 0755));
	OK(rename("merged/dir", "merged/other/dir"));
	expect_event(&listener, SHALE_EVENT_KIND_WHITED_OUT, 0, "/dir");
	event = next_event(&listener);
	CHECK_EQ(event->kind, SHALE_EVENT_KIND_REDIRECTED);
	CHECK(!strcmp(event->path, "/other/dir"));
	CHECK(!strcmp(event->redirect, "/dir"));
	no_event(&listener);

	/* What the upper alone has leaves nothing behind. */
	make_file("merged/new", "text");
	OK(unlink("merged/new"));
	no_event(&listener);

	counted = counters_of("merged");
	CHECK_EQ(counted->value[SHALE_A_COUNTERS_WHITEOUTS], 3);
	CHECK_EQ(counted->value[SHALE_A_COUNTERS_REDIRECTS], 1);
}

CASE(trouble_is_told, "that a layer can't do what was asked is told and counted by errno; plain answers are not")
{
	const struct event *event;
	struct genl listener;

	needs_family();
	set_up_with("metacopy=on,redirect_dir=on");
	make_file("top/broken", "");
	set_mark("top/broken", "metacopy", "");
	make_file("low/file", "text");
	mount_layers("top:low");
	listener = listen_to(SHALE_MCGRP_ERRORS);

	FAILS(access("merged/nothing", F_OK), ENOENT);
	FAILS(open("merged/file", O_CREAT | O_EXCL, 0644), EEXIST);
	no_event(&listener);

	FAILS(access("merged/broken", F_OK), EIO);
	event = next_event(&listener);
	CHECK_EQ(event->kind, SHALE_EVENT_KIND_FAILED);
	CHECK_EQ(event->reason, SHALE_REASON_LOOK_UP);
	CHECK_EQ(event->error, EIO);
	CHECK(!strcmp(event->path, "/broken"));
	CHECK_EQ(counters_of("merged")->error[EIO], 1);
	CHECK_EQ(counters_of("merged")->error[ENOENT], 0);
}

CASE(mounts_are_told, "that a mount is made, changed and taken down is told")
{
	const struct event *event;
	struct genl listener;
	uint64_t id;

	needs_family();
	set_up();
	make_file("low/file", "text");
	listener = listen_to(SHALE_MCGRP_MOUNTS);
	mount_layers("low");
	event = next_event(&listener);
	CHECK_EQ(event->kind, SHALE_EVENT_KIND_MOUNTED);
	id = event->mount;
	CHECK(id);
	OK(mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	event = next_event(&listener);
	CHECK_EQ(event->kind, SHALE_EVENT_KIND_CHANGED);
	CHECK_EQ(event->mount, id);
	unmount();
	event = next_event(&listener);
	CHECK_EQ(event->kind, SHALE_EVENT_KIND_UNMOUNTED);
	CHECK_EQ(event->mount, id);
	CHECK_EQ(event->seq, 3);
}

CASE(kinds_can_be_left_out, "set chooses the kinds that are sent, and what it does not know it refuses")
{
	struct genl listener;

	needs_family();
	set_up();
	make_file("low/one", "text");
	make_file("low/two", "text");
	mount_layers("low");
	set_number(SHALE_A_MOUNT_EVENTS, 1 << (SHALE_EVENT_KIND_WHITED_OUT - 1), 4, 0);
	listener = listen_to(all_groups);
	OK(chmod("merged/one", 0600));
	OK(unlink("merged/two"));
	expect_event(&listener, SHALE_EVENT_KIND_WHITED_OUT, 0, "/two");
	no_event(&listener);
	set_number(SHALE_A_MOUNT_EVENTS, 1 << SHALE_EVENT_KIND_VOLATILE_FAILED, 4, EINVAL);
	set_number(SHALE_A_MOUNT_MAX_COPY_UP, 1ULL << 63, 8, ERANGE);
	control_about(SHALE_CMD_SET, SHALE_A_MOUNT_FD, "merged");
	CHECK_EQ(control_send(control_ignore, NULL).error, EINVAL);
}

CASE(large_copy_ups_can_be_refused, "max-copy-up: a larger file is EFBIG and told; attributes and truncation still work")
{
	const struct event *event;
	struct genl listener;

	needs_family();
	set_up_with("metacopy=on,redirect_dir=on");
	make_sized("low/large", 8193);
	make_sized("low/small", 8192);
	mount_layers("low");
	set_number(SHALE_A_MOUNT_MAX_COPY_UP, 8192, 8, 0);
	listener = listen_to(SHALE_MCGRP_ERRORS);

	OK(open_file("merged/small", O_WRONLY));
	no_event(&listener);
	FAILS(open("merged/large", O_WRONLY), EFBIG);
	event = next_event(&listener);
	CHECK_EQ(event->error, EFBIG);
	CHECK_EQ(event->reason, SHALE_REASON_OPEN);
	CHECK(!strcmp(event->path, "/large"));
	expect_absent("upper/large");
	OK(chmod("merged/large", 0600));
	FAILS(open("merged/large", O_WRONLY), EFBIG);
	expect_sized("merged/large", 8193);
	OK(truncate("merged/large", 8192));
	OK(open_file("merged/large", O_WRONLY));
	expect_sized("merged/large", 8192);
}

/* Order and loss */

enum { TASKS = 8, MANY = 2000, BURST = 10000 };

/* Of so many files, as make_many() makes them, each task changes its share, in order. */
static void copy_up_many(int nr)
{
	const int each = nr / TASKS;
	pid_t child[TASKS];
	int task, i, status;

	for (task = 0; task < TASKS; task++) {
		child[task] = OK(fork());
		if (child[task])
			continue;
		for (i = 0; i < each; i++)
			OK(chmod(text_of("merged/%d", task * each + i), 0600));
		_exit(0);
	}
	for (task = 0; task < TASKS; task++) {
		CHECK_EQ(waitpid(child[task], &status, 0), child[task]);
		CHECK_EQ(status, 0);
	}
}

static void make_many(int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		make_file(text_of("low/%d", i), "");
}

static void receive_at_most(const struct genl *genl, int bytes)
{
	OK(setsockopt(genl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)));
}

/* How many messages the kernel had no room for in the socket, as it counts them itself. */
static uint64_t drops_of(const struct genl *genl)
{
	unsigned long drops, inode;
	struct stat st;
	char line[256];
	FILE *sockets = fopen("/proc/self/net/netlink", "re");

	CHECK(sockets && !fstat(genl->fd, &st));
	while (fgets(line, sizeof(line), sockets)) {
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &drops, &inode) == 2 &&
		    inode == st.st_ino) {
			fclose(sockets);
			return drops;
		}
	}
	fail("the socket is not in the list");
}

/* What a reader was sent of a burst, and what not. */
struct heard {
	uint64_t delivered, last;
	uint64_t gaps, drops;		/* by their numbers; as the kernel counts */
	int next[TASKS];		/* the first file of each task that was not told of yet */
};

static void hear(struct heard *heard, const struct event *event)
{
	const int file = atoi(event->path + 1), task = file / (BURST / TASKS);

	CHECK_EQ(event->kind, SHALE_EVENT_KIND_COPIED_UP);
	CHECK_EQ(event->dropped, 0);
	CHECK(event->seq > heard->last);
	heard->gaps += event->seq - heard->last - 1;
	heard->last = event->seq;
	heard->delivered++;

	/* What one task does one after the other is told in this order. */
	CHECK(task < TASKS && file % (BURST / TASKS) >= heard->next[task]);
	heard->next[task] = file % (BURST / TASKS) + 1;
}

/* Reads, with a pause after each, until the pipe @end was closed and there is no more. */
static void follow(const struct genl *listener, struct heard *heard, int pause_us, int end)
{
	struct pollfd over = { .fd = end };

	for (;;) {
		const bool was_over = poll(&over, 1, 0);
		const struct event *event = event_within(listener, 10);

		if (event) {
			hear(heard, event);
			if (pause_us)
				usleep(pause_us);
		} else if (errno) {
			CHECK_EQ(errno, ENOBUFS);
		} else if (was_over) {
			break;
		}
	}
	heard->drops = drops_of(listener);
}

static pid_t start_reader(const struct genl *listener, struct heard *heard, int pause_us,
			  const int *ends)
{
	pid_t child = OK(fork());

	if (!child) {
		close(ends[1]);
		follow(listener, heard, pause_us, ends[0]);
		fflush(stdout);
		_exit(0);
	}
	return child;
}

CASE(none_is_lost_silently, "a burst of eight tasks comes in order; what a slow reader has no room for is counted")
{
	struct heard *fast = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct heard *slow = fast + 1;
	struct genl roomy, narrow;
	pid_t readers[2];
	int i, status, ends[2];
	double begin;

	needs_family();
	CHECK(fast != MAP_FAILED);
	set_up();
	make_many(BURST);
	mount_layers("low");
	roomy = listen_to(SHALE_MCGRP_COPY_UPS);
	narrow = listen_to(SHALE_MCGRP_COPY_UPS);
	receive_at_most(&roomy, 64 << 20);
	receive_at_most(&narrow, 64 << 10);
	OK(pipe(ends));
	readers[0] = start_reader(&roomy, fast, 0, ends);
	readers[1] = start_reader(&narrow, slow, 5000, ends);
	begin = now();
	copy_up_many(BURST);
	printf("# %d in %.1f s\n", BURST, now() - begin);
	close(ends[1]);
	for (i = 0; i < 2; i++) {
		CHECK_EQ(waitpid(readers[i], &status, 0), readers[i]);
		CHECK_EQ(status, 0);
	}
	printf("# the slow reader got %llu, and missed %llu\n", (unsigned long long)slow->delivered,
	       (unsigned long long)slow->drops);

	CHECK_EQ(counters_of("merged")->value[SHALE_A_COUNTERS_EVENTS], BURST);
	CHECK_EQ(counters_of("merged")->value[SHALE_A_COUNTERS_EVENTS_DROPPED], 0);
	CHECK_EQ(fast->delivered, BURST);
	CHECK_EQ(fast->gaps + fast->drops, 0);
	CHECK(slow->delivered && slow->drops);
	CHECK_EQ(slow->delivered + slow->drops, BURST);
	CHECK_EQ(slow->gaps + BURST - slow->last, slow->drops);
}

CASE(the_rate_has_a_limit, "event-rate: what is above it is dropped, counted, and a gap")
{
	uint64_t delivered = 0, dropped, last = 0;
	const struct event *event;
	struct genl listener;

	needs_family();
	set_up();
	make_many(MANY);
	mount_layers("low");
	set_number(SHALE_A_MOUNT_EVENT_RATE, 10, 4, 0);
	listener = listen_to(SHALE_MCGRP_COPY_UPS);
	receive_at_most(&listener, 64 << 20);
	copy_up_many(MANY);
	while ((event = event_within(&listener, 100))) {
		CHECK_EQ(event->dropped, event->seq - ++delivered);
		CHECK(event->seq > last);
		last = event->seq;
	}
	dropped = counters_of("merged")->value[SHALE_A_COUNTERS_EVENTS_DROPPED];
	printf("# %llu delivered, %llu dropped\n", (unsigned long long)delivered,
	       (unsigned long long)dropped);
	CHECK(dropped);
	CHECK_EQ(delivered + dropped, MANY);
	CHECK_EQ(counters_of("merged")->value[SHALE_A_COUNTERS_EVENTS], MANY);
}

CASE(nobody_listens, "while nobody listens there are no events, which are not numbered either")
{
	needs_family();
	set_up();
	make_file("low/file", "text");
	mount_layers("low");
	OK(chmod("merged/file", 0600));
	CHECK_EQ(counters_of("merged")->value[SHALE_A_COUNTERS_EVENTS], 0);
	CHECK_EQ(counters_of("merged")->value[SHALE_A_COUNTERS_COPY_UPS], 1);
}

/* Who may listen, and where */

CASE(the_unprivileged_hear_nothing, "who is not the administrator of the network namespace can't listen")
{
	needs_family();
	set_up();
	make_file("low/file", "text");
	mount_layers("low");
	AS(SOMEBODY, SOMEBODY) {
		struct genl genl = genl_open();

		CHECK_EQ(genl_join(&genl, SHALE_MCGRP_COPY_UPS), EPERM);
		CHECK_EQ(genl_join(&genl, SHALE_MCGRP_MOUNTS), EPERM);
	}
}

CASE(other_namespaces_hear_nothing, "events go to the initial network namespace and the mounter's, to no other")
{
	struct genl initial, own, other;

	needs_family();
	set_up();
	make_file("low/file", "text");
	initial = listen_to(SHALE_MCGRP_COPY_UPS);
	OK(unshare(CLONE_NEWNET));
	other = listen_to(SHALE_MCGRP_COPY_UPS);
	OK(unshare(CLONE_NEWNET));
	own = listen_to(SHALE_MCGRP_COPY_UPS);
	mount_layers("low");
	OK(chmod("merged/file", 0600));
	expect_event(&initial, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_ATTRIBUTES, "/file");
	expect_event(&own, SHALE_EVENT_KIND_COPIED_UP, SHALE_REASON_ATTRIBUTES, "/file");
	no_event(&other);
	no_event(&own);
}

/* Counters */

CASE(counters_count, "counters: look-ups, layers asked, copies by layer, files opened anew")
{
	const struct counters *counted;
	uint64_t look_ups, probes;
	char byte;
	int fd;

	needs_family();
	set_up();
	make_sized("low/file", 5000);
	make_file("top/above", "text");
	mount_layers("top:low");
	counted = counters_of("merged");
	CHECK_EQ(counted->nr_layers, 2);
	look_ups = counted->value[SHALE_A_COUNTERS_LOOK_UPS];
	probes = counted->value[SHALE_A_COUNTERS_PROBES];

	/* Upper, top and low are asked for the first; upper and top for the second. */
	OK(access("merged/file", F_OK));
	OK(access("merged/above", F_OK));
	counted = counters_of("merged");
	CHECK_EQ(counted->value[SHALE_A_COUNTERS_LOOK_UPS], look_ups + 2);
	CHECK_EQ(counted->value[SHALE_A_COUNTERS_PROBES], probes + 5);
	CHECK_EQ(counted->layer[0].look_ups, 2);
	CHECK_EQ(counted->layer[1].look_ups, 1);

	fd = OK(open_file("merged/file", O_RDONLY));
	OK(open_file("merged/file", O_WRONLY));
	OK(chmod("merged/above", 0600));
	CHECK_EQ(read(fd, &byte, 1), 1);
	counted = counters_of("merged");
	CHECK_EQ(counted->value[SHALE_A_COUNTERS_COPY_UPS], 2);
	CHECK_EQ(counted->value[SHALE_A_COUNTERS_COPY_UP_BYTES], 5004);
	CHECK_EQ(counted->layer[0].copy_ups, 1);
	CHECK_EQ(counted->layer[0].bytes, 4);
	CHECK_EQ(counted->layer[1].copy_ups, 1);
	CHECK_EQ(counted->layer[1].bytes, 5000);
	CHECK_EQ(counted->value[SHALE_A_COUNTERS_REOPENS], 1);
}

CASE(listings_are_counted, "counters: listings, their names and memory, and the layers they saved asking")
{
	const struct counters *counted;
	uint64_t saved;
	int i;

	needs_family();
	set_up();
	for (i = 0; i < 100; i++) {
		make_file(text_of("low/low%d", i), "");
		make_file(text_of("top/top%d", i), "");
	}
	mount_layers("top:low");
	sleep(1);		/* what is read at the moment it changes is not believed for long */
	CHECK_EQ(counters_of("merged")->value[SHALE_A_COUNTERS_LISTINGS], 0);
	CHECK(nr_names_from(OK(open_file("merged", O_RDONLY | O_DIRECTORY))) > 200);
	counted = counters_of("merged");
	if (!counted->value[SHALE_A_COUNTERS_LISTINGS])
		fail("no listing is kept");
	CHECK(counted->value[SHALE_A_COUNTERS_LISTED_NAMES] >= 200);
	CHECK(counted->value[SHALE_A_COUNTERS_LISTING_BYTES] > 200 * 20);
	saved = counted->value[SHALE_A_COUNTERS_PROBES_SAVED];
	OK(access("merged/low7", F_OK));
	FAILS(access("merged/nothing", F_OK), ENOENT);
	CHECK_EQ(counters_of("merged")->value[SHALE_A_COUNTERS_PROBES_SAVED], saved + 1 + 2);
}

/* query */

struct object {
	uint64_t mount, ino;
	char path[512], parts[256];
	bool metacopy, opaque, whiteout;
};

static void take_part(struct object *object, const struct nlattr *nest)
{
	char text[32] = "";
	bool data = false;

	for_each_nested(attr, nest) {
		if (attr_type(attr) == SHALE_A_PART_UPPER)
			strcpy(text, "upper");
		else if (attr_type(attr) == SHALE_A_PART_LOWER)
			snprintf(text, sizeof(text), "%u", attr_u32(attr));
		else if (attr_type(attr) == SHALE_A_PART_DATA)
			data = true;
	}
	snprintf(object->parts + strlen(object->parts),
		 sizeof(object->parts) - strlen(object->parts), "%s%s%s",
		 *object->parts ? " " : "", text, data ? "=data" : "");
}

static void take_object(const struct nlmsghdr *message, void *context)
{
	struct object *object = context;

	for_each_attr(attr, message) {
		switch (attr_type(attr)) {
		case SHALE_A_OBJECT_MOUNT:
			object->mount = attr_u64(attr);
			break;
		case SHALE_A_OBJECT_INO:
			object->ino = attr_u64(attr);
			break;
		case SHALE_A_OBJECT_PATH:
			attr_text(attr, object->path);
			break;
		case SHALE_A_OBJECT_PART:
			take_part(object, attr);
			break;
		case SHALE_A_OBJECT_METACOPY:
			object->metacopy = true;
			break;
		case SHALE_A_OBJECT_OPAQUE:
			object->opaque = true;
			break;
		case SHALE_A_OBJECT_WHITEOUT_NEEDED:
			object->whiteout = true;
			break;
		}
	}
}

static const struct object *query(const char *path)
{
	static struct object object;

	memset(&object, 0, sizeof(object));
	control_about(SHALE_CMD_QUERY, SHALE_A_OBJECT_FD, path);
	CHECK_EQ(control_send(take_object, &object).error, 0);
	printf("# %s: %s\n", object.path, object.parts);
	return &object;
}

CASE(query_tells_the_parts, "query: where a file and a directory lie, before and after they are copied up")
{
	const struct object *object;

	needs_family();
	set_up_with("metacopy=on,redirect_dir=on");
	make_dir("low/dir");
	make_dir("top/dir");
	make_file("low/dir/file", "text");
	mount_layers("top:low");

	object = query("merged/dir/file");
	CHECK(!strcmp(object->path, "/dir/file"));
	CHECK(!strcmp(object->parts, "1=data"));
	CHECK_EQ(object->ino, stat_of("merged/dir/file").st_ino);
	CHECK(object->whiteout && !object->metacopy && !object->opaque);
	CHECK(!strcmp(query("merged/dir")->parts, "0 1"));

	OK(chmod("merged/dir/file", 0600));
	object = query("merged/dir/file");
	CHECK(!strcmp(object->parts, "upper 1=data"));
	CHECK(object->metacopy && object->whiteout);
	CHECK(!strcmp(query("merged/dir")->parts, "upper 0 1"));

	OK(open_file("merged/dir/file", O_WRONLY));
	object = query("merged/dir/file");
	CHECK(!strncmp(object->parts, "upper=data", 10));
	CHECK(!object->metacopy);

	OK(mkdir("merged/dir/new", 0755));
	object = query("merged/dir/new");
	CHECK(!strcmp(object->parts, "upper"));
	CHECK(object->opaque && !object->whiteout);
	CHECK(!strcmp(query("merged")->path, "/"));
}

CASE(query_refuses_what_is_not_ours, "query: a descriptor of another file system, a closed one, none at all")
{
	struct request *request;
	struct refusal refusal;
	int closed = 9999;

	needs_family();
	set_up();
	make_file("low/file", "text");
	mount_layers("low");
	control_about(SHALE_CMD_QUERY, SHALE_A_OBJECT_FD, "low/file");
	refusal = control_send(control_ignore, NULL);
	CHECK_EQ(refusal.error, ENOENT);
	CHECK(refusal.offset > 0);
	request = control_about(SHALE_CMD_QUERY, SHALE_A_OBJECT_FD, "merged");
	request_begin(request, control()->family, SHALE_CMD_QUERY, NLM_F_ACK);
	request_add_fd(request, SHALE_A_OBJECT_FD, closed);
	CHECK_EQ(control_send(control_ignore, NULL).error, ENOENT);
	request_begin(request, control()->family, SHALE_CMD_QUERY, NLM_F_ACK);
	refusal = control_send(control_ignore, NULL);
	CHECK_EQ(refusal.error, EINVAL);
	CHECK_EQ(refusal.missing, SHALE_A_OBJECT_FD);
}

/* in-use */

struct use {
	int mounts;
	char as[64];
};

static void take_use(const struct nlmsghdr *message, void *context)
{
	struct use *use = context;

	use->mounts++;
	for_each_attr(attr, message) {
		if (attr_type(attr) == SHALE_A_LAYER_USE_UPPER)
			strcpy(use->as, "upper");
		else if (attr_type(attr) == SHALE_A_LAYER_USE_WORK)
			strcpy(use->as, "work");
		else if (attr_type(attr) == SHALE_A_LAYER_USE_LOWER)
			snprintf(use->as, sizeof(use->as), "%u", attr_u32(attr));
	}
}

static struct use uses_of(const char *path)
{
	struct use use = { };

	control_about(SHALE_CMD_IN_USE, SHALE_A_LAYER_USE_FD, path);
	CHECK_EQ(control_send(take_use, &use).error, 0);
	return use;
}

CASE(in_use_tells_the_mounts, "in-use: which mounts have a directory as a layer, and as which")
{
	needs_family();
	set_up();
	make_dir("low/dir");
	make_file("top/file", "text");
	mount_layers("top:low");
	CHECK_EQ(uses_of("low").mounts, 1);
	CHECK(!strcmp(uses_of("low").as, "1"));
	CHECK(!strcmp(uses_of("top").as, "0"));
	CHECK(!strcmp(uses_of("upper").as, "upper"));
	CHECK(!strcmp(uses_of("work").as, "work"));
	CHECK_EQ(uses_of("low/dir").mounts, 0);
	CHECK_EQ(uses_of("merged").mounts, 0);
	control_about(SHALE_CMD_IN_USE, SHALE_A_LAYER_USE_FD, "top/file");
	CHECK_EQ(control_send(control_ignore, NULL).error, ENOTDIR);
	unmount();
	CHECK_EQ(uses_of("low").mounts, 0);
}

CASES_MAIN
