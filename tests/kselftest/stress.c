// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many tasks at once on one mount, for SHALE_STRESS_SECONDS (20). Nobody may see what nobody did, and
 * when all have ended, the tree must be what its layers make, each record whole, each file that is
 * written by one task at a time of one writer, and nothing left in the work directory.
 *
 *	low	d0/ ... d7/	s0 ... sF: records, written in place by all ("shared")
 *				o0 ... oF: records, replaced by rename ("owned")
 *		pool/		p0 ... p999: small files of one content, to be copied up
 *	top	d0/ ... d7/	s0, o0
 *	merged			the mount of these with upper and work
 *	bound			a bind mount of merged, which comes and goes
 *	other			a second mount of these, which comes and goes, with upper1 and work1, or
 *				more of their kind
 */
#include "fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <time.h>

#include "genl.h"
#include "record.h"
#include "tree.h"

enum { NR_DIRS = 8, NR_NAMES = 16, NR_PLACES = 16, NR_POOL = 1000, SECONDS = 20 };

/* How long a task may need to end when it is told to; several share a slow processor. */
enum { PATIENCE = 90 };

static const char lowers[] = "top:low";
static const char pool_content[] = "each file of the pool has this content";

/* What a task does, again and again. */
struct job {
	const char *name;
	void (*step)(void);
	int pause_ms;		/* between two steps */
};

/* What all tasks and their supervisor see. */
struct task {
	pid_t pid;
	unsigned long steps;
	const char *call;	/* the last one */
};

static struct board {
	bool stop;
	bool quiet;		/* begin nothing new for a moment */
	unsigned long remounts, detached;
	int other;		/* number of the other mount's upper and work directory */
	struct task task[32];
} *board;

/* This task */
static const struct job *job;
static struct task *me;
static uint32_t my_number, my_generation;
static uint64_t random_state;

static unsigned int any(unsigned int nr)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 20) % nr;
}

/* Calls. What others may have brought about is an answer like any other. */

static bool is_expected(int error)
{
	switch (error) {
	case ENOENT:
	case EEXIST:
	case ENOTEMPTY:
	case ENOTDIR:
	case EISDIR:
	case EXDEV:
	case EROFS:
		return true;
	default:
		return false;
	}
}

static long tried(long result, int also)
{
	int error = errno;

	if (result < 0 && !is_expected(error) && error != also)
		fail("%s: %s: %s", job->name, me->call, errno_name(error));
	errno = error;
	return result;
}

/* @also: an error that this call may answer with as well, or 0. */
#define TRY_OR(call_, also)							\
	(step_at(__FILE__, __LINE__), me->call = #call_, tried((call_), also))
#define TRY(call_) TRY_OR(call_, 0)

/* Names */

static const char *dir_in(const char *mount)
{
	return text_of("%s/d%u", mount, any(NR_DIRS));
}

/* Mostly one of four that all tasks are after at the moment, others a moment later. */
static const char *pool_name(const char *mount)
{
	struct timespec now;
	unsigned int moment, number = any(NR_POOL);

	clock_gettime(CLOCK_MONOTONIC, &now);
	moment = now.tv_sec * 10 + now.tv_nsec / 100000000;
	if (any(8))
		number = (4 * moment + any(4)) % NR_POOL;
	return text_of("%s/pool/p%u", mount, number);
}

static const char *name_in(const char *mount, char kind)
{
	return text_of("%s/%c%X", dir_in(mount), kind, any(NR_NAMES));
}

/* Any name of any kind, mostly of those that are there. */
static const char *any_name(const char *mount)
{
	if (!any(3))
		return pool_name(mount);
	return name_in(mount, "sommxf"[any(6)]);
}

/* Content */

/* All of it by one writer, of one generation. */
static void expect_one_writer(const char *path, const struct record *records, long size)
{
	long nr = size / RECORD_SIZE, i;

	if (size % RECORD_SIZE)
		fail("%s: %s: %ld bytes, which are no records", job->name, path, size);
	for (i = 0; i < nr; i++) {
		if (!record_is_valid(&records[i], i))
			fail("%s: %s: record %ld of %ld is damaged", job->name, path, i, nr);
		if (records[i].writer != records[0].writer ||
		    records[i].generation != records[0].generation)
			fail("%s: %s: records %u.%u and %u.%u in one file", job->name, path,
			     records[0].writer, records[0].generation, records[i].writer,
			     records[i].generation);
	}
}

/* Each record, or hole, by anybody. */
static void expect_records(const char *path, const struct record *records, long size)
{
	long nr = size / RECORD_SIZE, i;

	if (size % RECORD_SIZE)
		fail("%s: %ld bytes, which are no records", path, size);
	for (i = 0; i < nr; i++) {
		if (!record_is_valid(&records[i], i) && !record_is_empty(&records[i]))
			fail("%s: record %ld of %ld is damaged", path, i, nr);
	}
}

static void make_records(struct record *records, int nr, uint32_t writer, uint32_t generation)
{
	int i;

	for (i = 0; i < nr; i++)
		record_make(&records[i], writer, generation, i);
}

/* The jobs: data */

static void write_shared(void)
{
	struct record record;
	uint32_t place = any(NR_PLACES);
	int fd = TRY(open(name_in("merged", 's'), O_RDWR | O_CREAT | O_CLOEXEC, 0644));

	if (fd < 0)
		return;
	record_make(&record, my_number, ++my_generation, place);
	TRY(pwrite(fd, &record, RECORD_SIZE, (off_t)place * RECORD_SIZE));
	if (!any(8))
		TRY(ftruncate(fd, (off_t)any(NR_PLACES) * RECORD_SIZE));
	if (!any(16))
		TRY(fsync(fd));
	close(fd);
}

static void truncate_shared(void)
{
	const char *path = name_in("merged", 's');

	if (any(2))
		TRY(truncate(path, (off_t)any(NR_PLACES) * RECORD_SIZE));
	else
		close(TRY(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)));
}

