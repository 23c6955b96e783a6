/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The index: a directory beside "work", in which lower files that have several names, and were
 * copied up by one of them, are found by their origin. So the other names lead to the copy too.
 *
 * An entry is a hard link of the copy. The name of it is made first; a name of the union in the
 * upper is linked to it when that is copied up. The union's count of names is kept in the mark
 * nlink, which is written so that a crash before or after a change of names leaves it right.
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
 * shale_index_find - the copy of a lower object
 * Context: as the mounter.
 * Return: its dentry in the index, counted; NULL when there is none; ERR_PTR(-EIO) for an entry
 * that makes no sense, or what the upper says.
 */
struct dentry *shale_index_find(const struct shale_sb *sbi, struct dentry *lower);

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
