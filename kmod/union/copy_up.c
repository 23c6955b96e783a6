// SPDX-License-Identifier: GPL-2.0
/*
 * Copy-up: an object gets a copy in the upper before its first change.
 *
 * The copy is made out of sight, as an unnamed file or in the work directory, and appears
 * under its name by one link or rename, complete. Then the inode gets an entry that stands
 * on it. The steps are those of make_copy(), in order.
 *
 * With metacopy=on, the copy of a regular file is without data first, which stays where it is; what
 * changes data completes the copy before. Until the mark is gone, the copy's own blocks mean
 * nothing.
 */
#include "union/copy_up.h"

#include <linux/cred.h>
#include <linux/falloc.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "compat/real_file.h"
#include "stack/base.h"
#include "stack/creds.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/name.h"
#include "stack/origin.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "union/copy_attr.h"
#include "union/copy_data.h"
#include "union/data.h"
#include "union/index.h"
#include "union/verity.h"
#include "union/workdir.h"

/* How much of a file is wanted in the upper: this many bytes of its data, or none of it. */
#define NO_DATA		(-1)
#define ALL_DATA	LLONG_MAX

struct copy_up {
	struct super_block *sb;
	struct shale_sb *sbi;
	struct dentry *dentry;
	struct inode *inode;
	struct shale_entry *parent;	/* in the upper; NULL: an object without a name */
	loff_t wanted;
	bool copied;			/* done, with this many bytes */
	loff_t copied_bytes;

	struct shale_entry *entry;	/* what the inode stands on before */
	struct path from;		/* its top-most lower part */
	struct kstat stat;		/* of from */
	loff_t size;			/* bytes of data to copy */
	bool metacopy;			/* leave the data where it is */
	struct shale_metacopy record;	/* and mark it with this */
	bool to_index;			/* the copy's first name is one of the index */
	bool dir_to_index;		/* the index gets an entry that leads to the copy */
	bool left_index;		/* it would, had the object not been removed */
	struct shale_index_name index;
	const char *target;		/* of a symbolic link */
	struct delayed_call target_done;
	struct shale_origin_record origin;
	unsigned int protection;	/* S_APPEND, S_IMMUTABLE: a mark of the copy, not its own */

	struct file *file;		/* the copy, when it is an unnamed file */
	struct dentry *copy;		/* the copy */
	bool named;			/* it has a name in the work directory */
};

/* Step 1: what is to be copied, read from the lower and without any lock on the upper. */

/*
 * Without an index, the copy of one of several names of a lower file is another file than the
 * rest from now on, and has no origin.
 */
static bool keeps_identity(const struct copy_up *cu)
{
	return S_ISDIR(cu->stat.mode) || cu->stat.nlink == 1 || cu->to_index;
}

/* What is found by its name alone has nothing to find data by once that is gone. */
static bool can_leave_data(const struct copy_up *cu)
{
	return S_ISREG(cu->stat.mode) && cu->wanted == NO_DATA && cu->stat.size &&
	       (cu->parent || cu->to_index) && shale_feature_on(&cu->sbi->features, SHALE_METACOPY);
}

/* Where the data is. What comes after stands on what was found, too: others have seen it. */
static int find_data(struct copy_up *cu, struct path *data)
{
	struct shale_entry *entry = shale_data_get(cu->inode, cu->entry);

	if (IS_ERR(entry))
		return PTR_ERR(entry);
	shale_entry_put(cu->entry);
	cu->entry = entry;
	*data = shale_entry_data_path(cu->sbi, entry);
	return 0;
}

/* Without the digest that is required, the data is copied after all. */
static int decide_on_data(struct copy_up *cu)
{
	struct path data;
	int err;

	cu->metacopy = can_leave_data(cu);
	if (!cu->metacopy || !shale_feature_on(&cu->sbi->features, SHALE_VERITY))
		return 0;
	err = find_data(cu, &data);
	if (!err)
		err = shale_verity_record(cu->sbi, &data, &cu->record);
	if (err != -ENODATA)
		return err;
	cu->metacopy = false;
	return 0;
}

/* What has no name any more is not to be found, and the index has let go of it. */
static int prepare_index(struct copy_up *cu)
{
	if (!shale_index_wants(cu->sbi, cu->entry))
		return 0;
	if (!cu->inode->i_nlink) {
		cu->left_index = true;
		return 0;
	}
	cu->dir_to_index = S_ISDIR(cu->stat.mode);
	cu->to_index = !cu->dir_to_index;
	return shale_index_name(cu->sbi, &cu->index, cu->from.dentry);
}

