// SPDX-License-Identifier: GPL-2.0
#include "union/workdir.h"

#include <linux/fs_context.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "compat/real_file.h"
#include "stack/marks.h"
#include "union/names.h"

/* Temporary objects */

struct dentry *shale_workdir_name(const struct shale_token *tok)
{
	static atomic_t counter = ATOMIC_INIT(0);
	struct dentry *dentry;
	char name[16];
	int len;

	/* A name that is taken is a leftover that could not be removed. There are few. */
	do {
		len = snprintf(name, sizeof(name), "#%x", atomic_inc_return(&counter));
		dentry = shale_upper_lookup(tok, tok->upper->workdir, name, len);
		if (IS_ERR(dentry) || d_is_negative(dentry))
			return dentry;
		dput(dentry);
	} while (!fatal_signal_pending(current));
	return ERR_PTR(-EINTR);
}

void shale_workdir_discard_locked(const struct shale_token *tok, struct dentry *temp)
{
	int err = shale_upper_unlink(tok, tok->upper->workdir, temp);

	if (err)
		pr_err("shale: can't remove %pd2: error %d\n", temp, err);
}

void shale_workdir_discard(const struct shale_token *tok, struct dentry *temp)
{
	struct dentry *workdir = tok->upper->workdir;
	int err = 0;

	if (d_is_dir(temp))
		err = shale_dir_remove_whiteouts(tok, temp);

	inode_lock_nested(d_inode(workdir), I_MUTEX_PARENT);
	if (err)
		;
	else if (d_is_dir(temp))
		err = shale_upper_rmdir(tok, workdir, temp);
	else
		err = shale_upper_unlink(tok, workdir, temp);
	inode_unlock(d_inode(workdir));

	if (err)
		pr_err("shale: can't remove %pd2: error %d\n", temp, err);
}

int shale_workdir_lock(const struct shale_token *tok, struct dentry *dir)
{
	struct dentry *trap = lock_rename(tok->upper->workdir, dir);

	/* They were apart at mount. Somebody has moved them behind our back. */
	if (!trap)
		return 0;
	if (!IS_ERR(trap))
		unlock_rename(tok->upper->workdir, dir);
	return -EIO;
}

void shale_workdir_unlock(const struct shale_token *tok, struct dentry *dir)
{
	unlock_rename(tok->upper->workdir, dir);
}

/* Wiping what a crash left */

/* How deep "work" can be: temporary directories hold whiteouts, "incompat" features. */
#define WORK_DEPTH 3

struct leftover {
	struct leftover *next;
	unsigned int len;
	char name[];
};

struct leftovers {
	struct dir_context ctx;
	struct leftover *list;
	unsigned int nr;		/* with "." and "..", to notice an empty piece */
	int err;
};

static bool collect(struct dir_context *ctx, const char *name, int len, loff_t pos, u64 ino,
		    unsigned int type)
{
	struct leftovers *all = container_of(ctx, struct leftovers, ctx);
	struct leftover *left;

	all->nr++;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	left = kmalloc(struct_size(left, name, len), GFP_KERNEL);
	if (!left) {
		all->err = -ENOMEM;
		return false;
	}
	left->len = len;
	memcpy(left->name, name, len);
	left->next = all->list;
	all->list = left;
	return true;
}

static int wipe(const struct shale_token *tok, struct dentry *parent, struct dentry *victim,
		int depth);

static int wipe_one(const struct shale_token *tok, struct dentry *dir, const struct leftover *left,
		    int depth)
{
	struct dentry *dentry = lookup_one_unlocked(shale_upper_idmap(tok), left->name, dir,
						    left->len);
	int err;

	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = d_is_negative(dentry) ? 0 : wipe(tok, dir, dentry, depth);
	dput(dentry);
	return err;
}

/* Some file systems give a directory piece by piece: until a piece is empty. */
static int read_leftovers(const struct shale_token *tok, struct dentry *dir,
			  struct leftovers *all)
{
	const struct path path = shale_upper_path(tok, dir);
	struct file *file = shale_real_dir_open(&path);
	unsigned int before;
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	do {
		before = all->nr;
		err = iterate_dir(file, &all->ctx) ?: all->err;
	} while (!err && all->nr != before);
	fput(file);
	return err;
}

static void free_leftovers(struct leftovers *all)
{
	while (all->list) {
		struct leftover *left = all->list;

		all->list = left->next;
		kfree(left);
	}
}

static int wipe_inside(const struct shale_token *tok, struct dentry *dir, int depth)
{
	struct leftovers all = { .ctx.actor = collect };
	const struct leftover *left;
	int err = read_leftovers(tok, dir, &all);

	for (left = all.list; !err && left; left = left->next)
		err = wipe_one(tok, dir, left, depth);
	free_leftovers(&all);
	return err;
}

