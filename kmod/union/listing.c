// SPDX-License-Identifier: GPL-2.0
#include "union/listing.h"

#include <linux/math64.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "stack/base.h"
#include "stack/creds.h"
#include "stack/marks.h"
#include "stack/upper.h"
#include "union/read_dir.h"

struct shale_layer *shale_listing_layer(const struct shale_listing *listing,
					const struct shale_sb *sbi,
					const struct shale_entry *entry, unsigned int part)
{
	if (shale_listing_is_upper(listing, part))
		return sbi->upper->layer;
	return shale_listing_lower_part(listing, entry, part)->layer;
}

struct path shale_listing_path(const struct shale_listing *listing, const struct shale_sb *sbi,
			       const struct shale_entry *entry, unsigned int part)
{
	return (struct path){
		.mnt = shale_listing_layer(listing, sbi, entry, part)->mnt,
		.dentry = shale_listing_is_upper(listing, part)
			  ? entry->upper : shale_listing_lower_part(listing, entry, part)->dentry,
	};
}

/* The order of names */

/*
 * Keyed, since whoever may create names must not be able to choose their hashes: a thousand names
 * with one would be a thousand positions that depend on each other.
 */
static u64 name_hash(const struct shale_sb *sbi, const char *text, unsigned int len)
{
	return siphash(text, len, &sbi->name_key) >> 1;
}

void shale_listing_set_key(struct super_block *sb)
{
	static const siphash_key_t first = { { 0x7368616c65206e61, 0x6d6573206f726465 } };
	static const siphash_key_t second = { { 0x72656420616e6420, 0x666f756e64206279 } };
	struct shale_sb *sbi = shale_sb(sb);
	const struct shale_stack *stack = sbi->stack;
	struct {
		uuid_t uuid;
		u64 ino;
		u64 generation;
	} identity = { .uuid = sb->s_uuid };

	if (uuid_is_null(&identity.uuid)) {
		const struct inode *root = d_inode(stack->lower[0]->mnt->mnt_root);

		identity.uuid = root->i_sb->s_uuid;
		identity.ino = root->i_ino;
		identity.generation = root->i_generation;
	}
	sbi->name_key.key[0] = siphash(&identity, sizeof(identity), &first);
	sbi->name_key.key[1] = siphash(&identity, sizeof(identity), &second);
}

/* Making one */

struct sorted {
	u64 hash;			/* of the name, here for the sake of the cache */
	struct shale_raw_name *raw;
};

struct making {
	const struct shale_sb *sbi;
	const struct shale_entry *entry;
	struct shale_listing head;	/* what is known before the names are */
	struct shale_reader reader;
	struct sorted *sorted;
	size_t nr;			/* of sorted */
	size_t nr_compared;
};

/* Step 1: read the parts. */

static unsigned int nr_parts(const struct making *m)
{
	if (m->head.of == SHALE_LISTING_OF_UPPER)
		return 1;
	return m->head.has_upper + shale_entry_nr_lower(m->entry);
}

/* Was there a name of unknown type among the latest @nr? */
static void note_types(const struct making *m, const struct path *path, size_t nr)
{
	const struct shale_layer *layer = shale_listing_layer(&m->head, m->sbi, m->entry,
							      m->reader.part);
	const struct shale_raw_name *raw;

	for (raw = m->reader.names; nr && raw->type != DT_UNKNOWN; raw = raw->next)
		nr--;
	if (nr && shale_base_lacks(&m->sbi->base[layer->base], SHALE_BASE_TYPES))
		pr_info("%s (%s) has no types of names in directories: reading one looks up each\n",
			layer->name, path->dentry->d_sb->s_type->name);
}

static int read_parts(struct making *m)
{
	struct shale_reader *reader = &m->reader;
	unsigned int nr = nr_parts(m);
	int err = 0;

	for (reader->part = 0; !err && reader->part < nr; reader->part++) {
		const struct path path = shale_listing_path(&m->head, m->sbi, m->entry,
							    reader->part);
		size_t before = reader->nr;

		err = shale_reader_read(reader, &path);
		note_types(m, &path, reader->nr - before);
	}
	return err;
}

/* May the upper's part have copies of what lies elsewhere below? */
static int look_for_copies(struct making *m)
{
	const struct path path = shale_listing_path(&m->head, m->sbi, m->entry, 0);
	int impure;

	if (!m->head.has_upper)
		return 0;
	impure = shale_mark_present(m->sbi, &path, SHALE_MARK_IMPURE);
	m->head.impure = impure > 0;
	return min(impure, 0);
}

/* Step 2: bring equal names together, the top-most part's first. */

static int compare_keys(const struct shale_raw_name *a, const struct shale_raw_name *b)
{
	return a->key_len != b->key_len ? a->key_len - b->key_len
					: memcmp(a->key, b->key, a->key_len);
}

