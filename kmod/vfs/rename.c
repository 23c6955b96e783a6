// SPDX-License-Identifier: GPL-2.0
/*
 * Renaming: both names change by one rename in the upper.
 *
 * What has parts in lower layers under its old name gets a redirect first, which leads there. Where
 * that is not wanted such directories are refused: EXDEV, which makes mv(1) copy them.
 */
#include <linux/namei.h>

#include "stack/events.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/name.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "union/copy_up.h"
#include "union/index.h"
#include "union/names.h"
#include "union/redirect.h"
#include "union/whiteout.h"
#include "union/workdir.h"
#include "vfs/operations.h"

/* One of the two names. */
struct side {
	struct inode *dir;
	struct dentry *dentry;		/* ours */
	struct shale_entry *parent;	/* of dir; counted */
	struct shale_entry *entry;	/* of the object; counted; NULL: negative */
	bool below;			/* lower layers show the name when the upper has nothing */
	char *redirect;			/* that was written; or NULL */
};

struct renaming {
	struct super_block *sb;
	struct side old, new;
	bool exchange;
};

static bool side_is_dir(const struct side *side)
{
	return side->entry && d_is_dir(side->dentry);
}

/* Step 1: everything that changes lies in the upper. */

static int check_movable(const struct side *side)
{
	struct shale_entry *entry __free(shale_entry) = NULL;

	if (!d_is_dir(side->dentry))
		return 0;
	if (shale_redirects_made(&shale_sb(side->dentry->d_sb)->features))
		return 0;
	entry = shale_entry_get(d_inode(side->dentry));
	return entry->lower ? -EXDEV : 0;
}

/* What is refused is refused before anything is copied up for it. */
static int check_allowed(const struct renaming *r)
{
	int err = check_movable(&r->old);

	if (err || d_is_negative(r->new.dentry))
		return err;
	if (r->exchange)
		return check_movable(&r->new);
	return d_is_dir(r->new.dentry) ? shale_dir_is_empty(r->new.dentry) : 0;
}

static int copy_up_all(const struct renaming *r)
{
	int err = shale_copy_up(r->old.dentry, SHALE_REASON_RENAME);

	if (!err)
		err = r->exchange ? shale_copy_up(r->new.dentry, SHALE_REASON_RENAME) :
			shale_copy_up(r->new.dentry->d_parent, SHALE_REASON_CHANGE_BELOW);
	if (err || r->exchange || d_is_negative(r->new.dentry) || d_is_dir(r->new.dentry))
		return err;
	return shale_name_prepare_removal(r->new.dentry);
}

static int side_begin(struct renaming *r, struct side *side)
{
	int below;

	side->parent = shale_entry_get(side->dir);
	if (d_is_positive(side->dentry))
		side->entry = shale_entry_get(d_inode(side->dentry));
	below = shale_name_below(side->dir, side->parent, &side->dentry->d_name);
	side->below = below > 0;
	return min(below, 0);
}

static void side_end(struct side *side)
{
	shale_entry_put(side->parent);
	shale_entry_put(side->entry);
}

/* Step 2: directories are made such that the rename alone gives the right tree. */

/*
 * What goes on below under its old name says so. Any other directory must not merge with
 * the lower names that it comes to lie over.
 */
static int mark_moved(const struct renaming *r, const struct shale_token *tok,
		      struct side *moved, const struct side *to)
{
	const struct shale_sb *sbi = shale_sb(r->sb);
	bool only_name = side_is_dir(moved) || d_inode(moved->entry->upper)->i_nlink == 1;
	int err = 0;

	if (shale_redirect_needed(moved->dentry))
		err = shale_redirect_set(tok, moved->dentry, moved->dir == to->dir && only_name,
					 &moved->redirect);
	else if (side_is_dir(moved) && to->below)
		err = shale_mark_set_opaque(tok, sbi, moved->entry->upper);
	if (!err && moved->entry->lower)
		err = shale_mark_impure(tok, sbi, to->parent);
	return err;
}

/*
 * The upper's part of an empty directory may be full of whiteouts, and a rename only replaces
 * what is really empty. First it becomes opaque, so that they hide nothing any more: as it
 * would be seen after a crash at any point, and as our own entry says from then on.
 */
static int empty_victim(const struct renaming *r, const struct shale_token *tok,
			struct side *victim)
{
	struct inode *inode;
	int err;

	if (r->exchange || !side_is_dir(victim) || !victim->entry->upper)
		return 0;

	inode = d_inode(victim->dentry);
	if (victim->entry->lower) {
		struct shale_entry *opaque;

		err = shale_mark_set_opaque(tok, shale_sb(r->sb), victim->entry->upper);
		if (err)
			return err;
		opaque = shale_entry_alloc(shale_sb(r->sb), victim->entry->upper, NULL);
		if (!opaque)
			return -ENOMEM;
		/* Its key was the lower part, which nothing holds from now on. */
		shale_inode_rehash(inode, opaque);
		shale_entry_publish(inode, opaque);
		shale_dir_changed(inode);
	}
	err = shale_dir_remove_whiteouts(tok, victim->entry->upper);
	/* Should the rename fail, no name must remember a whiteout that is gone. */
	shrink_dcache_parent(victim->dentry);
	return err;
}

/* Step 3: the rename. */

/* Does the name in the upper, which is locked, lead to what we know? */
static int check_side(const struct side *side, const struct dentry *real)
{
	const struct dentry *upper = NULL;

	if (side->entry)
		upper = shale_name_upper(side->dentry, side->entry);
	if (upper)
		return d_inode(real) == d_inode(upper) ? 0 : -ESTALE;
	return d_is_negative(real) || shale_is_whiteout(real) ? 0 : -ESTALE;
}

