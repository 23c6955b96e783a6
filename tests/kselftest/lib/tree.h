/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree as text, to compare: a line per object, in the order of the paths, with all that
 * programs can see of it: type, mode, owner, links, size, content, extended attributes.
 *
 *	path type mode uid:gid links size @mtime device content-or-target xattrs...
 *
 * Of directories links and size are left out, which each file system counts in its own way.
 */
#ifndef SHALE_TREE_H
#define SHALE_TREE_H

/* The tree below @dir. Like all text that is made here, it is the caller's to free. */
char *tree_of(const char *dir);

/*
 * What layers show as one tree, the top-most first, worked out here by nothing but the
 * format: "upper:top:low". A layer that does not exist shows nothing. Of a lower file with several
 * names, the copy counts that work/index has.
 */
char *union_of(const char *layers);

/* A copy of @tree that says "new" for all modification times but those that set_mtime() gave. */
char *tree_with_old_mtimes(const char *tree);
char *tree_without_mtimes(const char *tree);

/* NULL when both are the same, else what differs first, in memory of its own. */
char *tree_difference(const char *got, const char *wanted);

#endif
