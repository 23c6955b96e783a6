// SPDX-License-Identifier: GPL-2.0
/*
 * Regular files. Our inode has no pages: what is read, written and mapped is a real file in a
 * layer, opened as the mounter when ours is opened.
 */
#include "vfs/file.h"

#include <linux/fsverity.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/splice.h>

#include "compat/real_file.h"
#include "stack/creds.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "union/copy_up.h"
#include "union/data.h"
#include "union/volatile.h"
#include "vfs/aio.h"
#include "vfs/operations.h"

/* What file->private_data of our regular files points to. */
struct shale_file {
	struct shale_entry *entry;	/* what it was opened on; counted */
	struct file *real;		/* what held its data then; counted; NULL: shale_open() */
	struct file *upper;		/* the copy, once needed: NULL, then set once; counted */
};

/* Status flags that fcntl() may change while a file is open. */
#define CHANGEABLE_FLAGS (O_APPEND | O_NONBLOCK | O_DIRECT)

/* What our file can do when the real one can, as it was opened. */
#define INHERITED_MODE (FMODE_CAN_ODIRECT | FMODE_NOWAIT | FMODE_CAN_ATOMIC_WRITE)

/* Flags of an open() that are done with when our own file is opened. */
#define DONE_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | __O_TMPFILE | O_DIRECTORY)

/* Opening */

/* Opens what holds the data of @entry the way @file is open. As the mounter. */
static struct file *open_real(const struct file *file, const struct shale_entry *entry)
{
	const struct shale_sb *sbi = shale_sb(file_inode(file)->i_sb);
	const struct path real = shale_entry_data_path(sbi, entry);
	int flags = (file->f_flags & ~(DONE_FLAGS | O_NOATIME)) | O_LARGEFILE;
	int mask = MAY_OPEN | ACC_MODE(flags);
	int err;

	if (shale_is_volatile(&sbi->features))
		flags &= ~O_SYNC;
	if (flags & O_APPEND)
		mask |= MAY_APPEND;
	/* Whoever creates a file may use it in spite of its mode. */
	if (!(file->f_mode & FMODE_CREATED) && !(file->f_flags & __O_TMPFILE)) {
		err = inode_permission(mnt_idmap(real.mnt), d_inode(real.dentry), mask);
		if (err)
			return ERR_PTR(err);
	}
	/* The VFS has asked our inode, which may not know of the flag yet. */
	if ((mask & MAY_WRITE) && IS_APPEND(d_inode(real.dentry)) && !(flags & O_APPEND))
		return ERR_PTR(-EPERM);
	return shale_real_file_open(file, flags | shale_noatime_flag(&real), &real);
}

/* Does the upper have the file's data? */
static bool has_data_in_upper(const struct inode *inode)
{
	guard(rcu)();
	return shale_entry_has_upper_data(shale_entry_rcu(inode));
}

/* What the file stands on now, ready to be opened. As the mounter. */
static struct file *open_current(struct file *file, struct shale_entry **entry)
{
	struct file *real;

	*entry = shale_data_get(file_inode(file), NULL);
	if (IS_ERR(*entry))
		return ERR_CAST(*entry);
	real = open_real(file, *entry);
	if (IS_ERR(real))
		shale_entry_put(*entry);
	return real;
}

/*
 * The VFS truncates when it has opened, if the caller may; copying the content before would be
 * for nothing, and leaving it out before might lose it. ->setattr() copies then.
 */
static bool will_be_truncated(const struct file *file)
{
	return (file->f_mode & FMODE_WRITE) && !has_data_in_upper(file_inode(file)) &&
	       (file->f_flags & (O_TRUNC | O_DIRECT)) == O_TRUNC;
}

/*
 * With copy_up=open there is no time at which somebody has the lower's pages mapped while others
 * change the copy. What a program is executed from does not change meanwhile.
 */
