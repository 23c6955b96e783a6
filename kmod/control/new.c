// SPDX-License-Identifier: GPL-2.0
/* new: a client describes a stack. */
#include <linux/file.h>

#include "control/netlink_gen.h"
#include "control/request.h"
#include "stack/pending.h"
#include "stack/stack.h"

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
		shale_say_why(info->extack, why);
	if (layer)
		NL_SET_BAD_ATTR(info->extack, attr_of_layer(stack, layer, info));
	return err;
}

int shale_nl_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct shale_stack *stack __free(shale_stack) = NULL;
	int err;

	if (!shale_may_administrate(skb, info->extack))
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
	return shale_answer_with_file(info, SHALE_CMD_NEW, SHALE_A_STACK_STACK,
				      shale_pending_file(no_free_ptr(stack)));
}