/* A mount may be told to refuse what is too much. */
static int check_size(const struct copy_up *cu)
{
	const u64 most = READ_ONCE(cu->sbi->max_copy_up);

	return most && cu->size > most ? -EFBIG : 0;
}

static int prepare(struct copy_up *cu)
{
	int err;

	cu->from = shale_entry_lower_path(cu->entry);
	cu->protection = d_inode(cu->from.dentry)->i_flags & (S_APPEND | S_IMMUTABLE);
	err = vfs_getattr(&cu->from, &cu->stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);
	if (err)
		return err;
	if (!kuid_has_mapping(current_user_ns(), cu->stat.uid) ||
	    !kgid_has_mapping(current_user_ns(), cu->stat.gid))
		return -EOVERFLOW;
	err = prepare_index(cu);
	if (err)
		return err;
	err = decide_on_data(cu);
	if (err)
		return err;
	cu->size = cu->wanted == NO_DATA ? cu->stat.size : min(cu->wanted, cu->stat.size);
	if (S_ISREG(cu->stat.mode) && !cu->metacopy && check_size(cu))
		return -EFBIG;

	if (S_ISLNK(cu->stat.mode)) {
		cu->target = vfs_get_link(cu->from.dentry, &cu->target_done);
		if (IS_ERR(cu->target))
			return PTR_ERR(cu->target);
	}
	if (!keeps_identity(cu))
		return 0;
	return shale_origin_encode(cu->sbi, &cu->origin, cu->from.dentry, false);
}

/* Step 2: an object of the right kind and size, without data and out of sight. */

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
		return cu->parent || cu->to_index ? make_named(cu, tok) : -ESTALE;

	cu->file = shale_upper_tmpfile(tok, tok->upper->workdir, S_IFREG | 0600);
	if (IS_ERR(cu->file)) {
		int err = PTR_ERR(cu->file);

		cu->file = NULL;
		return err;
	}
	cu->copy = dget(cu->file->f_path.dentry);
	return 0;
}

/* A security module may want the copy labelled as the original rather than as a new object. */
static int make_empty_labelled(struct copy_up *cu, const struct shale_token *tok)
{
	struct cred *labelled = NULL;
	const struct cred *old;
	int err = security_inode_copy_up(cu->dentry, &labelled);

	if (err < 0)
		return err;
	if (!labelled)
		return make_empty_as(cu, tok);

	old = override_creds(labelled);
	err = make_empty_as(cu, tok);
	revert_creds(old);
	put_cred(labelled);
	return err;
}

static int set_size(const struct copy_up *cu, const struct shale_token *tok, struct dentry *copy)
{
	struct iattr attr = { .ia_valid = ATTR_SIZE, .ia_size = cu->size };

	return shale_upper_setattr(tok, copy, &attr);
}

/* A tail that is a hole is nothing that copying would leave: size first, then data. */
static int make_empty(struct copy_up *cu, const struct shale_token *tok)
{
	int err = make_empty_labelled(cu, tok);

	if (!err && S_ISREG(cu->stat.mode) && cu->size)
		err = set_size(cu, tok, cu->copy);
	return err;
}

/* Step 3: the data. */

static int write_data(struct copy_up *cu, struct dentry *copy, struct file *unnamed)
{
	const struct path to = { .mnt = cu->sbi->upper->layer->mnt, .dentry = copy };
	struct path from;
	struct file *out;
	int err = find_data(cu, &from);

	if (err)
		return err;
	out = unnamed ? get_file(unnamed) : shale_real_open(&to, O_WRONLY | O_LARGEFILE);
	if (IS_ERR(out))
		return PTR_ERR(out);
	err = shale_copy_data(cu->sb, &from, out, cu->size);
	fput(out);
	return err;
}

/* Step 4: the name. In the union's directory nothing changes, so its times must not either. */

static struct iattr times_of(const struct dentry *dir)
{
	return (struct iattr){
		.ia_valid = ATTR_ATIME | ATTR_MTIME | ATTR_ATIME_SET | ATTR_MTIME_SET,
		.ia_atime = inode_get_atime(d_inode(dir)),
		.ia_mtime = inode_get_mtime(d_inode(dir)),
	};
}

