// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters: what a mount has when no option says otherwise. They have overlayfs's names,
 * for engines look for them in /sys/module/overlay/parameters: a file that says N means that the
 * feature is known and off by default, no file that it is not known.
 */
#include <linux/moduleparam.h>
#include <linux/module.h>

#include "stack/features.h"
#include "vfs/super.h"

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

	bool on = shale_feature_default[feature] == yes(feature);

	return sysfs_emit(buffer, "%c\n", on ? 'Y' : 'N');
}

static const struct kernel_param_ops feature_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set,
	.get = get,
};

module_param_cb(redirect_dir, &feature_ops, &shale_feature_default[SHALE_REDIRECT_DIR], 0644);
MODULE_PARM_DESC(redirect_dir, "Rename directories of lower layers by redirects");
module_param_cb(metacopy, &feature_ops, &shale_feature_default[SHALE_METACOPY], 0644);
MODULE_PARM_DESC(metacopy, "Copy up metadata without data, as long as that will do");
module_param_cb(index, &feature_ops, &shale_feature_default[SHALE_INDEX], 0644);
MODULE_PARM_DESC(index, "Keep hard links of lower layers over copy-up");
module_param_cb(nfs_export, &feature_ops, &shale_feature_default[SHALE_NFS_EXPORT], 0644);
MODULE_PARM_DESC(nfs_export, "Give file handles that outlive copy-up, for NFS");
module_param_cb(xino_auto, &feature_ops, &shale_feature_default[SHALE_XINO], 0644);
MODULE_PARM_DESC(xino_auto, "Put layer numbers into inode numbers where there is room");

module_param_named(redirect_always_follow, shale_redirect_always_follow, bool, 0644);
MODULE_PARM_DESC(redirect_always_follow, "Follow redirects even where none are made");
module_param_named(redirect_max, shale_redirect_max, ushort, 0644);
MODULE_PARM_DESC(redirect_max, "Longest path, in bytes, that a redirect is made of");

module_param_named(userns_mount, shale_userns_mount, bool, 0644);
MODULE_PARM_DESC(userns_mount, "Let root of any user namespace mount");
