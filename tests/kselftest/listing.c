// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is remembered of directories that many layers have: that it spares asking them, that it is
 * never wrong, and for how long it may be outdated when a lower layer is changed all the same.
 */
#include "fixture.h"
#include "tree.h"

#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

enum { LAYERS = 48, MISSING = 500 };

/* "l0:l1:...", the top-most first. */
static const char *stack_of(int nr)
{
	static char text[4096];
	size_t len = 0;

	for (int i = 0; i < nr; i++)
		len += snprintf(text + len, sizeof(text) - len, "%sl%d", i ? ":" : "", i);
	return text;
}

/*
 * Layer i has in "dir" a file of its own, a file that three layers have, and directories that some
 * have; what one hides of those below differs.
 */
static void make_stack(int nr)
{
	for (int i = 0; i < nr; i++) {
		make_dir(text_of("l%d", i));
		make_dir(text_of("l%d/dir", i));
		make_file(text_of("l%d/dir/own%d", i, i), text_of("own of %d", i));
		if (i % 3 == 1)
			make_file(text_of("l%d/dir/shared%d", i, i % 7), text_of("layer %d", i));
		if (i % 5 == 2)
			make_dir(text_of("l%d/dir/tree", i));
		if (i % 5 == 2)
			make_file(text_of("l%d/dir/tree/in%d", i, i), "in a tree");
		if (i % 11 == 3)
			make_whiteout(text_of("l%d/dir/own%d", i, i + 2));
		if (i == 2 + nr / 10 * 5)
			make_opaque(text_of("l%d/dir/tree", i));
		if (i == nr / 2 + 1)
			make_whiteout(text_of("l%d/dir/shared2", i));
	}
	make_dir(text_of("l%d/dir/turned", 0));
	make_file(text_of("l%d/dir/turned", 2), "a file below a directory");
	make_dir(text_of("l%d/dir/turned", 4));
	make_file(text_of("l%d/dir/turned/hidden", 4), "below the file");
	OK(symlink("own1", text_of("l%d/dir/link", 6)));
}

static void mount_stack(int nr)
{
	mount_layers(stack_of(nr));
}

/* Looks for names that are not there until what is below must be remembered. */
static void miss(const char *dir, int nr)
{
	struct stat st;

	for (int i = 0; i < nr; i++)
		FAILS(stat(text_of("%s/missing%d", dir, i), &st), ENOENT);
	usleep(300000);		/* a worker of the kernel reads */
}

static long negative_dentries(void)
{
	long value[6] = { };
	FILE *file = fopen("/proc/sys/fs/dentry-state", "r");

	CHECK(file);
	CHECK(fscanf(file, "%ld %ld %ld %ld %ld", &value[0], &value[1], &value[2], &value[3],
		     &value[4]) == 5);
	fclose(file);
	return value[4];
}

CASE(missing_names_are_asked_for_once, "a missing name leaves two negative dentries, however many layers there are")
{
	struct stat st;
	long before;

	only_shale("overlayfs leaves one per layer");
	set_up();
	make_stack(LAYERS);
	mount_stack(LAYERS);
	miss("merged/dir", 200);
	before = negative_dentries();
	for (int i = 0; i < MISSING; i++)
		FAILS(stat(text_of("merged/dir/absent%d", i), &st), ENOENT);
	if (negative_dentries() - before > 2 * MISSING + 100)
		fail("%d missing names left %ld negative dentries", MISSING,
		     negative_dentries() - before);
}

CASE(what_is_shown_is_the_union, "with and without what is remembered, the union is the same")
{
	char *wanted, *got, *difference;

	set_up();
	make_stack(LAYERS);
	wanted = union_of(text_of("upper:%s", stack_of(LAYERS)));
	mount_stack(LAYERS);
	for (int round = 0; round < 3; round++) {
		got = tree_of("merged");
		difference = tree_difference(got, wanted);
		if (difference)
			fail("round %d: %s", round, difference);
		free(got);
		again();
		miss("merged/dir", 200);
		miss("merged/dir/tree", 200);
		miss("merged", 200);
	}
}

