// SPDX-License-Identifier: GPL-2.0
/* Directories: looking names up, making and removing them. Renaming is in rename.c. */
#include <linux/cred.h>
#include <linux/namei.h>
#include <linux/posix_acl_xattr.h>
#include <linux/security.h>

#include "stack/creds.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/name.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "union/copy_up.h"
#include "union/index.h"
#include "union/lookup.h"
#include "union/names.h"
#include "union/redirect.h"
#include "union/whiteout.h"
#include "union/workdir.h"
#include "vfs/operations.h"

/* What a look-up has found besides the inode. */
struct finding {
	unsigned long what;	/* for shale_name_set() */
	bool changes;		/* shale_names_change() */
};

static void note_finding(struct dentry *dentry, const struct finding *found)
{
	shale_name_set(dentry, shale_sb(dentry->d_sb)->stack->epoch, found->what);
	shale_dentry_set_revalidated(dentry, found->changes);
}

/* Return: NULL for a name that leads to nothing, or ERR_PTR. */
static struct inode *look_up(struct inode *dir, const struct qstr *name, struct finding *found)
{
	struct shale_entry *parent __free(shale_entry) = shale_entry_get(dir);
	struct shale_entry *entry;
	struct inode *inode;
	int try = 0;

	/* Before they are looked for: a key may come meanwhile. */
	found->changes = shale_names_change(dir, parent);
	do {
		entry = shale_lookup_parts(dir, parent, name, &found->what);
		if (IS_ERR_OR_NULL(entry))
			return ERR_CAST(entry);
		inode = shale_inode_find(dir->i_sb, entry);
	} while (inode == ERR_PTR(-ESTALE) && ++try < SHALE_INODE_TRIES);
	return inode;
}

static struct dentry *shale_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct super_block *sb = dir->i_sb;
	struct dentry *alias;
	struct finding found;
	struct inode *inode;

	if (dentry->d_name.len > shale_sb(sb)->name_max)
		return ERR_PTR(-ENAMETOOLONG);

	CLASS(shale_mounter, caller)(sb);

	inode = look_up(dir, &dentry->d_name, &found);
	if (IS_ERR(inode)) {
		shale_failed(sb, dentry, SHALE_REASON_LOOK_UP, PTR_ERR(inode));
		return ERR_CAST(inode);
	}

	note_finding(dentry, &found);
	/* Not remembered: it may be made by a name of another case. */
	if (!inode && shale_sb(sb)->casefolded)
		return NULL;
	alias = d_splice_alias(inode, dentry);
	if (!IS_ERR_OR_NULL(alias))
		note_finding(alias, &found);
	return alias;
}

/* Making objects */

struct creation {
	struct inode *dir;		/* ours */
	struct dentry *dentry;		/* ours, negative */
	struct shale_entry *parent;	/* of dir, with an upper; counted by who makes */
	struct shale_new what;		/* the object */
	struct dentry *old;		/* ours, of the object that gets another name; or NULL */

	kuid_t uid;			/* the new object's owner */
	kgid_t gid;

	struct dentry *made;		/* the object, in the upper; counted */
	char *redirect;			/* that was written; or NULL */
};

/* Where nothing is in the way: at once under its name. The base inherits ACLs and group. */
static int make_in_place(struct creation *c, const struct shale_token *tok)
{
	struct dentry *made = shale_upper_make(tok, c->parent->upper, &c->dentry->d_name, &c->what);

	/* A name that we know to be free is taken only behind our back. */
	if (IS_ERR(made))
		return made == ERR_PTR(-EEXIST) ? -ESTALE : PTR_ERR(made);
	c->made = made;
	return 0;
}

