// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names through a mount: which a directory shows, and where in it they stand.
 *
 *	/mnt		tmpfs
 *	    top low	lower layers
 *	    upper work
 *	    merged	the mount
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "ktap.h"

/* Fixture */

static const char *in(const char *format, ...)
{
	static char paths[4][4096];
	static int next;
	char *path = paths[next++ % 4];
	va_list args;

	strcpy(path, "/mnt/");
	va_start(args, format);
	vsnprintf(path + 5, sizeof(paths[0]) - 5, format, args);
	va_end(args);
	return path;
}

static void make_dir(const char *path)
{
	CHECK(!mkdir(path, 0755));
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);

	CHECK(fd >= 0);
	close(fd);
}

static void make_whiteout(const char *path)
{
	CHECK(!mknod(path, S_IFCHR, 0));
}

static void set_up(void)
{
	CHECK(!mount("none", "/mnt", "tmpfs", 0, "mode=755"));
	make_dir(in("top"));
	make_dir(in("low"));
	make_dir(in("upper"));
	make_dir(in("work"));
	make_dir(in("merged"));
}

static void mount_merged(void)
{
	if (!mount("none", in("merged"), module_name(), 0,
		   "lowerdir=/mnt/top:/mnt/low,upperdir=/mnt/upper,workdir=/mnt/work"))
		return;
	if (errno == ENODEV)
		SKIP("the module is not loaded");
	CHECK(!"mounted");
}

/* The directory's names, in one line and in alphabetical order, but for "." and "..". */
static const char *names_of(const char *path)
{
	static char line[4096];
	struct dirent **entries;
	int nr = scandir(path, &entries, NULL, alphasort);

	CHECK(nr >= 2);
	line[0] = '\0';
	for (int i = 0; i < nr; i++) {
		if (!strcmp(entries[i]->d_name, ".") || !strcmp(entries[i]->d_name, ".."))
			continue;
		if (line[0])
			strcat(line, " ");
		strcat(line, entries[i]->d_name);
	}
	return line;
}

#define CHECK_NAMES(path, wanted)						\
	do {									\
		const char *got_ = names_of(path);				\
										\
		if (strcmp(got_, wanted))					\
			printf("# got: %s\n", got_);				\
		CHECK(!strcmp(got_, wanted));					\
	} while (0)

/* What is shown */

static void parts_are_merged(void)
{
	set_up();
	make_file(in("low/both"));
	make_file(in("low/low"));
	make_file(in("top/both"));
	make_file(in("top/top"));
	make_file(in("upper/upper"));
	mount_merged();
	CHECK_NAMES(in("merged"), "both low top upper");
}

static void whiteouts_hide_and_are_hidden(void)
{
	set_up();
	make_file(in("low/gone"));
	make_file(in("low/back"));
	make_file(in("low/stays"));
	make_whiteout(in("top/gone"));
	make_whiteout(in("top/back"));
	make_whiteout(in("top/of-nothing"));
	make_file(in("upper/back"));
	make_dir(in("low/plain"));
	make_whiteout(in("low/plain/whiteout"));
	make_file(in("low/plain/file"));
	CHECK(!mknod(in("low/device"), S_IFCHR | 0600, makedev(1, 3)));
	mount_merged();
	CHECK_NAMES(in("merged"), "back device plain stays");
	CHECK_NAMES(in("merged/plain"), "file");
}

static void opaque_hides(void)
{
	set_up();
	make_dir(in("low/dir"));
	make_file(in("low/dir/below"));
	make_dir(in("upper/dir"));
	make_file(in("upper/dir/above"));
	CHECK(!setxattr(in("upper/dir"), "trusted.overlay.opaque", "y", 1, 0));
	mount_merged();
	CHECK_NAMES(in("merged/dir"), "above");
}

static void changes_show(void)
{
	set_up();
	make_file(in("low/a"));
	make_file(in("low/b"));
	mount_merged();
	CHECK_NAMES(in("merged"), "a b");
	CHECK(!unlink(in("merged/a")));
	CHECK_NAMES(in("merged"), "b");
	make_file(in("merged/c"));
	CHECK_NAMES(in("merged"), "b c");
	CHECK(!rename(in("merged/b"), in("merged/a")));
	CHECK_NAMES(in("merged"), "a c");
	make_dir(in("merged/d"));
	CHECK(!symlink("x", in("merged/e")));
	CHECK(!link(in("merged/a"), in("merged/f")));
	CHECK_NAMES(in("merged"), "a c d e f");
	CHECK(!rmdir(in("merged/d")));
	CHECK_NAMES(in("merged"), "a c e f");
}

