// SPDX-License-Identifier: GPL-2.0
/*
 * Handlers of the netlink family.
 *
 * Rights: the caller, and whoever opened the socket, need CAP_SYS_ADMIN in the initial user
 * namespace for any command, as for mounting; and over a mount's own to see that mount, which
 * will say more once mounts can be made in user namespaces.
 *
 * Generic netlink holds a lock of all families while a handler runs: no handler waits for
 * anything but memory, a grace period, or the table of mounts, which nobody holds for long.
 */
#include "control/netlink.h"

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "control/netlink_gen.h"
#include "stack/pending.h"
#include "stack/sb.h"
#include "stack/upper.h"
#include "stack/variant.h"

MODULE_ALIAS_GENL_FAMILY(SHALE_NAME);

static bool may_administrate(const struct sk_buff *request, struct netlink_ext_ack *extack)
{
	if (netlink_ns_capable(request, &init_user_ns, CAP_SYS_ADMIN))
		return true;
	NL_SET_ERR_MSG(extack, "caller and opener of the socket must have CAP_SYS_ADMIN");
	return false;
}

/* new: describe a stack */

/* Says why a layer was refused. Return: @err. */
static int refuse_layer(struct netlink_ext_ack *extack, const struct nlattr *attr, int err)
{
	switch (err) {
	case -EBADF:
		NL_SET_ERR_MSG_ATTR(extack, attr, "layer is not an open descriptor");
		break;
	case -ENOTDIR:
		NL_SET_ERR_MSG_ATTR(extack, attr, "layer is not a directory");
		break;
	case -EINVAL:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "layer cannot be stacked: its mount is unbindable, has locked mounts in it or belongs to another mount namespace; or its file system compares names in its own way, mounts on access or, for an upper, is a stacking one itself");
		break;
	case -EPERM:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "layer lies in a mount namespace that the caller does not administrate");
		break;
	case -E2BIG:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a stack has no more than "
				    __stringify(SHALE_MAX_LOWER) " lower layers");
		break;
	default:
		NL_SET_ERR_MSG_ATTR(extack, attr, "layer cannot be opened");
		break;
	}
	return err;
}

static int add_layer(struct shale_stack *stack, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	/* O_PATH descriptors are as good as any: they are what clients should send. */
	struct file *file __free(fput) = fget_raw(nla_get_s32(attr));
	int err = -EBADF;

	if (!file)
		return refuse_layer(extack, attr, err);

	switch (nla_type(attr)) {
	case SHALE_A_STACK_LOWER:
		err = shale_stack_add_lower(stack, &file->f_path);
		break;
	case SHALE_A_STACK_UPPER:
		err = shale_stack_set_upper(stack, &file->f_path);
		break;
	case SHALE_A_STACK_WORK:
		err = shale_stack_set_work(stack, &file->f_path);
		break;
	}
	return err ? refuse_layer(extack, attr, err) : 0;
}

/* A stack has at least one lower layer, and an upper with a work directory or neither. */
static int check_complete(const struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;

	if (!attrs[SHALE_A_STACK_LOWER]) {
		NL_SET_ERR_MSG(info->extack, "at least one lower layer is needed");
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, SHALE_A_STACK_LOWER);
	} else if (attrs[SHALE_A_STACK_UPPER] && !attrs[SHALE_A_STACK_WORK]) {
		NL_SET_ERR_MSG(info->extack, "an upper needs a work directory");
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, SHALE_A_STACK_WORK);
	} else if (attrs[SHALE_A_STACK_WORK] && !attrs[SHALE_A_STACK_UPPER]) {
		NL_SET_ERR_MSG(info->extack, "a work directory needs an upper");
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, SHALE_A_STACK_UPPER);
	} else {
		return 0;
	}
	return -EINVAL;
}

/*
 * Adds the layers in the order of the message. The parsed table holds only the last of several
 * attributes of a type, hence the walk; every one of them has passed the policy.
 */
static int add_layers(struct shale_stack *stack, const struct genl_info *info)
{
	const struct nlattr *attr;
	int rest, err;

	nla_for_each_attr(attr, genlmsg_data(info->genlhdr), genlmsg_len(info->genlhdr), rest) {
		if (nla_type(attr) != SHALE_A_STACK_LOWER && attr != info->attrs[nla_type(attr)]) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "only lower may be given more than once");
			return -EINVAL;
		}
		err = add_layer(stack, attr, info->extack);
		if (err)
			return err;
	}
	return 0;
}

/* The attribute that described a layer of the stack. */
static const struct nlattr *attr_of_layer(const struct shale_stack *stack,
					  const struct shale_layer *layer,
					  const struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int i = 0;
	int rest;

	if (layer == stack->upper)
		return info->attrs[SHALE_A_STACK_UPPER];
	if (layer == stack->work)
		return info->attrs[SHALE_A_STACK_WORK];
	nla_for_each_attr(attr, genlmsg_data(info->genlhdr), genlmsg_len(info->genlhdr), rest) {
		if (nla_type(attr) == SHALE_A_STACK_LOWER && stack->lower[i++] == layer)
			return attr;
	}
	return NULL;
}