/* Sets on an object in the work directory what it would have inherited under its name. */
static int inherit(struct creation *c, const struct shale_token *tok, struct dentry *temp)
{
	struct posix_acl *default_acl = NULL, *acl = NULL;
	struct iattr attr = { .ia_valid = ATTR_MODE, .ia_mode = c->what.mode };
	int err;

	if (S_ISLNK(c->what.mode) || c->what.link_to)
		return 0;

	err = posix_acl_create(c->dir, &attr.ia_mode, &default_acl, &acl);
	if (err)
		return err;
	if (!IS_ENABLED(CONFIG_FS_POSIX_ACL))
		attr.ia_mode &= ~current_umask();	/* which goes with the default ACL */
	if (S_ISDIR(c->what.mode) && (c->dir->i_mode & S_ISGID))
		attr.ia_mode |= S_ISGID;
	err = shale_upper_setattr(tok, temp, &attr);
	if (!err && acl)
		err = shale_upper_set_acl(tok, temp, XATTR_NAME_POSIX_ACL_ACCESS, acl);
	if (!err && default_acl)
		err = shale_upper_set_acl(tok, temp, XATTR_NAME_POSIX_ACL_DEFAULT, default_acl);
	posix_acl_release(acl);
	posix_acl_release(default_acl);
	return err;
}

/*
 * Where a whiteout is in the way: out of sight first, then by one rename in its place. A
 * directory must be opaque, for the whiteout goes and what it hid would show in it.
 */
static int make_over_whiteout(struct creation *c, const struct shale_token *tok)
{
	const struct shale_sb *sbi = shale_sb(c->dir->i_sb);
	struct dentry *temp = shale_workdir_make(tok, &c->what);
	int err;

	if (IS_ERR(temp))
		return PTR_ERR(temp);
	err = inherit(c, tok, temp);
	if (!err && S_ISDIR(c->what.mode))
		err = shale_mark_set_opaque(tok, sbi, temp);
	if (!err)
		err = shale_put_over_whiteout(tok, c->parent->upper, &c->dentry->d_name, temp);
	if (err) {
		const struct dentry *unnamed = c->what.link_to;

		shale_workdir_discard(tok, temp);
		/* What never had a name may be tried again. */
		if (unnamed && !d_inode(unnamed)->i_nlink)
			shale_upper_make_linkable(tok, c->what.link_to);
		dput(temp);
		return err;
	}
	c->made = temp;
	return 0;
}

/*
 * New objects belong to the caller, though the mounter makes them: the mounter's credentials
 * with the caller's file-system ids, and the label that the caller's would have given.
 */
static const struct cred *creator(const struct creation *c, const struct shale_token *tok)
{
	struct cred *cred = prepare_creds();
	int err;

	if (!cred)
		return ERR_PTR(-ENOMEM);
	cred->fsuid = c->uid;
	cred->fsgid = c->gid;
	err = security_dentry_create_files_as(c->dentry, c->what.mode, &c->dentry->d_name,
					      tok->caller, cred);
	if (err) {
		put_cred(cred);
		return ERR_PTR(err);
	}
	return cred;
}

typedef int (*make_t)(struct creation *c, const struct shale_token *tok);

static int make_as_creator(struct creation *c, const struct shale_token *tok, make_t how)
{
	const struct cred *cred = creator(c, tok), *old;
	int err;

	if (IS_ERR(cred))
		return PTR_ERR(cred);
	old = override_creds(cred);
	err = how(c, tok);
	revert_creds(old);
	put_cred(cred);
	return err;
}

static int make(struct creation *c, const struct shale_token *tok)
{
	make_t how = shale_name(c->dentry) == SHALE_NAME_WHITEOUT ? make_over_whiteout
								  : make_in_place;

	return c->what.link_to ? how(c, tok) : make_as_creator(c, tok, how);
}

/* Who will own the new object, seen through the mount's idmap. Before credentials change. */
static void set_owner(struct creation *c, struct mnt_idmap *idmap)
{
	struct user_namespace *user_ns = c->dir->i_sb->s_user_ns;

	c->uid = mapped_fsuid(idmap, user_ns);
	c->gid = c->dir->i_mode & S_ISGID ? c->dir->i_gid : mapped_fsgid(idmap, user_ns);
}