static void types_and_numbers(void)
{
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	set_up();
	make_file(in("low/file"));
	make_dir(in("low/dir"));
	make_dir(in("low/merged"));
	make_dir(in("upper/merged"));
	make_dir(in("low/opaque"));
	make_dir(in("upper/opaque"));
	CHECK(!setxattr(in("upper/opaque"), "trusted.overlay.opaque", "y", 1, 0));
	CHECK(!symlink("x", in("top/link")));
	CHECK(!mkfifo(in("upper/fifo"), 0644));
	make_file(in("low/copied"));
	make_dir(in("low/copied-dir"));
	make_file(in("low/linked"));
	CHECK(!link(in("low/linked"), in("low/twin")));
	mount_merged();
	CHECK(!chmod(in("merged/copied"), 0600) && !chmod(in("merged/copied-dir"), 0700));
	CHECK(!chmod(in("merged/linked"), 0600));

	dir = opendir(in("merged"));
	while ((entry = readdir(dir))) {
		struct stat st;

		CHECK(!lstat(in("merged/%s", entry->d_name), &st));
		if (strcmp(entry->d_name, ".."))
			CHECK_EQ(entry->d_ino, st.st_ino);
		CHECK_EQ(DTTOIF(entry->d_type), st.st_mode & S_IFMT);
		nr++;
	}
	CHECK_EQ(nr, 12);
	closedir(dir);
}

static void rewinding_sees_changes(void)
{
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	set_up();
	make_file(in("low/a"));
	mount_merged();
	dir = opendir(in("merged"));
	while (readdir(dir))
		nr++;
	CHECK_EQ(nr, 3);
	CHECK(!readdir(dir));
	make_file(in("merged/b"));
	rewinddir(dir);
	for (nr = 0; (entry = readdir(dir)); nr++)
		;
	CHECK_EQ(nr, 4);
	closedir(dir);
}

/* Positions */

enum { MANY = 3000 };

struct place {
	char name[16];
	int64_t position;	/* from where reading goes on with this name */
};

