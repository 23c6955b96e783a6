// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading directories while others change them, and other things that programs rely on. (Positions
 * and what is shown when nothing happens are in readdir.c.)
 */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

struct raw_entry {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

enum { MANY = 5000 };

/*
 *	low    d/{n0, n2, ... n4998}
 *	upper  d/{n1, n3, ... n4999}
 */
static void make_many(void)
{
	int i;

	set_up();
	make_dir("low/d");
	make_dir("upper/d");
	for (i = 0; i < MANY; i++)
		make_file(text_of("%s/d/n%d", i % 2 ? "upper" : "low", i), "");
	mount_layers("low");
}

/*
 * Reads the directory from its start with buffers of @size, counts in @seen how often each n<i> comes.
 * Return: how many other names there were, without "." and "..".
 */
static int count_names(int fd, size_t size, unsigned char *seen)
{
	char buffer[65536];
	int others = 0, dots = 0;
	long len;

	memset(seen, 0, MANY);
	OK(lseek(fd, 0, SEEK_SET));
	while ((len = OK(syscall(SYS_getdents64, fd, buffer, size))) > 0) {
		for (long at = 0; at < len;) {
			const struct raw_entry *entry = (const void *)(buffer + at);
			int number;

			if (!strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
				dots++;
			else if (sscanf(entry->name, "n%d", &number) == 1 && number < MANY)
				seen[number]++;
			else
				others++;
			at += entry->reclen;
		}
	}
	CHECK_EQ(dots, 2);
	return others;
}

static void expect_each_once(const unsigned char *seen, int from, int to)
{
	for (int i = from; i < to; i++) {
		if (seen[i] != 1)
			STEP(fail("n%d was read %d times, not once", i, seen[i]));
	}
}

CASE(buffers, "5000 names come once each with buffers of any size")
{
	static const size_t sizes[] = { 64, 100, 280, 4096, 65536 };
	unsigned char seen[MANY];
	size_t i;
	int fd;

	make_many();
	fd = open_file("merged/d", O_RDONLY | O_DIRECTORY);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		CHECK_EQ(count_names(fd, sizes[i], seen), 0);
		expect_each_once(seen, 0, MANY);
	}
	OK(lseek(fd, 0, SEEK_SET));
	FAILS(syscall(SYS_getdents64, fd, seen, 8), EINVAL);
}

static atomic_bool stop;

/* Makes and removes other names, and removes and makes again the upper half of the numbers. */
static void *change(void *unused)
{
	(void)unused;
	for (unsigned int i = 0; !stop; i++) {
		char path[64];
		int fd;

		sprintf(path, "merged/d/other%d", i % 50);
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0)
			return (void *)(long)errno;
		close(fd);
		if (i % 3 == 0 && unlink(path))
			return (void *)(long)errno;
		sprintf(path, "merged/d/n%d", MANY / 2 + i % (MANY / 2));
		if (unlink(path) && errno != ENOENT)
			return (void *)(long)errno;
		if (i % 2)
			continue;
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0)
			return (void *)(long)errno;
		close(fd);
	}
	return NULL;
}

CASE(changed_meanwhile, "names that nobody touches are neither lost nor doubled while others come and go")
{
	unsigned char seen[MANY];
	pthread_t thread;
	void *error;
	int fd, i;

	make_many();
	CHECK(!pthread_create(&thread, NULL, change, NULL));
	for (i = 0; i < 15; i++) {
		fd = open_file("merged/d", O_RDONLY | O_DIRECTORY);
		count_names(fd, 300, seen);
		expect_each_once(seen, 0, MANY / 2);
		close(fd);
	}
	stop = true;
	CHECK(!pthread_join(thread, &error));
	CHECK_EQ((long)error, 0);
}

CASE(removed_by_readers, "a loop that reads and removes, as rm -rf does, gets every name")
{
	char buffer[512];
	unsigned char seen[MANY];
	long len;
	int fd;

	make_many();
	fd = open_file("merged/d", O_RDONLY | O_DIRECTORY);
	while ((len = OK(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)))) > 0) {
		for (long at = 0; at < len;) {
			const struct raw_entry *entry = (const void *)(buffer + at);

			if (entry->name[0] == 'n')
				OK(unlinkat(fd, entry->name, 0));
			at += entry->reclen;
		}
	}
	CHECK_EQ(count_names(fd, 4096, seen), 0);
	CHECK_EQ(seen[0] + seen[1] + seen[MANY - 1], 0);
	close(fd);
	OK(rmdir("merged/d"));
	expect_whiteout("upper/d");
}

static void *read_all(void *unused)
{
	unsigned char *seen = malloc(MANY);

	(void)unused;
	for (int i = 0; i < 5; i++) {
		int fd = open_file("merged/d", O_RDONLY | O_DIRECTORY);

		CHECK_EQ(count_names(fd, 1000, seen), 0);
		expect_each_once(seen, 0, MANY);
		close(fd);
	}
	free(seen);
	return NULL;
}

CASE(readers_at_once, "several readers at once each get all names")
{
	pthread_t thread[4];
	int i;

	make_many();
	for (i = 0; i < 4; i++)
		CHECK(!pthread_create(&thread[i], NULL, read_all, NULL));
	for (i = 0; i < 4; i++)
		CHECK(!pthread_join(thread[i], NULL));
}

/*
 *	low  a  b
 */
