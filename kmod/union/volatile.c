// SPDX-License-Identifier: GPL-2.0
#include "union/volatile.h"

#include <linux/errseq.h>
#include <linux/fs_context.h>
#include <linux/namei.h>

#include "stack/events.h"
#include "stack/marks.h"
#include "stack/upper.h"
#include "union/workdir.h"

static int upper_error(const struct shale_upper *upper)
{
	return errseq_check(&shale_layer_sb(upper->layer)->s_wb_err, upper->errors_before);
}

int shale_sync_wanted(struct shale_sb *sbi)
{
	int err;

	if (!shale_is_volatile(&sbi->features))
		return 1;
	err = upper_error(sbi->upper);
	if (err && !test_and_set_bit(0, &sbi->upper->told_errors))
		shale_event(sbi, &(struct shale_event) {
			.kind = SHALE_EVENT_KIND_VOLATILE_FAILED,
			.err = err,
		});
	return err;
}

/* The mark */

static int make_in(const struct shale_token *tok, struct dentry **at, const char *name,
		   umode_t mode)
{
	const struct shale_new what = { .mode = mode };
	struct dentry *dir = *at;
	int err;

	*at = shale_upper_make(tok, dir, &QSTR(name), &what);
	if (IS_ERR(*at)) {
		err = PTR_ERR(*at);
		*at = NULL;
	} else {
		err = shale_upper_settle(tok, dir);
	}
	dput(dir);
	return err;
}

/* On the disk, names and all, before anything is that it warns of. */
static int make_mark(const struct shale_token *tok)
{
	struct dentry *at = dget(tok->upper->workdir);
	int err = shale_upper_settle(tok, tok->upper->workbase);

	if (!err)
		err = make_in(tok, &at, SHALE_INCOMPAT_DIR, S_IFDIR | 0700);
	if (!err)
		err = make_in(tok, &at, SHALE_VOLATILE_DIR, S_IFDIR | 0700);
	if (!err)
		err = make_in(tok, &at, SHALE_DIRTY_FILE, S_IFREG | 0600);
	if (!err)
		err = shale_upper_settle(tok, at);
	dput(at);
	return err;
}

/* With what is in it, by names: whoever is being killed can unmount, but read no directory. */
static int remove_in(const struct shale_token *tok, struct dentry *dir, const char * const *names)
{
	struct dentry *victim;
	int err = 0;

	victim = lookup_one_positive_unlocked(shale_upper_idmap(tok), &QSTR(*names), dir);
	if (IS_ERR(victim))
		return PTR_ERR(victim) == -ENOENT ? 0 : PTR_ERR(victim);
	if (names[1])
		err = remove_in(tok, victim, names + 1);
	if (!err)
		err = shale_upper_remove_dentry(tok, dir, victim);
	dput(victim);
	return err;
}

static int remove_mark(struct super_block *sb)
{
	static const char * const names[] = {
		SHALE_INCOMPAT_DIR, SHALE_VOLATILE_DIR, SHALE_DIRTY_FILE, NULL
	};
	int err;

	CLASS(shale_upper, tok)(sb);

	err = tok.err ?: remove_in(&tok, tok.upper->workdir, names);
	return err ?: shale_upper_settle(&tok, tok.upper->workdir);
}

/* Begin and end */

int shale_volatile_begin(struct super_block *sb, struct fs_context *fc)
{
	struct shale_sb *sbi = shale_sb(sb);
	struct shale_upper *upper = sbi->upper;
	int err;

	if (!shale_is_volatile(&sbi->features))
		return 0;
	upper->errors_before = errseq_sample(&shale_layer_sb(upper->layer)->s_wb_err);
	if (upper_error(upper)) {
		errorfc(fc, "fsync=volatile: the upper's file system has failed to write: sync it");
		return -EIO;
	}

	CLASS(shale_upper, tok)(sb);

	err = tok.err;
	if (!err) {
		upper->is_volatile = true;	/* even a part of the mark counts */
		err = make_mark(&tok);
	}
	if (err)
		errorfc(fc, "fsync=volatile: can't mark the work directory: error %d", err);
	return err;
}

void shale_volatile_end(struct super_block *sb)
{
	const struct shale_upper *upper = shale_sb(sb)->upper;
	int err;

	if (!upper || !upper->is_volatile)
		return;
	err = shale_upper_sync(upper) ?: upper_error(upper);
	if (err) {
		pr_err("upperdir %s: stays marked as volatile, for it could not be synced: error %d\n",
		       upper->layer->name, err);
		return;
	}
	err = remove_mark(sb);
	if (err)
		pr_err("upperdir %s: all is synced, but the mark of a volatile mount stays: error %d\n",
		       upper->layer->name, err);
}
