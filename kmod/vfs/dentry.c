// SPDX-License-Identifier: GPL-2.0
/* Dentries: what they stand on, and whether it still stands. */
#include <linux/dcache.h>
#include <linux/fscrypt.h>
#include <linux/namei.h>
#include <linux/unicode.h>

#include "compat/casefold.h"
#include "stack/entry.h"
#include "stack/inode.h"
#include "union/listings.h"
#include "vfs/operations.h"

/*
 * The dentry of the layer that holds the data, for those who must get at the file below:
 * uprobes, exec's accounting, integrity checks.
 */
static struct dentry *shale_d_real(struct dentry *dentry, enum d_real_type type)
{
	const struct shale_entry *entry;
	struct dentry *real;

	if (!d_is_reg(dentry))
		return dentry;

	/* The caller's reference on our dentry keeps the inode, hence its parts. */
	rcu_read_lock();
	entry = shale_entry_rcu(d_inode(dentry));
	real = shale_entry_real(entry);
	if (type == D_REAL_DATA)
		real = shale_entry_data_path(shale_sb(dentry->d_sb), entry).dentry ?: real;
	rcu_read_unlock();
	return d_real(real, type);
}

/* What a real file was opened on: the upper's part or, before the copy-up, the lower's. */
static __maybe_unused struct dentry *part_of_inode(struct dentry *dentry, const struct inode *real)
{
	const struct shale_entry *entry;
	struct dentry *part = NULL;
	unsigned int i;

	guard(rcu)();
	entry = shale_entry_rcu(d_inode(dentry));
	if (entry->upper)
		part = shale_dentry_of_inode(entry->upper, real);
	for (i = 0; !part && i < shale_entry_nr_lower(entry); i++) {
		if (entry->lower->part[i].dentry)
			part = shale_dentry_of_inode(entry->lower->part[i].dentry, real);
	}
	return part ?: dentry;
}

static int revalidate_real(struct dentry *real, unsigned int flags, bool weak)
{
	int ret = 1;

	if (weak) {
		if (real->d_flags & DCACHE_OP_WEAK_REVALIDATE)
			ret = real->d_op->d_weak_revalidate(real, flags);
	} else if (real->d_flags & DCACHE_OP_REVALIDATE) {
		ret = shale_d_revalidate_real(real, flags);
		if (!ret && !(flags & LOOKUP_RCU))
			d_invalidate(real);
	}
	return ret;
}

/* All parts must stand for the whole to stand. */
static int revalidate_entry(const struct shale_entry *entry, unsigned int flags, bool weak)
{
	unsigned int i;
	int ret = 1;

	if (entry->upper)
		ret = revalidate_real(entry->upper, flags, weak);
	for (i = 0; ret > 0 && i < shale_entry_nr_lower(entry); i++) {
		if (entry->lower->part[i].dentry)
			ret = revalidate_real(entry->lower->part[i].dentry, flags, weak);
	}
	return ret;
}

static int revalidate(struct dentry *dentry, unsigned int flags, bool weak)
{
	struct inode *inode = d_inode_rcu(dentry);

	/* A remote layer may have got the name since: a negative dentry says nothing. */
	if (!inode)
		return 0;
	if (flags & LOOKUP_RCU)
		return -ECHILD;

	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);
	int ret = revalidate_entry(entry, flags, weak);

	/* What a server has changed counts from now on, permissions above all. */
	if (ret > 0 && !entry->upper) {
		shale_inode_copyattr_from(inode, shale_sb(inode->i_sb), entry);
		/* A copy-up that ended meanwhile has the last word. */
		if (rcu_access_pointer(shale_inode(inode)->entry) != entry)
			shale_inode_copyattr(inode);
	}
	return ret;
}

static int shale_d_revalidate(struct inode *dir, const struct qstr *name, struct dentry *dentry,
			      unsigned int flags)
{
	return revalidate(dentry, flags, false);
}

static int shale_d_weak_revalidate(struct dentry *dentry, unsigned int flags)
{
	return revalidate(dentry, flags, true);
}

/*
 * Names whose case is ignored, as the layers do it. The kernel's own functions for that are
 * exported from 6.18 on only. What can't be folded, as it is no valid text, is compared byte by
 * byte.
 */