static bool wants_copy(const struct file *file)
{
	const struct shale_sb *sbi = shale_sb(file_inode(file)->i_sb);

	if (file->f_mode & FMODE_WRITE)
		return true;
	return sbi->features.value[SHALE_COPY_UP] == SHALE_COPY_UP_OPEN &&
	       !__mnt_is_readonly(file->f_path.mnt) && !(file->f_flags & __FMODE_EXEC);
}

static int copy_up_to_open(struct file *file)
{
	int err = shale_copy_up_data(file_dentry(file), SHALE_REASON_OPEN);

	/* An upper that can't be written any more has no copies that change either. */
	return err == -EROFS && !(file->f_mode & FMODE_WRITE) ? 0 : err;
}

static int shale_open(struct inode *inode, struct file *file)
{
	bool deferred = will_be_truncated(file);
	struct shale_file *sf;
	int err;

	if (!deferred && wants_copy(file)) {
		err = copy_up_to_open(file);
		if (err)
			return err;
	}
	sf = kzalloc(sizeof(*sf), GFP_KERNEL_ACCOUNT);
	if (!sf)
		return -ENOMEM;
	file->private_data = sf;
	if (deferred) {
		sf->entry = shale_entry_get(inode);
		file->f_mode |= FMODE_CAN_ODIRECT;	/* asked again when it is used */
		return 0;
	}

	scoped_class(shale_mounter, cred, inode->i_sb)
		sf->real = open_current(file, &sf->entry);
	if (IS_ERR(sf->real)) {
		err = PTR_ERR(sf->real);
		kfree(sf);
		return err;
	}

	/* Refuses O_DIRECT, now and by fcntl(), exactly where the real file does. */
	file->f_mode |= sf->real->f_mode & INHERITED_MODE;
	return 0;
}

static int shale_release(struct inode *inode, struct file *file)
{
	struct shale_file *sf = file->private_data;

	if (sf->upper)
		fput(sf->upper);
	if (sf->real)
		fput(sf->real);
	shale_entry_put(sf->entry);
	kfree(sf);
	return 0;
}

/* From our file to the real one */

static struct file *already_opened_copy(const struct shale_file *sf)
{
	/* Pairs with the cmpxchg() that published the file: it is seen complete. */
	return smp_load_acquire(&sf->upper);
}

/* The real file, if it is open already; or NULL. Does not block. */
static struct file *real_at_hand(const struct file *file)
{
	const struct shale_file *sf = file->private_data;
	struct file *copy = already_opened_copy(sf);

	if (copy)
		return copy;
	if (sf->real && (shale_entry_has_upper_data(sf->entry) ||
			 !has_data_in_upper(file_inode(file))))
		return sf->real;
	return NULL;
}

/* The copy of a file that was opened before it was made. The first who needs it opens it. */
static struct file *opened_copy(struct file *file)
{
	struct shale_file *sf = file->private_data;
	struct file *copy = already_opened_copy(sf);
	struct file *first;

	if (copy)
		return copy;

	scoped_class(shale_mounter, cred, file_inode(file)->i_sb) {
		struct shale_entry *entry;

		copy = open_current(file, &entry);
		if (!IS_ERR(copy))
			shale_entry_put(entry);
	}
	if (IS_ERR(copy))
		return copy;

	first = cmpxchg(&sf->upper, NULL, copy);
	if (!first) {
		shale_count(&shale_sb(file_inode(file)->i_sb)->counters, SHALE_COUNT_REOPENS, 1);
		return copy;
	}
	fput(copy);
	return first;
}

static int take_over_flags(const struct file *file, struct file *real)
{
	unsigned int flags = file->f_flags & CHANGEABLE_FLAGS;

	if (likely(flags == (real->f_flags & CHANGEABLE_FLAGS)))
		return 0;
	if ((flags & O_DIRECT) && !(real->f_mode & FMODE_CAN_ODIRECT))
		return -EINVAL;
	if (real->f_op->check_flags) {
		int err = real->f_op->check_flags(flags);

		if (err)
			return err;
	}
	spin_lock(&real->f_lock);
	real->f_flags = (real->f_flags & ~CHANGEABLE_FLAGS) | flags;
	real->f_iocb_flags = iocb_flags(real);
	spin_unlock(&real->f_lock);
	return 0;
}

