// SPDX-License-Identifier: GPL-2.0-or-later
/* quiesce: a time in which the writable layer does not change. */
#include <linux/aio_abi.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "control.h"
#include "fixture.h"
#include "tree.h"

static void needs_family(void)
{
	only_shale("overlayfs has no netlink family");
}

struct answer {
	int hold;
	char path[512];
};

static void take_answer(const struct nlmsghdr *message, void *context)
{
	struct answer *answer = context;

	for_each_attr(attr, message) {
		if (attr_type(attr) == SHALE_A_QUIESCE_HOLD)
			answer->hold = attr_u32(attr);
		else if (attr_type(attr) == SHALE_A_QUIESCE_PATH)
			attr_text(attr, answer->path);
	}
}

static struct refusal quiesce(struct answer *answer, uint32_t ms)
{
	*answer = (struct answer){ .hold = -1 };
	request_add(control_about(SHALE_CMD_QUIESCE, SHALE_A_QUIESCE_FD, "merged"),
		    SHALE_A_QUIESCE_TIMEOUT, &ms, sizeof(ms));
	return control_send(take_answer, answer);
}

static int hold_for(uint32_t ms)
{
	struct answer answer;

	CHECK_EQ(quiesce(&answer, ms).error, 0);
	CHECK(answer.hold >= 0);
	CHECK(fcntl(answer.hold, F_GETFD) == FD_CLOEXEC);
	return answer.hold;
}

static bool is_held(int hold)
{
	char text[16] = "";

	CHECK_EQ(read(hold, text, sizeof(text) - 1), 5);
	CHECK(!strcmp(text, "held\n") || !strcmp(text, "over\n"));
	return !strcmp(text, "held\n");
}

static void set_up_writable(void)
{
	needs_family();
	set_up();
	make_file("low/file", "lower");
	make_dir("low/dir");
	mount_layers("low");
	make_file("merged/new", "upper");
}

/* Has the child ended by now? */
static bool has_ended(pid_t child)
{
	int status;
	pid_t ended = waitpid(child, &status, WNOHANG);

	if (ended == child)
		CHECK_EQ(status, 0);
	return ended == child;
}

static void wait_for(pid_t child)
{
	int status;

	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

static void write_something(void)
{
	OK(pwrite(open_file("merged/new", O_WRONLY), "UPPER", 5, 0));
}

static void create_something(void)
{
	make_file("merged/dir/other", "text");
}

static void copy_something_up(void)
{
	OK(open_file("merged/file", O_RDWR));
}

static void remove_something(void)
{
	OK(unlink("merged/new"));
}

static void map_something(void)
{
	void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, open_file("merged/new", O_RDWR), 0);

	CHECK(at != MAP_FAILED);
}

/*
 * What @change does comes when the hold is closed, and not before. Reading open files does not wait;
 * names might, as the VFS locks directories for whoever is about to change them.
 */
static void expect_waits(void (*change)(void))
{
	int lower = OK(open_file("merged/file", O_RDONLY));
	int upper = OK(open_file("merged/new", O_RDONLY));
	char *before = tree_of("upper"), text[8] = "";
	int hold = hold_for(SHALE_MAX_QUIESCE);
	pid_t child = fork();

	if (!child) {
		change();
		_exit(0);
	}
	usleep(300 * 1000);
	CHECK(!has_ended(child));
	CHECK_EQ(pread(lower, text, sizeof(text), 0), 5);
	CHECK(!strcmp(text, "lower"));
	CHECK_EQ(pread(upper, text, sizeof(text), 0), 5);
	CHECK(!strcmp(text, "upper"));
	if (tree_difference(tree_of("upper"), before))
		fail("the upper changed: %s", tree_difference(tree_of("upper"), before));
	CHECK(is_held(hold));
	OK(close(hold));
	wait_for(child);
	OK(close(lower));
	OK(close(upper));
}

CASE(writes_wait, "while it is held, a write waits; when the descriptor is closed, it goes on")
{
	set_up_writable();
	expect_waits(write_something);
	expect_text("merged/new", "UPPER");
}

CASE(new_names_wait, "the same for a new name, with the copy-up of its directory")
{
	set_up_writable();
	expect_waits(create_something);
	expect_text("merged/dir/other", "text");
}