/* Where the copy gets its first name. */
struct place {
	struct dentry *dir;
	struct name_snapshot name;	/* of ours: a look-up may exchange it meanwhile */
	struct qstr text;
};

static void place_begin(struct copy_up *cu, const struct shale_token *tok, struct place *place)
{
	take_dentry_name_snapshot(&place->name, cu->dentry);
	if (cu->to_index) {
		place->dir = tok->upper->indexdir;
		place->text = QSTR_LEN(cu->index.text, cu->index.len);
	} else {
		place->dir = cu->parent->upper;
		place->text = place->name.name;
	}
}

static void place_end(struct place *place)
{
	release_dentry_name_snapshot(&place->name);
}

/* Best effort: the copy is there, whatever its directory's times say. */
static void restore_times(const struct place *place, const struct shale_token *tok,
			  struct iattr *times)
{
	shale_upper_setattr_locked(tok, place->dir, times);
}

/* Return: the dentry of the name, counted, or ERR_PTR. */
static struct dentry *link_at(const struct shale_token *tok, const struct place *place,
			      struct dentry *copy)
{
	struct dentry *dest = shale_upper_start_creating(tok, place->dir, &place->text);
	struct iattr times;
	int err = -ESTALE;

	if (IS_ERR(dest))
		return dest;
	times = times_of(place->dir);
	if (d_is_negative(dest))
		err = shale_upper_link(tok, copy, place->dir, dest);
	if (err) {
		end_creating(dest);
		return ERR_PTR(err);
	}
	restore_times(place, tok, &times);
	return shale_upper_end_creating(tok, place->dir, &place->text, dest);
}

static int link_unnamed(struct copy_up *cu, const struct shale_token *tok,
			const struct place *place)
{
	struct dentry *dest = link_at(tok, place, cu->copy);

	if (IS_ERR(dest))
		return PTR_ERR(dest);
	dput(cu->copy);
	cu->copy = dest;
	return 0;
}

static int rename_named(struct copy_up *cu, const struct shale_token *tok,
			const struct place *place)
{
	struct renamedata rd = { .old_parent = tok->upper->workdir, .new_parent = place->dir };
	struct iattr times;
	int err = shale_upper_start_renaming_dentry(tok, &rd, cu->copy, &place->text);

	if (err)
		return err;
	times = times_of(place->dir);
	err = d_is_negative(rd.new_dentry) ? shale_upper_rename(tok, &rd) : -ESTALE;
	if (!err) {
		cu->named = false;
		restore_times(place, tok, &times);
	}
	end_renaming(&rd);
	return err;
}

static int give_name(struct copy_up *cu, const struct shale_token *tok)
{
	struct place place;
	int err;

	if (!cu->parent && !cu->to_index)
		return 0;
	place_begin(cu, tok, &place);
	err = cu->named ? rename_named(cu, tok, &place) : link_unnamed(cu, tok, &place);
	place_end(&place);
	return err;
}

/* Step 5: the inode stands on the copy. */

/* What was read of the directory may say the number that the object had before. */
static void check_number(struct copy_up *cu, const struct shale_entry *entry)
{
	const u64 own = cu->inode->i_ino;
	struct dentry *dir;

	if (shale_number(cu->sbi, cu->entry, own).ino == shale_number(cu->sbi, entry, own).ino)
		return;
	dir = dget_parent(cu->dentry);
	shale_dir_changed(d_inode(dir));
	dput(dir);
}

static void stand_on_copy(struct copy_up *cu, struct shale_entry *entry)
{
	struct inode *inode = cu->inode;

	check_number(cu, entry);
	if (!S_ISDIR(inode->i_mode))
		atomic_inc(&shale_inode(inode)->unsettled);
	shale_inode_copyattr_from(inode, cu->sbi, entry);
	/* In this order: who sees the upper may make names for it, and must find this inode. */
	shale_inode_rehash(inode, entry);
	shale_entry_publish(inode, entry);
	if (!cu->entry->upper)
		shale_quota_copied(inode);
	if (cu->parent && !cu->to_index)
		shale_name_set(cu->dentry, entry->epoch, SHALE_NAME_UPPER);
}

