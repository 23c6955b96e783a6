// SPDX-License-Identifier: GPL-2.0
#include "union/copy_data.h"

#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "compat/real_file.h"
#include "stack/creds.h"
#include "stack/upper.h"

/* How much is copied between two looks for a fatal signal. */
#define CHUNK SZ_1M

static int copy_range(struct shale_token *tok, struct file *in, struct file *out, loff_t pos,
		      loff_t end)
{
	while (pos < end) {
		loff_t in_pos = pos, out_pos = pos;
		ssize_t done;

		if (fatal_signal_pending(current) || shale_upper_step_aside(tok))
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

static int copy_extents(struct shale_token *tok, struct file *in, struct file *out,
			loff_t pos, loff_t size)
{
	loff_t data;
	int err = 0;

	while (!err && pos < size && shale_real_next_data(in, pos, size, &data, &pos))
		err = copy_range(tok, in, out, data, pos);
	return err;
}

/* File systems share whole blocks, or what ends with the file. */
static loff_t shareable(const struct file *in, loff_t size)
{
	const struct inode *inode = file_inode(in);

	return size == i_size_read(inode) ? size : round_down(size, i_blocksize(inode));
}

/* Return: how much of it shares the lower's blocks; or an errno. */
static loff_t copy_contents(struct super_block *sb, struct file *in, struct file *out, loff_t size)
{
	loff_t shared = shareable(in, size);
	int err;

	CLASS(shale_upper_io, tok)(sb, NULL);

	if (tok.err)
		return tok.err;
	/* Of no length means all there is. */
	if (shared && shale_upper_clone(&tok, in, 0, out, 0, shared, 0) != shared)
		shared = 0;
	err = copy_extents(&tok, in, out, shared, size);
	return err ?: shared;
}

/*
 * The name must not lead to data that a power cut would still take away. What is shared is on the
 * disk already; that it is shared is a change of metadata, which comes before that of a name which
 * is yet to be given or, where the order means nothing, is brought to disk with the attributes.
 * Without a token: the gate need not wait for it.
 */
static int settle_contents(struct super_block *sb, struct file *out, loff_t shared, loff_t size)
{
	if (shale_is_volatile(&shale_sb(sb)->features) ||
	    (shared == size && !file_inode(out)->i_nlink))
		return 0;

	CLASS(shale_mounter, caller)(sb);
	return vfs_fsync(out, 0);
}

int shale_copy_data(struct super_block *sb, const struct path *from, struct file *out, loff_t size)
{
	struct file *in = shale_real_open(from, O_RDONLY | O_LARGEFILE);
	loff_t shared;

	if (IS_ERR(in))
		return PTR_ERR(in);
	shared = copy_contents(sb, in, out, size);
	fput(in);
	return shared < 0 ? shared : settle_contents(sb, out, shared, size);
}