CASE(copy_up_waits, "the same for opening a lower file for writing")
{
	set_up_writable();
	expect_waits(copy_something_up);
}

CASE(removing_waits, "the same for removing a name")
{
	set_up_writable();
	expect_waits(remove_something);
	expect_absent("merged/new");
}

CASE(mapping_waits, "the same for mapping a file of the upper so that it could be written")
{
	set_up_writable();
	expect_waits(map_something);
}

CASE(it_ends_by_itself, "at the end of its time it is over, and who waited goes on")
{
	int hold, other;
	double begin;

	set_up_writable();
	begin = now();
	hold = hold_for(700);
	CHECK(is_held(hold));
	write_something();
	CHECK(now() - begin >= 0.6);
	CHECK(now() - begin < 5);
	CHECK(!is_held(hold));
	/* That it is closed later does nothing to another one. */
	other = hold_for(SHALE_MAX_QUIESCE);
	OK(close(hold));
	CHECK(is_held(other));
}

CASE(one_at_a_time, "while it is held nobody else can have it, and afterwards one can")
{
	struct answer answer;
	int hold;

	set_up_writable();
	hold = hold_for(SHALE_MAX_QUIESCE);
	CHECK_EQ(quiesce(&answer, 1000).error, EBUSY);
	CHECK_EQ(answer.hold, -1);
	OK(close(hold));
	OK(close(hold_for(1000)));
}

CASE(who_asks_not_to_wait_does_not, "RWF_NOWAIT is EAGAIN while it is held")
{
	struct iovec text = { .iov_base = "UPPER", .iov_len = 5 };
	int hold, fd;

	set_up_writable();
	fd = OK(open_file("merged/new", O_WRONLY));
	hold = hold_for(SHALE_MAX_QUIESCE);
	FAILS(pwritev2(fd, &text, 1, 0, RWF_NOWAIT), EAGAIN);
	OK(close(hold));
}

CASE(who_waits_can_be_killed, "a task that waits for the end can be killed")
{
	int hold, status;
	pid_t child;

	set_up_writable();
	hold = hold_for(SHALE_MAX_QUIESCE);
	child = fork();
	if (!child) {
		write_something();
		_exit(0);
	}
	usleep(200 * 1000);
	OK(kill(child, SIGKILL));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(is_held(hold));
	expect_text("merged/new", "upper");
}

CASE(a_mapping_is_named, "a file mapped to be written is EBUSY and named, at once; unmapped, it is no more")
{
	struct answer answer;
	void *at;
	int fd;

	set_up_writable();
	fd = OK(open_file("merged/new", O_RDWR));
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED);
	CHECK_EQ(quiesce(&answer, 1000).error, EBUSY);
	CHECK(!strcmp(answer.path, "/new"));
	OK(close(fd));
	CHECK_EQ(quiesce(&answer, 1000).error, EBUSY);
	write_something();		/* and nothing is left closed */
	OK(munmap(at, 4096));
	OK(close(hold_for(1000)));

	/* Private ones, and those that can only be read, don't matter. */
	fd = OK(open_file("merged/new", O_RDWR));
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	fd = OK(open_file("merged/new", O_RDONLY));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	OK(close(hold_for(1000)));
}

CASE(a_stuck_change_is_busy, "a writer that does not come to an end is EBUSY within a second or so")
{
	struct answer answer;
	int ends[2], fd;
	double begin;
	pid_t child;

	set_up_writable();
	OK(pipe(ends));
	fd = OK(open_file("merged/new", O_WRONLY));
	child = fork();
	if (!child) {
		/* Of a pipe into which nobody writes. */
		OK(splice(ends[0], NULL, fd, NULL, 5, 0));
		_exit(0);
	}
	usleep(200 * 1000);
	begin = now();
	CHECK_EQ(quiesce(&answer, 1000).error, EBUSY);
	CHECK(now() - begin < 3);
	write_something();
	OK(write(ends[1], "other", 5));
	wait_for(child);
	OK(close(hold_for(1000)));
}

