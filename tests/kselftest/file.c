// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data through a mount: reading, writing, mapping, splicing, asynchronous requests.
 *
 *	/mnt		/scratch, if there is one, or tmpfs
 *	    low		lower layer
 *	    upper work
 *	    merged	the mount
 *
 * The lower layer's "file" is SIZE bytes of a pattern. No lower ever changes.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base.h"
#include "ktap.h"

enum { BLOCK = 4096, SIZE = 16 * BLOCK };

#define FILE_MERGED	"/mnt/merged/file"
#define FILE_LOWER	"/mnt/low/file"
#define FILE_UPPER	"/mnt/upper/file"

/* Fixture */

static char pattern(int offset)
{
	return 'a' + offset / BLOCK;
}

static bool is_pattern(const char *data, int offset, int len)
{
	for (int i = 0; i < len; i++) {
		if (data[i] != pattern(offset + i))
			return false;
	}
	return true;
}

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static off_t size_of(const char *path)
{
	struct stat st;

	CHECK(!stat(path, &st));
	return st.st_size;
}

static void set_up(void)
{
	char data[SIZE];
	int fd;

	mount_base();
	CHECK(!mkdir("/mnt/low", 0755) && !mkdir("/mnt/upper", 0755));
	CHECK(!mkdir("/mnt/work", 0755) && !mkdir("/mnt/merged", 0755));

	for (int i = 0; i < SIZE; i++)
		data[i] = pattern(i);
	fd = open(FILE_LOWER, O_CREAT | O_WRONLY, 0644);
	CHECK(write(fd, data, SIZE) == SIZE);
	close(fd);

	if (mount("none", "/mnt/merged", module_name(), 0,
		  "lowerdir=/mnt/low,upperdir=/mnt/upper,workdir=/mnt/work")) {
		if (errno == ENODEV)
			SKIP("the module is not loaded");
		CHECK(!"mounted");
	}
}

static int open_merged(int flags)
{
	int fd = open(FILE_MERGED, flags, 0644);

	CHECK(fd >= 0);
	return fd;
}

static void lower_is_unchanged(void)
{
	char data[SIZE + 1];
	int fd = open(FILE_LOWER, O_RDONLY);

	CHECK_EQ(read(fd, data, sizeof(data)), SIZE);
	CHECK(is_pattern(data, 0, SIZE));
	close(fd);
}

static void *aligned(size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(data != MAP_FAILED);
	return data;
}

/* Reading and copy-up */

static void reading_copies_nothing_up(void)
{
	char data[SIZE];
	int fd;

	set_up();
	fd = open_merged(O_RDONLY);
	CHECK_EQ(read(fd, data, SIZE), SIZE);
	CHECK(is_pattern(data, 0, SIZE));
	CHECK_EQ(read(fd, data, 1), 0);
	CHECK_EQ(pread(fd, data, 10, 3 * BLOCK - 5), 10);
	CHECK(is_pattern(data, 3 * BLOCK - 5, 10));
	CHECK(!fsync(fd) && !fdatasync(fd));
	CHECK(!posix_fadvise(fd, 0, SIZE, POSIX_FADV_WILLNEED));
	CHECK(!readahead(fd, 0, SIZE));
	CHECK(!exists(FILE_UPPER));
}

static void old_reader_sees_new_data(void)
{
	int reader, mapper, writer;
	char data[4];
	char *map;

	set_up();
	reader = open_merged(O_RDONLY);
	mapper = open_merged(O_RDONLY);
	CHECK_EQ(read(reader, data, 4), 4);

	writer = open_merged(O_WRONLY);
	CHECK_EQ(pwrite(writer, "WXYZ", 4, 2), 4);
	CHECK(exists(FILE_UPPER));

	CHECK_EQ(pread(reader, data, 4, 2), 4);
	CHECK(!memcmp(data, "WXYZ", 4));
	CHECK_EQ(read(reader, data, 4), 4);
	CHECK(!memcmp(data, "YZaa", 4));

	map = mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, mapper, 0);
	CHECK(map != MAP_FAILED);
	CHECK(!memcmp(map + 2, "WXYZ", 4));
	CHECK_EQ(pwrite(writer, "!", 1, 0), 1);
	CHECK(map[0] == '!');
	CHECK(!fsync(reader));
	lower_is_unchanged();
}

