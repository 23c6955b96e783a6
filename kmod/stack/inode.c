// SPDX-License-Identifier: GPL-2.0
#include "stack/inode.h"

#include <linux/lockdep.h>
#include <linux/posix_acl.h>
#include <linux/slab.h>

#include "stack/base.h"
#include "stack/marks.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "stack/variant.h"

const struct shale_inode_tables *shale_inode_tables;

static struct kmem_cache *inode_cache;

/* What our inodes take over of the real inode's flags. */
#define COPIED_FLAGS (S_SYNC | S_NOATIME | S_APPEND | S_IMMUTABLE | S_CASEFOLD)

/* Life of an inode */

/*
 * Is the file of the upper that an inode stands on mapped to be written, or about to be? The kernel
 * counts a mapping on our inode before it asks us to make it, and lets go of that when the real
 * file counts it.
 */
static bool is_mapped(const struct inode *inode)
{
	const struct shale_entry *entry;
	const struct inode *real;

	if (mapping_writably_mapped(inode->i_mapping))
		return true;
	smp_rmb();	/* in the order of their coming: it is seen on one of the two */

	guard(rcu)();
	entry = shale_entry_rcu(inode);
	real = entry && entry->upper ? d_inode_rcu(entry->upper) : NULL;
	return real && S_ISREG(real->i_mode) && mapping_writably_mapped(real->i_mapping);
}

/* So many inodes are looked at in one go. */
#define INODES_AT_ONCE 1024

/*
 * Inodes join the list at its head, so who stays at one of them, holding it, misses only those that
 * came later.
 */
struct inode *shale_inode_find_mapped(struct super_block *sb)
{
	struct inode *inode, *at = NULL, *found = NULL;
	unsigned int n = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		bool mapped = is_mapped(inode);

		if (!mapped && ++n % INODES_AT_ONCE)
			continue;
		/* One that is going away is mapped by nobody. */
		if (!igrab(inode))
			continue;
		if (mapped) {
			found = inode;
			break;
		}
		spin_unlock(&sb->s_inode_list_lock);
		iput(at);
		at = inode;
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(at);
	return found;
}

struct inode *shale_inode_alloc(struct super_block *sb)
{
	struct shale_inode *si = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!si)
		return NULL;
	RCU_INIT_POINTER(si->entry, NULL);
	si->key = NULL;
	si->protection = 0;
	si->share = 0;
	atomic_set(&si->unsettled, 0);
	RCU_INIT_POINTER(si->listing[0], NULL);
	RCU_INIT_POINTER(si->listing[1], NULL);
	return &si->vfs_inode;
}

void shale_inode_destroy(struct inode *inode)
{
	/* Nobody holds the inode any more: its reference on the entry is the pointer itself. */
	shale_entry_put(rcu_dereference_protected(shale_inode(inode)->entry, true));
}

void shale_inode_free(struct inode *inode)
{
	kmem_cache_free(inode_cache, shale_inode(inode));
}

static void init_once(void *object)
{
	struct shale_inode *si = object;

	inode_init_once(&si->vfs_inode);
	mutex_init(&si->lock);
}

int shale_inode_init(void)
{
	inode_cache = kmem_cache_create(SHALE_NAME "_inode", sizeof(struct shale_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, init_once);
	return inode_cache ? 0 : -ENOMEM;
}

void shale_inode_exit(void)
{
	rcu_barrier();	/* inodes are freed after a grace period */
	kmem_cache_destroy(inode_cache);
}

/*
 * A Shale mount may lie on another one. Their locks nest, outer mount first, so lockdep must
 * tell them apart by depth.
 */
static void inode_set_lock_classes(struct inode *inode)
{
	static struct lock_class_key dir[FILESYSTEM_MAX_STACK_DEPTH + 1];
	static struct lock_class_key file[FILESYSTEM_MAX_STACK_DEPTH + 1];
	static struct lock_class_key entry[FILESYSTEM_MAX_STACK_DEPTH + 1];
	int depth = inode->i_sb->s_stack_depth;

	lockdep_set_class(&inode->i_rwsem, S_ISDIR(inode->i_mode) ? &dir[depth] : &file[depth]);
	lockdep_set_class(&shale_inode(inode)->lock, &entry[depth]);
}

/* Attributes */

/* A merged directory says 1: counting subdirectories would take reading all its parts. */
static unsigned int real_nlink(const struct shale_entry *entry)
{
	const struct inode *real = d_inode(shale_entry_real(entry));

	return S_ISDIR(real->i_mode) && shale_entry_merged(entry) ? 1 : real->i_nlink;
}

static unsigned int inode_nlink(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	const struct path path = shale_entry_path(sbi, entry);
	int nlink = 0;

	if (entry->indexed && !d_is_dir(path.dentry))
		nlink = shale_mark_nlink(sbi, &path, d_inode(entry->lower->part[0].dentry));
	return nlink > 0 ? nlink : real_nlink(entry);
}

void shale_inode_copyattr_from(struct inode *inode, const struct shale_sb *sbi,
			       const struct shale_entry *entry)
{
	struct inode *real = d_inode(shale_entry_real(entry));
	struct mnt_idmap *idmap = shale_layer_idmap(shale_entry_layer(sbi, entry));
	unsigned int flags;

	/* Whoever comes last has seen the real inode last. */
	spin_lock(&inode->i_lock);
	inode->i_uid = vfsuid_into_kuid(i_uid_into_vfsuid(idmap, real));
	inode->i_gid = vfsgid_into_kgid(i_gid_into_vfsgid(idmap, real));
	inode->i_mode = real->i_mode;
	inode_set_atime_to_ts(inode, inode_get_atime(real));
	inode_set_mtime_to_ts(inode, inode_get_mtime(real));
	inode_set_ctime_to_ts(inode, inode_get_ctime(real));
	i_size_write(inode, i_size_read(real));
	/* A removed directory has none, whatever one that is merged says. */
	if (entry->upper && (S_ISDIR(inode->i_mode) ? inode->i_nlink : !entry->indexed))
		set_nlink(inode, real_nlink(entry));
	flags = (real->i_flags & COPIED_FLAGS) | shale_inode(inode)->protection;
	inode_set_flags(inode, flags, COPIED_FLAGS);
	spin_unlock(&inode->i_lock);
}

void shale_inode_copyattr(struct inode *inode)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

	shale_inode_copyattr_from(inode, shale_sb(inode->i_sb), entry);
}

