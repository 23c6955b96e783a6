// SPDX-License-Identifier: GPL-2.0
/*
 * Copy-up: an object gets a copy in the upper before its first change.
 *
 * The copy is made out of sight, as an unnamed file or in the work directory, and appears
 * under its name by one link or rename, complete. Then the inode gets an entry that stands
 * on it. The steps are those of copy_up_locked(), in order.
 */
#include "union/copy_up.h"

#include <linux/cred.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/xattr.h>

#include "compat/real_file.h"
#include "stack/creds.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/name.h"
#include "stack/upper.h"
#include "union/workdir.h"

/* How much is copied between two looks for a fatal signal. */
#define CHUNK (4UL << 20)

struct copy_up {
	struct super_block *sb;
	struct shale_sb *sbi;
	struct dentry *dentry;
	struct inode *inode;
	struct dentry *parent;		/* directory in the upper; NULL: an object without a name */

	struct shale_entry *entry;	/* what the inode stands on before */
	struct path from;		/* its top-most lower part */
	struct kstat stat;		/* of from */
	loff_t size;			/* bytes of data to copy */
	const char *target;		/* of a symbolic link */
	struct delayed_call target_done;

	struct file *file;		/* the copy, when it is an unnamed file */
	struct dentry *copy;		/* the copy */
	bool named;			/* it has a name in the work directory */
};

/* Step 1: what is to be copied, read from the lower and without any lock on the upper. */

static int prepare(struct copy_up *cu, loff_t size)
{
	int err;

	/* The copy would be without what protects it, for these flags are not copied. */
	if (cu->inode->i_flags & (S_APPEND | S_IMMUTABLE))
		return -EPERM;

	cu->from = shale_entry_lower_path(cu->entry);
	err = vfs_getattr(&cu->from, &cu->stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);
	if (err)
		return err;
	if (!kuid_has_mapping(current_user_ns(), cu->stat.uid) ||
	    !kgid_has_mapping(current_user_ns(), cu->stat.gid))
		return -EOVERFLOW;
	cu->size = min(size, cu->stat.size);

	if (S_ISLNK(cu->stat.mode)) {
		cu->target = vfs_get_link(cu->from.dentry, &cu->target_done);
		if (IS_ERR(cu->target))
			return PTR_ERR(cu->target);
	}
	return 0;
}

/* Step 2: an empty object of the right kind, out of sight. */

static int make_named(struct copy_up *cu, const struct shale_token *tok)
{
	const umode_t type = cu->stat.mode & S_IFMT;
	const struct shale_new what = {
		.mode = type | (S_ISDIR(type) ? 0700 : 0600),
		.rdev = cu->stat.rdev,
		.target = cu->target,
	};
	struct dentry *temp = shale_workdir_make(tok, &what);

	if (IS_ERR(temp))
		return PTR_ERR(temp);
	cu->copy = temp;
	cu->named = true;
	return 0;
}

static int make_empty_as(struct copy_up *cu, const struct shale_token *tok)
{
	if (!S_ISREG(cu->stat.mode) || !tok->upper->has_tmpfile)
		return cu->parent ? make_named(cu, tok) : -ESTALE;

	cu->file = shale_upper_tmpfile(tok, S_IFREG | 0600);
	if (IS_ERR(cu->file)) {
		int err = PTR_ERR(cu->file);

		cu->file = NULL;
		return err;
	}
	cu->copy = dget(cu->file->f_path.dentry);
	return 0;
}

/* A security module may want the copy labelled as the original rather than as a new object. */
static int make_empty(struct copy_up *cu)
{
	struct cred *labelled = NULL;
	const struct cred *old;
	int err;

	CLASS(shale_upper, tok)(cu->sb);

	if (tok.err)
		return tok.err;
	err = security_inode_copy_up(cu->dentry, &labelled);
	if (err < 0)
		return err;
	if (!labelled)
		return make_empty_as(cu, &tok);

	old = override_creds(labelled);
	err = make_empty_as(cu, &tok);
	revert_creds(old);
	put_cred(labelled);
	return err;
}

/* Step 3: the data. Shared with the lower where the file system can, else copied, holes kept. */

static int copy_range(struct copy_up *cu, const struct shale_token *tok, struct file *in,
		      struct file *out, loff_t pos, loff_t end)
{
	while (pos < end) {
		loff_t in_pos = pos, out_pos = pos;
		ssize_t done;

		if (fatal_signal_pending(current))
			return -EINTR;
		done = shale_upper_splice(tok, in, &in_pos, out, &out_pos,
					  min_t(loff_t, end - pos, CHUNK));
		if (done < 0)
			return done;
		if (!done)
			return -EIO;	/* the lower became shorter: layers must not change */
		pos += done;
	}
	return 0;
}

