// SPDX-License-Identifier: GPL-2.0
/* Names and attributes of the upper; the data wrappers are in upper_data.c. */
#include "stack/upper.h"

#include <linux/fileattr.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/xattr.h>

#include "stack/creds.h"

/* The token */

static struct shale_token upper_begin(struct super_block *sb, bool write)
{
	struct shale_sb *sbi = shale_sb(sb);
	struct shale_token tok = { .upper = sbi->upper, .epoch = sbi->stack->epoch };

	if (!tok.upper) {
		tok.err = -EROFS;
		return tok;
	}
	if (write) {
		tok.err = mnt_want_write(tok.upper->layer->mnt);
		if (tok.err)
			return tok;
		tok.write = true;
	}
	tok.caller = override_creds(sbi->mounter);
	return tok;
}

struct shale_token shale_upper_begin(struct super_block *sb)
{
	return upper_begin(sb, true);
}

struct shale_token shale_upper_begin_io(struct super_block *sb)
{
	return upper_begin(sb, false);
}

void shale_upper_end(const struct shale_token *tok)
{
	if (tok->err)
		return;
	revert_creds(tok->caller);
	if (tok->write)
		mnt_drop_write(tok->upper->layer->mnt);
}

/* Names */

struct dentry *shale_upper_lookup(const struct shale_token *tok, struct dentry *dir,
				  const char *name, unsigned int len)
{
	return lookup_one(shale_upper_idmap(tok), name, dir, len);
}

int shale_upper_create(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry,
		       umode_t mode)
{
	return vfs_create(shale_upper_idmap(tok), d_inode(dir), dentry, mode, true);
}

int shale_upper_mkdir(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry,
		      umode_t mode)
{
	return vfs_mkdir(shale_upper_idmap(tok), d_inode(dir), dentry, mode);
}

int shale_upper_mknod(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry,
		      umode_t mode, dev_t dev)
{
	return vfs_mknod(shale_upper_idmap(tok), d_inode(dir), dentry, mode, dev);
}

int shale_upper_symlink(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry,
			const char *target)
{
	return vfs_symlink(shale_upper_idmap(tok), d_inode(dir), dentry, target);
}

int shale_upper_link(const struct shale_token *tok, struct dentry *old, struct dentry *dir,
		     struct dentry *dentry)
{
	return vfs_link(old, shale_upper_idmap(tok), d_inode(dir), dentry, NULL);
}

int shale_upper_unlink(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry)
{
	return vfs_unlink(shale_upper_idmap(tok), d_inode(dir), dentry, NULL);
}

int shale_upper_rmdir(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry)
{
	return vfs_rmdir(shale_upper_idmap(tok), d_inode(dir), dentry);
}

int shale_upper_rename(const struct shale_token *tok, struct dentry *old_dir, struct dentry *old,
		       struct dentry *new_dir, struct dentry *new, unsigned int flags)
{
	struct renamedata rd = {
		.old_mnt_idmap = shale_upper_idmap(tok),
		.old_dir = d_inode(old_dir),
		.old_dentry = old,
		.new_mnt_idmap = shale_upper_idmap(tok),
		.new_dir = d_inode(new_dir),
		.new_dentry = new,
		.flags = flags,
	};

	return vfs_rename(&rd);
}

struct file *shale_upper_tmpfile(const struct shale_token *tok, umode_t mode)
{
	const struct path workdir = shale_upper_path(tok, tok->upper->workdir);

	return kernel_tmpfile_open(shale_upper_idmap(tok), &workdir, mode,
				   O_WRONLY | O_LARGEFILE | __FMODE_NONOTIFY, current_cred());
}

/* Attributes */

int shale_upper_setattr_locked(const struct shale_token *tok, struct dentry *dentry,
			       struct iattr *attr)
{
	return notify_change(shale_upper_idmap(tok), dentry, attr, NULL);
}

int shale_upper_setattr(const struct shale_token *tok, struct dentry *dentry, struct iattr *attr)
{
	int err;

	inode_lock(d_inode(dentry));
	err = shale_upper_setattr_locked(tok, dentry, attr);
	inode_unlock(d_inode(dentry));
	return err;
}

int shale_upper_setxattr(const struct shale_token *tok, struct dentry *dentry, const char *name,
			 const void *value, size_t size, int flags)
{
	return vfs_setxattr(shale_upper_idmap(tok), dentry, name, value, size, flags);
}