static struct file *opened_at_last(struct file *file)
{
	/* Opened to be truncated by someone inside the kernel, who did not. */
	if (!has_data_in_upper(file_inode(file))) {
		int err = shale_copy_up_data(file_dentry(file), SHALE_REASON_DATA);

		if (err)
			return ERR_PTR(err);
	}
	return opened_copy(file);
}

static struct file *real_file(struct file *file, bool nowait)
{
	struct file *real = real_at_hand(file);
	int err;

	if (!real)
		real = nowait ? ERR_PTR(-EAGAIN) : opened_at_last(file);
	if (IS_ERR(real))
		return real;
	err = take_over_flags(file, real);
	return err ? ERR_PTR(err) : real;
}

struct file *shale_file_real(struct file *file)
{
	return real_file(file, false);
}

/* The same for a request, which may say that it must not wait, and other things. */
static struct file *real_for(const struct kiocb *iocb)
{
	struct file *real = real_file(iocb->ki_filp, iocb->ki_flags & IOCB_NOWAIT);

	if (IS_ERR(real))
		return real;
	/* The copy may lie on a file system that can less than the one of the lower. */
	if ((iocb->ki_flags & IOCB_NOWAIT) && !(real->f_mode & FMODE_NOWAIT))
		return ERR_PTR(-EAGAIN);
	if ((iocb->ki_flags & IOCB_ATOMIC) && !(real->f_mode & FMODE_CAN_ATOMIC_WRITE))
		return ERR_PTR(-EOPNOTSUPP);
	if ((iocb->ki_flags & IOCB_DIRECT) && !(real->f_mode & FMODE_CAN_ODIRECT))
		return ERR_PTR(-EINVAL);
	return real;
}

/* By inode: the path of a real file may be the one that the user knows. */
bool shale_file_in_upper(const struct file *file, const struct file *real)
{
	const struct dentry *upper;

	guard(rcu)();
	upper = shale_entry_rcu(file_inode(file))->upper;
	return upper && d_inode(upper) == file_inode(real);
}

/* Reading */

/* Only the upper keeps access times. */
static void accessed(struct file *file, const struct file *real)
{
	if (shale_file_in_upper(file, real))
		file_accessed(file);
}

static ssize_t shale_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct file *file = iocb->ki_filp;
	struct file *real;
	ssize_t ret;

	if (!iov_iter_count(iter))
		return 0;
	real = real_for(iocb);
	if (IS_ERR(real))
		return PTR_ERR(real);

	scoped_class(shale_mounter, cred, file_inode(file)->i_sb)
		ret = shale_read_real(real, iocb, iter);
	accessed(file, real);
	return shale_checked(file_inode(file)->i_sb, file_dentry(file), SHALE_REASON_READ, ret);
}

static ssize_t shale_splice_read(struct file *file, loff_t *pos, struct pipe_inode_info *pipe,
				 size_t len, unsigned int flags)
{
	struct file *real = shale_file_real(file);
	ssize_t ret;

	if (IS_ERR(real))
		return PTR_ERR(real);
	scoped_class(shale_mounter, cred, file_inode(file)->i_sb)
		ret = vfs_splice_read(real, pos, pipe, len, flags);
	accessed(file, real);
	return shale_checked(file_inode(file)->i_sb, file_dentry(file), SHALE_REASON_READ, ret);
}

/* Now, or after an mprotect(2). */
static bool may_be_written(const struct file *file, const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_SHARED) && (file->f_mode & FMODE_WRITE);
}

/*
 * What is written through a mapping passes no gate: whoever closes it looks for mappings then, and
 * none may come later.
 */
