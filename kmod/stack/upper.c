// SPDX-License-Identifier: GPL-2.0
/* Names and attributes of the upper; the data wrappers are in upper_data.c. */
#include "stack/upper.h"

#include <linux/fileattr.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/xattr.h>

#include "compat/real_file.h"
#include "stack/creds.h"
#include "stack/variant.h"

/* The token */

/*
 * Copy-up, as the mounter, keeps set-id bits; so do callers who may. Of a file that has none
 * nothing is to be kept or lost: who gives it some from now on does so after this write, or sees
 * them taken off when it ends.
 */
static const struct cred *writer_creds(const struct shale_sb *sbi, const struct inode *written)
{
	if (IS_NOSEC(written) || current_cred() == sbi->mounter ||
	    ns_capable_noaudit(&init_user_ns, CAP_FSETID))
		return sbi->mounter;
	return sbi->writer;
}

/* How somebody waits for the gate. */
enum patience { KILLABLE, FOR_SURE, NOT_AT_ALL };

static int enter(struct shale_gate *gate, enum patience patience)
{
	switch (patience) {
	case NOT_AT_ALL:
		return shale_gate_try(gate) ? 0 : -EAGAIN;
	case FOR_SURE:
		shale_gate_enter_for_sure(gate);
		return 0;
	default:
		return shale_gate_enter(gate);
	}
}

static struct shale_token upper_begin(struct super_block *sb, const struct inode *written,
				      bool write, enum patience patience)
{
	struct shale_sb *sbi = shale_sb(sb);
	struct shale_token tok = { .upper = sbi->upper, .epoch = sbi->stack->epoch };

	if (!tok.upper) {
		tok.err = -EROFS;
		return tok;
	}
	tok.err = enter(tok.upper->gate, patience);
	if (tok.err)
		return tok;
	if (write) {
		tok.err = mnt_want_write(tok.upper->layer->mnt);
		if (tok.err) {
			shale_gate_leave(tok.upper->gate);
			return tok;
		}
		tok.write = true;
	}
	shale_touched_begin(&tok.upper->touched);
	tok.caller = override_creds(written ? writer_creds(sbi, written) : sbi->mounter);
	return tok;
}

struct shale_token shale_upper_begin(struct super_block *sb)
{
	return upper_begin(sb, NULL, true, KILLABLE);
}

struct shale_token shale_upper_begin_cleanup(struct super_block *sb)
{
	return upper_begin(sb, NULL, true, FOR_SURE);
}

struct shale_token shale_upper_begin_io(struct super_block *sb, const struct inode *written)
{
	return upper_begin(sb, written, false, KILLABLE);
}

struct shale_token shale_upper_try_io(struct super_block *sb, const struct inode *written)
{
	return upper_begin(sb, written, false, NOT_AT_ALL);
}

void shale_upper_end(const struct shale_token *tok)
{
	if (tok->err)
		return;
	revert_creds(tok->caller);
	shale_touched_end(&tok->upper->touched);
	if (tok->write)
		mnt_drop_write(tok->upper->layer->mnt);
	if (!tok->outside)
		shale_gate_leave(tok->upper->gate);
}

int shale_upper_step_aside(struct shale_token *tok)
{
	int err = shale_gate_step_aside(tok->upper->gate);

	tok->outside = err;
	return err;
}

/* What the token's holder has done, whether or not it went well. */
static void mark(const struct shale_token *tok, const struct dentry *dentry)
{
	shale_touched_mark(&tok->upper->touched, d_inode(dentry));
}

/* Of what a name was taken from. The reference, which has kept it till now, is taken over. */
static void mark_rest(const struct shale_token *tok, struct inode *inode)
{
	shale_touched_mark(&tok->upper->touched, inode);
	shale_touched_unlinked(&tok->upper->touched, inode);
	iput(inode);
}

/* Names */

/* The VFS keeps the hash of a name in it, so it is given one of its own. */
static struct qstr own_name(const struct qstr *name)
{
	return QSTR_LEN(name->name, name->len);
}