static struct inode *made_inode(const struct creation *c)
{
	struct super_block *sb = c->dir->i_sb;
	struct shale_entry *entry = shale_entry_alloc(shale_sb(sb), c->made, NULL);

	return entry ? shale_inode_find(sb, entry) : ERR_PTR(-ENOMEM);
}

static struct inode *linked_inode(const struct creation *c)
{
	struct inode *inode = d_inode(c->old);
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

	ihold(inode);
	if (entry->indexed)
		inc_nlink(inode);
	return inode;
}

/* The upper has the object: now the union has it too. */
static int end_creation(struct creation *c)
{
	struct super_block *sb = c->dir->i_sb;
	struct inode *inode = c->old ? linked_inode(c) : made_inode(c);

	if (IS_ERR(inode))
		shale_quota_made_unseen(sb, c->made);
	dput(c->made);
	shale_dir_changed(c->dir);
	if (IS_ERR(inode)) {
		d_drop(c->dentry);	/* the name is there: the next look-up finds it */
		return PTR_ERR(inode);
	}
	shale_name_set(c->dentry, shale_sb(sb)->stack->epoch, SHALE_NAME_UPPER);
	if (!c->old)
		shale_quota_made(inode);
	shale_inode_copyattr(inode);
	if (d_unhashed(c->dentry) && shale_sb(sb)->casefolded)
		d_add(c->dentry, inode);
	else
		d_instantiate(c->dentry, inode);
	return 0;
}

/* What was copied up is to be known for that by its other name, too, and to find its data. */
static int link_begin(struct creation *c, const struct shale_token *tok)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(c->old));
	int err = 0;

	if (shale_redirect_needed(c->old))
		err = shale_redirect_set(tok, c->old, false, &c->redirect);
	if (!err && entry->lower)
		err = shale_mark_impure(tok, shale_sb(c->dir->i_sb), c->parent);
	return err ?: shale_index_links_begin(tok, d_inode(c->old), entry);
}

static int create_with_token(struct creation *c)
{
	int err;

	CLASS(shale_upper, tok)(c->dir->i_sb);

	err = tok.err;
	if (!err && c->old)
		err = link_begin(c, &tok);
	if (!err)
		err = make(c, &tok);
	return err ?: end_creation(c);
}

/* Its directory may grow by a name, and what is made may need a block. */
static int create_claimed(struct creation *c)
{
	CLASS(shale_claim, claim)(c->dir, 2 * SHALE_CLAIM_OBJECT, !c->old);

	return claim.err ?: create_with_token(c);
}

static int create(struct creation *c, struct mnt_idmap *idmap)
{
	struct shale_entry *parent __free(shale_entry) = NULL;
	int err;

	err = shale_copy_up(c->dentry->d_parent, SHALE_REASON_CHANGE_BELOW);
	if (err)
		return err;
	if (!c->what.link_to)
		set_owner(c, idmap);
	parent = shale_entry_get(c->dir);
	c->parent = parent;

	err = create_claimed(c);
	if (err)
		shale_failed(c->dir->i_sb, c->dentry, SHALE_REASON_CREATE, err);
	return err;
}

static int shale_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			umode_t mode)
{
	struct creation c = {
		.dir = dir,
		.dentry = dentry,
		.what.mode = S_IFREG | (mode & S_IALLUGO),
	};

	return create(&c, idmap);
}

static struct dentry *shale_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				  struct dentry *dentry, umode_t mode)
{
	struct creation c = {
		.dir = dir,
		.dentry = dentry,
		.what.mode = S_IFDIR | (mode & S_IALLUGO),
	};

	return ERR_PTR(create(&c, idmap));
}

static int shale_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		       umode_t mode, dev_t rdev)
{
	struct creation c = {
		.dir = dir,
		.dentry = dentry,
		.what = { .mode = mode, .rdev = rdev },
	};

	/* It would be a whiteout: a name that vanishes the moment it is made. */
	if (S_ISCHR(mode) && rdev == MKDEV(0, 0))
		return -EPERM;
	return create(&c, idmap);
}

