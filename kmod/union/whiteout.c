// SPDX-License-Identifier: GPL-2.0
#include "union/whiteout.h"

#include <linux/namei.h>

#include "stack/events.h"
#include "stack/marks.h"
#include "union/names.h"
#include "union/workdir.h"

static const struct shale_new a_whiteout = { .mode = S_IFCHR, .rdev = MKDEV(0, 0) };

/*
 * All whiteouts of a mount are links of one object, which lies in the work directory: they take no
 * room in a layer that has none, and names can be removed there.
 */

static struct dentry *get_shared(struct shale_upper *upper)
{
	struct dentry *shared;

	spin_lock(&upper->whiteout_lock);
	shared = dget(upper->whiteout);
	spin_unlock(&upper->whiteout_lock);
	return shared;
}

/* Return: whether nobody else has taken it away since. */
static bool replace_shared(struct shale_upper *upper, struct dentry *old, struct dentry *shared)
{
	bool replaced;

	spin_lock(&upper->whiteout_lock);
	replaced = upper->whiteout == old;
	if (replaced)
		upper->whiteout = dget(shared);
	spin_unlock(&upper->whiteout_lock);
	return replaced;
}

static struct dentry *link_shared(const struct shale_token *tok, struct dentry *shared)
{
	const struct shale_new what = { .link_to = shared };

	return shared ? shale_workdir_make(tok, &what) : ERR_PTR(-EMLINK);
}

/* From now on @whiteout gets the links, instead of @old, which can have no more. */
static void share(const struct shale_token *tok, struct dentry *whiteout, struct dentry *old)
{
	struct dentry *shared = link_shared(tok, whiteout);

	if (IS_ERR(shared))
		return;
	if (!replace_shared(tok->upper, old, shared)) {
		shale_workdir_discard(tok, shared);
	} else if (old) {
		if (d_inode(old)->i_nlink)
			shale_workdir_discard(tok, old);
		dput(old);
	}
	dput(shared);
}

/* It has as many names as it can have, or somebody took them all away. */
static bool is_used_up(const struct dentry *linked)
{
	return linked == ERR_PTR(-EMLINK) || linked == ERR_PTR(-ENOENT);
}

/* One in the work directory. */
static struct dentry *make_whiteout(const struct shale_token *tok)
{
	struct dentry *shared = get_shared(tok->upper);
	struct dentry *linked = link_shared(tok, shared), *whiteout = linked;

	/* Not every file system has hard links. */
	if (IS_ERR(linked))
		whiteout = shale_workdir_make(tok, &a_whiteout);
	if (is_used_up(linked) && !IS_ERR(whiteout))
		share(tok, whiteout, shared);
	dput(shared);
	return whiteout;
}

int shale_whiteout_share(const struct shale_token *tok)
{
	struct dentry *whiteout = shale_workdir_make(tok, &a_whiteout);

	if (IS_ERR(whiteout))
		return PTR_ERR(whiteout);
	tok->upper->whiteout = whiteout;
	return 0;
}

/* What the new name of a started renaming must lead to: @victim, or nothing without one. */
static int check_target(const struct renamedata *rd, const struct dentry *victim)
{
	if (victim ? d_inode(rd->new_dentry) == d_inode(victim) : d_is_negative(rd->new_dentry))
		return 0;
	return -ESTALE;
}

static int put_in_place(const struct shale_token *tok, struct dentry *dir,
			const struct qstr *name, struct dentry *victim, struct dentry *whiteout)
{
	struct renamedata rd = { .old_parent = tok->upper->workdir, .new_parent = dir };
	int err = shale_upper_start_renaming_dentry(tok, &rd, whiteout, name);

	if (err)
		return err;
	err = check_target(&rd, victim);
	if (!err) {
		/* A directory can't be replaced by what is none: they trade places. */
		rd.flags = d_is_dir(rd.new_dentry) ? RENAME_EXCHANGE : 0;
		err = shale_upper_rename(tok, &rd);
	}
	end_renaming(&rd);
	return err;
}

/* Where nothing is in the way, a link is enough. Return: whether it was. */
static bool link_in_place(const struct shale_token *tok, struct dentry *dir,
			  const struct qstr *name)
{
	const struct shale_new what = { .link_to = get_shared(tok->upper) };
	struct dentry *whiteout;

	if (!what.link_to)
		return false;
	whiteout = shale_upper_make(tok, dir, name, &what);
	dput(what.link_to);
	if (IS_ERR(whiteout))
		return false;
	dput(whiteout);
	return true;
}

static int replace_by_whiteout(const struct shale_token *tok, struct dentry *dir,
			       const struct qstr *name, struct dentry *victim)
{
	struct dentry *whiteout;
	int err;

	if (!victim && link_in_place(tok, dir, name))
		return 0;
	whiteout = make_whiteout(tok);
	if (IS_ERR(whiteout))
		return PTR_ERR(whiteout);
	err = put_in_place(tok, dir, name, victim, whiteout);
	if (err)
		shale_workdir_discard(tok, whiteout);
	else if (victim && d_is_dir(victim))
		shale_workdir_discard(tok, victim);
	dput(whiteout);
	return err;
}

static int remove_plainly(const struct shale_token *tok, struct dentry *dir,
			  const struct qstr *name, struct dentry *victim)
{
	int err = 0;

	if (!victim)
		return -ESTALE;	/* it was a lower's alone, and was removed there */
	if (d_is_dir(victim))
		err = shale_dir_remove_whiteouts(tok, victim);
	return err ?: shale_upper_remove(tok, dir, name, victim);
}

int shale_remove(const struct shale_token *tok, struct dentry *dir, const struct qstr *name,
		 struct dentry *victim, bool below)
{
	if (below)
		return replace_by_whiteout(tok, dir, name, victim);
	return remove_plainly(tok, dir, name, victim);
}

int shale_put_over_whiteout(const struct shale_token *tok, struct dentry *dir,
			    const struct qstr *name, struct dentry *temp)
{
	struct renamedata rd = { .old_parent = tok->upper->workdir, .new_parent = dir };
	int err = shale_upper_start_renaming_dentry(tok, &rd, temp, name);
	struct dentry *whiteout;

	if (err)
		return err;
	whiteout = dget(rd.new_dentry);
	rd.flags = d_is_dir(temp) ? RENAME_EXCHANGE : 0;
	err = shale_is_whiteout(whiteout) ? shale_upper_rename(tok, &rd) : -ESTALE;
	end_renaming(&rd);

	if (!err && d_is_dir(temp))
		shale_workdir_discard(tok, whiteout);
	dput(whiteout);
	return err;
}

void shale_note_whiteout(struct dentry *dentry)
{
	struct shale_sb *sbi = shale_sb(dentry->d_sb);

	shale_count(&sbi->counters, SHALE_COUNT_WHITEOUTS, 1);
	shale_event(sbi, &(struct shale_event) {
		.kind = SHALE_EVENT_KIND_WHITED_OUT,
		.dentry = dentry,
	});
}
