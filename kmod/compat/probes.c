// SPDX-License-Identifier: GPL-2.0
/*
 * What does this kernel offer? Never linked, only looked at by the compiler: a function below
 * that compiles makes probe.awk define SHALE_HAS_ and its name, in capitals, in probed.h. Version
 * numbers would not tell, since stable kernels take over changes of newer ones.
 *
 * Each says which kernel came with it. Its body is one statement, as short as shows the difference.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fileattr.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/fsverity.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/netlink.h>
#include <linux/posix_acl.h>
#include <linux/security.h>
#include <linux/splice.h>
#include <net/genetlink.h>

#if __has_include(<linux/backing-file.h>)
#include <linux/backing-file.h>
#endif

/* Always there, and never: without both answers probe.awk believes none. */
void probe_everything(void)
{
}

void probe_nothing(void)
{
	shale_is_not_declared_anywhere();
}

/* 6.9: what kvmalloc() gives can be freed at the end of a scope. */
void probe_free_kvfree(void)
{
	void *memory __free(kvfree) = NULL;
}

/* 6.7: a file can be put at the end of a scope. */
void probe_free_fput(void)
{
	struct file *file __free(fput) = NULL;
}

/* The number of the parent, which was parent_ino() in 6.1. */
void probe_d_parent_ino(struct dentry *dentry)
{
	ino_t ino = d_parent_ino(dentry);
}

/* 6.3: a mount has a map of its own kind, rather than a user namespace. */
void probe_mnt_idmap_type(struct vfsmount *mnt)
{
	struct mnt_idmap *idmap = mnt_idmap(mnt);
}

/* 6.7: looking up a path below a directory is declared, which was exported before. */
void probe_vfs_path_lookup_declared(struct path *path)
{
	vfs_path_lookup(path->dentry, path->mnt, "", 0, path);
}

/* 6.16: names are looked up by qstr. */
void probe_lookup_by_qstr(struct mnt_idmap *idmap, struct qstr *name, struct dentry *dir)
{
	lookup_one(idmap, name, dir);
}

/* 6.19: directories are locked and names looked up by one call, for creating and removing. */
void probe_start_creating(struct mnt_idmap *idmap, struct qstr *name, struct dentry *dir)
{
	end_creating(start_creating(idmap, dir, name));
}

/* 6.19: the same for renaming, which takes dentries for parents and one idmap. */
void probe_start_renaming(struct renamedata *rd, struct qstr *name)
{
	start_renaming(rd, (rd->mnt_idmap, rd->old_parent, 0), name, name);
}

/* 7.0: the parent follows from the dentry; whether O_EXCL was given does not matter. */
void probe_vfs_create_by_dentry(struct mnt_idmap *idmap, struct dentry *dentry)
{
	vfs_create(idmap, dentry, 0, NULL);
}

/* 6.15: a file system may give another dentry than it was given. */
void probe_vfs_mkdir_dentry(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry)
{
	struct dentry *made = vfs_mkdir(idmap, dir, dentry, 0, NULL);
}

/* 6.19: whose lease must be broken first. */
void probe_vfs_rmdir_delegated(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry)
{
	vfs_rmdir(idmap, dir, dentry, NULL);
}

/* 6.19: i_state has accessors. */
void probe_inode_state_accessors(struct inode *inode)
{
	inode_state_set(inode, inode_state_read(inode) | inode_state_read_once(inode));
}

/* 6.7: i_atime and i_mtime have accessors. */
void probe_inode_time_accessors(struct inode *inode)
{
	inode_set_mtime_to_ts(inode, inode_get_atime(inode));
}

/* 6.19: generic_delete_inode() has a better name. */
void probe_inode_just_drop_name(struct inode *inode)
{
	inode_just_drop(inode);
}

/* 7.0: what is updated is an enum, and how are flags. */
void probe_update_time_type(const struct inode_operations *op, struct inode *inode)
{
	op->update_time(inode, FS_UPD_ATIME, 0);
}

/* 6.6: which times are updated is asked of the inode, no longer told. */
void probe_update_time_flags(const struct inode_operations *op, struct inode *inode)
{
	op->update_time(inode, S_ATIME);
}

