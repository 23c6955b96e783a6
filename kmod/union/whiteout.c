// SPDX-License-Identifier: GPL-2.0
#include "union/whiteout.h"

#include <linux/namei.h>

#include "stack/marks.h"
#include "union/names.h"
#include "union/workdir.h"

/* A whiteout in the work directory, which is locked. */
static struct dentry *make_whiteout(const struct shale_token *tok)
{
	struct dentry *whiteout = shale_workdir_name(tok);
	int err;

	if (IS_ERR(whiteout))
		return whiteout;
	err = shale_upper_mknod(tok, tok->upper->workdir, whiteout, S_IFCHR, MKDEV(0, 0));
	if (!err)
		return whiteout;
	dput(whiteout);
	return ERR_PTR(err);
}

/* The dentry of @name in @dir, which is locked; it must be @victim, or negative without one. */
static struct dentry *look_again(const struct shale_token *tok, struct dentry *dir,
				 const struct qstr *name, const struct dentry *victim)
{
	struct dentry *dentry = shale_upper_lookup(tok, dir, name->name, name->len);

	if (IS_ERR(dentry))
		return dentry;
	if (victim ? d_inode(dentry) == d_inode(victim) : d_is_negative(dentry))
		return dentry;
	dput(dentry);
	return ERR_PTR(-ESTALE);
}

static int whiteout_locked(const struct shale_token *tok, struct dentry *dir,
			   const struct qstr *name, struct dentry *victim)
{
	struct dentry *workdir = tok->upper->workdir;
	struct dentry *target, *whiteout;
	int err;

	target = look_again(tok, dir, name, victim);
	if (IS_ERR(target))
		return PTR_ERR(target);

	err = PTR_ERR_OR_ZERO(whiteout = make_whiteout(tok));
	if (!err) {
		/* A directory can't be replaced by what is none: they trade places. */
		err = shale_upper_rename(tok, workdir, whiteout, dir, target,
					 d_is_dir(target) ? RENAME_EXCHANGE : 0);
		if (err)
			shale_workdir_discard_locked(tok, whiteout);
		dput(whiteout);
	}
	dput(target);
	return err;
}

static int replace_by_whiteout(const struct shale_token *tok, struct dentry *dir,
			       const struct qstr *name, struct dentry *victim)
{
	int err = shale_workdir_lock(tok, dir);

	if (err)
		return err;
	err = whiteout_locked(tok, dir, name, victim);
	shale_workdir_unlock(tok, dir);

	if (!err && victim && d_is_dir(victim))
		shale_workdir_discard(tok, victim);
	return err;
}

static int remove_plainly(const struct shale_token *tok, struct dentry *dir,
			  const struct qstr *name, struct dentry *victim)
{
	struct dentry *target;
	int err;

	if (d_is_dir(victim)) {
		err = shale_dir_remove_whiteouts(tok, victim);
		if (err)
			return err;
	}

	inode_lock_nested(d_inode(dir), I_MUTEX_PARENT);
	target = look_again(tok, dir, name, victim);
	err = PTR_ERR_OR_ZERO(target);
	if (!err) {
		err = d_is_dir(target) ? shale_upper_rmdir(tok, dir, target)
				       : shale_upper_unlink(tok, dir, target);
		dput(target);
	}
	inode_unlock(d_inode(dir));
	return err;
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
	struct dentry *workdir = tok->upper->workdir;
	struct dentry *whiteout = shale_upper_lookup(tok, dir, name->name, name->len);
	int err = -ESTALE;

	if (IS_ERR(whiteout))
		return PTR_ERR(whiteout);
	if (shale_is_whiteout(whiteout)) {
		bool exchange = d_is_dir(temp);

		err = shale_upper_rename(tok, workdir, temp, dir, whiteout,
					 exchange ? RENAME_EXCHANGE : 0);
		if (!err && exchange)
			shale_workdir_discard_locked(tok, whiteout);
	}
	dput(whiteout);
	return err;
}
