// SPDX-License-Identifier: GPL-2.0
#include "stack/marks.h"

#include <linux/bug.h>
#include <linux/string.h>
#include <linux/xattr.h>

/* The longest is "trusted.overlay.metacopy". */
struct mark_name {
	char text[32];
};

const char *shale_mark_prefix(const struct shale_sb *sbi)
{
	return sbi->userxattr ? SHALE_XATTR_USER : SHALE_XATTR_TRUSTED;
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

/* The size of a mark's value, -ENODATA when there is none, or another negative errno. */
static int mark_get(const struct shale_sb *sbi, const struct path *path, const char *mark,
		    void *value, size_t size)
{
	const struct mark_name name = mark_name(sbi, mark);
	int ret = vfs_getxattr(mnt_idmap(path->mnt), path->dentry, name.text, value, size);

	return ret == -EOPNOTSUPP ? -ENODATA : ret;
}

int shale_mark_opaque(const struct shale_sb *sbi, const struct path *path)
{
	char value;
	int ret = mark_get(sbi, path, SHALE_MARK_OPAQUE, &value, sizeof(value));

	/* A longer value than any that is defined does not fit. */
	if (ret == -ENODATA || ret == -ERANGE)
		return SHALE_OPAQUE_NO;
	return ret < 0 ? ret : shale_opaque_decode(&value, ret);
}

int shale_mark_present(const struct shale_sb *sbi, const struct path *path, const char *mark)
{
	int ret = mark_get(sbi, path, mark, NULL, 0);

	if (ret == -ENODATA)
		return 0;
	return ret < 0 ? ret : 1;
}

int shale_mark_set_opaque(const struct shale_token *tok, const struct shale_sb *sbi,
			  struct dentry *dir)
{
	const struct mark_name name = mark_name(sbi, SHALE_MARK_OPAQUE);

	return shale_upper_setxattr(tok, dir, name.text, "y", 1, 0);
}
