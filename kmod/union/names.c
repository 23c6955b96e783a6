// SPDX-License-Identifier: GPL-2.0
#include "union/names.h"

#include <linux/namei.h>
#include <linux/sched/signal.h>

#include "stack/base.h"
#include "stack/creds.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "union/listings.h"
#include "union/lookup.h"
#include "union/read_dir.h"

/* Snapshots */

static int get_listing(struct shale_listing **listing, struct inode *dir,
		       const struct shale_entry *entry, enum shale_listing_of of)
{
	*listing = shale_listings_get(dir, entry, of);
	if (!IS_ERR(*listing))
		return 0;
	return PTR_ERR(xchg(listing, NULL));
}

int shale_names_get(struct inode *dir, struct shale_names *names)
{
	struct shale_entry *entry = shale_entry_get(dir);
	int err;

	*names = (struct shale_names){ .entry = entry };

	CLASS(shale_mounter, cred)(dir->i_sb);

	/* Without the entry mutex: this may take long, and reads what others lock. */
	if (!shale_entry_merged(entry) || !shale_listings_keeps_lowers(dir->i_sb, entry)) {
		err = get_listing(&names->top, dir, entry, SHALE_LISTING_OF_ALL);
	} else {
		err = get_listing(&names->lower, dir, entry, SHALE_LISTING_OF_LOWERS);
		if (!err && entry->upper)
			err = get_listing(&names->top, dir, entry, SHALE_LISTING_OF_UPPER);
	}
	if (err)
		shale_names_put(names);
	return err;
}

void shale_names_put(struct shale_names *names)
{
	shale_listing_put(names->lower);
	shale_listing_put(names->top);
	shale_entry_put(names->entry);
	*names = (struct shale_names){ };
}

/* Positions */

/* Room behind the last hash for names that have to move up. */
#define SPARE BIT(20)

static u64 hash_pos(u64 hash)
{
	return clamp(hash, SHALE_NAMES_FIRST, S64_MAX - SPARE);
}

/* The upper half of the hash, pressed into the range, so that the order stays the same. */
static u64 hash_narrow_pos(u64 hash)
{
	return SHALE_NAMES_FIRST +
	       ((hash >> 32) * (S32_MAX - SPARE - SHALE_NAMES_FIRST) >> 31);
}

static u64 pos_of(u64 hash, bool narrow)
{
	return narrow ? hash_narrow_pos(hash) : hash_pos(hash);
}

/* Walking through both listings, as through one */

struct walk {
	const struct shale_names *names;
	size_t next_top, next_lower;
	bool narrow;
	u64 pos;			/* of the name that was last stepped on */
};

/* What a step leads to: the name in the top-most of the listings that have it. */
struct step {
	const struct shale_listing *listing;
	struct shale_listed *listed;
	bool below;			/* the lower parts have it, too */
};

/* Names may be moved up by those before them, but not by those that are as far away as this. */
#define REACH SPARE

