/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices made for a case, and file systems on them. All skip the case where the kernel can't. */
#ifndef SHALE_DEVICE_H
#define SHALE_DEVICE_H

#include <stdbool.h>
#include <sys/types.h>

struct device {
	char path[32];
	int fd;			/* keeps it: a loop device is gone when nobody has it open */
};

/* A loop device over a sparse file that has no name. */
struct device loop_device(off_t size);

/* Runs mkfs.@type with @options. */
void make_fs(const struct device *device, const char *type, const char *options);

/* mount(2), but a type that the kernel lacks skips the case. */
int mount_fs(const char *source, const char *where, const char *type, unsigned long flags,
	     const char *options);

/* Is a file system mounted from it, anywhere, also where nobody can see it? */
bool device_in_use(const struct device *device);

/*
 * How often the device of an ext4 was told to keep what it has. Somebody tells it every five seconds, and as tables of
 * inodes are zeroed some time after mkfs, unless that is switched off.
 */
long long nr_flushes(const char *path);
void flush_only_if_told(const char *mount);

/* A device mapper's device that shows @below, until it is told otherwise. It goes as a loop device does. */
struct mapped {
	struct device device;
	struct device below;
	char name[32];
};

struct mapped map_device(const struct device *below);

enum mapped_state {
	MAPPED_WHOLE,		/* as the device below */
	MAPPED_NO_WRITES,	/* writes fail */
	MAPPED_DEAD,		/* all fails */
	MAPPED_SLOW,		/* requests wait for a second, or until it is told otherwise */
};

void mapped_set(const struct mapped *mapped, enum mapped_state state);

#endif