CASE(changes_in_the_upper_count, "what is made, removed and renamed in the upper counts at once")
{
	struct stat st;
	char *got, *wanted, *difference;

	set_up();
	make_stack(LAYERS);
	mount_stack(LAYERS);
	miss("merged/dir", 200);
	make_file("merged/dir/absent1", "new");
	OK(stat("merged/dir/absent1", &st));
	OK(unlink("merged/dir/absent1"));
	FAILS(stat("merged/dir/absent1", &st), ENOENT);
	OK(unlink("merged/dir/own0"));
	FAILS(stat("merged/dir/own0", &st), ENOENT);
	make_dir("merged/dir/own0");
	OK(rename("merged/dir/own1", "merged/dir/own0/moved"));
	OK(rename("merged/dir/own9", "merged/dir/own1"));
	write_text("merged/dir/own7", "copied up");
	OK(unlink("merged/dir/own7"));
	make_file("merged/dir/own7", "again");
	wanted = union_of(text_of("upper:%s", stack_of(LAYERS)));
	for (int round = 0; round < 2; round++) {
		got = tree_of("merged");
		difference = tree_difference(got, wanted);
		if (difference)
			fail("%s", difference);
		free(got);
		again();
	}
}

/* Does it come true within the time that is promised? */
static bool soon(bool (*what)(void))
{
	for (int tries = 0; tries < 40; tries++) {
		if (what())
			return true;
		usleep(100000);
	}
	return false;
}

static int nr_looked;

static bool new_name_is_found(void)
{
	struct stat st;

	/* Each time by another name, for what was not there once is remembered by the kernel. */
	return !stat(text_of("merged/dir/late%d", nr_looked++), &st);
}

static bool lists(const char *path, const char *name)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	bool found = false;

	CHECK(dir);
	while ((entry = readdir(dir)))
		found |= !strcmp(entry->d_name, name);
	closedir(dir);
	return found;
}

static bool new_name_is_listed(void)
{
	return lists("merged/dir", "late0");
}

static bool removed_name_is_not_listed(void)
{
	return !lists("merged/dir", "own8");
}

CASE(changed_lowers_are_noticed, "a lower that is changed under the mount is noticed within some seconds")
{
	only_shale("overlayfs remembers no names of layers, nor notices");
	set_up();
	make_stack(LAYERS);
	mount_options("merged", text_of("lowerdir=%s,upperdir=upper,workdir=work", stack_of(LAYERS)));
	sleep(1);
	miss("merged/dir", 200);
	CHECK(lists("merged/dir", "own8"));
	for (int i = 0; i < 100; i++)
		make_file(text_of("l7/dir/late%d", i), "late");
	if (!soon(new_name_is_found))
		fail("a new name is not found");
	if (!soon(new_name_is_listed))
		fail("a new name is not listed");
	OK(unlink("l8/dir/own8"));
	if (!soon(removed_name_is_not_listed))
		fail("a removed name is listed");
	OK(umount2("merged", 0));
}

/* A directory's names, in the order in which they are read, each with the position behind it. */
struct names {
	int nr;
	struct {
		char name[256];
		long next;
	} name[1000];
};

static void read_names(const char *path, struct names *names, long from)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	CHECK(dir);
	names->nr = 0;
	if (from)
		seekdir(dir, from);
	while ((entry = readdir(dir))) {
		CHECK(names->nr < 1000);
		strcpy(names->name[names->nr].name, entry->d_name);
		names->name[names->nr++].next = telldir(dir);
	}
	closedir(dir);
}

static void expect_rest(const struct names *all, int from)
{
	static struct names rest;

	read_names("merged/dir", &rest, all->name[from].next);
	CHECK_EQ(rest.nr, all->nr - from - 1);
	for (int i = 0; i < rest.nr; i++) {
		if (strcmp(rest.name[i].name, all->name[from + 1 + i].name))
			fail("%s follows %s, not %s", rest.name[i].name, all->name[from].name,
			     all->name[from + 1 + i].name);
	}
}

static void copy_up_most(const struct names *all)
{
	for (int i = 0; i < all->nr; i++) {
		const char *path = text_of("merged/dir/%s", all->name[i].name);
		struct stat st;

		OK(lstat(path, &st));
		if (S_ISREG(st.st_mode) && i % 5)
			OK(chmod(path, 0600));
	}
}

CASE(positions_last, "positions outlive copy-ups, caches, the mount and other names")
{
	static struct names all;

	only_shale("overlayfs's are numbers in a list");
	set_up();
	make_stack(LAYERS);
	for (int i = 0; i < 300; i++)
		make_file(text_of("l3/dir/file%d", i), "");
	mount_stack(LAYERS);
	read_names("merged/dir", &all, 0);
	CHECK(all.nr > 300);
	expect_rest(&all, all.nr / 3);
	copy_up_most(&all);
	expect_rest(&all, all.nr / 3);
	make_file("merged/dir/zzz", "");
	OK(unlink("merged/dir/zzz"));
	expect_rest(&all, all.nr / 2);
	write_text("/proc/sys/vm/drop_caches", "2");
	expect_rest(&all, all.nr / 4);
	again();
	expect_rest(&all, all.nr / 3);
	again();
	expect_rest(&all, all.nr / 2);
}

