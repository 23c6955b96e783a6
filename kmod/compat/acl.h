/* SPDX-License-Identifier: GPL-2.0 */
/*
 * POSIX ACLs. From 6.2 on they have operations and vfs_* functions of their own, which take the
 * dentry. Before, they were set and read as xattrs, and ->set_acl() got the inode alone, which does
 * not suffice for copy-up; so ours come by xattr handlers, which get the dentry.
 */
#ifndef SHALE_COMPAT_ACL_H
#define SHALE_COMPAT_ACL_H

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>
#include <linux/xattr.h>

/* An inode whose ACLs the VFS asks for each time. */
static inline void shale_inode_dont_cache_acl(struct inode *inode)
{
#ifdef CONFIG_FS_POSIX_ACL
	inode->i_acl = ACL_DONT_CACHE;
	inode->i_default_acl = ACL_DONT_CACHE;
#endif
}

#ifdef SHALE_HAS_VFS_ACL

/* In a table of inode operations. */
#ifdef CONFIG_FS_POSIX_ACL
#define SHALE_OPS_ACL								\
	.get_inode_acl	= shale_get_inode_acl,					\
	.get_acl	= shale_get_acl,					\
	.set_acl	= shale_set_acl
#else
#define SHALE_OPS_ACL .get_inode_acl = NULL
#endif

/* In a table of xattr handlers: those of ACLs, if there are any, and one for all names. */
#define SHALE_XATTR_HANDLERS(all) all
#define SHALE_ADAPT_SET_ACL(f)

#else

#define get_inode_acl get_acl

static inline const char *posix_acl_xattr_name(int type)
{
	return type == ACL_TYPE_ACCESS ? XATTR_NAME_POSIX_ACL_ACCESS : XATTR_NAME_POSIX_ACL_DEFAULT;
}

static inline int is_posix_acl_xattr(const char *name)
{
	return !strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS) ||
	       !strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT);
}

static inline bool in_group_or_capable(struct user_namespace *idmap, const struct inode *inode,
				       vfsgid_t vfsgid)
{
	return vfsgid_in_group_p(vfsgid) || capable_wrt_inode_uidgid(idmap, inode, CAP_FSETID);
}

#ifdef CONFIG_FS_POSIX_ACL

#define SHALE_OPS_ACL .get_acl = shale_get_inode_acl
#define SHALE_XATTR_HANDLERS(all) &compat_acl_access_handler, &compat_acl_default_handler, all

static inline struct posix_acl *vfs_get_acl(struct user_namespace *idmap, struct dentry *dentry,
					    const char *name)
{
	int type = strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS) ? ACL_TYPE_DEFAULT : ACL_TYPE_ACCESS;

	if (!IS_POSIXACL(d_inode(dentry)) || d_is_symlink(dentry))
		return ERR_PTR(-EOPNOTSUPP);
	return get_acl(d_inode(dentry), type) ?: ERR_PTR(-ENODATA);
}

static inline int vfs_remove_acl(struct user_namespace *idmap, struct dentry *dentry,
				 const char *name)
{
	return vfs_removexattr(idmap, dentry, name);
}

static inline int vfs_set_acl(struct user_namespace *idmap, struct dentry *dentry,
			      const char *name, struct posix_acl *acl)
{
	size_t size = posix_acl_xattr_size(acl->a_count);
	void *value = kmalloc(size, GFP_KERNEL);
	int err;

	if (!value)
		return -ENOMEM;
	err = posix_acl_to_xattr(&init_user_ns, acl, value, size);
	if (err >= 0)
		err = vfs_setxattr(idmap, dentry, name, value, size, 0);
	kfree(value);
	return err;
}

/* What the VFS checks before it sets an ACL. NULL removes one. */
static inline int compat_may_set_acl(struct user_namespace *idmap, struct inode *inode,
				     const struct posix_acl *acl, int type)
{
	if (!IS_POSIXACL(inode) || S_ISLNK(inode->i_mode))
		return -EOPNOTSUPP;
	if (type == ACL_TYPE_DEFAULT && !S_ISDIR(inode->i_mode))
		return acl ? -EACCES : 0;
	if (!inode_owner_or_capable(idmap, inode))
		return -EPERM;
	return acl ? posix_acl_valid(inode->i_sb->s_user_ns, acl) : 0;
}

static inline int compat_acl_get(const struct xattr_handler *handler, struct dentry *dentry,
				 struct inode *inode, const char *name, void *value, size_t size)
{
	return posix_acl_access_xattr_handler.get(handler, dentry, inode, name, value, size);
}

/* Defines the handlers, which set by @f, a ->set_acl() of the newest kind. */
#define SHALE_ADAPT_SET_ACL(f)							\
static int compat_acl_set(const struct xattr_handler *handler,			\
			  struct user_namespace *idmap, struct dentry *dentry,	\
			  struct inode *inode, const char *name,		\
			  const void *value, size_t size, int flags)		\
{										\
	struct posix_acl *acl = NULL;						\
	int err;								\
										\
	if (value) {								\
		acl = vfs_set_acl_prepare(idmap, i_user_ns(inode), value, size);	\
		if (IS_ERR(acl))						\
			return PTR_ERR(acl);					\
	}									\
	err = compat_may_set_acl(idmap, inode, acl, handler->flags);		\
	if (!err && (acl || handler->flags == ACL_TYPE_ACCESS || S_ISDIR(inode->i_mode)))	\
		err = f(idmap, dentry, acl, handler->flags);			\
	posix_acl_release(acl);							\
	return err;								\
}										\
										\
static const struct xattr_handler compat_acl_access_handler = {			\
	.name	= XATTR_NAME_POSIX_ACL_ACCESS,					\
	.flags	= ACL_TYPE_ACCESS,						\
	.get	= compat_acl_get,						\
	.set	= compat_acl_set,						\
};										\
										\
static const struct xattr_handler compat_acl_default_handler = {		\
	.name	= XATTR_NAME_POSIX_ACL_DEFAULT,					\
	.flags	= ACL_TYPE_DEFAULT,						\
	.get	= compat_acl_get,						\
	.set	= compat_acl_set,						\
};

#else

#define SHALE_OPS_ACL .get_acl = NULL
#define SHALE_XATTR_HANDLERS(all) all
#define SHALE_ADAPT_SET_ACL(f)

static inline struct posix_acl *vfs_get_acl(struct user_namespace *idmap, struct dentry *dentry,
					    const char *name)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline int vfs_remove_acl(struct user_namespace *idmap, struct dentry *dentry,
				 const char *name)
{
	return -EOPNOTSUPP;
}

static inline int vfs_set_acl(struct user_namespace *idmap, struct dentry *dentry,
			      const char *name, struct posix_acl *acl)
{
	return -EOPNOTSUPP;
}

#endif

#endif

#endif