static size_t first_from(const struct shale_listing *listing, u64 pos, bool narrow)
{
	size_t low = 0, high = listing ? listing->nr : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (pos_of(listing->name[middle].hash, narrow) < pos)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct walk begin_walk(const struct shale_names *names, u64 pos, bool narrow)
{
	u64 from = pos > REACH ? pos - REACH : 0;

	return (struct walk){
		.names = names,
		.next_top = first_from(names->top, from, narrow),
		.next_lower = first_from(names->lower, from, narrow),
		.narrow = narrow,
		.pos = SHALE_NAMES_FIRST - 1,
	};
}

static int compare(const struct shale_names *names, const struct shale_listed *top,
		   const struct shale_listed *lower)
{
	if (top->hash != lower->hash)
		return top->hash < lower->hash ? -1 : 1;
	if (top->len != lower->len)
		return top->len - lower->len;
	return memcmp(shale_listed_text(names->top, top), shale_listed_text(names->lower, lower),
		      top->len);
}

static struct shale_listed *listed_at(struct shale_listing *listing, size_t i)
{
	return listing && i < listing->nr ? &listing->name[i] : NULL;
}

/* Return: whether there was one more. */
static bool next_step(struct walk *walk, struct step *step)
{
	const struct shale_names *names = walk->names;
	struct shale_listed *top = listed_at(names->top, walk->next_top);
	struct shale_listed *lower = listed_at(names->lower, walk->next_lower);
	int which;

	if (!top && !lower)
		return false;
	which = !lower ? -1 : !top ? 1 : compare(names, top, lower);
	walk->next_top += which <= 0;
	walk->next_lower += which >= 0;
	if (which <= 0)
		*step = (struct step){
			.listing = names->top, .listed = top,
			.below = !which || READ_ONCE(top->kind) & SHALE_LISTED_BELOW,
		};
	else
		*step = (struct step){ .listing = names->lower, .listed = lower };
	walk->pos = max(pos_of(step->listed->hash, walk->narrow), walk->pos + 1);
	return true;
}

/* Numbers */

/* Asks our inode. Return: whether there is one, with @ino set. */
static bool known_number(struct dentry *dir, struct qstr *text, u64 *ino)
{
	struct dentry *dentry;
	bool known;

	dentry = try_lookup_noperm(text, dir);
	if (IS_ERR_OR_NULL(dentry))
		return false;
	known = d_is_positive(dentry);
	if (known) {
		struct inode *inode = d_inode(dentry);
		struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

		*ino = shale_number(shale_sb(dir->d_sb), entry, inode->i_ino).ino;
	}
	dput(dentry);
	return known;
}

/* Asks the layers. A name that can't be looked up keeps the number it has in its layer. */
static u64 number_by_lookup(struct dentry *dir, const struct qstr *text, u64 ino)
{
	struct shale_entry *parent __free(shale_entry) = shale_entry_get(d_inode(dir));
	struct shale_entry *entry;
	unsigned long what;

	CLASS(shale_mounter, cred)(dir->d_sb);

	entry = shale_lookup_parts(d_inode(dir), parent, text, &what);
	if (IS_ERR_OR_NULL(entry))
		return ino;
	ino = shale_number(shale_sb(dir->d_sb), entry, ino).ino;
	shale_entry_put(entry);
	return ino;
}

u64 shale_name_number(struct dentry *dir, struct qstr text, unsigned int base, u64 ino,
		      enum shale_ask ask)
{
	ino = shale_number_in(shale_sb(dir->d_sb), base, ino);
	if (ask == SHALE_ASK_NOBODY || known_number(dir, &text, &ino))
		return ino;
	return ask == SHALE_ASK_LAYERS ? number_by_lookup(dir, &text, ino) : ino;
}

static struct qstr step_text(const struct step *step)
{
	return (struct qstr)QSTR_INIT(shale_listed_text(step->listing, step->listed),
				      step->listed->len);
}

static u64 step_number(const struct shale_names *names, const struct step *step,
		       struct dentry *dir)
{
	const struct shale_sb *sbi = shale_sb(dir->d_sb);
	const struct shale_listed *listed = step->listed;
	enum shale_ask ask = SHALE_ASK_NOBODY;

	if (shale_listing_is_upper(step->listing, listed->part) &&
	    (step->below || step->listing->impure))
		ask = SHALE_ASK_LAYERS;
	else if (shale_listed_type(listed) == DT_DIR && sbi->nr_base > 1)
		ask = SHALE_ASK_INODE;
	return shale_name_number(dir, step_text(step),
				 shale_listing_layer(step->listing, sbi, names->entry,
						     listed->part)->base, listed->ino, ask);
}

/* Showing them */

int shale_names_emit(const struct shale_names *names, struct dentry *dir, struct dir_context *ctx,
		     bool narrow)
{
	const struct shale_sb *sbi = shale_sb(dir->d_sb);
	struct walk walk = begin_walk(names, ctx->pos, narrow);
	struct step step;

	while (next_step(&walk, &step)) {
		int show;

		if (walk.pos < ctx->pos)
			continue;
		ctx->pos = walk.pos;
		show = shale_listed_judge(step.listing, step.listed, sbi, names->entry);
		if (show < 0)
			return show;
		if (show && !dir_emit(ctx, shale_listed_text(step.listing, step.listed),
				      step.listed->len, step_number(names, &step, dir),
				      shale_listed_type(step.listed)))
			return 0;
	}
	ctx->pos = shale_names_end(narrow);
	return 0;
}

/* Emptiness */

int shale_dir_is_empty(struct dentry *dentry)
{
	const struct shale_sb *sbi = shale_sb(dentry->d_sb);
	struct shale_names names;
	struct walk walk;
	struct step step;
	int ret = shale_names_get(d_inode(dentry), &names);

	if (ret)
		return ret;
	walk = begin_walk(&names, 0, false);
	while (!ret && next_step(&walk, &step))
		ret = shale_listed_judge(step.listing, step.listed, sbi, names.entry);
	shale_names_put(&names);
	return ret > 0 ? -ENOTEMPTY : ret;
}

static int remove_whiteout(const struct shale_token *tok, struct dentry *dir,
			   const struct shale_raw_name *raw)
{
	struct dentry *dentry;
	int err = 0;

	if (fatal_signal_pending(current))
		return -EINTR;
	dentry = lookup_one_unlocked(shale_upper_idmap(tok), &QSTR_LEN(raw->text, raw->len), dir);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	if (shale_is_whiteout(dentry))
		err = shale_upper_remove_dentry(tok, dir, dentry);
	else if (d_is_positive(dentry))
		err = -ENOTEMPTY;
	dput(dentry);
	return err;
}

static int remove_whiteouts(const struct shale_token *tok, struct dentry *dir,
			    struct shale_reader *reader)
{
	struct shale_raw_name *raw;
	int err = 0;

	/* All or nothing, as far as the types tell. */
	for (raw = reader->names; raw; raw = raw->next) {
		if (raw->type != DT_CHR && raw->type != DT_UNKNOWN)
			return -ENOTEMPTY;
	}

	for (raw = reader->names; !err && raw; raw = raw->next)
		err = remove_whiteout(tok, dir, raw);
	return err;
}

int shale_dir_remove_whiteouts(const struct shale_token *tok, struct dentry *upper_dir)
{
	const struct path path = shale_upper_path(tok, upper_dir);
	struct shale_reader reader = { };
	int err;

	err = shale_reader_read(&reader, &path) ?: remove_whiteouts(tok, upper_dir, &reader);
	shale_reader_end(&reader);
	return err;
}
