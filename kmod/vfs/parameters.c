// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters: what a mount has when no option says otherwise. They have overlayfs's names,
 * for engines look for them in /sys/module/overlay/parameters: a file that says N means that the
 * feature is known and off by default, no file that it is not known.
 */
#include <linux/moduleparam.h>
#include <linux/module.h>

#include "stack/features.h"

/* Of a feature that is a yes or no, what yes means. */
static u8 yes(enum shale_feature feature)
{
	return feature == SHALE_XINO ? SHALE_XINO_AUTO : SHALE_ON;
}

static enum shale_feature feature_of(const struct kernel_param *param)
{
	return (u8 *)param->arg - shale_feature_default;
}

static int set(const char *value, const struct kernel_param *param)
{
	enum shale_feature feature = feature_of(param);
	bool on;
	int err = kstrtobool(value ?: "1", &on);

	if (!err)
		err = shale_feature_set_default(feature, on ? yes(feature) : SHALE_OFF);
	if (err == -EOPNOTSUPP)
		pr_err("%s=%s: not supported\n", param->name, value ?: "1");
	return err;
}

static int get(char *buffer, const struct kernel_param *param)
{
	enum shale_feature feature = feature_of(param);

	return sysfs_emit(buffer, "%c\n", shale_feature_default[feature] == yes(feature) ? 'Y' : 'N');
}

static const struct kernel_param_ops feature_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set,
	.get = get,
};

#define FEATURE_PARAM(name, feature, text)					\
	module_param_cb(name, &feature_ops, &shale_feature_default[feature], 0644);	\
	MODULE_PARM_DESC(name, text)

FEATURE_PARAM(redirect_dir, SHALE_REDIRECT_DIR, "Rename directories of lower layers by redirects");
FEATURE_PARAM(metacopy, SHALE_METACOPY, "Copy up metadata without data, as long as that will do");
FEATURE_PARAM(index, SHALE_INDEX, "Keep hard links of lower layers over copy-up");
FEATURE_PARAM(nfs_export, SHALE_NFS_EXPORT, "Give file handles that outlive copy-up, for NFS");
FEATURE_PARAM(xino_auto, SHALE_XINO, "Put layer numbers into inode numbers where there is room");

module_param_named(redirect_always_follow, shale_redirect_always_follow, bool, 0644);
MODULE_PARM_DESC(redirect_always_follow, "Follow redirects even where none are made");
module_param_named(redirect_max, shale_redirect_max, ushort, 0644);
MODULE_PARM_DESC(redirect_max, "Longest path, in bytes, that a redirect is made of");
