// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who may send the family's commands: each of them, from everybody who may not.
 *
 * One who opens the socket and another who sends the message are two, and both must have the right. What was refused
 * has words, and leaves nothing behind.
 */
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "control.h"
#include "fixture.h"

enum who {
	HOST_ROOT,		/* of the initial user namespace, in which the mount was made */
	ORDINARY,		/* without any right */
	OTHER_ROOT,		/* of a new user namespace */
};

static const struct command {
	const char *name;
	uint8_t command;
	uint16_t flags;
	uint16_t type;		/* of the attribute that says what it is about */
	const char *about;	/* a descriptor of this; NULL: the mount's id */
	/* For the root of another user namespace, to whom the mount is like none. 0: an answer that tells of none. */
	int elsewhere;
} commands[] = {
	{ "new", SHALE_CMD_NEW, 0, SHALE_A_STACK_LOWER, "low", EPERM },
	{ "get, by fd", SHALE_CMD_GET, 0, SHALE_A_MOUNT_FD, "merged", ENOENT },
	{ "get, by id", SHALE_CMD_GET, 0, SHALE_A_MOUNT_ID, NULL, ENOENT },
	{ "get, all", SHALE_CMD_GET, NLM_F_DUMP, 0, NULL, 0 },
	{ "set, by fd", SHALE_CMD_SET, 0, SHALE_A_MOUNT_FD, "merged", ENOENT },
	{ "set, by id", SHALE_CMD_SET, 0, SHALE_A_MOUNT_ID, NULL, ENOENT },
	{ "query", SHALE_CMD_QUERY, 0, SHALE_A_OBJECT_FD, "merged/file", ENOENT },
	{ "in-use", SHALE_CMD_IN_USE, 0, SHALE_A_LAYER_USE_FD, "low", 0 },
	{ "counters, by fd", SHALE_CMD_COUNTERS, 0, SHALE_A_COUNTERS_FD, "merged", ENOENT },
	{ "counters, by id", SHALE_CMD_COUNTERS, 0, SHALE_A_COUNTERS_ID, NULL, ENOENT },
	{ "counters, all", SHALE_CMD_COUNTERS, NLM_F_DUMP, 0, NULL, 0 },
	{ "quiesce, by fd", SHALE_CMD_QUIESCE, 0, SHALE_A_QUIESCE_FD, "merged", ENOENT },
	{ "quiesce, by id", SHALE_CMD_QUIESCE, 0, SHALE_A_QUIESCE_ID, NULL, ENOENT },
};
enum { NR_COMMANDS = sizeof(commands) / sizeof(commands[0]), LIMIT = 12345 };

static struct request requests[NR_COMMANDS];

/* Made by who may: the descriptors are in the table of whoever sends it. */
static void make_request(const struct command *command, struct request *request, uint64_t id)
{
	const uint64_t limit = LIMIT;
	const uint32_t ms = 1000;

	request_begin(request, control()->family, command->command, command->flags ?: NLM_F_ACK);
	if (command->about)
		request_add_fd(request, command->type, open_file(command->about, O_PATH));
	else if (command->type)
		request_add(request, command->type, &id, sizeof(id));
	switch (command->command) {
	case SHALE_CMD_NEW:
		request_add_fd(request, SHALE_A_STACK_UPPER, open_file("upper2", O_PATH));
		request_add_fd(request, SHALE_A_STACK_WORK, open_file("work2", O_PATH));
		break;
	case SHALE_CMD_SET:
		request_add(request, SHALE_A_MOUNT_MAX_COPY_UP, &limit, sizeof(limit));
		break;
	case SHALE_CMD_QUIESCE:
		request_add(request, SHALE_A_QUIESCE_TIMEOUT, &ms, sizeof(ms));
		break;
	}
}

/* What there is to see for who may see it; the same before and after what was refused. */
struct state {
	int users;		/* of the module: mounts, pending stacks, holds */
	int fds;		/* of this process */
	size_t size;		/* of a dump, in bytes */
	char dump[BUFFER_SIZE];
};

static void take_bytes(const struct nlmsghdr *message, void *context)
{
	struct state *state = context;
	const size_t size = message->nlmsg_len - NLMSG_HDRLEN;

	CHECK(state->size + size <= sizeof(state->dump));
	memcpy(state->dump + state->size, NLMSG_DATA(message), size);
	state->size += size;
}

static void look(struct state *state)
{
	static struct request request;
	int fd = OK(open_file("/proc/self/fd", O_RDONLY | O_DIRECTORY));

	memset(state, 0, sizeof(*state));
	state->fds = nr_names_from(fd);
	close(fd);
	request_begin(&request, control()->family, SHALE_CMD_GET, NLM_F_DUMP);
	CHECK_EQ(genl_ask(control(), &request, take_bytes, state).error, 0);
	CHECK(state->size);
	state->users = module_users();
}

static void expect_state(const struct state *wanted)
{
	static struct state state;

	look(&state);
	CHECK_EQ(state.users, wanted->users);
	CHECK_EQ(state.fds, wanted->fds);
	CHECK_EQ(state.size, wanted->size);
	CHECK(!memcmp(state.dump, wanted->dump, wanted->size));
}

