// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	include/netlink/shale.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/shale.h>

/* SHALE_CMD_NEW - do */
static const struct nla_policy shale_new_nl_policy[SHALE_A_STACK_WORK + 1] = {
	[SHALE_A_STACK_LOWER] = NLA_POLICY_MIN(NLA_S32, 0),
	[SHALE_A_STACK_UPPER] = NLA_POLICY_MIN(NLA_S32, 0),
	[SHALE_A_STACK_WORK] = NLA_POLICY_MIN(NLA_S32, 0),
};

/* SHALE_CMD_GET - do */
static const struct nla_policy shale_get_nl_policy[SHALE_A_MOUNT_FD + 1] = {
	[SHALE_A_MOUNT_ID] = { .type = NLA_U64, },
	[SHALE_A_MOUNT_FD] = NLA_POLICY_MIN(NLA_S32, 0),
};

/* Ops table for shale */
static const struct genl_split_ops shale_nl_ops[] = {
	{
		.cmd		= SHALE_CMD_NEW,
		.doit		= shale_nl_new_doit,
		.policy		= shale_new_nl_policy,
		.maxattr	= SHALE_A_STACK_WORK,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SHALE_CMD_GET,
		.doit		= shale_nl_get_doit,
		.policy		= shale_get_nl_policy,
		.maxattr	= SHALE_A_MOUNT_FD,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SHALE_CMD_GET,
		.dumpit	= shale_nl_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
};

struct genl_family shale_nl_family __ro_after_init = {
	.name		= SHALE_FAMILY_NAME,
	.version	= SHALE_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= shale_nl_ops,
	.n_split_ops	= ARRAY_SIZE(shale_nl_ops),
};
