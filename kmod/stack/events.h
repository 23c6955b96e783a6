/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events: what happened, for whoever listens. Those who know of it are on lower floors than those
 * who send it, so they give it to a sink, which control/events.c provides.
 *
 * An event is given with none of our locks held and no token: it tells of what is done, and takes
 * the memory and time it needs. Where nobody listens or traces nothing is done.
 */
#ifndef SHALE_STACK_EVENTS_H
#define SHALE_STACK_EVENTS_H

#include <linux/fs.h>
#include <linux/ktime.h>
#include <uapi/linux/shale.h>

struct shale_sb;

struct shale_event {
	enum shale_event_kind kind;
	struct dentry *dentry;		/* ours: the object by its name; or NULL */
	struct inode *inode;		/* ours: the object; or NULL */
	enum shale_reason reason;	/* or 0 */
	int err;			/* a negative errno, or 0 */
	u64 bytes;
	ktime_t begun;			/* when it did; or 0 */
	const char *redirect;		/* or NULL */
};

struct shale_event_sink {
	bool (*wanted)(const struct shale_sb *sbi, enum shale_event_kind kind);
	void (*tell)(struct shale_sb *sbi, const struct shale_event *event);
};

/* All kinds that there are, as a mask. */
#define SHALE_ALL_EVENTS (BIT(SHALE_EVENT_KIND_VOLATILE_FAILED) - 1)

/* Of mounts that others than root have made, so many are sent in a second at first. */
#define SHALE_EVENT_RATE_OF_OTHERS 1000

/* Set before the first mount, and for good. */
extern const struct shale_event_sink *shale_event_sink;

static inline bool shale_event_wanted(const struct shale_sb *sbi, enum shale_event_kind kind)
{
	return shale_event_sink->wanted(sbi, kind);
}

static inline void shale_event(struct shale_sb *sbi, const struct shale_event *event)
{
	if (shale_event_wanted(sbi, event->kind))
		shale_event_sink->tell(sbi, event);
}

/*
 * What the layers could not do: counted, and told if somebody listens. @err may be any errno; those
 * that are plain answers, such as -ENOENT, are passed by. @dentry may be NULL.
 */
void shale_failed(struct super_block *sb, struct dentry *dentry, enum shale_reason reason, int err);

/* The same for what an operation returns: passes @ret on. */
static inline long shale_checked(struct super_block *sb, struct dentry *dentry,
				 enum shale_reason reason, long ret)
{
	if (unlikely(ret < 0))
		shale_failed(sb, dentry, reason, ret);
	return ret;
}

#endif
