/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree as text, to compare: a line per object, in the order of the paths, with all that
 * programs can see of it: type, mode, owner, links, size, content, extended attributes.
 *
 *	path type mode uid:gid links size device mtime content-or-target xattrs...
 *
 * Of directories links and size are left out, which each file system counts in its own way.
 */
#ifndef SHALE_TREE_H
#define SHALE_TREE_H

enum tree_mtime {
	MTIME,		/* to the nanosecond */
	MTIME_IF_OLD,	/* that of long ago, as set_mtime() sets it, and "new" of the others */
	NO_MTIME,
};

/* The tree below @dir, which it is the caller's to free. */
char *tree_of(const char *dir, enum tree_mtime mtime);

/*
 * What layers show as one tree, the top-most first, worked out here by nothing but the
 * format: "upper:top:low". A layer that does not exist shows nothing.
 */
char *union_of(const char *layers, enum tree_mtime mtime);

/* NULL when both are the same, else what differs first, in memory of its own. */
char *tree_difference(const char *got, const char *wanted);

#endif
