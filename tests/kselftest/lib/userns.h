/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User namespaces, and mounts that show ids as one of them maps them. */
#ifndef SHALE_USERNS_H
#define SHALE_USERNS_H

#include <stdbool.h>

/*
 * A user namespace with @map for users and groups: lines of "inside outside count".
 * Return: a descriptor of it.
 */
int userns_(const char *map);

/* Enters it, in a child that will not come back, as its root. */
void enter_userns_(int userns);

/*
 * Mounts the directory @from once more, at @to, ids mapped: what the file system calls "inside" is
 * seen as "outside".
 * Return: as a system call; EINVAL where the file system can't.
 */
int mount_mapped(const char *from, const char *to, int userns);

/* Sets the module's parameter. It is off by default, and on if the module is overlay. */
void allow_userns_mounts_(bool allow);

#define allow_userns_mounts(allow) STEP(allow_userns_mounts_(allow))
#define userns(map) STEP(userns_(map))
#define enter_userns(fd) STEP(enter_userns_(fd))

#endif