static int copy_extents(struct copy_up *cu, const struct shale_token *tok, struct file *in,
			struct file *out)
{
	loff_t pos = 0;
	int err;

	while (pos < cu->size) {
		loff_t data = vfs_llseek(in, pos, SEEK_DATA);
		loff_t hole;

		if (data == -ENXIO)
			break;		/* a hole up to the end */
		if (data < 0)
			data = pos;	/* can't tell: take all for data */
		hole = vfs_llseek(in, data, SEEK_HOLE);
		if (hole <= data)
			hole = cu->size;

		err = copy_range(cu, tok, in, out, data, min(hole, cu->size));
		if (err)
			return err;
		pos = hole;
	}
	return 0;
}

static int copy_contents(struct copy_up *cu, struct file *in, struct file *out)
{
	const struct iattr attr = { .ia_valid = ATTR_SIZE, .ia_size = cu->size };
	struct iattr set_size = attr;
	loff_t shared;
	int err;

	/* A tail that is a hole is nothing that copying would leave: size first, then data. */
	if (cu->size) {
		CLASS(shale_upper, tok)(cu->sb);

		err = tok.err ?: shale_upper_setattr(&tok, cu->copy, &set_size);
		if (err)
			return err;
	}

	CLASS(shale_upper_io, tok)(cu->sb);

	if (tok.err)
		return tok.err;
	shared = shale_upper_clone(&tok, in, 0, out, 0, cu->size, 0);
	err = shared == cu->size ? 0 : copy_extents(cu, &tok, in, out);

	/* The name must not lead to data that a power cut would still take away. */
	return err ?: vfs_fsync(out, 0);
}

static int copy_data(struct copy_up *cu)
{
	const struct path to = { .mnt = cu->sbi->upper->layer->mnt, .dentry = cu->copy };
	struct file *in, *out;
	int err;

	if (!S_ISREG(cu->stat.mode) || !cu->size)
		return 0;

	in = shale_real_open(&cu->from, O_RDONLY | O_LARGEFILE);
	if (IS_ERR(in))
		return PTR_ERR(in);
	out = cu->file ? get_file(cu->file) : shale_real_open(&to, O_WRONLY | O_LARGEFILE);
	err = PTR_ERR_OR_ZERO(out);
	if (!err) {
		err = copy_contents(cu, in, out);
		fput(out);
	}
	fput(in);
	return err;
}

/* Step 4: extended attributes, ACLs, owner, mode and times. After the data: writing data
 * takes file capabilities away.
 */

static int copy_acl(struct copy_up *cu, const struct shale_token *tok, const char *name)
{
	struct posix_acl *acl = shale_layer_acl(&cu->from, vfs_get_acl(mnt_idmap(cu->from.mnt),
								       cu->from.dentry, name));
	int err;

	if (acl == ERR_PTR(-ENODATA) || acl == ERR_PTR(-EOPNOTSUPP))
		return 0;	/* listed, but none that anybody obeys */
	if (IS_ERR(acl))
		return PTR_ERR(acl);
	err = shale_upper_set_acl(tok, cu->copy, name, acl);
	posix_acl_release(acl);
	return err;
}

static int copy_value(struct copy_up *cu, const struct shale_token *tok, const char *name)
{
	void *value __free(kvfree) = NULL;
	struct mnt_idmap *idmap = mnt_idmap(cu->from.mnt);
	ssize_t size;

	size = vfs_getxattr(idmap, cu->from.dentry, name, NULL, 0);
	if (size > 0) {
		value = kvmalloc(size, GFP_KERNEL);
		if (!value)
			return -ENOMEM;
		size = vfs_getxattr(idmap, cu->from.dentry, name, value, size);
	}
	if (size == -ENODATA || size == -EOPNOTSUPP)
		return 0;	/* listed, but not readable: nothing to keep */
	if (size == -EINVAL && !strcmp(name, XATTR_NAME_CAPS))
		return 0;	/* not capabilities: whoever owns a file may store an empty value */
	if (size < 0)
		return size;
	return shale_upper_setxattr(tok, cu->copy, name, value, size, 0);
}

/* May the copy go without this attribute when the upper can't hold it? */
static bool xattr_is_optional(const char *name)
{
	return strncmp(name, XATTR_SECURITY_PREFIX, XATTR_SECURITY_PREFIX_LEN) &&
	       !is_posix_acl_xattr(name);
}

