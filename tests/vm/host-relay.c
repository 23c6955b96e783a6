// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-relay [-t] DIR MACHINE [ARGUMENT...]
 *
 * Runs the machine, QEMU or User Mode Linux, with descriptor 3 connected to the guest's port
 * (protocol.h) and passes standard input, output and error through. -t: the terminal goes raw,
 * as the guest has its own line discipline. Leaves in DIR
 *
 *   ready        empty: the guest came up and started the command
 *   failed       empty: the guest came up, but can't do what it was asked for
 *   status       the command's exit status; absent if the guest died first
 *   kernel.log   the guest's kernel log, as far as it was received
 *   machine.log  what the machine itself had to say
 *
 * The machine dies with this process, however this process dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

/* An emulated guest on a busy machine needs seconds; one that hangs, for ever. */
#define BOOT_LIMIT_SECONDS 180
#define SILENCE_LIMIT_SECONDS (30 * ALIVE_SECONDS)

#define GUEST_FD 3	/* where the machine finds its end of the port */

static pid_t machine;
static bool raw_terminal;
static struct termios saved_terminal;

static void restore_terminal(void)
{
	if (raw_terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved_terminal);
	raw_terminal = false;
}

/* Its own children come to us, as subreaper, and are waited for, too: then all of it has gone. */
static void stop_machine(void)
{
	if (machine > 0) {
		kill(machine, SIGKILL);
		while (waitpid(-1, NULL, 0) > 0)
			;
	}
	machine = 0;
}

static __attribute__((noreturn)) void leave(int status)
{
	stop_machine();
	restore_terminal();
	exit(status);
}

static __attribute__((noreturn, format(printf, 1, 2)))
void fail(const char *format, ...)
{
	va_list args;

	restore_terminal();
	fputs("run: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	leave(1);
}

/* A closed standard descriptor would otherwise become one of our own files. */
static void occupy_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

static int catch_signals(void)
{
	sigset_t set;
	int fd;

	/* A background job that wants the terminal gets EIO, thus no input. */
	signal(SIGTTIN, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		fail("signalfd: %m");
	return fd;
}

/* Files are relative to DIR, which was made the current directory. */
static int create_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		fail("%s: %m", name);
	return fd;
}

static int start_machine(char **argv)
{
	int ends[2], null, messages = create_file("machine.log");
	pid_t parent = getpid();
	sigset_t none;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		fail("socketpair: %m");
	machine = fork();
	if (machine < 0)
		fail("fork: %m");
	if (machine > 0) {
		close(ends[1]);
		close(messages);
		return ends[0];
	}

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* Ctrl-C is for us alone: we decide how the guest ends. */
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDONLY);
	dup2(null, STDIN_FILENO);
	dup2(messages, STDOUT_FILENO);
	dup2(messages, STDERR_FILENO);
	if (ends[1] == GUEST_FD)
		fcntl(GUEST_FD, F_SETFD, 0);
	else
		dup2(ends[1], GUEST_FD);
	execvp(argv[0], argv);
	fprintf(stderr, "run: %s: %m\n", argv[0]);
	_exit(1);
}

static void make_terminal_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &saved_terminal) < 0)
		return;
	raw = saved_terminal;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	raw_terminal = true;
}

/* What is on its way to the guest: at most one frame, so input can't pile up. */
static struct frame outgoing;
static size_t outgoing_sent, outgoing_length;

static void queue_frame(enum frame_kind kind, size_t length)
{
	outgoing.header.kind = kind;
	outgoing.header.length = length;
	outgoing_sent = 0;
	outgoing_length = sizeof(outgoing.header) + length;
}

/* Returns false at the end of the input. */
static bool read_input(void)
{
	ssize_t got = read(STDIN_FILENO, outgoing.payload, FRAME_PAYLOAD);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	queue_frame(FRAME_STDIN, got > 0 ? got : 0);
	return got > 0;
}

static void queue_window_size(void)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	memcpy(outgoing.payload, &size, sizeof(size));
	queue_frame(FRAME_WINSIZE, sizeof(size));
}

static void send_to_guest(int guest)
{
	ssize_t sent = send(guest, (char *)&outgoing + outgoing_sent,
			    outgoing_length - outgoing_sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0)
		outgoing_sent += sent;
	if (outgoing_sent == outgoing_length)
		outgoing_length = 0;
}