static void *read_all_the_time(void *stop)
{
	while (!atomic_load((atomic_bool *)stop)) {
		int fd = open(FILE_MERGED, O_RDONLY);
		char data[BLOCK];

		for (int i = 0; i < 50; i++) {
			if (pread(fd, data, BLOCK, 0) != BLOCK ||
			    (data[0] != 'a' && data[0] != 'Z'))
				return (void *)1;
		}
		close(fd);
	}
	return NULL;
}

static void copy_up_under_readers(void)
{
	atomic_bool stop = false;
	pthread_t reader[4];
	void *failed;
	int fd;

	set_up();
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&reader[i], NULL, read_all_the_time, &stop));
	usleep(100000);
	fd = open_merged(O_RDWR);
	CHECK_EQ(write(fd, "Z", 1), 1);
	usleep(100000);
	atomic_store(&stop, true);
	for (int i = 0; i < 4; i++) {
		CHECK(!pthread_join(reader[i], &failed));
		CHECK(!failed);
	}
	lower_is_unchanged();
}

static void truncation_at_open_copies_no_data(void)
{
	struct stat before, after;
	int fd;

	set_up();
	CHECK(!stat(FILE_LOWER, &before));
	fd = open_merged(O_WRONLY | O_TRUNC);
	CHECK_EQ(size_of(FILE_MERGED), 0);
	CHECK_EQ(size_of(FILE_UPPER), 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(size_of(FILE_MERGED), 1);
	CHECK(!stat(FILE_UPPER, &after));
	CHECK_EQ(after.st_mode, before.st_mode);
	lower_is_unchanged();
}

static void unlinked_file_lives_on(void)
{
	char path[64], data[4];
	int fd, again;

	set_up();
	fd = open_merged(O_RDONLY);
	CHECK(!unlink(FILE_MERGED));
	CHECK_EQ(pread(fd, data, 4, 0), 4);
	CHECK(!memcmp(data, "aaaa", 4));

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR);
	CHECK(again >= 0);
	CHECK_EQ(pwrite(again, "bb", 2, 1), 2);
	CHECK_EQ(pread(fd, data, 4, 0), 4);
	CHECK(!memcmp(data, "abba", 4));
	CHECK(!exists(FILE_MERGED));
	lower_is_unchanged();
}

/* Writing */

static void positions(void)
{
	int fd, flags;

	set_up();
	fd = open_merged(O_RDWR);
	CHECK_EQ(lseek(fd, 0, SEEK_END), SIZE);
	CHECK_EQ(lseek(fd, -10, SEEK_CUR), SIZE - 10);
	CHECK(lseek(fd, -SIZE, SEEK_CUR) < 0 && errno == EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), SIZE - 10);
	CHECK(lseek(fd, INT64_MAX, SEEK_CUR) < 0 && errno == EOVERFLOW);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), SIZE);
	CHECK(lseek(fd, SIZE, SEEK_DATA) < 0 && errno == ENXIO);

	CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
	CHECK_EQ(write(fd, "1", 1), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
	flags = fcntl(fd, F_GETFL);
	CHECK(!fcntl(fd, F_SETFL, flags | O_APPEND));
	CHECK_EQ(write(fd, "2", 1), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), SIZE + 1);
	CHECK(!fcntl(fd, F_SETFL, flags));
	CHECK_EQ(pwrite(fd, "3", 1, 0), 1);
	CHECK_EQ(size_of(FILE_MERGED), SIZE + 1);
	CHECK_EQ(lseek(fd, 0, SEEK_END), SIZE + 1);
	lower_is_unchanged();
}