static int copy_xattr(struct copy_up *cu, const struct shale_token *tok, const char *name)
{
	int err;

	/* The marks say what an object means in its own layer, and nothing in another. */
	if (shale_mark_is_private(cu->sbi, name))
		return 0;

	err = security_inode_copy_up_xattr(cu->from.dentry, name);
	if (err == -ECANCELED)
		return 0;	/* a security module labels the copy itself */
	if (err < 0 && err != -EOPNOTSUPP)
		return err;

	err = is_posix_acl_xattr(name) ? copy_acl(cu, tok, name) : copy_value(cu, tok, name);
	return err == -EOPNOTSUPP && xattr_is_optional(name) ? 0 : err;
}

static int copy_xattrs(struct copy_up *cu, const struct shale_token *tok)
{
	char *list __free(kvfree) = NULL;
	const char *name;
	ssize_t size, len;
	int err = 0;

	size = vfs_listxattr(cu->from.dentry, NULL, 0);
	if (size > 0) {
		list = kvmalloc(size, GFP_KERNEL);
		if (!list)
			return -ENOMEM;
		size = vfs_listxattr(cu->from.dentry, list, size);
	}
	if (size < 0)
		return size == -EOPNOTSUPP ? 0 : size;

	for (name = list; !err && name < list + size; name += len + 1) {
		len = strnlen(name, list + size - name);
		if (name + len == list + size)
			return -EIO;	/* a server has sent a name that does not end */
		err = copy_xattr(cu, tok, name);
	}
	return err;
}

static int copy_owner_mode_times(struct copy_up *cu, const struct shale_token *tok)
{
	struct iattr owner = {
		.ia_valid = ATTR_UID | ATTR_GID,
		.ia_vfsuid = VFSUIDT_INIT(cu->stat.uid),
		.ia_vfsgid = VFSGIDT_INIT(cu->stat.gid),
	};
	struct iattr mode = { .ia_valid = ATTR_MODE, .ia_mode = cu->stat.mode };
	struct iattr times = {
		.ia_valid = ATTR_ATIME | ATTR_MTIME | ATTR_ATIME_SET | ATTR_MTIME_SET,
		.ia_atime = cu->stat.atime,
		.ia_mtime = cu->stat.mtime,
	};
	int err;

	/* In this order: a change of owner takes the set-id bits away. */
	err = shale_upper_setattr(tok, cu->copy, &owner);
	if (!err && !S_ISLNK(cu->stat.mode))
		err = shale_upper_setattr(tok, cu->copy, &mode);
	return err ?: shale_upper_setattr(tok, cu->copy, &times);
}

/* Step 5: the name. In the union's directory nothing changes, so its times must not either. */

static struct iattr times_of(const struct dentry *dir)
{
	return (struct iattr){
		.ia_valid = ATTR_ATIME | ATTR_MTIME | ATTR_ATIME_SET | ATTR_MTIME_SET,
		.ia_atime = inode_get_atime(d_inode(dir)),
		.ia_mtime = inode_get_mtime(d_inode(dir)),
	};
}

/* Best effort: the copy is there, whatever its directory's times say. */
static void restore_times(struct copy_up *cu, const struct shale_token *tok, struct iattr *times)
{
	shale_upper_setattr_locked(tok, cu->parent, times);
}

static int link_unnamed(struct copy_up *cu, const struct shale_token *tok)
{
	struct dentry *dest = shale_upper_start_creating(tok, cu->parent, &cu->dentry->d_name);
	struct iattr times;
	int err = -ESTALE;

	if (IS_ERR(dest))
		return PTR_ERR(dest);
	times = times_of(cu->parent);
	if (d_is_negative(dest))
		err = shale_upper_link(tok, cu->copy, cu->parent, dest);
	if (!err) {
		dput(cu->copy);
		cu->copy = dget(dest);
		restore_times(cu, tok, &times);
	}
	end_creating(dest);
	return err;
}

static int rename_named(struct copy_up *cu, const struct shale_token *tok)
{
	struct renamedata rd = { .old_parent = tok->upper->workdir, .new_parent = cu->parent };
	struct iattr times;
	int err = shale_upper_start_renaming_dentry(tok, &rd, cu->copy, &cu->dentry->d_name);

	if (err)
		return err;
	times = times_of(cu->parent);
	err = d_is_negative(rd.new_dentry) ? shale_upper_rename(tok, &rd) : -ESTALE;
	if (!err) {
		cu->named = false;
		restore_times(cu, tok, &times);
	}
	end_renaming(&rd);
	return err;
}

static int give_name(struct copy_up *cu, const struct shale_token *tok)
{
	return cu->named ? rename_named(cu, tok) : link_unnamed(cu, tok);
}

