// SPDX-License-Identifier: GPL-2.0
#include "union/lookup.h"

#include <linux/namei.h>
#include <linux/slab.h>

#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/name.h"
#include "stack/origin.h"
#include "union/index.h"
#include "union/listings.h"

/*
 * From the top down: the first layer that has the name says what the object is. A directory
 * merges with those of further layers, and a file without data goes on to the one that has
 * it, until something ends that. A redirect changes what further layers are asked for.
 */
struct lookup {
	struct super_block *sb;
	const struct shale_sb *sbi;
	const struct qstr *name;
	struct shale_listing *listing;	/* counted: what is known of the lower parts; or NULL */
	const struct shale_listed *listed;	/* of the name; NULL: no lower part has it */
	bool by_listing;		/* that is the name that layers are asked for */
	unsigned int nr_misses;		/* lower parts that were asked in vain */
	unsigned int nr_probes;		/* parts that were asked */
	unsigned int nr_saved;		/* lower parts that a listing has saved asking */

	char *redirect;			/* what layers are asked for instead of the name; or NULL */
	bool absolute;			/* and that is a path from their roots */

	struct dentry *upper;		/* counted */
	bool whiteout;			/* the upper has a whiteout */
	bool upper_metacopy;
	bool without_origin;		/* and with its data, nothing will lead further down */

	struct shale_part *part;	/* counted dentries, the top-most first */
	struct shale_part first;	/* room for one, which most objects have */
	unsigned int nr, max;
	bool verified;			/* the upper's directory is the copy of the first part */
	bool indexed;			/* the index has the upper */
	bool linked;			/* by this name, the directory has it too */

	bool dir;			/* what was found is a directory */
	bool metacopy;			/* a file was found, its data was not */
	bool stop;			/* layers further down do not show through */
};

/*
 * Looks a name up in one layer's directory.
 * Return: a counted positive dentry; NULL for none; ERR_PTR.
 */
static struct dentry *look(const char *name, size_t len, const struct shale_layer *layer,
			   struct dentry *base)
{
	struct dentry *dentry;

	dentry = lookup_one_unlocked(shale_layer_idmap(layer), &QSTR_LEN(name, len), base);
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
	if (shale_dentry_is_weird(dentry) ||
	    (d_is_dir(dentry) && shale_is_casefolded(dentry) != shale_layer_casefolded(layer))) {
		dput(dentry);
		return ERR_PTR(-EREMOTE);
	}
	return dentry;
}

/* Room for another part. */
static int reserve_part(struct lookup *l, unsigned int most)
{
	struct shale_part *part;

	if (!l->nr) {
		l->part = &l->first;
		return 0;
	}
	if (l->nr > 1 && l->nr < l->max)
		return 0;
	part = kvmalloc_array(most, sizeof(*part), GFP_KERNEL);
	if (!part)
		return -ENOMEM;
	memcpy(part, l->part, l->nr * sizeof(*part));
	if (l->part != &l->first)
		kvfree(l->part);
	l->part = part;
	l->max = most;
	return 0;
}

/* Takes over the dentry's reference, also on error. */
static int add_part(struct lookup *l, const struct shale_part *part, unsigned int most)
{
	int err = reserve_part(l, most);

	if (err)
		dput(part->dentry);
	else
		l->part[l->nr++] = *part;
	return err;
}

/*
 * Of a file only the top-most lower part counts, which gives it its number, and the one with the
 * data; files without data in between are passed by.
 */
static int add_found(struct lookup *l, const struct shale_part *part, unsigned int most)
{
	if (l->dir || !l->nr || !l->metacopy)
		return add_part(l, part, most);
	dput(part->dentry);
	return 0;
}

/* Showing an object without the meaning that its mark gives it would be showing another. */
static int refuse(const struct path *path, const char *mark, enum shale_feature feature)
{
	pr_warn_ratelimited("%pd2 carries the mark %s, which a mount without %s does not follow\n",
			    path->dentry, mark,
			    feature == SHALE_METACOPY ? "metacopy=on" : "redirect_dir=follow");
	return -EPERM;
}

