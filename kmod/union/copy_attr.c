// SPDX-License-Identifier: GPL-2.0
#include "union/copy_attr.h"

#include <linux/fileattr.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "stack/marks.h"

struct copy {
	const struct shale_sb *sbi;
	const struct shale_token *tok;
	const struct path *from;
	struct dentry *to;
};

static int copy_acl(const struct copy *copy, const char *name)
{
	struct posix_acl *acl = shale_layer_acl(copy->from,
						 vfs_get_acl(mnt_idmap(copy->from->mnt),
							     copy->from->dentry, name));
	int err;

	if (acl == ERR_PTR(-ENODATA) || acl == ERR_PTR(-EOPNOTSUPP))
		return 0;	/* listed, but none that anybody obeys */
	if (IS_ERR(acl))
		return PTR_ERR(acl);
	err = shale_upper_set_acl(copy->tok, copy->to, name, acl);
	posix_acl_release(acl);
	return err;
}

static int copy_value(const struct copy *copy, const char *name)
{
	void *value __free(kvfree) = NULL;
	struct mnt_idmap *idmap = mnt_idmap(copy->from->mnt);
	ssize_t size;

	size = vfs_getxattr(idmap, copy->from->dentry, name, NULL, 0);
	if (size > 0) {
		value = kvmalloc(size, GFP_KERNEL);
		if (!value)
			return -ENOMEM;
		size = vfs_getxattr(idmap, copy->from->dentry, name, value, size);
	}
	if (size == -ENODATA || size == -EOPNOTSUPP)
		return 0;	/* listed, but not readable: nothing to keep */
	if (size == -EINVAL && !strcmp(name, XATTR_NAME_CAPS))
		return 0;	/* not capabilities: whoever owns a file may store an empty value */
	if (size < 0)
		return size;
	return shale_upper_setxattr(copy->tok, copy->to, name, value, size, 0);
}

/* May the copy go without this attribute when the upper can't hold it? */
static bool xattr_is_optional(const char *name)
{
	return strncmp(name, XATTR_SECURITY_PREFIX, XATTR_SECURITY_PREFIX_LEN) &&
	       !is_posix_acl_xattr(name);
}

static int copy_xattr(const struct copy *copy, const char *name)
{
	int err;

	/* The marks say what an object means in its own layer, and nothing in another. */
	if (shale_mark_is_private(copy->sbi, name))
		return 0;

	err = security_inode_copy_up_xattr(copy->from->dentry, name);
	if (err == -ECANCELED)
		return 0;	/* a security module labels the copy itself */
	if (err < 0 && err != -EOPNOTSUPP)
		return err;

	err = is_posix_acl_xattr(name) ? copy_acl(copy, name) : copy_value(copy, name);
	return err == -EOPNOTSUPP && xattr_is_optional(name) ? 0 : err;
}

int shale_copy_xattrs(const struct shale_sb *sbi, const struct shale_token *tok,
		      const struct path *from, struct dentry *to)
{
	char *list __free(kvfree) = NULL;
	const struct copy copy = { .sbi = sbi, .tok = tok, .from = from, .to = to };
	const char *name;
	ssize_t size, len;
	int err = 0;

	size = vfs_listxattr(from->dentry, NULL, 0);
	if (size > 0) {
		list = kvmalloc(size, GFP_KERNEL);
		if (!list)
			return -ENOMEM;
		size = vfs_listxattr(from->dentry, list, size);
	}
	if (size < 0)
		return size == -EOPNOTSUPP ? 0 : size;

	for (name = list; !err && name < list + size; name += len + 1) {
		len = strnlen(name, list + size - name);
		if (name + len == list + size)
			return -EIO;	/* a server has sent a name that does not end */
		err = copy_xattr(&copy, name);
	}
	return err;
}

#define COPIED_FLAGS	(FS_SYNC_FL | FS_NOATIME_FL)
#define COPIED_XFLAGS	(FS_XFLAG_SYNC | FS_XFLAG_NOATIME)

/* A file system that has no flags says so in one of many ways. */
static int unless_no_flags(int err)
{
	return err == -ENOIOCTLCMD || err == -ENOTTY || err == -EOPNOTSUPP || err == -EINVAL
	       ? 0 : err;
}

int shale_copy_flags(const struct shale_token *tok, const struct path *from, struct dentry *to)
{
	struct file_kattr old = { .flags_valid = true }, new = { .flags_valid = true };
	int err;

	/* A network file system may have the latter though nobody has set it: see what it says. */
	if (!(d_inode(from->dentry)->i_flags & (S_SYNC | S_NOATIME)))
		return 0;
	err = vfs_fileattr_get(from->dentry, &old);
	if (err || !(old.flags & COPIED_FLAGS))
		return unless_no_flags(err);
	err = vfs_fileattr_get(to, &new);
	if (err)
		return unless_no_flags(err);
	new.flags |= old.flags & COPIED_FLAGS;
	new.fsx_xflags |= old.fsx_xflags & COPIED_XFLAGS;
	return unless_no_flags(shale_upper_fileattr_set(tok, to, &new));
}

int shale_copy_owner_mode_times(const struct shale_token *tok, const struct kstat *stat,
				struct dentry *to)
{
	struct iattr owner = {
		.ia_valid = ATTR_UID | ATTR_GID,
		.ia_vfsuid = VFSUIDT_INIT(stat->uid),
		.ia_vfsgid = VFSGIDT_INIT(stat->gid),
	};
	struct iattr mode = { .ia_valid = ATTR_MODE, .ia_mode = stat->mode };
	struct iattr times = {
		.ia_valid = ATTR_ATIME | ATTR_MTIME | ATTR_ATIME_SET | ATTR_MTIME_SET,
		.ia_atime = stat->atime,
		.ia_mtime = stat->mtime,
	};
	int err;

	/* In this order: a change of owner takes the set-id bits away. */
	err = shale_upper_setattr(tok, to, &owner);
	if (!err && !S_ISLNK(stat->mode))
		err = shale_upper_setattr(tok, to, &mode);
	return err ?: shale_upper_setattr(tok, to, &times);
}