/* Of a file whose data is not where its attributes are, each layer gets its share. */
static void count(struct copy_up *cu, bool with_data)
{
	const struct shale_parts *from = cu->entry->lower;

	cu->copied = true;
	atomic64_inc(&cu->sbi->copy_ups);
	if (from->part[0].layer)
		atomic64_inc(&from->part[0].layer->copy_ups);
	if (!with_data)
		return;
	cu->copied_bytes = cu->size;
	atomic64_add(cu->size, &cu->sbi->copy_up_bytes);
	if (from->part[from->nr - 1].layer)
		atomic64_add(cu->size, &from->part[from->nr - 1].layer->copy_up_bytes);
}

/* Rather no copy than one without what protects it. */
static int protect_copy(struct copy_up *cu, const struct shale_token *tok)
{
	int err;

	if (!cu->protection)
		return 0;
	err = shale_mark_set_protection(tok, cu->sbi, cu->copy, cu->protection);
	return err == -EOPNOTSUPP ? -EPERM : err;
}

/* Return: 1 when a look-up will find the lower part again by these marks, 0, or an errno. */
static int mark_copy(struct copy_up *cu, const struct shale_token *tok)
{
	int found = 0, err = 0;

	if (keeps_identity(cu))
		found = shale_origin_set(tok, cu->sbi, cu->copy, SHALE_MARK_ORIGIN, &cu->origin);
	if (found >= 0 && cu->metacopy)
		err = shale_mark_set(tok, cu->sbi, cu->copy, SHALE_MARK_METACOPY,
				     &cu->record, cu->record.len);
	/* The name in the index will be its one link. */
	if (found >= 0 && !err && cu->to_index)
		err = shale_mark_set_nlink(tok, cu->sbi, cu->copy, cu->inode->i_nlink, 'U', 1);
	else if (found >= 0 && !err && cu->parent)
		err = shale_mark_impure(tok, cu->sbi, cu->parent);
	return err ?: found;
}

/* The copy is complete, but for its name. Return: as mark_copy(). */
static int furnish(struct copy_up *cu, const struct shale_token *tok)
{
	int err = shale_copy_xattrs(cu->sbi, tok, &cu->from, cu->copy);
	int found = 0;

	if (!err)
		err = shale_copy_flags(tok, &cu->from, cu->copy);
	if (!err)
		err = protect_copy(cu, tok);
	if (!err) {
		found = mark_copy(cu, tok);
		err = min(found, 0);
	}
	if (!err)
		err = shale_copy_owner_mode_times(tok, &cu->stat, cu->copy);
	return err ?: found;
}

/* For file systems that write attributes, marks and names in any order. */
static bool is_strict(const struct copy_up *cu)
{
	return cu->sbi->features.value[SHALE_FSYNC] == SHALE_FSYNC_STRICT;
}

static int sync_copy(struct copy_up *cu, const struct shale_token *tok)
{
	if (!is_strict(cu))
		return 0;
	if (cu->file)
		return vfs_fsync(cu->file, 0);
	if (!S_ISREG(cu->stat.mode) && !S_ISDIR(cu->stat.mode))
		return 0;
	return shale_upper_settle(tok, cu->copy);
}

/* Return: whether the index has the copy, or had it as long as there were names; or an errno. */
static int give_names(struct copy_up *cu, const struct shale_token *tok)
{
	struct dentry *index;
	int ret;

	if (!cu->dir_to_index)
		return give_name(cu, tok) ?: cu->to_index || cu->left_index;
	index = shale_index_make_dir(tok, cu->sbi, cu->copy);
	if (IS_ERR(index))
		return PTR_ERR(index);
	ret = give_name(cu, tok);
	if (ret)
		shale_workdir_discard(tok, index);
	else
		ret = shale_index_put_dir(tok, index, &cu->index);
	dput(index);
	return ret;
}

static int finish(struct copy_up *cu, const struct shale_token *tok)
{
	/* Made first, and completed last: nothing may fail once the name is there. */
	struct shale_entry *entry = shale_entry_alloc(cu->sbi, NULL, cu->entry->lower);
	int found = entry ? furnish(cu, tok) : -ENOMEM;
	int err = found < 0 ? found : sync_copy(cu, tok);
	int indexed = err ?: give_names(cu, tok);

	if (indexed < 0) {
		shale_entry_put(entry);
		return indexed;
	}
	entry->upper = dget(cu->copy);
	entry->metacopy = cu->metacopy;
	entry->indexed = indexed;
	/* Directories are found by their names. */
	entry->remembered = !found && !S_ISDIR(cu->stat.mode) && !indexed;
	shale_inode_set_protection(cu->inode, cu->protection);
	stand_on_copy(cu, entry);
	count(cu, S_ISREG(cu->stat.mode) && !cu->metacopy);
	return 0;
}

