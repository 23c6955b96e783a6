// SPDX-License-Identifier: GPL-2.0
#include "union/index.h"

#include <linux/namei.h>

#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/origin.h"
#include "union/whiteout.h"
#include "union/workdir.h"

static bool takes_all(const struct shale_sb *sbi)
{
	return shale_feature_on(&sbi->features, SHALE_NFS_EXPORT);
}

/* Finding */

bool shale_index_wants(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	return entry->lower &&
	       shale_entry_index_takes(sbi, d_inode(entry->lower->part[0].dentry));
}

int shale_index_name(const struct shale_sb *sbi, struct shale_index_name *name,
		     struct dentry *lower)
{
	struct shale_origin_record record;
	int err = shale_origin_encode(sbi, &record, lower, false);

	if (err)
		return err;
	name->len = shale_index_name_encode(record.bytes, record.size, name->text);
	return name->len ? 0 : -ENAMETOOLONG;
}

struct dentry *shale_index_find(const struct shale_sb *sbi, struct dentry *lower)
{
	const struct shale_upper *upper = sbi->upper;
	struct shale_index_name name;
	struct dentry *index;
	int err = shale_index_name(sbi, &name, lower);

	if (err)
		return ERR_PTR(err);
	index = lookup_one_positive_unlocked(shale_layer_idmap(upper->layer),
					     &QSTR_LEN(name.text, name.len), upper->indexdir);
	if (IS_ERR(index))
		return index == ERR_PTR(-ENOENT) ? NULL : index;
	if (!((d_inode(index)->i_mode ^ d_inode(lower)->i_mode) & S_IFMT) &&
	    (!shale_is_whiteout(index) || shale_is_whiteout(lower)))
		return index;

	err = shale_is_whiteout(index) ? -ESTALE : -EIO;
	if (err == -EIO)
		pr_warn_ratelimited("index entry %pd is not for %pd2\n", index, lower);
	dput(index);
	return ERR_PTR(err);
}

bool shale_index_lacks(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	struct dentry *lower, *index;

	if (entry->upper)
		return true;
	lower = entry->lower->part[0].dentry;
	if (d_is_dir(lower) || !shale_entry_index_may_have(sbi, d_inode(lower)))
		return true;
	index = shale_index_find(sbi, lower);
	if (!IS_ERR_OR_NULL(index))
		dput(index);
	return !index;
}

struct dentry *shale_index_upper(const struct shale_sb *sbi, struct dentry *index)
{
	const struct path path = { .mnt = sbi->upper->layer->mnt, .dentry = index };
	struct shale_origin_record record;
	struct dentry *upper;
	int ret;

	if (!d_is_dir(index))
		return dget(index);
	ret = shale_origin_get(sbi, &path, SHALE_MARK_UPPER, &record);
	if (ret <= 0)
		return ERR_PTR(ret ?: -ENODATA);
	upper = shale_origin_find_upper(sbi, &record);
	if (IS_ERR_OR_NULL(upper) || d_is_dir(upper))
		return upper ?: ERR_PTR(-ESTALE);
	dput(upper);
	return ERR_PTR(-EIO);
}

int shale_index_verify_dir(const struct shale_sb *sbi, struct dentry *index, struct dentry *upper)
{
	const struct path path = { .mnt = sbi->upper->layer->mnt, .dentry = index };
	struct shale_origin_record wanted, found;
	int ret = shale_origin_encode(sbi, &wanted, upper, true);

	if (!ret)
		ret = shale_origin_get(sbi, &path, SHALE_MARK_UPPER, &found);
	if (ret < 0)
		return ret;
	return ret && shale_origin_is_same(&wanted, &found) ? 0 : -EIO;
}

/* Making entries of directories; a file's is the copy itself. */

struct dentry *shale_index_make_dir(const struct shale_token *tok, const struct shale_sb *sbi,
				    struct dentry *upper)
{
	const struct shale_new dir = { .mode = S_IFDIR };
	struct shale_origin_record record;
	struct dentry *entry;
	int err = shale_origin_encode(sbi, &record, upper, true);