struct dentry *shale_upper_start_creating(const struct shale_token *tok, struct dentry *dir,
					  const struct qstr *name)
{
	struct qstr last = own_name(name);

	return start_creating(shale_upper_idmap(tok), dir, &last);
}

int shale_upper_link(const struct shale_token *tok, struct dentry *old, struct dentry *dir,
		     struct dentry *dentry)
{
	int err = vfs_link(old, shale_upper_idmap(tok), d_inode(dir), dentry, NULL);

	mark(tok, old);
	mark(tok, dir);
	return err;
}

/* Anything but a directory. */
static int make_leaf(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry,
		     const struct shale_new *what)
{
	struct mnt_idmap *idmap = shale_upper_idmap(tok);

	if (what->link_to)
		return shale_upper_link(tok, what->link_to, dir, dentry);
	switch (what->mode & S_IFMT) {
	case S_IFREG:
		return vfs_create(idmap, dentry, what->mode, NULL);
	case S_IFLNK:
		return vfs_symlink(idmap, d_inode(dir), dentry, what->target, NULL);
	default:
		return vfs_mknod(idmap, d_inode(dir), dentry, what->mode, what->rdev, NULL);
	}
}

/* Takes over @dentry and the lock, as vfs_mkdir() does: on error both are gone. */
static struct dentry *make_locked(const struct shale_token *tok, struct dentry *dir,
				  struct dentry *dentry, const struct shale_new *what)
{
	int err;

	if (S_ISDIR(what->mode) && !what->link_to)
		return vfs_mkdir(shale_upper_idmap(tok), d_inode(dir), dentry, what->mode, NULL);
	err = make_leaf(tok, dir, dentry, what);
	if (!err)
		return dentry;
	end_creating(dentry);
	return ERR_PTR(err);
}

/* Some file systems leave the dentry unhashed, for a look-up to instantiate. */
static struct dentry *look_again(const struct shale_token *tok, struct dentry *dir,
				 const struct qstr *name)
{
	struct qstr last = own_name(name);
	struct dentry *dentry = lookup_one(shale_upper_idmap(tok), &last, dir);

	if (!IS_ERR(dentry) && d_is_negative(dentry)) {
		dput(dentry);
		return ERR_PTR(-ESTALE);
	}
	return dentry;
}

struct dentry *shale_upper_end_creating(const struct shale_token *tok, struct dentry *dir,
					const struct qstr *name, struct dentry *dentry)
{
	struct dentry *again;

	if (!d_unhashed(dentry)) {
		mark(tok, dentry);
		return end_creating_keep(dentry);
	}
	again = look_again(tok, dir, name);
	if (!IS_ERR(again))
		mark(tok, again);
	end_creating(dentry);
	return again;
}

struct dentry *shale_upper_make(const struct shale_token *tok, struct dentry *dir,
				const struct qstr *name, const struct shale_new *what)
{
	struct dentry *dentry = shale_upper_start_creating(tok, dir, name);

	if (IS_ERR(dentry))
		return dentry;
	if (d_is_positive(dentry)) {
		end_creating(dentry);
		return ERR_PTR(-EEXIST);
	}
	dentry = make_locked(tok, dir, dentry, what);
	mark(tok, dir);
	return IS_ERR(dentry) ? dentry : shale_upper_end_creating(tok, dir, name, dentry);
}

static int remove_locked(const struct shale_token *tok, struct dentry *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int err;

	ihold(inode);
	if (d_is_dir(dentry))
		err = vfs_rmdir(shale_upper_idmap(tok), d_inode(dir), dentry, NULL);
	else
		err = vfs_unlink(shale_upper_idmap(tok), d_inode(dir), dentry, NULL);
	mark(tok, dir);
	mark_rest(tok, inode);
	return err;
}

int shale_upper_remove(const struct shale_token *tok, struct dentry *dir, const struct qstr *name,
		       const struct dentry *victim)
{
	struct qstr last = own_name(name);
	struct dentry *dentry = start_removing(shale_upper_idmap(tok), dir, &last);
	int err = -ESTALE;

	if (IS_ERR(dentry))
		return PTR_ERR(dentry) == -ENOENT ? -ESTALE : PTR_ERR(dentry);
	if (d_inode(dentry) == d_inode(victim))
		err = remove_locked(tok, dir, dentry);
	end_removing(dentry);
	return err;
}