/* Is this the lowest layer that merges, from where no name leads further? */
static bool is_bottom(const struct lookup *l, const struct path *path)
{
	const struct shale_stack *stack = l->sbi->stack;

	return path->mnt == stack->lower[shale_stack_nr_merged(stack) - 1]->mnt;
}

static bool is_lower(const struct lookup *l, const struct path *path)
{
	return !l->sbi->upper || path->mnt != l->sbi->upper->layer->mnt;
}

/* Whoever names data-only layers wants files without data to find it there. */
static bool leads_to_data(const struct lookup *l)
{
	return l->metacopy && l->sbi->stack->nr_data;
}

/*
 * Lets further layers be asked for what an object's redirect says: instead of everything up to
 * it, with @rest, what follows in the path, unchanged. What precedes it stays when the redirect is
 * relative.
 */
static int follow_redirect(struct lookup *l, const struct path *path, const char *rest)
{
	const char *asked = l->redirect ?: (const char *)l->name->name;
	size_t before = 0;
	char *text, *joined;
	int kind = shale_mark_redirect(l->sbi, path, &text);

	if (kind <= 0)
		return kind;
	if (!shale_redirects_followed(&l->sbi->features) && !leads_to_data(l)) {
		kfree(text);
		return refuse(path, SHALE_MARK_REDIRECT, SHALE_REDIRECT_DIR);
	}
	if (kind == SHALE_REDIRECT_RELATIVE && l->absolute) {
		before = strlen(asked) - strlen(rest);
		while (asked[before - 1] != '/')
			before--;
	}
	joined = kasprintf(GFP_KERNEL, "%.*s%s%s", (int)before, asked, text, rest);
	kfree(text);
	if (!joined)
		return -ENOMEM;
	/* What was opaque on the way there says nothing of another path. */
	if (kind == SHALE_REDIRECT_ABSOLUTE) {
		l->absolute = true;
		l->stop = false;
	}
	kfree(l->redirect);
	l->redirect = joined;
	l->by_listing = false;
	return strlen(joined) > SHALE_REDIRECT_MAX ? -EIO : 0;
}

/*
 * Goes into a directory of one layer, to look for more in it or because it is the object.
 * @rest: what is still to be looked for in it
 */
static int judge_dir(struct lookup *l, const struct path *path, const char *rest, bool *xwhiteouts)
{
	int opaque;

	if (shale_inode_is_trap(l->sb, d_inode(path->dentry)))
		return -ELOOP;
	if (!*rest)
		l->dir = true;
	if (is_bottom(l, path))
		return 0;

	opaque = shale_mark_opaque(l->sbi, path);
	if (opaque < 0)
		return opaque;
	*xwhiteouts = opaque == SHALE_OPAQUE_XWHITEOUT;
	if (opaque == SHALE_OPAQUE_YES) {
		l->stop = true;
		return 0;
	}
	return follow_redirect(l, path, rest);
}

/* Anything but a directory, at the end of the way. Return: whether it belongs to the object. */
static int judge_leaf(struct lookup *l, const struct path *path)
{
	int metacopy, err;

	l->stop = true;
	if (l->dir || (l->metacopy && !d_is_reg(path->dentry)))
		return 0;
	metacopy = shale_mark_metacopy(l->sbi, path, NULL);
	if (metacopy < 0)
		return metacopy;
	l->metacopy = metacopy;
	if (!metacopy)
		return 1;
	if (shale_feature_on(&l->sbi->features, SHALE_METACOPY)) {
		l->stop = false;
		return follow_redirect(l, path, "") ?: 1;
	}
	/* Not to what other layers have: only to data-only layers, and not from the upper. */
	if (!leads_to_data(l) || !is_lower(l, path))
		return refuse(path, SHALE_MARK_METACOPY, SHALE_METACOPY);
	err = follow_redirect(l, path, "");
	l->stop = true;
	return err ?: 1;
}

/*
 * Judges what one layer has under one name on the way.
 * @in: the directory it is in; set to the object itself, which may be gone into
 * @rest: what follows on the way
 * Return: 1 to go on into it, or, at the end, when it belongs to the object; 0; or an errno.
 */
