/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The listings that are kept.
 *
 * Each of our directories has room for two: of its lower parts, which do not change under a
 * mount, so that what the layers have of a name is asked for once; and of the upper's part or,
 * where the first may not be kept, of all parts.
 *
 * The first is made by whoever reads the directory, or by a worker once look-ups have asked so
 * many layers in vain that reading them is cheaper. It is kept only where it can't lie: not where
 * names depend on keys or on case, or change without a call of ours, or where a lower is
 * somebody's upper. Lower layers that are changed all the same are noticed after a second: their
 * times are looked at as often, while a listing is used.
 *
 * A slot holds a reference. Slots, their list and its length change under the lock of the mount's
 * listings; readers take a reference within rcu_read_lock(). A slot that says "being made"
 * belongs to whoever put that there, and others may wait for it.
 *
 * Memory: the list is in the order of making; the superblock's shrinker takes from its beginning,
 * sparing once what was used since.
 */
#ifndef SHALE_UNION_LISTINGS_H
#define SHALE_UNION_LISTINGS_H

#include "stack/inode.h"
#include "union/listing.h"

/* In a slot: it is being made. */
#define SHALE_LISTING_MAKING 1UL

/* Is there a listing of lower parts, whether it still holds or not? */
static inline bool shale_listings_has_lowers(const struct inode *dir)
{
	const void *there = rcu_access_pointer(shale_inode(dir)->listing[0]);

	return (unsigned long)there > SHALE_LISTING_MAKING;
}

/**
 * shale_listings_lowers - the listing of a directory's lower parts, if it is known
 * @dir: inode of one of our directories
 * @entry: what it stands on
 *
 * Return: a listing with a reference, or NULL.
 */
struct shale_listing *shale_listings_look(struct inode *dir, const struct shale_entry *entry);

static inline struct shale_listing *shale_listings_lowers(struct inode *dir,
							  const struct shale_entry *entry)
{
	return shale_listings_has_lowers(dir) ? shale_listings_look(dir, entry) : NULL;
}

/**
 * shale_listings_get - a listing of some parts of a directory, known or made now
 * @dir: inode of one of our directories
 * @entry: what it stands on
 * @of: SHALE_LISTING_OF_LOWERS only where shale_listings_keeps_lowers() says so
 *
 * Context: as the mounter; killable; no lock but i_rwsem of @dir, shared or exclusive. Whoever
 * comes while it is being made waits for it.
 * Return: a listing with a reference, or ERR_PTR: what shale_listing_make() says.
 */
struct shale_listing *shale_listings_get(struct inode *dir, const struct shale_entry *entry,
					 enum shale_listing_of of);

/* May the listing of a directory's lower parts be kept? */
bool shale_listings_keeps_lowers(struct super_block *sb, const struct shale_entry *entry);

/* A look-up has asked @nr lower parts in vain. May have the listing made, in the background. */
void shale_listings_missed(struct inode *dir, const struct shale_entry *entry, unsigned int nr);

/* For the superblock: how many names are kept, and to forget as many of them. */
long shale_listings_count(struct super_block *sb);
long shale_listings_shrink(struct super_block *sb, unsigned long nr);

/* The inode goes: nobody can be looking at it. */
void shale_listings_forget(struct inode *dir);

void shale_listings_begin(struct shale_listings *listings);
/* Before the superblock's inodes go: nothing is made in the background from then on. */
void shale_listings_end(struct super_block *sb);

int shale_listings_init(void);
void shale_listings_exit(void);

#endif
