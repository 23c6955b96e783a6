// SPDX-License-Identifier: GPL-2.0
/* get and set: what there is to tell of live mounts, and to change. */
#include <linux/nsproxy.h>
#include <linux/sched.h>

#include "control/netlink_gen.h"
#include "control/request.h"
#include "stack/events.h"
#include "stack/quota.h"
#include "stack/upper.h"

/*
 * To who asks from another mount namespace a layer has no path: it would lead elsewhere. A
 * namespace that is gone may have left its address to a new one, whose administrator then is told
 * a path that means nothing there.
 */
static const char *path_of(const struct shale_layer *layer)
{
	return layer->named_in == current->nsproxy->mnt_ns ? layer->name : "";
}

static int head_size(const struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;
	int size = 4 * nla_total_size(sizeof(u64)) + 6 * nla_total_size(sizeof(u32)) +
		   2 * nla_total_size(0) + shale_text_size(sbi->source);

	if (stack->upper)
		size += shale_text_size(path_of(stack->upper)) +
			shale_text_size(path_of(stack->work));
	if (sbi->quota)
		size += 4 * nla_total_size(sizeof(u64)) + nla_total_size(sizeof(u32));
	return size;
}

/* Set at any time, so they are looked at once. */
static int put_marks(struct sk_buff *skb, const struct shale_upper *upper)
{
	if (!upper)
		return 0;
	return (READ_ONCE(upper->has_redirects) ? nla_put_flag(skb, SHALE_A_MOUNT_REDIRECTS) : 0) ?:
	       (READ_ONCE(upper->has_metacopies) ? nla_put_flag(skb, SHALE_A_MOUNT_METACOPIES) : 0);
}

static int put_quota(struct sk_buff *skb, const struct shale_sb *sbi)
{
	struct shale_usage max, used;
	int err;

	if (!sbi->quota)
		return 0;
	shale_quota_look(sbi, &max, &used);
	err = shale_put_u64(skb, SHALE_A_MOUNT_SIZE, max.bytes) ?:
	      shale_put_u64(skb, SHALE_A_MOUNT_INODES, max.inodes);
	if (err)
		return err;
	if (!shale_quota_counts(sbi))
		return nla_put_u32(skb, SHALE_A_MOUNT_PROJECT,
				   from_kprojid(&init_user_ns, sbi->quota->project));
	return shale_put_u64(skb, SHALE_A_MOUNT_SIZE_USED, used.bytes) ?:
	       shale_put_u64(skb, SHALE_A_MOUNT_INODES_USED, used.inodes);
}

static int put_head(struct sk_buff *skb, struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;

	return shale_put_u64(skb, SHALE_A_MOUNT_ID, sbi->id) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_MAJOR, MAJOR(sbi->sb->s_dev)) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_MINOR, MINOR(sbi->sb->s_dev)) ?:
	       nla_put_string(skb, SHALE_A_MOUNT_SOURCE, sbi->source) ?:
	       (stack->upper ?
		nla_put_string(skb, SHALE_A_MOUNT_UPPER, path_of(stack->upper)) ?:
		nla_put_string(skb, SHALE_A_MOUNT_WORK, path_of(stack->work)) : 0) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_LOWERS, stack->nr_lower) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_DATA_LOWERS, stack->nr_data) ?:
	       shale_put_u64(skb, SHALE_A_MOUNT_COPY_UPS, atomic64_read(&sbi->copy_ups)) ?:
	       shale_put_u64(skb, SHALE_A_MOUNT_COPY_UP_BYTES,
			     atomic64_read(&sbi->copy_up_bytes)) ?:
	       put_marks(skb, sbi->upper) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_EVENTS, READ_ONCE(sbi->events.mask)) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_EVENT_RATE, READ_ONCE(sbi->events.rate)) ?:
	       shale_put_u64(skb, SHALE_A_MOUNT_MAX_COPY_UP, READ_ONCE(sbi->max_copy_up)) ?:
	       put_quota(skb, sbi);
}

static int put_before_lowers(struct sk_buff *skb, const struct shale_sb *sbi, u32 first)
{
	return shale_put_u64(skb, SHALE_A_MOUNT_ID, sbi->id) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_FIRST, first);
}

static int lower_size(const struct shale_sb *sbi, u32 lower)
{
	return shale_text_size(path_of(sbi->stack->lower[lower]));
}

