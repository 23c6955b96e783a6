// SPDX-License-Identifier: GPL-2.0
#include "union/lookup.h"

#include <linux/namei.h>
#include <linux/slab.h>

#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/name.h"

struct lookup {
	struct super_block *sb;
	const struct shale_sb *sbi;
	const struct qstr *name;

	struct dentry *upper;		/* counted */
	bool whiteout;			/* the upper has a whiteout */

	struct shale_part *part;	/* counted dentries, the top-most first */
	unsigned int nr, max;

	bool dir;			/* what was found is a directory */
	bool stop;			/* layers further down do not show through */
};

/*
 * Looks the name up in one layer's directory.
 * Return: a counted positive dentry; NULL for none; ERR_PTR.
 */
static struct dentry *look(const struct qstr *name, const struct shale_layer *layer,
			   struct dentry *base)
{
	struct dentry *dentry;

	dentry = lookup_one_unlocked(shale_layer_idmap(layer), &QSTR_LEN(name->name, name->len),
				     base);
	if (IS_ERR(dentry)) {
		/* A name that this file system could not even store is not there. */
		if (PTR_ERR(dentry) == -ENAMETOOLONG || PTR_ERR(dentry) == -ENOENT)
			return NULL;
		return dentry;
	}
	if (d_is_negative(dentry)) {
		dput(dentry);
		return NULL;
	}
	if (dentry->d_flags & (DCACHE_OP_HASH | DCACHE_OP_COMPARE | DCACHE_NEED_AUTOMOUNT)) {
		dput(dentry);
		return ERR_PTR(-EREMOTE);
	}
	return dentry;
}

/* Showing an object without the meaning that its mark gives it would be showing another. */
static int refuse(const struct path *path, const char *mark)
{
	pr_warn_ratelimited("%pd2 carries the mark %s, which this mount does not follow\n",
			    path->dentry, mark);
	return -EPERM;
}

/* Refuses what carries a mark that changes its meaning. */
static int check_mark(const struct lookup *lookup, const struct path *path, const char *mark)
{
	int present = shale_mark_present(lookup->sbi, path, mark);

	return present > 0 ? refuse(path, mark) : present;
}

/* Is this the lowest layer of all, from where nothing leads further? */
static bool is_bottom(const struct shale_sb *sbi, const struct path *path)
{
	return path->mnt == sbi->stack->lower[sbi->stack->nr_lower - 1]->mnt;
}

/*
 * Judges a positive dentry of one layer: does it belong to the object, and do layers further
 * down?
 * Return: 1 when it belongs, 0 when not, or a negative errno.
 */
static int judge(struct lookup *lookup, const struct path *path)
{
	int err;

	if (shale_is_whiteout(path->dentry)) {
		lookup->stop = true;
		return 0;
	}

	if (!d_is_dir(path->dentry)) {
		lookup->stop = true;
		if (lookup->dir)
			return 0;
		err = d_is_reg(path->dentry) ? check_mark(lookup, path, SHALE_MARK_METACOPY) : 0;
		return err ?: 1;
	}

	if (shale_inode_is_trap(lookup->sb, d_inode(path->dentry)))
		return -ELOOP;
	lookup->dir = true;
	err = shale_mark_opaque(lookup->sbi, path);
	if (err == SHALE_OPAQUE_XWHITEOUT)
		return refuse(path, "opaque=x");
	if (err == SHALE_OPAQUE_YES) {
		lookup->stop = true;
		return 1;
	}
	/* One may lead from a directory that is in one layer alone back into those below. */
	if (err >= 0 && !is_bottom(lookup->sbi, path))
		err = check_mark(lookup, path, SHALE_MARK_REDIRECT);
	return err < 0 ? err : 1;
}

static int look_in_upper(struct lookup *lookup, const struct shale_entry *dir)
{
	struct shale_layer *layer = lookup->sbi->upper->layer;
	struct path path = { .mnt = layer->mnt };
	int ret;

	path.dentry = look(lookup->name, layer, dir->upper);
	if (IS_ERR_OR_NULL(path.dentry))
		return PTR_ERR_OR_ZERO(path.dentry);

	lookup->whiteout = shale_is_whiteout(path.dentry);
	ret = judge(lookup, &path);
	if (ret > 0)
		lookup->upper = path.dentry;
	else
		dput(path.dentry);
	return min(ret, 0);
}

