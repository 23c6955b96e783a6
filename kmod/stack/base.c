// SPDX-License-Identifier: GPL-2.0
#include "stack/base.h"

#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/uuid.h>

#include "stack/origin.h"
#include "stack/upper.h"

/* Taking stock */

static struct shale_base *base_of(struct shale_sb *sbi, struct shale_layer *layer)
{
	struct shale_base *base;
	unsigned int i;

	for (i = 0; i < sbi->nr_base; i++) {
		if (sbi->base[i].sb == shale_layer_sb(layer))
			return &sbi->base[i];
	}
	base = &sbi->base[sbi->nr_base++];
	base->sb = shale_layer_sb(layer);
	base->mnt = layer->mnt;
	return base;
}

static int add_layer(struct shale_sb *sbi, struct shale_layer *layer)
{
	struct shale_base *base;

	/* Their number is not known before: room for one more each time it is a power of two. */
	if (is_power_of_2(sbi->nr_base + 1)) {
		size_t room = 2 * (sbi->nr_base + 1);

		base = krealloc_array(sbi->base, room, sizeof(*base),
				      GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!base)
			return -ENOMEM;
		sbi->base = base;
	}
	layer->base = base_of(sbi, layer) - sbi->base;
	return 0;
}

/*
 * Two file systems with one uuid are copies of each other, where a handle of the one leads to
 * some other object of the other. Without a uuid, one may be exchanged for another between two
 * mounts: that is for those to rule out who ask for a feature that does not allow it.
 */
static bool has_good_uuid(const struct shale_sb *sbi, const struct shale_base *base)
{
	unsigned int i;

	if (uuid_is_null(&base->sb->s_uuid) &&
	    !shale_feature_asked(&sbi->features, SHALE_INDEX) &&
	    !shale_feature_asked(&sbi->features, SHALE_METACOPY) &&
	    !shale_feature_asked(&sbi->features, SHALE_NFS_EXPORT) &&
	    !shale_feature_asked(&sbi->features, SHALE_XINO) &&
	    !(shale_feature_asked(&sbi->features, SHALE_REDIRECT_DIR) &&
	      shale_redirects_made(&sbi->features)))
		return false;
	for (i = 0; i < sbi->nr_base; i++) {
		if (&sbi->base[i] != base &&
		    uuid_equal(&sbi->base[i].sb->s_uuid, &base->sb->s_uuid))
			return false;
	}
	return true;
}

/*
 * As many of the highest bits, which inode numbers hardly ever use, as it takes to tell the file
 * systems apart, and one more, which says that a number is of our own making.
 */
static unsigned int xino_bits(const struct shale_sb *sbi)
{
	if (sbi->nr_base == 1 || !shale_feature_on(&sbi->features, SHALE_XINO) ||
	    BITS_PER_LONG < 64)
		return 0;
	return ilog2(sbi->nr_base - 1) + 2;
}

int shale_bases_init(struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;
	unsigned int i;
	int err = 0;

	if (stack->upper)
		err = add_layer(sbi, stack->upper);
	for (i = 0; !err && i < stack->nr_lower; i++)
		err = add_layer(sbi, stack->lower[i]);

	for (i = 0; !err && i < sbi->nr_base; i++) {
		struct shale_base *base = &sbi->base[i];

		base->has_handles = shale_may_decode() && shale_can_decode(base->sb) &&
				    has_good_uuid(sbi, base);
		if (sbi->nr_base == 1)
			break;
		err = get_anon_bdev(&base->pseudo_dev);
		base->owns_dev = !err;
	}
	sbi->xino_bits = xino_bits(sbi);
	if (sbi->features.value[SHALE_UUID] == SHALE_UUID_OFF && sbi->nr_base > 1) {
		pr_warn("uuid=off: null, for the layers are on more than one file system\n");
		sbi->features.value[SHALE_UUID] = SHALE_UUID_NULL;
	}
	return err;
}

void shale_bases_exit(struct shale_sb *sbi)
{
	while (sbi->nr_base) {
		struct shale_base *base = &sbi->base[--sbi->nr_base];

		if (base->owns_dev)
			free_anon_bdev(base->pseudo_dev);
	}
	kfree(sbi->base);
}

struct shale_layer *shale_base_lower(const struct shale_sb *sbi, unsigned int base,
				     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (sbi->stack->lower[i]->base == base)
			return sbi->stack->lower[i];
	}
	return NULL;
}

bool shale_base_lacks(struct shale_base *base, enum shale_base_lack lack)
{
	return !test_bit(lack, &base->told) && !test_and_set_bit(lack, &base->told);
}

const char *shale_bases_without_handles(const struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;
	unsigned int i;

	if (stack->upper && !sbi->base[stack->upper->base].has_handles)
		return stack->upper->name;
	for (i = 0; i < shale_stack_nr_merged(stack); i++) {
		if (!sbi->base[stack->lower[i]->base].has_handles)
			return stack->lower[i]->name;
	}
	return NULL;
}

/* Numbers */

/* With the number of the base in its upper bits. Return: whether it fits. */
static bool make_unique(const struct shale_sb *sbi, u64 *ino, unsigned int base)
{
	unsigned int shift = 64 - sbi->xino_bits;

	if (!sbi->xino_bits)
		return false;
	if (*ino >> shift) {
		if (sbi->features.value[SHALE_XINO] == SHALE_ON &&
		    shale_base_lacks(&sbi->base[base], SHALE_BASE_XINO))
			pr_warn("%s has inode numbers that are too long for xino=on, like %llx: they get a device of their own\n",
				sbi->base[base].sb->s_type->name, *ino);
		return false;
	}
	*ino |= (u64)base << (shift + 1);
	return true;
}

u64 shale_number_in(const struct shale_sb *sbi, unsigned int base, u64 ino)
{
	if (sbi->nr_base > 1)
		make_unique(sbi, &ino, base);
	return ino;
}

/*
 * Not where the copy is another object than the lower one, which other names lead to. Nor is the
 * upper's root a copy of anything.
 */
static bool is_numbered_by_lower(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	const struct inode *lower = d_inode(entry->lower->part[0].dentry);

	if (sbi->upper && entry->upper == sbi->upper->root)
		return false;
	return entry->indexed || S_ISDIR(lower->i_mode) || lower->i_nlink == 1;
}

struct shale_number shale_number(const struct shale_sb *sbi, const struct shale_entry *entry,
				 u64 own)
{
	const struct shale_part *lower = entry->lower ? &entry->lower->part[0] : NULL;
	const struct inode *real = d_inode(shale_entry_real(entry));
	unsigned int base = shale_entry_layer(sbi, entry)->base;
	struct shale_number number;

	if (lower && is_numbered_by_lower(sbi, entry)) {
		real = d_inode(lower->dentry);
		base = lower->layer->base;
	}
	number.ino = real->i_ino;
	number.dev = sbi->sb->s_dev;
	if (sbi->nr_base == 1 || make_unique(sbi, &number.ino, base))
		return number;

	/* A directory with a device of its own would look like a mount: find -xdev stops there. */
	if (S_ISDIR(real->i_mode) && sbi->xino_bits)
		number.ino = own | BIT_ULL(64 - sbi->xino_bits);
	else if (S_ISDIR(real->i_mode))
		number.ino = own;
	else
		number.dev = sbi->base[base].pseudo_dev;
	return number;
}
