// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The contents of files, as any file system must keep them: whether a file lies in a lower, was
 * copied up or was made in the mount is no difference to a program.
 */
#include "aio.h"
#include "fixture.h"

#include <linux/falloc.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

enum { PAGE = 4096, SIZE = 16 * PAGE };

/* Runs a program to its end. Return: its exit status. */
static int run(const char *path)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child) {
		execl(path, path, NULL);
		_exit(errno);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void copy_program(const char *from, const char *to)
{
	CHECK_EQ(OK(system(text_of("cp %s %s", from, to))), 0);
}

/*
 *	low  f="0123456789"
 */
CASE(reading, "reads at any offset, at the end and beyond it, copy nothing up")
{
	char text[32];
	int fd;

	set_up();
	make_file("low/f", "0123456789");
	mount_layers("low");
	fd = open_file("merged/f", O_RDONLY);
	CHECK_EQ(OK(read(fd, text, 4)), 4);
	CHECK_EQ(OK(read(fd, text + 4, 16)), 6);
	CHECK(!memcmp(text, "0123456789", 10));
	CHECK_EQ(OK(read(fd, text, 16)), 0);
	CHECK_EQ(OK(pread(fd, text, 3, 8)), 2);
	CHECK_EQ(OK(pread(fd, text, 3, 100)), 0);
	CHECK_EQ(OK(lseek(fd, -3, SEEK_END)), 7);
	CHECK_EQ(OK(lseek(fd, 1, SEEK_CUR)), 8);
	CHECK_EQ(OK(read(fd, text, 1)), 1);
	CHECK_EQ(text[0], '8');
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	FAILS(lseek(fd, 0, 77), EINVAL);
	FAILS(read(open_file("merged", O_RDONLY), text, 1), EISDIR);
	expect_names("upper", "");
}

/*
 *	low  f="0123456789"
 */
CASE(writing, "writes inside, across and far behind the end are read back, also after mounting again")
{
	char text[32] = "";
	int fd;

	set_up();
	make_file("low/f", "0123456789");
	mount_layers("low");
	fd = open_file("merged/f", O_RDWR);
	CHECK_EQ(OK(pwrite(fd, "abc", 3, 2)), 3);
	CHECK_EQ(OK(pwrite(fd, "END", 3, 9)), 3);
	CHECK_EQ(OK(pread(fd, text, 32, 0)), 12);
	CHECK(!memcmp(text, "01abc5678END", 12));
	CHECK_EQ(OK(pwrite(fd, "far", 3, 100000)), 3);
	CHECK_EQ(stat_of("merged/f").st_size, 100003);
	CHECK_EQ(OK(pread(fd, text, 4, 50000)), 4);
	CHECK(!memcmp(text, "\0\0\0\0", 4));
	close(fd);
	again();
	CHECK_EQ(stat_of("merged/f").st_size, 100003);
	fd = open_file("merged/f", O_RDONLY);
	CHECK_EQ(OK(pread(fd, text, 32, 100000)), 3);
	CHECK(!memcmp(text, "far", 3));
	expect_text("low/f", "0123456789");
}

/*
 *	low  f="start"
 */
CASE(appending, "O_APPEND writes at the end, whoever else has written")
{
	int one, two;

	set_up();
	make_file("low/f", "start");
	mount_layers("low");
	one = open_file("merged/f", O_WRONLY | O_APPEND);
	two = open_file("merged/f", O_WRONLY | O_APPEND);
	CHECK_EQ(OK(write(one, "1", 1)), 1);
	CHECK_EQ(OK(write(two, "2", 1)), 1);
	CHECK_EQ(OK(write(one, "3", 1)), 1);
	OK(fcntl(one, F_SETFL, 0));
	CHECK_EQ(OK(pwrite(one, "S", 1, 0)), 1);
	expect_text("merged/f", "Start123");
}

/*
 *	low  f, 1024 bytes more than 16 pages, whose blocks the copy shares
 */
CASE(appending_directly, "what is appended with O_DIRECT leaves the rest of a shared block as it is")
{
	char *pages = aligned_pages(PAGE), text[1024], wanted[1024];
	int fd;

	only_shale("some file systems lose it");
	set_up_on("xfs");
	make_sized("low/f", SIZE + 1024);
	OK(syncfs(open_file(".", O_RDONLY)));
	CHECK_EQ(OK(pread(open_file("low/f", O_RDONLY), wanted, 1024, SIZE)), 1024);
	mount_layers("low");
	fd = open_file("merged/f", O_RDWR | O_APPEND | O_DIRECT);
	CHECK_EQ(OK(write(fd, pages, PAGE)), PAGE);
	fd = open_file("merged/f", O_RDONLY);
	CHECK_EQ(OK(pread(fd, text, 1024, SIZE)), 1024);
	CHECK(!memcmp(text, wanted, 1024));
	CHECK_EQ(stat_of("merged/f").st_size, SIZE + 1024 + PAGE);
}

/*
 *	low  f, 16 pages
 */
CASE(truncating, "truncate shrinks and grows, with zeros where nothing was")
{
	char text[16];
	int fd;

	set_up();
	make_sized("low/f", SIZE);
	mount_layers("low");
	fd = open_file("merged/f", O_RDWR);
	OK(ftruncate(fd, 5000));
	expect_sized("merged/f", 5000);
	OK(ftruncate(fd, SIZE));
	CHECK_EQ(stat_of("merged/f").st_size, SIZE);
	CHECK_EQ(OK(pread(fd, text, 16, 5000)), 16);
	CHECK(!memcmp(text, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
	OK(truncate("merged/f", 0));
	CHECK_EQ(stat_of("merged/f").st_size, 0);
	FAILS(ftruncate(fd, -1), EINVAL);
	expect_sized("low/f", SIZE);
}

/*
 *	low  f, 16 pages
 */
CASE(shared_mapping, "what is written through a shared mapping is read back by read() and by other mappings")
{
	char *map, *other, text[8];
	int fd;

	set_up();
	make_sized("low/f", SIZE);
	mount_layers("low");
	fd = open_file("merged/f", O_RDWR);
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	other = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(other != MAP_FAILED);
	memcpy(map + 3 * PAGE, "mapped", 6);
	CHECK_EQ(OK(pread(fd, text, 6, 3 * PAGE)), 6);
	CHECK(!memcmp(text, "mapped", 6));
	CHECK(!memcmp(other + 3 * PAGE, "mapped", 6));
	CHECK_EQ(OK(pwrite(fd, "written", 7, 5 * PAGE)), 7);
	CHECK(!memcmp(map + 5 * PAGE, "written", 7));
	OK(msync(map, SIZE, MS_SYNC));
	OK(munmap(map, SIZE));
	OK(munmap(other, SIZE));
	close(fd);
	again();
	fd = open_file("merged/f", O_RDONLY);
	CHECK_EQ(OK(pread(fd, text, 6, 3 * PAGE)), 6);
	CHECK(!memcmp(text, "mapped", 6));
	expect_sized("low/f", SIZE);
}

/*
 *	low  f, 16 pages
 */
CASE(private_mapping, "a private mapping shows the file, and writing to it changes nobody else's")
{
	char *map;
	int fd;

	set_up();
	make_sized("low/f", SIZE);
	mount_layers("low");
	fd = open_file("merged/f", O_RDONLY);
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	memcpy(map, "private", 7);
	expect_sized("merged/f", SIZE);
	FAILS((long)mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	expect_names("upper", "");
}

/*
 *	low  true  false   (programs)
 */
CASE(executing, "programs run from a lower, after a copy-up, and when made in the mount")
{
	set_up();
	copy_program("/bin/true", "low/true");
	copy_program("/bin/false", "low/false");
	make_file("low/script", "#!/bin/sh\nexit 7\n");
	OK(chmod("low/script", 0755));
	mount_layers("low");
	CHECK_EQ(run("merged/true"), 0);
	CHECK_EQ(run("merged/false"), 1);
	CHECK_EQ(run("merged/script"), 7);
	expect_names("upper", "");
	OK(chmod("merged/false", 0700));
	CHECK(exists("upper/false"));
	CHECK_EQ(run("merged/false"), 1);
	copy_program("merged/true", "merged/new");
	CHECK_EQ(run("merged/new"), 0);
	OK(chmod("merged/true", 0644));
	CHECK_EQ(run("merged/true"), EACCES);
	again();
	CHECK_EQ(run("merged/new"), 0);
}

/*
 *	low  cat  true   (programs)
 */
CASE(text_busy, "a running program can't be written to, nor one that is open for writing run: ETXTBSY")
{
	int pipes[2], status, fd;
	char byte;
	pid_t child;

	set_up();
	copy_program("/bin/cat", "low/cat");
	copy_program("/bin/true", "low/true");
	mount_layers("low");
	/* Copied up first: what runs from a lower is a file that nobody writes to. */
	OK(chmod("merged/cat", 0755));
	OK(chmod("merged/true", 0755));

	OK(pipe2(pipes, 0));
	fflush(stdout);
	child = OK(fork());
	if (!child) {
		int out = open("/dev/null", O_WRONLY);

		dup2(pipes[0], 0);
		dup2(out, 1);
		fcntl(pipes[1], F_SETFD, FD_CLOEXEC);
		close(pipes[0]);
		execl("merged/cat", "cat", NULL);
		_exit(99);
	}
	close(pipes[0]);
	/* cat has begun to run when it takes the byte out of the pipe. */
	byte = 'x';
	CHECK_EQ(OK(write(pipes[1], &byte, 1)), 1);
	for (int left = 1; left; sched_yield())
		OK(ioctl(pipes[1], FIONREAD, &left));
	FAILS(open("merged/cat", O_WRONLY), ETXTBSY);
	FAILS(truncate("merged/cat", 0), ETXTBSY);
	close(pipes[1]);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	close(open_file("merged/cat", O_WRONLY));

	fd = open_file("merged/true", O_WRONLY);
	CHECK_EQ(run("merged/true"), ETXTBSY);
	close(fd);
	CHECK_EQ(run("merged/true"), 0);
}

/*
 *	low  f, 16 pages
 */
CASE(syncing, "fsync, fdatasync, syncfs and msync work on files and directories of every layer")
{
	int fd;

	set_up();
	make_sized("low/f", SIZE);
	make_dir("low/d");
	mount_layers("low");
	fd = open_file("merged/f", O_RDONLY);
	OK(fsync(fd));
	OK(fdatasync(fd));
	close(fd);
	fd = open_file("merged/f", O_RDWR);
	CHECK_EQ(OK(pwrite(fd, "x", 1, 0)), 1);
	OK(fdatasync(fd));
	OK(fsync(fd));
	OK(syncfs(fd));
	OK(sync_file_range(fd, 0, SIZE, SYNC_FILE_RANGE_WRITE));
	close(fd);
	fd = open_file("merged/d", O_RDONLY | O_DIRECTORY);
	OK(fsync(fd));
	close(fd);
	fd = open_file("merged", O_RDONLY | O_DIRECTORY);
	OK(fsync(fd));
	close(fd);
	fd = open_file("merged/f", O_WRONLY | O_SYNC);
	CHECK_EQ(OK(pwrite(fd, "y", 1, 1)), 1);
	close(fd);
	fd = open_file("merged/f", O_RDWR | O_DSYNC);
	CHECK_EQ(OK(pwrite(fd, "z", 1, 2)), 1);
}

/*
 *	low/  upper/
 */
CASE(statfs_type, "statfs tells the type's own magic and the upper's numbers")
{
	struct statfs merged, base;

	set_up();
	mount_layers("low");
	OK(statfs("merged", &merged));
	OK(statfs("upper", &base));
	if (!like_overlay())
		CHECK(merged.f_type != base.f_type && merged.f_type != 0x794c7630);
	else
		CHECK_EQ(merged.f_type, 0x794c7630);
	CHECK_EQ(merged.f_bsize, base.f_bsize);
	CHECK_EQ(merged.f_blocks, base.f_blocks);
	CHECK_EQ(merged.f_namelen, 255);
}

/*
 *	low  f, 16 pages
 */
CASE(copying_in_the_kernel, "sendfile, splice and copy_file_range from and to files of every layer")
{
	loff_t from, to;
	int in, out, pipes[2], left;

	set_up();
	make_sized("low/f", SIZE);
	make_file("low/range", "to be replaced");
	mount_layers("low");
	in = open_file("merged/f", O_RDONLY);

	out = open_file("merged/sent", O_CREAT | O_RDWR);
	for (left = SIZE; left;)
		left -= OK(sendfile(out, in, NULL, left));
	expect_sized("merged/sent", SIZE);
	close(out);

	out = open_file("merged/spliced", O_CREAT | O_RDWR);
	OK(pipe2(pipes, O_CLOEXEC));
	for (from = to = 0; to < SIZE;) {
		long len = OK(splice(in, &from, pipes[1], NULL, 4 * PAGE, 0));

		while (len)
			len -= OK(splice(pipes[0], NULL, out, &to, len, 0));
	}
	expect_sized("merged/spliced", SIZE);
	close(out);

	out = open_file("merged/range", O_RDWR);
	OK(ftruncate(out, 0));
	for (from = to = 0; to < SIZE;)
		CHECK(OK(copy_file_range(in, &from, out, &to, SIZE, 0)) > 0);
	expect_sized("merged/range", SIZE);
	close(out);
	close(in);
	again();
	expect_sized("merged/sent", SIZE);
	expect_sized("merged/spliced", SIZE);
	expect_sized("merged/range", SIZE);
	expect_text("low/range", "to be replaced");
}

/*
 *	low  f, 16 pages
 */
CASE(allocating, "fallocate grows a file and punches holes, and is refused on a read-only descriptor")
{
	char text[8];
	int fd;

	set_up();
	make_sized("low/f", SIZE);
	mount_layers("low");
	fd = open_file("merged/f", O_RDWR);
	OK(fallocate(fd, 0, SIZE, PAGE));
	CHECK_EQ(stat_of("merged/f").st_size, SIZE + PAGE);
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 * SIZE, PAGE));
	CHECK_EQ(stat_of("merged/f").st_size, SIZE + PAGE);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE));
	CHECK_EQ(OK(pread(fd, text, 8, PAGE)), 8);
	CHECK(!memcmp(text, "\0\0\0\0\0\0\0\0", 8));
	FAILS(fallocate(fd, 0, 0, 0), EINVAL);
	close(fd);
	fd = open_file("merged/f", O_RDONLY);
	FAILS(fallocate(fd, 0, 0, PAGE), EBADF);
	expect_sized("low/f", SIZE);
}