/* Room for another part: only merged directories ever need more than one. */
static int reserve_part(struct lookup *lookup, unsigned int most)
{
	unsigned int max = lookup->max ? most : 1;
	struct shale_part *part;

	if (lookup->nr < lookup->max)
		return 0;
	part = kvmalloc_array(max, sizeof(*part), GFP_KERNEL);
	if (!part)
		return -ENOMEM;
	if (lookup->nr)
		memcpy(part, lookup->part, lookup->nr * sizeof(*part));
	kvfree(lookup->part);
	lookup->part = part;
	lookup->max = max;
	return 0;
}

static int look_in_lower(struct lookup *lookup, const struct shale_parts *dirs, unsigned int i)
{
	struct shale_layer *layer = dirs->part[i].layer;
	struct path path = { .mnt = layer->mnt };
	int ret;

	path.dentry = look(lookup->name, layer, dirs->part[i].dentry);
	if (IS_ERR_OR_NULL(path.dentry))
		return PTR_ERR_OR_ZERO(path.dentry);

	ret = judge(lookup, &path);
	if (ret > 0 && !reserve_part(lookup, dirs->nr)) {
		lookup->part[lookup->nr++] = (struct shale_part){ layer, path.dentry };
		return 0;
	}
	dput(path.dentry);
	return ret > 0 ? -ENOMEM : ret;
}

/* Turns what was found into an entry; the references stay the look-up's. */
static struct shale_entry *make_entry(const struct lookup *lookup)
{
	struct shale_parts *parts = NULL;
	struct shale_entry *entry;
	unsigned int i;

	if (lookup->nr) {
		parts = shale_parts_alloc(lookup->nr);
		if (!parts)
			return ERR_PTR(-ENOMEM);
		for (i = 0; i < lookup->nr; i++) {
			parts->part[i].layer = lookup->part[i].layer;
			parts->part[i].dentry = dget(lookup->part[i].dentry);
		}
	}
	entry = shale_entry_alloc(lookup->sbi, lookup->upper, parts);
	shale_parts_put(parts);
	return entry ?: ERR_PTR(-ENOMEM);
}

static void lookup_end(struct lookup *lookup)
{
	while (lookup->nr)
		dput(lookup->part[--lookup->nr].dentry);
	kvfree(lookup->part);
	dput(lookup->upper);
}

struct shale_entry *shale_lookup_parts(struct super_block *sb, const struct shale_entry *dir,
				       const struct qstr *name, unsigned long *what)
{
	struct lookup lookup = { .sb = sb, .sbi = shale_sb(sb), .name = name };
	struct shale_entry *entry = NULL;
	unsigned int i;
	int err = 0;

	if (dir->upper)
		err = look_in_upper(&lookup, dir);
	for (i = 0; !err && !lookup.stop && i < shale_entry_nr_lower(dir); i++)
		err = look_in_lower(&lookup, dir->lower, i);

	if (err)
		entry = ERR_PTR(err);
	else if (lookup.upper || lookup.nr)
		entry = make_entry(&lookup);

	if (lookup.upper)
		*what = SHALE_NAME_UPPER;
	else if (lookup.nr)
		*what = SHALE_NAME_LOWER;
	else
		*what = lookup.whiteout ? SHALE_NAME_WHITEOUT : SHALE_NAME_ABSENT;
	lookup_end(&lookup);
	return entry;
}

int shale_lookup_below(const struct shale_entry *dir, const struct qstr *name)
{
	unsigned int i;

	for (i = 0; i < shale_entry_nr_lower(dir); i++) {
		const struct shale_part *part = &dir->lower->part[i];
		struct dentry *dentry = look(name, part->layer, part->dentry);
		bool whiteout;

		if (!dentry)
			continue;
		if (IS_ERR(dentry))
			return PTR_ERR(dentry);
		whiteout = shale_is_whiteout(dentry);
		dput(dentry);
		return !whiteout;
	}
	return 0;
}
