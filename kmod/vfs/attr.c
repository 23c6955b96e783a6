// SPDX-License-Identifier: GPL-2.0
/* Attributes and permissions of objects of every kind. */
#include <linux/fiemap.h>
#include <linux/fileattr.h>
#include <linux/namei.h>

#include "stack/base.h"
#include "stack/creds.h"
#include "stack/entry.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "union/copy_up.h"
#include "union/data.h"
#include "vfs/operations.h"

/* Permission: the caller's, on our inode, and the mounter's, on the real object */

/*
 * What the mounter must be allowed so that the caller may do @mask. To write an object that
 * lies in a lower is to copy it up, which only reads there; devices, sockets and pipes are
 * not copied up for being written to.
 */
static int mounter_mask(const struct shale_entry *entry, const struct inode *real, int mask)
{
	if (entry->upper || special_file(real->i_mode) || !(mask & MAY_WRITE))
		return mask;
	return (mask & ~(MAY_WRITE | MAY_APPEND)) | MAY_READ;
}

static int mounter_permission(struct inode *inode, const struct shale_entry *entry,
			      struct inode *real, int mask)
{
	const struct shale_layer *layer = shale_entry_layer(shale_sb(inode->i_sb), entry);

	CLASS(shale_mounter, cred)(inode->i_sb);
	return inode_permission(shale_layer_idmap(layer), real, mounter_mask(entry, real, mask));
}

/* In RCU-walk nothing is counted: the inode may be on its way out, and its parts with it. */
static int mounter_permission_rcu(struct inode *inode, int mask)
{
	const struct shale_entry *entry = shale_entry_rcu(inode);
	struct inode *real = entry ? d_inode_rcu(shale_entry_real(entry)) : NULL;

	return real ? mounter_permission(inode, entry, real, mask) : -ECHILD;
}

static int mounter_permission_ref(struct inode *inode, int mask)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

	return mounter_permission(inode, entry, d_inode(shale_entry_real(entry)), mask);
}

int shale_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	int err = generic_permission(idmap, inode, mask);

	if (err || shale_sb(inode->i_sb)->default_permissions)
		return err;
	return mask & MAY_NOT_BLOCK ? mounter_permission_rcu(inode, mask)
				    : mounter_permission_ref(inode, mask);
}

/* Reading attributes */

static int real_getattr(struct super_block *sb, const struct path *real, struct kstat *stat,
			u32 request_mask, unsigned int flags)
{
	CLASS(shale_mounter, cred)(sb);
	return vfs_getattr_nosec(real, stat, request_mask, flags);
}

static void stat_set_number(const struct inode *inode, const struct shale_entry *entry,
			    struct kstat *stat)
{
	const struct shale_number number = shale_number(shale_sb(inode->i_sb), entry,
							inode->i_ino);

	stat->ino = number.ino;
	stat->dev = number.dev;
}

/* The real object's owner is one of our superblock's; the caller sees it through our mount. */
static void stat_set_owner(struct mnt_idmap *idmap, const struct inode *inode, struct kstat *stat)
{
	struct user_namespace *user_ns = i_user_ns(inode);

	stat->uid = vfsuid_into_kuid(make_vfsuid(idmap, user_ns, stat->uid));
	stat->gid = vfsgid_into_kgid(make_vfsgid(idmap, user_ns, stat->gid));
}

/*
 * What is removed here may live on in a lower. Nobody counts the subdirectories of a merged
 * directory; one link is what tools take for "not counted".
 */
static void stat_set_nlink(const struct inode *inode, const struct shale_entry *entry,
			   struct kstat *stat)
{
	if (!inode->i_nlink)
		stat->nlink = 0;
	else if (S_ISDIR(inode->i_mode) && shale_entry_merged(entry))
		stat->nlink = 1;
	else if (entry->indexed)
		stat->nlink = inode->i_nlink;
}

/* Blocks are where the data is. While nobody has looked for that, all of it counts as written. */
static void stat_set_blocks(struct super_block *sb, const struct shale_entry *entry,
			    struct kstat *stat)
{
	const struct path data = shale_entry_data_path(shale_sb(sb), entry);
	struct kstat of_data;

