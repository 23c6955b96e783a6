/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looking names up, and making, removing and renaming them.
 *
 * Names are looked up by qstr from 6.16 on, by text and length before; what the cache knows of one
 * is asked for by try_lookup_noperm(), before by d_hash_and_lookup(). From 6.19 on, one call
 * locks a directory and looks a name up, for creating (start_creating()), removing and
 * renaming; before, each caller did both. vfs_mkdir() returns a dentry, which may be another one
 * than it was given, from 6.15 on; from 6.19 on it consumes dentry and lock when it fails.
 * vfs_create() takes no parent from 7.0 on, nor does ->create() take whether O_EXCL was given.
 * The delegated inode that most got as last argument is always NULL here.
 */
#ifndef SHALE_COMPAT_NAMES_H
#define SHALE_COMPAT_NAMES_H

#include <linux/fs.h>
#include <linux/namei.h>

#ifndef QSTR_LEN
#define QSTR_LEN(name, len) ((struct qstr)QSTR_INIT(name, len))
#endif

#ifndef QSTR
#define QSTR(name) QSTR_LEN(name, strlen(name))
#endif

#ifndef SHALE_HAS_VFS_PATH_LOOKUP_DECLARED
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt, const char *name,
		    unsigned int flags, struct path *path);
#endif

#ifndef SHALE_HAS_LOOKUP_BY_QSTR

static inline struct dentry *compat_lookup_one(struct mnt_idmap *idmap, struct qstr *name,
					       struct dentry *dir)
{
	return lookup_one(idmap, name->name, dir, name->len);
}

static inline struct dentry *compat_lookup_one_unlocked(struct mnt_idmap *idmap, struct qstr *name,
							struct dentry *dir)
{
	return lookup_one_unlocked(idmap, name->name, dir, name->len);
}

static inline struct dentry *compat_lookup_one_positive_unlocked(struct mnt_idmap *idmap,
								 struct qstr *name,
								 struct dentry *dir)
{
	return lookup_one_positive_unlocked(idmap, name->name, dir, name->len);
}

#define try_lookup_noperm(name, dir)	d_hash_and_lookup(dir, name)
#define lookup_one			compat_lookup_one
#define lookup_one_unlocked		compat_lookup_one_unlocked
#define lookup_one_positive_unlocked	compat_lookup_one_positive_unlocked

#endif

#ifndef SHALE_HAS_START_CREATING

static inline struct dentry *start_creating(struct mnt_idmap *idmap, struct dentry *dir,
					    struct qstr *name)
{
	struct dentry *dentry;

	inode_lock_nested(d_inode(dir), I_MUTEX_PARENT);
	dentry = lookup_one(idmap, name, dir);
	if (IS_ERR(dentry))
		inode_unlock(d_inode(dir));
	return dentry;
}

static inline void end_creating(struct dentry *dentry)
{
	if (IS_ERR(dentry))
		return;
	inode_unlock(d_inode(dentry->d_parent));
	dput(dentry);
}

static inline struct dentry *end_creating_keep(struct dentry *dentry)
{
	if (!IS_ERR(dentry))
		inode_unlock(d_inode(dentry->d_parent));
	return dentry;
}

static inline void end_removing(struct dentry *dentry)
{
	end_creating(dentry);
}

static inline struct dentry *start_removing(struct mnt_idmap *idmap, struct dentry *dir,
					    struct qstr *name)
{
	struct dentry *dentry = start_creating(idmap, dir, name);

	if (!IS_ERR(dentry) && d_is_negative(dentry)) {
		end_creating(dentry);
		return ERR_PTR(-ENOENT);
	}
	return dentry;
}

static inline struct dentry *start_removing_dentry(struct dentry *dir, struct dentry *dentry)
{
	inode_lock_nested(d_inode(dir), I_MUTEX_PARENT);
	if (dentry->d_parent != dir || d_unhashed(dentry)) {
		inode_unlock(d_inode(dir));
		return ERR_PTR(-EINVAL);
	}
	return dget(dentry);
}

#endif

#ifndef SHALE_HAS_START_RENAMING

struct compat_renamedata {
	struct mnt_idmap *mnt_idmap;
	struct dentry *old_parent;
	struct dentry *old_dentry;
	struct dentry *new_parent;
	struct dentry *new_dentry;
	unsigned int flags;
};

static inline int compat_vfs_rename(struct compat_renamedata *rd)
{
	struct renamedata old = {
#ifdef SHALE_HAS_MNT_IDMAP_TYPE
		.old_mnt_idmap = rd->mnt_idmap,
		.new_mnt_idmap = rd->mnt_idmap,
#else
		.old_mnt_userns = rd->mnt_idmap,
		.new_mnt_userns = rd->mnt_idmap,
#endif
		.old_dir = d_inode(rd->old_parent),
		.old_dentry = rd->old_dentry,
		.new_dir = d_inode(rd->new_parent),
		.new_dentry = rd->new_dentry,
		.flags = rd->flags,
	};

	return vfs_rename(&old);
}

