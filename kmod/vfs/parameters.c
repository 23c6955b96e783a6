// SPDX-License-Identifier: GPL-2.0
/*
 * The parameters of overlayfs that engines look for in /sys/module/overlay/parameters: a file that
 * says N means that the feature is known and off by default, no file that it is not known.
 * Features that are not built yet are off, and asking for one refuses to load the module rather
 * than to pretend.
 */
#include <linux/moduleparam.h>
#include <linux/module.h>

static int set_off(const char *value, const struct kernel_param *param)
{
	bool on;
	int err = kstrtobool(value ?: "1", &on);

	if (err || !on)
		return err;
	pr_err("%s=%s: not supported, only N is\n", param->name, value ?: "1");
	return -EOPNOTSUPP;
}

static int get_off(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "N\n");
}

static const struct kernel_param_ops off = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_off,
	.get = get_off,
};

module_param_cb(redirect_dir, &off, NULL, 0444);
MODULE_PARM_DESC(redirect_dir, "Rename directories of lower layers by redirects: always N");
module_param_cb(redirect_always_follow, &off, NULL, 0444);
MODULE_PARM_DESC(redirect_always_follow, "Follow redirects even where none are made: always N");
module_param_cb(index, &off, NULL, 0444);
MODULE_PARM_DESC(index, "Keep hard links of lower layers over copy-up: always N");
module_param_cb(nfs_export, &off, NULL, 0444);
MODULE_PARM_DESC(nfs_export, "Export by NFS: always N");
module_param_cb(xino_auto, &off, NULL, 0444);
MODULE_PARM_DESC(xino_auto, "Put layer numbers into inode numbers: always N");
module_param_cb(metacopy, &off, NULL, 0444);
MODULE_PARM_DESC(metacopy, "Copy up metadata without data: always N");
