// SPDX-License-Identifier: GPL-2.0
/*
 * File handles: for NFS, and for name_to_handle_at(2) and fanotify(7). What is in them is described
 * in shale_ondisk.h, how they are found again in union/decode.c.
 *
 * A directory is never given out before it is connected to the root, so that there is neither
 * ->get_parent() nor ->get_name().
 */
#include "vfs/export.h"

#include <linux/exportfs.h>

#include "stack/base.h"
#include "stack/creds.h"
#include "stack/inode.h"
#include "stack/origin.h"
#include "union/decode.h"
#include "vfs/operations.h"

static bool is_decodable(const struct super_block *sb)
{
	return shale_feature_on(&shale_sb(sb)->features, SHALE_NFS_EXPORT);
}

/* Encoding */

/* A handle that is being written, as far as there is room. */
struct writer {
	u8 *bytes;
	size_t room, size;		/* in bytes; the size goes on behind the room */
};

static int write_record(struct writer *w, struct inode *inode)
{
	struct shale_origin_record record;
	int err = shale_encode(&record, inode, is_decodable(inode->i_sb));

	if (err)
		return err;
	/* A whole number of words: the padding makes up for the record's header. */
	if (w->size + SHALE_HANDLE_PADDING + record.size <= w->room) {
		memset(w->bytes + w->size, 0, SHALE_HANDLE_PADDING);
		memcpy(w->bytes + w->size + SHALE_HANDLE_PADDING, record.bytes, record.size);
	}
	w->size += SHALE_HANDLE_PADDING + record.size;
	return 0;
}

static int shale_encode_fh(struct inode *inode, u32 *fid, int *max_len, struct inode *parent)
{
	struct writer w = { .bytes = (u8 *)fid, .room = *max_len * sizeof(u32) };
	int err;

	CLASS(shale_mounter, caller)(inode->i_sb);

	err = write_record(&w, inode);
	if (!err && parent)
		err = write_record(&w, parent);
	if (err == -ENOMEM || err == -EIO)
		pr_warn_ratelimited("no file handle for inode %llu: error %d\n",
				    (unsigned long long)inode->i_ino, err);
	if (err)
		return FILEID_INVALID;
	*max_len = w.size / sizeof(u32);
	if (w.size > w.room)
		return FILEID_INVALID;
	return parent ? SHALE_HANDLE_CONNECTABLE : SHALE_HANDLE_PADDED;
}

/* Decoding */

static struct dentry *decode(struct super_block *sb, const struct fid *fid, int words, int type,
			     bool parent)
{
	const struct shale_origin *origin = NULL;
	struct shale_origin_record record;

	if (words > 0)
		origin = shale_handle_decode(fid, words * sizeof(u32), type, parent);
	if (!origin || !shale_origin_take(&record, origin, origin->len))
		return ERR_PTR(-ESTALE);

	CLASS(shale_mounter, caller)(sb);
	return shale_decode(sb, &record);
}

static struct dentry *shale_fh_to_dentry(struct super_block *sb, struct fid *fid, int fh_len,
					 int fh_type)
{
	return decode(sb, fid, fh_len, fh_type, false);
}

static struct dentry *shale_fh_to_parent(struct super_block *sb, struct fid *fid, int fh_len,
					 int fh_type)
{
	struct dentry *dentry = decode(sb, fid, fh_len, fh_type, true);

	if (IS_ERR(dentry) || d_is_dir(dentry))
		return dentry;
	dput(dentry);
	return ERR_PTR(-ESTALE);
}

/* What a client was told to be done is on disk. */
static int shale_commit_metadata(struct inode *inode)
{
	if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode))
		return shale_sync_object(inode);
	return 0;
}

static const struct export_operations shale_export_operations = {
	.encode_fh = shale_encode_fh,
	.fh_to_dentry = shale_fh_to_dentry,
	.fh_to_parent = shale_fh_to_parent,
	.commit_metadata = shale_commit_metadata,
};

/* Handles that tell objects apart, and lead nowhere. */
static const struct export_operations shale_export_fid_operations = {
	.encode_fh = shale_encode_fh,
};

/* Setting up */

/* File handles do not say which of several layers of one file system an object is in. */
static const char *differently_mapped(const struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;
	unsigned int i, k;

	for (i = 0; i < sbi->nr_base; i++) {
		const struct shale_layer *first = NULL;

		for (k = 0; k < shale_stack_nr_merged(stack); k++) {
			const struct shale_layer *layer = stack->lower[k];

			if (layer->base != i)
				continue;
			first = first ?: layer;
			if (shale_layer_idmap(layer) != shale_layer_idmap(first))
				return layer->name;
		}
	}
	return NULL;
}

static bool all_can_encode(const struct shale_sb *sbi)
{
	unsigned int i;

	for (i = 0; i < sbi->nr_base; i++) {
		if (!shale_can_decode(sbi->base[i].sb))
			return false;
	}
	return true;
}

void shale_export_check(struct shale_sb *sbi)
{
	const char *name;

	if (!shale_feature_on(&sbi->features, SHALE_NFS_EXPORT))
		return;
	name = shale_bases_without_handles(sbi);
	if (name)
		pr_warn("nfs_export=on: off, for the file system of %s has no file handles, or no uuid\n",
			name);
	if (!name) {
		name = differently_mapped(sbi);
		if (name)
			pr_warn("nfs_export=on: off, for %s is mapped to other ids than another layer of its file system\n",
				name);
	}
	if (name)
		sbi->features.value[SHALE_NFS_EXPORT] = SHALE_OFF;
}

void shale_export_set_up(struct super_block *sb)
{
	const struct shale_sb *sbi = shale_sb(sb);

	if (shale_feature_on(&sbi->features, SHALE_NFS_EXPORT))
		sb->s_export_op = &shale_export_operations;
	else if (COMPAT_HAS_FIDS && all_can_encode(sbi))
		sb->s_export_op = &shale_export_fid_operations;
}
