// SPDX-License-Identifier: GPL-2.0-or-later
#include "handle.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int try_handle(const char *path, int flags, struct handle *handle)
{
	int mount_id;

	memset(handle, 0, sizeof(*handle));
	handle->head.handle_bytes = sizeof(handle->bytes);
	return name_to_handle_at(AT_FDCWD, path, &handle->head, &mount_id, flags);
}

int open_handle(const struct handle *handle, int flags)
{
	struct handle given = *handle;
	int root = open("merged", O_RDONLY | O_DIRECTORY), fd, error;

	if (root < 0)
		return -1;
	fd = open_by_handle_at(root, &given.head, flags);
	error = errno;
	close(root);
	errno = error;
	return fd;
}