/* 6.17: struct fileattr has another name. */
void probe_file_kattr_name(struct file_kattr *fa)
{
	fa->flags = 0;
}

/* 7.0 */
void probe_op_create_without_excl(const struct inode_operations *op, struct mnt_idmap *idmap,
				  struct inode *dir, struct dentry *dentry)
{
	op->create(idmap, dir, dentry, 0);
}

/* 6.15 */
void probe_op_mkdir_dentry(const struct inode_operations *op, struct mnt_idmap *idmap,
			   struct inode *dir, struct dentry *dentry)
{
	struct dentry *made = op->mkdir(idmap, dir, dentry, 0);
}

/* 6.14: a revalidation is given a parent and a name that hold still. */
void probe_op_revalidate_name(const struct dentry_operations *op, struct inode *dir,
			      const struct qstr *name, struct dentry *dentry)
{
	op->d_revalidate(dir, name, dentry, 0);
}

/* 6.9: a caller of d_real() says what it wants, rather than which inode it has. */
void probe_d_real_type(struct dentry *dentry)
{
	d_real(dentry, D_REAL_DATA);
}

/* 6.17: a superblock's dentry operations are set by a function. */
void probe_set_default_d_op(struct super_block *sb, const struct dentry_operations *ops)
{
	set_default_d_op(sb, ops);
}

/* 6.2: ACLs are read and set by dentry, outside of the xattr handlers. */
void probe_vfs_acl(struct mnt_idmap *idmap, struct dentry *dentry, struct posix_acl *acl)
{
	vfs_set_acl(idmap, dentry, "", vfs_get_acl(idmap, dentry, ""));
}

/* 6.9: a security module that is asked about an xattr of a copy is told the original. */
void probe_copy_up_xattr_of(struct dentry *dentry)
{
	security_inode_copy_up_xattr(dentry, "");
}

/* 6.8: vfs_iocb_iter_write() takes freeze protection by itself. */
void probe_protected_iocb_write(struct file *file)
{
	splice_file_range(file, NULL, file, NULL, 0);
}

/* 6.7 */
void probe_vfs_splice_read(struct file *file, loff_t *pos, struct pipe_inode_info *pipe)
{
	vfs_splice_read(file, pos, pipe, 0, 0);
}

/* 6.16: a file is mapped by one of two operations. */
void probe_can_mmap(struct file *file)
{
	can_mmap_file(file);
}

/* 6.2: operations of a generic netlink family are given one by one. */
void probe_genl_split_ops(struct genl_family *family, const struct genl_split_ops *ops)
{
	family->split_ops = ops;
}

/* 6.12: a dump knows the extended ack of the request that started it. */
void probe_dump_control_extack(struct netlink_dump_control *control)
{
	control->extack = NULL;
}

/* 6.7: whoever parses mount(2)'s one string says where an option ends. */
void probe_parse_monolithic_sep(struct fs_context *fc, char *(*next)(char **))
{
	vfs_parse_monolithic_sep(fc, NULL, next);
}

/* Until 6.4: a real file has the path that the user knows. */
void probe_fake_path(const struct path *user, struct inode *inode)
{
	open_with_fake_path(user, 0, inode, NULL);
}

/* 6.4: a backing file keeps the path that the user knows beside its own. */
void probe_backing_file(const struct file *file)
{
	const struct path *path = backing_file_user_path(file);
}

/* 6.6: the digest of fs-verity is there for modules, with the algorithm's number there. */
void probe_fsverity_get_digest(struct inode *inode, u8 *digest, u8 *algorithm)
{
	fsverity_get_digest(inode, digest, algorithm, NULL);
}

/* 6.9: a superblock's uuid has a length, which FS_IOC_GETFSUUID(2) tells with it. */
void probe_super_set_uuid(struct super_block *sb, const u8 *uuid)
{
	super_set_uuid(sb, uuid, 16);
}

/* 6.12.60, 6.19: it is told the user's open file, rather than its path. */
void probe_backing_file_of_file(const struct file *user, const struct path *real)
{
	backing_file_open(user, 0, real, NULL);
}

/* 6.18: the encoding of names that ignore case is asked for. */
void probe_sb_encoding(struct super_block *sb)
{
	struct unicode_map *map = sb_encoding(sb);
}
