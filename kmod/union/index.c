// SPDX-License-Identifier: GPL-2.0
#include "union/index.h"

#include <linux/fs_context.h>
#include <linux/namei.h>

#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/origin.h"
#include "union/workdir.h"

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

	/* A whiteout stands for an object all of whose names are gone. */
	pr_warn_ratelimited("index entry %pd is not for %pd2\n", index, lower);
	dput(index);
	return ERR_PTR(-EIO);
}

/* Counting */

int shale_index_links_begin(const struct shale_token *tok, struct inode *inode,
			    const struct shale_entry *entry)
{
	lockdep_assert_held(&shale_inode(inode)->lock);
	if (!entry->indexed)
		return 0;
	return shale_mark_set_nlink(tok, shale_sb(inode->i_sb), entry->upper, inode->i_nlink, 'U',
				    d_inode(entry->upper)->i_nlink);
}

void shale_index_links_end(const struct shale_token *tok, struct inode *inode,
			   const struct shale_entry *entry)
{
	const struct inode *upper = entry->upper ? d_inode(entry->upper) : NULL;
	struct shale_index_name name;
	int err;

	if (!entry->indexed || inode->i_nlink)
		return;
	/* Somebody has given the lower file more names meanwhile: some of ours are left. */
	if (upper->i_nlink > 1) {
		set_nlink(inode, upper->i_nlink - 1);
		shale_index_links_begin(tok, inode, entry);
		return;
	}
	err = shale_index_name(shale_sb(inode->i_sb), &name, entry->lower->part[0].dentry);
	if (!err)
		err = shale_upper_remove(tok, tok->upper->indexdir,
					 &QSTR_LEN(name.text, name.len), entry->upper);
	if (err)
		pr_err("can't remove %pd2 from the index: error %d\n", entry->upper, err);
}

/* Mounting */

/* Is all there that an index takes? */
static const char *what_lacks(const struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;
	unsigned int i;

	if (!sbi->base[stack->upper->base].has_handles)
		return stack->upper->name;
	for (i = 0; i < shale_stack_nr_merged(stack); i++) {
		if (!sbi->base[stack->lower[i]->base].has_handles)
			return stack->lower[i]->name;
	}
	return NULL;
}

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
	return found.size == wanted.size && !memcmp(found.bytes, wanted.bytes, found.size)
		? 0 : -ESTALE;
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
 * An entry belongs here when it is named after its origin. One that is the last link of a file
 * that no name of the union leads to any more was to be removed when a crash came. It may be the
 * only copy of what was written: without being sure, nothing is removed.
 */
static int check_entry(const struct shale_token *tok, struct dentry *dir, struct dentry *entry,
		       void *arg)
{
	const struct shale_sb *sbi = arg;
	const struct path path = shale_upper_path(tok, entry);
	struct shale_origin_record named, found;
	struct shale_part lower = { };
	int nlink, ret;

	if (entry->d_name.name[0] == '#')
		return shale_workdir_wipe(tok, dir, entry);
	if (shale_is_whiteout(entry) || d_is_dir(entry))
		return 0;
	named.size = shale_index_name_decode((const char *)entry->d_name.name, entry->d_name.len,
					     named.bytes);
	if (!named.size)
		return -EINVAL;
	ret = shale_origin_get(sbi, &path, SHALE_MARK_ORIGIN, &found);
	if (ret < 0)
		return ret;
	if (!ret)
		return -EINVAL;
	if (found.size != named.size || memcmp(found.bytes, named.bytes, found.size))
		return shale_upper_remove_dentry(tok, dir, entry);
	if (d_inode(entry)->i_nlink > 1)
		return 0;

	ret = shale_origin_find(sbi, &found, &lower);
	if (ret < 0)
		return ret;
	nlink = shale_mark_nlink(sbi, &path, ret ? d_inode(lower.dentry) : NULL);
	dput(lower.dentry);
	return nlink ? 0 : shale_upper_remove_dentry(tok, dir, entry);
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
	lacking = what_lacks(sbi);
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