/* Is one of the two an ancestor of the other's parent? */
static inline int compat_check_trap(const struct dentry *trap, const struct dentry *old,
				    const struct dentry *new)
{
	if (trap == old)
		return -EINVAL;
	return trap == new ? -ENOTEMPTY : 0;
}

/* With both parents locked and a reference on @old, which end_renaming() gives back. */
static inline int compat_renaming_to(struct compat_renamedata *rd, const struct dentry *trap,
				     struct dentry *old, struct qstr *new_name)
{
	struct dentry *new = lookup_one(rd->mnt_idmap, new_name, rd->new_parent);
	int err;

	if (IS_ERR(new))
		return PTR_ERR(new);
	err = compat_check_trap(trap, old, new);
	if (err) {
		dput(new);
		return err;
	}
	dget(rd->old_parent);
	rd->old_dentry = old;
	rd->new_dentry = new;
	return 0;
}

static inline int start_renaming(struct compat_renamedata *rd, int lookup_flags,
				 struct qstr *old_name, struct qstr *new_name)
{
	struct dentry *trap = lock_rename(rd->old_parent, rd->new_parent);
	struct dentry *old;
	int err;

	if (IS_ERR(trap))
		return PTR_ERR(trap);
	old = lookup_one(rd->mnt_idmap, old_name, rd->old_parent);
	err = PTR_ERR_OR_ZERO(old);
	if (!err) {
		err = d_is_negative(old) ? -ENOENT : compat_renaming_to(rd, trap, old, new_name);
		if (err)
			dput(old);
	}
	if (err)
		unlock_rename(rd->old_parent, rd->new_parent);
	return err;
}

static inline int start_renaming_dentry(struct compat_renamedata *rd, int lookup_flags,
					struct dentry *old, struct qstr *new_name)
{
	struct dentry *trap = lock_rename(rd->old_parent, rd->new_parent);
	int err = -EINVAL;

	if (IS_ERR(trap))
		return PTR_ERR(trap);
	if (old->d_parent == rd->old_parent && !d_unhashed(old)) {
		err = compat_renaming_to(rd, trap, dget(old), new_name);
		if (err)
			dput(old);
	}
	if (err)
		unlock_rename(rd->old_parent, rd->new_parent);
	return err;
}

static inline void end_renaming(struct compat_renamedata *rd)
{
	unlock_rename(rd->old_parent, rd->new_parent);
	dput(rd->old_dentry);
	dput(rd->new_dentry);
	dput(rd->old_parent);
}

#define renamedata compat_renamedata
#define vfs_rename compat_vfs_rename

#endif

#ifndef SHALE_HAS_VFS_CREATE_BY_DENTRY

static inline int compat_vfs_create(struct mnt_idmap *idmap, struct dentry *dentry, umode_t mode,
				    void *delegated)
{
	return vfs_create(idmap, d_inode(dentry->d_parent), dentry, mode, true);
}

#define vfs_create compat_vfs_create

#endif

#ifndef SHALE_HAS_VFS_MKDIR_DENTRY

static inline struct dentry *compat_vfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
					      struct dentry *dentry, umode_t mode, void *delegated)
{
	int err = vfs_mkdir(idmap, dir, dentry, mode);

	if (!err)
		return dentry;
	end_creating(dentry);
	return ERR_PTR(err);
}

#define vfs_mkdir compat_vfs_mkdir

#endif

#ifndef SHALE_HAS_VFS_RMDIR_DELEGATED
#define vfs_rmdir(idmap, dir, dentry, delegated) vfs_rmdir(idmap, dir, dentry)
#define vfs_symlink(idmap, dir, dentry, target, delegated) vfs_symlink(idmap, dir, dentry, target)
#define vfs_mknod(idmap, dir, dentry, mode, rdev, delegated)			\
	vfs_mknod(idmap, dir, dentry, mode, rdev)
#endif

/* SHALE_ADAPT_X(f) before a table, SHALE_OP_X(f) in it: f is an operation of the newest kind. */

#ifdef SHALE_HAS_OP_CREATE_WITHOUT_EXCL
#define SHALE_ADAPT_CREATE(f)
#define SHALE_OP_CREATE(f) f
#else
#define SHALE_ADAPT_CREATE(f)							\
static int compat_##f(struct mnt_idmap *idmap, struct inode *dir,		\
		      struct dentry *dentry, umode_t mode, bool excl)		\
{										\
	return f(idmap, dir, dentry, mode);					\
}

#define SHALE_OP_CREATE(f) compat_##f
#endif

#ifdef SHALE_HAS_OP_MKDIR_DENTRY
#define SHALE_ADAPT_MKDIR(f)
#define SHALE_OP_MKDIR(f) f
#else
/* Ours never gives another dentry. */
#define SHALE_ADAPT_MKDIR(f)							\
static int compat_##f(struct mnt_idmap *idmap, struct inode *dir,		\
		      struct dentry *dentry, umode_t mode)			\
{										\
	return PTR_ERR_OR_ZERO(f(idmap, dir, dentry, mode));			\
}

#define SHALE_OP_MKDIR(f) compat_##f
#endif

#endif