static void become(enum who who)
{
	if (who == ORDINARY) {
		OK(syscall(SYS_setgroups, 0, NULL));
		OK(setresgid(SOMEBODY, SOMEBODY, SOMEBODY));
		OK(setresuid(SOMEBODY, SOMEBODY, SOMEBODY));
	} else if (who == OTHER_ROOT && unshare(CLONE_NEWUSER)) {
		SKIP("no user namespaces here");
	}
}

/* A socket that a process of somebody has opened, which is gone. */
static struct genl socket_of(enum who who)
{
	struct genl genl = { .family = control()->family };
	int ready[2], fd, pidfd;
	pid_t child;

	OK(pipe(ready));
	child = OK(fork());
	if (!child) {
		OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
		become(who);
		fd = genl_open().fd;
		CHECK(write(ready[1], &fd, sizeof(fd)) == sizeof(fd));
		pause();
	}
	close(ready[1]);
	if (read(ready[0], &fd, sizeof(fd)) != sizeof(fd))
		SKIP("no user namespaces here");
	close(ready[0]);
	pidfd = OK(pidfd_open(child, 0));
	genl.fd = OK(pidfd_getfd(pidfd, fd, 0));
	close(pidfd);
	OK(kill(child, SIGKILL));
	CHECK_EQ(waitpid(child, NULL, 0), child);
	return genl;
}

static void count_message(const struct nlmsghdr *message, void *context)
{
	(void)message;
	++*(int *)context;
}

static void send_all(const struct genl *genl, bool elsewhere)
{
	int i;

	for (i = 0; i < NR_COMMANDS; i++) {
		const int wanted = elsewhere ? commands[i].elsewhere : EPERM;
		const int first = NLMSG_HDRLEN + GENL_HDRLEN;
		int answers = 0;
		struct refusal refusal = genl_ask(genl, &requests[i], count_message, &answers);

		printf("# %s: %s: %s\n", commands[i].name, errno_name(refusal.error), refusal.text);
		CHECK_EQ(refusal.error, wanted);
		CHECK_EQ(answers, 0);
		CHECK_EQ(!*refusal.text, !wanted);
		/* The attribute that names what is not there, or is not theirs, is the first one. */
		CHECK_EQ(refusal.offset, elsewhere && wanted ? first : -1);
	}
}

/* Each is answered, so that it was the sender for whom it was refused; a hold that was left would be in the way. */
static void send_all_as_who_may(void)
{
	static struct refusal refusal;
	int i, answers;

	for (i = 0; i < NR_COMMANDS; i++) {
		struct genl genl = genl_open();

		IN_CHILD {
			answers = 0;
			refusal = genl_ask(&genl, &requests[i], count_message, &answers);
			printf("# %s: %s, %d\n", commands[i].name, errno_name(refusal.error), answers);
			CHECK_EQ(refusal.error, 0);
			CHECK_EQ(answers > 0, commands[i].command != SHALE_CMD_SET);
		}
		close(genl.fd);
	}
}

static uint64_t id_of_mount(void)
{
	const struct event *event;
	struct genl listener = listen_to(SHALE_MCGRP_MOUNTS);

	mount_layers("top:low");
	event = next_event(&listener);
	close(listener.fd);
	CHECK_EQ(event->kind, SHALE_EVENT_KIND_MOUNTED);
	return event->mount;
}

static void expect_refused(enum who opener, enum who sender)
{
	static struct state before;
	struct genl listener, genl;
	uint64_t id;
	int i;

	only_shale("overlayfs has no netlink family");
	set_up();
	make_file("low/file", "text");
	make_file("top/other", "text");
	make_dir("upper2");
	make_dir("work2");
	id = id_of_mount();
	for (i = 0; i < NR_COMMANDS; i++)
		make_request(&commands[i], &requests[i], id);
	listener = listen_to(SHALE_MCGRP_MOUNTS " " SHALE_MCGRP_ERRORS);
	if (opener != sender)
		genl = socket_of(opener);
	look(&before);

	IN_CHILD {
		become(sender);
		if (opener == sender)
			genl = genl_open();
		send_all(&genl, sender == OTHER_ROOT);
	}
	expect_state(&before);
	no_event(&listener);
	write_text("merged/file", "changed");
	expect_names("upper2", "");
	expect_names("work2", "");
	send_all_as_who_may();
}

CASE(ordinary_users, "each command is EPERM for who is not privileged")
{
	expect_refused(ORDINARY, ORDINARY);
}

CASE(another_opened_it, "each command is EPERM for a privileged sender, if the socket was opened by one who is not")
{
	expect_refused(ORDINARY, HOST_ROOT);
}

CASE(another_sends_it, "each command is EPERM for an ordinary sender, if the socket was opened by a privileged one")
{
	expect_refused(HOST_ROOT, ORDINARY);
}

CASE(roots_of_others, "for root of a new user namespace the mounts of others are like none")
{
	expect_refused(OTHER_ROOT, OTHER_ROOT);
}

CASE(a_socket_of_the_host, "the same, if the socket was opened by the host's root")
{
	expect_refused(HOST_ROOT, OTHER_ROOT);
}

CASE(a_socket_of_others, "each command is EPERM for root, if the socket was opened in a new user namespace")
{
	expect_refused(OTHER_ROOT, HOST_ROOT);
}

CASES_MAIN
