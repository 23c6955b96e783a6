// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "leaks.h"

#define KMEMLEAK "/sys/kernel/debug/kmemleak"

/* Younger memory is never suspected: its owner may not have stored the pointer yet. */
#define MINIMUM_AGE_SECONDS 5

static int tell_kmemleak(const char *order)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return -1;
	done = write(fd, order, strlen(order));
	close(fd);
	return done < 0 ? -1 : 0;
}

void forget_leaks(void)
{
	tell_kmemleak("scan");
	tell_kmemleak("clear");
}

/* The first scan takes check sums; the second suspects what hasn't changed since. */
int find_leaks(void)
{
	if (tell_kmemleak("scan") < 0)
		return -1;
	sleep(MINIMUM_AGE_SECONDS + 1);
	if (tell_kmemleak("scan") < 0)
		return -1;
	return open(KMEMLEAK, O_RDONLY | O_CLOEXEC);
}
