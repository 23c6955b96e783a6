/* SPDX-License-Identifier: GPL-2.0 */
/* What the handlers of the netlink family share: rights, naming a mount, answers in many parts. */
#ifndef SHALE_CONTROL_REQUEST_H
#define SHALE_CONTROL_REQUEST_H

#include <net/genetlink.h>

#include "stack/sb.h"

/*
 * Rights: the caller, and whoever opened the socket, need CAP_SYS_ADMIN: in the caller's own user
 * namespace for any command, and in a mount's to see or change that mount.
 */
bool shale_may_administrate(const struct sk_buff *request, struct netlink_ext_ack *extack);
bool shale_may_see(const struct shale_sb *sbi, const struct sk_buff *request);

/* The super block that a descriptor in a request leads into, if it is one of ours; or NULL. */
struct file *shale_file_of(const struct nlattr *fd);

/**
 * shale_find_mount - which mount does the request name? By the attributes "id" or "fd", which are
 * the first two in each set that has them. A mount that the caller may not see is like none.
 * Return: 0, with the mount's number in @id; -EINVAL or -ENOENT with a message.
 */
int shale_find_mount(const struct sk_buff *request, struct genl_info *info, u64 *id);

/* The same: the mount itself, visited (stack/sb.h), or ERR_PTR with a message. */
struct shale_sb *shale_visit_mount(const struct sk_buff *request, struct genl_info *info);

/* An answer that is one message: a buffer with room for @payload bytes of attributes, begun. */
struct sk_buff *shale_begin_answer(struct genl_info *info, u8 command, size_t payload,
				   void **header);

/*
 * Gives the client a descriptor of @file, an ERR_PTR or to be let go of, in an answer that has
 * nothing else. Return: 0, or an errno; then the client has nothing.
 */
int shale_answer_with_file(struct genl_info *info, u8 command, int attribute, struct file *file);

/* netlink_dump_start() for a request, with a message where it needs one. */
int shale_start_dump(struct sk_buff *request, struct genl_info *info,
		     struct netlink_dump_control *control);

/*
 * An answer in many parts, about one mount or all: of each mount first its head, then its lower
 * layers. It may be longer than what the client's receive queue holds, so it is sent by the dump
 * machinery, a buffer each time the client has read one.
 */
struct shale_telling {
	u8 command;
	int (*head_size)(const struct shale_sb *sbi);
	int (*put_head)(struct sk_buff *skb, struct shale_sb *sbi);
	/* Of one lower layer; both NULL: nothing is told of layers. */
	int (*lower_size)(const struct shale_sb *sbi, u32 lower);
	int (*put_lower)(struct sk_buff *skb, const struct shale_sb *sbi, u32 lower);
	/* What stands before the first lower layer in each message. */
	int (*put_before_lowers)(struct sk_buff *skb, const struct shale_sb *sbi, u32 first);
};

/* All that the caller may see. A handler of a dump. */
int shale_tell_all(struct sk_buff *skb, struct netlink_callback *cb,
		   const struct shale_telling *what);
/* The one that the request names. */
int shale_tell_one(struct sk_buff *skb, struct genl_info *info,
		   const struct shale_telling *what);

static inline int shale_text_size(const char *text)
{
	return nla_total_size(strlen(text) + 1);
}

/* Says why, a text that stays: what NL_SET_ERR_MSG_FMT() takes is cut after 80 bytes. */
static inline void shale_say_why(struct netlink_ext_ack *extack, const char *why)
{
	if (extack)
		extack->_msg = why;
}

static inline int shale_put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put(skb, type, sizeof(value), &value);
}

#endif