static int judge(struct lookup *l, struct shale_part *in, struct dentry *found, const char *rest)
{
	const struct path path = { .mnt = in->layer->mnt, .dentry = found };
	int ret = shale_mark_is_whiteout(l->sbi, &path, in->xwhiteouts);

	if (ret < 0)
		return ret;
	if (ret) {
		l->stop = true;
		return 0;
	}
	in->xwhiteouts = false;
	if (!d_is_dir(found)) {
		if (!*rest)
			return judge_leaf(l, &path);
		l->stop = true;
		return 0;
	}
	/* What has data is no directory. */
	if (!*rest && l->metacopy) {
		l->stop = true;
		return 0;
	}
	return judge_dir(l, &path, rest, &in->xwhiteouts) ?: 1;
}

/*
 * Looks in one layer, a name or a path.
 * @part: the directory to begin in; set to what was found, with a counted dentry
 * Return: 1 when it belongs to the object, 0 when there is nothing that does, or an errno.
 */
static int look_in_layer(struct lookup *l, struct shale_part *part)
{
	/* Redirects on the way change what precedes them; what is left of the way stays as long. */
	size_t left = l->redirect ? strlen(l->redirect) - l->absolute : l->name->len;
	struct dentry *in = part->dentry, *held = NULL;
	int ret = 1;

	l->nr_probes++;
	atomic_long_inc(&part->layer->look_ups);
	while (ret > 0) {
		const char *text = (l->redirect ?: (const char *)l->name->name) +
				   (l->redirect ? strlen(l->redirect) : l->name->len) - left;
		size_t len = shale_component_len(text, left);
		struct dentry *found = look(text, len, part->layer, in);

		ret = PTR_ERR_OR_ZERO(found);
		if (!ret && found)
			ret = judge(l, part, found, left == len ? "" : text + len);
		dput(held);
		held = IS_ERR(found) ? NULL : found;
		in = held;
		if (left == len)
			break;
		left -= len + 1;
	}
	if (ret > 0)
		part->dentry = in;
	else
		dput(held);
	return ret;
}

/* The copy of a file: what was it copied from? */
static int find_origin(struct lookup *l, const struct path *path)
{
	struct shale_origin_record record;
	struct shale_part part;
	int ret = shale_origin_get(l->sbi, path, SHALE_MARK_ORIGIN, &record);

	if (ret > 0)
		ret = shale_origin_find(l->sbi, &record, &part);
	if (ret <= 0)
		return ret;
	/* The layer may have been changed while it was no part of a mount. */
	if ((d_inode(part.dentry)->i_mode ^ d_inode(path->dentry)->i_mode) & S_IFMT) {
		dput(part.dentry);
		return -EIO;
	}
	return add_part(l, &part, 1);
}

/* A copy without data: will its origin be known when it has got them? */
static int check_origin(struct lookup *l, const struct path *path)
{
	struct shale_origin_record record;
	int ret = shale_origin_get(l->sbi, path, SHALE_MARK_ORIGIN, &record);

	l->without_origin = ret <= 0 || !shale_origin_is_known(l->sbi, &record);
	return min(ret, 0);
}

static int look_in_upper(struct lookup *l, const struct shale_entry *dir)
{
	struct shale_part part = { .layer = l->sbi->upper->layer, .dentry = dir->upper };
	struct path path = { .mnt = part.layer->mnt };
	int ret = look_in_layer(l, &part);

	if (ret <= 0)
		return ret;
	l->upper = part.dentry;
	l->linked = true;
	l->upper_metacopy = l->metacopy;
	path.dentry = l->upper;
	if (l->dir)
		return 0;
	/* To where its data is, the way leads by names. */
	return l->metacopy ? check_origin(l, &path) : find_origin(l, &path);
}

/* The number of the layer among the roots that comes after this one. */
static unsigned int below_layer(const struct shale_parts *roots, const struct shale_layer *layer)
{
	unsigned int i = 0;

	while (roots->part[i++].layer != layer)
		;
	return i;
}

/* With an index, is the upper's object to be the copy of what its name leads to below? */
static bool wants_origin(const struct lookup *l, const struct shale_part *part)
{
	if (!l->upper || l->nr)
		return false;
	if (l->dir)
		return shale_entry_index_may_have(l->sbi, d_inode(part->dentry));
	return l->sbi->upper->indexdir;
}

