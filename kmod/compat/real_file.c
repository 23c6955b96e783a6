// SPDX-License-Identifier: GPL-2.0
#include "compat/real_file.h"

#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/security.h>

#ifdef SHALE_HAS_PROTECTED_IOCB_WRITE	/* the header is of the same age */
#include <linux/backing-file.h>
#endif

#ifdef __FMODE_NONOTIFY

int shale_real_file_init(void)
{
	return 0;
}

void shale_real_file_exit(void)
{
}

static struct file *open_unasked(const struct path *real, int flags)
{
	return dentry_open(real, flags | __FMODE_NONOTIFY, current_cred());
}

#ifndef SHALE_HAS_MNT_IDMAP_TYPE
#define kernel_tmpfile_open vfs_tmpfile_open	/* until 6.2 */
#endif

struct file *shale_real_tmpfile(const struct path *dir, umode_t mode, int flags)
{
	return kernel_tmpfile_open(mnt_idmap(dir->mnt), dir, mode, flags | __FMODE_NONOTIFY,
				   current_cred());
}

#else

/* Stands for the user of files that have none. */
static struct file *nobody;

int shale_real_file_init(void)
{
	/* Without an owner: a file of ours would keep the module from being unloaded. */
	static const struct file_operations no_operations = { };

	nobody = anon_inode_getfile("[shale]", &no_operations, NULL, O_RDONLY);
	return PTR_ERR_OR_ZERO(nobody);
}

void shale_real_file_exit(void)
{
	__fput_sync(nobody);	/* now: the operations go with the module */
}

/* A backing file that notifies nobody, not open yet. */
static struct file *silent_file(const struct file *user, int flags)
{
	struct file *file = alloc_empty_backing_file(flags, current_cred(), user);

	if (IS_ERR(file))
		return file;
	file_set_fsnotify_mode(file, FMODE_NONOTIFY);
	path_get(file_user_path(user));
	backing_file_set_user_path(file, file_user_path(user));
	return file;
}

struct file *shale_real_file_open(const struct file *user, int flags, const struct path *real)
{
	struct file *file = silent_file(user, flags);
	int err;

	if (IS_ERR(file))
		return file;
	file->__f_path = *real;
	err = finish_open(file, real->dentry, NULL);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

static struct file *open_unasked(const struct path *real, int flags)
{
	return shale_real_file_open(nobody, flags, real);
}

/* What kernel_tmpfile_open() does, for a file that is silent already. */
static int make_tmpfile(struct file *file, const struct path *dir, umode_t mode)
{
	struct mnt_idmap *idmap = mnt_idmap(dir->mnt);
	struct inode *inode = d_inode(dir->dentry);
	struct dentry *unnamed;
	int err;

	if (!IS_POSIXACL(inode))
		mode &= ~current_umask();	/* which goes with the default ACL elsewhere */
	if (!fsuidgid_has_mapping(inode->i_sb, idmap))
		return -EOVERFLOW;
	err = inode_permission(idmap, inode, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if (!inode->i_op->tmpfile)
		return -EOPNOTSUPP;

	unnamed = d_alloc(dir->dentry, &QSTR_LEN("/", 1));
	if (!unnamed)
		return -ENOMEM;
	file->__f_path = (struct path){ .mnt = dir->mnt, .dentry = unnamed };
	err = inode->i_op->tmpfile(idmap, inode, file, mode);
	dput(unnamed);
	if (err)
		return err;

	/* It is to get a name. */
	inode = file_inode(file);
	spin_lock(&inode->i_lock);
	inode_state_set(inode, I_LINKABLE);
	spin_unlock(&inode->i_lock);
	return 0;
}

struct file *shale_real_tmpfile(const struct path *dir, umode_t mode, int flags)
{
	struct file *file = silent_file(nobody, flags);
	int err;

	if (IS_ERR(file))
		return file;
	err = make_tmpfile(file, dir, mode);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

#endif

struct file *shale_real_open(const struct path *real, int flags)
{
	int err = inode_permission(mnt_idmap(real->mnt), d_inode(real->dentry),
				   MAY_OPEN | ACC_MODE(flags));

	return err ? ERR_PTR(err) : open_unasked(real, flags);
}

#if !defined(__FMODE_NONOTIFY)

/* Security modules want to know both files. */
int shale_real_file_mmap(struct file *user, struct file *real, struct vm_area_struct *vma)
{
	int err;

	vma_set_file(vma, real);
	err = security_mmap_backing_file(vma, real, user);
	return err ?: vfs_mmap(real, vma);
}

#elif defined(SHALE_HAS_BACKING_FILE) && IS_ENABLED(CONFIG_FS_STACK)

struct file *shale_real_file_open(const struct file *user, int flags, const struct path *real)
{
#ifdef SHALE_HAS_BACKING_FILE_OF_FILE
	return backing_file_open(user, flags | __FMODE_NONOTIFY, real, current_cred());
#else
	return backing_file_open(&user->f_path, flags | __FMODE_NONOTIFY, real, current_cred());
#endif
}

/* By way of the kernel's helper, because security modules want to know both files. */
int shale_real_file_mmap(struct file *user, struct file *real, struct vm_area_struct *vma)
{
	struct backing_file_ctx ctx = {
		.cred = current_cred(),
		.user_file = user,
	};

	return backing_file_mmap(real, vma, &ctx);
}

#else

struct file *shale_real_file_open(const struct file *user, int flags, const struct path *real)
{
#ifdef SHALE_HAS_FAKE_PATH
	/* An access would be noted on the path, which leads to us. */
	return open_with_fake_path(&user->f_path, flags | __FMODE_NONOTIFY | O_NOATIME,
				   d_inode(real->dentry), current_cred());
#else
	return open_unasked(real, flags);
#endif
}

int shale_real_file_mmap(struct file *user, struct file *real, struct vm_area_struct *vma)
{
	vma_set_file(vma, real);
	return call_mmap(real, vma);
}

#endif