static void replace_owned(void)
{
	struct record records[NR_PLACES];
	int nr = 1 + any(NR_PLACES), fd;
	const char *temp = text_of("%s/t%u", dir_in("merged"), my_number);

	fd = TRY(open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
	if (fd >= 0) {
		make_records(records, nr, my_number, ++my_generation);
		if (TRY(write(fd, records, nr * RECORD_SIZE)) != nr * RECORD_SIZE)
			fail("%s: a short write", job->name);
		close(fd);
	}
	/* Left from before when the mount was read-only in between: of us as well, and whole. */
	TRY(rename(temp, name_in("merged", 'o')));
}

static void read_owned(void)
{
	const char *path = name_in(any(4) ? "merged" : "bound", 'o');
	struct record records[NR_PLACES + 1];
	int fd = TRY(open(path, O_RDONLY | O_CLOEXEC));
	long size;

	if (fd < 0)
		return;
	size = TRY(read(fd, records, sizeof(records)));
	expect_one_writer(path, records, size);
	close(fd);
}

static void map_owned(void)
{
	const char *path = name_in("merged", 'o');
	int fd = TRY(open(path, O_RDONLY | O_CLOEXEC));
	struct stat st;
	void *map;

	if (fd < 0)
		return;
	if (!TRY(fstat(fd, &st)) && st.st_size) {
		map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			fail("%s: mmap: %s", job->name, errno_name(errno));
		expect_one_writer(path, map, st.st_size);
		munmap(map, st.st_size);
	}
	close(fd);
}

/* Writes a file of its own through a mapping, and reads back what it is for all others. */
static void write_mapped(void)
{
	const char *path = text_of("merged/d0/f%X", my_number % NR_NAMES);
	int fd = TRY(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
	struct record *map, record;
	uint32_t place = any(NR_PLACES);

	if (fd < 0)
		return;
	if (TRY(ftruncate(fd, NR_PLACES * RECORD_SIZE)))
		goto out;
	map = mmap(NULL, NR_PLACES * RECORD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail("%s: mmap: %s", job->name, errno_name(errno));
	record_make(&map[place], my_number, ++my_generation, place);
	TRY(pread(fd, &record, RECORD_SIZE, (off_t)place * RECORD_SIZE));
	if (memcmp(&record, &map[place], RECORD_SIZE))
		fail("%s: %s: what was mapped and what is read differ", job->name, path);
	if (!any(4))
		TRY(msync(map, NR_PLACES * RECORD_SIZE, MS_SYNC));
	munmap(map, NR_PLACES * RECORD_SIZE);
out:
	close(fd);
}

static void expect_pool_content(const char *path, int fd)
{
	char content[64];
	long size = TRY(pread(fd, content, sizeof(content), 0));

	if (size != sizeof(pool_content) || memcmp(content, pool_content, size))
		fail("%s: %s has another content", job->name, path);
}

/* Files that stay open while they are copied up, replaced and removed. */
static void hold_open(void)
{
	static struct {
		int fd;
		char path[64];
	} held[16];
	int nr = any(16);

	if (held[nr].fd)
		close(held[nr].fd);
	snprintf(held[nr].path, sizeof(held[nr].path), "%s", pool_name("merged"));
	held[nr].fd = TRY(open(held[nr].path, O_RDONLY | O_CLOEXEC));
	for (nr = 0; nr < 16; nr++) {
		if (held[nr].fd > 0)
			expect_pool_content(held[nr].path, held[nr].fd);
	}
}

/* The jobs: names */

static void renew_pool(void)
{
	const char *temp = "merged/pool/temp", *path = pool_name("merged");
	int fd;

	if (any(4)) {
		TRY(unlink(path));
		return;
	}
	fd = TRY(open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	if (fd < 0)
		return;
	TRY(write(fd, pool_content, sizeof(pool_content)));
	close(fd);
	TRY(rename(temp, path));
}

static void link_owned(void)
{
	if (any(2))
		TRY(link(name_in("merged", 'o'), name_in("merged", 'o')));
	else
		TRY(unlink(name_in("merged", 'o')));
}

static void rename_any(void)
{
	char kind = "som"[any(3)];

	if (!any(4)) {
		TRY(rename(pool_name("merged"), pool_name("merged")));
		return;
	}
	/* Within its kind; a directory may be told to move into itself. */
	TRY_OR(renameat2(AT_FDCWD, name_in("merged", kind), AT_FDCWD, name_in("merged", kind),
			 any(4) ? 0 : any(2) ? RENAME_EXCHANGE : RENAME_NOREPLACE), EINVAL);
}

static void make_and_remove(void)
{
	const char *dir = name_in("merged", 'm');

	switch (any(8)) {
	case 0:
	case 1:
		TRY(mkdir(dir, 0755));
		break;
	case 2:
		TRY(rmdir(dir));
		break;
	case 3:
		close(TRY(open(text_of("%s/x", dir), O_CREAT | O_WRONLY | O_CLOEXEC, 0644)));
		break;
	case 4:
		TRY(unlink(text_of("%s/x", dir)));
		break;
	case 5:
		TRY(symlink("target", name_in("merged", 'x')));
		break;
	case 6:
		TRY(mknod(name_in("merged", 'x'), S_IFIFO | 0644, 0));
		break;
	case 7:
		TRY(unlink(name_in("merged", any(2) ? 'x' : 's')));
		break;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void list(void)
{
	const char *path = any(4) ? dir_in(any(4) ? "merged" : "bound") : "merged/pool";
	static char names[1024][64];
	struct dirent *entry;
	int nr = 0, i;
	DIR *dir = opendir(path);

	if (!dir) {
		me->call = "opendir";
		tried(-1, 0);
		return;
	}
	errno = 0;
	while ((entry = readdir(dir)) && nr < 1024) {
		snprintf(names[nr++], sizeof(names[0]), "%.63s", entry->d_name);
		errno = 0;
	}
	if (errno)
		fail("%s: readdir(%s): %s", job->name, path, errno_name(errno));
	closedir(dir);
	qsort(names, nr, sizeof(names[0]), by_name);
	for (i = 1; i < nr; i++) {
		if (!strcmp(names[i - 1], names[i]))
			fail("%s: %s has the name %s twice", job->name, path, names[i]);
	}
}

static void look(void)
{
	struct stat st;

	TRY(lstat(any_name(any(4) ? "merged" : "bound"), &st));
}

/* The jobs: attributes */

static void copy_up(const char *mount)
{
	const char *path = pool_name(mount);

	switch (any(4)) {
	case 0:
		TRY(chmod(path, 0600 + any(64)));
		break;
	case 1:
		close(TRY(open(path, O_WRONLY | O_CLOEXEC)));
		break;
	case 2:
		TRY(setxattr(path, "user.s", "stress", 6, 0));
		break;
	case 3:
		TRY(utimensat(AT_FDCWD, path, NULL, 0));
		break;
	}
}

static void copy_up_merged(void)
{
	copy_up("merged");
}

/* The value has one letter only, so that a mixture of two would show. */
static void change_attributes(void)
{
	const char *path = name_in("merged", "som"[any(3)]);
	char value[64], first = 'a' + any(26);
	long size, i;

	memset(value, first, sizeof(value));
	TRY(chmod(path, 0700 + any(64)));
	TRY(lchown(path, any(3), any(3)));
	TRY(setxattr(path, "user.s", value, 1 + any(sizeof(value)), 0));
	size = TRY_OR(getxattr(path, "user.s", value, sizeof(value)), ENODATA);
	for (i = 1; i < size; i++) {
		if (value[i] != value[0])
			fail("%s: %s: a mixed attribute", job->name, path);
	}
	if (!any(4))
		TRY_OR(removexattr(path, "user.s"), ENODATA);
}

/* The jobs: the mounts */

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	TRY(write(fd, any(2) ? "2" : "3", 1));
	close(fd);
}

static bool make_read_only(void)
{
	return !TRY_OR(mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
}

/*
 * Whoever has a file open for writing keeps the mount writable: EBUSY. So, sometimes, nobody begins
 * anything until it is read-only; then all go on, and are told EROFS.
 */
static void remount(void)
{
	int tries = any(2) ? 50 : 1;

	board->quiet = tries > 1;
	while (tries-- && !board->stop) {
		if (make_read_only()) {
			board->remounts++;
			break;
		}
		usleep(10000);
	}
	board->quiet = false;
	usleep(any(20000));
	TRY(mount(NULL, "merged", NULL, MS_REMOUNT, NULL));
}

static void exchange_bound(void)
{
	/* Not mounted: EINVAL. */
	TRY_OR(umount2("bound", MNT_DETACH), EINVAL);
	usleep(any(20000));
	TRY(mount("merged", "bound", NULL, MS_BIND, NULL));
}

static int mount_other(void)
{
	return mount("other", "other", fs_type(), 0,
		     text_of("lowerdir=top:low,upperdir=upper%d,workdir=work%d", board->other,
			     board->other));
}

/* A new upper has everything to be copied up again. */
static void make_other_upper(void)
{
	int number = board->other + 1;

	make_dir(text_of("upper%d", number));
	make_dir(text_of("work%d", number));
	board->other = number;
}

/* Those who are still in it keep the old one, and with it the upper: EBUSY until they have left. */
static void exchange_other(void)
{
	if (!TRY_OR(umount2("other", MNT_DETACH), EINVAL))
		board->detached++;
	if (!any(3))
		make_other_upper();
	while (TRY_OR(mount_other(), EBUSY) < 0 && !board->stop)
		usleep(1000);
	usleep(any(200000));
}

static void use_other(void)
{
	const char *path = name_in("other", 's');
	struct record record;
	int fd;

	copy_up("other");
	if (any(2)) {
		TRY(unlink(path));
		return;
	}
	fd = TRY(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
	if (fd < 0)
		return;
	record_make(&record, my_number, ++my_generation, 0);
	TRY(pwrite(fd, &record, RECORD_SIZE, 0));
	close(fd);
}

/* The jobs: asking */

static void take_nothing(const struct nlmsghdr *message, void *context)
{
	(void)message;
	(void)context;
}

static void ask_of_mounts(void)
{
	static struct request request;
	static struct genl genl;
	struct refusal refusal;
	struct statfs st;
	int fd;

	if (!genl.family)
		genl = genl_open();
	TRY(statfs(any(2) ? "merged" : "other", &st));
	request_begin(&request, genl.family, SHALE_CMD_GET, NLM_F_DUMP);
	refusal = genl_ask(&genl, &request, take_nothing, NULL);
	if (refusal.error)
		fail("%s: dump: %s", job->name, errno_name(refusal.error));
	fd = TRY(open(any(2) ? "merged" : "other", O_PATH | O_CLOEXEC));
	request_begin(&request, genl.family, SHALE_CMD_GET, NLM_F_ACK);
	request_add_fd(&request, SHALE_A_MOUNT_FD, fd);
	refusal = genl_ask(&genl, &request, take_nothing, NULL);
	if (refusal.error && refusal.error != ENOENT)
		fail("%s: get: %s", job->name, errno_name(refusal.error));
	close(fd);
}

static void read_mountinfo(void)
{
	static char text[1 << 16];
	int fd = TRY(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));

	while (TRY(read(fd, text, sizeof(text))) > 0)
		;
	close(fd);
}

static const struct job jobs[] = {
	{ "write", write_shared, 0 },
	{ "write", write_shared, 0 },
	{ "truncate", truncate_shared, 5 },
	{ "replace", replace_owned, 0 },
	{ "replace", replace_owned, 0 },
	{ "read", read_owned, 0 },
	{ "map", map_owned, 0 },
	{ "write mapped", write_mapped, 0 },
	{ "hold open", hold_open, 0 },
	{ "renew the pool", renew_pool, 5 },
	{ "link", link_owned, 0 },
	{ "rename", rename_any, 0 },
	{ "make and remove", make_and_remove, 0 },
	{ "list", list, 0 },
	{ "look", look, 0 },
	{ "copy up", copy_up_merged, 0 },
	{ "copy up", copy_up_merged, 0 },
	{ "change attributes", change_attributes, 0 },
	{ "drop caches", drop_caches, 200 },
	{ "remount", remount, 300 },
	{ "exchange the bind mount", exchange_bound, 50 },
	{ "exchange the other mount", exchange_other, 50 },
	{ "use the other mount", use_other, 1 },
	{ "use the other mount", use_other, 1 },
	{ "ask", ask_of_mounts, 10 },
	{ "read mountinfo", read_mountinfo, 10 },
};

enum { NR_JOBS = sizeof(jobs) / sizeof(jobs[0]) };

/* Running them */

static void do_job(unsigned int number, unsigned int seed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	job = &jobs[number];
	me = &board->task[number];
	my_number = number + 1;		/* 0 is the layers' own */
	random_state = ((uint64_t)seed << 32) + 0x9e3779b97f4a7c15 * my_number;
	while (!board->stop) {
		while (board->quiet && job->step != remount)
			usleep(1000);
		job->step();
		me->steps++;
		if (job->pause_ms)
			usleep(job->pause_ms * 1000);
	}
	fflush(stdout);
	_exit(KTAP_PASS);
}

static void start_all(unsigned int seed)
{
	unsigned int i;

	fflush(stdout);
	for (i = 0; i < NR_JOBS; i++) {
		pid_t pid = fork();

		if (!pid)
			do_job(i, seed);
		board->task[i].pid = OK(pid);
	}
}

static void show_file(const char *format, pid_t pid)
{
	char line[256];
	FILE *file = fopen(text_of(format, pid), "re");

	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		printf("#     %s", line);
	fclose(file);
}

/* Reaps those that have ended. Return: how many have not. */
static int reap(int *nr_failed)
{
	int left = 0, i, status;

	for (i = 0; i < NR_JOBS; i++) {
		struct task *task = &board->task[i];

		if (!task->pid)
			continue;
		if (waitpid(task->pid, &status, WNOHANG) != task->pid) {
			left++;
			continue;
		}
		task->pid = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == KTAP_PASS)
			continue;
		if (WIFSIGNALED(status))
			printf("# \"%s\" was killed by signal %d in %s\n", jobs[i].name,
			       WTERMSIG(status), task->call);
		++*nr_failed;
		board->stop = true;
	}
	return left;
}

/* Those that don't end show where they are, and are killed. */
static int kill_all(void)
{
	int i, nr = 0;

	for (i = 0; i < NR_JOBS; i++) {
		pid_t pid = board->task[i].pid;

		if (!pid)
			continue;
		printf("# \"%s\" does not end, its last call: %s\n", jobs[i].name,
		       board->task[i].call);
		show_file("/proc/%d/wchan", pid);
		show_file("/proc/%d/stack", pid);
		kill(pid, SIGKILL);
		nr++;
	}
	return nr;
}

/* Return: how many tasks have failed. */
static int wait_for_all(int seconds)
{
	int failed = 0, ticks = 0;

	while (reap(&failed)) {
		usleep(100000);
		if (++ticks >= 10 * seconds)
			board->stop = true;
		if (ticks > 10 * (seconds + PATIENCE))
			return failed + kill_all();
		if (board->stop && ticks < 10 * seconds)
			ticks = 10 * seconds;	/* one has failed: the others need not go on */
	}
	return failed;
}

static void show_steps(void)
{
	int i;

	for (i = 0; i < NR_JOBS; i++)
		printf("# %7lu times: %s\n", board->task[i].steps, jobs[i].name);
	printf("# %lu times read-only, %lu times detached\n", board->remounts, board->detached);
}

/* Before and after */

static void make_record_file(const char *path)
{
	struct record records[NR_PLACES];
	int fd = open_file(path, O_CREAT | O_EXCL | O_WRONLY);

	make_records(records, NR_PLACES, 0, 0);
	OK(write(fd, records, sizeof(records)));
	close(fd);
}

static void make_layers(void)
{
	int dir, name;

	for (dir = 0; dir < NR_DIRS; dir++) {
		make_dir(text_of("low/d%d", dir));
		make_dir(text_of("top/d%d", dir));
		make_record_file(text_of("top/d%d/s0", dir));
		make_record_file(text_of("top/d%d/o0", dir));
		for (name = 0; name < NR_NAMES; name++) {
			make_record_file(text_of("low/d%d/s%X", dir, name));
			make_record_file(text_of("low/d%d/o%X", dir, name));
		}
	}
	make_dir("low/pool");
	for (name = 0; name < NR_POOL; name++) {
		int fd = open_file(text_of("low/pool/p%d", name), O_CREAT | O_EXCL | O_WRONLY);

		OK(write(fd, pool_content, sizeof(pool_content)));
		close(fd);
	}
}

/* The kind of a file is the first letter of its name. */
static void check_file(const char *path, char kind)
{
	struct record records[NR_PLACES + 1];
	int fd = open_file(path, O_RDONLY);
	long size = OK(read(fd, records, sizeof(records)));

	if (kind == 'p')
		expect_pool_content(path, fd);
	close(fd);
	if (kind == 'o')
		expect_one_writer(path, records, size);
	else if (kind == 's' || kind == 'f')
		expect_records(path, records, size);
}

static void check_files(const char *path)
{
	DIR *names = opendir(path);
	struct dirent *entry;
	char file[512];

	CHECK(names);
	while ((entry = readdir(names))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_REG)
			check_file(file, entry->d_name[0]);
	}
	closedir(names);
}

static void check_content(const char *mount)
{
	int dir;

	for (dir = 0; dir < NR_DIRS; dir++)
		check_files(text_of("%s/d%d", mount, dir));
	check_files(text_of("%s/pool", mount));
}

static void expect_same_tree(const char *got, const char *wanted, const char *what)
{
	char *difference = tree_difference(got, wanted);

	if (difference)
		fail("%s: %s", what, difference);
}

/* What is shown is what the layers make; from the caches, and from the disk. */
static void check_tree(const char *mount, const char *layers)
{
	char *before = tree_of(mount);

	expect_same_tree(before, union_of(layers), "the mount is not what its layers are");
	check_content(mount);
	OK(umount2(mount, 0));
	expect_same_tree(union_of(layers), before, "unmounting has changed the layers");
}

static void mount_all(void)
{
	make_dir("bound");
	make_dir("other");
	mount_layers(lowers);
	make_other_upper();
	OK(mount_other());
	OK(mount("merged", "bound", NULL, MS_BIND, NULL));
}

/* Whatever the tasks that exchange them have left. */
static void settle_mounts(void)
{
	umount2("bound", MNT_DETACH);
	if (umount2("other", 0) && errno != EINVAL)
		fail("unmounting the other mount: %s", errno_name(errno));
	OK(mount(NULL, "merged", NULL, MS_REMOUNT, NULL));
	OK(mount_other());
}

static void make_board(void)
{
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	CHECK(board != MAP_FAILED);
}

static int number_of(const char *variable, int otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? atoi(text) : otherwise;
}

CASE(many_tasks, "many tasks change one mount at once: each file is of one writer, the tree of its layers")
{
	int seconds = number_of("SHALE_STRESS_SECONDS", SECONDS);
	unsigned int seed = number_of("SHALE_STRESS_SEED", time(NULL));
	char *top, *low, other_layers[64];
	int failed;

	alarm(seconds + 4 * PATIENCE);
	only_shale("its netlink family is asked, too");
	set_up();
	make_layers();
	make_board();
	top = tree_of("top");
	low = tree_of("low");
	mount_all();

	printf("# SHALE_STRESS_SEED=%u\n", seed);
	start_all(seed);
	failed = wait_for_all(seconds);
	show_steps();
	if (failed)
		fail("%d of %d tasks have failed", failed, NR_JOBS);

	settle_mounts();
	job = &(struct job){ "at the end", NULL, 0 };
	me = &board->task[0];
	snprintf(other_layers, sizeof(other_layers), "upper%d:top:low", board->other);
	check_tree("other", other_layers);
	check_tree("merged", "upper:top:low");
	expect_same_tree(tree_of("top"), top, "a lower layer has changed");
	expect_same_tree(tree_of("low"), low, "a lower layer has changed");
	for (; board->other; board->other--)
		expect_no_leftovers(text_of("work%d", board->other));
}

CASES_MAIN
