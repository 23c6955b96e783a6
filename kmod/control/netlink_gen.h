/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	include/netlink/shale.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_SHALE_GEN_H
#define _LINUX_SHALE_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/shale.h>

int shale_nl_new_doit(struct sk_buff *skb, struct genl_info *info);
int shale_nl_get_doit(struct sk_buff *skb, struct genl_info *info);
int shale_nl_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int shale_nl_set_doit(struct sk_buff *skb, struct genl_info *info);
int shale_nl_query_doit(struct sk_buff *skb, struct genl_info *info);
int shale_nl_in_use_doit(struct sk_buff *skb, struct genl_info *info);
int shale_nl_counters_doit(struct sk_buff *skb, struct genl_info *info);
int shale_nl_counters_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int shale_nl_quiesce_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	SHALE_NLGRP_MOUNTS,
	SHALE_NLGRP_COPY_UPS,
	SHALE_NLGRP_NAMES,
	SHALE_NLGRP_ERRORS,
};

extern struct genl_family shale_nl_family;

#endif /* _LINUX_SHALE_GEN_H */
