/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asynchronous requests, one by one. */
#ifndef SHALE_AIO_H
#define SHALE_AIO_H

#include <linux/aio_abi.h>
#include <stddef.h>
#include <sys/types.h>

/* Submits one request, IOCB_CMD_*, and waits for it. Return: what it gives, -errno if it fails. */
long asynchronously(int fd, int opcode, void *data, size_t size, off_t offset);

#endif
