/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The index: a directory beside "work", in which lower files that have several names, and were
 * copied up by one of them, are found by their origin. So the other names lead to the copy too.
 *
 * An entry is a hard link of the copy. The name of it is made first; a name of the union in the
 * upper is linked to it when that is copied up. The union's count of names is kept in the mark
 * nlink, which is written so that a crash before or after a change of names leaves it right.
 *
 * With nfs_export=on it has whatever is copied up, for file handles of lower objects lead to the
 * copies. The entry of a directory is a directory with the handle of the copy in its mark upper.
 * Where something that is no directory was removed there is a whiteout.
 */
#ifndef SHALE_UNION_INDEX_H
#define SHALE_UNION_INDEX_H

#include <linux/shale_ondisk.h>

#include "stack/entry.h"
#include "stack/upper.h"

struct fs_context;

/**
 * shale_index_open - find or make the index of the upper, and clean it
 * Context: at mount, with features resolved; takes a token by itself. May switch the feature off.
 * Return: 0; -ESTALE when upper, lower and index do not belong together; what the upper says.
 */
int shale_index_open(struct super_block *sb, struct fs_context *fc);

/* Is the copy of such an object to be put into the index? */
bool shale_index_wants(const struct shale_sb *sbi, const struct shale_entry *entry);

/* The name that an object's copy has in the index. */
struct shale_index_name {
	char text[SHALE_INDEX_NAME_MAX];
	unsigned int len;
};

/* Return: 0, -ENAMETOOLONG, or what shale_origin_encode() says. */
int shale_index_name(const struct shale_sb *sbi, struct shale_index_name *name,
		     struct dentry *lower);

/**
 * shale_index_find - the entry of a lower object
 * Context: as the mounter.
 * Return: its dentry in the index, counted: of what is no directory, the copy itself; NULL when
 * there is none; ERR_PTR(-ESTALE) when the object was removed; ERR_PTR(-EIO) for an entry that
 * makes no sense; or what the upper says.
 */
struct dentry *shale_index_find(const struct shale_sb *sbi, struct dentry *lower);

/*
 * Of an object that was found in lower layers alone: does the index still know nothing of it?
 * Context: as the mounter.
 */
bool shale_index_lacks(const struct shale_sb *sbi, const struct shale_entry *entry);

/*
 * The copy that an entry leads to, counted. ERR_PTR: -ENODATA when the entry of a directory does
 * not say, -ESTALE when the directory is not there.
 */
struct dentry *shale_index_upper(const struct shale_sb *sbi, struct dentry *index);

/* Does the entry of a directory lead to this one? -EIO when not. */
int shale_index_verify_dir(const struct shale_sb *sbi, struct dentry *index, struct dentry *upper);

/*
 * The entry of a directory that is being copied up: made in the work directory as long as something
 * may fail; put in its place when the copy has its name. When that fails the directory has
 * none, and file handles are found as long as its name does not change.
 */
struct dentry *shale_index_make_dir(const struct shale_token *tok, const struct shale_sb *sbi,
				    struct dentry *upper);
bool shale_index_put_dir(const struct shale_token *tok, struct dentry *entry,
			 const struct shale_index_name *name);

/*
 * Around a change of the number of names, with the entry mutex of the object: before it the
 * count is noted relative to the upper's links, which will change along with ours. After the
 * last name went, the index lets go of the object.
 */
int shale_index_links_begin(const struct shale_token *tok, struct inode *inode,
			    const struct shale_entry *entry);
void shale_index_links_end(const struct shale_token *tok, struct inode *inode,
			   const struct shale_entry *entry);

#endif