	if (err)
		return ERR_PTR(err);
	entry = shale_workdir_make(tok, &dir);
	if (IS_ERR(entry))
		return entry;
	err = shale_mark_set(tok, sbi, entry, SHALE_MARK_UPPER, record.bytes, record.size);
	if (!err)
		return entry;
	shale_workdir_discard(tok, entry);
	dput(entry);
	return ERR_PTR(err);
}

static int put_entry(const struct shale_token *tok, struct dentry *entry,
		     const struct shale_index_name *name)
{
	struct renamedata rd = {
		.old_parent = tok->upper->workdir,
		.new_parent = tok->upper->indexdir,
	};
	int err = shale_upper_start_renaming_dentry(tok, &rd, entry,
						    &QSTR_LEN(name->text, name->len));

	if (err)
		return err;
	err = d_is_negative(rd.new_dentry) ? shale_upper_rename(tok, &rd) : -EEXIST;
	end_renaming(&rd);
	return err;
}

bool shale_index_put_dir(const struct shale_token *tok, struct dentry *entry,
			 const struct shale_index_name *name)
{
	int err = put_entry(tok, entry, name);

	if (!err)
		return true;
	pr_warn_ratelimited("no entry of the index for %.*s: error %d\n", name->len, name->text,
			    err);
	shale_workdir_discard(tok, entry);
	return false;
}

/* Counting */

int shale_index_links_begin(const struct shale_token *tok, struct inode *inode,
			    const struct shale_entry *entry)
{
	lockdep_assert_held(&shale_inode(inode)->lock);
	if (!entry->indexed || S_ISDIR(inode->i_mode))
		return 0;
	return shale_mark_set_nlink(tok, shale_sb(inode->i_sb), entry->upper, inode->i_nlink, 'U',
				    d_inode(entry->upper)->i_nlink);
}

static int remove_dir(const struct shale_token *tok, const struct shale_sb *sbi,
		      struct dentry *lower)
{
	struct dentry *index = shale_index_find(sbi, lower);
	int err;

	if (IS_ERR_OR_NULL(index))
		return PTR_ERR_OR_ZERO(index);
	err = shale_upper_remove_dentry(tok, tok->upper->indexdir, index);
	dput(index);
	return err;
}

/*
 * A removed directory is not found by its name any more. Other objects are found without names:
 * a whiteout says that there is none.
 */
static int let_go(const struct shale_token *tok, const struct shale_sb *sbi,
		  const struct shale_entry *entry)
{
	struct dentry *lower = entry->lower->part[0].dentry;
	struct shale_index_name name;
	int err;

	if (d_is_dir(lower))
		return remove_dir(tok, sbi, lower);
	err = shale_index_name(sbi, &name, lower);
	if (err)
		return err;
	if (takes_all(sbi))
		return shale_remove(tok, tok->upper->indexdir, &QSTR_LEN(name.text, name.len),
				    entry->upper, true);
	return shale_upper_remove(tok, tok->upper->indexdir, &QSTR_LEN(name.text, name.len),
				  entry->upper);
}

void shale_index_links_end(const struct shale_token *tok, struct inode *inode,
			   const struct shale_entry *entry)
{
	const struct shale_sb *sbi = shale_sb(inode->i_sb);
	int err;

	if (inode->i_nlink || !(entry->indexed || (takes_all(sbi) && !entry->upper)))
		return;
	/* Somebody has given the lower file more names meanwhile: some of ours are left. */
	if (entry->indexed && !S_ISDIR(inode->i_mode) && d_inode(entry->upper)->i_nlink > 1) {
		set_nlink(inode, d_inode(entry->upper)->i_nlink - 1);
		shale_index_links_begin(tok, inode, entry);
		return;
	}
	err = let_go(tok, sbi, entry);
	if (err)
		pr_err("can't remove %pd2 from the index: error %d\n", shale_entry_real(entry),
		       err);
}