struct raw_entry {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static void make_many(void)
{
	set_up();
	for (int i = 0; i < MANY; i++)
		make_file(in("%s/n%d", i % 3 == 0 ? "low" : i % 3 == 1 ? "top" : "upper", i));
	mount_merged();
}

/* Reads all names with a small buffer. Return: their number. */
static int places_of(int fd, struct place *places)
{
	int64_t position = 0;
	char buffer[256];
	int nr = 0;
	long len;

	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	while ((len = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < len;) {
			const struct raw_entry *entry = (const void *)(buffer + at);

			if (entry->name[0] == 'n') {
				CHECK(nr < MANY);
				strcpy(places[nr].name, entry->name);
				places[nr++].position = position;
			}
			CHECK(entry->off > position);
			position = entry->off;
			at += entry->reclen;
		}
	}
	CHECK_EQ(len, 0);
	return nr;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static void small_buffers_show_each_name_once(void)
{
	struct place *places = calloc(MANY, sizeof(*places));
	int fd;

	make_many();
	fd = open(in("merged"), O_RDONLY | O_DIRECTORY);
	CHECK_EQ(places_of(fd, places), MANY);
	qsort(places, MANY, sizeof(*places), by_name);
	for (int i = 1; i < MANY; i++)
		CHECK(strcmp(places[i - 1].name, places[i].name));
	close(fd);
}

static void positions_depend_on_the_name_alone(void)
{
	struct place *before = calloc(MANY, sizeof(*before));
	int fd, nr;

	make_many();
	fd = open(in("merged"), O_RDONLY | O_DIRECTORY);
	nr = places_of(fd, before);
	CHECK_EQ(nr, MANY);
	close(fd);

	/* Each second one goes, others come, some are copied up, and nothing is cached. */
	for (int i = 0; i < nr; i += 2)
		CHECK(!unlink(in("merged/%s", before[i].name)));
	for (int i = 0; i < 500; i++)
		make_file(in("merged/other%d", i));
	for (int i = 1; i < 200; i += 2)
		CHECK(!chmod(in("merged/%s", before[i].name), 0600));
	CHECK(!system("echo 3 > /proc/sys/vm/drop_caches"));

	fd = open(in("merged"), O_RDONLY | O_DIRECTORY);
	for (int i = 1; i < nr; i += 2) {
		char buffer[512];
		const struct raw_entry *entry = (const void *)buffer;
		bool found = false;
		long len;

		CHECK_EQ(lseek(fd, before[i].position, SEEK_SET), before[i].position);
		len = syscall(SYS_getdents64, fd, buffer, sizeof(buffer));
		/* What is new may stand in between; what was read before may not. */
		for (long at = 0; !found && at < len; at += entry->reclen) {
			entry = (const void *)(buffer + at);
			found = !strcmp(entry->name, before[i].name);
			CHECK(found || entry->name[0] == 'o');
		}
		CHECK(found || len > 256);
	}
	close(fd);
}

static void removing_while_reading(void)
{
	char buffer[512];
	int fd, nr = 0;
	long len;

	set_up();
	make_dir(in("low/dir"));
	make_dir(in("upper/dir"));
	for (int i = 0; i < MANY; i++)
		make_file(in("%s/dir/n%d", i % 2 ? "low" : "upper", i));
	mount_merged();
	CHECK(rmdir(in("merged/dir")) < 0 && errno == ENOTEMPTY);

	fd = open(in("merged/dir"), O_RDONLY | O_DIRECTORY);
	while ((len = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < len;) {
			const struct raw_entry *entry = (const void *)(buffer + at);

			if (entry->name[0] == 'n') {
				CHECK(!unlinkat(fd, entry->name, 0));
				nr++;
			}
			at += entry->reclen;
		}
	}
	CHECK_EQ(nr, MANY);
	CHECK_NAMES(in("merged/dir"), "");
	CHECK(!rmdir(in("merged/dir")));
	CHECK(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)) < 0 && errno == ENOENT);
	close(fd);
}

#ifdef __x86_64__
/* Numbers of 32-bit system calls. */
enum { GETPID_32 = 20, GETDENTS64_32 = 220 };

/* A system call as a 32-bit program makes it; memory must be what such a program could have. */
static long syscall_32(int number, int first, void *second, int third)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(number), "b"(first), "c"(second), "d"(third)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

/* Where there are none, asking is a segmentation fault: a child asks. */
static bool takes_32_bit_calls(void)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child)
		_exit(syscall_32(GETPID_32, 0, NULL, 0) != getpid());
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void positions_fit_into_32_bits(void)
{
	char *buffer = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int64_t position = 0;
	int fd, nr = 0;
	long len;

	CHECK(buffer != MAP_FAILED);
	if (!takes_32_bit_calls())
		SKIP("the kernel takes no 32-bit system calls");
	make_many();
	fd = open(in("merged"), O_RDONLY | O_DIRECTORY);
	while ((len = syscall_32(GETDENTS64_32, fd, buffer, 256)) > 0) {
		for (long at = 0; at < len; nr++) {
			const struct raw_entry *entry = (const void *)(buffer + at);

			CHECK(entry->off > position && entry->off <= INT32_MAX);
			position = entry->off;
			at += entry->reclen;
		}
		/* As who opens the directory anew. */
		CHECK_EQ(lseek(fd, position, SEEK_SET), position);
	}
	CHECK_EQ(len, 0);
	CHECK_EQ(nr, MANY + 2);
	close(fd);
}
#else
static void positions_fit_into_32_bits(void)
{
	SKIP("needs 32-bit system calls of a 64-bit program");
}
#endif

static const struct ktap_test tests[] = {
	TEST(parts_are_merged),
	TEST(whiteouts_hide_and_are_hidden),
	TEST(opaque_hides),
	TEST(changes_show),
	TEST(types_and_numbers),
	TEST(rewinding_sees_changes),
	TEST(small_buffers_show_each_name_once),
	TEST(positions_depend_on_the_name_alone),
	TEST(removing_while_reading),
	TEST(positions_fit_into_32_bits),
};

KTAP_MAIN(tests)
