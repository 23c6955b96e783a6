// SPDX-License-Identifier: GPL-2.0
#include "union/names.h"

#include <linux/namei.h>
#include <linux/once.h>
#include <linux/sched/signal.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/unicode.h>

#include "compat/casefold.h"
#include "compat/real_file.h"
#include "stack/base.h"
#include "stack/creds.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "union/lookup.h"

/* Where the number of a name is to be had from. */
enum ask {
	ASK_NOBODY,			/* it is the one that the name stands with in its layer */
	ASK_INODE,			/* our inode, if there is one */
	ASK_LAYERS,			/* else a look-up: it may be a copy */
};

struct name {
	u64 pos;
	u64 ino;
	u32 narrow_pos;
	u32 text;			/* where it is in shale_names.text */
	u16 len;
	u8 type;
	u8 ask;				/* enum ask */
};

/* One allocation: the names in order, then their texts. */
struct shale_names {
	refcount_t ref;
	u64 version;			/* of the directory */
	size_t nr;
	const char *text;
	struct name name[] __counted_by(nr);
};

/* Positions */

/* Room behind the last hash for names that have to move up. */
#define SPARE BIT(20)

/*
 * Whoever may create names must not be able to choose their hashes: a thousand names with one
 * would be a thousand positions that depend on each other.
 */
static u64 name_hash(const char *text, unsigned int len)
{
	static siphash_aligned_key_t key __read_mostly;

	get_random_once(&key, sizeof(key));
	return siphash(text, len, &key) >> 1;
}

static u64 hash_pos(u64 hash)
{
	return clamp(hash, SHALE_NAMES_FIRST, S64_MAX - SPARE);
}

/* The upper half of the hash, pressed into the range, so that the order stays the same. */
static u32 hash_narrow_pos(u64 hash)
{
	return SHALE_NAMES_FIRST +
	       ((hash >> 32) * (S32_MAX - SPARE - SHALE_NAMES_FIRST) >> 31);
}

/* Reading one real directory: what it has is taken down as it comes, into a few big chunks. */

struct raw_name {
	struct raw_name *next;
	u64 hash;
	u64 ino;
	unsigned int part;		/* number of the part that has it, the top-most is 0 */
	u16 len;
	u16 key_len;
	u8 type;
	u8 ask;				/* enum ask */
	const char *key;		/* what is compared: the text or, behind it, folded */
	char text[];
};

struct chunk {
	struct chunk *next;
	size_t size;			/* of data */
	size_t used;
	u8 data[] __aligned(8);
};

#define CHUNK_MIN ((size_t)1024 - sizeof(struct chunk))
#define CHUNK_MAX ((size_t)(128 << 10) - sizeof(struct chunk))

/* Nobody's directory has as many, and sums of sizes stay far from any overflow. */
#define NAMES_MAX BIT(26)

/* Folding makes some letters longer. */
#define FOLDED_MAX PATH_MAX

struct reader {
	struct dir_context ctx;
	struct chunk *chunks;		/* the latest first */
	struct raw_name *names;		/* in the chunks; the latest first */
	size_t nr;
	struct unicode_map *fold;	/* names are compared without their case; or NULL */
	char *folded;			/* room for one of them, FOLDED_MAX bytes */
	unsigned int part;		/* being read */
	bool progress;			/* this pass has brought a name */
	int err;
};

static size_t raw_size(unsigned int len)
{
	return ALIGN(offsetof(struct raw_name, text) + len, 8);
}

static struct raw_name *raw_alloc(struct reader *reader, unsigned int len)
{
	struct chunk *chunk = reader->chunks;
	size_t need = raw_size(len);
	struct raw_name *raw;

	if (!chunk || chunk->size - chunk->used < need) {
		size_t size = chunk ? min(2 * chunk->size, CHUNK_MAX) : CHUNK_MIN;

		size = max(size, need);
		chunk = kvmalloc(struct_size(chunk, data, size), GFP_KERNEL_ACCOUNT);
		if (!chunk)
			return NULL;
		chunk->next = reader->chunks;
		chunk->size = size;
		chunk->used = 0;
		reader->chunks = chunk;
	}
	raw = (struct raw_name *)&chunk->data[chunk->used];
	chunk->used += need;
	return raw;
}

