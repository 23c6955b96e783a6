/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dentry operations. ->d_revalidate() is given the parent and the name, which the dentry may
 * lose meanwhile, from 6.14 on. ->d_real() is told what is wanted from 6.9 on, and before, the
 * real inode whose dentry is wanted. A superblock's default operations are set by a function,
 * which also says what they are in s_d_flags, from 6.17 on. d_parent_ino() was parent_ino() in 6.1.
 */
#ifndef SHALE_COMPAT_DENTRY_H
#define SHALE_COMPAT_DENTRY_H

#include <linux/dcache.h>
#include <linux/fs.h>

#ifdef SHALE_HAS_SET_DEFAULT_D_OP

/* Do the names of a file system have to be asked for again before they are believed? */
static inline bool shale_sb_revalidates(const struct super_block *sb)
{
	return sb->s_d_flags & (DCACHE_OP_REVALIDATE | DCACHE_OP_WEAK_REVALIDATE);
}

#else

static inline void set_default_d_op(struct super_block *sb, const struct dentry_operations *ops)
{
	sb->s_d_op = ops;
}

static inline bool shale_sb_revalidates(const struct super_block *sb)
{
	return sb->s_d_op && (sb->s_d_op->d_revalidate || sb->s_d_op->d_weak_revalidate);
}

#endif

#ifndef SHALE_HAS_D_PARENT_INO
#define d_parent_ino(dentry)	parent_ino(dentry)
#endif

#ifdef SHALE_HAS_OP_REVALIDATE_NAME

/* Asks the file system whether @dentry still stands. Not in RCU-walk. */
static inline int shale_d_revalidate_real(struct dentry *dentry, unsigned int flags)
{
	struct dentry *parent = dget_parent(dentry);
	struct name_snapshot name;
	int ret;

	take_dentry_name_snapshot(&name, dentry);
	ret = dentry->d_op->d_revalidate(d_inode(parent), &name.name, dentry, flags);
	release_dentry_name_snapshot(&name);
	dput(parent);
	return ret;
}

#define SHALE_ADAPT_D_REVALIDATE(f)
#define SHALE_OP_D_REVALIDATE(f) f

#else

static inline int shale_d_revalidate_real(struct dentry *dentry, unsigned int flags)
{
	return dentry->d_op->d_revalidate(dentry, flags);
}

/* Ours looks at neither parent nor name. */
#define SHALE_ADAPT_D_REVALIDATE(f)						\
static int compat_##f(struct dentry *dentry, unsigned int flags)		\
{										\
	return f(NULL, NULL, dentry, flags);					\
}

#define SHALE_OP_D_REVALIDATE(f) compat_##f

#endif

#ifdef SHALE_HAS_D_REAL_TYPE

/* Does @part, or what it stands on, have this inode? Return: the dentry that does, or NULL. */
static inline struct dentry *shale_dentry_of_inode(struct dentry *part, const struct inode *inode)
{
	return d_inode(part) == inode ? part : NULL;
}

#define SHALE_ADAPT_D_REAL(f, part)
#define SHALE_OP_D_REAL(f) f

#else

enum d_real_type {
	D_REAL_DATA,
	D_REAL_METADATA,
};

/* A layer may be a stacking file system, which gave its own real file our path again. */
static inline struct dentry *shale_dentry_of_inode(struct dentry *part, const struct inode *inode)
{
	struct dentry *real = d_real(part, inode);

	return d_inode(real) == inode ? real : NULL;
}

/*
 * Who names an inode has a file: our own, or a real one that was opened with our path;
 * @part(dentry, inode) is the dentry of the layer that such a file was opened on.
 */
#define SHALE_ADAPT_D_REAL(f, part)						\
static struct dentry *compat_##f(struct dentry *dentry, const struct inode *inode)	\
{										\
	if (!inode)								\
		return f(dentry, D_REAL_DATA);					\
	return inode == d_inode(dentry) ? dentry : part(dentry, inode);		\
}

#define SHALE_OP_D_REAL(f) compat_##f

#define d_real(dentry, type) d_real(dentry, NULL)

#endif

#endif
