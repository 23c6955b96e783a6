// SPDX-License-Identifier: GPL-2.0
#include "union/redirect.h"

#include <linux/dcache.h>
#include <linux/slab.h>

#include "stack/entry.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/marks.h"

bool shale_redirect_needed(struct dentry *dentry)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(dentry));

	return d_is_dir(dentry) ? !!entry->lower : entry->metacopy;
}

/* The redirect that an object has already. Return: enum shale_redirect, 0 without one, an errno. */
static int present_redirect(const struct shale_sb *sbi, struct dentry *dentry, char **text)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(dentry));
	const struct path path = shale_entry_path(sbi, entry);

	*text = NULL;
	return entry->upper ? shale_mark_redirect(sbi, &path, text) : 0;
}

/* A path that is written from its end to its beginning. */
struct path_text {
	char *buffer;
	size_t begin, size;
};

static int prepend(struct path_text *path, const char *text, size_t len)
{
	if (len > path->begin)
		return -EXDEV;
	path->begin -= len;
	memcpy(path->buffer + path->begin, text, len);
	return 0;
}

/*
 * Writes what the layers below call one directory on the way up.
 * Return: 1 when that was a whole path; 0; or an errno.
 */
static int prepend_one(const struct shale_sb *sbi, struct path_text *path, struct dentry *dentry)
{
	struct name_snapshot name;
	char *redirect;
	int kind, err;

	take_dentry_name_snapshot(&name, dentry);
	kind = present_redirect(sbi, dentry, &redirect);
	err = min(kind, 0);
	if (kind > 0)
		err = prepend(path, redirect, strlen(redirect));
	else if (!kind)
		err = prepend(path, name.name.name, name.name.len);
	if (!err && kind != SHALE_REDIRECT_ABSOLUTE)
		err = prepend(path, "/", 1);
	release_dentry_name_snapshot(&name);
	kfree(redirect);
	return err ?: kind == SHALE_REDIRECT_ABSOLUTE;
}

/*
 * Directories on the way may be renamed meanwhile. What has parts below has got its redirect before
 * its name or its parent changes; here the parent is read first, then the name, then the redirect.
 * So who finds no redirect has the old parent and the old name, which are right.
 */
static int write_path(const struct shale_sb *sbi, struct path_text *path, struct dentry *dentry)
{
	struct dentry *next = dget(dentry);
	int ret = 0;

	path->begin = path->size;
	while (!ret && !IS_ROOT(next)) {
		struct dentry *parent = dget_parent(next);

		ret = prepend_one(sbi, path, next);
		dput(next);
		next = parent;
	}
	dput(next);
	return min(ret, 0);
}

static int set_mark(const struct shale_token *tok, const struct shale_sb *sbi,
		    struct dentry *dentry, const char *text, size_t len, char **written)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(dentry));
	int err = shale_mark_set(tok, sbi, entry->upper, SHALE_MARK_REDIRECT, text, len);

	if (!err)
		*written = kmemdup_nul(text, len, GFP_KERNEL);
	return err == -EOPNOTSUPP ? -EXDEV : err;
}

int shale_redirect_set(const struct shale_token *tok, struct dentry *dentry, bool same_dir,
		       char **written)
{
	char *present __free(kfree) = NULL;
	const struct shale_sb *sbi = shale_sb(dentry->d_sb);
	struct path_text path = { };
	int kind = present_redirect(sbi, dentry, &present);
	int err;

	if (kind < 0)
		return kind;
	if (kind == SHALE_REDIRECT_ABSOLUTE || (kind == SHALE_REDIRECT_RELATIVE && same_dir))
		return 0;
	if (same_dir)
		return set_mark(tok, sbi, dentry, dentry->d_name.name, dentry->d_name.len, written);

	path.size = min_t(size_t, shale_redirect_max, SHALE_REDIRECT_MAX);
	path.buffer = kmalloc(path.size, GFP_KERNEL);
	if (!path.buffer)
		return -ENOMEM;
	err = write_path(sbi, &path, dentry);
	if (!err)
		err = set_mark(tok, sbi, dentry, path.buffer + path.begin, path.size - path.begin,
			       written);
	kfree(path.buffer);
	return err;
}

void shale_note_redirect(struct dentry *place, struct inode *inode, char *written)
{
	struct shale_sb *sbi = shale_sb(place->d_sb);

	if (!written)
		return;
	shale_count(&sbi->counters, SHALE_COUNT_REDIRECTS, 1);
	shale_event(sbi, &(struct shale_event) {
		.kind = SHALE_EVENT_KIND_REDIRECTED,
		.dentry = place,
		.inode = inode,
		.redirect = written,
	});
	kfree(written);
}