/* Return: the length of the folded name; 0 when that is the name itself. */
static unsigned int fold(struct reader *reader, const char *text, int len)
{
	const struct qstr name = QSTR_INIT(text, len);
	int folded = 0;

	if (IS_ENABLED(CONFIG_UNICODE) && reader->fold)
		folded = utf8_casefold(reader->fold, &name, reader->folded, FOLDED_MAX);
	return max(folded, 0);
}

static void set_key(const struct reader *reader, struct raw_name *raw, unsigned int len,
		    unsigned int folded)
{
	raw->key = raw->text;
	raw->key_len = len;
	if (!folded)
		return;
	raw->key = memcpy(raw->text + len, reader->folded, folded);
	raw->key_len = folded;
}

/* Under the real directory's lock: no look at what the name leads to. */
static bool take_down(struct dir_context *ctx, const char *text, int len, loff_t pos, u64 ino,
		      unsigned int type)
{
	struct reader *reader = container_of(ctx, struct reader, ctx);
	struct raw_name *raw;
	unsigned int folded;

	reader->progress = true;
	if (len <= 2 && text[0] == '.' && text[len - 1] == '.')
		return true;

	if (fatal_signal_pending(current))
		reader->err = -EINTR;
	else if (reader->nr >= NAMES_MAX)
		reader->err = -EOVERFLOW;
	if (reader->err)
		return false;

	folded = fold(reader, text, len);
	raw = raw_alloc(reader, len + folded);
	if (!raw) {
		reader->err = -ENOMEM;
		return false;
	}
	set_key(reader, raw, len, folded);
	memcpy(raw->text, text, len);
	raw->hash = name_hash(raw->key, raw->key_len);
	raw->ino = ino;
	raw->part = reader->part;
	raw->len = len;
	raw->type = type;
	raw->ask = ASK_NOBODY;
	raw->next = reader->names;
	reader->names = raw;
	reader->nr++;
	return true;
}

/* As the mounter. A file system may stop anywhere; it is at the end when nothing more comes. */
static int read_dir(struct reader *reader, const struct path *path)
{
	struct file *file = shale_real_dir_open(path);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	reader->ctx = (struct dir_context){ .actor = take_down };
	do {
		reader->progress = false;
		err = iterate_dir(file, &reader->ctx);
		if (err >= 0)
			err = reader->err;
	} while (!err && reader->progress);
	fput(file);
	return err;
}

static int begin_folding(struct reader *reader, const struct inode *dir)
{
	if (!shale_sb(dir->i_sb)->casefolded)
		return 0;
	reader->fold = sb_encoding(dir->i_sb);
	reader->folded = kmalloc(FOLDED_MAX, GFP_KERNEL);
	return reader->folded ? 0 : -ENOMEM;
}

static void reader_end(struct reader *reader)
{
	kfree(reader->folded);
	while (reader->chunks) {
		struct chunk *chunk = reader->chunks;

		reader->chunks = chunk->next;
		kvfree(chunk);
	}
}

/* Merging */

struct sorted {
	u64 hash;			/* of the name, here for the sake of the cache */
	struct raw_name *raw;
};

struct merge {
	const struct shale_sb *sbi;
	const struct shale_entry *entry;
	struct reader reader;
	bool impure;			/* the upper has copies whose names say nothing of it */
	struct sorted *sorted;
	size_t nr;			/* of sorted */
	size_t nr_compared;
};

/* Step 1: read all parts. */

static const struct shale_part *lower_part(const struct merge *merge, unsigned int i)
{
	return &merge->entry->lower->part[i - !!merge->entry->upper];
}

static bool is_upper(const struct merge *merge, unsigned int i)
{
	return merge->entry->upper && !i;
}

static struct path part_path(const struct merge *merge, unsigned int i)
{
	if (is_upper(merge, i))
		return shale_entry_path(merge->sbi, merge->entry);
	return (struct path){
		.mnt = lower_part(merge, i)->layer->mnt,
		.dentry = lower_part(merge, i)->dentry,
	};
}

