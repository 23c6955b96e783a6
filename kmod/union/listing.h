/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A listing: the names in some parts of a directory, in the order of their hashes. It never
 * changes. It has names and numbers of layers and no dentries, so that it may be kept as long as
 * memory lasts: see union/listings.h.
 *
 * What a name leads to is not looked at to make one. What may be a whiteout is looked at by who
 * wants to show it, once for all (shale_listed.kind).
 */
#ifndef SHALE_UNION_LISTING_H
#define SHALE_UNION_LISTING_H

#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/refcount.h>

#include "stack/entry.h"

/* Which parts of a directory. */
enum shale_listing_of {
	SHALE_LISTING_OF_LOWERS,
	SHALE_LISTING_OF_UPPER,
	SHALE_LISTING_OF_ALL,
};

struct shale_listed {
	u64 hash;
	u64 ino;			/* in its layer */
	u32 text;			/* where it is in shale_listing.text */
	u16 len;
	u16 part;			/* the number of the top-most part that has the name */
	u16 nr_more;			/* further ones, of a directory: behind the text */
	u16 kind;			/* a type (DT_*) and the flags below */
};

#define SHALE_LISTED_TYPE	0x00ff
#define SHALE_LISTED_BELOW	0x0100	/* other parts have the name, too */
#define SHALE_LISTED_JUDGED	0x0200	/* and that it is to be shown, or */
#define SHALE_LISTED_HIDDEN	0x0400	/* not, being a whiteout */

/* One allocation: the names in order, then their texts. */
struct shale_listing {
	refcount_t ref;
	enum shale_listing_of of;
	bool has_upper;			/* part 0 is the upper's, and lower parts follow */
	bool impure;			/* the upper has copies whose names say nothing of it */
	const char *text;
	size_t nr;
	size_t bytes;			/* of memory */

	/* For union/listings.c, which keeps it. */
	struct list_head link;
	struct shale_listing __rcu **slot;
	u64 version;			/* of the directory */
	u64 stamp;			/* of the lower parts, when they were read */
	unsigned long checked;		/* jiffies */
	bool young;			/* the stamp may not show changes while it was read */
	bool used;			/* since memory was last wanted */
	struct rcu_head rcu;

	struct shale_listed name[] __counted_by(nr);
};

/**
 * shale_listing_make - read parts of a directory
 * @sb: our superblock
 * @entry: what the directory stands on
 * @of: which of its parts
 *
 * Context: as the mounter; takes long, and locks one real directory after the other; killable.
 * Return: a listing with one reference, or ERR_PTR: -ENOMEM, -EINTR, -EOVERFLOW, what a layer says.
 */
struct shale_listing *shale_listing_make(struct super_block *sb, const struct shale_entry *entry,
					 enum shale_listing_of of);
void shale_listing_put(struct shale_listing *listing);	/* NULL and ERR_PTR are fine */
DEFINE_FREE(shale_listing, struct shale_listing *, shale_listing_put(_T))

/* What a listing has of a name; or NULL. Not where the case of names is ignored. */
const struct shale_listed *shale_listing_find(const struct shale_listing *listing,
					      const struct shale_sb *sbi, const char *name,
					      size_t len);

static inline const char *shale_listed_text(const struct shale_listing *listing,
					    const struct shale_listed *listed)
{
	return listing->text + listed->text;
}

/*
 * The number of the next part, from part @from on, that may belong to an object of this name: of
 * directories, each that has one. A file goes on, if at all, to any part.
 * Return: a number, or -1.
 */
int shale_listed_next_part(const struct shale_listing *listing, const struct shale_listed *listed,
			   unsigned int from);

/* Is the number of a part the upper's? */
static inline bool shale_listing_is_upper(const struct shale_listing *listing, unsigned int part)
{
	return listing->has_upper && !part;
}

static inline const struct shale_part *
shale_listing_lower_part(const struct shale_listing *listing, const struct shale_entry *entry,
			 unsigned int part)
{
	return &entry->lower->part[part - listing->has_upper];
}

struct shale_layer *shale_listing_layer(const struct shale_listing *listing,
					const struct shale_sb *sbi,
					const struct shale_entry *entry, unsigned int part);
struct path shale_listing_path(const struct shale_listing *listing, const struct shale_sb *sbi,
			       const struct shale_entry *entry, unsigned int part);

/*
 * Derives the key of a mount's names from what stays the same when it is made again, when its
 * uuid is known: positions in directories are hashes, and clients of NFS hold them over a reboot
 * of the server.
 */
void shale_listing_set_key(struct super_block *sb);

/* By its type, may the name be a whiteout? */
static inline bool shale_name_is_doubtful(unsigned int type, bool xwhiteouts)
{
	return type == DT_CHR || type == DT_UNKNOWN || (type == DT_REG && xwhiteouts);
}

/**
 * shale_name_judge - is a name of a real directory one to show, rather than a whiteout?
 * @type: corrected
 *
 * An object that can't be looked at is shown, as the layer itself does: it may well be damaged, and
 * its neighbours are not.
 *
 * Context: anybody, for it is the mounter who looks.
 * Return: 1, SHALE_NAME_UNSEEN, 0, -ENOMEM or -EINTR.
 */
#define SHALE_NAME_UNSEEN 2
int shale_name_judge(const struct shale_sb *sbi, const struct path *dir, bool xwhiteouts,
		     const char *text, unsigned int len, unsigned int *type);

/* The same for a listed one. What was found out is written down in the listing. */
int shale_listed_judge(const struct shale_listing *listing, struct shale_listed *listed,
		       const struct shale_sb *sbi, const struct shale_entry *entry);

static inline unsigned int shale_listed_type(const struct shale_listed *listed)
{
	return READ_ONCE(listed->kind) & SHALE_LISTED_TYPE;
}

#endif