static void discard(struct copy_up *cu)
{
	CLASS(shale_upper_cleanup, tok)(cu->sb);

	if (!tok.err)
		shale_workdir_discard(&tok, cu->copy);
}

static bool copies_data(const struct copy_up *cu)
{
	return S_ISREG(cu->stat.mode) && !cu->metacopy && cu->size;
}

/* How much of a quota the data takes that is to be copied. Holes take none. */
static int data_to_claim(struct copy_up *cu, u64 *bytes)
{
	struct path from;
	struct file *in;
	int err;

	*bytes = 0;
	if (!copies_data(cu) || !shale_quota_counts(cu->sbi))
		return 0;
	err = find_data(cu, &from);
	if (err)
		return err;
	in = shale_real_open(&from, O_RDONLY | O_LARGEFILE);
	if (IS_ERR(in))
		return PTR_ERR(in);
	*bytes = shale_data_between(in, 0, cu->size);
	fput(in);
	return 0;
}

/* Steps 2 to 5, in one visit to the upper. */
static int make_without_data(struct copy_up *cu)
{
	CLASS(shale_upper, tok)(cu->sb);

	return tok.err ?: make_empty(cu, &tok) ?: finish(cu, &tok);
}

/* Whoever wants the gate closed or the upper frozen need not wait for all of the data. */
static int make_with_data(struct copy_up *cu)
{
	int err;

	scoped_class(shale_upper, tok, cu->sb)
		err = tok.err ?: make_empty(cu, &tok);
	if (!err)
		err = write_data(cu, cu->copy, cu->file);
	if (err)
		return err;
	scoped_class(shale_upper, tok, cu->sb)
		err = tok.err ?: finish(cu, &tok);
	return err;
}

/* In the room that there is. */
static int make_claimed(struct copy_up *cu)
{
	u64 bytes;
	int err = data_to_claim(cu, &bytes);

	if (err)
		return err;

	CLASS(shale_claim, claim)(cu->inode, bytes + SHALE_CLAIM_OBJECT, 1);

	if (claim.err)
		return claim.err;
	if (copies_data(cu))
		return make_with_data(cu);
	return make_without_data(cu);
}

static int make_copy(struct copy_up *cu)
{
	int err = prepare(cu) ?: make_claimed(cu);

	if (err && cu->named)
		discard(cu);
	if (cu->file)
		fput(cu->file);
	dput(cu->copy);
	do_delayed_call(&cu->target_done);
	return err;
}

/*
 * Completing a copy that was made without data. Capabilities would go with the first write, by
 * the rule that whoever changes a program takes its privileges away; but nothing changes.
 */

struct capabilities {
	char value[XATTR_CAPS_SZ];
	int size;
};

static int save_capabilities(struct copy_up *cu, struct capabilities *caps)
{
	const struct path upper = shale_entry_path(cu->sbi, cu->entry);

	caps->size = vfs_getxattr(mnt_idmap(upper.mnt), upper.dentry, XATTR_NAME_CAPS,
				  caps->value, sizeof(caps->value));
	if (caps->size == -ENODATA || caps->size == -EOPNOTSUPP || caps->size == -EINVAL)
		caps->size = 0;
	return min(caps->size, 0);
}

/* Mode and times, which writing changes, become what they were. */
static int restore_attributes(struct copy_up *cu, const struct shale_token *tok,
			      const struct capabilities *caps)
{
	int err = shale_copy_owner_mode_times(tok, &cu->stat, cu->entry->upper);

	if (!err && caps->size)
		err = shale_upper_setxattr(tok, cu->entry->upper, XATTR_NAME_CAPS, caps->value,
					   caps->size, 0);
	return err;
}

