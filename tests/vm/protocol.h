/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What host-relay and guest-init say to each other over the one virtio-serial
 * port: frames, so that the streams stay apart and in order and any byte may
 * pass. The exit status is the guest's last frame: whoever has read it has
 * everything that was written before it.
 */
#ifndef SHALE_VM_PROTOCOL_H
#define SHALE_VM_PROTOCOL_H

#include <stdint.h>

#define PORT_NAME "shale"
#define ALIVE_SECONDS 20

enum frame_kind {
	/* host to guest */
	FRAME_STDIN = 1,	/* bytes; an empty frame is the end of file */
	FRAME_WINSIZE,		/* struct winsize of the terminal */
	/* guest to host */
	FRAME_READY,		/* the command is about to start */
	FRAME_STDOUT,		/* bytes */
	FRAME_STDERR,		/* bytes */
	FRAME_LOG,		/* lines of the kernel log */
	FRAME_ALIVE,		/* nothing, at least every ALIVE_SECONDS */
	FRAME_FAILED,		/* text: the guest could not be set up */
	FRAME_EXIT,		/* int32_t, as a shell counts: 128 + signal */
};

struct frame_header {
	uint32_t kind;
	uint32_t length;
};

/* One write(2) to a virtio-serial port carries 32 KiB, header included. */
#define FRAME_MAX (32 * 1024)
#define FRAME_PAYLOAD (FRAME_MAX - sizeof(struct frame_header))

struct frame {
	struct frame_header header;
	char payload[FRAME_PAYLOAD];
};

#endif