static int check_stack(const struct shale_stack *stack, const struct genl_info *info)
{
	const struct shale_layer *layer;
	const char *why;
	int err = shale_stack_check(stack, &why, &layer);

	if (!err)
		return 0;
	if (why)
		NL_SET_ERR_MSG_FMT(info->extack, "%s", why);
	if (layer)
		NL_SET_BAD_ATTR(info->extack, attr_of_layer(stack, layer, info));
	return err;
}

/* Gives the client a descriptor of @stack, which is taken over in any case. */
static int answer_stack(struct genl_info *info, struct shale_stack *stack)
{
	struct file *file __free(fput) = shale_pending_file(stack);
	struct sk_buff *skb;
	void *header;
	int err;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (fd < 0) {
		NL_SET_ERR_MSG(info->extack, "no descriptor is free for the stack");
		return fd;
	}

	skb = genlmsg_new(nla_total_size(sizeof(s32)), GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	header = genlmsg_put_reply(skb, info, &shale_nl_family, 0, SHALE_CMD_NEW);
	if (!header || nla_put_s32(skb, SHALE_A_STACK_STACK, fd)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);

	err = genlmsg_reply(skb, info);
	if (err) {
		NL_SET_ERR_MSG(info->extack, "the answer does not fit the socket's receive buffer");
		return err;
	}
	/* Only now: a descriptor that the client was not told of would stay open for good. */
	fd_install(take_fd(fd), no_free_ptr(file));
	return 0;
}

int shale_nl_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct shale_stack *stack __free(shale_stack) = NULL;
	int err;

	if (!may_administrate(skb, info->extack))
		return -EPERM;
	err = check_complete(info);
	if (err)
		return err;

	stack = shale_stack_alloc();
	if (IS_ERR(stack))
		return PTR_ERR(stack);
	err = add_layers(stack, info);
	if (err)
		return err;
	err = check_stack(stack, info);
	if (err)
		return err;
	return answer_stack(info, no_free_ptr(stack));
}

/* get: tell of live mounts */

/* Where a dump goes on. Between two messages nothing is held, and mounts come and go. */
struct cursor {
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

static bool may_see(const struct shale_sb *sbi, const struct sk_buff *request)
{
	return netlink_ns_capable(request, sbi->sb->s_user_ns, CAP_SYS_ADMIN);
}

static int text_size(const char *text)
{
	return nla_total_size(strlen(text) + 1);
}

/*
 * Begins a message with @payload bytes of attributes to come. A message that would not even fit
 * an empty buffer (paths are as long as PATH_MAX, the buffer may be shorter) gets a larger
 * one; otherwise it has to wait for the next buffer.
 * Return: the header, or ERR_PTR: -EMSGSIZE, -ENOMEM.
 */
static void *begin_mount(struct sk_buff *skb, struct netlink_callback *cb, int payload)
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
			     &shale_nl_family, NLM_F_MULTI, SHALE_CMD_GET);
	return header ?: ERR_PTR(-EMSGSIZE);
}

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put(skb, type, sizeof(value), &value);
}

static int head_size(const struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;
	int size = 3 * nla_total_size(sizeof(u64)) + 3 * nla_total_size(sizeof(u32)) +
		   2 * nla_total_size(0) + text_size(sbi->source);

	if (stack->upper)
		size += text_size(stack->upper->name) + text_size(stack->work->name);
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

static int put_head_attrs(struct sk_buff *skb, const struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;

	return put_u64(skb, SHALE_A_MOUNT_ID, sbi->id) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_MAJOR, MAJOR(sbi->sb->s_dev)) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_MINOR, MINOR(sbi->sb->s_dev)) ?:
	       nla_put_string(skb, SHALE_A_MOUNT_SOURCE, sbi->source) ?:
	       (stack->upper ?
		nla_put_string(skb, SHALE_A_MOUNT_UPPER, stack->upper->name) ?:
		nla_put_string(skb, SHALE_A_MOUNT_WORK, stack->work->name) : 0) ?:
	       nla_put_u32(skb, SHALE_A_MOUNT_LOWERS, stack->nr_lower) ?:
	       put_u64(skb, SHALE_A_MOUNT_COPY_UPS, atomic64_read(&sbi->copy_ups)) ?:
	       put_u64(skb, SHALE_A_MOUNT_COPY_UP_BYTES, atomic64_read(&sbi->copy_up_bytes)) ?:
	       put_marks(skb, sbi->upper);
}

