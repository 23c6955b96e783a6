// SPDX-License-Identifier: GPL-2.0
/*
 * Events on their way to those who listen.
 *
 * A message is filled without a lock, numbered and sent under the lock of the mount's events, so
 * that it comes in the order of its number. What there is no room for in a socket is lost to that
 * one, who sees the gap.
 */
#include "control/events.h"

#include <linux/cred.h>
#include <linux/sched.h>
#include <net/genetlink.h>

#include "compat/cgroup.h"
#include "control/netlink_gen.h"
#include "control/request.h"
#include "stack/base.h"
#include "stack/entry.h"
#include "stack/events.h"

static const unsigned int group_of[] = {
	[SHALE_EVENT_KIND_MOUNTED] = SHALE_NLGRP_MOUNTS,
	[SHALE_EVENT_KIND_CHANGED] = SHALE_NLGRP_MOUNTS,
	[SHALE_EVENT_KIND_UNMOUNTED] = SHALE_NLGRP_MOUNTS,
	[SHALE_EVENT_KIND_COPIED_UP] = SHALE_NLGRP_COPY_UPS,
	[SHALE_EVENT_KIND_WHITED_OUT] = SHALE_NLGRP_NAMES,
	[SHALE_EVENT_KIND_REDIRECTED] = SHALE_NLGRP_NAMES,
	[SHALE_EVENT_KIND_FAILED] = SHALE_NLGRP_ERRORS,
	[SHALE_EVENT_KIND_VOLATILE_FAILED] = SHALE_NLGRP_ERRORS,
};

/*
 * As generated, but that who listens must be the administrator of the network namespace: events
 * tell of other people's files.
 */
static const struct genl_multicast_group groups[] = {
	[SHALE_NLGRP_MOUNTS] = { SHALE_MCGRP_MOUNTS, GENL_MCAST_CAP_SYS_ADMIN },
	[SHALE_NLGRP_COPY_UPS] = { SHALE_MCGRP_COPY_UPS, GENL_MCAST_CAP_SYS_ADMIN },
	[SHALE_NLGRP_NAMES] = { SHALE_MCGRP_NAMES, GENL_MCAST_CAP_SYS_ADMIN },
	[SHALE_NLGRP_ERRORS] = { SHALE_MCGRP_ERRORS, GENL_MCAST_CAP_SYS_ADMIN },
};

/*
 * Events go to the mounter's network namespace as well, if who administrates that may see the
 * mount: it belongs to the mount's user namespace, or to one above.
 */
static bool goes_to_mounter(const struct shale_sb *sbi)
{
	const struct user_namespace *ns = sbi->sb->s_user_ns;

	if (net_eq(sbi->events.net, &init_net))
		return false;
	while (ns && ns != sbi->events.net->user_ns)
		ns = ns->parent;
	return ns;
}

static bool has_listeners(const struct shale_sb *sbi, enum shale_event_kind kind)
{
	if (!(READ_ONCE(sbi->events.mask) & BIT(kind - 1)))
		return false;
	return genl_has_listeners(&shale_nl_family, &init_net, group_of[kind]) ||
	       (goes_to_mounter(sbi) &&
		genl_has_listeners(&shale_nl_family, sbi->events.net, group_of[kind]));
}

static bool wanted(const struct shale_sb *sbi, enum shale_event_kind kind)
{
	return shale_traced(kind) || has_listeners(sbi, kind);
}

/* Filling a message */

struct message {
	struct sk_buff *skb;
	struct nlattr *seq, *dropped;	/* to be filled in when it is sent */
};

/* Who did it: by the credentials that the task has of its own, whatever it wears at the moment. */
static int put_actor(struct sk_buff *skb)
{
	char comm[TASK_COMM_LEN];

	/* Work that is done later is nobody's. */
	if (current->flags & PF_KTHREAD)
		return 0;
	get_task_comm(comm, current);
	return nla_put_u32(skb, SHALE_A_EVENT_PID, task_tgid_nr(current)) ?:
	       nla_put_u32(skb, SHALE_A_EVENT_TID, task_pid_nr(current)) ?:
	       nla_put_string(skb, SHALE_A_EVENT_COMM, comm) ?:
	       shale_put_u64(skb, SHALE_A_EVENT_CGROUP, shale_cgroup_of_current()) ?:
	       nla_put_u32(skb, SHALE_A_EVENT_UID,
			   from_kuid_munged(&init_user_ns, current_real_cred()->uid));
}

/* What it was done to. */
static int put_object(struct sk_buff *skb, const struct shale_news *news)
{
	int err = *news->path ? nla_put_string(skb, SHALE_A_EVENT_PATH, news->path) : 0;

	if (!err && news->ino)
		err = shale_put_u64(skb, SHALE_A_EVENT_INO, news->ino);
	return err;
}

static int put_details(struct sk_buff *skb, const struct shale_news *news)
{
	const struct shale_event *event = news->event;
	int err = 0;

	if (event->kind == SHALE_EVENT_KIND_COPIED_UP)
		err = shale_put_u64(skb, SHALE_A_EVENT_BYTES, event->bytes);
	if (!err && news->duration)
		err = shale_put_u64(skb, SHALE_A_EVENT_DURATION, news->duration);
	if (!err && event->reason)
		err = nla_put_u32(skb, SHALE_A_EVENT_REASON, event->reason);
	if (!err && event->redirect)
		err = nla_put_string(skb, SHALE_A_EVENT_REDIRECT, event->redirect);
	if (!err && event->err)
		err = nla_put_u32(skb, SHALE_A_EVENT_ERRNO, -event->err);
	return err;
}

