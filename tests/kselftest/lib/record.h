/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Content that tells who wrote it, and what it is not if anything went wrong: records of 512 bytes,
 * each complete in itself and at its place in the file.
 */
#ifndef SHALE_RECORD_H
#define SHALE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_SIZE = 512 };

struct record {
	uint32_t writer;
	uint32_t generation;	/* of the writer's */
	uint32_t place;		/* in the file, counted in records */
	uint32_t noise[124];	/* follows from these */
	uint32_t checksum;
};

_Static_assert(sizeof(struct record) == RECORD_SIZE, "size");

void record_make(struct record *record, uint32_t writer, uint32_t generation, uint32_t place);
bool record_is_valid(const struct record *record, uint32_t place);
/* What a hole reads as. */
bool record_is_empty(const struct record *record);

#endif