/* The data is there: what the mark said is no longer true. */
static int drop_metacopy(struct copy_up *cu, const struct capabilities *caps)
{
	struct shale_entry *entry = shale_entry_alloc(cu->sbi, cu->entry->upper, cu->entry->lower);
	struct shale_origin_record record;
	const struct path upper = shale_entry_path(cu->sbi, cu->entry);
	int err;

	CLASS(shale_upper, tok)(cu->sb);

	err = entry ? tok.err : -ENOMEM;
	if (!err)
		err = restore_attributes(cu, &tok, caps);
	if (!err && is_strict(cu))
		err = shale_upper_settle(&tok, cu->entry->upper);
	if (!err)
		err = shale_mark_remove(&tok, cu->sbi, cu->entry->upper, SHALE_MARK_METACOPY);
	if (err) {
		shale_entry_put(entry);
		return err;
	}
	/* From now on the lower part is found by the origin alone. */
	entry->indexed = cu->entry->indexed;
	entry->remembered = shale_origin_get(cu->sbi, &upper, SHALE_MARK_ORIGIN, &record) <= 0 ||
			    !shale_origin_is_known(cu->sbi, &record);
	cu->parent = NULL;	/* the name was there before */
	stand_on_copy(cu, entry);
	return 0;
}

static void free_data(struct copy_up *cu)
{
	const struct path upper = shale_entry_path(cu->sbi, cu->entry);
	struct file *file = shale_real_open(&upper, O_WRONLY | O_LARGEFILE);

	if (IS_ERR(file))
		return;
	scoped_class(shale_upper_io, tok, cu->sb, NULL) {
		if (!tok.err)
			shale_upper_fallocate(&tok, file, FALLOC_FL_PUNCH_HOLE |
					      FALLOC_FL_KEEP_SIZE, 0, cu->stat.size);
	}
	fput(file);
}

/* The copy becomes what it was, without data. Best effort: what is there means nothing. */
static void give_up_completing(struct copy_up *cu, const struct capabilities *caps)
{
	struct iattr size = { .ia_valid = ATTR_SIZE, .ia_size = cu->stat.size };

	free_data(cu);

	CLASS(shale_upper_cleanup, tok)(cu->sb);
	if (tok.err)
		return;
	shale_upper_setattr(&tok, cu->entry->upper, &size);
	restore_attributes(cu, &tok, caps);
}

static int cut_to_size(struct copy_up *cu)
{
	CLASS(shale_upper, tok)(cu->sb);

	return tok.err ?: set_size(cu, &tok, cu->entry->upper);
}

static int complete_copy(struct copy_up *cu)
{
	const struct path upper = shale_entry_path(cu->sbi, cu->entry);
	struct capabilities caps;
	u64 bytes;
	int err;

	err = vfs_getattr(&upper, &cu->stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);
	if (!err)
		err = save_capabilities(cu, &caps);
	if (err)
		return err;
	cu->size = min(cu->wanted, cu->stat.size);
	err = check_size(cu);
	if (err)
		return err;
	/* What a crash may have left of an earlier attempt would show in the holes. */
	if (cu->stat.blocks)
		free_data(cu);
	err = data_to_claim(cu, &bytes);
	if (err)
		return err;

	CLASS(shale_claim, claim)(cu->inode, bytes, 0);

	err = claim.err;
	if (!err && cu->size)
		err = write_data(cu, cu->entry->upper, NULL);
	if (!err && cu->size < cu->stat.size)
		err = cut_to_size(cu);
	if (!err)
		err = drop_metacopy(cu, &caps);
	if (err)
		give_up_completing(cu, &caps);
	else
		count(cu, true);
	return err;
}

/*
 * A name of a lower file whose copy the index has: the upper's directory gets it, too. The number
 * of names that the union has does not change by it, nor does that of the lower file.
 */
static int link_copy(struct copy_up *cu)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(cu->inode);
	const struct inode *lower = d_inode(entry->lower->part[0].dentry);
	struct dentry *dest;
	struct place place;
	int err;

	CLASS(shale_upper, tok)(cu->sb);

	err = tok.err ?: shale_mark_impure(&tok, cu->sbi, cu->parent);
	if (!err)
		err = shale_mark_set_nlink(&tok, cu->sbi, entry->upper, cu->inode->i_nlink, 'L',
					   lower->i_nlink);
	if (err)
		return err;
	cu->to_index = false;
	place_begin(cu, &tok, &place);
	dest = link_at(&tok, &place, entry->upper);
	place_end(&place);
	if (IS_ERR(dest))
		return PTR_ERR(dest);
	dput(dest);
	shale_name_set(cu->dentry, entry->epoch, SHALE_NAME_UPPER);
	return 0;
}

/* Does the index have the copy, and the upper's directory not yet this name of it? */
static bool wants_name(const struct dentry *dentry)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(dentry));

	return entry->indexed && shale_name(dentry) == SHALE_NAME_LOWER;
}

