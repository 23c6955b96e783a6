// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX ACLs are the real object's. Our inodes cache none (ACL_DONT_CACHE): the real inode
 * does, and a second cache would have to be told of each copy-up and chmod.
 */
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "stack/creds.h"
#include "stack/entry.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "union/copy_up.h"
#include "vfs/operations.h"

/* RCU-walk can take neither references nor a copy. */
static struct posix_acl *get_acl_rcu(struct inode *inode, int type)
{
	const struct shale_entry *entry = shale_entry_rcu(inode);
	struct inode *real = entry ? d_inode_rcu(shale_entry_real(entry)) : NULL;

	if (!real)
		return ERR_PTR(-ECHILD);
	if (!IS_POSIXACL(real))
		return NULL;
	if (is_idmapped_mnt(shale_entry_layer(shale_sb(inode->i_sb), entry)->mnt))
		return ERR_PTR(-ECHILD);
	return get_cached_acl_rcu(real, type);
}

/* For permission checks, which ask no security module whether the ACL may be read. */
struct posix_acl *shale_get_inode_acl(struct inode *inode, int type, bool rcu)
{
	struct shale_entry *entry __free(shale_entry) = NULL;
	struct path real;

	if (rcu)
		return get_acl_rcu(inode, type);

	entry = shale_entry_get(inode);
	real = shale_entry_path(shale_sb(inode->i_sb), entry);
	if (!IS_POSIXACL(d_inode(real.dentry)))
		return NULL;

	CLASS(shale_mounter, cred)(inode->i_sb);
	return shale_layer_acl(&real, get_inode_acl(d_inode(real.dentry), type));
}

/* For whoever reads the ACL itself. */
struct posix_acl *shale_get_acl(struct mnt_idmap *idmap, struct dentry *dentry, int type)
{
	struct inode *inode = d_inode(dentry);
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	const struct path real = shale_entry_path(shale_sb(inode->i_sb), entry);

	if (!IS_POSIXACL(d_inode(real.dentry)))
		return NULL;

	CLASS(shale_mounter, cred)(inode->i_sb);
	return shale_layer_acl(&real, vfs_get_acl(mnt_idmap(real.mnt), real.dentry,
						  posix_acl_xattr_name(type)));
}

/* 1: there is an ACL; 0: there is none; or a negative errno. */
static int has_acl(struct mnt_idmap *idmap, struct dentry *dentry, int type)
{
	struct posix_acl *acl = shale_get_acl(idmap, dentry, type);

	if (acl == ERR_PTR(-ENODATA))
		return 0;
	if (IS_ERR(acl))
		return PTR_ERR(acl);
	posix_acl_release(acl);
	return !!acl;
}

/*
 * A caller outside the file's group who changes the mode, which an ACL is a part of, loses
 * the set-group-id bit. The upper would judge the mounter instead, who may keep it.
 */
static bool must_drop_sgid(struct mnt_idmap *idmap, const struct inode *inode, int type)
{
	return type == ACL_TYPE_ACCESS && (inode->i_mode & S_ISGID) &&
	       !in_group_or_capable(idmap, inode, i_gid_into_vfsgid(idmap, inode));
}

/* The bit goes first: the ACL may give the group rights that were not meant to come with it. */
static int change_acl_locked(struct inode *inode, struct posix_acl *acl, int type, bool drop_sgid)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	struct iattr attr = { .ia_valid = ATTR_KILL_SGID };
	int err = 0;

	CLASS(shale_upper, tok)(inode->i_sb);
	if (tok.err)
		return tok.err;
	if (drop_sgid)
		err = shale_upper_setattr(&tok, entry->upper, &attr);
	return err ?: shale_upper_set_acl(&tok, entry->upper, posix_acl_xattr_name(type), acl);
}

static int change_acl(struct inode *inode, struct posix_acl *acl, int type, bool drop_sgid)
{
	int err;

	CLASS(shale_claim, claim)(inode, acl ? SHALE_CLAIM_OBJECT : 0, 0);
	if (claim.err)
		return claim.err;
	/* A copy that is being completed puts back the mode it had. */
	err = shale_inode_lock(inode);
	if (err)
		return err;
	err = change_acl_locked(inode, acl, type, drop_sgid);
	shale_inode_unlock(inode);
	return err;
}

static bool is_in_upper(struct inode *inode)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

	return entry->upper;
}

/*
 * The VFS has checked that the caller owns the object and that the ACL is well-formed. Removing
 * what is not there is no reason to copy up; of an object of the upper, it is done already.
 */
int shale_set_acl(struct mnt_idmap *idmap, struct dentry *dentry, struct posix_acl *acl, int type)
{
	struct inode *inode = d_inode(dentry);
	bool drop_sgid = acl && must_drop_sgid(idmap, inode, type);
	int err;

	if (!acl) {
		err = has_acl(idmap, dentry, type);
		if (!err)
			return is_in_upper(inode) ? 0 : -ENODATA;
		if (err < 0)
			return err;
	}
	err = shale_copy_up(dentry, SHALE_REASON_ACL);
	if (err)
		return err;
	err = change_acl(inode, acl, type, drop_sgid);
	shale_inode_copyattr(inode);
	return shale_checked(inode->i_sb, dentry, SHALE_REASON_ACL, err);
}
