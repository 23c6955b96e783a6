/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Generic netlink. From 6.2 on a family lists its operations one by one: what answers a command
 * and what dumps it are two. Before, both stood in one, which a table may have but once for each
 * command. A dump knows the extended ack of the request that started it from 6.12 on.
 */
#ifndef SHALE_COMPAT_GENETLINK_H
#define SHALE_COMPAT_GENETLINK_H

#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#ifndef NL_ASSERT_CTX_FITS
#define NL_ASSERT_CTX_FITS(type)						\
	BUILD_BUG_ON(sizeof(type) > sizeof_field(struct netlink_callback, ctx))
#endif

/* In a struct netlink_dump_control. */
#ifdef SHALE_HAS_DUMP_CONTROL_EXTACK
#define SHALE_DUMP_EXTACK(ack) .extack = ack
#else
#define SHALE_DUMP_EXTACK(ack) .min_dump_alloc = 0
#endif

#ifndef SHALE_HAS_GENL_SPLIT_OPS

#define genl_split_ops	genl_ops
#define split_ops	ops
#define n_split_ops	n_ops

/* Of each command the first operation, with what those that follow have more. */
static inline int compat_merge_ops(struct genl_ops *merged, const struct genl_ops *ops, int nr)
{
	int i, n = 0;

	for (i = 0; i < nr; i++) {
		if (n && merged[n - 1].cmd == ops[i].cmd) {
			merged[n - 1].doit = merged[n - 1].doit ?: ops[i].doit;
			merged[n - 1].start = merged[n - 1].start ?: ops[i].start;
			merged[n - 1].dumpit = merged[n - 1].dumpit ?: ops[i].dumpit;
			merged[n - 1].done = merged[n - 1].done ?: ops[i].done;
			merged[n - 1].flags |= ops[i].flags;
		} else {
			merged[n++] = ops[i];
		}
	}
	return n;
}

/* Operations of one command stand side by side, as the generator puts them. */
static inline int compat_genl_register_family(struct genl_family *family)
{
	struct genl_ops *merged = kcalloc(family->n_ops, sizeof(*merged), GFP_KERNEL);
	int err;

	if (!merged)
		return -ENOMEM;
	family->n_ops = compat_merge_ops(merged, family->ops, family->n_ops);
	family->ops = merged;
	err = genl_register_family(family);
	if (err)
		kfree(merged);
	return err;
}

static inline void compat_genl_unregister_family(struct genl_family *family)
{
	genl_unregister_family(family);
	kfree(family->ops);
}

#define genl_register_family	compat_genl_register_family
#define genl_unregister_family	compat_genl_unregister_family

#endif

#endif