static int mmap_to_write(struct file *file, struct file *real, struct vm_area_struct *vma)
{
	int err;

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb, NULL);
	err = tok.err ?: shale_real_file_mmap(file, real, vma);
	if (!err)
		shale_upper_mapped(&tok);
	return err;
}

static int shale_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct file *real = shale_file_real(file);
	int err;

	if (IS_ERR(real))
		return PTR_ERR(real);
	if (!can_mmap_file(real))
		return -ENODEV;
	if (may_be_written(file, vma)) {
		if (IS_APPEND(file_inode(real)))
			return -EACCES;
		err = mmap_to_write(file, real, vma);
	} else {
		scoped_class(shale_mounter, cred, file_inode(file)->i_sb)
			err = shale_real_file_mmap(file, real, vma);
	}
	if (!err)
		accessed(file, real);
	return err;
}

/*
 * Writing. The upper's lock orders writers, as far as its file system has them ordered; ours,
 * which is for attributes, is not taken. Size and times are those that the upper has afterwards.
 */

static int remove_privs(struct file *file)
{
	struct inode *inode = file_inode(file);
	int err;

	inode_lock(inode);
	err = file_remove_privs(file);
	inode_unlock(inode);
	return err;
}

int shale_file_change_begin(struct file *file, const struct file *real, bool nowait)
{
	/* The upper's inode remembers that there is nothing to remove; ours would look again. */
	if (IS_NOSEC(file_inode(real)))
		return 0;
	return nowait ? -EAGAIN : remove_privs(file);
}

void shale_file_change_end(struct file *file, const struct file *real)
{
	/* The owner may have given privileges meanwhile. */
	if (!IS_NOSEC(file_inode(real)))
		remove_privs(file);
	shale_inode_copyattr(file_inode(file));
}

static ssize_t write_real(struct file *real, struct kiocb *iocb, struct iov_iter *iter)
{
	CLASS(shale_upper_io, tok)(file_inode(iocb->ki_filp)->i_sb, file_inode(real));
	return tok.err ?: shale_write_real(&tok, real, iocb, iter);
}

static ssize_t write_unless_held(struct file *real, struct kiocb *iocb, struct iov_iter *iter)
{
	CLASS(shale_upper_try_io, tok)(file_inode(iocb->ki_filp)->i_sb, file_inode(real));
	return tok.err ?: shale_write_real(&tok, real, iocb, iter);
}

static loff_t write_pos(const struct kiocb *iocb, const struct file *real)
{
	return iocb->ki_flags & IOCB_APPEND ? i_size_read(file_inode(real)) : iocb->ki_pos;
}

/* Of what the quota has no room for, nothing is written. */
static ssize_t write_claimed(struct file *real, struct kiocb *iocb, struct iov_iter *iter)
{
	const size_t wanted = iov_iter_count(iter);
	ssize_t ret;

	CLASS(shale_claim_range, claim)(file_inode(iocb->ki_filp), real, write_pos(iocb, real),
					wanted);
	if (claim.err)
		return claim.err;
	iov_iter_truncate(iter, claim.granted);
	ret = write_real(real, iocb, iter);
	iov_iter_reexpand(iter, iov_iter_count(iter) + wanted - claim.granted);
	return ret;
}

static ssize_t write_through(struct file *real, struct kiocb *iocb, struct iov_iter *iter)
{
	const bool nowait = iocb->ki_flags & IOCB_NOWAIT;

	if (!shale_quota_counts(shale_sb(file_inode(iocb->ki_filp)->i_sb)))
		return nowait ? write_unless_held(real, iocb, iter) : write_real(real, iocb, iter);
	/* A claim may have to wait for somebody else's. */
	return nowait ? -EAGAIN : write_claimed(real, iocb, iter);
}