void shale_inode_set_protection(struct inode *inode, unsigned int i_flags)
{
	spin_lock(&inode->i_lock);
	shale_inode(inode)->protection = i_flags;
	spin_unlock(&inode->i_lock);
}

/* The key, and finding by it */

/*
 * What identifies an object for as long as we know it: its top-most lower part, copied up or
 * not, where each look-up of its name finds that again. Not where copying up one of several
 * names leaves the others behind, so that they are two objects from then on: a lower file with
 * more names than one has no key before, and its copy the upper's inode.
 *
 * With nfs_export=on it is what the object's file handle names, which knows nothing else.
 */
static struct inode *inode_key(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	struct inode *upper = entry->upper ? d_inode(entry->upper) : NULL;
	struct inode *lower = entry->lower ? d_inode(entry->lower->part[0].dentry) : NULL;
	bool exported = shale_feature_on(&sbi->features, SHALE_NFS_EXPORT);

	if (!lower || entry->remembered)
		return upper;
	if (entry->indexed)
		return lower;
	if (upper && exported)
		return upper;
	if (S_ISDIR(lower->i_mode) || lower->i_nlink == 1)
		return lower;
	if (!upper)
		return shale_entry_index_takes(sbi, lower) || exported ? lower : NULL;
	return upper;
}

static int inode_test(struct inode *inode, void *key)
{
	return READ_ONCE(shale_inode(inode)->key) == key;
}

static int inode_set(struct inode *inode, void *key)
{
	WRITE_ONCE(shale_inode(inode)->key, key);
	return 0;
}

static void inode_set_tables(struct inode *inode)
{
	const struct shale_inode_tables *tables = shale_inode_tables;

	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = tables->file_iops;
		inode->i_fop = tables->file_fops;
		inode->i_mapping->a_ops = tables->aops;
		break;
	case S_IFDIR:
		inode->i_op = tables->dir_iops;
		inode->i_fop = tables->dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = tables->symlink_iops;
		break;
	default:
		inode->i_op = tables->special_iops;
		init_special_inode(inode, inode->i_mode, inode->i_rdev);
		break;
	}
}

static int read_protection(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	const struct path path = shale_entry_path(sbi, entry);

	return entry->upper ? shale_mark_protection(sbi, &path) : 0;
}

/* Fills a new inode; @entry becomes its own, or is put. */
static int inode_fill(struct inode *inode, struct shale_entry *entry)
{
	const struct shale_sb *sbi = shale_sb(inode->i_sb);
	bool dir = d_is_dir(shale_entry_real(entry));
	int protection = read_protection(sbi, entry);

	if (protection < 0) {
		shale_entry_put(entry);
		return protection;
	}
	shale_inode(inode)->protection = protection;
	inode->i_ino = shale_number(sbi, entry, dir && sbi->nr_base > 1 ? get_next_ino() : 0).ino;
	inode->i_rdev = d_inode(shale_entry_real(entry))->i_rdev;
	shale_inode_copyattr_from(inode, sbi, entry);
	/* Whether it was copied up a moment ago is forgotten with the inode that was there then. */
	if (!dir)
		atomic_set(&shale_inode(inode)->unsettled, !!entry->upper);
	inode->i_flags |= S_NOCMTIME;
	shale_inode_dont_cache_acl(inode);
	set_nlink(inode, inode_nlink(sbi, entry));
	inode_set_tables(inode);
	inode_set_lock_classes(inode);
	rcu_assign_pointer(shale_inode(inode)->entry, entry);
	shale_quota_fill(inode);
	return 0;
}