static const struct shale_layer *part_layer(const struct merge *merge, unsigned int i)
{
	return is_upper(merge, i) ? merge->sbi->upper->layer : lower_part(merge, i)->layer;
}

/* Was there a name of unknown type among the latest @nr? */
static void note_types(const struct merge *merge, const struct path *path, size_t nr)
{
	const struct shale_layer *layer = part_layer(merge, merge->reader.part);
	const struct raw_name *raw;

	for (raw = merge->reader.names; nr && raw->type != DT_UNKNOWN; raw = raw->next)
		nr--;
	if (nr && shale_base_lacks(&merge->sbi->base[layer->base], SHALE_BASE_TYPES))
		pr_info("%s (%s) has no types of names in directories: reading one looks up each\n",
			layer->name, path->dentry->d_sb->s_type->name);
}

static int read_parts(struct merge *merge)
{
	unsigned int nr = shale_entry_nr_lower(merge->entry) + !!merge->entry->upper;
	struct reader *reader = &merge->reader;
	int err = 0;

	for (reader->part = 0; !err && reader->part < nr; reader->part++) {
		const struct path path = part_path(merge, reader->part);
		size_t before = reader->nr;

		err = read_dir(reader, &path);
		note_types(merge, &path, reader->nr - before);
	}
	return err;
}

/* May the upper's part have copies of what lies elsewhere below? */
static int look_for_copies(struct merge *merge)
{
	const struct path path = part_path(merge, 0);
	int impure = shale_mark_present(merge->sbi, &path, SHALE_MARK_IMPURE);

	merge->impure = impure > 0;
	return min(impure, 0);
}

/* Step 2: bring equal names together, the top-most part's first. */

static int compare_names(const struct raw_name *a, const struct raw_name *b)
{
	return a->key_len != b->key_len ? a->key_len - b->key_len
					: memcmp(a->key, b->key, a->key_len);
}

static int compare(const void *first, const void *second, const void *priv)
{
	const struct sorted *a = first, *b = second;
	struct merge *merge = (struct merge *)priv;
	int diff;

	/* A million names take a while, and sort_r() never pauses. */
	if (!(++merge->nr_compared % 4096))
		cond_resched();

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	diff = compare_names(a->raw, b->raw);
	if (diff)
		return diff;
	return a->raw->part < b->raw->part ? -1 : 1;
}

static int sort_names(struct merge *merge)
{
	struct raw_name *raw;

	merge->sorted = kvmalloc_array(merge->reader.nr, sizeof(*merge->sorted),
				       GFP_KERNEL_ACCOUNT);
	if (!merge->sorted)
		return -ENOMEM;
	for (raw = merge->reader.names; raw; raw = raw->next)
		merge->sorted[merge->nr++] = (struct sorted){ raw->hash, raw };
	sort_r(merge->sorted, merge->nr, sizeof(*merge->sorted), compare, NULL, merge);
	return 0;
}

/* Step 3: of equal names the top-most part's counts, and hides the others. */

/* Return: a counted dentry; NULL when the name is gone; ERR_PTR. */
static struct dentry *look(const struct merge *merge, const struct raw_name *raw)
{
	const struct path dir = part_path(merge, raw->part);
	struct dentry *dentry;

	dentry = lookup_one_unlocked(mnt_idmap(dir.mnt), &QSTR_LEN(raw->text, raw->len),
				     dir.dentry);
	if (!IS_ERR(dentry) && d_is_negative(dentry)) {
		dput(dentry);
		return NULL;
	}
	return dentry == ERR_PTR(-ENOENT) ? NULL : dentry;
}

/*
 * Is the name one to show, rather than a whiteout? An object that can't be looked at is shown,
 * as the layer itself does: it may well be damaged, and its neighbours are not.
 * Return: 1, 0 or a negative errno.
 */