int shale_upper_remove_dentry(const struct shale_token *tok, struct dentry *dir,
			      struct dentry *dentry)
{
	int err;

	dentry = start_removing_dentry(dir, dentry);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = remove_locked(tok, dir, dentry);
	end_removing(dentry);
	return err;
}

/* That a name is gone or an object has left its directory is somebody's doing behind our back. */
static int stale(int err)
{
	return err == -ENOENT || err == -EINVAL ? -ESTALE : err;
}

int shale_upper_start_renaming(const struct shale_token *tok, struct renamedata *rd,
			       const struct qstr *old_name, const struct qstr *new_name)
{
	struct qstr old_last = own_name(old_name), new_last = own_name(new_name);

	rd->mnt_idmap = shale_upper_idmap(tok);
	return stale(start_renaming(rd, 0, &old_last, &new_last));
}

int shale_upper_start_renaming_dentry(const struct shale_token *tok, struct renamedata *rd,
				      struct dentry *old, const struct qstr *new_name)
{
	struct qstr new_last = own_name(new_name);

	rd->mnt_idmap = shale_upper_idmap(tok);
	return stale(start_renaming_dentry(rd, 0, old, &new_last));
}

int shale_upper_rename(const struct shale_token *tok, struct renamedata *rd)
{
	struct inode *target = d_inode(rd->new_dentry);
	int err;

	if (target)
		ihold(target);
	err = vfs_rename(rd);
	mark(tok, rd->old_parent);
	mark(tok, rd->new_parent);
	mark(tok, rd->old_dentry);
	if (target)
		mark_rest(tok, target);
	return err;
}

struct file *shale_upper_tmpfile(const struct shale_token *tok, struct dentry *dir, umode_t mode)
{
	const struct path path = shale_upper_path(tok, dir);

	/* It need not be synced until it has a name. */
	return shale_real_tmpfile(&path, mode, O_WRONLY | O_LARGEFILE);
}

void shale_upper_make_linkable(const struct shale_token *tok, struct dentry *unnamed)
{
	struct inode *inode = d_inode(unnamed);

	spin_lock(&inode->i_lock);
	inode_state_set(inode, I_LINKABLE);
	spin_unlock(&inode->i_lock);
}

/* Attributes */

int shale_upper_setattr_locked(const struct shale_token *tok, struct dentry *dentry,
			       struct iattr *attr)
{
	int err = notify_change(shale_upper_idmap(tok), dentry, attr, NULL);

	mark(tok, dentry);
	return err;
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
	int err = vfs_setxattr(shale_upper_idmap(tok), dentry, name, value, size, flags);

	mark(tok, dentry);
	return err;
}

int shale_upper_removexattr(const struct shale_token *tok, struct dentry *dentry, const char *name)
{
	int err = vfs_removexattr(shale_upper_idmap(tok), dentry, name);

	mark(tok, dentry);
	return err;
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

	if (!acl) {
		err = vfs_remove_acl(shale_upper_idmap(tok), dentry, name);
	} else {
		acl = acl_to_give(tok, acl);
		if (!acl)
			return -ENOMEM;
		err = vfs_set_acl(shale_upper_idmap(tok), dentry, name, acl);
		posix_acl_release(acl);
	}
	mark(tok, dentry);
	return err;
}

int shale_upper_fileattr_set(const struct shale_token *tok, struct dentry *dentry,
			     struct file_kattr *fa)
{
	int err = vfs_fileattr_set(shale_upper_idmap(tok), dentry, fa);

	mark(tok, dentry);
	return err;
}

int shale_upper_fsync(const struct shale_token *tok, struct dentry *dentry)
{
	const struct path path = shale_upper_path(tok, dentry);
	struct file *file = shale_real_open(&path, O_RDONLY);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = vfs_fsync(file, 0);
	fput(file);
	return err;
}

int shale_upper_settle(const struct shale_token *tok, struct dentry *dentry)
{
	int err = shale_upper_fsync(tok, dentry);

	return err == -EINVAL ? 0 : err;
}

