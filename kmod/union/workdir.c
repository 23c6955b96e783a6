// SPDX-License-Identifier: GPL-2.0
#include "union/workdir.h"

#include <linux/fs_context.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "compat/real_file.h"
#include "stack/marks.h"
#include "union/abilities.h"
#include "union/names.h"

/* Temporary objects */

struct dentry *shale_workdir_make(const struct shale_token *tok, const struct shale_new *what)
{
	static atomic_t counter = ATOMIC_INIT(0);
	struct dentry *dentry;
	char name[16];

	/* A name that is taken is a leftover that could not be removed. There are few. */
	do {
		int len = snprintf(name, sizeof(name), "#%x", atomic_inc_return(&counter));

		dentry = shale_upper_make(tok, tok->upper->workdir, &QSTR_LEN(name, len), what);
		if (dentry != ERR_PTR(-EEXIST))
			return dentry;
	} while (!fatal_signal_pending(current));
	return ERR_PTR(-EINTR);
}

void shale_workdir_discard(const struct shale_token *tok, struct dentry *temp)
{
	int err = 0;

	if (d_is_dir(temp))
		err = shale_dir_remove_whiteouts(tok, temp);
	if (!err)
		err = shale_upper_remove_dentry(tok, tok->upper->workdir, temp);
	if (err)
		pr_err_ratelimited("can't remove %pd2: error %d\n", temp, err);
}

/* Going through a directory, and wiping what a crash left */

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

int shale_upper_for_each(const struct shale_token *tok, struct dentry *dir,
			 shale_upper_visit_t visit, void *arg)
{
	struct leftovers all = { .ctx.actor = collect };
	const struct leftover *left;
	int err = read_leftovers(tok, dir, &all);

	for (left = all.list; !err && left; left = left->next) {
		struct dentry *dentry = lookup_one_unlocked(shale_upper_idmap(tok),
							    &QSTR_LEN(left->name, left->len), dir);

		if (IS_ERR(dentry)) {
			err = PTR_ERR(dentry);
			break;
		}
		if (d_is_positive(dentry))
			err = visit(tok, dir, dentry, arg);
		dput(dentry);
	}
	free_leftovers(&all);
	return err;
}

static int wipe(const struct shale_token *tok, struct dentry *parent, struct dentry *victim,
		void *depth)
{
	int inside = *(int *)depth - 1;
	int err = 0;

	if (d_is_dir(victim))
		err = inside >= 0 ? shale_upper_for_each(tok, victim, wipe, &inside) : -ENOTEMPTY;
	return err ?: shale_upper_remove_dentry(tok, parent, victim);
}

int shale_workdir_wipe(const struct shale_token *tok, struct dentry *parent,
		       struct dentry *victim)
{
	int depth = WORK_DEPTH;

	return wipe(tok, parent, victim, &depth);
}

/* Preparing it */

static int refuse_feature(struct fs_context *fc, const struct leftover *feature)
{
	if (feature->len == strlen(SHALE_VOLATILE_DIR) &&
	    !memcmp(feature->name, SHALE_VOLATILE_DIR, feature->len))
		errorfc(fc, "upperdir: was written by a volatile mount that did not end; "
			"to use it as it is, remove work/incompat from workdir");
	else
		errorfc(fc, "workdir: feature '%.*s' is in use; see work/incompat in it",
			(int)feature->len, feature->name);
	return -EINVAL;
}

/* A feature below work/incompat means: do not use this upper without knowing it. */
static int check_incompat(const struct shale_token *tok, struct dentry *work,
			  struct fs_context *fc)
{
	struct leftovers all = { .ctx.actor = collect };
	struct dentry *dir;
	int err;

	dir = lookup_one_positive_unlocked(shale_upper_idmap(tok), &QSTR(SHALE_INCOMPAT_DIR), work);
	if (IS_ERR(dir))
		return PTR_ERR(dir) == -ENOENT ? 0 : PTR_ERR(dir);

	err = d_is_dir(dir) ? read_leftovers(tok, dir, &all) : 0;
	dput(dir);
	if (all.list && !err)
		err = refuse_feature(fc, all.list);
	free_leftovers(&all);
	return err;
}

/* Wipes "work", if there is one that we may wipe. */
static int remove_work(const struct shale_token *tok, struct fs_context *fc)
{
	struct dentry *base = tok->upper->workbase;
	struct dentry *work;
	int err = 0;

	work = lookup_one_unlocked(shale_upper_idmap(tok), &QSTR(SHALE_WORK_DIR), base);
	if (IS_ERR(work))
		return PTR_ERR(work);
	if (d_is_dir(work))
		err = check_incompat(tok, work, fc);
	if (!err && d_is_positive(work))
		err = shale_workdir_wipe(tok, base, work);
	dput(work);
	return err;
}

/* Replaces "work" by an empty directory that nobody but us can enter. */
static int make_work(const struct shale_token *tok, struct fs_context *fc)
{
	const struct shale_new dir = { .mode = S_IFDIR };
	struct iattr attr = { .ia_valid = ATTR_MODE, .ia_mode = S_IFDIR };
	struct dentry *work;
	int err = remove_work(tok, fc);

	if (err)
		return err;
	work = shale_upper_make(tok, tok->upper->workbase, &QSTR(SHALE_WORK_DIR), &dir);
	if (IS_ERR(work))
		return PTR_ERR(work);
	tok->upper->workdir = work;

	/* A default ACL of the user's directory must not reach what is made in here. */
	shale_upper_set_acl(tok, work, XATTR_NAME_POSIX_ACL_DEFAULT, NULL);
	shale_upper_set_acl(tok, work, XATTR_NAME_POSIX_ACL_ACCESS, NULL);
	return shale_upper_setattr(tok, work, &attr);
}

int shale_workdir_prepare(struct super_block *sb, struct fs_context *fc)
{
	struct shale_sb *sbi = shale_sb(sb);
	int err;

	CLASS(shale_upper, tok)(sb);

	err = tok.err ?: make_work(&tok, fc);
	if (err) {
		errorfc(fc, "workdir %s: can't make an empty '%s' in it: error %d",
			sbi->stack->work->name, SHALE_WORK_DIR, err);
		return err;
	}
	return shale_upper_probe(&tok, sbi, fc);
}