	if (!data.dentry)
		stat->blocks = DIV_ROUND_UP(stat->size, 512);
	else if (!real_getattr(sb, &data, &of_data, STATX_BLOCKS, AT_STATX_SYNC_AS_STAT))
		stat->blocks = of_data.blocks;
}

int shale_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
		  u32 request_mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	const struct path real = shale_entry_path(shale_sb(inode->i_sb), entry);
	int err = real_getattr(inode->i_sb, &real, stat, request_mask, flags);

	if (err)
		return err;
	if (entry->upper && stat->result_mask & STATX_BLOCKS)
		shale_quota_note_blocks(inode, stat->blocks);
	stat_set_number(inode, entry, stat);
	stat_set_owner(idmap, inode, stat);
	stat_set_nlink(inode, entry, stat);
	if (S_ISREG(inode->i_mode) && shale_entry_has_data_elsewhere(entry))
		stat_set_blocks(inode->i_sb, entry, stat);
	generic_fill_statx_attr(inode, stat);
	return 0;
}

/* Changing attributes */

/* What a change of our inode means for the upper's. */
static struct iattr attr_for_upper(struct mnt_idmap *idmap, const struct inode *inode,
				   const struct iattr *attr)
{
	struct user_namespace *user_ns = i_user_ns(inode);
	struct iattr upper = *attr;

	/*
	 * Our open file and our delegations say nothing to the upper; nor does it see the
	 * O_TRUNC that this may be part of, so it must not leave the truncation to its open.
	 */
	upper.ia_valid &= ~(ATTR_FILE | ATTR_OPEN | ATTR_DELEG);
	upper.ia_file = NULL;

	/* The mode without set-id bits was derived from ours; the upper derives its own. */
	if (upper.ia_valid & (ATTR_KILL_SUID | ATTR_KILL_SGID))
		upper.ia_valid &= ~ATTR_MODE;

	/* From ids of the caller's mount to our superblock's, which is what layers are given. */
	if (upper.ia_valid & ATTR_UID)
		upper.ia_vfsuid = VFSUIDT_INIT(from_vfsuid(idmap, user_ns, attr->ia_vfsuid));
	if (upper.ia_valid & ATTR_GID)
		upper.ia_vfsgid = VFSGIDT_INIT(from_vfsgid(idmap, user_ns, attr->ia_vfsgid));
	return upper;
}

/* With the entry mutex: a copy that is being completed puts back the attributes it had. */
static int upper_setattr(struct inode *inode, struct dentry *upper, struct iattr *attr)
{
	int err = shale_inode_lock(inode);

	if (err)
		return err;
	scoped_class(shale_upper, tok, inode->i_sb)
		err = tok.err ?: shale_upper_setattr(&tok, upper, attr);
	shale_inode_unlock(inode);
	return err;
}

/* A program that runs from the upper by another way than this mount must not be truncated. */
static int upper_truncate(struct inode *inode, struct dentry *upper, struct iattr *attr)
{
	int err = get_write_access(d_inode(upper));

	if (err)
		return err;
	err = upper_setattr(inode, upper, attr);
	put_write_access(d_inode(upper));
	return err;
}

static int change_attr(struct inode *inode, struct iattr *attr)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	int err;

	/* What it takes is a matter of bytes; and a full layer's files can be cut. */
	CLASS(shale_claim, claim)(inode, 0, 0);
	if (attr->ia_valid & ATTR_SIZE)
		err = upper_truncate(inode, entry->upper, attr);
	else
		err = upper_setattr(inode, entry->upper, attr);
	if (!err)
		shale_inode_copyattr(inode);
	return err;
}

int shale_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct iattr upper;
	bool resized;
	int err, cut;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;

	resized = (attr->ia_valid & ATTR_SIZE) && attr->ia_size != i_size_read(inode);
	if (attr->ia_valid & ATTR_SIZE)
		cut = shale_copy_up_truncated(dentry, attr->ia_size);
	else
		cut = shale_copy_up(dentry, SHALE_REASON_ATTRIBUTES);
	if (cut < 0)
		return cut;

	upper = attr_for_upper(idmap, inode, attr);
	/* What others have written since the copy was made with its new size is to stay. */
	if (resized && cut)
		upper.ia_valid &= ~ATTR_SIZE;
	if (resized)
		upper.ia_valid |= ATTR_MTIME | ATTR_CTIME;
	return shale_checked(inode->i_sb, dentry, resized ? SHALE_REASON_TRUNCATE :
			     SHALE_REASON_ATTRIBUTES, change_attr(inode, &upper));
}