static int compare(const void *first, const void *second, const void *priv)
{
	const struct sorted *a = first, *b = second;
	struct making *m = (struct making *)priv;
	int diff;

	/* A million names take a while, and sort_r() never pauses. */
	if (!(++m->nr_compared % 4096))
		cond_resched();

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	diff = compare_keys(a->raw, b->raw);
	return diff ?: a->raw->part - b->raw->part;
}

static int sort_names(struct making *m)
{
	struct shale_raw_name *raw;

	if (!m->reader.nr)
		return 0;
	m->sorted = kvmalloc_array(m->reader.nr, sizeof(*m->sorted), GFP_KERNEL_ACCOUNT);
	if (!m->sorted)
		return -ENOMEM;
	for (raw = m->reader.names; raw; raw = raw->next)
		m->sorted[m->nr++] = (struct sorted){
			.hash = name_hash(m->sbi, raw->key, raw->key_len), .raw = raw,
		};
	sort_r(m->sorted, m->nr, sizeof(*m->sorted), compare, NULL, m);
	return 0;
}

/* Step 3: keep one of each. */

/* Return: behind the last of the names that are equal to number @i. */
static size_t next_name(const struct making *m, size_t i)
{
	const struct sorted *first = &m->sorted[i];

	while (++i < m->nr && m->sorted[i].hash == first->hash &&
	       !compare_keys(m->sorted[i].raw, first->raw))
		;
	return i;
}

static bool may_be_dir(const struct shale_raw_name *raw)
{
	return raw->type == DT_DIR || raw->type == DT_UNKNOWN;
}

/* Of equal names from @i to @next, how many parts may belong to one directory? */
static u16 count_parts(const struct making *m, size_t i, size_t next)
{
	u16 nr = 0;

	for (; i < next && may_be_dir(m->sorted[i].raw); i++)
		nr++;
	return nr;
}

static void keep_name(const struct making *m, struct shale_listed *listed, char *text, size_t i,
		      size_t next)
{
	const struct shale_raw_name *raw = m->sorted[i].raw;
	u16 nr = count_parts(m, i, next), k;

	listed->hash = m->sorted[i].hash;
	listed->ino = raw->ino;
	listed->len = raw->len;
	listed->part = raw->part;
	listed->kind = raw->type | (next - i > 1 ? SHALE_LISTED_BELOW : 0);
	listed->nr_more = nr ? nr - 1 : 0;
	memcpy(text, raw->text, raw->len);
	text += raw->len;
	for (k = 1; k < nr; k++) {
		memcpy(text, &m->sorted[i + k].raw->part, sizeof(u16));
		text += sizeof(u16);
	}
}

static size_t kept_size(const struct shale_listed *listed)
{
	return listed->len + listed->nr_more * sizeof(u16);
}

static struct shale_listing *keep_names(const struct making *m)
{
	size_t i, next, nr = 0, size = 0;
	struct shale_listing *listing;
	char *text;

	for (i = 0; i < m->nr; i = next, nr++) {
		next = next_name(m, i);
		size += m->sorted[i].raw->len + (next - i - 1) * sizeof(u16);
	}
	size += struct_size(listing, name, nr);
	if (size > INT_MAX)
		return ERR_PTR(-EOVERFLOW);
	listing = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!listing)
		return ERR_PTR(-ENOMEM);
	*listing = m->head;
	refcount_set(&listing->ref, 1);
	INIT_LIST_HEAD(&listing->link);
	listing->nr = nr;
	listing->bytes = size;
	text = (char *)&listing->name[nr];
	listing->text = text;

	for (i = 0, nr = 0, size = 0; i < m->nr; i = next, nr++) {
		next = next_name(m, i);
		listing->name[nr].text = size;
		keep_name(m, &listing->name[nr], text + size, i, next);
		size += kept_size(&listing->name[nr]);
		if (!(nr % 4096))
			cond_resched();
	}
	return listing;
}

struct shale_listing *shale_listing_make(struct super_block *sb, const struct shale_entry *entry,
					 enum shale_listing_of of)
{
	struct making m = {
		.sbi = shale_sb(sb), .entry = entry,
		.head = {
			.of = of, .has_upper = of != SHALE_LISTING_OF_LOWERS && entry->upper,
		},
	};
	struct shale_listing *listing;
	int err;

	err = shale_reader_begin(&m.reader, sb) ?: read_parts(&m) ?: look_for_copies(&m) ?:
	      sort_names(&m);
	listing = err ? ERR_PTR(err) : keep_names(&m);

	kvfree(m.sorted);
	shale_reader_end(&m.reader);
	return listing;
}

/* After a grace period, for who finds one in its slot may be about to take a reference. */
void shale_listing_put(struct shale_listing *listing)
{
	if (!IS_ERR_OR_NULL(listing) && refcount_dec_and_test(&listing->ref))
		kvfree_rcu(listing, rcu);
}

