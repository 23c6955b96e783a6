/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Directories that ignore the case of names. What a superblock says of that is asked by functions
 * from 6.10 on (sb_has_encoding()) and 6.18 on (the others); the fields have been there since 5.2.
 * Without CONFIG_UNICODE there is none.
 */
#ifndef SHALE_COMPAT_CASEFOLD_H
#define SHALE_COMPAT_CASEFOLD_H

#include <linux/fs.h>
#include <linux/unicode.h>

#ifndef SHALE_HAS_SB_ENCODING

#if IS_ENABLED(CONFIG_UNICODE)

static inline struct unicode_map *sb_encoding(const struct super_block *sb)
{
	return sb->s_encoding;
}

static inline bool sb_same_encoding(const struct super_block *a, const struct super_block *b)
{
	if (a->s_encoding == b->s_encoding)
		return true;
	return a->s_encoding && b->s_encoding &&
	       a->s_encoding->version == b->s_encoding->version &&
	       a->s_encoding_flags == b->s_encoding_flags;
}

#else

static inline struct unicode_map *sb_encoding(const struct super_block *sb)
{
	return NULL;
}

static inline bool sb_same_encoding(const struct super_block *a, const struct super_block *b)
{
	return true;
}

#endif

#endif

static inline bool shale_sb_has_encoding(const struct super_block *sb)
{
	return sb_encoding(sb);
}

/* Names that are no valid text are refused there. */
static inline bool shale_sb_is_strict(const struct super_block *sb)
{
#if IS_ENABLED(CONFIG_UNICODE)
	return sb_has_strict_encoding(sb);
#else
	return false;
#endif
}

static inline void shale_sb_set_encoding(struct super_block *sb, const struct super_block *from)
{
#if IS_ENABLED(CONFIG_UNICODE)
	sb->s_encoding = from->s_encoding;
	sb->s_encoding_flags = from->s_encoding_flags;
#endif
}

/* Does this directory, of any file system, ignore the case of the names in it? */
static inline bool shale_is_casefolded(const struct dentry *dir)
{
	return IS_CASEFOLDED(d_inode(dir)) && shale_sb_has_encoding(dir->d_sb);
}

#endif