static void appending_writers_lose_nothing(void)
{
	enum { WRITERS = 4, LINES = 200 };
	char line[] = "0123456789abcde";
	int fd;

	set_up();
	for (int i = 0; i < WRITERS; i++) {
		if (fork())
			continue;
		fd = open(FILE_MERGED, O_WRONLY | O_APPEND);
		for (int k = 0; k < LINES; k++) {
			if (write(fd, line, 16) != 16)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		CHECK(wait(&status) > 0 && !status);
	}
	CHECK_EQ(size_of(FILE_MERGED), SIZE + WRITERS * LINES * 16);
	CHECK_EQ(size_of(FILE_UPPER), SIZE + WRITERS * LINES * 16);
}

static void writing_removes_privileges(void)
{
	struct stat st;
	int fd;

	set_up();
	CHECK(!chmod(FILE_MERGED, 06777));
	fd = open_merged(O_WRONLY);
	CHECK(!setresuid(1000, 1000, 1000));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK(!stat(FILE_MERGED, &st));
	CHECK_EQ(st.st_mode & 07777, 0777);
}

static void allocation(void)
{
	struct stat st;
	char data[BLOCK];
	int fd;

	set_up();
	fd = open_merged(O_RDONLY);
	CHECK(fallocate(fd, 0, 0, BLOCK) < 0 && errno == EBADF);
	fd = open_merged(O_RDWR);
	CHECK(!fallocate(fd, 0, 0, 2 * SIZE));
	CHECK_EQ(size_of(FILE_MERGED), 2 * SIZE);
	CHECK(!ftruncate(fd, SIZE));
	CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, BLOCK, BLOCK));
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), BLOCK);
	CHECK_EQ(lseek(fd, BLOCK, SEEK_DATA), 2 * BLOCK);
	CHECK_EQ(pread(fd, data, BLOCK, BLOCK), BLOCK);
	CHECK(!data[0] && !data[BLOCK - 1]);
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_size, SIZE);
	lower_is_unchanged();
}

/* Mapping */

/* Has the kernel a file with two paths, or lets it us give a file another's? */
static bool kernel_can_show_our_path(void)
{
	char line[512];
	bool can = false;
	FILE *symbols = fopen("/proc/kallsyms", "r");

	CHECK(symbols);
	while (fgets(line, sizeof(line), symbols)) {
		if (strstr(line, " backing_file_open\n") || strstr(line, " open_with_fake_path\n"))
			can = true;
	}
	fclose(symbols);
	return can;
}

static void mapped_writes_arrive(void)
{
	char line[512], data[4];
	bool seen = false;
	FILE *maps;
	char *map;
	int fd;

	set_up();
	fd = open_merged(O_RDWR);
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK(is_pattern(map, 0, SIZE));
	memcpy(map + BLOCK, "MAP!", 4);
	CHECK_EQ(pread(fd, data, 4, BLOCK), 4);
	CHECK(!memcmp(data, "MAP!", 4));
	CHECK_EQ(pwrite(fd, "PUT!", 4, 0), 4);
	CHECK(!memcmp(map, "PUT!", 4));
	CHECK(!msync(map, SIZE, MS_SYNC));

	maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), maps)) {
		if (strstr(line, "/merged/file\n"))
			seen = true;
	}
	fclose(maps);
	CHECK(seen || !kernel_can_show_our_path());

	/* The mapping holds what it needs by itself: where it shows our path, the mount as well. */
	close(fd);
	CHECK(!memcmp(map + BLOCK, "MAP!", 4));
	if (kernel_can_show_our_path())
		CHECK(umount("/mnt/merged") < 0 && errno == EBUSY);
	else
		CHECK(!umount("/mnt/merged"));
	memcpy(map + BLOCK, "LATE", 4);
	CHECK(!memcmp(map + BLOCK, "LATE", 4));
	CHECK(!msync(map, SIZE, MS_SYNC));
	CHECK(!munmap(map, SIZE));
	if (kernel_can_show_our_path())
		CHECK(!umount("/mnt/merged"));
	lower_is_unchanged();
}

static void programs_run(void)
{
	int status;

	set_up();
	CHECK(!system("cp /bin/true /mnt/low/program && cp /bin/true /mnt/merged/copy"));
	status = system("/mnt/merged/program && /mnt/merged/copy");
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK(!exists("/mnt/upper/program"));
}

/* From file to file */

