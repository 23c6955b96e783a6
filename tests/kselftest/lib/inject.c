// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject.h"

#include <glob.h>

#include "fixture.h"

#define DEBUGFS "/sys/kernel/debug/"

static int nth_file = -1;
static bool injecting, happened;

/* Return: whether there is such a setting. */
static bool set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	CHECK(write(fd, value, strlen(value)) == (ssize_t)strlen(value));
	close(fd);
	return true;
}

/* A stack trace in the log for each of thousands of failures would take longer than the rest. */
static void be_silent(void)
{
	glob_t found;
	size_t i;

	if (glob(DEBUGFS "fail*/verbose", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++)
		set(found.gl_pathv[i], "0");
	globfree(&found);
}

void inject_require(void)
{
	if (access("/proc/thread-self/fail-nth", W_OK))
		SKIP("this kernel injects no failures");
	/* Allocations that may sleep are nearly all that there are. */
	if (!set(DEBUGFS "failslab/ignore-gfp-wait", "N"))
		SKIP("this kernel fails no allocations (CONFIG_FAILSLAB, debugfs)");
	be_silent();
}

void inject_open(void)
{
	nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	CHECK(nth_file >= 0);
}

void inject_begin(int nth)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", nth);

	CHECK(pwrite(nth_file, text, size, 0) == size);
	injecting = true;
}

/*
 * What reads and writes the number accesses user memory, too, and so may be what fails: then
 * the operation has come to its end without.
 */
bool inject_end(void)
{
	char text[16] = "";

	if (!injecting)
		return happened;
	injecting = false;
	happened = pread(nth_file, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;
	while (pwrite(nth_file, "0", 1, 0) != 1)
		CHECK_EQ(errno, EFAULT);
	return happened;
}
