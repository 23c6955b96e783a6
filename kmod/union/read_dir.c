// SPDX-License-Identifier: GPL-2.0
#include "union/read_dir.h"

#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/unicode.h>

#include "compat/casefold.h"
#include "compat/real_file.h"

struct shale_raw_chunk {
	struct shale_raw_chunk *next;
	size_t size;			/* of data */
	size_t used;
	u8 data[] __aligned(8);
};

#define CHUNK_MIN ((size_t)1024 - sizeof(struct shale_raw_chunk))
#define CHUNK_MAX ((size_t)(128 << 10) - sizeof(struct shale_raw_chunk))

/* Nobody's directory has as many, and sums of sizes stay far from any overflow. */
#define NAMES_MAX BIT(25)

/* Folding makes some letters longer. */
#define FOLDED_MAX PATH_MAX

static size_t raw_size(unsigned int len)
{
	return ALIGN(offsetof(struct shale_raw_name, text) + len, 8);
}

static struct shale_raw_name *raw_alloc(struct shale_reader *reader, unsigned int len)
{
	struct shale_raw_chunk *chunk = reader->chunks;
	size_t need = raw_size(len);
	struct shale_raw_name *raw;

	if (!chunk || chunk->size - chunk->used < need) {
		size_t size = chunk ? min(2 * chunk->size, CHUNK_MAX) : CHUNK_MIN;

		size = max(size, need);
		chunk = kvmalloc(struct_size(chunk, data, size), GFP_KERNEL_ACCOUNT);
		if (!chunk)
			return NULL;
		chunk->next = reader->chunks;
		chunk->size = size;
		chunk->used = 0;
		reader->chunks = chunk;
	}
	raw = (struct shale_raw_name *)&chunk->data[chunk->used];
	chunk->used += need;
	return raw;
}

/* Return: the length of the folded name; 0 when that is the name itself. */
static unsigned int fold(struct shale_reader *reader, const char *text, int len)
{
	const struct qstr name = QSTR_INIT(text, len);
	int folded = 0;

	if (IS_ENABLED(CONFIG_UNICODE) && reader->fold)
		folded = utf8_casefold(reader->fold, &name, reader->folded, FOLDED_MAX);
	return max(folded, 0);
}

static void set_key(const struct shale_reader *reader, struct shale_raw_name *raw, unsigned int len,
		    unsigned int folded)
{
	raw->key = raw->text;
	raw->key_len = len;
	if (!folded)
		return;
	raw->key = memcpy(raw->text + len, reader->folded, folded);
	raw->key_len = folded;
}

/* Under the real directory's lock: no look at what the name leads to. */
static bool take_down(struct dir_context *ctx, const char *text, int len, loff_t pos, u64 ino,
		      unsigned int type)
{
	struct shale_reader *reader = container_of(ctx, struct shale_reader, ctx);
	struct shale_raw_name *raw;
	unsigned int folded;

	reader->progress = true;
	if (shale_name_is_dots(text, len))
		return true;

	if (fatal_signal_pending(current) || (reader->stop && READ_ONCE(*reader->stop)))
		reader->err = -EINTR;
	else if (reader->nr >= NAMES_MAX)
		reader->err = -EOVERFLOW;
	if (reader->err)
		return false;

	folded = fold(reader, text, len);
	raw = raw_alloc(reader, len + folded);
	if (!raw) {
		reader->err = -ENOMEM;
		return false;
	}
	set_key(reader, raw, len, folded);
	memcpy(raw->text, text, len);
	raw->ino = ino;
	raw->part = reader->part;
	raw->len = len;
	raw->type = type;
	raw->next = reader->names;
	reader->names = raw;
	reader->nr++;
	return true;
}

/* As the mounter. A file system may stop anywhere; it is at the end when nothing more comes. */
int shale_reader_read(struct shale_reader *reader, const struct path *path)
{
	struct file *file = shale_real_dir_open(path);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	reader->ctx = (struct dir_context){ .actor = take_down };
	do {
		reader->progress = false;
		err = iterate_dir(file, &reader->ctx);
		if (err >= 0)
			err = reader->err;
	} while (!err && reader->progress);
	/*
	 * Those of a worker would be put behind its back, and unmounting would not wait for them.
	 */
	if (current->flags & PF_KTHREAD)
		__fput_sync(file);
	else
		fput(file);
	return err;
}

int shale_reader_begin(struct shale_reader *reader, const struct super_block *sb)
{
	const struct shale_sb *sbi = shale_sb(sb);

	*reader = (struct shale_reader){ .stop = &sbi->listings.closing };
	if (!sbi->casefolded)
		return 0;
	reader->fold = sb_encoding(sb);
	reader->folded = kmalloc(FOLDED_MAX, GFP_KERNEL);
	return reader->folded ? 0 : -ENOMEM;
}

void shale_reader_end(struct shale_reader *reader)
{
	kfree(reader->folded);
	while (reader->chunks) {
		struct shale_raw_chunk *chunk = reader->chunks;

		reader->chunks = chunk->next;
		kvfree(chunk);
	}
}