/*
 *	low  f: data at 0 and at 1 MiB, holes between and up to 2 MiB
 */
CASE(seeking_data, "SEEK_DATA and SEEK_HOLE find the same in the lower file and in its copy")
{
	enum { MIB = 1 << 20 };
	off_t lower_hole, lower_data;
	int fd;

	set_up();
	fd = open_file("low/f", O_CREAT | O_RDWR);
	CHECK_EQ(OK(pwrite(fd, "x", 1, 0)), 1);
	CHECK_EQ(OK(pwrite(fd, "x", 1, MIB)), 1);
	OK(ftruncate(fd, 2 * MIB));
	OK(fsync(fd));
	lower_hole = OK(lseek(fd, 0, SEEK_HOLE));
	lower_data = OK(lseek(fd, lower_hole, SEEK_DATA));
	CHECK_EQ(lower_data, MIB);
	close(fd);
	mount_layers("low");
	fd = open_file("merged/f", O_RDONLY);
	CHECK_EQ(OK(lseek(fd, 0, SEEK_HOLE)), lower_hole);
	CHECK_EQ(OK(lseek(fd, lower_hole, SEEK_DATA)), lower_data);
	CHECK_EQ(OK(lseek(fd, 0, SEEK_CUR)), lower_data);
	FAILS(lseek(fd, lower_data + MIB / 2, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, 2 * MIB, SEEK_DATA), ENXIO);
	OK(chmod("merged/f", 0600));
	if (on_shale()) {
		CHECK_EQ(OK(lseek(fd, 0, SEEK_HOLE)), lower_hole);
		CHECK_EQ(OK(lseek(fd, lower_hole, SEEK_DATA)), lower_data);
	} else {
		/* overlayfs copies whole pieces of a mebibyte, zeros and all. */
		CHECK_EQ(OK(lseek(fd, 0, SEEK_DATA)), 0);
	}
}