static int wipe(const struct shale_token *tok, struct dentry *parent, struct dentry *victim,
		int depth)
{
	int err = 0;

	if (d_is_dir(victim)) {
		err = depth ? wipe_inside(tok, victim, depth - 1) : -ENOTEMPTY;
		if (err)
			return err;
	}
	inode_lock_nested(d_inode(parent), I_MUTEX_PARENT);
	if (victim->d_parent == parent)
		err = d_is_dir(victim) ? shale_upper_rmdir(tok, parent, victim)
				       : shale_upper_unlink(tok, parent, victim);
	inode_unlock(d_inode(parent));
	return err;
}

/* Preparing it */

/* A feature below work/incompat means: do not use this upper without knowing it. */
static int check_incompat(const struct shale_token *tok, struct dentry *work,
			  struct fs_context *fc)
{
	struct leftovers all = { .ctx.actor = collect };
	struct dentry *dir;
	int err;

	dir = lookup_one_positive_unlocked(shale_upper_idmap(tok), SHALE_INCOMPAT_DIR, work,
					   strlen(SHALE_INCOMPAT_DIR));
	if (IS_ERR(dir))
		return PTR_ERR(dir) == -ENOENT ? 0 : PTR_ERR(dir);

	err = d_is_dir(dir) ? read_leftovers(tok, dir, &all) : 0;
	dput(dir);
	if (all.list && !err) {
		errorfc(fc, "workdir: feature '%.*s' is in use; see work/incompat in it",
			(int)all.list->len, all.list->name);
		err = -EINVAL;
	}
	free_leftovers(&all);
	return err;
}

/* Replaces "work" by an empty directory that nobody but us can enter. */
static int make_work(const struct shale_token *tok, struct fs_context *fc)
{
	struct dentry *base = tok->upper->workbase;
	struct iattr attr = { .ia_valid = ATTR_MODE, .ia_mode = S_IFDIR };
	struct dentry *work;
	int err;

	work = lookup_one_unlocked(shale_upper_idmap(tok), SHALE_WORK_DIR, base,
				   strlen(SHALE_WORK_DIR));
	if (IS_ERR(work))
		return PTR_ERR(work);
	if (d_is_positive(work)) {
		err = d_is_dir(work) ? check_incompat(tok, work, fc) : 0;
		if (!err)
			err = wipe(tok, base, work, WORK_DEPTH);
		dput(work);
		if (err)
			return err;
		work = NULL;
	}

	inode_lock_nested(d_inode(base), I_MUTEX_PARENT);
	if (!work)
		work = shale_upper_lookup(tok, base, SHALE_WORK_DIR, strlen(SHALE_WORK_DIR));
	err = PTR_ERR_OR_ZERO(work);
	if (!err)
		err = shale_upper_mkdir(tok, base, work, 0);
	inode_unlock(d_inode(base));
	if (IS_ERR(work))
		return err;
	if (err) {
		dput(work);
		return err;
	}
	tok->upper->workdir = work;

	/* A default ACL of the user's directory must not reach what is made in here. */
	shale_upper_set_acl(tok, work, XATTR_NAME_POSIX_ACL_DEFAULT, NULL);
	shale_upper_set_acl(tok, work, XATTR_NAME_POSIX_ACL_ACCESS, NULL);
	return shale_upper_setattr(tok, work, &attr);
}

/* What can this upper do? Found by trying: file systems do not say. */

static bool probe_tmpfile(const struct shale_token *tok)
{
	struct file *file = shale_upper_tmpfile(tok, S_IFREG | 0600);

	if (IS_ERR(file))
		return false;
	fput(file);
	return true;
}

static bool probe_xattr(const struct shale_token *tok, const struct shale_sb *sbi)
{
	return shale_mark_set_opaque(tok, sbi, tok->upper->workdir) == 0;
}

int shale_workdir_prepare(struct super_block *sb, struct fs_context *fc)
{
	const struct shale_sb *sbi = shale_sb(sb);
	struct shale_upper *upper = sbi->upper;
	int err;

	CLASS(shale_upper, tok)(sb);

	err = tok.err ?: make_work(&tok, fc);
	if (err) {
		errorfc(fc, "workdir %s: can't make an empty '%s' in it: error %d",
			sbi->stack->work->name, SHALE_WORK_DIR, err);
		return err;
	}
	upper->has_tmpfile = probe_tmpfile(&tok);
	if (!probe_xattr(&tok, sbi))
		pr_warn("shale: upper %s keeps no %s xattrs: directories can't be replaced\n",
			upper->layer->name, sbi->userxattr ? "user" : "trusted");
	return 0;
}
