// SPDX-License-Identifier: GPL-2.0-or-later
#include "base.h"

#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "ktap.h"

void mount_base(void)
{
	char name[] = "/scratch/base-XXXXXX";

	if (mkdtemp(name))
		CHECK(!chmod(name, 0755) && !mount(name, "/mnt", NULL, MS_BIND, NULL));
	else
		CHECK(!mount("none", "/mnt", "tmpfs", 0, "mode=755"));
}