/* One object */

/*
 * Copies one object whose parent, if it has a name, lies in the upper. As the mounter.
 * Return: 1 when the copy has been cut to what was wanted, 0, or an errno.
 */
static int copy_up_one(struct dentry *dentry, struct dentry *parent, loff_t wanted,
		       enum shale_reason reason)
{
	const ktime_t begun = ktime_get();
	struct inode *inode = d_inode(dentry);
	struct shale_entry *parent_entry __free(shale_entry) =
		parent ? shale_entry_get(d_inode(parent)) : NULL;
	struct copy_up cu = {
		.sb = dentry->d_sb,
		.sbi = shale_sb(dentry->d_sb),
		.dentry = dentry,
		.inode = inode,
		.wanted = wanted,
	};
	int err = shale_inode_lock(inode);
	bool copied = true, cut;

	if (err)
		return err;
	cu.entry = shale_entry_get(inode);
	/* Removed while we waited: the copy must not bring the name back. */
	if (parent && shale_name_positive(dentry))
		cu.parent = parent_entry;
	if (!cu.entry->upper)
		err = make_copy(&cu);
	else if (cu.entry->metacopy && wanted != NO_DATA)
		err = complete_copy(&cu);
	else
		copied = false;
	cut = copied && wanted != NO_DATA && wanted <= cu.stat.size;
	if (!err && parent && wants_name(dentry)) {
		cu.parent = parent_entry;
		err = link_copy(&cu);
	}
	shale_entry_put(cu.entry);
	shale_inode_unlock(inode);
	if (cu.copied && parent)
		shale_quota_note(d_inode(parent));
	if (cu.copied)
		shale_event(cu.sbi, &(struct shale_event) {
			.kind = SHALE_EVENT_KIND_COPIED_UP,
			.dentry = dentry,
			.inode = inode,
			.reason = reason,
			.bytes = cu.copied_bytes,
			.begun = begun,
		});
	return err ?: cut;
}

/* Does the upper have as much of an object as is wanted, and under this name? */
static bool has_all_wanted(struct dentry *dentry, loff_t wanted)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(dentry));

	return entry->upper && (wanted == NO_DATA || !entry->metacopy) && !wants_name(dentry);
}

/*
 * Finds the nearest ancestor, or the object itself, whose parent lies in the upper: the next
 * one to copy.
 */
static struct dentry *next_to_copy(struct dentry *dentry, struct dentry **parent)
{
	struct dentry *next = dget(dentry);

	*parent = dget_parent(next);
	while (!has_all_wanted(*parent, NO_DATA)) {
		dput(next);
		next = *parent;
		*parent = dget_parent(next);
	}
	return next;
}

static int copy_up_all(struct dentry *dentry, loff_t wanted, enum shale_reason reason)
{
	int err = 0;

	CLASS(shale_mounter, caller)(dentry->d_sb);

	if (!shale_name_positive(dentry))
		return copy_up_one(dentry, NULL, wanted, reason);

	while (err >= 0 && !has_all_wanted(dentry, wanted)) {
		struct dentry *parent;
		struct dentry *next = next_to_copy(dentry, &parent);

		if (next == dentry)
			err = copy_up_one(next, parent, wanted, reason);
		else
			err = copy_up_one(next, parent, NO_DATA, SHALE_REASON_CHANGE_BELOW);
		dput(parent);
		dput(next);
	}
	return err;
}

static int copy_up(struct dentry *dentry, loff_t wanted, enum shale_reason reason)
{
	int ret;

	if (has_all_wanted(dentry, wanted))
		return 0;
	if (!shale_sb(dentry->d_sb)->upper)
		return -EROFS;
	ret = copy_up_all(dentry, wanted, reason);
	if (ret < 0)
		shale_failed(dentry->d_sb, dentry, reason, ret);
	return ret;
}

int shale_copy_up(struct dentry *dentry, enum shale_reason reason)
{
	return copy_up(dentry, NO_DATA, reason);
}

int shale_copy_up_data(struct dentry *dentry, enum shale_reason reason)
{
	return copy_up(dentry, ALL_DATA, reason);
}

int shale_copy_up_truncated(struct dentry *dentry, loff_t size)
{
	return copy_up(dentry, size, SHALE_REASON_TRUNCATE);
}
