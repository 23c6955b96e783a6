/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a mount does beyond the plain union. Each feature is a mount option; features.c has one
 * row for each, and one for each way in which two of them depend on each other.
 */
#ifndef SHALE_STACK_FEATURES_H
#define SHALE_STACK_FEATURES_H

#include <linux/shale.h>
#include <linux/types.h>

struct fs_context;
struct seq_file;

enum shale_feature {
	SHALE_USERXATTR,	/* marks are user.overlay.*: off, on */
	SHALE_REDIRECT_DIR,	/* enum shale_redirect_dir; off is not for long */
	SHALE_METACOPY,		/* off, on */
	SHALE_INDEX,		/* off, on */
	SHALE_NFS_EXPORT,	/* off, on */
	SHALE_XINO,		/* enum shale_xino */
	SHALE_VERITY,		/* enum shale_verity */
	SHALE_UUID,		/* enum shale_uuid; auto until the upper is open: then on or null */
	SHALE_FSYNC,		/* enum shale_fsync */
	SHALE_COPY_UP,		/* enum shale_copy_up */
	SHALE_NR_FEATURES
};

/* Values, as the netlink family numbers them. Most features know these two. */
enum { SHALE_OFF = SHALE_SWITCH_OFF, SHALE_ON = SHALE_SWITCH_ON };

struct shale_features {
	u8 value[SHALE_NR_FEATURES];
	u16 given;			/* bit by feature: an option asked for this value */
};

/* What a mount has when no option says otherwise; module parameters change it. */
extern u8 shale_feature_default[SHALE_NR_FEATURES];
/* Module parameters: whether redirect_dir=off means follow; the longest redirect to be made. */
extern bool shale_redirect_always_follow;
extern unsigned short shale_redirect_max;

/* Changes a default. -EOPNOTSUPP when the feature has no such value. */
int shale_feature_set_default(enum shale_feature feature, u8 value);

void shale_features_init(struct shale_features *features);

/* Asks for a value by its number. -EOPNOTSUPP when the feature has none such, or not here. */
int shale_feature_ask(struct shale_features *features, enum shale_feature feature, u32 value);

/* Asks @features for all that @others were asked for. */
void shale_features_ask_as(struct shale_features *features, const struct shale_features *others);

/**
 * shale_feature_parse - read an option
 * Return: 0; -EINVAL with a message in @fc when it is no value of the feature, or not supported.
 */
int shale_feature_parse(struct shale_features *features, enum shale_feature feature,
			const char *value, struct fs_context *fc);

/**
 * shale_features_resolve - bring features in agreement that depend on each other
 * @features: as options, defaults and the layers left them
 * @has_upper: the mount is one that may be written
 *
 * What options asked for wins over defaults; of two that options asked for, neither gives way.
 * Return: 0, or -EINVAL with a message in @fc.
 */
int shale_features_resolve(struct shale_features *features, bool has_upper, struct fs_context *fc);

/* Did an option ask for what can't be had without marks? */
bool shale_features_want_marks(const struct shale_features *features);

/* Takes away what an upper without xattrs can't have. */
void shale_features_without_xattrs(struct shale_features *features);

/* Writes ",name=value" for what is not the default. */
void shale_features_show(const struct shale_features *features, struct seq_file *m);

static inline bool shale_feature_on(const struct shale_features *features,
				    enum shale_feature feature)
{
	return features->value[feature] != SHALE_OFF;
}

/* Is it on because an option asked for it, rather than by default? */
static inline bool shale_feature_asked(const struct shale_features *features,
				       enum shale_feature feature)
{
	return shale_feature_on(features, feature) && (features->given & (1U << feature));
}

static inline bool shale_is_volatile(const struct shale_features *features)
{
	return features->value[SHALE_FSYNC] == SHALE_FSYNC_VOLATILE;
}

static inline bool shale_redirects_followed(const struct shale_features *features)
{
	return features->value[SHALE_REDIRECT_DIR] != SHALE_REDIRECT_DIR_NOFOLLOW;
}

static inline bool shale_redirects_made(const struct shale_features *features)
{
	return features->value[SHALE_REDIRECT_DIR] == SHALE_REDIRECT_DIR_ON;
}

#endif