/* Step 6: the inode stands on the copy. */

static void stand_on_copy(struct copy_up *cu, struct shale_entry *entry)
{
	struct inode *inode = cu->inode;

	shale_inode_copyattr_from(inode, cu->sbi, entry);
	/* In this order: who sees the upper may make names for it, and must find this inode. */
	if (!S_ISDIR(inode->i_mode))
		shale_inode_rehash(inode, entry);
	shale_entry_publish(inode, entry);
	if (cu->parent)
		shale_name_set(cu->dentry, entry->epoch, SHALE_NAME_UPPER);

	atomic64_inc(&cu->sbi->copy_ups);
	if (S_ISREG(inode->i_mode))
		atomic64_add(cu->size, &cu->sbi->copy_up_bytes);
}

static int finish(struct copy_up *cu)
{
	/* Made first, and completed last: nothing may fail once the name is there. */
	struct shale_entry *entry = shale_entry_alloc(cu->sbi, NULL, cu->entry->lower);
	int err;

	CLASS(shale_upper, tok)(cu->sb);

	err = entry ? tok.err : -ENOMEM;
	if (!err)
		err = copy_xattrs(cu, &tok);
	if (!err)
		err = copy_owner_mode_times(cu, &tok);
	if (!err && cu->parent)
		err = give_name(cu, &tok);
	if (err) {
		shale_entry_put(entry);
		return err;
	}
	entry->upper = dget(cu->copy);
	stand_on_copy(cu, entry);
	return 0;
}

static void discard(struct copy_up *cu)
{
	CLASS(shale_upper, tok)(cu->sb);

	if (!tok.err)
		shale_workdir_discard(&tok, cu->copy);
}

static int copy_up_locked(struct copy_up *cu, loff_t size)
{
	int err;

	err = prepare(cu, size);
	if (!err)
		err = make_empty(cu);
	if (!err)
		err = copy_data(cu);
	if (!err)
		err = finish(cu);

	if (err && cu->named)
		discard(cu);
	if (cu->file)
		fput(cu->file);
	dput(cu->copy);
	do_delayed_call(&cu->target_done);
	return err;
}

/* Copies one object whose parent, if it has a name, lies in the upper. As the mounter. */
static int copy_up_one(struct dentry *dentry, struct dentry *parent, loff_t size)
{
	struct inode *inode = d_inode(dentry);
	struct shale_inode *si = shale_inode(inode);
	struct shale_entry *parent_entry __free(shale_entry) =
		parent ? shale_entry_get(d_inode(parent)) : NULL;
	struct copy_up cu = {
		.sb = dentry->d_sb,
		.sbi = shale_sb(dentry->d_sb),
		.dentry = dentry,
		.inode = inode,
	};
	int err = 0;

	if (mutex_lock_killable(&si->lock))
		return -EINTR;
	cu.entry = shale_entry_get(inode);
	if (!cu.entry->upper) {
		/* Removed while we waited: the copy must not bring the name back. */
		if (parent && shale_name_positive(dentry))
			cu.parent = parent_entry->upper;
		err = copy_up_locked(&cu, size);
	}
	shale_entry_put(cu.entry);
	mutex_unlock(&si->lock);
	return err;
}

static bool is_copied_up(struct dentry *dentry)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(dentry));

	return entry->upper;
}

/*
 * Finds the nearest ancestor, or the object itself, whose parent lies in the upper: the next
 * one to copy.
 */
static struct dentry *next_to_copy(struct dentry *dentry, struct dentry **parent)
{
	struct dentry *next = dget(dentry);

	*parent = dget_parent(next);
	while (!is_copied_up(*parent)) {
		dput(next);
		next = *parent;
		*parent = dget_parent(next);
	}
	return next;
}

static int copy_up(struct dentry *dentry, loff_t size)
{
	int err = 0;

	if (is_copied_up(dentry))
		return 0;
	if (!shale_sb(dentry->d_sb)->upper)
		return -EROFS;

	CLASS(shale_mounter, caller)(dentry->d_sb);

	if (!shale_name_positive(dentry))
		return copy_up_one(dentry, NULL, size);

	while (!err && !is_copied_up(dentry)) {
		struct dentry *parent;
		struct dentry *next = next_to_copy(dentry, &parent);

		err = copy_up_one(next, parent, next == dentry ? size : 0);
		dput(parent);
		dput(next);
	}
	return err;
}

int shale_copy_up(struct dentry *dentry)
{
	return copy_up(dentry, LLONG_MAX);
}

int shale_copy_up_truncated(struct dentry *dentry, loff_t size)
{
	return copy_up(dentry, size);
}