static int judge(const struct merge *merge, struct raw_name *raw)
{
	bool xwhiteouts = !is_upper(merge, raw->part) && lower_part(merge, raw->part)->xwhiteouts;
	struct path path = part_path(merge, raw->part);
	int ret;

	if (raw->type != DT_CHR && raw->type != DT_UNKNOWN && !(raw->type == DT_REG && xwhiteouts))
		return 1;
	if (fatal_signal_pending(current))
		return -EINTR;

	path.dentry = look(merge, raw);
	if (!path.dentry)
		return 0;
	if (IS_ERR(path.dentry))
		return PTR_ERR(path.dentry) == -ENOMEM ? -ENOMEM : 1;
	ret = shale_mark_is_whiteout(merge->sbi, &path, xwhiteouts);
	if (!ret)
		raw->type = fs_umode_to_dtype(d_inode(path.dentry)->i_mode);
	dput(path.dentry);
	return ret == -ENOMEM ? ret : ret <= 0;
}

/*
 * The number that stat(2) shows. What the upper has may be a copy, which has the number of what it
 * was copied from, or a directory that merges with another one: if there is the same name below,
 * or the directory is marked. It is looked up when it is shown. Directories of layers
 * on several file systems may have a number of our own making.
 */
static void number(const struct merge *merge, struct raw_name *raw, bool below)
{
	const struct shale_sb *sbi = merge->sbi;

	if (is_upper(merge, raw->part) && (below || merge->impure))
		raw->ask = ASK_LAYERS;
	else if (raw->type == DT_DIR && sbi->nr_base > 1)
		raw->ask = ASK_INODE;
	raw->ino = shale_number_in(sbi, part_layer(merge, raw->part)->base, raw->ino);
}

static int hide_names(struct merge *merge)
{
	struct sorted *sorted = merge->sorted;
	size_t i, next, nr = 0;

	for (i = 0; i < merge->nr; i = next) {
		int show = judge(merge, sorted[i].raw);

		for (next = i + 1; next < merge->nr; next++) {
			if (sorted[next].hash != sorted[i].hash ||
			    compare_names(sorted[next].raw, sorted[i].raw))
				break;
		}
		if (show > 0) {
			number(merge, sorted[i].raw, next - i > 1);
			sorted[nr++] = sorted[i];
		} else if (show < 0) {
			return show;
		}
		cond_resched();
	}
	merge->nr = nr;
	return 0;
}

/* Step 4: what is left, in a form to keep. */

static struct shale_names *keep_names(const struct merge *merge)
{
	struct shale_names *names;
	struct name last = { .pos = SHALE_NAMES_FIRST - 1, .narrow_pos = SHALE_NAMES_FIRST - 1 };
	size_t i, text_len = 0;
	char *text;

	for (i = 0; i < merge->nr; i++)
		text_len += merge->sorted[i].raw->len;
	if (text_len > U32_MAX)
		return ERR_PTR(-EOVERFLOW);
	names = kvmalloc(struct_size(names, name, merge->nr) + text_len, GFP_KERNEL_ACCOUNT);
	if (!names)
		return ERR_PTR(-ENOMEM);
	refcount_set(&names->ref, 1);
	names->nr = merge->nr;
	text = (char *)&names->name[merge->nr];
	names->text = text;

	for (i = 0, text_len = 0; i < merge->nr; i++) {
		const struct raw_name *raw = merge->sorted[i].raw;

		last = (struct name){
			.pos = max(hash_pos(raw->hash), last.pos + 1),
			.narrow_pos = max(hash_narrow_pos(raw->hash), last.narrow_pos + 1),
			.ino = raw->ino,
			.text = text_len,
			.len = raw->len,
			.type = raw->type,
			.ask = raw->ask,
		};
		names->name[i] = last;
		memcpy(text + text_len, raw->text, raw->len);
		text_len += raw->len;
	}
	return names;
}

static struct shale_names *merge_names(struct inode *dir)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(dir);
	struct merge merge = { .sbi = shale_sb(dir->i_sb), .entry = entry };
	struct shale_names *names;
	int err;

	CLASS(shale_mounter, cred)(dir->i_sb);

	err = begin_folding(&merge.reader, dir) ?: read_parts(&merge);
	if (!err && entry->upper)
		err = look_for_copies(&merge);
	if (!err && merge.reader.nr)
		err = sort_names(&merge);
	if (!err)
		err = hide_names(&merge);
	names = err ? ERR_PTR(err) : keep_names(&merge);

	kvfree(merge.sorted);
	reader_end(&merge.reader);
	return names;
}

