// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How requests to an open file are carried out: which wait for which, which never wait, who hears of
 * them, and what a mapping shows that was there before.
 */
#include "fixture.h"

#include <pthread.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>

enum { PAGE = 4096 };

/* Waiting for each other */

struct writer {
	pthread_t thread;
	int fd;
	off_t at;
};

static void *write_page(void *argument)
{
	const struct writer *writer = argument;

	CHECK_EQ(pwrite(writer->fd, aligned_pages(PAGE), PAGE, writer->at), PAGE);
	return NULL;
}

/* How long so many take, each at a place of its own. */
static long long milliseconds_for(struct writer *writers, int nr)
{
	struct timespec begin, end;
	int i;

	CHECK(!clock_gettime(CLOCK_MONOTONIC, &begin));
	for (i = 0; i < nr; i++)
		CHECK(!pthread_create(&writers[i].thread, NULL, write_page, &writers[i]));
	for (i = 0; i < nr; i++)
		CHECK(!pthread_join(writers[i].thread, NULL));
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &end));
	return (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
}

/*
 * The disk takes a second for each request, and any number of them at once.
 *
 *	upper  mine, 16 pages
 */
CASE(direct_side_by_side, "three direct writers to one file take the time of one")
{
	enum { WRITERS = 3 };
	struct writer writers[WRITERS];
	long long one, all;
	int i;

	only_shale("it lets one in at a time");
	set_up_on(BREAKABLE);
	make_sized("upper/mine", 16 * PAGE);
	mount_layers("low");
	for (i = 0; i < WRITERS; i++)
		writers[i] = (struct writer){ .fd = open_file("merged/mine", O_RDWR | O_DIRECT), .at = i * PAGE };
	base_break(REQUESTS_WAIT);
	one = milliseconds_for(writers, 1);
	all = milliseconds_for(writers, WRITERS);
	base_repair();
	printf("# one: %lld ms, %d: %lld ms\n", one, WRITERS, all);
	CHECK(one >= 1000);
	CHECK(all < 2 * one);
}

/* Not waiting */

static ssize_t read_now(int fd, char *page)
{
	struct iovec iov = { .iov_base = page, .iov_len = PAGE };

	return preadv2(fd, &iov, 1, 0, RWF_NOWAIT);
}

static ssize_t write_now(int fd, char *page)
{
	struct iovec iov = { .iov_base = page, .iov_len = PAGE };

	return pwritev2(fd, &iov, 1, 0, RWF_NOWAIT);
}

/*
 *	low  file, 16 pages
 */
CASE(read_without_waiting, "RWF_NOWAIT reads what is in memory, and never waits for a copy to be opened")
{
	char page[PAGE];
	int fd, writer, tries, error = 0;

	only_shale("it does not know RWF_NOWAIT");
	set_up_on("ext4");
	make_sized("low/file", 16 * PAGE);
	mount_layers("low");
	fd = open_file("merged/file", O_RDONLY);
	/*
	 * What a CPU has just put into memory may not go at once. And one read
	 * that would wait starts reading ahead: a second one may find the data.
	 */
	for (tries = 0; tries < 10 && !error; tries++) {
		OK(syncfs(open_file(".", O_RDONLY)));
		drop_all_caches();
		error = read_now(fd, page) < 0 ? errno : 0;
	}
	CHECK_EQ(error, EAGAIN);
	CHECK_EQ(OK(pread(fd, page, PAGE, 0)), PAGE);
	CHECK_EQ(OK(read_now(fd, page)), PAGE);

	writer = open_file("merged/file", O_RDWR);
	CHECK_EQ(OK(pwrite(writer, "new", 3, 0)), 3);
	FAILS(read_now(fd, page), EAGAIN);
	CHECK_EQ(OK(pread(fd, page, PAGE, 0)), PAGE);
	CHECK_EQ(OK(read_now(fd, page)), PAGE);
	CHECK(!memcmp(page, "new", 3));
}

/* Does it happen? Noting the time may take waiting, but once it is noted, it need not be for a moment. */
static bool overwrites_now(int fd, char *page)
{
	int tries;

	for (tries = 0; tries < 50; tries++) {
		CHECK_EQ(pwrite(fd, page, PAGE, 0), PAGE);
		if (write_now(fd, page) == PAGE)
			return true;
		CHECK_EQ(errno, EAGAIN);
	}
	return false;
}

/*
 *	upper  mine, 16 pages    beside it a file of no layer
 */
CASE(write_without_waiting, "RWF_NOWAIT overwrites directly, but for the first time, and leaves set-id bits to others")
{
	char *page = aligned_pages(PAGE);
	int fd;

	only_shale("it does not know RWF_NOWAIT");
	set_up_on("ext4");
	make_sized("upper/mine", 16 * PAGE);
	make_sized("beside", 16 * PAGE);
	mount_layers("low");
	OK(syncfs(open_file("merged", O_RDONLY)));
	fd = open_file("merged/mine", O_RDWR | O_DIRECT);
	FAILS(write_now(fd, page), EAGAIN);
	CHECK_EQ(overwrites_now(fd, page), overwrites_now(open_file("beside", O_RDWR | O_DIRECT), page));
	OK(chmod("merged/mine", 04755));
	FAILS(write_now(fd, page), EAGAIN);
}

