// SPDX-License-Identifier: GPL-2.0
#include "union/usage.h"

#include <linux/fs_context.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "compat/compat.h"
#include "stack/marks.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "union/workdir.h"

/* A directory that is yet to be looked into: a tree may be deeper than a stack. */
struct todo {
	struct todo *next;
	struct dentry *dir;		/* counted */
};

struct tally {
	struct shale_usage held;
	struct todo *todo;
	struct xarray linked;		/* by number: objects with several names, counted already */
};

static int push(struct tally *tally, struct dentry *dir)
{
	struct todo *todo = kmalloc(sizeof(*todo), GFP_KERNEL);

	if (!todo)
		return -ENOMEM;
	todo->dir = dget(dir);
	todo->next = tally->todo;
	tally->todo = todo;
	return 0;
}

static struct dentry *pop(struct tally *tally)
{
	struct todo *todo = tally->todo;
	struct dentry *dir;

	if (!todo)
		return NULL;
	dir = todo->dir;
	tally->todo = todo->next;
	kfree(todo);
	return dir;
}

/* Return: 1 for an object's first name, 0 for another one, or -ENOMEM. */
static int is_first(struct tally *tally, const struct kstat *stat)
{
	int err;

	if (S_ISDIR(stat->mode) || stat->nlink == 1)
		return 1;
	/* Of btrfs's subvolumes, each has numbers of its own. */
	err = xa_insert(&tally->linked, stat->ino ^ (unsigned long)stat->dev << 40, xa_mk_value(1),
			GFP_KERNEL);
	return err == -EBUSY ? 0 : err ?: 1;
}

static int count(const struct shale_token *tok, struct tally *tally, struct dentry *dentry)
{
	const struct path path = shale_upper_path(tok, dentry);
	struct kstat stat;
	int ret = vfs_getattr_nosec(&path, &stat, STATX_BASIC_STATS, AT_STATX_DONT_SYNC);

	if (!ret)
		ret = is_first(tally, &stat);
	if (ret <= 0)
		return ret;
	tally->held.bytes += stat.blocks << SHALE_BLOCK_SHIFT;
	tally->held.inodes++;
	return d_is_dir(dentry) ? push(tally, dentry) : 0;
}

static int visit(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry,
		 void *arg)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	return shale_is_whiteout(dentry) ? 0 : count(tok, arg, dentry);
}

/* Some objects have no name but that in the index. Its directories are no objects of the union. */
static int visit_index(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry,
		       void *arg)
{
	return d_is_dir(dentry) ? 0 : visit(tok, dir, dentry, arg);
}

static int count_all(const struct shale_token *tok, struct tally *tally)
{
	struct dentry *dir;
	int err = count(tok, tally, tok->upper->root);

	while ((dir = pop(tally))) {
		if (!err)
			err = shale_upper_for_each(tok, dir, visit, tally);
		dput(dir);
	}
	if (!err && tok->upper->indexdir)
		err = shale_upper_for_each(tok, tok->upper->indexdir, visit_index, tally);
	return err;
}

int shale_usage_count(struct super_block *sb, struct fs_context *fc)
{
	struct tally tally = { };
	int err;

	/* Without write access, which whoever freezes the base would wait for. */
	CLASS(shale_upper_io, tok)(sb, NULL);

	xa_init(&tally.linked);
	err = tok.err ?: count_all(&tok, &tally);
	xa_destroy(&tally.linked);
	if (err)
		errorfc(fc, "size: can't count what upperdir holds: error %d", err);
	else
		shale_quota_begin(shale_sb(sb), &tally.held);
	return err;
}