static void splicing(void)
{
	char data[SIZE];
	int in, out, pipes[2];
	off_t offset = BLOCK;
	loff_t pos = 5;

	set_up();
	in = open_merged(O_RDONLY);
	out = open("/mnt/merged/out", O_CREAT | O_RDWR, 0644);
	CHECK(out >= 0);
	CHECK_EQ(sendfile(out, in, &offset, 2 * BLOCK), 2 * BLOCK);
	CHECK_EQ(size_of("/mnt/merged/out"), 2 * BLOCK);
	CHECK_EQ(pread(out, data, SIZE, 0), 2 * BLOCK);
	CHECK(is_pattern(data, BLOCK, 2 * BLOCK));

	CHECK(!pipe(pipes));
	CHECK_EQ(write(pipes[1], "through a pipe", 14), 14);
	CHECK_EQ(splice(pipes[0], NULL, out, &pos, 14, 0), 14);
	CHECK_EQ(pos, 19);
	CHECK_EQ(pread(out, data, 14, 5), 14);
	CHECK(!memcmp(data, "through a pipe", 14));
	pos = 0;
	CHECK_EQ(splice(in, &pos, pipes[1], NULL, 3, 0), 3);
	CHECK_EQ(read(pipes[0], data, 10), 3);
	CHECK(!memcmp(data, "aaa", 3));
	CHECK(!exists(FILE_UPPER));
}

/* Who waits for a pipe lets others change the file, but keeps no privilege that they give it. */
static void splicing_may_wait(void)
{
	int pipes[2], fd, status;
	struct stat st;
	pid_t child;

	set_up();
	CHECK(!chmod(FILE_MERGED, 0777));
	CHECK(!pipe(pipes));
	child = fork();
	if (!child) {
		loff_t pos = 0;

		fd = open_merged(O_WRONLY);
		CHECK(!setresuid(1000, 1000, 1000));
		CHECK_EQ(splice(pipes[0], NULL, fd, &pos, 5, 0), 5);
		_exit(0);
	}
	usleep(300000);
	CHECK(!chmod(FILE_MERGED, 04777));
	fd = open_merged(O_WRONLY);
	CHECK_EQ(pwrite(fd, "written", 7, 10), 7);
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_mode & 07777, 04777);

	CHECK_EQ(write(pipes[1], "late!", 5), 5);
	CHECK(waitpid(child, &status, 0) == child && !status);
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_mode & 07777, 0777);
	CHECK_EQ(st.st_size, SIZE);
}

static void copying_ranges(void)
{
	loff_t in_pos = BLOCK, pos = 0;
	char data[SIZE];
	int in, out;

	set_up();
	in = open_merged(O_RDONLY);
	out = open("/mnt/merged/out", O_CREAT | O_RDWR, 0644);
	CHECK(out >= 0);
	CHECK_EQ(copy_file_range(in, &in_pos, out, &pos, 3 * BLOCK, 0), 3 * BLOCK);
	CHECK_EQ(size_of("/mnt/merged/out"), 3 * BLOCK);
	CHECK_EQ(pread(out, data, SIZE, 0), 3 * BLOCK);
	CHECK(is_pattern(data, BLOCK, 3 * BLOCK));

	in_pos = 0;
	pos = 1;
	CHECK(copy_file_range(out, &in_pos, out, &pos, BLOCK, 0) < 0 && errno == EINVAL);
	CHECK(!exists(FILE_UPPER));
}

static void cloning(void)
{
	struct file_clone_range range = { .src_length = SIZE };
	char data[SIZE + 1];
	int in, out;

	set_up();
	in = open_merged(O_RDONLY);
	out = open("/mnt/merged/out", O_CREAT | O_RDWR, 0644);
	range.src_fd = in;
	if (ioctl(out, FICLONERANGE, &range) < 0) {
		CHECK_EQ(errno, EOPNOTSUPP);
		SKIP("the layers' file system shares no extents");
	}
	CHECK_EQ(size_of("/mnt/merged/out"), SIZE);
	CHECK_EQ(pread(out, data, sizeof(data), 0), SIZE);
	CHECK(is_pattern(data, 0, SIZE));
	CHECK(!exists(FILE_UPPER));
}

/* Asynchronous requests */

static aio_context_t context;

