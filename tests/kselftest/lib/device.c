// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include "fixture.h"

/* The control device of a driver, which is a module or built in. Skips the case if it is neither. */
static int open_control(const char *path, const char *module)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 && !system(text_of("modprobe -q %s", module)))
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP("this kernel has no %s", module);
	return fd;
}

/* Loop devices */

static int unnamed_file(off_t size)
{
	int fd = open("/scratch", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, size))
		fail("making a file of %lld bytes in /scratch: %s", (long long)size,
		     errno_name(errno));
	return fd;
}

/* Some kernels mount nothing that somebody has open for writing. */
static void keep_read_only(struct device *device)
{
	int fd = open(device->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("open(%s): %s", device->path, errno_name(errno));
	close(device->fd);
	device->fd = fd;
}

/* Others may take the free device that we were told of. */
static struct device attach(int control, const struct loop_config *config)
{
	struct device device;
	int tries;

	for (tries = 0; tries < 100; tries++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			break;
		snprintf(device.path, sizeof(device.path), "/dev/loop%d", number);
		device.fd = open(device.path, O_RDWR | O_CLOEXEC);
		if (device.fd < 0)
			break;
		if (!ioctl(device.fd, LOOP_CONFIGURE, config)) {
			keep_read_only(&device);
			return device;
		}
		close(device.fd);
		if (errno != EBUSY)
			break;
	}
	fail("making a loop device: %s", errno_name(errno));
}

struct device loop_device(off_t size)
{
	struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	struct device device;
	int control = open_control("/dev/loop-control", "loop");

	config.fd = unnamed_file(size);
	device = attach(control, &config);
	close(config.fd);
	close(control);
	return device;
}

/* While a file system has the device for itself, nobody else gets it. */
bool device_in_use(const struct device *device)
{
	int fd = open(device->path, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EBUSY;
}

/* File systems */

void make_fs(const struct device *device, const char *type, const char *options)
{
	const char *command = text_of("mkfs.%s %s %s >/dev/null", type, options, device->path);

	if (system(command))
		fail("%s: failed", command);
}

int mount_fs(const char *source, const char *where, const char *type, unsigned long flags,
	     const char *options)
{
	int ret = mount(source, where, type, flags, options);

	if (ret && errno == ENODEV)
		SKIP("this kernel has no %s", type);
	return ret;
}

/* Flushes */

/* A mapped device passes them on to the one below it, and doesn't count them itself. */
long long nr_flushes(const char *path)
{
	struct stat st = stat_of(path);
	const char *device = text_of("/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	FILE *stat = popen(text_of("cat %s/slaves/*/stat 2>/dev/null || cat %s/stat", device, device), "r");
	long long flushes = -1;
	int i;

	CHECK(stat);
	for (i = 0; i < 16; i++) {	/* the 16th number */
		if (fscanf(stat, "%lld", &flushes) != 1)
			SKIP("this kernel does not count flushes");
	}
	pclose(stat);
	return flushes;
}

void flush_only_if_told(const char *mount)
{
	CHECK(!system(text_of("mount -o remount,commit=600,noinit_itable \"$(stat -c %%m %s)\"", mount)));
}

/* Device mapper */

enum { DM_BUFFER = 4096 };

struct dm_request {
	union {
		struct dm_ioctl header;
		char bytes[DM_BUFFER];
	};
};

static struct dm_request dm_begin(const char *name)
{
	struct dm_request request = { };

	request.header.version[0] = DM_VERSION_MAJOR;
	request.header.data_size = sizeof(request);
	request.header.data_start = sizeof(request.header);
	snprintf(request.header.name, sizeof(request.header.name), "%s", name);
	return request;
}

static int dm_control(void)
{
	static int control = -1;

	if (control < 0)
		control = open_control("/dev/mapper/control", "dm-mod");
	return control;
}

static void dm_do(unsigned long command, struct dm_request *request, const char *what)
{
	if (ioctl(dm_control(), command, request))
		fail("device mapper: %s: %s", what, errno_name(errno));
}

static unsigned long long sectors_of(const struct device *device)
{
	unsigned long long bytes;

	if (ioctl(device->fd, BLKGETSIZE64, &bytes))
		fail("size of %s: %s", device->path, errno_name(errno));
	return bytes / 512;
}

static void dm_load(const struct mapped *mapped, const char *type, const char *parameters)
{
	struct dm_request request = dm_begin(mapped->name);
	struct dm_target_spec *target = (void *)(request.bytes + sizeof(request.header));

	request.header.target_count = 1;
	target->length = sectors_of(&mapped->below);
	snprintf(target->target_type, sizeof(target->target_type), "%s", type);
	strcpy((char *)(target + 1), parameters);
	if (ioctl(dm_control(), DM_TABLE_LOAD, &request)) {
		if (errno == EINVAL && strcmp(type, "linear"))
			SKIP("this kernel has no dm-%s", type);
		fail("device mapper: loading %s: %s", type, errno_name(errno));
	}
}

/* What is under way when the table changes is waited for; a file system is not asked to be still. */
static void dm_exchange(const struct mapped *mapped)
{
	struct dm_request request = dm_begin(mapped->name);

	request.header.flags = DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG;
	dm_do(DM_DEV_SUSPEND, &request, "suspending");
	request = dm_begin(mapped->name);
	dm_do(DM_DEV_SUSPEND, &request, "resuming");
}

void mapped_set(const struct mapped *mapped, enum mapped_state state)
{
	const char *below = mapped->below.path;

	switch (state) {
	case MAPPED_WHOLE:
		dm_load(mapped, "linear", text_of("%s 0", below));
		break;
	case MAPPED_NO_WRITES:
		/* Never well, for 60 seconds and again. */
		dm_load(mapped, "flakey", text_of("%s 0 0 60 1 error_writes", below));
		break;
	case MAPPED_SLOW:
		dm_load(mapped, "delay", text_of("%s 0 1000", below));
		break;
	case MAPPED_DEAD:
		dm_load(mapped, "error", "");
		break;
	}
	dm_exchange(mapped);
}

/* From now on the device goes when nobody has it open any more. */
static void dm_remove_later(const struct mapped *mapped)
{
	struct dm_request request = dm_begin(mapped->name);

	request.header.flags = DM_DEFERRED_REMOVE;
	dm_do(DM_DEV_REMOVE, &request, "removing");
}

struct mapped map_device(const struct device *below)
{
	struct mapped mapped = { .below = *below };
	struct dm_request request;

	snprintf(mapped.name, sizeof(mapped.name), "kselftest-%d", getpid());
	request = dm_begin(mapped.name);
	dm_do(DM_DEV_CREATE, &request, "making a device");
	snprintf(mapped.device.path, sizeof(mapped.device.path), "/dev/dm-%u",
		 minor(request.header.dev));
	mapped_set(&mapped, MAPPED_WHOLE);
	mapped.device.fd = open(mapped.device.path, O_RDONLY | O_CLOEXEC);
	if (mapped.device.fd < 0)
		fail("open(%s): %s", mapped.device.path, errno_name(errno));
	dm_remove_later(&mapped);
	return mapped;
}
