// SPDX-License-Identifier: GPL-2.0
/* The index at mount: found or made, and cleaned of what a crash left in it. */
#include <linux/fs_context.h>
#include <linux/namei.h>

#include "stack/marks.h"
#include "stack/origin.h"
#include "union/index.h"
#include "union/whiteout.h"
#include "union/workdir.h"

/* Checks that an object bears this record, and gives it to one that has none. */
static int verify(const struct shale_token *tok, const struct shale_sb *sbi,
		  struct dentry *dentry, const char *mark, struct dentry *of, bool is_upper)
{
	const struct path path = shale_upper_path(tok, dentry);
	struct shale_origin_record wanted, found;
	int ret = shale_origin_encode(sbi, &wanted, of, is_upper);

	if (ret)
		return ret;
	ret = shale_origin_get(sbi, &path, mark, &found);
	if (ret < 0)
		return ret;
	if (!ret)
		return min(shale_origin_set(tok, sbi, dentry, mark, &wanted), 0);
	return shale_origin_is_same(&found, &wanted) ? 0 : -ESTALE;
}

static struct dentry *open_dir(const struct shale_token *tok)
{
	const struct shale_new dir = { .mode = S_IFDIR };
	struct qstr name = QSTR(SHALE_INDEX_DIR);
	struct dentry *index = lookup_one_positive_unlocked(shale_upper_idmap(tok), &name,
							    tok->upper->workbase);

	if (index == ERR_PTR(-ENOENT))
		index = shale_upper_make(tok, tok->upper->workbase, &name, &dir);
	if (!IS_ERR(index) && !d_is_dir(index)) {
		dput(index);
		return ERR_PTR(-ENOTDIR);
	}
	return index;
}

/*
 * An entry belongs here when it is named after its origin. What led to an object that is gone was
 * to be removed when a crash came. It may be the only copy of what was written: without being
 * sure, nothing is removed.
 */
enum verdict { KEEP, STALE, ORPHAN };

/* Is the object of an entry the copy of what the entry is named after? */
static int judge_origin(const struct shale_token *tok, const struct shale_sb *sbi,
			struct dentry *upper, const struct shale_origin_record *named)
{
	const struct path path = shale_upper_path(tok, upper);
	struct shale_origin_record found;
	int ret = shale_origin_get(sbi, &path, SHALE_MARK_ORIGIN, &found);

	if (ret <= 0)
		return ret ?: -EINVAL;
	return shale_origin_is_same(&found, named) ? KEEP : STALE;
}

/*
 * One whose directory is not there any more, or never got its name, is stale, too: a directory is
 * found by its name. To look for each costs, so that it is done for those who want handles.
 */
static int judge_dir(const struct shale_token *tok, const struct shale_sb *sbi,
		     struct dentry *entry, const struct shale_origin_record *named)
{
	struct dentry *upper;
	int ret;

	if (!shale_feature_on(&sbi->features, SHALE_NFS_EXPORT))
		return KEEP;
	upper = shale_index_upper(sbi, entry);
	if (upper == ERR_PTR(-ENODATA) || upper == ERR_PTR(-ESTALE))
		return STALE;
	if (IS_ERR(upper))
		return PTR_ERR(upper);
	ret = judge_origin(tok, sbi, upper, named);
	dput(upper);
	return ret;
}

/* The last link of a file that no name of the union leads to is an orphan. */
static int judge_links(const struct shale_token *tok, const struct shale_sb *sbi,
		       struct dentry *entry, const struct shale_origin_record *origin)
{
	const struct path path = shale_upper_path(tok, entry);
	struct shale_part lower = { };
	int nlink, ret;

	if (d_inode(entry)->i_nlink > 1)
		return KEEP;
	ret = shale_origin_find(sbi, origin, &lower);
	if (ret < 0)
		return ret;
	nlink = shale_mark_nlink(sbi, &path, ret ? d_inode(lower.dentry) : NULL);
	if (ret)
		dput(lower.dentry);
	return nlink ? KEEP : ORPHAN;
}

static int judge_entry(const struct shale_token *tok, const struct shale_sb *sbi,
		       struct dentry *entry)
{
	struct shale_origin_record named;
	int ret;

	named.size = shale_index_name_decode((const char *)entry->d_name.name, entry->d_name.len,
					     named.bytes);
	if (!named.size)
		return -EINVAL;
	if (shale_is_whiteout(entry))
		return KEEP;
	if (d_is_dir(entry))
		return judge_dir(tok, sbi, entry, &named);
	ret = judge_origin(tok, sbi, entry, &named);
	return ret == KEEP ? judge_links(tok, sbi, entry, &named) : ret;
}

static int check_entry(const struct shale_token *tok, struct dentry *dir, struct dentry *entry,
		       void *arg)
{
	const struct shale_sb *sbi = arg;
	int ret;

	if (entry->d_name.name[0] == '#')
		return shale_workdir_wipe(tok, dir, entry);
	ret = judge_entry(tok, sbi, entry);
	if (ret == ORPHAN && shale_feature_on(&sbi->features, SHALE_NFS_EXPORT))
		return shale_remove(tok, dir, &entry->d_name, entry, true);
	if (ret == ORPHAN || ret == STALE)
		return shale_workdir_wipe(tok, dir, entry);
	return ret;
}

static int open_index(const struct shale_token *tok, struct shale_sb *sbi)
{
	struct dentry *index;
	int err = verify(tok, sbi, tok->upper->root, SHALE_MARK_ORIGIN,
			 sbi->stack->lower[0]->mnt->mnt_root, false);

	if (err)
		return err;
	index = open_dir(tok);
	if (IS_ERR(index))
		return PTR_ERR(index);
	tok->upper->indexdir = index;
	err = verify(tok, sbi, index, SHALE_MARK_UPPER, tok->upper->root, true);
	return err ?: shale_upper_for_each(tok, index, check_entry, sbi);
}

int shale_index_open(struct super_block *sb, struct fs_context *fc)
{
	struct shale_sb *sbi = shale_sb(sb);
	const char *lacking;
	int err;

	if (!shale_feature_on(&sbi->features, SHALE_INDEX))
		return 0;
	lacking = shale_bases_without_handles(sbi);
	if (lacking) {
		pr_warn("index=on: off, for the file system of %s has no file handles, or no uuid\n",
			lacking);
		sbi->features.value[SHALE_INDEX] = SHALE_OFF;
		sbi->features.value[SHALE_NFS_EXPORT] = SHALE_OFF;
		return 0;
	}

	CLASS(shale_upper, tok)(sb);

	err = tok.err ?: open_index(&tok, sbi);
	if (err)
		errorfc(fc, "%s: error %d; mount with index=off, or remove %s from workdir",
			err == -ESTALE ? "upperdir, lowerdir and index do not belong together" :
					 "can't use the index", err, SHALE_INDEX_DIR);
	return err;
}
