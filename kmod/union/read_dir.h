/* SPDX-License-Identifier: GPL-2.0 */
/* Reading real directories: what they have is taken down as it comes, into a few big chunks. */
#ifndef SHALE_UNION_READ_DIR_H
#define SHALE_UNION_READ_DIR_H

#include <linux/fs.h>

#include "stack/sb.h"

struct shale_raw_chunk;

struct shale_raw_name {
	struct shale_raw_name *next;
	u64 ino;
	u16 part;			/* number of the directory that has it */
	u16 len;
	u16 key_len;
	u8 type;
	const char *key;		/* what is compared: the text or, behind it, folded */
	char text[];
};

struct shale_reader {
	struct dir_context ctx;
	const bool *stop;		/* once it says so, reading ends; or NULL */
	struct shale_raw_chunk *chunks;		/* the latest first */
	struct shale_raw_name *names;		/* in the chunks; the latest first */
	size_t nr;
	struct unicode_map *fold;	/* names are compared without their case; or NULL */
	char *folded;			/* room for one of them */
	unsigned int part;		/* the number that what is read gets */
	bool progress;			/* this pass has brought a name */
	int err;
};

/*
 * For names as the union compares them; what is all zero, reads them as they are.
 * Return: 0 or -ENOMEM; shale_reader_end() is due in both cases.
 */
int shale_reader_begin(struct shale_reader *reader, const struct super_block *sb);
void shale_reader_end(struct shale_reader *reader);

/* "." or ".."? */
static inline bool shale_name_is_dots(const char *text, unsigned int len)
{
	return len <= 2 && text[0] == '.' && text[len - 1] == '.';
}

/**
 * shale_reader_read - read all names of a directory but "." and ".."
 * Context: as the mounter; killable.
 * Return: 0, -ENOMEM, -EINTR, -EOVERFLOW for more names than anybody has, or what the layer says.
 */
int shale_reader_read(struct shale_reader *reader, const struct path *path);

#endif