CASE(what_has_no_upper_is_refused, "a mount without a writable layer is EROFS; times out of range are refused")
{
	struct answer answer;

	needs_family();
	set_up();
	make_file("low/file", "text");
	make_file("top/file", "text");
	mount_layers("low");
	CHECK_EQ(quiesce(&answer, 0).error, ERANGE);
	CHECK_EQ(quiesce(&answer, SHALE_MAX_QUIESCE + 1).error, ERANGE);
	unmount();
	mount_read_only("top:low");
	CHECK_EQ(quiesce(&answer, 1000).error, EROFS);
}

CASE(unmounting_does_not_wait, "a mount that is held can be unmounted, and its hold is over then")
{
	double begin;
	int hold;

	set_up_writable();
	hold = hold_for(SHALE_MAX_QUIESCE);
	begin = now();
	unmount();
	CHECK(now() - begin < 5);
	CHECK(!is_held(hold));
	OK(close(hold));
}

/* A storm of writers */

enum { WRITERS = 4, STORM_SIZE = 1 << 16 };

static char *file_of(int writer)
{
	return strdup(text_of("merged/storm%d", writer));
}

static void write_buffered(int fd, char *page, int i)
{
	memset(page, i, 4096);
	CHECK_EQ(pwrite(fd, page, 4096, (i * 4096) % STORM_SIZE), 4096);
}

static aio_context_t context;

static void write_async(int fd, char *page, int i)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd,
		.aio_buf = (uint64_t)(uintptr_t)page, .aio_nbytes = 4096,
		.aio_offset = (i * 4096) % STORM_SIZE,
	}, *list = &iocb;
	struct io_event done;

	memset(page, i, 4096);
	CHECK_EQ(syscall(SYS_io_submit, context, 1, &list), 1);
	CHECK_EQ(syscall(SYS_io_getevents, context, 1, 1, &done, NULL), 1);
	CHECK_EQ(done.res, 4096);
}

static void open_and_rename(int writer, int i)
{
	OK(close(open_file(text_of("merged/many/%d", i % 2000), O_RDWR)));
	make_file(text_of("merged/temp%d", writer), "text");
	OK(rename(text_of("merged/temp%d", writer), text_of("merged/name%d", i % 10)));
}

static void storm(int writer, int stop)
{
	struct pollfd end = { .fd = stop, .events = POLLIN };
	const int flags = writer == 1 || writer == 2 ? O_DIRECT : 0;
	char *page = aligned_pages(4096);
	int i, fd = OK(open_file(file_of(writer), O_RDWR | flags));

	CHECK(!syscall(SYS_io_setup, 8, &context));
	for (i = 0; !poll(&end, 1, 0); i++) {
		if (writer == 2)
			write_async(fd, page, i);
		else if (writer == 3)
			open_and_rename(writer, i);
		else
			write_buffered(fd, page, i);
	}
	CHECK(!syscall(SYS_io_destroy, context));
	printf("# writer %d: %d times\n", writer, i);
	CHECK(i > 10);
}

CASE(a_storm_stands_still, "under a storm of writers what is read twice while it is held is the same, and none fails")
{
	int writer, round, holds = 0, stop[2];
	pid_t child[WRITERS];

	needs_family();
	set_up();
	make_dir("low/many");
	for (round = 0; round < 2000; round++)
		make_file(text_of("low/many/%d", round), "text");
	mount_layers("low");
	OK(pipe(stop));
	for (writer = 0; writer < WRITERS; writer++) {
		make_sized(file_of(writer), STORM_SIZE);
		child[writer] = fork();
		if (!child[writer]) {
			OK(close(stop[1]));
			storm(writer, stop[0]);
			fflush(stdout);
			_exit(0);
		}
	}
	for (round = 0; round < 20; round++) {
		char *once, *twice;
		int hold;

		usleep(50 * 1000);
		hold = hold_for(SHALE_MAX_QUIESCE);
		once = tree_of("upper");
		usleep(30 * 1000);
		twice = tree_of("upper");
		CHECK(is_held(hold));
		if (tree_difference(once, twice))
			fail("it changed: %s", tree_difference(once, twice));
		free(once);
		free(twice);
		OK(close(hold));
		holds++;
	}
	CHECK_EQ(holds, 20);
	OK(close(stop[1]));
	for (writer = 0; writer < WRITERS; writer++)
		wait_for(child[writer]);
}

CASES_MAIN