static int put_event(struct message *m, const struct shale_sb *sbi, const struct shale_news *news)
{
	m->seq = nla_reserve(m->skb, SHALE_A_EVENT_SEQ, sizeof(u64));
	m->dropped = nla_reserve(m->skb, SHALE_A_EVENT_DROPPED, sizeof(u64));
	if (!m->seq || !m->dropped)
		return -EMSGSIZE;
	return shale_put_u64(m->skb, SHALE_A_EVENT_MOUNT, sbi->id) ?:
	       nla_put_u32(m->skb, SHALE_A_EVENT_KIND, news->event->kind) ?:
	       shale_put_u64(m->skb, SHALE_A_EVENT_TIME, ktime_get_real_ns()) ?:
	       put_actor(m->skb) ?:
	       put_object(m->skb, news) ?:
	       put_details(m->skb, news);
}

static size_t size_of(const struct shale_news *news)
{
	const char *redirect = news->event->redirect;

	return 8 * nla_total_size(sizeof(u64)) + 6 * nla_total_size(sizeof(u32)) +
	       nla_total_size(TASK_COMM_LEN) + shale_text_size(news->path) +
	       (redirect ? shale_text_size(redirect) : 0);
}

/* Leaves no message where there is no memory for one. */
static void fill(struct message *m, const struct shale_sb *sbi, const struct shale_news *news)
{
	void *header;

	m->skb = genlmsg_new(size_of(news), GFP_KERNEL);
	if (!m->skb)
		return;
	header = genlmsg_put(m->skb, 0, 0, &shale_nl_family, 0, SHALE_CMD_EVENT);
	if (!header || put_event(m, sbi, news)) {
		nlmsg_free(m->skb);
		m->skb = NULL;
		return;
	}
	genlmsg_end(m->skb, header);
}

/* Sending it */

/* Is this one above the rate? Under the lock. */
static bool is_too_many(struct shale_events *events)
{
	const u32 rate = READ_ONCE(events->rate);

	if (time_after_eq(jiffies, events->second + HZ)) {
		events->second = jiffies;
		events->in_second = 0;
	}
	return rate && ++events->in_second > rate;
}

static void multicast(struct net *net, struct sk_buff *skb, unsigned int group)
{
	genlmsg_multicast_netns(&shale_nl_family, net, skb, 0, group, GFP_ATOMIC);
}

static void deliver(struct shale_sb *sbi, struct message *m, unsigned int group)
{
	struct sk_buff *copy;

	if (goes_to_mounter(sbi)) {
		copy = skb_clone(m->skb, GFP_ATOMIC);
		if (copy)
			multicast(sbi->events.net, copy, group);
		else
			sbi->events.dropped++;
	}
	multicast(&init_net, m->skb, group);
}

/* To whoever listens. */
static void send(struct shale_sb *sbi, const struct shale_news *news)
{
	struct shale_events *events = &sbi->events;
	struct message m = { };

	fill(&m, sbi, news);

	spin_lock(&events->lock);
	events->seq++;
	if (!m.skb || is_too_many(events)) {
		events->dropped++;
		spin_unlock(&events->lock);
		nlmsg_free(m.skb);
		return;
	}
	memcpy(nla_data(m.seq), &events->seq, sizeof(u64));
	memcpy(nla_data(m.dropped), &events->dropped, sizeof(u64));
	deliver(sbi, &m, group_of[news->event->kind]);
	spin_unlock(&events->lock);
}

/* Finding out about it */

static u64 number_of(const struct shale_sb *sbi, struct inode *inode)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(inode);

	return shale_number(sbi, entry, inode->i_ino).ino;
}

/* In the @buffer of PATH_MAX bytes, or NULL. Empty where there is none. */
static const char *path_of(struct dentry *dentry, char *buffer)
{
	const char *path;

	if (!dentry || !buffer || (d_is_positive(dentry) && d_unlinked(dentry)))
		return "";
	path = dentry_path_raw(dentry, buffer, PATH_MAX);
	return IS_ERR(path) ? "" : path;
}

static void tell(struct shale_sb *sbi, const struct shale_event *event)
{
	char *buffer __free(kfree) = event->dentry ? kmalloc(PATH_MAX, GFP_KERNEL) : NULL;
	const struct shale_news news = {
		.event = event,
		.path = path_of(event->dentry, buffer),
		.ino = event->inode ? number_of(sbi, event->inode) : 0,
		.duration = event->begun ? ktime_to_ns(ktime_sub(ktime_get(), event->begun)) : 0,
	};

	shale_trace(sbi, &news);
	if (has_listeners(sbi, event->kind))
		send(sbi, &news);
}

static const struct shale_event_sink sink = {
	.wanted = wanted,
	.tell = tell,
};

void shale_events_init(void)
{
	BUILD_BUG_ON(ARRAY_SIZE(groups) != SHALE_NLGRP_ERRORS + 1);
	shale_nl_family.mcgrps = groups;
	shale_event_sink = &sink;
}
