// SPDX-License-Identifier: GPL-2.0
/* counters: what happened in a mount. */
#include "control/netlink_gen.h"
#include "control/request.h"

static const u8 attribute_of[SHALE_COUNT_NR] = {
	[SHALE_COUNT_LOOK_UPS] = SHALE_A_COUNTERS_LOOK_UPS,
	[SHALE_COUNT_PROBES] = SHALE_A_COUNTERS_PROBES,
	[SHALE_COUNT_PROBES_SAVED] = SHALE_A_COUNTERS_PROBES_SAVED,
	[SHALE_COUNT_REOPENS] = SHALE_A_COUNTERS_REOPENS,
	[SHALE_COUNT_WHITEOUTS] = SHALE_A_COUNTERS_WHITEOUTS,
	[SHALE_COUNT_REDIRECTS] = SHALE_A_COUNTERS_REDIRECTS,
};

static int error_size(void)
{
	return nla_total_size(nla_total_size(sizeof(u32)) + nla_total_size(sizeof(u64)));
}

/* Errors may come while they are told: there is room for all. */
static int head_size(const struct shale_sb *sbi)
{
	return (8 + SHALE_COUNT_NR) * nla_total_size(sizeof(u64)) + SHALE_NR_ERRORS * error_size();
}

static int put_counters(struct sk_buff *skb, const struct shale_counters *counters)
{
	int i, err = 0;

	for (i = 0; !err && i < SHALE_COUNT_NR; i++)
		err = shale_put_u64(skb, attribute_of[i], shale_counted(counters, i));
	return err;
}

static int put_error(struct sk_buff *skb, int number, u32 count)
{
	struct nlattr *nest = nla_nest_start(skb, SHALE_A_COUNTERS_ERROR);

	if (!nest || nla_put_u32(skb, SHALE_A_ERROR_COUNTER_ERRNO, number) ||
	    shale_put_u64(skb, SHALE_A_ERROR_COUNTER_COUNT, count))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_errors(struct sk_buff *skb, const struct shale_counters *counters)
{
	u32 count;
	int i, err = 0;

	for (i = 0; !err && i < SHALE_NR_ERRORS; i++) {
		count = atomic_read(&counters->error[i]);
		if (count)
			err = put_error(skb, i, count);
	}
	return err;
}

static int put_listings(struct sk_buff *skb, struct shale_listings *listings)
{
	unsigned int lists;
	u64 names, bytes;

	scoped_guard(spinlock, &listings->lock) {
		lists = listings->nr_lists;
		names = listings->nr - lists;
		bytes = listings->bytes;
	}
	return nla_put_u32(skb, SHALE_A_COUNTERS_LISTINGS, lists) ?:
	       shale_put_u64(skb, SHALE_A_COUNTERS_LISTED_NAMES, names) ?:
	       shale_put_u64(skb, SHALE_A_COUNTERS_LISTING_BYTES, bytes);
}

static int put_events(struct sk_buff *skb, const struct shale_events *events)
{
	return shale_put_u64(skb, SHALE_A_COUNTERS_EVENTS, READ_ONCE(events->seq)) ?:
	       shale_put_u64(skb, SHALE_A_COUNTERS_EVENTS_DROPPED, READ_ONCE(events->dropped));
}

static int put_head(struct sk_buff *skb, struct shale_sb *sbi)
{
	return shale_put_u64(skb, SHALE_A_COUNTERS_ID, sbi->id) ?:
	       shale_put_u64(skb, SHALE_A_COUNTERS_COPY_UPS, atomic64_read(&sbi->copy_ups)) ?:
	       shale_put_u64(skb, SHALE_A_COUNTERS_COPY_UP_BYTES,
			     atomic64_read(&sbi->copy_up_bytes)) ?:
	       put_counters(skb, &sbi->counters) ?:
	       put_listings(skb, &sbi->listings) ?:
	       put_events(skb, &sbi->events) ?:
	       put_errors(skb, &sbi->counters);
}

static int put_before_lowers(struct sk_buff *skb, const struct shale_sb *sbi, u32 first)
{
	return shale_put_u64(skb, SHALE_A_COUNTERS_ID, sbi->id);
}

static int lower_size(const struct shale_sb *sbi, u32 lower)
{
	return nla_total_size(nla_total_size(sizeof(u32)) + 3 * nla_total_size(sizeof(u64)));
}

static int put_lower(struct sk_buff *skb, const struct shale_sb *sbi, u32 lower)
{
	const struct shale_layer *layer = sbi->stack->lower[lower];
	struct nlattr *nest = nla_nest_start(skb, SHALE_A_COUNTERS_LAYER);

	if (nest && !nla_put_u32(skb, SHALE_A_LAYER_COUNTERS_LOWER, lower) &&
	    !shale_put_u64(skb, SHALE_A_LAYER_COUNTERS_COPY_UPS,
			   atomic64_read(&layer->copy_ups)) &&
	    !shale_put_u64(skb, SHALE_A_LAYER_COUNTERS_COPY_UP_BYTES,
			   atomic64_read(&layer->copy_up_bytes)) &&
	    !shale_put_u64(skb, SHALE_A_LAYER_COUNTERS_LOOK_UPS,
			   atomic_long_read(&layer->look_ups))) {
		nla_nest_end(skb, nest);
		return 0;
	}
	nla_nest_cancel(skb, nest);
	return -EMSGSIZE;
}

static const struct shale_telling all_counters = {
	.command = SHALE_CMD_COUNTERS,
	.head_size = head_size,
	.put_head = put_head,
	.lower_size = lower_size,
	.put_lower = put_lower,
	.put_before_lowers = put_before_lowers,
};

static const struct shale_telling counters_of_mounts = {
	.command = SHALE_CMD_COUNTERS,
	.head_size = head_size,
	.put_head = put_head,
};

int shale_nl_counters_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return shale_tell_all(skb, cb, &counters_of_mounts);
}

int shale_nl_counters_doit(struct sk_buff *skb, struct genl_info *info)
{
	return shale_tell_one(skb, info, &all_counters);
}