static void submit(struct iocb *iocb)
{
	CHECK_EQ(syscall(SYS_io_submit, context, 1, &iocb), 1);
}

static long complete(void)
{
	struct io_event event;

	CHECK_EQ(syscall(SYS_io_getevents, context, 1, 1, &event, NULL), 1);
	return event.res;
}

static long request(int fd, int opcode, void *data, size_t len, off_t offset)
{
	struct iocb iocb = {
		.aio_fildes = fd,
		.aio_lio_opcode = opcode,
		.aio_buf = (uintptr_t)data,
		.aio_nbytes = len,
		.aio_offset = offset,
	};

	submit(&iocb);
	return complete();
}

static void asynchronous(int flags)
{
	char *data;
	int fd;

	set_up();
	data = aligned(SIZE);
	CHECK(!syscall(SYS_io_setup, 16, &context));
	fd = open_merged(O_RDONLY | flags);
	CHECK_EQ(request(fd, IOCB_CMD_PREAD, data, SIZE, BLOCK), SIZE - BLOCK);
	CHECK(is_pattern(data, BLOCK, SIZE - BLOCK));
	CHECK_EQ(request(fd, IOCB_CMD_PREAD, data, BLOCK, SIZE), 0);

	fd = open_merged(O_RDWR | flags);
	memset(data, 'q', SIZE);
	CHECK_EQ(request(fd, IOCB_CMD_PWRITE, data, BLOCK, BLOCK), BLOCK);
	/* Past the end: who is told that it is done finds the file longer. */
	CHECK_EQ(request(fd, IOCB_CMD_PWRITE, data, SIZE, 2 * SIZE), SIZE);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 3 * SIZE);
	CHECK_EQ(size_of(FILE_MERGED), 3 * SIZE);
	memset(data, 0, SIZE);
	CHECK_EQ(request(fd, IOCB_CMD_PREAD, data, BLOCK, BLOCK), BLOCK);
	CHECK(data[0] == 'q' && data[BLOCK - 1] == 'q');
	CHECK_EQ(request(fd, IOCB_CMD_PREAD, data, BLOCK, 3 * SIZE - BLOCK), BLOCK);
	CHECK(data[0] == 'q');
	CHECK_EQ(size_of(FILE_UPPER), 3 * SIZE);
	CHECK(!syscall(SYS_io_destroy, context));
	lower_is_unchanged();
}

static void asynchronous_buffered(void)
{
	asynchronous(0);
}

static void asynchronous_direct(void)
{
	asynchronous(O_DIRECT);
}

/* Many at once, and the file closed while they are under way. */
static void asynchronous_flood(void)
{
	enum { ROUNDS = 40, AT_ONCE = 32 };
	struct iocb iocb[AT_ONCE];
	char *data;

	set_up();
	data = aligned(BLOCK);
	memset(data, 'f', BLOCK);
	CHECK(!syscall(SYS_io_setup, AT_ONCE, &context));
	for (int round = 0; round < ROUNDS; round++) {
		int fd = open_merged(O_RDWR | O_DIRECT);

		for (int i = 0; i < AT_ONCE; i++) {
			iocb[i] = (struct iocb){
				.aio_fildes = fd,
				.aio_lio_opcode = i % 4 ? IOCB_CMD_PWRITE : IOCB_CMD_FSYNC,
				.aio_buf = i % 4 ? (uintptr_t)data : 0,
				.aio_nbytes = i % 4 ? BLOCK : 0,
				.aio_offset = i % 4 ? (round * AT_ONCE + i) * (off_t)BLOCK : 0,
			};
			submit(&iocb[i]);
		}
		close(fd);
		for (int i = 0; i < AT_ONCE; i++)
			CHECK(complete() >= 0);
	}
	CHECK_EQ(size_of(FILE_MERGED), ROUNDS * AT_ONCE * BLOCK);
	CHECK(!syscall(SYS_io_destroy, context));
	/* The kernel closes a file some moments after its last request is done. */
	for (int i = 0; i < 100 && umount("/mnt/merged"); i++)
		usleep(50000);
	CHECK(!exists(FILE_MERGED));
	lower_is_unchanged();
}

