// SPDX-License-Identifier: GPL-2.0
/* new: a client describes a stack. */
#include <linux/file.h>

#include "control/netlink_gen.h"
#include "control/request.h"
#include "stack/pending.h"
#include "stack/stack.h"

/* What a layer is for. A client gives descriptors of all layers, or the paths of all. */
static const struct role {
	u16 fd;
	u16 path;
	const char *path_name;
	shale_add_layer_t add;
	bool many;
} roles[] = {
	{ SHALE_A_STACK_LOWER, SHALE_A_STACK_LOWER_PATH, "lower-path", shale_stack_add_lower,
	  true },
	{ SHALE_A_STACK_DATA, SHALE_A_STACK_DATA_PATH, "data-path", shale_stack_add_data, true },
	{ SHALE_A_STACK_UPPER, SHALE_A_STACK_UPPER_PATH, "upper-path", shale_stack_set_upper },
	{ SHALE_A_STACK_WORK, SHALE_A_STACK_WORK_PATH, "work-path", shale_stack_set_work },
};

/* NULL: the attribute describes no layer. */
static const struct role *role_of(const struct nlattr *attr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(roles); i++) {
		if (nla_type(attr) == roles[i].fd || nla_type(attr) == roles[i].path)
			return &roles[i];
	}
	return NULL;
}

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
				    "layer cannot be stacked: its mount is unbindable, is attached nowhere (before Linux 6.15), has locked mounts in it or belongs to another mount namespace; or its file system compares names in its own way, mounts on access or, for an upper, is a stacking one itself");
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
	case -EBADSLT:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a layer that is merged can't follow one of data only");
		return -EINVAL;
	default:
		NL_SET_ERR_MSG_ATTR(extack, attr, "layer cannot be opened");
		break;
	}
	return err;
}

static int add_fd(struct shale_stack *stack, const struct role *role, const struct nlattr *attr,
		  struct netlink_ext_ack *extack)
{
	/* O_PATH descriptors are as good as any: they are what clients should send. */
	struct file *file __free(fput) = fget_raw(nla_get_s32(attr));
	int err = file ? role->add(stack, &file->f_path) : -EBADF;

	return err ? refuse_layer(extack, attr, err) : 0;
}

/* Of attributes that ask for one; a flag asks for it to be on. */
static const u8 feature_of[] = {
	[SHALE_A_STACK_USERXATTR]	= SHALE_USERXATTR,
	[SHALE_A_STACK_REDIRECT_DIR]	= SHALE_REDIRECT_DIR,
	[SHALE_A_STACK_METACOPY]	= SHALE_METACOPY,
	[SHALE_A_STACK_INDEX]		= SHALE_INDEX,
	[SHALE_A_STACK_NFS_EXPORT]	= SHALE_NFS_EXPORT,
	[SHALE_A_STACK_XINO]		= SHALE_XINO,
	[SHALE_A_STACK_VERITY]		= SHALE_VERITY,
	[SHALE_A_STACK_UUID]		= SHALE_UUID,
	[SHALE_A_STACK_FSYNC]		= SHALE_FSYNC,
	[SHALE_A_STACK_COPY_UP]		= SHALE_COPY_UP,
};

static int take_limit(u64 *limit, bool *given, const struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	if (nla_get_u64(attr) > S64_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "no layer holds so much");
		return -EINVAL;
	}
	*limit = nla_get_u64(attr);
	*given = true;
	return 0;
}

static int add_option(struct shale_options *options, const struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	switch (nla_type(attr)) {
	case SHALE_A_STACK_DEFAULT_PERMISSIONS:
		options->default_permissions = true;
		return 0;
	case SHALE_A_STACK_SIZE:
		return take_limit(&options->max.bytes, &options->size_given, attr, extack);
	case SHALE_A_STACK_INODES:
		return take_limit(&options->max.inodes, &options->inodes_given, attr, extack);
	}
	/* The policy knows the values; one may be missing in this kernel. */
	if (shale_feature_ask(&options->features, feature_of[nla_type(attr)],
			      nla_len(attr) ? nla_get_u32(attr) : SHALE_ON)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "not supported by this kernel");
		return -EOPNOTSUPP;
	}
	return 0;
}

static bool has(const struct genl_info *info, u16 fd, u16 path)
{
	return info->attrs[fd] || info->attrs[path];
}