CASE(not_everywhere, "where the file system below does not know RWF_NOWAIT, it is refused")
{
	char page[PAGE];
	int fd;

	set_up_on("tmpfs");
	make_sized("low/file", PAGE);
	fd = open_file("low/file", O_RDONLY);
	if (read_now(fd, page) >= 0)
		SKIP("tmpfs knows it here");
	mount_layers("low");
	fd = open_file("merged/file", O_RDONLY);
	FAILS(read_now(fd, page), EOPNOTSUPP);
}

/* Being told of */

/* How many events of each kind come for one file, by bit. */
static void count_events(int fanotify, int *counts)
{
	char buffer[8192];
	ssize_t size;

	memset(counts, 0, 64 * sizeof(*counts));
	while ((size = read(fanotify, buffer, sizeof(buffer))) > 0) {
		const struct fanotify_event_metadata *event = (void *)buffer;
		int bit;

		for (; FAN_EVENT_OK(event, size); event = FAN_EVENT_NEXT(event, size)) {
			for (bit = 0; bit < 64; bit++)
				counts[bit] += (event->mask >> bit) & 1;
			if (event->fd >= 0)
				close(event->fd);
		}
	}
}

static int times(const int *counts, unsigned long long mask)
{
	return counts[__builtin_ctzll(mask)];
}

/*
 *	low  file
 */
CASE(told_once, "who watches the mount is told of each open, read, write and close once, as on any file system")
{
	const unsigned long long mask = FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE;
	int counts[64], fanotify, fd, out;
	char text[8];

	set_up();
	make_file("low/file", "text");
	make_file("low/other", "");
	mount_layers("low");
	fanotify = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY | O_NOATIME);
	if (fanotify < 0 && errno == ENOSYS)
		SKIP("this kernel has no fanotify");
	/* Of this process alone, on each file. */
	OK(fanotify_mark(fanotify, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD, "merged"));

	fd = open_file("merged/file", O_RDWR);
	CHECK_EQ(OK(read(fd, text, 4)), 4);
	count_events(fanotify, counts);
	CHECK_EQ(times(counts, FAN_OPEN), 1);
	CHECK_EQ(times(counts, FAN_ACCESS), 1);
	CHECK_EQ(times(counts, FAN_MODIFY), 0);

	CHECK_EQ(OK(write(fd, "more", 4)), 4);
	count_events(fanotify, counts);
	CHECK_EQ(times(counts, FAN_MODIFY), 1);
	CHECK_EQ(times(counts, FAN_OPEN), 0);
	OK(fallocate(fd, 0, 0, 4096));
	count_events(fanotify, counts);
	CHECK_EQ(times(counts, FAN_MODIFY), 1);

	out = open_file("merged/other", O_WRONLY);
	count_events(fanotify, counts);
	CHECK_EQ(OK(sendfile(out, fd, &(off_t){ 0 }, 4)), 4);
	count_events(fanotify, counts);
	CHECK_EQ(times(counts, FAN_ACCESS), 1);
	CHECK_EQ(times(counts, FAN_MODIFY), 1);
	close(out);
	close(fd);
	count_events(fanotify, counts);
	CHECK_EQ(times(counts, FAN_CLOSE_WRITE), 2);
}

/* Mappings from before the copy-up */

static const char *map_shared(const char *path)
{
	int fd = open_file(path, O_RDONLY);
	char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(map != MAP_FAILED);
	close(fd);
	return map;
}

/*
 *	low  file
 */
CASE(mapping_keeps_the_lower, "a mapping from before the copy-up keeps showing the lower's data; a new one shows the copy's")
{
	const char *map;

	set_up();
	make_file("low/file", "old");
	mount_layers("low");
	map = map_shared("merged/file");
	CHECK(!strcmp(map, "old"));
	write_text("merged/file", "new");
	CHECK(!strcmp(map, "old"));
	CHECK(!strcmp(map_shared("merged/file"), "new"));
}

static void set_up_copies(const char *features)
{
	set_up_if_known(features);
	make_file("low/file", "old");
}

CASE(copied_when_opened, "copy_up=open: a mapping shows what is written later, for it is one of the copy")
{
	const char *map;

	set_up_copies("copy_up=open");
	mount_layers("low");
	map = map_shared("merged/file");
	expect_text("upper/file", "old");
	write_inside("merged/file", "new");
	CHECK(!strcmp(map, "new"));
	expect_text("low/file", "old");
}

CASE(completed_when_opened, "copy_up=open: a copy without data gets it when it is opened")
{
	const char *map;

	set_up_copies("copy_up=open,redirect_dir=on,metacopy=on");
	mount_layers("low");
	OK(chmod("merged/file", 0600));
	CHECK(getxattr("upper/file", "trusted.overlay.metacopy", NULL, 0) >= 0);
	map = map_shared("merged/file");
	CHECK(getxattr("upper/file", "trusted.overlay.metacopy", NULL, 0) < 0);
	write_inside("merged/file", "new");
	CHECK(!strcmp(map, "new"));
}

CASE(not_copied_when_looked_at, "copy_up=open: neither stat nor running a program nor a read-only mount copies up")
{
	set_up_copies("copy_up=open");
	CHECK_EQ(system("cp /bin/true low/program"), 0);
	mount_layers("low");
	stat_of("merged/file");
	close(open_file("merged/file", O_PATH));
	CHECK_EQ(system("merged/program"), 0);
	expect_names("upper", "");
	OK(mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	expect_text("merged/file", "old");
	expect_names("upper", "");
}

CASES_MAIN
