// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes are the real object's, except the marks, which are not to be seen
 * through a mount. Who sets an attribute of a mark's name gets one with an escaped name, which
 * means nothing to this mount: so an upper can hold the layer of another one.
 */
#include <linux/capability.h>
#include <linux/xattr.h>

#include "stack/creds.h"
#include "stack/entry.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "union/copy_up.h"
#include "vfs/operations.h"

static int real_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	const struct path real = shale_entry_path(shale_sb(inode->i_sb), entry);

	CLASS(shale_mounter, cred)(inode->i_sb);
	return vfs_getxattr(mnt_idmap(real.mnt), real.dentry, name, value, size);
}

/*
 * The name that the layers have for what a mount calls @name.
 * Return: @name itself, or an allocated name (free_real_name() knows which), or ERR_PTR:
 * -EOPNOTSUPP when the escaped name is too long, -ENOMEM.
 */
static const char *real_name(const struct shale_sb *sbi, const char *name)
{
	const char *prefix = shale_mark_prefix(sbi);
	char *escaped;

	if (!strstarts(name, prefix))
		return name;
	if (strlen(name) + strlen(SHALE_XATTR_ESCAPE) > XATTR_NAME_MAX)
		return ERR_PTR(-EOPNOTSUPP);
	escaped = kasprintf(GFP_KERNEL, "%s" SHALE_XATTR_ESCAPE "%s", prefix,
			    name + strlen(prefix));
	return escaped ?: ERR_PTR(-ENOMEM);
}

static void free_real_name(const char *real, const char *name)
{
	if (real != name)
		kfree(real);
}

static int shale_xattr_get(const struct xattr_handler *handler, struct dentry *dentry,
			   struct inode *inode, const char *name, void *value, size_t size)
{
	const char *real = real_name(shale_sb(inode->i_sb), name);
	int ret;

	if (IS_ERR(real))
		return PTR_ERR(real);
	ret = real_getxattr(inode, real, value, size);
	free_real_name(real, name);
	return ret;
}

/* Will the change fail because of what exists? Then nothing is to be copied up for it. */
static int check_exists(struct inode *inode, const char *name, int flags)
{
	int ret;

	if (!flags)
		return 0;
	ret = real_getxattr(inode, name, NULL, 0);
	if (ret >= 0)
		return flags & XATTR_CREATE ? -EEXIST : 0;
	return ret == -ENODATA && !(flags & XATTR_REPLACE) ? 0 : ret;
}

static int upper_setxattr_locked(struct inode *inode, const char *name, const void *value,
				 size_t size, int flags)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

	CLASS(shale_upper, tok)(inode->i_sb);
	if (tok.err)
		return tok.err;
	if (!value)
		return shale_upper_removexattr(&tok, entry->upper, name);
	return shale_upper_setxattr(&tok, entry->upper, name, value, size, flags);
}

static int upper_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
			  int flags)
{
	int err;

	CLASS(shale_claim, claim)(inode, value ? SHALE_CLAIM_OBJECT : 0, 0);
	if (claim.err)
		return claim.err;
	/* A copy that is being completed puts back the capabilities it had. */
	err = shale_inode_lock(inode);
	if (err)
		return err;
	err = upper_setxattr_locked(inode, name, value, size, flags);
	shale_inode_unlock(inode);
	return err;
}

/* A removal is @value NULL with XATTR_REPLACE in @flags. */
static int shale_xattr_set(const struct xattr_handler *handler, struct mnt_idmap *idmap,
			   struct dentry *dentry, struct inode *inode, const char *name,
			   const void *value, size_t size, int flags)
{
	const char *real = real_name(shale_sb(inode->i_sb), name);
	int err;

	if (IS_ERR(real))
		return PTR_ERR(real);
	err = check_exists(inode, real, flags);
	if (!err)
		err = shale_copy_up(dentry, SHALE_REASON_XATTR);
	if (!err)
		err = shale_checked(inode->i_sb, dentry, SHALE_REASON_XATTR,
				    upper_setxattr(inode, real, value, size, flags));
	if (!err)
		shale_inode_copyattr(inode);
	free_real_name(real, name);
	return err;
}

static const struct xattr_handler shale_xattr_handler = {
	.prefix	= "",	/* all names; the handlers get them whole */
	.get	= shale_xattr_get,
	.set	= shale_xattr_set,
};

SHALE_ADAPT_SET_ACL(shale_set_acl)

const struct xattr_handler * const shale_xattr_handlers[] = {
	SHALE_XATTR_HANDLERS(&shale_xattr_handler),
	NULL,
};

/* May the caller see this name? trusted.* is for those who may read it. */
static bool may_list(const struct shale_sb *sbi, const char *name)
{
	if (shale_mark_is_private(sbi, name))
		return false;
	return !strstarts(name, XATTR_TRUSTED_PREFIX) ||
	       ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/* Takes one level of escaping out of a name of a layer, in place; its length with it. */
static void unescape(const struct shale_sb *sbi, char *name, size_t *len)
{
	const size_t prefix = strlen(shale_mark_prefix(sbi));
	const size_t escape = strlen(SHALE_XATTR_ESCAPE);

	if (!strstarts(name, shale_mark_prefix(sbi)))
		return;
	memmove(name + prefix, name + prefix + escape, *len - prefix - escape);
	*len -= escape;
}

/* Leaves in @list what the caller may see, as a mount calls it. Return: its size, or -EIO. */
static ssize_t filter_list(const struct shale_sb *sbi, char *list, size_t size)
{
	const char *from = list, *end = list + size;
	char *to = list;

	while (from < end) {
		size_t len = strnlen(from, end - from) + 1;

		if (len > end - from)
			return -EIO;	/* the last name of the real list does not end */
		if (may_list(sbi, from)) {
			size_t shown = len;

			memmove(to, from, len);
			unescape(sbi, to, &shown);
			to += shown;
		}
		from += len;
	}
	return to - list;
}

/* With @size 0 the answer is an upper bound: what is hidden is not known before it is read. */
ssize_t shale_listxattr(struct dentry *dentry, char *list, size_t size)
{
	struct inode *inode = d_inode(dentry);
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	ssize_t ret;

	scoped_class(shale_mounter, cred, inode->i_sb) {
		ret = vfs_listxattr(shale_entry_real(entry), list, size);
	}
	if (ret <= 0 || !size)
		return ret;
	return filter_list(shale_sb(inode->i_sb), list, ret);
}