static ssize_t shale_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct file *file = iocb->ki_filp;
	struct file *real;
	ssize_t ret;

	if (!iov_iter_count(iter))
		return 0;
	real = real_for(iocb);
	if (IS_ERR(real))
		return PTR_ERR(real);
	if ((iocb->ki_flags & IOCB_NOWAIT) && shale_upper_is_frozen(file_inode(file)->i_sb))
		return -EAGAIN;
	ret = shale_file_change_begin(file, real, iocb->ki_flags & IOCB_NOWAIT);
	if (ret)
		return ret;

	ret = write_through(real, iocb, iter);
	/* What is not complete does the rest when it is; its file may be gone. */
	if (ret == -EIOCBQUEUED)
		return ret;
	shale_file_change_end(file, real);
	return shale_file_written(file, real, iocb->ki_flags & IOCB_DSYNC, ret);
}

static ssize_t splice_claimed(struct pipe_inode_info *pipe, struct file *file, struct file *real,
			      loff_t *pos, size_t len, unsigned int flags)
{
	/* No more is there at once. */
	len = min_t(size_t, len, (size_t)pipe->max_usage << PAGE_SHIFT);

	CLASS(shale_claim_range, claim)(file_inode(file), real, *pos, len);
	if (claim.err)
		return claim.err;

	CLASS(shale_upper_io, tok)(file_inode(file)->i_sb, file_inode(real));
	return tok.err ?: shale_upper_splice_write(&tok, pipe, real, pos, claim.granted, flags);
}

/*
 * Not through shale_write_iter(), which the kernel would call with the pipe locked: others
 * lock the pipe while they hold the upper's freeze protection, as the wrapper here does.
 */
static ssize_t shale_splice_write(struct pipe_inode_info *pipe, struct file *file, loff_t *pos,
				  size_t len, unsigned int flags)
{
	struct file *real = shale_file_real(file);
	ssize_t ret;

	if (IS_ERR(real))
		return PTR_ERR(real);
	ret = shale_file_change_begin(file, real, false);
	if (ret)
		return ret;

	ret = splice_claimed(pipe, file, real, pos, len, flags);
	shale_file_change_end(file, real);
	return shale_file_written(file, real, file->f_flags & O_DSYNC, ret);
}

/* Position */

/*
 * The position is our file's: the real one may serve a copy of us in another mount. Where a
 * position may be, and where data and the end are, the real file says; it is asked only in
 * terms that do not depend on its own position, so that callers can't disturb each other.
 */
static loff_t shale_llseek(struct file *file, loff_t offset, int whence)
{
	struct file *real;
	loff_t pos;

	if (whence == SEEK_CUR) {
		if (!offset)
			return file->f_pos;
		if (check_add_overflow(file->f_pos, offset, &offset))
			return -EOVERFLOW;
		whence = SEEK_SET;
	}
	real = shale_file_real(file);
	if (IS_ERR(real))
		return PTR_ERR(real);

	scoped_class(shale_mounter, cred, file_inode(file)->i_sb)
		pos = vfs_llseek(real, offset, whence);
	return pos < 0 ? pos : vfs_setpos(file, pos, MAX_LFS_FILESIZE);
}

/* Durability */

static bool has_upper(const struct inode *inode)
{
	guard(rcu)();
	return shale_entry_rcu(inode)->upper;
}

/* A lower does not change; what the upper has of a file may be its attributes alone. */
int shale_sync_object(struct inode *inode)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	int wanted;

	if (!entry->upper)
		return 0;
	wanted = shale_sync_wanted(shale_sb(inode->i_sb));
	if (wanted <= 0)
		return wanted;

	CLASS(shale_upper_io, tok)(inode->i_sb, NULL);
	return tok.err ?: shale_upper_fsync(&tok, entry->upper);
}

/*
 * The first time after a copy-up nothing is left out: to the upper's file system, a name that the
 * file got since it was last synced is nothing that its data needs.
 */