static bool has_mixture(const struct genl_info *info)
{
	bool fds = false, paths = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(roles); i++) {
		fds |= !!info->attrs[roles[i].fd];
		paths |= !!info->attrs[roles[i].path];
	}
	return fds && paths;
}

/* A stack has at least one lower layer, and an upper with a work directory or neither. */
static int check_complete(const struct genl_info *info)
{
	const bool upper = has(info, SHALE_A_STACK_UPPER, SHALE_A_STACK_UPPER_PATH);
	const bool work = has(info, SHALE_A_STACK_WORK, SHALE_A_STACK_WORK_PATH);

	if (has_mixture(info)) {
		NL_SET_ERR_MSG(info->extack, "give descriptors of all layers, or the paths of all");
	} else if (!has(info, SHALE_A_STACK_LOWER, SHALE_A_STACK_LOWER_PATH)) {
		NL_SET_ERR_MSG(info->extack, "at least one lower layer is needed");
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, SHALE_A_STACK_LOWER);
	} else if (upper && !work) {
		NL_SET_ERR_MSG(info->extack, "an upper needs a work directory");
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, SHALE_A_STACK_WORK);
	} else if (work && !upper) {
		NL_SET_ERR_MSG(info->extack, "a work directory needs an upper");
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, SHALE_A_STACK_UPPER);
	} else {
		return 0;
	}
	return -EINVAL;
}

static int add_path(struct shale_pending *pending, const struct role *role,
		    const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const size_t length = strnlen(nla_data(attr), nla_len(attr));

	/* The policy sees to this only of attributes that can't be repeated. */
	if (!length || length + 1 != nla_len(attr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "no path, with one nul, at its end");
		return -EINVAL;
	}
	if (role->many && pending->nr_named_lower++ == SHALE_MAX_LOWER)
		return refuse_layer(extack, attr, -E2BIG);
	return shale_pending_name(pending, role->path_name, role->add, nla_data(attr), length);
}

/* @role: of a layer; NULL where it is an option. */
static int add(struct shale_pending *pending, const struct role *role, const struct nlattr *attr,
	       struct netlink_ext_ack *extack)
{
	if (!role)
		return add_option(&pending->options, attr, extack);
	if (nla_type(attr) == role->fd)
		return add_fd(pending->stack, role, attr, extack);
	return add_path(pending, role, attr, extack);
}

/*
 * Adds layers and options in the order of the message. The parsed table holds only the last of
 * several attributes of a type, hence the walk; every one of them has passed the policy.
 */
static int add_all(struct shale_pending *pending, const struct genl_info *info)
{
	const struct nlattr *attr;
	int rest, err;

	nla_for_each_attr(attr, genlmsg_data(info->genlhdr), genlmsg_len(info->genlhdr), rest) {
		const struct role *role = role_of(attr);

		if (!(role && role->many) && attr != info->attrs[nla_type(attr)]) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "only layers below the upper may be given more than once");
			return -EINVAL;
		}
		err = add(pending, role, attr, info->extack);
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
	/* The merged ones come first in the message, too. */
	nla_for_each_attr(attr, genlmsg_data(info->genlhdr), genlmsg_len(info->genlhdr), rest) {
		const struct role *role = role_of(attr);

		if (role && role->many && stack->lower[i++] == layer)
			return attr;
	}
	return NULL;
}

/* What was given as paths is checked when it is mounted. */
static int check_stack(const struct shale_pending *pending, const struct genl_info *info)
{
	const struct shale_layer *layer;
	const char *why;
	int err;

	if (!list_empty(&pending->named))
		return 0;
	err = shale_stack_check(pending->stack, &why, &layer);
	if (!err)
		return 0;
	if (why)
		shale_say_why(info->extack, why);
	if (layer)
		NL_SET_BAD_ATTR(info->extack, attr_of_layer(pending->stack, layer, info));
	return err;
}

int shale_nl_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct shale_pending *pending __free(shale_pending) = NULL;
	int err;

	if (!shale_may_administrate(skb, info->extack))
		return -EPERM;
	err = check_complete(info);
	if (err)
		return err;

	pending = shale_pending_alloc();
	if (IS_ERR(pending))
		return PTR_ERR(pending);
	err = add_all(pending, info);
	if (err)
		return err;
	err = check_stack(pending, info);
	if (err)
		return err;
	return shale_answer_with_file(info, SHALE_CMD_NEW, SHALE_A_STACK_STACK,
				      shale_pending_file(no_free_ptr(pending)));
}
