// SPDX-License-Identifier: GPL-2.0
#include "stack/origin.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/uuid.h>

#include "stack/marks.h"

/* The order of bytes that handles are in which this machine makes. */
static u8 own_order(void)
{
	return cpu_to_be16(1) == (__force __be16)1 ? SHALE_ORIGIN_BIG_ENDIAN : 0;
}

bool shale_may_decode(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_DAC_READ_SEARCH);
}

bool shale_can_decode(const struct super_block *sb)
{
	return IS_ENABLED(CONFIG_EXPORTFS) && sb->s_export_op && sb->s_export_op->fh_to_dentry;
}

/*
 * With uuid=off records are made without uuid, and only such ones are known: so an upper can be
 * moved together with its lowers to a copy of their file system that has another uuid.
 */
static const u8 *uuid_of(const struct shale_sb *sbi, const struct super_block *real)
{
	return sbi->features.value[SHALE_UUID] == SHALE_UUID_OFF ? uuid_null.b : real->s_uuid.b;
}

int shale_origin_encode(const struct shale_sb *sbi, struct shale_origin_record *record,
			struct dentry *dentry, bool is_upper)
{
	struct shale_origin *origin = &record->origin;
	u32 handle[MAX_HANDLE_SZ / sizeof(u32)];
	int words = ARRAY_SIZE(handle);
	int type;

	record->size = 0;
	if (!shale_can_decode(dentry->d_sb))
		return 0;
	type = exportfs_encode_fh(dentry, (struct fid *)handle, &words, 0);
	if (type <= 0 || type == FILEID_INVALID)
		return -EIO;
	record->size = sizeof(*origin) + words * sizeof(u32);
	*origin = (struct shale_origin){
		.version = SHALE_ORIGIN_VERSION,
		.magic = SHALE_ORIGIN_MAGIC,
		.len = record->size,
		.flags = own_order() | (is_upper ? SHALE_ORIGIN_UPPER : 0),
		.type = type,
	};
	memcpy(origin->uuid, uuid_of(sbi, dentry->d_sb), sizeof(origin->uuid));
	memcpy(origin->handle, handle, words * sizeof(u32));
	return 0;
}

int shale_origin_get(const struct shale_sb *sbi, const struct path *path, const char *mark,
		     struct shale_origin_record *record)
{
	int size = shale_mark_get(sbi, path, mark, record->bytes, sizeof(record->bytes));

	record->size = 0;
	if (size == -ENODATA || size == -ERANGE || size == -EACCES || size == -EPERM)
		return 0;
	if (size < 0)
		return size;
	if (!shale_origin_valid(record->bytes, size))
		return 0;
	if (!(record->origin.flags & SHALE_ORIGIN_ANY_ENDIAN) &&
	    (record->origin.flags & SHALE_ORIGIN_BIG_ENDIAN) != own_order())
		return 0;
	record->size = size;
	return 1;
}

static bool is_on(const struct shale_sb *sbi, const struct shale_base *base,
		  const struct shale_origin_record *record)
{
	return base->has_handles && record->size &&
	       !memcmp(record->origin.uuid, uuid_of(sbi, base->sb), sizeof(record->origin.uuid));
}

bool shale_origin_is_known(const struct shale_sb *sbi, const struct shale_origin_record *record)
{
	unsigned int i;

	for (i = 0; i < sbi->nr_base; i++) {
		if (is_on(sbi, &sbi->base[i], record))
			return shale_may_decode();
	}
	return false;
}

int shale_origin_set(const struct shale_token *tok, const struct shale_sb *sbi,
		     struct dentry *dentry, const char *mark,
		     const struct shale_origin_record *record)
{
	int err = shale_mark_set(tok, sbi, dentry, mark, record->bytes, record->size);

	/* user.* is for files and directories only. */
	if (!err)
		return shale_origin_is_known(sbi, record);
	/* user.* is for files and directories only. */
	if (err == -EPERM && shale_feature_on(&sbi->features, SHALE_USERXATTR))
		return 0;
	return err == -EOPNOTSUPP ? 0 : err;
}

/* A layer of a file system, the first there is. */
static struct shale_layer *layer_on(const struct shale_sb *sbi, unsigned int base)
{
	const struct shale_stack *stack = sbi->stack;
	unsigned int i;

	for (i = 0; i < stack->nr_lower; i++) {
		if (stack->lower[i]->base == base)
			return stack->lower[i];
	}
	return NULL;
}

int shale_origin_find(const struct shale_sb *sbi, const struct shale_origin_record *record,
		      struct shale_part *part)
{
	const struct shale_origin *origin = &record->origin;
	unsigned int i;

	for (i = 0; shale_may_decode() && i < sbi->nr_base; i++) {
		struct dentry *dentry;

		if (!is_on(sbi, &sbi->base[i], record))
			continue;
		part->layer = layer_on(sbi, i);
		if (!part->layer)
			continue;
		dentry = exportfs_decode_fh(part->layer->mnt, (struct fid *)origin->handle,
					    (record->size - sizeof(*origin)) / sizeof(u32),
					    origin->type, NULL, NULL);
		if (IS_ERR_OR_NULL(dentry))
			return PTR_ERR(dentry) == -ENOMEM ? -ENOMEM : 0;
		part->dentry = dentry;
		part->xwhiteouts = false;
		if (!d_is_negative(dentry) && !d_is_dir(dentry))
			return 1;
		dput(dentry);
		return 0;
	}
	return 0;
}
