// SPDX-License-Identifier: GPL-2.0-or-later
#include "failures.h"

#include "inject.h"
#include "space.h"
#include "tree.h"
#include "usage.h"

/* No operation makes as many allocations, or needs as many blocks. */
enum { MANY = 1000 };

/* For one row, on a slow and busy machine. */
enum { ROW_SECONDS = 600 };

static const char lowers[] = "top:low";

/* Why operations fail. */
static const struct cause {
	void (*begin)(int nth);
	bool (*end)(long result);	/* whether something has failed, as far as one can know */
	int errors[3];
	bool forgets;		/* what was not written is lost, though it was said to be done */
} *cause;

/* What the tree is before and after the operation. */
static struct {
	char *before, *after;
	int descriptors;
	long references;
} known;

/* How often the work directory was not empty until the next mount. */
static int nr_leftovers;

/* Helpers of rows */

static int kept[16], nr_kept;

int keep(int fd)
{
	if (fd >= 0)
		kept[nr_kept++] = fd;
	return fd;
}

static void close_kept(void)
{
	while (nr_kept)
		close(kept[--nr_kept]);
}

long failed(int error)
{
	errno = error;
	return -1;
}

/* The tree */

static void decorate(const char *path)
{
	if (setxattr(path, "user.a", "value", 5, 0))
		CHECK_EQ(errno, EOPNOTSUPP);	/* tmpfs has none before 6.6 */
	OK(setxattr(path, "trusted.b", "value", 5, 0));
	set_mtime(path, 1000000000, 123456789);
}

static void make_lowers(void)
{
	static const char * const dirs[] = {
		"low/hidden_dir", "low/empty", "low/full", "low/shared", "low/shell", "top/shared",
	};
	static const char * const files[] = {
		"low/twin1", "low/hidden", "low/hidden_dir/x", "low/full/x", "low/shared/inner",
		"low/shared/gone", "low/shell/a", "low/shell/b", "top/shared/extra",
	};
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		make_dir(dirs[i]);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		make_file(files[i], files[i]);
		set_mtime(files[i], 1100000000 + i, i);
	}
	make_sized("low/file", FILE_SIZE);
	OK(chmod("low/file", 0640));
	decorate("low/file");
	OK(link("low/twin1", "low/twin2"));
	OK(symlink("file", "low/link"));
	set_mtime("low/link", 1200000000, 0);
	OK(mkfifo("low/fifo", 0600));
	set_mtime("low/fifo", 1200000001, 0);
}

static void make_upper(void)
{
	make_dir("upper");
	make_dir("work");
	make_file("upper/mine", "it is mine");
	decorate("upper/mine");
	make_dir("upper/own");
	make_file("upper/own/child", "child");
	set_mtime("upper/own/child", 1000000001, 0);
	make_dir("upper/bare");
	make_whiteout("upper/hidden");
	make_whiteout("upper/hidden_dir");
	make_dir("upper/shell");
	make_whiteout("upper/shell/a");
	make_whiteout("upper/shell/b");
}

static bool in_want_of_space;

/* Out of the way, which is quicker than removing it, but keeps its space. */
static void bury(const char *path)
{
	static int number;

	OK(rename(path, text_of("old/%d", number++)));
	if (in_want_of_space)
		remove_in("old");
}

/* What must not grow */