/* Finding */

/*
 * Hashes are spread evenly, so that where one is can be guessed: each guess leaves the square root
 * of what there was. Should they not be, halving ends it.
 */
static size_t find_hash(const struct shale_listing *listing, u64 hash)
{
	u64 low_hash = 0, high_hash = S64_MAX;
	size_t low = 0, high = listing->nr;
	unsigned int guesses = 6;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (guesses && high - low > 8) {
			u64 step = div64_u64(high_hash - low_hash, high - low) + 1;

			guesses--;
			middle = min_t(size_t, low + div64_u64(hash - low_hash, step), high - 1);
		}
		if (listing->name[middle].hash < hash) {
			low = middle + 1;
			low_hash = listing->name[middle].hash;
		} else {
			high = middle;
			high_hash = listing->name[middle].hash;
		}
	}
	return low;
}

const struct shale_listed *shale_listing_find(const struct shale_listing *listing,
					      const struct shale_sb *sbi, const char *name,
					      size_t len)
{
	u64 hash = name_hash(sbi, name, len);
	size_t i;

	for (i = find_hash(listing, hash); i < listing->nr; i++) {
		const struct shale_listed *listed = &listing->name[i];

		if (listed->hash != hash)
			break;
		if (listed->len == len && !memcmp(shale_listed_text(listing, listed), name, len))
			return listed;
	}
	return NULL;
}

int shale_listed_next_part(const struct shale_listing *listing, const struct shale_listed *listed,
			   unsigned int from)
{
	const char *more = shale_listed_text(listing, listed) + listed->len;
	unsigned int low = 0, high = listed->nr_more;
	u16 part;

	if (from <= listed->part)
		return listed->part;
	while (low < high) {
		unsigned int middle = (low + high) / 2;

		memcpy(&part, more + middle * sizeof(part), sizeof(part));
		if (part < from)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == listed->nr_more)
		return -1;
	memcpy(&part, more + low * sizeof(part), sizeof(part));
	return part;
}

/* Judging */

/* Return: a counted dentry; NULL when the name is gone; ERR_PTR. */
static struct dentry *look(const struct path *dir, const char *text, unsigned int len)
{
	struct dentry *dentry = lookup_one_unlocked(mnt_idmap(dir->mnt), &QSTR_LEN(text, len),
						    dir->dentry);

	if (!IS_ERR(dentry) && d_is_negative(dentry)) {
		dput(dentry);
		return NULL;
	}
	return dentry == ERR_PTR(-ENOENT) ? NULL : dentry;
}

int shale_name_judge(const struct shale_sb *sbi, const struct path *dir, bool xwhiteouts,
		     const char *text, unsigned int len, unsigned int *type)
{
	struct path path = { .mnt = dir->mnt };
	int ret;

	if (fatal_signal_pending(current))
		return -EINTR;

	CLASS(shale_mounter, cred)(sbi->sb);

	path.dentry = look(dir, text, len);
	if (!path.dentry)
		return 0;
	if (IS_ERR(path.dentry))
		return PTR_ERR(path.dentry) == -ENOMEM ? -ENOMEM : SHALE_NAME_UNSEEN;
	ret = shale_mark_is_whiteout(sbi, &path, xwhiteouts);
	if (!ret)
		*type = fs_umode_to_dtype(d_inode(path.dentry)->i_mode);
	dput(path.dentry);
	if (ret < 0)
		return ret == -ENOMEM ? ret : SHALE_NAME_UNSEEN;
	return !ret;
}

int shale_listed_judge(const struct shale_listing *listing, struct shale_listed *listed,
		       const struct shale_sb *sbi, const struct shale_entry *entry)
{
	u16 kind = READ_ONCE(listed->kind);
	unsigned int type = kind & SHALE_LISTED_TYPE;
	struct path dir;
	bool xwhiteouts;
	int show;

	if (kind & (SHALE_LISTED_JUDGED | SHALE_LISTED_HIDDEN))
		return !(kind & SHALE_LISTED_HIDDEN);
	xwhiteouts = !shale_listing_is_upper(listing, listed->part) &&
		     shale_listing_lower_part(listing, entry, listed->part)->xwhiteouts;
	if (!shale_name_is_doubtful(type, xwhiteouts))
		return 1;

	dir = shale_listing_path(listing, sbi, entry, listed->part);
	show = shale_name_judge(sbi, &dir, xwhiteouts, shale_listed_text(listing, listed),
				listed->len, &type);
	/* Everybody comes to the same verdict, but for errors, which may pass. */
	if (show == 0 || show == 1)
		WRITE_ONCE(listed->kind, (kind & SHALE_LISTED_BELOW) | type |
			   (show ? SHALE_LISTED_JUDGED : SHALE_LISTED_HIDDEN));
	return show;
}