/*
 *	low  f, 16 pages
 */
CASE(direct, "O_DIRECT works where the base has it, and is refused where it has not")
{
	char *page = aligned_pages(PAGE), *back = aligned_pages(PAGE);
	int fd;

	set_up();
	make_sized("low/f", SIZE);
	mount_layers("low");
	fd = open("low/f", O_RDONLY | O_DIRECT);
	if (fd < 0) {
		CHECK_EQ(errno, EINVAL);
		FAILS(open("merged/f", O_RDONLY | O_DIRECT), EINVAL);
		return;
	}
	CHECK_EQ(OK(pread(fd, back, PAGE, PAGE)), PAGE);
	close(fd);
	fd = open_file("merged/f", O_RDONLY | O_DIRECT);
	CHECK_EQ(OK(pread(fd, page, PAGE, PAGE)), PAGE);
	CHECK(!memcmp(page, back, PAGE));
	close(fd);
	expect_names("upper", "");
	fd = open_file("merged/f", O_RDWR | O_DIRECT);
	memset(page, 'd', PAGE);
	CHECK_EQ(OK(pwrite(fd, page, PAGE, 2 * PAGE)), PAGE);
	CHECK_EQ(OK(pread(fd, back, PAGE, 2 * PAGE)), PAGE);
	CHECK(!memcmp(page, back, PAGE));
	close(fd);
	fd = open_file("merged/f", O_RDONLY);
	CHECK_EQ(OK(pread(fd, back, PAGE, 2 * PAGE)), PAGE);
	CHECK(!memcmp(page, back, PAGE));
	expect_sized("low/f", SIZE);
}