static int shale_ci_hash(const struct dentry *dir, struct qstr *name)
{
	const struct inode *inode = d_inode_rcu(dir);

	if (IS_ENABLED(CONFIG_UNICODE) && inode && IS_CASEFOLDED(inode))
		utf8_casefold_hash(sb_encoding(dir->d_sb), dir, name);
	return 0;
}

static bool is_same(const struct qstr *name, unsigned int len, const char *text)
{
	return len == name->len && !memcmp(text, name->name, len);
}

static int shale_ci_compare(const struct dentry *dentry, unsigned int len, const char *text,
			    const struct qstr *name)
{
	const struct inode *dir = d_inode_rcu(READ_ONCE(dentry->d_parent));
	char copy[DNAME_INLINE_LEN];
	struct qstr known;
	int ret;

	if (is_same(name, len, text))
		return 0;
	if (!IS_ENABLED(CONFIG_UNICODE) || !dir || !IS_CASEFOLDED(dir))
		return 1;

	/* Without a lock a short name may change while it is read, and folding it minds. */
	if (len < DNAME_INLINE_LEN) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		text = copy;
		barrier();	/* so that nobody reads the original again */
	}
	known = (struct qstr)QSTR_INIT(text, len);
	ret = utf8_strncasecmp(sb_encoding(dentry->d_sb), name, &known);
	return ret < 0 ? 1 : ret;
}

/* Are names in this directory those that its file system shows to who has no key? */
static bool lacks_key(const struct dentry *dir)
{
	return IS_ENCRYPTED(d_inode(dir)) && !fscrypt_has_encryption_key(d_inode(dir));
}

bool shale_names_change(const struct inode *dir, const struct shale_entry *entry)
{
	unsigned int i;

	if (shale_sb(dir->i_sb)->layers_change || (entry->upper && lacks_key(entry->upper)))
		return true;
	/* What is remembered of lower parts, needs no key. */
	if (shale_listings_has_lowers(dir))
		return false;
	for (i = 0; i < shale_entry_nr_lower(entry); i++) {
		if (lacks_key(entry->lower->part[i].dentry))
			return true;
	}
	return false;
}

void shale_dentry_set_revalidated(struct dentry *dentry, bool revalidated)
{
	const unsigned int flags = DCACHE_OP_REVALIDATE | DCACHE_OP_WEAK_REVALIDATE;

	if (!dentry->d_op->d_revalidate)
		return;
	if (!!(dentry->d_flags & DCACHE_OP_REVALIDATE) == revalidated)
		return;
	spin_lock(&dentry->d_lock);
	dentry->d_flags = revalidated ? dentry->d_flags | flags : dentry->d_flags & ~flags;
	spin_unlock(&dentry->d_lock);
}

SHALE_ADAPT_D_REAL(shale_d_real, part_of_inode)
SHALE_ADAPT_D_REVALIDATE(shale_d_revalidate)

static const struct dentry_operations shale_dentry_operations = {
	.d_real = SHALE_OP_D_REAL(shale_d_real),
};

static const struct dentry_operations shale_dentry_revalidate_operations = {
	.d_real = SHALE_OP_D_REAL(shale_d_real),
	.d_revalidate = SHALE_OP_D_REVALIDATE(shale_d_revalidate),
	.d_weak_revalidate = shale_d_weak_revalidate,
};

static const struct dentry_operations shale_dentry_casefold_operations = {
	.d_real = SHALE_OP_D_REAL(shale_d_real),
	.d_hash = shale_ci_hash,
	.d_compare = shale_ci_compare,
};

static const struct dentry_operations shale_dentry_casefold_revalidate_operations = {
	.d_real = SHALE_OP_D_REAL(shale_d_real),
	.d_revalidate = SHALE_OP_D_REVALIDATE(shale_d_revalidate),
	.d_weak_revalidate = shale_d_weak_revalidate,
	.d_hash = shale_ci_hash,
	.d_compare = shale_ci_compare,
};

const struct dentry_operations *shale_dentry_operations_for(bool revalidate, bool casefolded)
{
	if (casefolded)
		return revalidate ? &shale_dentry_casefold_revalidate_operations
				  : &shale_dentry_casefold_operations;
	return revalidate ? &shale_dentry_revalidate_operations : &shale_dentry_operations;
}