/* Only an upper keeps access times: noting one is no reason to copy up. */
int shale_update_time(struct inode *inode, enum fs_update_time type, unsigned int flags)
{
	struct shale_entry *entry __free(shale_entry) = NULL;

	if (type != FS_UPD_ATIME)
		return 0;
	entry = shale_entry_get(inode);
	if (!entry->upper)
		return 0;
	if (flags & IOCB_NOWAIT)
		return -EAGAIN;

	/* Who reads is not to wait for it. */
	CLASS(shale_upper_try_io, tok)(inode->i_sb, NULL);
	if (tok.err)
		return tok.err == -EAGAIN ? 0 : tok.err;
	shale_upper_touch_atime(&tok, entry->upper);
	inode_set_atime_to_ts(inode, inode_get_atime(d_inode(entry->upper)));
	return 0;
}

/*
 * chattr(1) flags. Those that protect an object are not the upper's own, which could not be
 * marked, nor its children copied up, any more: they are a mark. Only an outsider may have set
 * them on the upper itself; then they hold until they are changed through the mount.
 */

static void add_protection(struct file_kattr *fa, unsigned int i_flags)
{
	if (i_flags & S_APPEND) {
		fa->flags |= FS_APPEND_FL;
		fa->fsx_xflags |= FS_XFLAG_APPEND;
	}
	if (i_flags & S_IMMUTABLE) {
		fa->flags |= FS_IMMUTABLE_FL;
		fa->fsx_xflags |= FS_XFLAG_IMMUTABLE;
	}
}

/* Return: what was taken away, as i_flags. */
static unsigned int take_protection(struct file_kattr *fa)
{
	const unsigned int i_flags = (fa->flags & FS_APPEND_FL ? S_APPEND : 0) |
				     (fa->flags & FS_IMMUTABLE_FL ? S_IMMUTABLE : 0);

	fa->flags &= ~(FS_APPEND_FL | FS_IMMUTABLE_FL);
	fa->fsx_xflags &= ~(FS_XFLAG_APPEND | FS_XFLAG_IMMUTABLE);
	return i_flags;
}

int shale_fileattr_get(struct dentry *dentry, struct file_kattr *fa)
{
	struct inode *inode = d_inode(dentry);
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	int err;

	scoped_class(shale_mounter, cred, inode->i_sb)
		err = vfs_fileattr_get(shale_entry_real(entry), fa);
	if (!err)
		add_protection(fa, READ_ONCE(shale_inode(inode)->protection));
	return err;
}

/* Who leaves the project leaves the limit; what was shown may be a lower's, of another one. */
static void keep_project(struct file_kattr *fa, const struct file_kattr *before)
{
	fa->fsx_projid = before->fsx_projid;
	fa->fsx_xflags &= ~FS_XFLAG_PROJINHERIT;
	fa->fsx_xflags |= before->fsx_xflags & FS_XFLAG_PROJINHERIT;
	fa->flags &= ~FS_PROJINHERIT_FL;
	fa->flags |= before->flags & FS_PROJINHERIT_FL;
}

/*
 * In this order, for a mark can't be set on an upper that is protected itself. It must not be
 * left without protection when that fails.
 */
static int change_flags(struct inode *inode, struct dentry *upper, const struct file_kattr *fa)
{
	struct file_kattr flags = *fa, before = { .flags_valid = true };
	const unsigned int protection = take_protection(&flags);
	int err;

	CLASS(shale_upper, tok)(inode->i_sb);

	err = tok.err ?: vfs_fileattr_get(upper, &before);
	if (shale_quota_of_project(shale_sb(inode->i_sb)))
		keep_project(&flags, &before);
	if (!err)
		err = shale_upper_fileattr_set(&tok, upper, &flags);
	if (err)
		return err;
	if (protection != shale_inode(inode)->protection)
		err = shale_mark_set_protection(&tok, shale_sb(inode->i_sb), upper, protection);
	if (err)
		shale_upper_fileattr_set(&tok, upper, &before);
	else
		shale_inode_set_protection(inode, protection);
	return err;
}