static int put_lower(struct sk_buff *skb, const struct shale_sb *sbi, u32 lower)
{
	return nla_put_string(skb, SHALE_A_MOUNT_LOWER, path_of(sbi->stack->lower[lower]));
}

static const struct shale_telling mounts = {
	.command = SHALE_CMD_GET,
	.head_size = head_size,
	.put_head = put_head,
	.lower_size = lower_size,
	.put_lower = put_lower,
	.put_before_lowers = put_before_lowers,
};

int shale_nl_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return shale_tell_all(skb, cb, &mounts);
}

int shale_nl_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return shale_tell_one(skb, info, &mounts);
}

/* set */

static int check_changes(const struct sk_buff *request, const struct genl_info *info)
{
	const struct nlattr *events = info->attrs[SHALE_A_MOUNT_EVENTS];
	const struct nlattr *rate = info->attrs[SHALE_A_MOUNT_EVENT_RATE];
	const struct nlattr *most = info->attrs[SHALE_A_MOUNT_MAX_COPY_UP];

	if (!events && !rate && !most && !info->attrs[SHALE_A_MOUNT_SIZE] &&
	    !info->attrs[SHALE_A_MOUNT_INODES]) {
		NL_SET_ERR_MSG(info->extack, "nothing to set was given");
		return -EINVAL;
	}
	if (events && (nla_get_u32(events) & ~SHALE_ALL_EVENTS)) {
		NL_SET_ERR_MSG_ATTR(info->extack, events, "unknown kind of event");
		return -EINVAL;
	}
	/* Events of all mounts go through the same sockets. */
	if (rate && !netlink_ns_capable(request, &init_user_ns, CAP_SYS_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(info->extack, rate,
				    "only the administrator of the host sets how many events there may be");
		return -EPERM;
	}
	if (most && nla_get_u64(most) > MAX_LFS_FILESIZE) {
		NL_SET_ERR_MSG_ATTR(info->extack, most, "no file is that large");
		return -ERANGE;
	}
	return 0;
}

/* Of this mount. */
static int check_limits(const struct shale_sb *sbi, const struct genl_info *info)
{
	const struct nlattr *size = info->attrs[SHALE_A_MOUNT_SIZE];
	const struct nlattr *inodes = info->attrs[SHALE_A_MOUNT_INODES];
	const char *why = size || inodes ? shale_quota_fixed(sbi, size) : NULL;

	if (!why)
		return 0;
	shale_say_why(info->extack, why);
	NL_SET_BAD_ATTR(info->extack, size ?: inodes);
	return -EOPNOTSUPP;
}

static void change_limits(struct shale_sb *sbi, const struct nlattr *size,
			  const struct nlattr *inodes)
{
	u64 bytes = size ? nla_get_u64(size) : 0, objects = inodes ? nla_get_u64(inodes) : 0;

	shale_quota_change(sbi, size ? &bytes : NULL, inodes ? &objects : NULL);
}

static void change(struct shale_sb *sbi, const struct genl_info *info)
{
	if (info->attrs[SHALE_A_MOUNT_EVENTS])
		WRITE_ONCE(sbi->events.mask, nla_get_u32(info->attrs[SHALE_A_MOUNT_EVENTS]));
	if (info->attrs[SHALE_A_MOUNT_EVENT_RATE])
		WRITE_ONCE(sbi->events.rate, nla_get_u32(info->attrs[SHALE_A_MOUNT_EVENT_RATE]));
	if (info->attrs[SHALE_A_MOUNT_MAX_COPY_UP])
		WRITE_ONCE(sbi->max_copy_up, nla_get_u64(info->attrs[SHALE_A_MOUNT_MAX_COPY_UP]));
	if (info->attrs[SHALE_A_MOUNT_SIZE] || info->attrs[SHALE_A_MOUNT_INODES])
		change_limits(sbi, info->attrs[SHALE_A_MOUNT_SIZE],
			      info->attrs[SHALE_A_MOUNT_INODES]);
	shale_event(sbi, &(struct shale_event) { .kind = SHALE_EVENT_KIND_CHANGED });
}

int shale_nl_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct shale_sb *sbi;
	int err;

	if (!shale_may_administrate(skb, info->extack))
		return -EPERM;
	err = check_changes(skb, info);
	if (err)
		return err;
	sbi = shale_visit_mount(skb, info);
	if (IS_ERR(sbi))
		return PTR_ERR(sbi);
	err = check_limits(sbi, info);
	if (!err)
		change(sbi, info);
	shale_sb_leave(sbi);
	return err;
}