/* Sharing */

static u64 dir_version(const struct inode *dir)
{
	return atomic64_read(&shale_inode(dir)->version);
}

bool shale_names_current(const struct shale_names *names, const struct inode *dir)
{
	return names->version == dir_version(dir) && !shale_sb_revalidates(dir->i_sb);
}

void shale_names_put(struct shale_names *names)
{
	if (!IS_ERR_OR_NULL(names) && refcount_dec_and_test(&names->ref))
		kvfree(names);
}

static struct shale_names *known_names(struct inode *dir)
{
	struct shale_inode *si = shale_inode(dir);

	lockdep_assert_held(&si->lock);
	if (!si->names || !shale_names_current(si->names, dir))
		return NULL;
	refcount_inc(&si->names->ref);
	return si->names;
}

/* Gives new names to all. Somebody else may have made the same ones in the meantime. */
static struct shale_names *publish(struct inode *dir, struct shale_names *new)
{
	struct shale_inode *si = shale_inode(dir);
	struct shale_names *old, *known;

	scoped_guard(mutex, &si->lock) {
		known = known_names(dir);
		if (!known) {
			old = si->names;
			refcount_inc(&new->ref);
			si->names = new;
		}
	}
	shale_names_put(known ? new : old);
	return known ?: new;
}

struct shale_names *shale_names_get(struct inode *dir)
{
	bool lasting = !shale_sb_revalidates(dir->i_sb);
	u64 version = dir_version(dir);
	struct shale_names *names = NULL;

	if (lasting) {
		scoped_guard(mutex, &shale_inode(dir)->lock)
			names = known_names(dir);
	}
	if (names)
		return names;

	/* Without the entry mutex: this may take long, and reads what others lock. */
	names = merge_names(dir);
	if (IS_ERR(names))
		return names;
	names->version = version;
	return lasting ? publish(dir, names) : names;
}

static size_t find_pos(const struct shale_names *names, u64 pos, bool narrow)
{
	size_t from = 0, to = names->nr;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const struct name *name = &names->name[middle];

		if ((narrow ? name->narrow_pos : name->pos) < pos)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

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

	entry = shale_lookup_parts(dir->d_sb, parent, text, &what);
	if (IS_ERR_OR_NULL(entry))
		return ino;
	ino = shale_number(shale_sb(dir->d_sb), entry, ino).ino;
	shale_entry_put(entry);
	return ino;
}

static u64 shown_number(const struct shale_names *names, const struct name *name,
			struct dentry *dir)
{
	struct qstr text = QSTR_INIT(names->text + name->text, name->len);
	u64 ino = name->ino;

	if (name->ask == ASK_NOBODY || known_number(dir, &text, &ino))
		return ino;
	return name->ask == ASK_LAYERS ? number_by_lookup(dir, &text, ino) : ino;
}

void shale_names_emit(const struct shale_names *names, struct dentry *dir,
		      struct dir_context *ctx, bool narrow)
{
	size_t i;

	for (i = find_pos(names, ctx->pos, narrow); i < names->nr; i++) {
		const struct name *name = &names->name[i];

		ctx->pos = narrow ? name->narrow_pos : name->pos;
		if (!dir_emit(ctx, names->text + name->text, name->len,
			      shown_number(names, name, dir), name->type))
			return;
	}
	ctx->pos = shale_names_end(narrow);
}

/* Emptiness */

int shale_dir_is_empty(struct dentry *dentry)
{
	struct shale_names *names __free(shale_names) = shale_names_get(d_inode(dentry));

	if (IS_ERR(names))
		return PTR_ERR(names);
	return names->nr ? -ENOTEMPTY : 0;
}

static int remove_whiteout(const struct shale_token *tok, struct dentry *dir,
			   const struct raw_name *raw)
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
			    struct reader *reader)
{
	struct raw_name *raw;
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
	struct reader reader = { };
	int err = read_dir(&reader, &path);

	if (!err)
		err = remove_whiteouts(tok, upper_dir, &reader);
	reader_end(&reader);
	return err;
}