/* From what was shown. */
static bool changes_project(struct dentry *dentry, const struct file_kattr *fa)
{
	struct file_kattr now = { };

	if (shale_fileattr_get(dentry, &now))
		return true;
	return (fa->fsx_valid && fa->fsx_projid != now.fsx_projid) ||
	       ((fa->fsx_xflags ^ now.fsx_xflags) & FS_XFLAG_PROJINHERIT);
}

int shale_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry, struct file_kattr *fa)
{
	struct inode *inode = d_inode(dentry);
	struct shale_entry *entry __free(shale_entry) = NULL;
	int err;

	/* All directories of a mount treat the case of names alike. */
	if (S_ISDIR(inode->i_mode) &&
	    !(fa->flags & FS_CASEFOLD_FL) != !shale_sb(inode->i_sb)->casefolded)
		return -EOPNOTSUPP;
	if (shale_quota_of_project(shale_sb(inode->i_sb)) && changes_project(dentry, fa))
		return -EPERM;
	err = shale_copy_up(dentry, SHALE_REASON_FLAGS);
	if (err)
		return err;

	entry = shale_entry_get(inode);
	err = shale_inode_lock(inode);
	if (err)
		return err;
	err = change_flags(inode, entry->upper, fa);
	shale_inode_unlock(inode);
	shale_inode_copyattr(inode);
	shale_quota_note(inode);
	return shale_checked(inode->i_sb, dentry, SHALE_REASON_FLAGS, err);
}

static int shale_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len)
{
	struct shale_entry *entry __free(shale_entry) = NULL;
	struct inode *real;

	CLASS(shale_mounter, cred)(inode->i_sb);

	entry = shale_data_get(inode, NULL);
	if (IS_ERR(entry))
		return PTR_ERR(no_free_ptr(entry));
	real = d_inode(shale_entry_data_path(shale_sb(inode->i_sb), entry).dentry);
	if (!real->i_op->fiemap)
		return -EOPNOTSUPP;
	return real->i_op->fiemap(real, info, start, len);
}

/*
 * Symbolic links. The text may be the real inode's own memory, and is used after this returns:
 * it stays because our inode, which the caller holds, keeps its entry, and because copy-up
 * adds a part to an entry and takes none away.
 */
static const char *shale_get_link(struct dentry *dentry, struct inode *inode,
				  struct delayed_call *done)
{
	struct shale_entry *entry __free(shale_entry) = NULL;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	entry = shale_entry_get(inode);

	CLASS(shale_mounter, cred)(inode->i_sb);
	return vfs_get_link(shale_entry_real(entry), done);
}

SHALE_ADAPT_UPDATE_TIME(shale_update_time)

const struct inode_operations shale_file_iops = {
	.permission	= shale_permission,
	.getattr	= shale_getattr,
	.setattr	= shale_setattr,
	.update_time	= SHALE_OP_UPDATE_TIME(shale_update_time),
	.listxattr	= shale_listxattr,
	SHALE_OPS_ACL,
	.fileattr_get	= shale_fileattr_get,
	.fileattr_set	= shale_fileattr_set,
	.fiemap		= shale_fiemap,
};

const struct inode_operations shale_symlink_iops = {
	.permission	= shale_permission,
	.getattr	= shale_getattr,
	.setattr	= shale_setattr,
	.update_time	= SHALE_OP_UPDATE_TIME(shale_update_time),
	.listxattr	= shale_listxattr,
	.get_link	= shale_get_link,
};

const struct inode_operations shale_special_iops = {
	.permission	= shale_permission,
	.getattr	= shale_getattr,
	.setattr	= shale_setattr,
	.update_time	= SHALE_OP_UPDATE_TIME(shale_update_time),
	.listxattr	= shale_listxattr,
	SHALE_OPS_ACL,
};
