// SPDX-License-Identifier: GPL-2.0
#include "stack/marks.h"

#include <linux/bug.h>
#include <linux/capability.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xattr.h>

/* The longest is "trusted.overlay.metacopy". */
struct mark_name {
	char text[32];
};

const char *shale_mark_prefix(const struct shale_sb *sbi)
{
	return shale_feature_on(&sbi->features, SHALE_USERXATTR) ? SHALE_XATTR_USER
								 : SHALE_XATTR_TRUSTED;
}

static struct mark_name mark_name(const struct shale_sb *sbi, const char *mark)
{
	struct mark_name name;

	WARN_ON_ONCE(snprintf(name.text, sizeof(name.text), "%s%s", shale_mark_prefix(sbi), mark) >=
		     sizeof(name.text));
	return name;
}

bool shale_mark_is_private(const struct shale_sb *sbi, const char *name)
{
	const char *prefix = shale_mark_prefix(sbi);

	return strstarts(name, prefix) && !strstarts(name + strlen(prefix), SHALE_XATTR_ESCAPE);
}

int shale_mark_get(const struct shale_sb *sbi, const struct path *path, const char *mark,
		   void *value, size_t size)
{
	const struct mark_name name = mark_name(sbi, mark);
	int ret = vfs_getxattr(mnt_idmap(path->mnt), path->dentry, name.text, value, size);

	return ret == -EOPNOTSUPP ? -ENODATA : ret;
}

bool shale_marks_are_known(const struct shale_sb *sbi, const struct path *path)
{
	const struct mark_name name = mark_name(sbi, SHALE_MARK_OPAQUE);

	return vfs_getxattr(mnt_idmap(path->mnt), path->dentry, name.text, NULL, 0) != -EOPNOTSUPP;
}

/* Others may read the names and attributes of what they own, but not its user.* xattrs. */
static bool is_unreadable(const struct shale_sb *sbi, int err)
{
	return err == -EACCES && shale_feature_on(&sbi->features, SHALE_USERXATTR);
}

int shale_mark_opaque(const struct shale_sb *sbi, const struct path *path)
{
	char value;
	int ret = shale_mark_get(sbi, path, SHALE_MARK_OPAQUE, &value, sizeof(value));

	/* A longer value than any that is defined does not fit. */
	if (ret == -ENODATA || ret == -ERANGE)
		return SHALE_OPAQUE_NO;
	if (is_unreadable(sbi, ret))
		return SHALE_OPAQUE_YES;
	return ret < 0 ? ret : shale_opaque_decode(&value, ret);
}

/* A value of any length: asked for its size first. Return: the size, 0 without one, an errno. */
static int get_long(const struct shale_sb *sbi, const struct path *path, const char *mark,
		    size_t most, char **value)
{
	int size = shale_mark_get(sbi, path, mark, NULL, 0);

	*value = NULL;
	if (size <= 0)
		return size == -ENODATA ? 0 : size;
	if (size > most)
		return -EIO;
	*value = kmalloc(size + 1, GFP_KERNEL);
	if (!*value)
		return -ENOMEM;
	size = shale_mark_get(sbi, path, mark, *value, size);
	if (size <= 0) {
		kfree(*value);
		*value = NULL;
		return size == -ERANGE ? -EIO : size;	/* somebody is changing it */
	}
	(*value)[size] = '\0';
	return size;
}

/* For those who ask what overlayfs has to be told to read this upper. */
static void note_in_upper(const struct shale_sb *sbi, const struct vfsmount *mnt, const char *mark)
{
	struct shale_upper *upper = sbi->upper;

	if (!upper || mnt != upper->layer->mnt)
		return;
	if (!strcmp(mark, SHALE_MARK_REDIRECT))
		WRITE_ONCE(upper->has_redirects, true);
	else if (!strcmp(mark, SHALE_MARK_METACOPY))
		WRITE_ONCE(upper->has_metacopies, true);
}

int shale_mark_redirect(const struct shale_sb *sbi, const struct path *path, char **text)
{
	int size = get_long(sbi, path, SHALE_MARK_REDIRECT, SHALE_REDIRECT_MAX, text);
	enum shale_redirect kind;

	if (is_unreadable(sbi, size))
		return 0;
	if (size <= 0 && size != -EIO)
		return size;
	kind = size > 0 ? shale_redirect_decode(*text, size) : SHALE_REDIRECT_INVALID;
	note_in_upper(sbi, path->mnt, SHALE_MARK_REDIRECT);
	if (kind != SHALE_REDIRECT_INVALID)
		return kind;
	kfree(*text);
	*text = NULL;
	pr_warn_ratelimited("%pd2 has an invalid redirect\n", path->dentry);
	return -EIO;
}

int shale_mark_metacopy(const struct shale_sb *sbi, const struct path *path,
			struct shale_metacopy *record)
{
	struct shale_metacopy read = { };
	int size;

	if (!d_is_reg(path->dentry))
		return 0;
	size = shale_mark_get(sbi, path, SHALE_MARK_METACOPY, &read, sizeof(read));
	if (size == -ENODATA || is_unreadable(sbi, size))
		return 0;
	if (size == -ERANGE || (size >= 0 && !shale_metacopy_valid(&read, size))) {
		pr_warn_ratelimited("%pd2 has an invalid metacopy mark\n", path->dentry);
		return -EIO;
	}
	if (size < 0)
		return size;
	note_in_upper(sbi, path->mnt, SHALE_MARK_METACOPY);
	if (record)
		*record = read;
	return 1;
}

