/* SPDX-License-Identifier: GPL-2.0 */
/* Reading and writing the marks of include/uapi/linux/shale_ondisk.h on real objects. */
#ifndef SHALE_STACK_MARKS_H
#define SHALE_STACK_MARKS_H

#include <linux/shale_ondisk.h>

#include "stack/entry.h"
#include "stack/sb.h"
#include "stack/upper.h"

/* Is this the dentry of a whiteout? */
static inline bool shale_is_whiteout(const struct dentry *dentry)
{
	const struct inode *inode = d_inode(dentry);

	return inode && S_ISCHR(inode->i_mode) && inode->i_rdev == MKDEV(0, 0);
}

/* Is the attribute @name of a layer's object a mark of this mount, hidden from its users? */
bool shale_mark_is_private(const struct shale_sb *sbi, const char *name);

/* The prefix of such names; a mount shows and sets others that have it under escaped names. */
const char *shale_mark_prefix(const struct shale_sb *sbi);

/*
 * The readers. Context: as the mounter. A file system without xattrs has no marks. When an object
 * can't be read nobody knows whether it is marked, and showing what a mark may hide would be
 * wrong: they give the errno then.
 */

/* Return: an enum shale_opaque, or an errno. With userxattr, what may not be read hides all. */
int shale_mark_opaque(const struct shale_sb *sbi, const struct path *path);

/**
 * shale_mark_redirect - read a redirect
 * @text: set to an allocated string when there is one
 * Return: 0 without one; enum shale_redirect; -EIO when it is invalid; or another errno.
 */
int shale_mark_redirect(const struct shale_sb *sbi, const struct path *path, char **text);

/**
 * shale_mark_metacopy - does the data of a regular file lie further down?
 * @record: filled with the record, the part that the mark does not have with zeros; may be NULL
 * Return: 1 or 0; -EIO when the record is invalid; or another errno.
 */
int shale_mark_metacopy(const struct shale_sb *sbi, const struct path *path,
			struct shale_metacopy *record);

/* Is this a whiteout? @xattr: it lies in a directory that may have such as are empty files. */
int shale_mark_is_whiteout(const struct shale_sb *sbi, const struct path *path, bool xattr);

/* Is the mark there, whatever it says? Return: 1, 0 or an errno. */
int shale_mark_present(const struct shale_sb *sbi, const struct path *path, const char *mark);

/**
 * shale_mark_nlink - how many names the union has for an object of the index
 * @lower: the lower file, or NULL when it is not known
 * Return: their number; -ENODATA when no mark says it, or none that makes sense; or another errno.
 */
int shale_mark_nlink(const struct shale_sb *sbi, const struct path *upper,
		     const struct inode *lower);

/* The size of a mark's value; -ENODATA without one, -ERANGE when @size is too small; an errno. */
int shale_mark_get(const struct shale_sb *sbi, const struct path *path, const char *mark,
		   void *value, size_t size);

/* Does the file system of a directory know the attributes that marks are kept in? */
bool shale_marks_are_known(const struct shale_sb *sbi, const struct path *path);

/* The writers, on objects of the upper. -EOPNOTSUPP where it keeps no xattrs. */
int shale_mark_set(const struct shale_token *tok, const struct shale_sb *sbi,
		   struct dentry *dentry, const char *mark, const void *value, size_t size);
int shale_mark_remove(const struct shale_token *tok, const struct shale_sb *sbi,
		      struct dentry *dentry, const char *mark);
/*
 * Notes that the union has @nlink names, as a difference to what the upper or the lower file has
 * now. An operation that adds or takes a name of the union and of one of them changes both
 * numbers; with the right mark beforehand, it is done with it all in one.
 */
int shale_mark_set_nlink(const struct shale_token *tok, const struct shale_sb *sbi,
			 struct dentry *upper, unsigned int nlink, char whose,
			 unsigned int nlink_of_that);

/*
 * Notes that the upper's directory holds what was copied up, or is about to. Best effort as to
 * xattrs. Once it is known to be noted, that is not looked at again as long as @dir is current.
 */
int shale_mark_impure(const struct shale_token *tok, const struct shale_sb *sbi,
		      struct shale_entry *dir);
int shale_mark_set_opaque(const struct shale_token *tok, const struct shale_sb *sbi,
			  struct dentry *dir);

/*
 * The flags S_APPEND and S_IMMUTABLE that an object of the upper has in the union, though not in
 * the upper. Setting none removes the mark. -EOPNOTSUPP where the upper keeps no xattrs.
 */
int shale_mark_protection(const struct shale_sb *sbi, const struct path *path);
int shale_mark_set_protection(const struct shale_token *tok, const struct shale_sb *sbi,
			      struct dentry *dentry, unsigned int i_flags);

#endif