/*
 * With nfs_export=on a directory does not merge with one that it is known not to be the copy of:
 * the handle of that would lead here. And with index=on a copy without data does not take those of
 * another file.
 * Return: 1 when it may, 0, or an errno.
 */
static int verify_origin(struct lookup *l, const struct shale_part *part)
{
	struct path path = { .dentry = l->upper };
	struct shale_origin_record wanted, found;
	int ret;

	if (!wants_origin(l, part))
		return 1;
	path.mnt = l->sbi->upper->layer->mnt;
	ret = shale_origin_get(l->sbi, &path, SHALE_MARK_ORIGIN, &found);
	if (ret <= 0 || (!l->dir && !shale_origin_is_known(l->sbi, &found)))
		return ret < 0 ? ret : 1;
	ret = shale_origin_encode(l->sbi, &wanted, part->dentry, false);
	if (ret)
		return ret;
	l->verified = shale_origin_is_same(&wanted, &found);
	if (l->verified)
		return 1;
	if (!l->dir) {
		pr_warn_ratelimited("%pd2: the file below is another than was copied\n", l->upper);
		return -ESTALE;
	}
	l->stop = true;
	return 0;
}

/*
 * A listing spares asking those parts that don't have the name, or nothing that can belong to the
 * object.
 */
static void consult_listing(struct lookup *l, struct inode *dir, const struct shale_entry *parent)
{
	const char *name = l->redirect ?: (const char *)l->name->name;

	if (l->stop)
		return;
	l->listing = shale_listings_lowers(dir, parent);
	if (!l->listing || l->absolute)
		return;
	l->by_listing = true;
	l->listed = shale_listing_find(l->listing, l->sbi, name,
				       l->redirect ? strlen(l->redirect) : l->name->len);
}

/*
 * Return: the number of the next part to ask, from number @i on; behind the last when there is
 * none.
 */
static unsigned int next_part(const struct lookup *l, const struct shale_parts *dirs,
			      unsigned int i)
{
	int next;

	/* Once a part has redirected, further ones are asked for another name. */
	if (!l->by_listing)
		return i;
	if (!l->listed)
		return dirs->nr;
	/* A file that goes on has no data. */
	if (i > l->listed->part && !l->dir)
		return i;
	next = shale_listed_next_part(l->listing, l->listed, i);
	return next < 0 ? dirs->nr : next;
}

static int look_in_lowers_from(struct lookup *l, const struct shale_parts *dirs, unsigned int *i)
{
	struct shale_part part = dirs->part[(*i)++];
	int ret = look_in_layer(l, &part);

	if (!ret && !l->stop)
		l->nr_misses++;
	if (ret <= 0)
		return ret;
	ret = verify_origin(l, &part);
	if (ret > 0)
		return add_found(l, &part, dirs->nr);
	dput(part.dentry);
	return ret;
}

/* From the parts of the directory and, once a redirect says so, from the roots of the layers. */
static int look_in_lowers(struct lookup *l, const struct shale_parts *dirs)
{
	struct shale_entry *root __free(shale_entry) = NULL;
	unsigned int i = 0, next;
	int err = 0;

	while (!err && !l->absolute && !l->stop && dirs) {
		next = next_part(l, dirs, i);
		l->nr_saved += next - i;
		i = next;
		if (i >= dirs->nr)
			break;
		err = look_in_lowers_from(l, dirs, &i);
	}
	if (err || !l->absolute || l->stop)
		return err;

	root = shale_entry_get(d_inode(l->sb->s_root));
	i = i ? below_layer(root->lower, dirs->part[i - 1].layer) : 0;
	while (!err && !l->stop && i < root->lower->nr)
		err = look_in_lowers_from(l, root->lower, &i);
	return err;
}

/*
 * A file without data. What comes from a data-only layer is looked up when it is needed: of
 * thousands of names most never are.
 */