static void direct(void)
{
	char *data;
	int fd;

	set_up();
	data = aligned(BLOCK);
	fd = open_merged(O_RDONLY);
	CHECK(!fcntl(fd, F_SETFL, O_DIRECT));
	CHECK_EQ(pread(fd, data, BLOCK, BLOCK), BLOCK);
	CHECK(is_pattern(data, BLOCK, BLOCK));
	fd = open_merged(O_RDWR | O_DIRECT);
	CHECK_EQ(pwrite(fd, data, BLOCK, 0), BLOCK);
	CHECK_EQ(pread(fd, data, BLOCK, 0), BLOCK);
	CHECK(is_pattern(data, BLOCK, BLOCK));
	lower_is_unchanged();
}

/* Who watches a layer learns nothing of what is read through a mount. */
static void layers_are_not_notified(void)
{
	char data[BLOCK];
	int fd, inotify;

	set_up();
	inotify = inotify_init1(IN_NONBLOCK);
	CHECK(inotify_add_watch(inotify, FILE_LOWER, IN_ALL_EVENTS) > 0);
	fd = open_merged(O_RDONLY);
	CHECK_EQ(read(fd, data, BLOCK), BLOCK);
	CHECK(mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
	CHECK(read(inotify, data, sizeof(data)) < 0 && errno == EAGAIN);
}

/* Who may forbid opening and reading on the layers' file system is not asked, and can't stop us. */
static void permission_listeners_are_not_asked(void)
{
	const uint64_t mask = FAN_OPEN_PERM | FAN_ACCESS_PERM | FAN_OPEN | FAN_ACCESS |
			      FAN_MODIFY | FAN_CLOSE;
	char data[BLOCK];
	int fanotify, fd;

	set_up();
	fanotify = fanotify_init(FAN_CLASS_CONTENT | FAN_NONBLOCK, O_RDONLY);
	if (fanotify < 0 && errno == ENOSYS)
		SKIP("the kernel has no fanotify");
	CHECK(fanotify >= 0);
	if (fanotify_mark(fanotify, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD, "/mnt/low")) {
		CHECK_EQ(errno, EINVAL);
		SKIP("the kernel has no permission events");
	}
	fd = open_merged(O_RDONLY);
	CHECK_EQ(read(fd, data, BLOCK), BLOCK);
	CHECK(mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	close(fd);
	fd = open_merged(O_RDWR);
	CHECK_EQ(write(fd, data, 10), 10);
	CHECK(!fsync(fd));
	close(fd);
	fd = open("/mnt/merged", O_RDONLY | O_DIRECTORY);
	CHECK(syscall(SYS_getdents64, fd, data, sizeof(data)) > 0);
	CHECK(!fsync(fd));
	close(fd);
	CHECK(!unlink(FILE_MERGED));
	CHECK(read(fanotify, data, sizeof(data)) < 0 && errno == EAGAIN);
}

static void the_mount_is_notified(void)
{
	char data[BLOCK];
	int fd, inotify;

	set_up();
	inotify = inotify_init1(IN_NONBLOCK);
	CHECK(inotify_add_watch(inotify, FILE_MERGED, IN_MODIFY) > 0);
	fd = open_merged(O_RDWR);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(read(inotify, data, sizeof(data)), sizeof(struct inotify_event));
}

static const struct ktap_test tests[] = {
	TEST(reading_copies_nothing_up),
	TEST(old_reader_sees_new_data),
	TEST(copy_up_under_readers),
	TEST(truncation_at_open_copies_no_data),
	TEST(unlinked_file_lives_on),
	TEST(positions),
	TEST(appending_writers_lose_nothing),
	TEST(writing_removes_privileges),
	TEST(allocation),
	TEST(mapped_writes_arrive),
	TEST(programs_run),
	TEST(splicing),
	TEST(splicing_may_wait),
	TEST(copying_ranges),
	TEST(cloning),
	TEST(asynchronous_buffered),
	TEST(asynchronous_direct),
	TEST(asynchronous_flood),
	TEST(direct),
	TEST(layers_are_not_notified),
	TEST(permission_listeners_are_not_asked),
	TEST(the_mount_is_notified),
};

KTAP_MAIN(tests)