/* The first message of a mount: everything but its lower layers. */
static int put_head(struct sk_buff *skb, struct netlink_callback *cb, const struct shale_sb *sbi)
{
	void *header = begin_mount(skb, cb, head_size(sbi));

	if (IS_ERR(header))
		return PTR_ERR(header);
	if (put_head_attrs(skb, sbi)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* One more message: as many of the lower layers from *@next on as fit, but at least one. */
static int put_lowers(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct shale_sb *sbi, u32 *next)
{
	const struct shale_stack *stack = sbi->stack;
	void *header = begin_mount(skb, cb, nla_total_size(sizeof(u64)) +
					    nla_total_size(sizeof(u32)) +
					    text_size(stack->lower[*next]->name));
	u32 first = *next;

	if (IS_ERR(header))
		return PTR_ERR(header);
	if (put_u64(skb, SHALE_A_MOUNT_ID, sbi->id) ||
	    nla_put_u32(skb, SHALE_A_MOUNT_FIRST, first))
		goto cancel;
	while (*next < stack->nr_lower &&
	       !nla_put_string(skb, SHALE_A_MOUNT_LOWER, stack->lower[*next]->name))
		++*next;
	if (*next == first)
		goto cancel;
	genlmsg_end(skb, header);
	return 0;

cancel:
	genlmsg_cancel(skb, header);
	return -EMSGSIZE;
}

static int put_mount(struct sk_buff *skb, struct netlink_callback *cb, const struct shale_sb *sbi)
{
	struct cursor *at = cursor(cb);
	int err;

	if (!at->head) {
		err = put_head(skb, cb, sbi);
		if (err)
			return err;
		at->head = true;
	}
	while (at->lower < sbi->stack->nr_lower) {
		err = put_lowers(skb, cb, sbi, &at->lower);
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
static int put_mounts(struct sk_buff *skb, struct netlink_callback *cb)
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
		if (may_see(sbi, cb->skb)) {
			err = put_mount(skb, cb, sbi);
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

int shale_nl_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	if (!may_administrate(cb->skb, cb->extack))
		return -EPERM;
	return put_mounts(skb, cb);
}

/* The id of the mount that @attr, a descriptor, leads into; 0 when that is none of ours. */
static u64 id_of_fd(const struct nlattr *attr)
{
	struct file *file __free(fput) = fget_raw(nla_get_s32(attr));
	const struct super_block *sb = file ? file->f_path.dentry->d_sb : NULL;

	return sb && shale_sb_is_ours(sb) ? shale_sb(sb)->id : 0;
}

static bool is_visible(u64 id, const struct sk_buff *request)
{
	struct shale_sb *sbi;

	guard(shale_sb_table)();
	sbi = shale_sb_next(id);
	return sbi && sbi->id == id && may_see(sbi, request);
}

/* Which mount does the request name? A mount that the caller may not see is like none. */
static int find_mount(const struct sk_buff *request, struct genl_info *info, u64 *id)
{
	const struct nlattr *by_id = info->attrs[SHALE_A_MOUNT_ID];
	const struct nlattr *by_fd = info->attrs[SHALE_A_MOUNT_FD];

	if (by_id && by_fd) {
		NL_SET_ERR_MSG_ATTR(info->extack, by_fd,
				    "name the mount by id or by fd, not by both");
		return -EINVAL;
	}
	if (!by_id && !by_fd) {
		NL_SET_ERR_MSG(info->extack, "name the mount by id or by fd");
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, SHALE_A_MOUNT_ID);
		return -EINVAL;
	}

	*id = by_id ? nla_get_u64(by_id) : id_of_fd(by_fd);
	if (*id && is_visible(*id, request))
		return 0;
	if (by_id)
		NL_SET_ERR_MSG_ATTR(info->extack, by_id, "no mount has this id");
	else
		NL_SET_ERR_MSG_ATTR(info->extack, by_fd, "descriptor leads into no Shale mount");
	return -ENOENT;
}

static int get_start(struct netlink_callback *cb)
{
	*cursor(cb) = *(const struct cursor *)cb->data;
	cb->data = NULL;
	return 0;
}

/*
 * The answer about one mount may be longer than what the client's receive queue holds, so it is
 * sent by the dump machinery: a buffer each time the client has read one.
 */
int shale_nl_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct cursor at = { .only = true };
	struct netlink_dump_control control = {
		.start = get_start,
		.dump = put_mounts,
		.data = &at,
		.module = THIS_MODULE,
		SHALE_DUMP_EXTACK(info->extack),
	};
	int err;

	if (!may_administrate(skb, info->extack))
		return -EPERM;
	err = find_mount(skb, info, &at.id);
	if (err)
		return err;
	err = netlink_dump_start(genl_info_net(info)->genl_sock, skb, info->nlhdr, &control);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack, "an answer on this socket was not read to its end");
	return err;
}

int shale_control_init(void)
{
	strscpy(shale_nl_family.name, SHALE_NAME, sizeof(shale_nl_family.name));
	return genl_register_family(&shale_nl_family);
}

void shale_control_exit(void)
{
	genl_unregister_family(&shale_nl_family);
}
