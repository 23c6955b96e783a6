// SPDX-License-Identifier: GPL-2.0-or-later
#include "aio.h"

#include <sys/syscall.h>

#include "fixture.h"

long asynchronously(int fd, int opcode, void *data, size_t size, off_t offset)
{
	aio_context_t context = 0;
	struct iocb request = {
		.aio_fildes = fd,
		.aio_lio_opcode = opcode,
		.aio_buf = (uintptr_t)data,
		.aio_nbytes = size,
		.aio_offset = offset,
	};
	struct iocb *list[] = { &request };
	struct io_event event;

	OK(syscall(SYS_io_setup, 1, &context));
	CHECK_EQ(OK(syscall(SYS_io_submit, context, 1, list)), 1);
	CHECK_EQ(OK(syscall(SYS_io_getevents, context, 1, 1, &event, NULL)), 1);
	OK(syscall(SYS_io_destroy, context));
	return event.res;
}