static int sync_range(struct file *file, struct file *real, loff_t start, loff_t end,
		      bool datasync)
{
	atomic_t *unsettled = &shale_inode(file_inode(file))->unsettled;
	int copies = atomic_read(unsettled);
	int err;

	scoped_class(shale_mounter, cred, file_inode(file)->i_sb)
		err = vfs_fsync_range(real, start, end, datasync && !copies);
	/* Not what came meanwhile; nor before it is done, as others would take our word for it. */
	if (!err && copies)
		atomic_cmpxchg(unsettled, copies, 0);
	return err;
}

ssize_t shale_file_written(struct file *file, struct file *real, bool dsync, ssize_t ret)
{
	const struct inode *inode = file_inode(file);
	const struct shale_sb *sbi = shale_sb(inode->i_sb);
	int err;

	shale_checked(inode->i_sb, file_dentry(file), SHALE_REASON_WRITE, ret);
	if (ret <= 0 || !(dsync || IS_SYNC(inode)) || shale_is_volatile(&sbi->features) ||
	    !atomic_read(&shale_inode(inode)->unsettled))
		return ret;
	err = sync_range(file, real, 0, 0, false);
	return err ?: ret;
}

static int sync_file(struct file *file, loff_t start, loff_t end, int datasync)
{
	int wanted = shale_sync_wanted(shale_sb(file_inode(file)->i_sb));
	struct file *real;

	if (wanted <= 0)
		return wanted;
	if (!has_upper(file_inode(file)))
		return 0;
	real = shale_file_real(file);
	if (IS_ERR(real))
		return PTR_ERR(real);
	if (!shale_file_in_upper(file, real))
		return datasync ? 0 : shale_sync_object(file_inode(file));
	return sync_range(file, real, start, end, datasync);
}

static int shale_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	shale_quota_note(file_inode(file));
	return shale_checked(file_inode(file)->i_sb, file_dentry(file), SHALE_REASON_WRITE,
			     sync_file(file, start, end, datasync));
}

/* What a base says of a file's content beyond these operations: how fs-verity protects it. */

static long shale_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct file *real;

	if (cmd != FS_IOC_MEASURE_VERITY && cmd != FS_IOC_READ_VERITY_METADATA)
		return -ENOTTY;
	real = shale_file_real(file);
	if (IS_ERR(real))
		return PTR_ERR(real);
	if (!real->f_op->unlocked_ioctl)
		return -ENOTTY;

	CLASS(shale_mounter, cred)(file_inode(file)->i_sb);
	return real->f_op->unlocked_ioctl(real, cmd, arg);
}

/* Each close() tells the real file, which may have to report errors of a server. */
static int shale_flush(struct file *file, fl_owner_t id)
{
	const struct shale_file *sf = file->private_data;
	struct file *real = already_opened_copy(sf) ?: sf->real;

	if (file->f_mode & FMODE_WRITE)
		shale_quota_note(file_inode(file));
	if (!real || !real->f_op->flush)
		return 0;

	CLASS(shale_mounter, cred)(file_inode(file)->i_sb);
	return real->f_op->flush(real, id);
}

const struct file_operations shale_file_fops = {
	.owner			= THIS_MODULE,
	.open			= shale_open,
	.release		= shale_release,
	.flush			= shale_flush,
	.llseek			= shale_llseek,
	.read_iter		= shale_read_iter,
	.write_iter		= shale_write_iter,
	.splice_read		= shale_splice_read,
	.splice_write		= shale_splice_write,
	.unlocked_ioctl		= shale_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.mmap			= shale_mmap,
	.fsync			= shale_fsync,
	.fallocate		= shale_fallocate,
	.fadvise		= shale_fadvise,
	.copy_file_range	= shale_copy_file_range,
	.remap_file_range	= shale_remap_file_range,
	.setlease		= generic_setlease,
	SHALE_OPS_FOP_FLAGS,
};

/* Our inode has no pages. That it has operations at all is what readahead() asks for. */
const struct address_space_operations shale_aops = {
};
