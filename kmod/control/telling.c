// SPDX-License-Identifier: GPL-2.0
/* Answers in many parts. */
#include <linux/module.h>

#include "control/netlink_gen.h"
#include "control/request.h"

/* Where a dump goes on. Between two messages nothing is held, and mounts come and go. */
struct cursor {
	const struct shale_telling *what;
	u64 id;		/* the mount to go on with: the first whose id is at least this */
	u32 lower;	/* its first lower layer that was not told yet */
	bool head;	/* everything about it but the lower layers was told */
	bool only;	/* tell of this mount and no other */
};

static struct cursor *cursor(struct netlink_callback *cb)
{
	NL_ASSERT_CTX_FITS(struct cursor);
	return (struct cursor *)cb->ctx;
}

/*
 * Begins a message with @payload bytes of attributes to come. A message that would not even fit
 * an empty buffer (paths are as long as PATH_MAX, the buffer may be shorter) gets a larger
 * one; otherwise it has to wait for the next buffer.
 * Return: the header, or ERR_PTR: -EMSGSIZE, -ENOMEM.
 */
static void *begin_part(struct sk_buff *skb, struct netlink_callback *cb, int payload)
{
	int need = nlmsg_total_size(genlmsg_total_size(payload)) - skb_tailroom(skb);
	void *header;

	if (need > 0) {
		if (skb->len)
			return ERR_PTR(-EMSGSIZE);
		if (pskb_expand_head(skb, 0, need, GFP_KERNEL))
			return ERR_PTR(-ENOMEM);
	}
	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			     &shale_nl_family, NLM_F_MULTI, cursor(cb)->what->command);
	return header ?: ERR_PTR(-EMSGSIZE);
}

/* The first message of a mount: everything but its lower layers. */
static int tell_head(struct sk_buff *skb, struct netlink_callback *cb, struct shale_sb *sbi)
{
	const struct shale_telling *what = cursor(cb)->what;
	void *header = begin_part(skb, cb, what->head_size(sbi));

	if (IS_ERR(header))
		return PTR_ERR(header);
	if (what->put_head(skb, sbi)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* One more message: as many of the lower layers from *@next on as fit, but at least one. */
static int tell_lowers(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct shale_sb *sbi, u32 *next)
{
	const struct shale_telling *what = cursor(cb)->what;
	void *header = begin_part(skb, cb, nla_total_size(sizeof(u64)) +
					   nla_total_size(sizeof(u32)) +
					   what->lower_size(sbi, *next));
	u32 first = *next;

	if (IS_ERR(header))
		return PTR_ERR(header);
	if (what->put_before_lowers(skb, sbi, first))
		goto cancel;
	while (*next < sbi->stack->nr_lower && !what->put_lower(skb, sbi, *next))
		++*next;
	if (*next == first)
		goto cancel;
	genlmsg_end(skb, header);
	return 0;

cancel:
	genlmsg_cancel(skb, header);
	return -EMSGSIZE;
}

static int tell_mount(struct sk_buff *skb, struct netlink_callback *cb, struct shale_sb *sbi)
{
	struct cursor *at = cursor(cb);
	int err;

	if (!at->head) {
		err = tell_head(skb, cb, sbi);
		if (err)
			return err;
		at->head = true;
	}
	while (at->what->put_lower && at->lower < sbi->stack->nr_lower) {
		err = tell_lowers(skb, cb, sbi, &at->lower);
		if (err)
			return err;
	}
	return 0;
}

static void move_to(struct cursor *at, u64 id)
{
	at->id = id;
	at->lower = 0;
	at->head = false;
}

/* Fills one buffer. Return: its size when there is more to tell, 0 at the end, or an error. */
static int tell(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct cursor *at = cursor(cb);
	struct shale_sb *sbi;
	int err;

	guard(shale_sb_table)();
	while ((sbi = shale_sb_next(at->id))) {
		if (sbi->id != at->id) {
			if (at->only)
				break;
			move_to(at, sbi->id);
		}
		if (shale_may_see(sbi, cb->skb)) {
			err = tell_mount(skb, cb, sbi);
			if (err)
				return skb->len ?: err;
		}
		if (at->only)
			return 0;
		move_to(at, sbi->id + 1);
	}
	if (!at->only)
		return 0;
	NL_SET_ERR_MSG(cb->extack, "the mount went away");
	return -ENOENT;
}

int shale_tell_all(struct sk_buff *skb, struct netlink_callback *cb,
		   const struct shale_telling *what)
{
	/* Later buffers are filled for whoever reads, who may be anybody. */
	if (!cursor(cb)->what && !shale_may_administrate(cb->skb, cb->extack))
		return -EPERM;
	cursor(cb)->what = what;
	return tell(skb, cb);
}

static int start_telling(struct netlink_callback *cb)
{
	*cursor(cb) = *(const struct cursor *)cb->data;
	cb->data = NULL;
	return 0;
}

int shale_tell_one(struct sk_buff *skb, struct genl_info *info,
		   const struct shale_telling *what)
{
	struct cursor at = { .what = what, .only = true };
	struct netlink_dump_control control = {
		.start = start_telling,
		.dump = tell,
		.data = &at,
		.module = THIS_MODULE,
		SHALE_DUMP_EXTACK(info->extack),
	};
	int err;

	if (!shale_may_administrate(skb, info->extack))
		return -EPERM;
	err = shale_find_mount(skb, info, &at.id);
	if (err)
		return err;
	return shale_start_dump(skb, info, &control);
}
