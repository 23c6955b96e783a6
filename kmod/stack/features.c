// SPDX-License-Identifier: GPL-2.0
#include "stack/features.h"

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/fs_context.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "compat/verity.h"
#include "stack/variant.h"

/* One row for each feature. */

#define MAX_VALUES 4

static const struct feature {
	const char *name;
	const char *value[MAX_VALUES];	/* texts, by value */
	u8 supported;			/* bit by value */
	bool needs_upper;		/* without one it is off, whatever was asked for */
} features[SHALE_NR_FEATURES] = {
	[SHALE_USERXATTR]	= { "userxattr", { "off", "on" }, 3 },
	[SHALE_REDIRECT_DIR]	= { "redirect_dir", { "off", "on", "follow", "nofollow" }, 15 },
	[SHALE_METACOPY]	= { "metacopy", { "off", "on" }, 3 },
	[SHALE_INDEX]		= { "index", { "off", "on" }, 3, true },
	[SHALE_NFS_EXPORT]	= { "nfs_export", { "off", "on" }, 3 },
	[SHALE_XINO]		= { "xino", { "off", "on", "auto" }, 7 },
	[SHALE_VERITY]		= { "verity", { "off", "on", "require" },
				    SHALE_VERITY_SUPPORTED ? 7 : 1 },
	[SHALE_UUID]		= { "uuid", { "auto", "null", "on", "off" }, 15 },
	[SHALE_FSYNC]		= { "fsync", { "auto", "strict", "volatile" }, 7, true },
	[SHALE_COPY_UP]		= { "copy_up", { "change", "open" }, 3, true },
};

u8 shale_feature_default[SHALE_NR_FEATURES] = {
	[SHALE_REDIRECT_DIR] = SHALE_IS_OVERLAY ? SHALE_REDIRECT_DIR_OFF : SHALE_REDIRECT_DIR_ON,
	[SHALE_METACOPY] = SHALE_IS_OVERLAY ? SHALE_OFF : SHALE_ON,
};

bool shale_redirect_always_follow = true;
unsigned short shale_redirect_max = 256;

/* On which mounts a dependency is one. */
enum { ALWAYS, WITH_UPPER, WITHOUT_UPPER };

/*
 * One row for each dependency: a feature with one of these values wants another to be so.
 *
 * File handles say nothing of names. In an upper with an index they lead to what was renamed;
 * lower layers alone have none, so that what a redirect brought elsewhere would not be found.
 */
static const struct dependency {
	enum shale_feature feature;
	u8 values;			/* bit by value */
	enum shale_feature other;
	u8 allowed;			/* bit by value of the other */
	u8 otherwise;			/* what the other becomes, if it may */
	u8 when;
} dependencies[] = {
	{ SHALE_USERXATTR, BIT(SHALE_ON), SHALE_VERITY, BIT(SHALE_OFF), SHALE_OFF },
	{ SHALE_USERXATTR, BIT(SHALE_ON), SHALE_METACOPY, BIT(SHALE_OFF), SHALE_OFF },
	{ SHALE_USERXATTR, BIT(SHALE_ON), SHALE_REDIRECT_DIR, BIT(SHALE_REDIRECT_DIR_NOFOLLOW),
	  SHALE_REDIRECT_DIR_NOFOLLOW },
	{ SHALE_USERXATTR, BIT(SHALE_ON), SHALE_NFS_EXPORT, BIT(SHALE_OFF), SHALE_OFF },
	{ SHALE_VERITY, (u8)~BIT(SHALE_OFF), SHALE_METACOPY, BIT(SHALE_ON), SHALE_ON },
	{ SHALE_VERITY, (u8)~BIT(SHALE_OFF), SHALE_NFS_EXPORT, BIT(SHALE_OFF), SHALE_OFF },
	{ SHALE_NFS_EXPORT, BIT(SHALE_ON), SHALE_METACOPY, BIT(SHALE_OFF), SHALE_OFF },
	{ SHALE_NFS_EXPORT, BIT(SHALE_ON), SHALE_INDEX, BIT(SHALE_ON), SHALE_ON, WITH_UPPER },
	{ SHALE_NFS_EXPORT, BIT(SHALE_ON), SHALE_REDIRECT_DIR, BIT(SHALE_REDIRECT_DIR_NOFOLLOW),
	  SHALE_REDIRECT_DIR_NOFOLLOW, WITHOUT_UPPER },
	{ SHALE_METACOPY, BIT(SHALE_ON), SHALE_REDIRECT_DIR, BIT(SHALE_REDIRECT_DIR_ON),
	  SHALE_REDIRECT_DIR_ON, WITH_UPPER },
	{ SHALE_METACOPY, BIT(SHALE_ON), SHALE_REDIRECT_DIR,
	  BIT(SHALE_REDIRECT_DIR_ON) | BIT(SHALE_REDIRECT_DIR_FOLLOW),
	  SHALE_REDIRECT_DIR_FOLLOW, WITHOUT_UPPER },
};

static bool is_supported(enum shale_feature feature, u32 value)
{
	return value < MAX_VALUES && (features[feature].supported & BIT(value));
}

int shale_feature_set_default(enum shale_feature feature, u8 value)
{
	if (!is_supported(feature, value))
		return -EOPNOTSUPP;
	shale_feature_default[feature] = value;
	return 0;
}