static int shale_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			 const char *target)
{
	struct creation c = {
		.dir = dir,
		.dentry = dentry,
		.what = { .mode = S_IFLNK | 0777, .target = target },
	};

	return create(&c, idmap);
}

static int shale_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct shale_entry *entry __free(shale_entry) = NULL;
	struct creation c = {
		.dir = dir,
		.dentry = dentry,
		.what.mode = d_inode(old)->i_mode,
	};
	int err;

	err = shale_copy_up(old, SHALE_REASON_LINK);
	if (!err)
		err = shale_copy_up(dentry->d_parent, SHALE_REASON_CHANGE_BELOW);
	if (err)
		return err;
	/* No other name of it is copied up meanwhile, which would change the number of links. */
	err = shale_inode_lock(d_inode(old));
	if (err)
		return err;
	entry = shale_entry_get(d_inode(old));
	c.what.link_to = entry->upper;
	c.old = old;
	err = create(&c, NULL);
	shale_inode_unlock(d_inode(old));
	shale_note_redirect(old, d_inode(old), c.redirect);
	return err;
}

/*
 * Unnamed files. Ours stands on one in the upper, in the same directory, so that it inherits what
 * a file with a name would. ->link() may give it a name later.
 */

static int make_unnamed(struct creation *c, const struct shale_token *tok)
{
	struct file *made = shale_upper_tmpfile(tok, c->parent->upper, c->what.mode);

	if (IS_ERR(made))
		return PTR_ERR(made);
	c->made = dget(made->f_path.dentry);
	fput(made);
	return 0;
}

/* The upper has the file: now @file is one of ours, not open yet. */
static int end_unnamed(struct creation *c, struct file *file)
{
	struct inode *inode = made_inode(c);

	dput(c->made);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	shale_quota_made(inode);
	/* It has none, but d_tmpfile() takes the first one of a new file away. */
	set_nlink(inode, 1);
	d_tmpfile(file, inode);
	return 0;
}

static int make_tmpfile(struct creation *c, struct mnt_idmap *idmap, struct file *file)
{
	struct shale_entry *parent __free(shale_entry) = NULL;
	int err = shale_copy_up(c->dentry->d_parent, SHALE_REASON_CHANGE_BELOW);

	if (err)
		return err;
	if (!shale_sb(c->dir->i_sb)->upper->has_tmpfile)
		return -EOPNOTSUPP;
	set_owner(c, idmap);
	parent = shale_entry_get(c->dir);
	c->parent = parent;

	CLASS(shale_claim, claim)(c->dir, SHALE_CLAIM_OBJECT, 1);
	if (claim.err)
		return claim.err;

	CLASS(shale_upper, tok)(c->dir->i_sb);

	err = tok.err ?: make_as_creator(c, &tok, make_unnamed);
	return err ?: end_unnamed(c, file);
}

static int shale_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file,
			 umode_t mode)
{
	struct creation c = {
		.dir = dir,
		.dentry = file->f_path.dentry,
		.what.mode = S_IFREG | (mode & S_IALLUGO),
	};
	int err;

	/* A removed directory can't be copied up. */
	if (IS_DEADDIR(dir))
		return -ENOENT;
	err = make_tmpfile(&c, idmap, file);
	/* Opens the real file as it does any other, now that there is one. */
	return finish_open_simple(file, err);
}

/* Removing names */

int shale_name_below(struct inode *dir, const struct shale_entry *parent, const struct qstr *name)
{
	CLASS(shale_mounter, caller)(dir->i_sb);
	return shale_lookup_below(dir, parent, name);
}

void shale_name_removed(struct inode *inode, const struct shale_entry *entry)
{
	shale_inode_copyattr_from(inode, shale_sb(inode->i_sb), entry);
	if (S_ISDIR(inode->i_mode))
		clear_nlink(inode);
	else if ((!entry->upper || entry->indexed) && inode->i_nlink)
		drop_nlink(inode);
}