static int settle_data(struct lookup *l)
{
	static const struct shale_part later = { };

	if (!l->metacopy)
		return 0;
	if (l->sbi->stack->nr_data && l->absolute && l->nr)
		return add_part(l, &later, 2);
	pr_warn_ratelimited("%pd2 is without data, and no layer below has any\n",
			    l->upper ?: l->part[0].dentry);
	return -EIO;
}

/*
 * A directory of the upper is what the index says, or somebody has copied it. One that the index
 * has, and the upper has not by this name, was renamed, and what covered the lower name is gone.
 */
static int check_index_of_dir(struct lookup *l, struct dentry *index)
{
	int err = l->upper ? shale_index_verify_dir(l->sbi, index, l->upper) : -EIO;

	l->indexed = !err;
	if (err == -EIO)
		pr_warn_ratelimited("%pd2: the index knows another copy of this directory\n",
				    l->upper ?: l->part[0].dentry);
	return err;
}

/*
 * Of a lower file with several names: the copy that another name has got is this name's, too. A
 * copy under this name is one object with the others when it is the index's.
 */
static int take_index(struct lookup *l, struct dentry *index)
{
	const struct path path = { .mnt = l->sbi->upper->layer->mnt, .dentry = index };
	int ret;

	if (l->upper) {
		l->indexed = d_inode(l->upper) == d_inode(index);
		return 0;
	}
	l->upper = dget(index);
	l->indexed = true;
	ret = shale_mark_metacopy(l->sbi, &path, NULL);
	l->upper_metacopy = ret > 0;
	return min(ret, 0);
}

static int look_in_index(struct lookup *l)
{
	struct dentry *index;
	int err;

	if (!l->nr || !shale_entry_index_may_have(l->sbi, d_inode(l->part[0].dentry)))
		return 0;
	if (l->dir && l->upper && !l->verified)
		return 0;
	index = shale_index_find(l->sbi, l->part[0].dentry);
	if (IS_ERR_OR_NULL(index))
		return PTR_ERR_OR_ZERO(index);
	err = l->dir ? check_index_of_dir(l, index) : take_index(l, index);
	dput(index);
	return err;
}

/* What was removed can't have a name in the union. */
static int look_in_index_by_name(struct lookup *l)
{
	int err = look_in_index(l);

	if (err != -ESTALE)
		return err;
	pr_warn_ratelimited("%pd2: was removed, as the index says\n", l->part[0].dentry);
	return -EIO;
}

/* Turns what was found into an entry, which gets the parts. */
static struct shale_entry *make_entry(struct lookup *l)
{
	struct shale_parts *parts = NULL;
	struct shale_entry *entry;
	unsigned int i;

	if (l->nr) {
		parts = shale_parts_alloc(l->nr);
		if (!parts)
			return ERR_PTR(-ENOMEM);
		for (i = 0; i < parts->nr; i++)
			parts->part[i] = l->part[i];
		l->nr = 0;
		if (!parts->part[i - 1].dentry) {
			parts->data_path = kstrdup(l->redirect, GFP_KERNEL_ACCOUNT);
			if (!parts->data_path) {
				shale_parts_put(parts);
				return ERR_PTR(-ENOMEM);
			}
		}
	}
	entry = shale_entry_alloc(l->sbi, l->upper, parts);
	shale_parts_put(parts);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->metacopy = l->upper_metacopy;
	entry->unverified = shale_feature_on(&l->sbi->features, SHALE_VERITY) &&
			    shale_entry_data_path(l->sbi, entry).dentry != shale_entry_real(entry);
	entry->indexed = l->indexed;
	entry->remembered = l->without_origin && !l->indexed;
	return entry;
}

static void lookup_end(struct lookup *l)
{
	while (l->nr)
		dput(l->part[--l->nr].dentry);
	if (l->part != &l->first)
		kvfree(l->part);
	dput(l->upper);
	kfree(l->redirect);
	shale_listing_put(l->listing);
}

static void count(const struct lookup *l)
{
	const struct shale_counters *counters = &l->sbi->counters;

	shale_count(counters, SHALE_COUNT_LOOK_UPS, 1);
	shale_count(counters, SHALE_COUNT_PROBES, l->nr_probes);
	if (l->nr_saved)
		shale_count(counters, SHALE_COUNT_PROBES_SAVED, l->nr_saved);
}