/* "plain" is in one layer alone, "dir" in many. */
CASE(positions_are_told, "where a directory was read to is told, and what is left is read from there")
{
	static const char *const dirs[] = { "merged/plain", "merged/dir" };

	set_up();
	make_stack(8);
	make_dir("l3/plain");
	for (int i = 0; i < 100; i++)
		make_file(text_of("l3/plain/file%d", i), "");
	mount_stack(8);
	for (int i = 0; i < 2; i++) {
		int fd = OK(open(dirs[i], O_RDONLY | O_DIRECTORY));
		long nr = OK(nr_names_from(fd));
		off_t end = lseek(fd, 0, SEEK_CUR);

		CHECK(nr > 10 && end > 0);
		CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
		CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
		CHECK_EQ(nr_names_from(fd), nr);
		CHECK_EQ(lseek(fd, end, SEEK_SET), end);
		CHECK_EQ(nr_names_from(fd), 0);
		close(fd);
	}
}

/* Several tasks at once */

enum { PERMANENT = 400, LISTERS = 4, CHANGERS = 4, SECONDS = 8 };

static time_t the_end;

static bool is_over(void)
{
	return time(NULL) >= the_end;
}

static void list_again_and_again(void)
{
	static int seen[PERMANENT];

	while (!is_over()) {
		DIR *dir = opendir("merged/dir");
		struct dirent *entry;
		int number;

		CHECK(dir);
		memset(seen, 0, sizeof(seen));
		while ((entry = readdir(dir))) {
			if (sscanf(entry->d_name, "permanent%d", &number) == 1)
				seen[number]++;
		}
		closedir(dir);
		for (number = 0; number < PERMANENT; number++) {
			if (seen[number] != 1)
				fail("permanent%d was listed %d times", number, seen[number]);
		}
	}
}

static void change_again_and_again(int task)
{
	char name[64], other[64];

	for (int i = 0; !is_over(); i++) {
		snprintf(name, sizeof(name), "merged/dir/temporary%d-%d", task, i % 50);
		snprintf(other, sizeof(other), "merged/dir/moved%d-%d", task, i % 50);
		make_file(name, "");
		if (i % 3 == 0)
			OK(rename(name, other));
		OK(unlink(i % 3 == 0 ? other : name));
		/* Copies come up in between, and caches go. */
		OK(chmod(text_of("merged/dir/permanent%d", (i * CHANGERS + task) % PERMANENT), 0600));
		if (task == 0 && i % 20 == 0)
			write_text("/proc/sys/vm/drop_caches", "2");
	}
}

CASE(names_come_and_go, "while names come and go, no other is lost and none is listed twice")
{
	int status, failures = 0;

	set_up();
	make_stack(8);
	for (int i = 0; i < PERMANENT; i++)
		make_file(text_of("l%d/dir/permanent%d", i % 8, i), "");
	mount_stack(8);
	the_end = time(NULL) + SECONDS;
	fflush(stdout);
	for (int task = 0; task < LISTERS + CHANGERS; task++) {
		if (fork())
			continue;
		if (task < LISTERS)
			list_again_and_again();
		else
			change_again_and_again(task - LISTERS);
		fflush(stdout);
		_exit(KTAP_PASS);
	}
	while (wait(&status) > 0)
		failures += status != 0;
	CHECK_EQ(failures, 0);
}

CASE(trees_are_removed_while_others_copy_up, "rm -rf of a merged tree ends without ENOTEMPTY while others copy up in it")
{
	int status;

	set_up();
	make_stack(8);
	for (int i = 0; i < 200; i++)
		make_file(text_of("l%d/dir/file%d", i % 8, i), "text");
	mount_stack(8);
	fflush(stdout);
	for (int task = 0; task < 3; task++) {
		if (fork())
			continue;
		for (int i = task; i < 200; i += 3) {
			if (chmod(text_of("merged/dir/file%d", 199 - i), 0600) && errno != ENOENT)
				fail("copying up: %s", errno_name(errno));
		}
		_exit(KTAP_PASS);
	}
	OK(system("rm -rf merged/dir"));
	CHECK(access("merged/dir", F_OK));
	while (wait(&status) > 0)
		CHECK_EQ(status, 0);
}

CASES_MAIN