int shale_upper_removexattr(const struct shale_token *tok, struct dentry *dentry, const char *name)
{
	return vfs_removexattr(shale_upper_idmap(tok), dentry, name);
}

/* What may be given to the VFS, which translates ids in place. NULL: out of memory. */
static struct posix_acl *acl_to_give(const struct shale_token *tok, struct posix_acl *acl)
{
	if (IS_ENABLED(CONFIG_FS_POSIX_ACL) && is_idmapped_mnt(tok->upper->layer->mnt))
		return posix_acl_clone(acl, GFP_KERNEL);
	return posix_acl_dup(acl);
}

int shale_upper_set_acl(const struct shale_token *tok, struct dentry *dentry, const char *name,
			struct posix_acl *acl)
{
	int err;

	if (!acl)
		return vfs_remove_acl(shale_upper_idmap(tok), dentry, name);
	acl = acl_to_give(tok, acl);
	if (!acl)
		return -ENOMEM;
	err = vfs_set_acl(shale_upper_idmap(tok), dentry, name, acl);
	posix_acl_release(acl);
	return err;
}

int shale_upper_fileattr_set(const struct shale_token *tok, struct dentry *dentry,
			     struct fileattr *fa)
{
	return vfs_fileattr_set(shale_upper_idmap(tok), dentry, fa);
}

int shale_upper_fsync(const struct shale_token *tok, struct dentry *dentry)
{
	const struct path path = shale_upper_path(tok, dentry);
	struct file *file = dentry_open(&path, O_RDONLY | __FMODE_NONOTIFY, current_cred());
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = vfs_fsync(file, 0);
	fput(file);
	return err;
}

void shale_upper_touch_atime(const struct shale_token *tok, struct dentry *dentry)
{
	const struct path path = shale_upper_path(tok, dentry);

	touch_atime(&path);
}

/*
 * Taking the upper for one mount. The in-use mark is the bit that overlayfs sets too, so that
 * the two refuse each other's uppers and work directories.
 */

static struct inode *in_use_begin(struct dentry *root)
{
	struct inode *inode = d_inode(root);
	bool taken = false;

	spin_lock(&inode->i_lock);
	if (!(inode->i_state & I_OVL_INUSE)) {
		inode->i_state |= I_OVL_INUSE;
		taken = true;
	}
	spin_unlock(&inode->i_lock);
	return taken ? inode : NULL;
}

static void in_use_end(struct inode *inode)
{
	if (!inode)
		return;
	spin_lock(&inode->i_lock);
	inode->i_state &= ~I_OVL_INUSE;
	spin_unlock(&inode->i_lock);
}

bool shale_layer_in_use(const struct shale_layer *layer)
{
	return READ_ONCE(d_inode(layer->mnt->mnt_root)->i_state) & I_OVL_INUSE;
}

int shale_upper_open(struct shale_sb *sbi, struct fs_context *fc)
{
	const struct shale_stack *stack = sbi->stack;
	struct shale_upper *upper = kzalloc(sizeof(*upper), GFP_KERNEL_ACCOUNT);

	if (!upper)
		return -ENOMEM;
	upper->layer = stack->upper;
	upper->root = dget(stack->upper->mnt->mnt_root);
	upper->workbase = dget(stack->work->mnt->mnt_root);
	sbi->upper = upper;

	upper->root_in_use = in_use_begin(upper->root);
	if (!upper->root_in_use) {
		errorfc(fc, "upperdir %s: in use by another mount; unmount that first",
			stack->upper->name);
		return -EBUSY;
	}
	upper->work_in_use = in_use_begin(upper->workbase);
	if (!upper->work_in_use) {
		errorfc(fc, "workdir %s: in use by another mount; unmount that first",
			stack->work->name);
		return -EBUSY;
	}
	return 0;
}

void shale_upper_close(struct shale_sb *sbi)
{
	struct shale_upper *upper = sbi->upper;

	if (!upper)
		return;
	in_use_end(upper->work_in_use);
	in_use_end(upper->root_in_use);
	dput(upper->workdir);
	dput(upper->workbase);
	dput(upper->root);
	kfree_rcu_mightsleep(upper);	/* RCU-walk may still be asking it for its layer */
}