/*
 *	low  f, 16 pages
 */
CASE(asynchronous, "asynchronous reads and writes, buffered and direct")
{
	char *page = aligned_pages(PAGE), *back = aligned_pages(PAGE);
	int fd, flags;

	set_up();
	make_sized("low/f", SIZE);
	mount_layers("low");
	for (flags = 0; flags <= O_DIRECT; flags += O_DIRECT) {
		fd = open("merged/f", O_RDWR | flags);
		if (fd < 0) {
			CHECK_EQ(flags, O_DIRECT);
			FAILS(open("low/f", O_RDONLY | O_DIRECT), EINVAL);
			break;
		}
		memset(page, flags ? 'd' : 'b', PAGE);
		CHECK_EQ(asynchronously(fd, IOCB_CMD_PWRITE, page, PAGE, 3 * PAGE), PAGE);
		CHECK_EQ(asynchronously(fd, IOCB_CMD_PREAD, back, PAGE, 3 * PAGE), PAGE);
		CHECK(!memcmp(page, back, PAGE));
		CHECK_EQ(asynchronously(fd, IOCB_CMD_PWRITE, page, PAGE, SIZE), PAGE);
		CHECK_EQ(stat_of("merged/f").st_size, SIZE + PAGE);
		OK(ftruncate(fd, SIZE));
		close(fd);
	}
	expect_sized("low/f", SIZE);
}

