/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test program in the kernel's TAP dialect (Documentation/dev-tools/ktap.rst).
 *
 * Each test is a function that runs in a process and a mount namespace of its own, so that
 * what it opens, mounts and becomes ends with it, and any helper may end it at once: CHECK()
 * fails it, SKIP() leaves it out. It passes by returning.
 */
#ifndef SHALE_KTAP_H
#define SHALE_KTAP_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* KTAP_SECONDS: for who hangs. A case that takes 20 s on a quiet machine was seen to take 120 on a busy one. */
enum { KTAP_PASS = 0, KTAP_FAIL = 1, KTAP_SKIP = 4, KTAP_SECONDS = 360 };

struct ktap_test {
	const char *name;
	void (*run)(void);
};

/* The name of our module, its file system type and its netlink family: shale, or overlay if it stands in for that. */
static inline const char *module_name(void)
{
	const char *name = getenv("SHALE_MODULE");

	return name && *name ? name : "shale";
}

/* What holds our module: mounts, pending stacks and the like. -1 where nobody counts. */
static inline int module_users(void)
{
	char path[128];
	int users = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module_name());
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%d", &users) != 1)
			users = -1;
		fclose(file);
	}
	return users;
}

#define TEST(function) { #function, function }

/* With errno, which the condition has often just set. */
#define CHECK(condition)							\
	do {									\
		errno = 0;							\
		if (!(condition)) {						\
			printf("# %s:%d: not so: %s (errno %d, %s)\n", __FILE__,	\
			       __LINE__, #condition, errno, strerror(errno));	\
			fflush(stdout);						\
			_exit(KTAP_FAIL);					\
		}								\
	} while (0)

/* Numbers, both of which are worth seeing. */
#define CHECK_EQ(got, wanted)							\
	do {									\
		long long got_ = (got), wanted_ = (wanted);			\
		if (got_ != wanted_) {						\
			printf("# %s:%d: %s is %lld, not %lld\n", __FILE__,	\
			       __LINE__, #got, got_, wanted_);			\
			fflush(stdout);						\
			_exit(KTAP_FAIL);					\
		}								\
	} while (0)

#define SKIP(...)								\
	do {									\
		printf("# SKIP ");						\
		printf(__VA_ARGS__);						\
		printf("\n");							\
		fflush(stdout);							\
		_exit(KTAP_SKIP);						\
	} while (0)

static inline bool kernel_is_at_least(int major, int minor)
{
	struct utsname name;
	int has_major, has_minor;

	CHECK(!uname(&name));
	CHECK_EQ(sscanf(name.release, "%d.%d", &has_major, &has_minor), 2);
	return has_major != major ? has_major > major : has_minor >= minor;
}

static inline int ktap_run_one(const struct ktap_test *test)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		alarm(KTAP_SECONDS);
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
		test->run();
		fflush(stdout);
		_exit(KTAP_PASS);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return KTAP_FAIL;
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : KTAP_FAIL;
}

/* Runs the tests whose names contain the program's argument, or all. Return: exit status. */
static inline int ktap_main(int argc, char **argv, const struct ktap_test *tests, int nr)
{
	int failed = 0, number = 0, wanted = 0, i;

	for (i = 0; i < nr; i++)
		wanted += argc < 2 || strstr(tests[i].name, argv[1]);
	printf("KTAP version 1\n1..%d\n", wanted);
	for (i = 0; i < nr; i++) {
		int result;

		if (argc >= 2 && !strstr(tests[i].name, argv[1]))
			continue;
		result = ktap_run_one(&tests[i]);
		printf("%sok %d %s%s\n", result == KTAP_PASS || result == KTAP_SKIP ? "" : "not ",
		       ++number, tests[i].name, result == KTAP_SKIP ? " # SKIP" : "");
		failed += result != KTAP_PASS && result != KTAP_SKIP;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define KTAP_MAIN(tests)							\
	int main(int argc, char **argv)						\
	{									\
		return ktap_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));	\
	}

#endif