void shale_features_init(struct shale_features *f)
{
	BUILD_BUG_ON(SHALE_NR_FEATURES > 8 * sizeof(f->given));
	memcpy(f->value, shale_feature_default, sizeof(f->value));
	f->given = 0;
}

static bool is_given(const struct shale_features *f, enum shale_feature feature)
{
	return f->given & BIT(feature);
}

static const char *value_text(const struct shale_features *f, enum shale_feature feature)
{
	return features[feature].value[f->value[feature]];
}

int shale_feature_ask(struct shale_features *f, enum shale_feature feature, u32 value)
{
	if (!is_supported(feature, value))
		return -EOPNOTSUPP;
	f->value[feature] = value;
	f->given |= BIT(feature);
	return 0;
}

void shale_features_ask_as(struct shale_features *f, const struct shale_features *others)
{
	unsigned int i;

	for (i = 0; i < SHALE_NR_FEATURES; i++) {
		if (is_given(others, i))
			f->value[i] = others->value[i];
	}
	f->given |= others->given;
}

int shale_feature_parse(struct shale_features *f, enum shale_feature feature, const char *value,
			struct fs_context *fc)
{
	const struct feature *row = &features[feature];
	unsigned int i;

	for (i = 0; i < MAX_VALUES && row->value[i]; i++) {
		if (strcmp(row->value[i], value))
			continue;
		if (shale_feature_ask(f, feature, i))
			return invalfc(fc, "%s=%s: not supported%s; %s=%s is", row->name, value,
				       feature == SHALE_VERITY ? " by this kernel" : "",
				       row->name, row->value[0]);
		return 0;
	}
	return invalfc(fc, "%s=%s: no such value; %s is one", row->name, value, row->value[0]);
}

/* One of the two gives way: the one that no option asked for. */
static int resolve(struct shale_features *f, const struct dependency *d, struct fs_context *fc)
{
	const bool agree = d->allowed & BIT(f->value[d->other]);

	if (!(d->values & BIT(f->value[d->feature])))
		return 0;
	if (agree || !is_given(f, d->other)) {
		if (!agree)
			f->value[d->other] = d->otherwise;
		/* What an option asked for by way of another is not to be given up either. */
		if (is_given(f, d->feature))
			f->given |= BIT(d->other);
		return 0;
	}
	if (is_given(f, d->feature))
		return invalfc(fc, "conflicting options: %s=%s wants %s=%s, not %s=%s",
			       features[d->feature].name, value_text(f, d->feature),
			       features[d->other].name, features[d->other].value[d->otherwise],
			       features[d->other].name, value_text(f, d->other));
	f->value[d->feature] = SHALE_OFF;
	return 0;
}

int shale_features_resolve(struct shale_features *f, bool has_upper, struct fs_context *fc)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !has_upper && i < SHALE_NR_FEATURES; i++) {
		if (!features[i].needs_upper || !f->value[i])
			continue;
		if (is_given(f, i))
			pr_info("%s=%s: without upperdir it has no effect\n", features[i].name,
				value_text(f, i));
		f->value[i] = SHALE_OFF;
		f->given &= ~BIT(i);
	}
	if (f->value[SHALE_REDIRECT_DIR] == SHALE_REDIRECT_DIR_OFF)
		f->value[SHALE_REDIRECT_DIR] = shale_redirect_always_follow ?
			SHALE_REDIRECT_DIR_FOLLOW : SHALE_REDIRECT_DIR_NOFOLLOW;

	for (i = 0; !err && i < ARRAY_SIZE(dependencies); i++) {
		if (dependencies[i].when != (has_upper ? WITHOUT_UPPER : WITH_UPPER))
			err = resolve(f, &dependencies[i], fc);
	}
	return err;
}

bool shale_features_want_marks(const struct shale_features *f)
{
	return shale_feature_on(f, SHALE_VERITY) ||
	       (is_given(f, SHALE_METACOPY) && f->value[SHALE_METACOPY] == SHALE_ON) ||
	       (is_given(f, SHALE_REDIRECT_DIR) &&
		f->value[SHALE_REDIRECT_DIR] != SHALE_REDIRECT_DIR_NOFOLLOW);
}

void shale_features_without_xattrs(struct shale_features *f)
{
	if (shale_redirects_made(f))
		f->value[SHALE_REDIRECT_DIR] = SHALE_REDIRECT_DIR_FOLLOW;
	f->value[SHALE_METACOPY] = SHALE_OFF;
	f->value[SHALE_INDEX] = SHALE_OFF;
	f->value[SHALE_NFS_EXPORT] = SHALE_OFF;
	if (f->value[SHALE_UUID] != SHALE_UUID_OFF)
		f->value[SHALE_UUID] = SHALE_UUID_NULL;
}

void shale_features_show(const struct shale_features *f, struct seq_file *m)
{
	struct shale_features plain;
	unsigned int i;

	/* A mount that was asked for nothing has what the defaults come to. */
	shale_features_init(&plain);
	shale_features_resolve(&plain, true, NULL);
	if (f->value[SHALE_USERXATTR])
		seq_puts(m, ",userxattr");
	for (i = SHALE_USERXATTR + 1; i < SHALE_NR_FEATURES; i++) {
		if (f->value[i] != plain.value[i])
			seq_printf(m, ",%s=%s", features[i].name, value_text(f, i));
	}
}