/* Whether another process can get the lock. */
static bool can_flock(const char *path)
{
	bool can = false;
	int status;
	pid_t child = fork();

	if (!child) {
		int fd = open(path, O_RDONLY);

		_exit(flock(fd, LOCK_EX | LOCK_NB) ? errno : 0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	can = WEXITSTATUS(status) == 0;
	CHECK(can || WEXITSTATUS(status) == EWOULDBLOCK);
	return can;
}

static bool can_write_lock(const char *path)
{
	int status;
	pid_t child = fork();

	if (!child) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };
		int fd = open(path, O_RDWR);

		_exit(fcntl(fd, F_SETLK, &lock) ? errno : 0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	CHECK(!WEXITSTATUS(status) || WEXITSTATUS(status) == EAGAIN || WEXITSTATUS(status) == EACCES);
	return !WEXITSTATUS(status);
}

/*
 *	low  f="low"
 */
CASE(locks, "flock and fcntl locks exclude others, also those who open the file after its copy-up")
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 10 };
	int fd;

	set_up();
	make_file("low/f", "low");
	make_file("low/g", "low");
	mount_layers("low");
	fd = open_file("merged/f", O_RDONLY);
	OK(flock(fd, LOCK_EX));
	CHECK(!can_flock("merged/f"));
	OK(chmod("merged/f", 0600));
	CHECK(!can_flock("merged/f"));
	OK(flock(fd, LOCK_UN));
	CHECK(can_flock("merged/f"));

	fd = open_file("merged/g", O_RDONLY);
	OK(fcntl(fd, F_SETLK, &lock));
	CHECK(!can_write_lock("merged/g"));
	CHECK(exists("upper/g"));
	CHECK(!can_write_lock("merged/g"));
	lock.l_type = F_UNLCK;
	OK(fcntl(fd, F_SETLK, &lock));
	CHECK(can_write_lock("merged/g"));
}