struct dentry *shale_name_upper(const struct dentry *dentry, const struct shale_entry *entry)
{
	return shale_name(dentry) == SHALE_NAME_UPPER ? entry->upper : NULL;
}

int shale_name_prepare_removal(struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

	if (d_is_dir(dentry) || !shale_index_wants(shale_sb(dentry->d_sb), entry))
		return 0;
	/* Its only name: there will be nothing to count, and nothing of it has to be kept. */
	if (!entry->upper && inode->i_nlink == 1)
		return 0;
	return shale_copy_up(dentry, SHALE_REASON_REMOVE);
}

/* With the entry mutex of the object. */
static int remove_locked(struct inode *dir, struct dentry *dentry,
			 const struct shale_entry *parent, bool below)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(dentry));
	int err;

	CLASS(shale_upper, tok)(dir->i_sb);

	err = tok.err ?: shale_index_links_begin(&tok, d_inode(dentry), entry);
	if (err)
		return err;
	err = shale_remove(&tok, parent->upper, &dentry->d_name, shale_name_upper(dentry, entry),
			   below);
	if (err) {
		/* Of its whiteouts some may be gone, and names in it remember them. */
		if (d_is_dir(dentry)) {
			shale_dir_changed(d_inode(dentry));
			shrink_dcache_parent(dentry);
		}
		return err;
	}

	shale_name_set(dentry, tok.epoch, below ? SHALE_NAME_WHITEOUT : SHALE_NAME_ABSENT);
	shale_dir_changed(dir);
	shale_name_removed(d_inode(dentry), entry);
	shale_index_links_end(&tok, d_inode(dentry), entry);
	/* As the look-up of a name that is not there. */
	if (shale_sb(dir->i_sb)->casefolded)
		d_drop(dentry);
	return 0;
}

static int remove_name(struct inode *dir, struct dentry *dentry)
{
	struct shale_entry *parent __free(shale_entry) = NULL;
	struct inode *inode = d_inode(dentry);
	int below, err;

	err = shale_copy_up(dentry->d_parent, SHALE_REASON_CHANGE_BELOW);
	if (!err && d_is_dir(dentry))
		err = shale_dir_is_empty(dentry);
	if (!err)
		err = shale_name_prepare_removal(dentry);
	if (err)
		return err;
	parent = shale_entry_get(dir);
	below = shale_name_below(dir, parent, &dentry->d_name);
	if (below < 0)
		return below;

	/* A copy-up of the object either ends before, or sees that the name is gone. */
	err = shale_inode_lock(inode);
	if (err)
		return err;
	err = remove_locked(dir, dentry, parent, below);
	shale_inode_unlock(inode);
	shale_quota_note(dir);
	if (err)
		shale_failed(dir->i_sb, dentry, SHALE_REASON_REMOVE, err);
	else if (below)
		shale_note_whiteout(dentry);
	return err;
}

SHALE_ADAPT_CREATE(shale_create)
SHALE_ADAPT_MKDIR(shale_mkdir)
SHALE_ADAPT_UPDATE_TIME(shale_update_time)

const struct inode_operations shale_dir_iops = {
	.lookup = shale_lookup,
	.create = SHALE_OP_CREATE(shale_create),
	.mkdir = SHALE_OP_MKDIR(shale_mkdir),
	.mknod = shale_mknod,
	.tmpfile = shale_tmpfile,
	.symlink = shale_symlink,
	.link = shale_link,
	.unlink = remove_name,
	.rmdir = remove_name,
	.rename = shale_rename,
	.permission = shale_permission,
	.getattr = shale_getattr,
	.setattr = shale_setattr,
	.listxattr = shale_listxattr,
	SHALE_OPS_ACL,
	.update_time = SHALE_OP_UPDATE_TIME(shale_update_time),
	.fileattr_get = shale_fileattr_get,
	.fileattr_set = shale_fileattr_set,
};
