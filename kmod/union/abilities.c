// SPDX-License-Identifier: GPL-2.0
#include "union/abilities.h"

#include <linux/namei.h>

#include "stack/base.h"
#include "stack/marks.h"
#include "stack/origin.h"
#include "union/whiteout.h"
#include "union/workdir.h"

/* Lines for the kernel log */

struct line {
	char text[400];
	size_t len;
};

/* The first is preceded by the name of the layer, further ones by a semicolon. */
static __printf(2, 3) void say(struct line *line, const char *format, ...)
{
	va_list args;

	line->len += scnprintf(line->text + line->len, sizeof(line->text) - line->len, "%s",
			       line->len ? "; " : "");
	va_start(args, format);
	line->len += vscnprintf(line->text + line->len, sizeof(line->text) - line->len, format,
				args);
	va_end(args);
}

static const char *marks_space(const struct shale_sb *sbi)
{
	return shale_feature_on(&sbi->features, SHALE_USERXATTR) ? "user" : "trusted";
}

/* The upper */

/* Of an attempt. Return: 1; 0 when that can't be done; -ENOMEM and the like. */
static int was_possible(int err)
{
	switch (err) {
	case 0:
	case -ENOSPC:		/* nobody knows */
	case -EDQUOT:
		return 1;
	case -ENOMEM:
	case -EINTR:
		return err;
	default:
		return 0;
	}
}

static int probe_tmpfile(const struct shale_token *tok)
{
	struct file *file = shale_upper_tmpfile(tok, tok->upper->workdir, S_IFREG | 0600);

	if (IS_ERR(file))
		return was_possible(PTR_ERR(file));
	fput(file);
	return 1;
}

static int probe_xattr(const struct shale_token *tok, const struct shale_sb *sbi)
{
	return was_possible(shale_mark_set_opaque(tok, sbi, tok->upper->workdir));
}

static int try_rename(const struct shale_token *tok, struct dentry *temp, const struct qstr *name,
		      unsigned int flags)
{
	struct renamedata rd = {
		.old_parent = tok->upper->workdir,
		.new_parent = tok->upper->workdir,
	};
	int err = shale_upper_start_renaming_dentry(tok, &rd, temp, name);

	if (err)
		return err;
	rd.flags = flags;
	err = shale_upper_rename(tok, &rd);
	end_renaming(&rd);
	return err;
}

/* The two ways of renaming beyond the plain one. */
static int probe_renaming(const struct shale_token *tok, struct dentry *whiteout,
			  struct dentry *temp, struct line *lacks)
{
	struct name_snapshot name;
	int ret;

	take_dentry_name_snapshot(&name, temp);
	ret = was_possible(try_rename(tok, whiteout, &name.name, RENAME_EXCHANGE));
	release_dentry_name_snapshot(&name);
	if (!ret)
		say(lacks, "no RENAME_EXCHANGE: lower directories can't be removed");
	if (ret >= 0)
		ret = was_possible(try_rename(tok, temp, &QSTR("#probe"), RENAME_WHITEOUT));
	if (!ret)
		say(lacks, "no RENAME_WHITEOUT: what lower layers have can't be moved");
	return min(ret, 0);
}

static int wipe_but(const struct shale_token *tok, struct dentry *parent, struct dentry *victim,
		    void *keep)
{
	return d_inode(victim) == keep ? 0 : shale_workdir_wipe(tok, parent, victim);
}

/* What removing and moving names is made of. */
static int probe_names(const struct shale_token *tok, struct line *lacks)
{
	const struct shale_new file = { .mode = S_IFREG };
	int err = shale_whiteout_share(tok);
	struct dentry *whiteout = tok->upper->whiteout, *temp;

	if (err) {
		err = was_possible(err);
		if (!err)
			say(lacks, "no devices 0:0: what lower layers have can't be removed");
		return min(err, 0);
	}
	temp = shale_workdir_make(tok, &file);
	err = min(was_possible(PTR_ERR_OR_ZERO(temp)), 0);
	if (!IS_ERR(temp)) {
		err = probe_renaming(tok, whiteout, temp, lacks);
		dput(temp);
	}
	return shale_upper_for_each(tok, tok->upper->workdir, wipe_but, d_inode(whiteout)) ?: err;
}

/* The root of a file system may not say so of itself. */
static bool is_remote(const struct shale_upper *upper)
{
	return upper->workdir->d_flags & (DCACHE_OP_REVALIDATE | DCACHE_OP_WEAK_REVALIDATE);
}

int shale_upper_probe(const struct shale_token *tok, struct shale_sb *sbi, struct fs_context *fc)
{
	struct shale_upper *upper = tok->upper;
	const char *type = upper->root->d_sb->s_type->name;
	struct line lacks = { };
	int ret = probe_names(tok, &lacks);

	if (ret >= 0)
		ret = probe_xattr(tok, sbi);
	if (ret < 0)
		goto failed;
	upper->has_xattr = ret;
	if (!upper->has_xattr) {
		say(&lacks, "no %s xattrs: lower directories can be neither replaced nor moved",
		    marks_space(sbi));
		shale_features_without_xattrs(&sbi->features);
	}
	if (lacks.len && is_remote(upper)) {
		errorfc(fc, "upperdir %s: %s is remote, and lacks what an upper needs: %s",
			upper->layer->name, type, lacks.text);
		return -EINVAL;
	}
	ret = probe_tmpfile(tok);
	if (ret < 0)
		goto failed;
	upper->has_tmpfile = ret;
	if (!upper->has_tmpfile)
		say(&lacks, "no O_TMPFILE: it is refused here, too");
	if (lacks.len)
		pr_warn_ratelimited("upper %s (%s) has %s\n", upper->layer->name, type, lacks.text);
	return 0;

failed:
	errorfc(fc, "workdir: error %d when it was tried what the upper can do", ret);
	return ret;
}

/* The lowers */

static void report(const struct shale_sb *sbi, unsigned int nr)
{
	const struct shale_layer *layer =
		shale_base_lower(sbi, nr, shale_stack_nr_merged(sbi->stack));
	const struct shale_base *base = &sbi->base[nr];
	struct line lacks = { };
	struct path root;

	if (!layer)
		return;
	root = (struct path){ .mnt = layer->mnt, .dentry = layer->mnt->mnt_root };
	if (!shale_marks_are_known(sbi, &root))
		say(&lacks, "no %s xattrs: marks there are not seen, so that all directories merge",
		    marks_space(sbi));
	/* Without xattrs in the upper, or the right to open handles, they get new ones anyway. */
	if (sbi->upper && sbi->upper->has_xattr && shale_may_decode() && !base->has_handles)
		say(&lacks, "no %s: copies of its files get new inode numbers when mounted again",
		    shale_can_decode(base->sb) ? "uuid of its own" : "file handles");
	if (lacks.len)
		pr_info_ratelimited("lower %s (%s) has %s\n", layer->name,
				    base->sb->s_type->name, lacks.text);
}

void shale_lowers_report(const struct shale_sb *sbi)
{
	unsigned int i;

	for (i = 0; i < sbi->nr_base; i++)
		report(sbi, i);
}