/*
 *	low  f="low"
 */
CASE(times_of_data, "reading leaves mtime alone, writing sets it, and stat sees it at once")
{
	struct stat before;
	char text[8];
	int fd;

	set_up();
	make_file("low/f", "low");
	set_mtime("low/f", 1000, 1);
	mount_layers("low");
	fd = open_file("merged/f", O_RDWR);
	CHECK_EQ(OK(read(fd, text, 8)), 3);
	before = stat_of("merged/f");
	CHECK_EQ(before.st_mtim.tv_sec, 1000);
	CHECK_EQ(OK(pwrite(fd, "LOW", 3, 0)), 3);
	CHECK(stat_of("merged/f").st_mtim.tv_sec > 1000);
	CHECK(stat_of("merged/f").st_ctim.tv_sec >= before.st_ctim.tv_sec);
	CHECK_EQ(stat_of("low/f").st_mtim.tv_sec, 1000);
}

/*
 *	low  f   upper and work on a tmpfs of 1 MiB
 */
CASE(upper_is_full, "writing to a full upper is ENOSPC, and what fitted is there")
{
	static char block[65536];
	long written = 0, len;
	int fd;

	set_up();
	make_dir("small");
	make_file("low/f", "low");
	OK(mount("none", "small", "tmpfs", 0, "size=1m"));
	make_dir("small/upper");
	make_dir("small/work");
	mount_options("merged", "lowerdir=low,upperdir=small/upper,workdir=small/work");
	fd = open_file("merged/new", O_CREAT | O_WRONLY);
	while ((len = write(fd, block, sizeof(block))) > 0)
		written += len;
	CHECK_EQ(errno, ENOSPC);
	CHECK(written > 0 && written <= 1 << 20);
	CHECK_EQ(stat_of("merged/new").st_size, written);
	close(fd);
	OK(unlink("merged/new"));
	write_text("merged/f", "fits");
	expect_text("merged/f", "fits");
	unmount();
}

CASES_MAIN
