/* SPDX-License-Identifier: GPL-2.0 */
/* Look-up: which parts a name has in the layers of its directory. */
#ifndef SHALE_UNION_LOOKUP_H
#define SHALE_UNION_LOOKUP_H

#include <linux/dcache.h>

#include "stack/entry.h"

/**
 * shale_lookup_parts - find the parts of a name
 * @dir: inode of the directory
 * @parent: what it stands on
 * @name: the name
 * @what: set to what the name word of a dentry for it is to say (stack/name.h)
 *
 * Context: as the mounter; holds no lock on layers.
 * Return: an entry for the caller; NULL when the union has no such name; ERR_PTR: -EREMOTE
 * (something that can't be stacked), -ELOOP (another layer's root), -EPERM (a mark that this
 * mount does not follow), and what the layers' own look-ups say.
 */
struct shale_entry *shale_lookup_parts(struct inode *dir, const struct shale_entry *parent,
				       const struct qstr *name, unsigned long *what);

/**
 * shale_lookup_object - find the parts of an object that is no directory, without a name
 * @sb: our superblock
 * @upper: the object in the upper; or NULL, and then
 * @lower: the object in a lower layer
 *
 * Context: as the mounter; holds no lock on layers.
 * Return: an entry for the caller; ERR_PTR: -ESTALE when the union has no such object any more, and
 * what the layers say.
 */
struct shale_entry *shale_lookup_object(struct super_block *sb, struct dentry *upper,
					const struct shale_part *lower);

/**
 * shale_lookup_below - would the lower layers show this name if the upper had nothing there?
 * Context: as shale_lookup_parts().
 * Return: 1, 0 or a negative errno.
 */
int shale_lookup_below(struct inode *dir, const struct shale_entry *parent,
		       const struct qstr *name);

#endif
