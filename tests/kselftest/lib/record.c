// SPDX-License-Identifier: GPL-2.0-or-later
#include "record.h"

#include <stddef.h>
#include <string.h>

static uint32_t checksum_of(const struct record *record)
{
	const unsigned char *byte = (const unsigned char *)record;
	uint32_t sum = 0x811c9dc5;
	size_t i;

	for (i = 0; i < offsetof(struct record, checksum); i++)
		sum = (sum ^ byte[i]) * 0x01000193;
	return sum ?: 1;	/* never that of an empty one */
}

void record_make(struct record *record, uint32_t writer, uint32_t generation, uint32_t place)
{
	uint32_t noise = writer * 0x9e3779b9 + generation * 0x85ebca6b + place * 0xc2b2ae35 + 1;
	size_t i;

	record->writer = writer;
	record->generation = generation;
	record->place = place;
	for (i = 0; i < sizeof(record->noise) / sizeof(record->noise[0]); i++) {
		noise = noise * 1664525 + 1013904223;
		record->noise[i] = noise;
	}
	record->checksum = checksum_of(record);
}

bool record_is_valid(const struct record *record, uint32_t place)
{
	return record->place == place && record->checksum == checksum_of(record);
}

bool record_is_empty(const struct record *record)
{
	static const struct record empty;

	return !memcmp(record, &empty, sizeof(empty));
}