/* How the base is asked to rename, and whether that leaves a whiteout to be removed. */
static unsigned int real_flags(const struct renaming *r, const struct dentry *target, bool *left)
{
	*left = false;
	if (r->exchange)
		return RENAME_EXCHANGE;
	if (!shale_is_whiteout(target))
		return r->old.below ? RENAME_WHITEOUT : 0;

	/* The whiteout in the way is just what the old name needs, or has to go. */
	if (r->old.below)
		return RENAME_EXCHANGE;
	if (!side_is_dir(&r->old))
		return 0;
	*left = true;
	return RENAME_EXCHANGE;
}

static int rename_real(struct renaming *r, const struct shale_token *tok)
{
	struct renamedata rd = {
		.old_parent = r->old.parent->upper,
		.new_parent = r->new.parent->upper,
	};
	struct dentry *whiteout;
	bool left = false;
	int err;

	err = shale_upper_start_renaming(tok, &rd, &r->old.dentry->d_name, &r->new.dentry->d_name);
	if (err)
		return err;
	whiteout = dget(rd.new_dentry);
	err = check_side(&r->old, rd.old_dentry) ?: check_side(&r->new, rd.new_dentry);
	if (!err) {
		rd.flags = real_flags(r, rd.new_dentry, &left);
		err = shale_upper_rename(tok, &rd);
	}
	end_renaming(&rd);

	/* The renaming is done. A whiteout over nothing that stays hides nothing. */
	if (!err && left && shale_upper_remove_dentry(tok, r->old.parent->upper, whiteout))
		pr_warn_ratelimited("can't remove the whiteout %pd2\n", whiteout);
	dput(whiteout);
	return err;
}

/* Step 4: what we know of both sides follows. */
static void rename_done(struct renaming *r, const struct shale_token *tok)
{
	shale_dir_changed(r->old.dir);
	shale_dir_changed(r->new.dir);
	shale_inode_copyattr(r->old.dir);
	shale_inode_copyattr(r->new.dir);
	shale_inode_copyattr(d_inode(r->old.dentry));

	shale_name_set(r->old.dentry, tok->epoch, SHALE_NAME_UPPER);
	if (r->exchange) {
		shale_name_set(r->new.dentry, tok->epoch, SHALE_NAME_UPPER);
		shale_inode_copyattr(d_inode(r->new.dentry));
	} else if (r->new.entry) {
		shale_name_set(r->new.dentry, tok->epoch, SHALE_NAME_ABSENT);
		shale_name_removed(d_inode(r->new.dentry), r->new.entry);
		shale_index_links_end(tok, d_inode(r->new.dentry), r->new.entry);
	}
}

static int rename_with_token(struct renaming *r)
{
	int err;

	CLASS(shale_upper, tok)(r->sb);

	err = tok.err;
	if (!err)
		err = mark_moved(r, &tok, &r->old, &r->new);
	if (!err && r->exchange)
		err = mark_moved(r, &tok, &r->new, &r->old);
	if (!err)
		err = empty_victim(r, &tok, &r->new);
	if (!err && r->new.entry && !r->exchange)
		err = shale_index_links_begin(&tok, d_inode(r->new.dentry), r->new.entry);
	if (!err)
		err = rename_real(r, &tok);
	if (!err)
		rename_done(r, &tok);
	return err;
}

/* Its new directory may grow by a name. */
static int rename_claimed(struct renaming *r)
{
	int err;

	CLASS(shale_claim, claim)(r->new.dir, SHALE_CLAIM_OBJECT, 0);
	if (claim.err)
		return claim.err;
	err = rename_with_token(r);
	shale_quota_note(r->old.dir);
	/* Marks may have taken a block. */
	shale_quota_note(d_inode(r->old.dentry));
	if (r->exchange)
		shale_quota_note(d_inode(r->new.dentry));
	return err;
}

/* For those who watch. The VFS moves the dentries later: each still has the name it had. */
static void note(const struct renaming *r, int err)
{
	struct dentry *old = r->old.dentry, *new = r->new.dentry;

	if (err)
		shale_failed(r->sb, old, SHALE_REASON_RENAME, err);
	else if (r->old.below && !r->exchange)
		shale_note_whiteout(old);
	shale_note_redirect(err ? old : new, d_inode(old), r->old.redirect);
	shale_note_redirect(err ? new : old, d_inode(new), r->new.redirect);
}

int shale_rename(struct mnt_idmap *idmap, struct inode *old_dir, struct dentry *old_dentry,
		 struct inode *new_dir, struct dentry *new_dentry, unsigned int flags)
{
	struct renaming r = {
		.sb = old_dir->i_sb,
		.old = { .dir = old_dir, .dentry = old_dentry },
		.new = { .dir = new_dir, .dentry = new_dentry },
		.exchange = flags & RENAME_EXCHANGE,
	};
	struct inode *victim = NULL;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;

	err = check_allowed(&r) ?: copy_up_all(&r);
	if (err)
		return err;

	/* A copy-up of what is replaced either ends before, or sees that the name is gone. */
	if (!r.exchange && d_is_positive(new_dentry))
		victim = d_inode(new_dentry);
	if (victim)
		err = shale_inode_lock(victim);
	if (err)
		return err;

	err = side_begin(&r, &r.old);
	if (!err)
		err = side_begin(&r, &r.new);
	if (!err)
		err = rename_claimed(&r);

	if (victim)
		shale_inode_unlock(victim);
	note(&r, err);
	side_end(&r.old);
	side_end(&r.new);
	return err;
}
