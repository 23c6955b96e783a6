/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File handles. */
#ifndef SHALE_HANDLE_H
#define SHALE_HANDLE_H

#include <fcntl.h>

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

/* name_to_handle_at(2) of a path. */
int try_handle(const char *path, int flags, struct handle *handle);

/* open_by_handle_at(2) in "merged". */
int open_handle(const struct handle *handle, int flags);

#endif