bool shale_upper_is_frozen(struct super_block *sb)
{
	const struct shale_upper *upper = shale_sb(sb)->upper;

	if (!upper)
		return false;
	if (!shale_gate_is_open(upper->gate))
		return true;
	if (!sb_start_write_trylock(shale_layer_sb(upper->layer)))
		return true;
	sb_end_write(shale_layer_sb(upper->layer));
	return false;
}

int shale_upper_sync(const struct shale_upper *upper)
{
	struct super_block *sb = shale_layer_sb(upper->layer);
	int err;

	down_read(&sb->s_umount);
	err = sync_filesystem(sb);
	up_read(&sb->s_umount);
	return err;
}

static int flush(void *upper)
{
	return shale_upper_sync(upper);
}

int shale_upper_sync_touched(struct shale_upper *upper)
{
	return shale_touched_sync(&upper->touched, flush, upper);
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
	if (!(inode_state_read(inode) & I_OVL_INUSE)) {
		inode_state_set(inode, I_OVL_INUSE);
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
	inode_state_clear(inode, I_OVL_INUSE);
	spin_unlock(&inode->i_lock);
}

bool shale_layer_in_use(const struct shale_layer *layer)
{
	return inode_state_read_once(d_inode(layer->mnt->mnt_root)) & I_OVL_INUSE;
}

/* overlayfs only warns: engines may leave mounts behind that hold on to a container's upper. */
int shale_layer_refuse_in_use(const struct shale_layer *layer, struct fs_context *fc,
			      const char *option)
{
	if (SHALE_IS_OVERLAY) {
		pr_warn_ratelimited("%s %s is in use by another mount: what both do is undefined\n",
				    option, layer->name);
		return 0;
	}
	errorfc(fc, "%s %s: in use by another mount; unmount that first", option, layer->name);
	return -EBUSY;
}

/* A mark keeps others out. Who is not root may put it on directories of their own only. */
static int check_owner(const struct shale_layer *layer, struct fs_context *fc, const char *option)
{
	const struct inode *root = d_inode(layer->mnt->mnt_root);

	if (fc->user_ns == &init_user_ns || inode_owner_or_capable(shale_layer_idmap(layer), root))
		return 0;
	errorfc(fc, "%s %s: belongs to somebody else", option, layer->name);
	return -EPERM;
}

int shale_upper_open(struct shale_sb *sbi, struct fs_context *fc)
{
	const struct shale_stack *stack = sbi->stack;
	int err = check_owner(stack->upper, fc, "upperdir") ?:
		  check_owner(stack->work, fc, "workdir");
	struct shale_upper *upper;

	if (err)
		return err;
	upper = kzalloc(sizeof(*upper), GFP_KERNEL_ACCOUNT);
	if (!upper)
		return -ENOMEM;
	spin_lock_init(&upper->whiteout_lock);
	upper->layer = stack->upper;
	upper->root = dget(stack->upper->mnt->mnt_root);
	upper->workbase = dget(stack->work->mnt->mnt_root);
	sbi->upper = upper;
	upper->gate = shale_gate_create();
	if (!upper->gate)
		return -ENOMEM;
	err = shale_touched_init(&upper->touched);
	if (err)
		return err;

	upper->root_in_use = in_use_begin(upper->root);
	if (!upper->root_in_use)
		err = shale_layer_refuse_in_use(stack->upper, fc, "upperdir");
	upper->work_in_use = in_use_begin(upper->workbase);
	if (!upper->work_in_use)
		err = err ?: shale_layer_refuse_in_use(stack->work, fc, "workdir");
	return err;
}

void shale_upper_close(struct shale_sb *sbi)
{
	struct shale_upper *upper = sbi->upper;

	if (!upper)
		return;
	in_use_end(upper->work_in_use);
	in_use_end(upper->root_in_use);
	shale_touched_exit(&upper->touched);
	dput(upper->whiteout);
	dput(upper->indexdir);
	dput(upper->workdir);
	dput(upper->workbase);
	dput(upper->root);
	shale_gate_put(upper->gate);
	kfree_rcu_mightsleep(upper);	/* RCU-walk may still be asking it for its layer */
}