CASE(rewinding, "rewinddir shows what has changed, and a second descriptor has a position of its own")
{
	struct dirent *entry;
	bool found = false;
	DIR *one, *two;
	int nr = 0;

	set_up();
	make_file("low/a", "");
	make_file("low/b", "");
	mount_layers("low");
	one = opendir("merged");
	two = opendir("merged");
	CHECK(one && two);
	while (readdir(one))
		nr++;
	CHECK_EQ(nr, 4);
	OK(unlink("merged/a"));
	make_file("merged/new", "");
	rewinddir(one);
	for (nr = 0; (entry = readdir(one)); nr++) {
		CHECK(strcmp(entry->d_name, "a"));
		found |= !strcmp(entry->d_name, "new");
	}
	CHECK_EQ(nr, 4);
	CHECK(found);
	for (nr = 0; readdir(two); nr++)
		;
	CHECK_EQ(nr, 4);
}

/*
 *	low    n1, n3, ... n49
 *	upper  n0, n2, ... n48
 */
CASE(telling_and_seeking, "seekdir to where telldir was goes on with the same name")
{
	char names[64][16];
	long places[64];
	struct dirent *entry;
	int nr = 0, i;
	DIR *dir;

	set_up();
	for (i = 0; i < 50; i++)
		make_file(text_of("%s/n%d", i % 2 ? "low" : "upper", i), "");
	mount_layers("low");
	dir = opendir("merged");
	CHECK(dir);
	while (places[nr] = telldir(dir), entry = readdir(dir))
		strcpy(names[nr++], entry->d_name);
	CHECK_EQ(nr, 52);
	for (i = nr - 1; i >= 0; i -= 3) {
		seekdir(dir, places[i]);
		entry = readdir(dir);
		CHECK(entry);
		if (strcmp(entry->d_name, names[i]))
			STEP(fail("at the place of %s stands %s", names[i], entry->d_name));
	}
	seekdir(dir, places[nr]);
	CHECK(!readdir(dir));
}

/*
 *	low    every kind, copied, copied-dir
 *	upper  m/
 */
CASE(types_and_numbers, "d_type and d_ino are what stat tells, also of . and ..")
{
	struct dirent *entry;
	int nr = 0, round;
	DIR *dir;

	set_up();
	make_dir("low/d");
	make_file("low/d/file", "");
	make_dir("low/d/dir");
	OK(symlink("x", "low/d/link"));
	OK(mkfifo("low/d/fifo", 0644));
	OK(mknod("low/d/char", S_IFCHR | 0600, makedev(1, 3)));
	OK(mknod("low/d/socket", S_IFSOCK | 0600, 0));
	make_file("low/d/copied", "low");
	make_dir("low/d/copied-dir");
	make_dir("low/d/m");
	make_dir("upper/d");
	make_dir("upper/d/m");
	mount_layers("low");
	OK(chmod("merged/d/copied", 0600));
	OK(chmod("merged/d/copied-dir", 0700));
	make_file("merged/d/new", "");
	for (round = 0; round < 2; round++) {
		dir = opendir("merged/d");
		CHECK(dir);
		for (nr = 0; (entry = readdir(dir)); nr++) {
			struct stat st = stat_of(text_of("merged/d/%s", entry->d_name));

			if (entry->d_ino != st.st_ino)
				STEP(fail("%s: d_ino is %llu, st_ino %llu", entry->d_name,
					  (long long)entry->d_ino, (long long)st.st_ino));
			CHECK_EQ(DTTOIF(entry->d_type), st.st_mode & S_IFMT);
		}
		closedir(dir);
		CHECK_EQ(nr, 12);
	}
}

/*
 *	top  d/gone (whiteout)
 *	low  d/{gone,kept}  only/{whiteout,file}
 */
CASE(whiteouts_are_never_shown, "whiteouts are never shown (overlayfs shows those of a directory that merges with nothing)")
{
	set_up();
	make_dir("top/d");
	make_whiteout("top/d/gone");
	make_dir("low/d");
	make_file("low/d/gone", "");
	make_file("low/d/kept", "");
	make_dir("low/only");
	make_whiteout("low/only/whiteout");
	make_file("low/only/file", "");
	mount_layers("top:low");
	expect_names("merged/d", "kept");
	expect_names("merged/only", on_shale() ? "file" : "file whiteout");
	expect_absent("merged/only/whiteout");
	make_file("merged/only/new", "");
	expect_names("merged/only", "file new");
}

/*
 *	low  d/f
 */
CASE(removed_directory, "a removed directory that is still open has no names")
{
	char buffer[512];
	int fd;

	set_up();
	make_dir("low/d");
	make_file("low/d/f", "");
	mount_layers("low");
	fd = open_file("merged/d", O_RDONLY | O_DIRECTORY);
	OK(unlink("merged/d/f"));
	OK(rmdir("merged/d"));
	FAILS(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)), ENOENT);
	make_dir("merged/d");
	FAILS(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)), ENOENT);
	expect_names("merged/d", "");
}

/*
 *	low    a/b/c
 *	top    a/b/x
 *	upper  a/y       and files 1, 2, 3 in each
 */
CASE(walking, "find and du walk a merged tree to the end, and see each name once")
{
	set_up();
	CHECK_EQ(OK(system("mkdir -p low/a/b/c top/a/b/x upper/a/y && "
			   "for d in low/a low/a/b low/a/b/c top/a/b top/a/b/x upper/a/y; do "
			   "touch $d/1 $d/2 $d/3; done")), 0);
	mount_layers("top:low");
	CHECK_EQ(OK(system("test $(find merged -xdev | wc -l) = 21")), 0);
	CHECK_EQ(OK(system("test $(find merged -xdev -type f | sort -u | wc -l) = 15")), 0);
	CHECK_EQ(OK(system("du -s merged >/dev/null")), 0);
	CHECK_EQ(OK(system("cp -a merged/a copy && diff -r copy merged/a")), 0);
}

CASES_MAIN
