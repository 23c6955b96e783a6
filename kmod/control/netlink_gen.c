// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	include/netlink/shale.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/shale.h>

/* SHALE_CMD_NEW - do */
static const struct nla_policy shale_new_nl_policy[SHALE_A_STACK_INODES + 1] = {
	[SHALE_A_STACK_LOWER] = NLA_POLICY_MIN(NLA_S32, 0),
	[SHALE_A_STACK_UPPER] = NLA_POLICY_MIN(NLA_S32, 0),
	[SHALE_A_STACK_WORK] = NLA_POLICY_MIN(NLA_S32, 0),
	[SHALE_A_STACK_DATA] = NLA_POLICY_MIN(NLA_S32, 0),
	[SHALE_A_STACK_LOWER_PATH] = { .type = NLA_STRING, .len = 4095, },
	[SHALE_A_STACK_UPPER_PATH] = { .type = NLA_NUL_STRING, .len = 4095, },
	[SHALE_A_STACK_WORK_PATH] = { .type = NLA_NUL_STRING, .len = 4095, },
	[SHALE_A_STACK_DATA_PATH] = { .type = NLA_STRING, .len = 4095, },
	[SHALE_A_STACK_USERXATTR] = { .type = NLA_FLAG, },
	[SHALE_A_STACK_DEFAULT_PERMISSIONS] = { .type = NLA_FLAG, },
	[SHALE_A_STACK_REDIRECT_DIR] = NLA_POLICY_MAX(NLA_U32, 3),
	[SHALE_A_STACK_METACOPY] = NLA_POLICY_MAX(NLA_U32, 1),
	[SHALE_A_STACK_INDEX] = NLA_POLICY_MAX(NLA_U32, 1),
	[SHALE_A_STACK_NFS_EXPORT] = NLA_POLICY_MAX(NLA_U32, 1),
	[SHALE_A_STACK_XINO] = NLA_POLICY_MAX(NLA_U32, 2),
	[SHALE_A_STACK_VERITY] = NLA_POLICY_MAX(NLA_U32, 2),
	[SHALE_A_STACK_UUID] = NLA_POLICY_MAX(NLA_U32, 3),
	[SHALE_A_STACK_FSYNC] = NLA_POLICY_MAX(NLA_U32, 2),
	[SHALE_A_STACK_COPY_UP] = NLA_POLICY_MAX(NLA_U32, 1),
	[SHALE_A_STACK_SIZE] = { .type = NLA_U64, },
	[SHALE_A_STACK_INODES] = { .type = NLA_U64, },
};

/* SHALE_CMD_GET - do */
static const struct nla_policy shale_get_nl_policy[SHALE_A_MOUNT_FD + 1] = {
	[SHALE_A_MOUNT_ID] = { .type = NLA_U64, },
	[SHALE_A_MOUNT_FD] = NLA_POLICY_MIN(NLA_S32, 0),
};

/* SHALE_CMD_SET - do */
static const struct nla_policy shale_set_nl_policy[SHALE_A_MOUNT_INODES + 1] = {
	[SHALE_A_MOUNT_ID] = { .type = NLA_U64, },
	[SHALE_A_MOUNT_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[SHALE_A_MOUNT_EVENTS] = { .type = NLA_U32, },
	[SHALE_A_MOUNT_EVENT_RATE] = { .type = NLA_U32, },
	[SHALE_A_MOUNT_MAX_COPY_UP] = { .type = NLA_U64, },
	[SHALE_A_MOUNT_SIZE] = { .type = NLA_U64, },
	[SHALE_A_MOUNT_INODES] = { .type = NLA_U64, },
};

/* SHALE_CMD_QUERY - do */
static const struct nla_policy shale_query_nl_policy[SHALE_A_OBJECT_FD + 1] = {
	[SHALE_A_OBJECT_FD] = NLA_POLICY_MIN(NLA_S32, 0),
};

/* SHALE_CMD_IN_USE - do */
static const struct nla_policy shale_in_use_nl_policy[SHALE_A_LAYER_USE_FD + 1] = {
	[SHALE_A_LAYER_USE_FD] = NLA_POLICY_MIN(NLA_S32, 0),
};

/* SHALE_CMD_COUNTERS - do */
static const struct nla_policy shale_counters_nl_policy[SHALE_A_COUNTERS_FD + 1] = {
	[SHALE_A_COUNTERS_ID] = { .type = NLA_U64, },
	[SHALE_A_COUNTERS_FD] = NLA_POLICY_MIN(NLA_S32, 0),
};

/* SHALE_CMD_QUIESCE - do */
static const struct nla_policy shale_quiesce_nl_policy[SHALE_A_QUIESCE_TIMEOUT + 1] = {
	[SHALE_A_QUIESCE_ID] = { .type = NLA_U64, },
	[SHALE_A_QUIESCE_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[SHALE_A_QUIESCE_TIMEOUT] = NLA_POLICY_RANGE(NLA_U32, 1, SHALE_MAX_QUIESCE),
};

/* Ops table for shale */
static const struct genl_split_ops shale_nl_ops[] = {
	{
		.cmd		= SHALE_CMD_NEW,
		.doit		= shale_nl_new_doit,
		.policy		= shale_new_nl_policy,
		.maxattr	= SHALE_A_STACK_INODES,
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
	{
		.cmd		= SHALE_CMD_SET,
		.doit		= shale_nl_set_doit,
		.policy		= shale_set_nl_policy,
		.maxattr	= SHALE_A_MOUNT_INODES,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SHALE_CMD_QUERY,
		.doit		= shale_nl_query_doit,
		.policy		= shale_query_nl_policy,
		.maxattr	= SHALE_A_OBJECT_FD,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SHALE_CMD_IN_USE,
		.doit		= shale_nl_in_use_doit,
		.policy		= shale_in_use_nl_policy,
		.maxattr	= SHALE_A_LAYER_USE_FD,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SHALE_CMD_COUNTERS,
		.doit		= shale_nl_counters_doit,
		.policy		= shale_counters_nl_policy,
		.maxattr	= SHALE_A_COUNTERS_FD,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SHALE_CMD_COUNTERS,
		.dumpit	= shale_nl_counters_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= SHALE_CMD_QUIESCE,
		.doit		= shale_nl_quiesce_doit,
		.policy		= shale_quiesce_nl_policy,
		.maxattr	= SHALE_A_QUIESCE_TIMEOUT,
		.flags		= GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group shale_nl_mcgrps[] = {
	[SHALE_NLGRP_MOUNTS] = { "mounts", },
	[SHALE_NLGRP_COPY_UPS] = { "copy-ups", },
	[SHALE_NLGRP_NAMES] = { "names", },
	[SHALE_NLGRP_ERRORS] = { "errors", },
};

struct genl_family shale_nl_family __ro_after_init = {
	.name		= SHALE_FAMILY_NAME,
	.version	= SHALE_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= shale_nl_ops,
	.n_split_ops	= ARRAY_SIZE(shale_nl_ops),
	.mcgrps		= shale_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(shale_nl_mcgrps),
};