/* The same for one that is not hashed. */
static struct inode *inode_unhashed_new(struct super_block *sb, struct shale_entry *entry)
{
	struct inode *inode = new_inode(sb);
	int err;

	if (!inode) {
		shale_entry_put(entry);
		return ERR_PTR(-ENOMEM);
	}
	err = inode_fill(inode, entry);
	if (!err)
		return inode;
	iput(inode);
	return ERR_PTR(err);
}

static bool has_same_upper(const struct shale_entry *known, const struct shale_entry *found)
{
	/* Names of a hard link have dentries of their own over one inode. */
	if (known->upper && found->upper)
		return d_inode(known->upper) == d_inode(found->upper);
	/* Of a file of the index, copied up by another name since this one was looked for. */
	return known->upper == found->upper || (known->indexed && !found->upper);
}

/* A known inode must stand on what was found now, or someone changed the layers behind us. */
static int inode_verify(struct inode *inode, const struct shale_entry *found)
{
	struct shale_entry *known __free(shale_entry) = shale_entry_get(inode);
	int err;

	if (IS_DEADDIR(inode) && !known)
		return -ELOOP;
	if ((inode->i_mode ^ d_inode(shale_entry_real(found))->i_mode) & S_IFMT)
		return -ESTALE;
	if (has_same_upper(known, found))
		return 0;

	/* The copy gets its name before the inode stands on it: so let a copy-up end. */
	err = shale_inode_lock(inode);
	if (err)
		return err;
	shale_entry_put(known);
	known = shale_entry_get(inode);
	if (!has_same_upper(known, found))
		err = -ESTALE;
	shale_inode_unlock(inode);
	return err;
}

struct inode *shale_inode_find(struct super_block *sb, struct shale_entry *entry)
{
	struct inode *key = inode_key(shale_sb(sb), entry);
	struct inode *inode;
	int err;

	if (!key)
		return inode_unhashed_new(sb, entry);
	inode = iget5_locked(sb, (unsigned long)key, inode_test, inode_set, key);
	if (!inode) {
		shale_entry_put(entry);
		return ERR_PTR(-ENOMEM);
	}
	if (inode_state_read_once(inode) & I_NEW) {
		/* Somebody may have copied it up or removed it, and be done with it. */
		if (!shale_inode_tables->is_current(shale_sb(sb), entry)) {
			shale_entry_put(entry);
			iget_failed(inode);
			return ERR_PTR(-ESTALE);
		}
		err = inode_fill(inode, entry);
		if (err) {
			iget_failed(inode);
			return ERR_PTR(err);
		}
		unlock_new_inode(inode);
		return inode;
	}

	err = inode_verify(inode, entry);
	shale_entry_put(entry);
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

struct inode *shale_inode_known(struct super_block *sb, struct inode *real)
{
	struct inode *inode = ilookup5(sb, (unsigned long)real, inode_test, real);

	/* A trap has no entry. */
	if (!inode || rcu_access_pointer(shale_inode(inode)->entry))
		return inode;
	iput(inode);
	return ERR_PTR(-ELOOP);
}

struct inode *shale_inode_root(struct super_block *sb, struct shale_entry *entry)
{
	return inode_unhashed_new(sb, entry);
}

void shale_inode_rehash(struct inode *inode, const struct shale_entry *entry)
{
	struct inode *key = inode_key(shale_sb(inode->i_sb), entry);

	lockdep_assert_held(&shale_inode(inode)->lock);
	if (shale_inode(inode)->key == key)
		return;
	/*
	 * Between the two steps a look-up might miss the inode. None is under way: the only
	 * name that leads to it is a dentry that the caller of copy-up holds.
	 */
	remove_inode_hash(inode);
	inode_set(inode, key);
	__insert_inode_hash(inode, (unsigned long)key);
}

/* Traps: inodes without an entry, hashed where a layer's root would be looked for. */

struct inode *shale_inode_trap(struct super_block *sb, struct dentry *root)
{
	struct inode *key = d_inode(root);
	struct inode *inode;

	inode = iget5_locked(sb, (unsigned long)key, inode_test, inode_set, key);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(inode_state_read_once(inode) & I_NEW)) {
		iput(inode);
		return ERR_PTR(-ELOOP);
	}
	inode->i_mode = S_IFDIR;
	inode->i_flags = S_DEAD;
	inode_set_lock_classes(inode);
	unlock_new_inode(inode);
	return inode;
}

bool shale_inode_is_trap(struct super_block *sb, struct inode *real)
{
	struct inode *inode = ilookup5(sb, (unsigned long)real, inode_test, real);
	bool trap = inode && IS_DEADDIR(inode) && !rcu_access_pointer(shale_inode(inode)->entry);

	iput(inode);
	return trap;
}
