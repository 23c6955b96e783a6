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
	return shale_origin_take(record, record->bytes, size);
}

bool shale_origin_take(struct shale_origin_record *record, const void *bytes, size_t size)
{
	record->size = 0;
	if (size > sizeof(record->bytes) || !shale_origin_valid(bytes, size))
		return false;
	memmove(record->bytes, bytes, size);
	if (!(record->origin.flags & SHALE_ORIGIN_ANY_ENDIAN) &&
	    (record->origin.flags & SHALE_ORIGIN_BIG_ENDIAN) != own_order())
		return false;
	record->size = size;
	return true;
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

/* Finding */

static struct dentry *decode(struct vfsmount *mnt, const struct shale_origin_record *record,
			     int (*acceptable)(void *, struct dentry *), void *context)
{
	const struct shale_origin *origin = &record->origin;
	struct dentry *dentry = exportfs_decode_fh(mnt, (struct fid *)origin->handle,
						   (record->size - sizeof(*origin)) / sizeof(u32),
						   origin->type, acceptable, context);

	if (IS_ERR_OR_NULL(dentry))
		return dentry == ERR_PTR(-ENOMEM) ? dentry : NULL;
	if (d_is_positive(dentry))
		return dentry;
	dput(dentry);
	return NULL;
}

/* The layer of a file system that an object lies in, by the name that it is known by. */
static struct shale_layer *layer_of(const struct shale_sb *sbi, unsigned int base,
				    struct dentry *dentry)
{
	const struct shale_stack *stack = sbi->stack;
	unsigned int i;

	for (i = 0; i < shale_stack_nr_merged(stack); i++) {
		if (stack->lower[i]->base == base &&
		    is_subdir(dentry, stack->lower[i]->mnt->mnt_root))
			return stack->lower[i];
	}
	return NULL;
}

/* Where a directory is looked for. */
struct place {
	const struct shale_sb *sbi;
	unsigned int base;
};

/* The root of a file system, which may be a layer's, is never hashed, and not removed either. */
static int lies_in_lower(void *context, struct dentry *dentry)
{
	const struct place *place = context;

	if (!d_is_dir(dentry))
		return 1;
	return !d_unlinked(dentry) && layer_of(place->sbi, place->base, dentry);
}

static int lies_in_upper(void *context, struct dentry *dentry)
{
	const struct shale_upper *upper = context;

	return !d_is_dir(dentry) || (!d_unlinked(dentry) && is_subdir(dentry, upper->root));
}

/* Return: 1 when a record is one of this file system, where there are lower layers; or 0. */
static int begin_finding(const struct shale_sb *sbi, const struct shale_origin_record *record,
			 unsigned int base, struct shale_part *part)
{
	if (!shale_may_decode() || !is_on(sbi, &sbi->base[base], record))
		return 0;
	*part = (struct shale_part){
		.layer = shale_base_lower(sbi, base, sbi->stack->nr_lower),
	};
	return !!part->layer;
}

int shale_origin_find(const struct shale_sb *sbi, const struct shale_origin_record *record,
		      struct shale_part *part)
{
	unsigned int i;

	for (i = 0; i < sbi->nr_base; i++) {
		if (!begin_finding(sbi, record, i, part))
			continue;
		part->dentry = decode(part->layer->mnt, record, NULL, NULL);
		if (IS_ERR_OR_NULL(part->dentry))
			return PTR_ERR_OR_ZERO(part->dentry);
		if (!d_is_dir(part->dentry))
			return 1;
		dput(part->dentry);
		return 0;
	}
	return 0;
}

int shale_origin_find_any(const struct shale_sb *sbi, const struct shale_origin_record *record,
			  struct shale_part *part)
{
	struct place place = { .sbi = sbi };

	for (; place.base < sbi->nr_base; place.base++) {
		struct shale_layer *layer;

		if (!begin_finding(sbi, record, place.base, part))
			continue;
		part->dentry = decode(part->layer->mnt, record, lies_in_lower, &place);
		if (IS_ERR_OR_NULL(part->dentry))
			return PTR_ERR_OR_ZERO(part->dentry);
		layer = layer_of(sbi, place.base, part->dentry);
		if (layer || !d_is_dir(part->dentry)) {
			part->layer = layer ?: part->layer;
			return 1;
		}
		dput(part->dentry);	/* it has just left the layer */
		return 0;
	}
	return 0;
}

struct dentry *shale_origin_find_upper(const struct shale_sb *sbi,
				       const struct shale_origin_record *record)
{
	const struct shale_layer *layer;

	if (!sbi->upper || !shale_may_decode())
		return NULL;
	layer = sbi->upper->layer;
	if (!(record->origin.flags & SHALE_ORIGIN_UPPER) ||
	    !is_on(sbi, &sbi->base[layer->base], record))
		return NULL;
	return decode(layer->mnt, record, lies_in_upper, sbi->upper);
}