int shale_mark_is_whiteout(const struct shale_sb *sbi, const struct path *path, bool xattr)
{
	const struct inode *inode = d_inode(path->dentry);

	if (shale_is_whiteout(path->dentry))
		return 1;
	if (!xattr || !S_ISREG(inode->i_mode) || i_size_read(inode))
		return 0;
	return shale_mark_present(sbi, path, SHALE_MARK_WHITEOUT);
}

int shale_mark_present(const struct shale_sb *sbi, const struct path *path, const char *mark)
{
	int ret = shale_mark_get(sbi, path, mark, NULL, 0);

	if (ret == -ENODATA || is_unreadable(sbi, ret))
		return 0;
	return ret < 0 ? ret : 1;
}

int shale_mark_nlink(const struct shale_sb *sbi, const struct path *upper,
		     const struct inode *lower)
{
	struct shale_nlink nlink;
	char text[SHALE_NLINK_MAX];
	int size = shale_mark_get(sbi, upper, SHALE_MARK_NLINK, text, sizeof(text));
	int sum;

	if (size < 0)
		return size == -ERANGE ? -ENODATA : size;
	if (!shale_nlink_decode(text, size, &nlink) || (!nlink.of_upper && !lower))
		return -ENODATA;
	sum = (nlink.of_upper ? d_inode(upper->dentry)->i_nlink : lower->i_nlink) + nlink.diff;
	return max(sum, 0);
}

int shale_mark_set_nlink(const struct shale_token *tok, const struct shale_sb *sbi,
			 struct dentry *upper, unsigned int nlink, char whose,
			 unsigned int nlink_of_that)
{
	char text[SHALE_NLINK_MAX + 1];
	int size = snprintf(text, sizeof(text), "%c%+d", whose, (int)(nlink - nlink_of_that));

	return shale_mark_set(tok, sbi, upper, SHALE_MARK_NLINK, text, size);
}

int shale_mark_set(const struct shale_token *tok, const struct shale_sb *sbi,
		   struct dentry *dentry, const char *mark, const void *value, size_t size)
{
	const struct mark_name name = mark_name(sbi, mark);
	int err = shale_upper_setxattr(tok, dentry, name.text, value, size, 0);

	/* To who has no rights in the initial namespace, trusted.* is as if it were not there. */
	if (err == -EPERM && !shale_feature_on(&sbi->features, SHALE_USERXATTR) &&
	    !ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN))
		return -EOPNOTSUPP;
	if (!err)
		note_in_upper(sbi, tok->upper->layer->mnt, mark);
	return err;
}

int shale_mark_remove(const struct shale_token *tok, const struct shale_sb *sbi,
		      struct dentry *dentry, const char *mark)
{
	const struct mark_name name = mark_name(sbi, mark);
	int err = shale_upper_removexattr(tok, dentry, name.text);

	return err == -ENODATA ? 0 : err;
}

int shale_mark_impure(const struct shale_token *tok, const struct shale_sb *sbi,
		      struct shale_entry *dir)
{
	const struct path path = shale_upper_path(tok, dir->upper);
	int err;

	if (READ_ONCE(dir->impure))
		return 0;
	err = shale_mark_present(sbi, &path, SHALE_MARK_IMPURE);
	if (!err)
		err = shale_mark_set(tok, sbi, dir->upper, SHALE_MARK_IMPURE, "y", 1);
	if (err >= 0)
		WRITE_ONCE(dir->impure, true);
	return err == -EOPNOTSUPP ? 0 : min(err, 0);
}

int shale_mark_set_opaque(const struct shale_token *tok, const struct shale_sb *sbi,
			  struct dentry *dir)
{
	return shale_mark_set(tok, sbi, dir, SHALE_MARK_OPAQUE, "y", 1);
}

int shale_mark_protection(const struct shale_sb *sbi, const struct path *path)
{
	char value[SHALE_PROTATTR_MAX];
	int ret = shale_mark_get(sbi, path, SHALE_MARK_PROTATTR, value, sizeof(value));

	if (ret == -ENODATA || is_unreadable(sbi, ret))
		return 0;
	if (ret < 0 && ret != -ERANGE)
		return ret;
	ret = ret < 0 ? -1 : shale_protattr_decode(value, ret);
	if (ret < 0) {
		pr_warn_ratelimited("%pd2 carries the mark %s with an unknown value\n",
				    path->dentry, SHALE_MARK_PROTATTR);
		return 0;
	}
	return (ret & SHALE_PROTECT_APPEND ? S_APPEND : 0) |
	       (ret & SHALE_PROTECT_IMMUTABLE ? S_IMMUTABLE : 0);
}

int shale_mark_set_protection(const struct shale_token *tok, const struct shale_sb *sbi,
			      struct dentry *dentry, unsigned int i_flags)
{
	const int protection = (i_flags & S_APPEND ? SHALE_PROTECT_APPEND : 0) |
			       (i_flags & S_IMMUTABLE ? SHALE_PROTECT_IMMUTABLE : 0);
	char value[SHALE_PROTATTR_MAX];
	size_t size = shale_protattr_encode(protection, value);
	int err;

	if (size)
		return shale_mark_set(tok, sbi, dentry, SHALE_MARK_PROTATTR, value, size);
	err = shale_mark_remove(tok, sbi, dentry, SHALE_MARK_PROTATTR);
	return err == -EOPNOTSUPP ? 0 : err;
}