static int nr_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	CHECK(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static long nr_references(void)
{
	char text[32] = "";
	int fd = open(text_of("/sys/module/%s/refcnt", fs_type()), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;	/* built in */
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atol(text);
}

/* What a worker of the kernel lets go of, it lets go of in a moment. */
static void expect_nothing_kept(void)
{
	int tries;

	CHECK_EQ(nr_descriptors(), known.descriptors);
	for (tries = 0; tries < 100 && nr_references() != known.references; tries++)
		usleep(10000);
	CHECK_EQ(nr_references(), known.references);
}

/* The state of things */

static char *state_of(const struct operation *operation, const char *tree)
{
	return operation->flags & TOUCHES ? tree_without_mtimes(tree) : tree_with_old_mtimes(tree);
}

static void expect_same(int nth, const char *got, const char *wanted, const char *what)
{
	char *difference = tree_difference(got, wanted);

	if (difference)
		fail("failure %d: %s: %s", nth, what, difference);
}

/* What is in the caches must be what is on disk. */
static void expect_layers_agree(int nth, const char *merged)
{
	char *layers = union_of(text_of("upper:%s", lowers));

	expect_same(nth, merged, layers, "the mount is not what its layers are");
	free(layers);
}

/*
 * A mount that is limited has counted what its upper holds, and nothing stays claimed: a file without a
 * name gets all the room that is left.
 */
static void expect_counted(const struct operation *operation, int nth)
{
	const long long bytes = told_used(), inodes = told_inodes();
	const struct usage *upper = held_by_upper();
	int fd;

	if (!operation->features || !strstr(operation->features, LIMITS))
		return;
	if (bytes != upper->bytes || inodes != upper->inodes)
		fail("failure %d: %lld bytes and %lld objects are counted, %lld and %lld are there",
		     nth, bytes, inodes, upper->bytes, upper->inodes);
	fd = OK(open("merged", O_TMPFILE | O_WRONLY, 0600));
	if (fallocate(fd, 0, 0, LIMITED_BYTES - bytes))
		fail("failure %d: of %lld bytes, some are claimed", nth, LIMITED_BYTES - bytes);
	close(fd);
}

static char *consistent_state(const struct operation *operation, int nth)
{
	char *merged = tree_of("merged");
	char *state = state_of(operation, merged);

	expect_layers_agree(nth, merged);
	expect_counted(operation, nth);
	free(merged);
	return state;
}

static void expect_after(const struct operation *operation, int nth, const char *what)
{
	char *now = consistent_state(operation, nth);

	expect_same(nth, now, known.after, what);
	free(now);
}

static void expect_empty_work(int nth)
{
	if (!has_leftovers("work"))
		return;
	nr_leftovers++;
	again();
	if (has_leftovers("work"))
		fail("failure %d: the next mount has not emptied the work directory", nth);
}

/* An attempt */

/* The upper is as it was made. */
static bool is_unchanged;

static void begin_attempt(const struct operation *operation)
{
	if (!is_unchanged || operation->flags & NOT_MOUNTED) {
		bury("upper");
		bury("work");
		make_upper();
	}
	is_unchanged = false;
	if (!(operation->flags & NOT_MOUNTED))
		mount_layers(lowers);
	if (operation->prepare)
		operation->prepare();
}

static void release(const struct operation *operation)
{
	if (operation->release)
		operation->release();
	close_kept();
}

static void end_attempt(const struct operation *operation, int nth)
{
	release(operation);
	expect_empty_work(nth);
	unmount();
	expect_nothing_kept();
}

static void run_without_failure(const struct operation *operation, int nth)
{
	long result;

	errno = 0;
	result = operation->run();
	if (result < 0)
		fail("failure %d: trying again: %s, not success", nth, errno_name(errno));
}

static void try_again(const struct operation *operation, int nth)
{
	release(operation);
	if (operation->prepare)
		operation->prepare();
	run_without_failure(operation, nth);
}

/*
 * After a failure: as before, or as after. Trying again at once, for which a new tree is needed, and looking at the layers
 * are for every fourth time. The other times the next attempt does both: it begins with mounting what is there.
 */
static void judge_failure(const struct operation *operation, int nth)
{
	char *merged = tree_of("merged");
	char *now = state_of(operation, merged);
	bool done = !strcmp(now, known.after) && strcmp(known.before, known.after);

	if (done || nth % 4 == 1 || cause->forgets)
		expect_layers_agree(nth, merged);
	if (!done)
		expect_same(nth, now, known.before, "a failed operation has left");
	expect_counted(operation, nth);
	free(merged);
	free(now);
	is_unchanged = !done;
	if (!done && nth % 4 == 1) {
		is_unchanged = false;
		try_again(operation, nth);
		expect_after(operation, nth, "trying again has left");
	}
}

static bool is_an_error_of_the_cause(int error)
{
	size_t i;

	for (i = 0; i < sizeof(cause->errors) / sizeof(cause->errors[0]); i++) {
		if (error == cause->errors[i])
			return true;
	}
	return false;
}

static void judge(const struct operation *operation, int nth, long result, int error)
{
	if (cause->forgets && nth == 1 && operation->flags & WRITES && result >= 0)
		fail("what could not be written is said to be done");
	if (result < 0 && !is_an_error_of_the_cause(error) && error != operation->error)
		fail("failure %d: %s", nth, errno_name(error));

	if (operation->flags & NOT_MOUNTED) {
		if (result < 0)
			try_again(operation, nth);
		if (operation->complete)
			operation->complete();
		expect_after(operation, nth, "the mount shows");
	} else if (result < 0 || cause->forgets) {
		judge_failure(operation, nth);
	} else {
		expect_after(operation, nth, "what has said to be done has left");
	}
}

/* Return: false when the operation came to its end before the @nth failure. */
static bool attempt(const struct operation *operation, int nth)
{
	bool happened;
	long result;
	int error;

	begin_attempt(operation);
	cause->begin(nth);
	result = operation->run();
	error = errno;
	happened = cause->end(result);
	if (!happened && result < 0)
		fail("failure %d did not happen, but the operation has failed: %s", nth,
		     errno_name(error));
	judge(operation, nth, result, error);
	end_attempt(operation, nth);
	return happened;
}

/* Without any failure, to know what is right. */
static void learn(const struct operation *operation)
{
	known.descriptors = nr_descriptors();
	known.references = nr_references();
	begin_attempt(operation);
	if (!(operation->flags & NOT_MOUNTED))
		known.before = consistent_state(operation, 0);
	run_without_failure(operation, 0);
	if (operation->complete)
		operation->complete();
	known.after = consistent_state(operation, 0);
	end_attempt(operation, 0);
}

static void set_up_world(const struct operation *operation)
{
	alarm(ROW_SECONDS);
	only_shale("its own failures are not ours to find");
	set_up_on(operation->base ?: "tmpfs");
	if (operation->features)
		with_features(operation->features);
	make_dir("old");
	make_lowers();
	mount_layers(lowers);
	unmount();
}

/* Return: how often it failed. */
static int fail_for(const struct operation *operation, const struct cause *why, const char *what)
{
	int nth = 1;

	cause = why;
	nr_leftovers = 0;
	while (attempt(operation, nth)) {
		if (++nth == MANY)
			fail("the operation does not come to an end");
	}
	printf("# %d failures for %s, %d times with a rest in the work directory\n", nth - 1, what,
	       nr_leftovers);
	return nth - 1;
}

static bool injection_ended(long result)
{
	(void)result;
	return inject_end();
}

void fail_everywhere(const struct operation *operation)
{
	static const struct cause injection = {
		.begin = inject_begin,
		.end = injection_ended,
		.errors = { ENOMEM, EFAULT, ENOSPC },	/* the last is tmpfs's word for the first */
	};

	inject_require();
	set_up_world(operation);
	inject_open();
	learn(operation);
	fail_for(operation, &injection, "want of memory");
}

static void leave_blocks(int nth)
{
	space_leave_blocks(nth - 1);
}

static void leave_inodes(int nth)
{
	space_leave_inodes(nth - 1);
}

static bool space_given_back(long result)
{
	int error = errno;

	space_give_back();
	errno = error;
	return result < 0;
}

void fail_for_space(const struct operation *operation)
{
	static const struct cause blocks = {
		.begin = leave_blocks, .end = space_given_back, .errors = { ENOSPC },
	};
	static const struct cause inodes = {
		.begin = leave_inodes, .end = space_given_back, .errors = { ENOSPC },
	};
	int nr;

	in_want_of_space = true;
	set_up_world(operation);
	learn(operation);
	nr = fail_for(operation, &blocks, "want of blocks");
	if (space_has_inodes())
		nr += fail_for(operation, &inodes, "want of inodes");
	if (operation->flags & NEEDS_NO_SPACE)
		CHECK_EQ(nr, 0);
	else
		CHECK(nr > 0);
}

/* Once, and then no more. */

static bool broken;

static void break_base(int nth)
{
	broken = nth == 1;
	if (broken)
		base_break(WRITES_FAIL);
}

static bool base_was_broken(long result)
{
	int error = errno;

	(void)result;
	close_kept();
	if (umount2("merged", 0) && errno != EINVAL)
		fail("unmounting with a broken disk: %s", errno_name(errno));
	base_remount();
	mount_layers(lowers);
	errno = error;
	return broken;
}

void fail_to_write(const struct operation *operation)
{
	static const struct cause no_writes = {
		.begin = break_base, .end = base_was_broken, .errors = { EIO, EROFS },
		.forgets = true,
	};

	set_up_world(operation);
	learn(operation);
	fail_for(operation, &no_writes, "want of a disk");
}
