// SPDX-License-Identifier: GPL-2.0
#include "union/copy_data.h"

#include <linux/sched/signal.h>

#include "compat/real_file.h"
#include "stack/upper.h"

/* How much is copied between two looks for a fatal signal. */
#define CHUNK (4UL << 20)

static int copy_range(const struct shale_token *tok, struct file *in, struct file *out, loff_t pos,
		      loff_t end)
{
	while (pos < end) {
		loff_t in_pos = pos, out_pos = pos;
		ssize_t done;

		if (fatal_signal_pending(current))
			return -EINTR;
		done = shale_upper_splice(tok, in, &in_pos, out, &out_pos,
					  min_t(loff_t, end - pos, CHUNK));
		if (done < 0)
			return done;
		if (!done)
			return -EIO;	/* the lower became shorter: layers must not change */
		pos += done;
	}
	return 0;
}

static int copy_extents(const struct shale_token *tok, struct file *in, struct file *out,
			loff_t size)
{
	loff_t pos = 0;
	int err;

	while (pos < size) {
		loff_t data = vfs_llseek(in, pos, SEEK_DATA);
		loff_t hole;

		if (data == -ENXIO)
			break;		/* a hole up to the end */
		if (data < 0)
			data = pos;	/* can't tell: take all for data */
		hole = vfs_llseek(in, data, SEEK_HOLE);
		if (hole <= data)
			hole = size;

		err = copy_range(tok, in, out, data, min(hole, size));
		if (err)
			return err;
		pos = hole;
	}
	return 0;
}

static int copy_contents(struct super_block *sb, struct file *in, struct file *out, loff_t size)
{
	loff_t shared;
	int err;

	CLASS(shale_upper_io, tok)(sb);

	if (tok.err)
		return tok.err;
	shared = shale_upper_clone(&tok, in, 0, out, 0, size, 0);
	err = shared == size ? 0 : copy_extents(&tok, in, out, size);

	/* The name must not lead to data that a power cut would still take away. */
	return err ?: vfs_fsync(out, 0);
}

int shale_copy_data(struct super_block *sb, const struct path *from, struct file *out, loff_t size)
{
	struct file *in = shale_real_open(from, O_RDONLY | O_LARGEFILE);
	int err;

	if (IS_ERR(in))
		return PTR_ERR(in);
	err = copy_contents(sb, in, out, size);
	fput(in);
	return err;
}