static void write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t done = write(fd, data, length);

		if (done >= 0) {
			data += done;
			length -= done;
		} else if (errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
		} else if (errno == EPIPE) {
			/* As if the command itself had met the closed pipe. */
			leave(128 + SIGPIPE);
		} else if (errno != EINTR) {
			fail("cannot write the command's output: %m");
		}
	}
}

static void write_status(const struct frame *frame)
{
	int fd = create_file("status");
	int32_t status;

	memcpy(&status, frame->payload, sizeof(status));
	if (dprintf(fd, "%d\n", status) < 0 || close(fd))
		fail("status: %m");
}

/* Returns false once nothing more will come. */
static bool handle_frame(const struct frame *frame, int log, bool *ready)
{
	size_t length = frame->header.length;

	switch (frame->header.kind) {
	case FRAME_READY:
		*ready = true;
		close(create_file("ready"));
		return true;
	case FRAME_ALIVE:
		return true;
	case FRAME_STDOUT:
		write_all(STDOUT_FILENO, frame->payload, length);
		return true;
	case FRAME_STDERR:
		write_all(STDERR_FILENO, frame->payload, length);
		return true;
	case FRAME_LOG:
		write_all(log, frame->payload, length);
		return true;
	case FRAME_EXIT:
		write_status(frame);
		return false;
	case FRAME_FAILED:
		close(create_file("failed"));
		fail("guest: %.*s", (int)length, frame->payload);
	}
	fail("the guest sent a frame of unknown kind %u", frame->header.kind);
}

/* Collects bytes until a frame is whole. Returns false when the guest is done. */
static bool receive(int guest, int log, bool *ready)
{
	static struct frame incoming;
	static size_t have;
	size_t want = sizeof(incoming.header);
	ssize_t got;

	if (have >= want)
		want += incoming.header.length;
	got = read(guest, (char *)&incoming + have, want - have);
	if (got <= 0)
		return got < 0 && errno == EINTR;
	have += got;
	if (have < sizeof(incoming.header))
		return true;
	if (incoming.header.length > FRAME_PAYLOAD)
		fail("the guest sent a frame of %u bytes", incoming.header.length);
	if (have < sizeof(incoming.header) + incoming.header.length)
		return true;
	have = 0;
	return handle_frame(&incoming, log, ready);
}

/* Returns false if the signal ends us. */
static void handle_signal(int signals, bool *window_changed)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		*window_changed = true;
	else
		leave(128 + info.ssi_signo);
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void relay(int guest, int signals, int log)
{
	bool input_open = true, ready = false, window_changed = raw_terminal;
	time_t heard = now();

	for (;;) {
		struct pollfd p[3] = {
			{ .fd = guest, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
			{ .fd = -1, .events = POLLIN },
		};

		if (!outgoing_length && window_changed) {
			window_changed = false;
			queue_window_size();
		}
		if (outgoing_length)
			p[0].events |= POLLOUT;
		else if (input_open && ready)	/* a guest that fails to boot leaves it to the next */
			p[2].fd = STDIN_FILENO;

		poll(p, 3, 1000);
		if (p[1].revents)
			handle_signal(signals, &window_changed);
		if (p[0].revents & POLLOUT)
			send_to_guest(guest);
		if (p[2].revents)
			input_open = read_input();
		if (p[0].revents & (POLLIN | POLLHUP | POLLERR)) {
			heard = now();
			if (!receive(guest, log, &ready))
				return;
		} else if (now() - heard > (ready ? SILENCE_LIMIT_SECONDS : BOOT_LIMIT_SECONDS)) {
			fail("the guest has been silent for %ld seconds", (long)(now() - heard));
		}
	}
}

int main(int argc, char **argv)
{
	bool terminal = argc > 1 && !strcmp(argv[1], "-t");
	int signals, log, guest;

	argv += 1 + terminal;
	if (argc < 3 + terminal)
		fail("usage: host-relay [-t] DIR MACHINE [ARGUMENT...]");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	occupy_standard_descriptors();
	if (chdir(argv[0]) < 0)
		fail("%s: %m", argv[0]);
	signals = catch_signals();
	log = create_file("kernel.log");
	guest = start_machine(argv + 1);
	if (terminal)
		make_terminal_raw();
	relay(guest, signals, log);
	leave(0);
}