static unsigned long name_word(const struct lookup *l)
{
	if (l->linked)
		return SHALE_NAME_UPPER;
	if (l->nr)
		return SHALE_NAME_LOWER;
	return l->whiteout ? SHALE_NAME_WHITEOUT : SHALE_NAME_ABSENT;
}

struct shale_entry *shale_lookup_parts(struct inode *dir, const struct shale_entry *parent,
				       const struct qstr *name, unsigned long *what)
{
	struct lookup l = { .sb = dir->i_sb, .sbi = shale_sb(dir->i_sb), .name = name };
	struct shale_entry *entry = NULL;
	int err = 0;

	if (parent->upper) {
		err = look_in_upper(&l, parent);
		l.whiteout = !l.upper && l.stop;
	}
	if (!err) {
		consult_listing(&l, dir, parent);
		err = look_in_lowers(&l, parent->lower);
	}
	if (!err)
		err = settle_data(&l);
	if (!err)
		err = look_in_index_by_name(&l);

	*what = name_word(&l);
	if (err)
		entry = ERR_PTR(err);
	else if (l.upper || l.nr)
		entry = make_entry(&l);
	if (l.nr_misses && !l.listing)
		shale_listings_missed(dir, parent, l.nr_misses);
	count(&l);
	lookup_end(&l);
	return entry;
}

/* The object itself, without a way that leads to it. */
static int look_at_upper(struct lookup *l, struct dentry *upper)
{
	const struct path path = { .mnt = l->sbi->upper->layer->mnt, .dentry = upper };
	int ret;

	if (shale_is_whiteout(upper))
		return -ESTALE;
	l->upper = dget(upper);
	ret = judge_leaf(l, &path);
	return ret < 0 ? ret : find_origin(l, &path);
}

static int look_at_lower(struct lookup *l, const struct shale_part *lower)
{
	const struct path path = { .mnt = lower->layer->mnt, .dentry = lower->dentry };
	int ret;

	if (shale_is_whiteout(lower->dentry))
		return -ESTALE;
	dget(lower->dentry);
	ret = add_part(l, lower, 1) ?: judge_leaf(l, &path);
	return ret < 0 ? ret : settle_data(l);
}

struct shale_entry *shale_lookup_object(struct super_block *sb, struct dentry *upper,
					const struct shale_part *lower)
{
	struct lookup l = { .sb = sb, .sbi = shale_sb(sb), .name = &QSTR("") };
	struct shale_entry *entry;
	int err = upper ? look_at_upper(&l, upper) : look_at_lower(&l, lower);

	if (!err)
		err = look_in_index(&l);
	entry = err ? ERR_PTR(err) : make_entry(&l);
	lookup_end(&l);
	return entry;
}

/* Return: 1, 0 or an errno; -EAGAIN when this part does not have the name. */
static int is_shown_by(const struct shale_sb *sbi, const struct shale_part *part,
		       const struct qstr *name)
{
	struct path path = { .mnt = part->layer->mnt };
	int whiteout;

	path.dentry = look((const char *)name->name, name->len, part->layer, part->dentry);
	if (IS_ERR_OR_NULL(path.dentry))
		return path.dentry ? PTR_ERR(path.dentry) : -EAGAIN;
	whiteout = shale_mark_is_whiteout(sbi, &path, part->xwhiteouts);
	dput(path.dentry);
	return whiteout < 0 ? whiteout : !whiteout;
}

int shale_lookup_below(struct inode *dir, const struct shale_entry *parent,
		       const struct qstr *name)
{
	struct lookup l = { .sb = dir->i_sb, .sbi = shale_sb(dir->i_sb), .name = name };
	unsigned int i;
	int ret = -EAGAIN;

	if (!parent->lower)
		return 0;
	consult_listing(&l, dir, parent);
	for (i = next_part(&l, parent->lower, 0); ret == -EAGAIN && i < parent->lower->nr; i++)
		ret = is_shown_by(l.sbi, &parent->lower->part[i], name);
	shale_listing_put(l.listing);
	return ret == -EAGAIN ? 0 : ret;
}
