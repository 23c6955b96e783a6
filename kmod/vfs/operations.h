/* SPDX-License-Identifier: GPL-2.0 */
/* The operation tables of this floor, one file each, and what they share. */
#ifndef SHALE_VFS_OPERATIONS_H
#define SHALE_VFS_OPERATIONS_H

#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/xattr.h>

struct shale_entry;
struct shale_sb;

extern const struct super_operations shale_super_operations;
extern const struct inode_operations shale_dir_iops;		/* dir.c */
extern const struct inode_operations shale_file_iops;		/* attr.c */
extern const struct inode_operations shale_symlink_iops;	/* attr.c */
extern const struct inode_operations shale_special_iops;	/* attr.c */
extern const struct file_operations shale_file_fops;		/* file.c */
extern const struct file_operations shale_dir_fops;		/* readdir.c */
extern const struct address_space_operations shale_aops;	/* file.c */
extern const struct xattr_handler * const shale_xattr_handlers[];	/* xattr.c */

/* dentry.c: of a mount with layers whose names must be revalidated, or that ignores their case */
const struct dentry_operations *shale_dentry_operations_for(bool revalidate, bool casefolded);
/* Has what is known of the names in a directory to be asked for again before it is believed? */
bool shale_names_change(const struct inode *dir, const struct shale_entry *entry);
/* Lets ->d_revalidate() be called for this dentry, or not. */
void shale_dentry_set_revalidated(struct dentry *dentry, bool revalidated);

/* attr.c */
int shale_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);
int shale_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
		  u32 request_mask, unsigned int flags);
int shale_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr);
int shale_update_time(struct inode *inode, enum fs_update_time type, unsigned int flags);
int shale_fileattr_get(struct dentry *dentry, struct file_kattr *fa);
int shale_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry, struct file_kattr *fa);

/* file.c: brings to disk what the upper has of an object, data included. 0 when it has nothing. */
int shale_sync_object(struct inode *inode);

/* xattr.c */
ssize_t shale_listxattr(struct dentry *dentry, char *list, size_t size);

/* acl.c, which is there where the kernel has ACLs */
struct posix_acl *shale_get_inode_acl(struct inode *inode, int type, bool rcu);
struct posix_acl *shale_get_acl(struct mnt_idmap *idmap, struct dentry *dentry, int type);
int shale_set_acl(struct mnt_idmap *idmap, struct dentry *dentry, struct posix_acl *acl, int type);

/* dir.c: would the lower layers show this name? 1, 0 or an errno. Takes the mounter's part. */
int shale_name_below(struct inode *dir, const struct shale_entry *parent, const struct qstr *name);
/* What the upper has under the name of an object whose entry is @entry; or NULL. No reference. */
struct dentry *shale_name_upper(const struct dentry *dentry, const struct shale_entry *entry);
/* Before a name goes: the index must have an object that has others, which it counts. */
int shale_name_prepare_removal(struct dentry *dentry);
/* One name of the object is gone, whose entry is @entry: links, change time. */
void shale_name_removed(struct inode *inode, const struct shale_entry *entry);

/* rename.c */
int shale_rename(struct mnt_idmap *idmap, struct inode *old_dir, struct dentry *old_dentry,
		 struct inode *new_dir, struct dentry *new_dentry, unsigned int flags);

#endif
