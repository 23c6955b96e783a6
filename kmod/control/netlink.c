// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family, and what its handlers share.
 *
 * Generic netlink holds a lock of all families while a handler runs: no handler waits for
 * anything but memory, a grace period, or the table of mounts, which nobody holds for long; but for
 * quiesce.c, which waits for a second.
 */
#include "control/netlink.h"

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/user_namespace.h>
#include <net/sock.h>

#include "control/events.h"
#include "control/netlink_gen.h"
#include "control/request.h"
#include "stack/variant.h"

MODULE_ALIAS_GENL_FAMILY(SHALE_NAME);

bool shale_may_administrate(const struct sk_buff *request, struct netlink_ext_ack *extack)
{
	if (netlink_ns_capable(request, current_user_ns(), CAP_SYS_ADMIN))
		return true;
	NL_SET_ERR_MSG(extack, "caller and opener of the socket must have CAP_SYS_ADMIN");
	return false;
}

/* Not of the current one alone: a dump goes on for whoever reads it. */
bool shale_may_see(const struct shale_sb *sbi, const struct sk_buff *request)
{
	return netlink_ns_capable(request, sbi->sb->s_user_ns, CAP_SYS_ADMIN);
}

/* Naming a mount */

struct file *shale_file_of(const struct nlattr *fd)
{
	struct file *file = fget_raw(nla_get_s32(fd));

	if (!file || shale_sb_is_ours(file->f_path.dentry->d_sb))
		return file;
	fput(file);
	return NULL;
}

/* Sets the id of the mount that @attr, a descriptor, leads into; 0 when that is none of ours. */
static u64 id_of_fd(const struct nlattr *attr)
{
	struct file *file __free(fput) = shale_file_of(attr);

	return file ? shale_sb(file->f_path.dentry->d_sb)->id : 0;
}

static bool is_visible(u64 id, const struct sk_buff *request)
{
	struct shale_sb *sbi;

	guard(shale_sb_table)();
	sbi = shale_sb_next(id);
	return sbi && sbi->id == id && shale_may_see(sbi, request);
}

#define IS_FIRST(set) \
	static_assert(SHALE_A_##set##_ID == 1 && SHALE_A_##set##_FD == 2)
IS_FIRST(MOUNT);
IS_FIRST(COUNTERS);
IS_FIRST(QUIESCE);

int shale_find_mount(const struct sk_buff *request, struct genl_info *info, u64 *id)
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

struct shale_sb *shale_visit_mount(const struct sk_buff *request, struct genl_info *info)
{
	struct shale_sb *sbi;
	u64 id;
	int err = shale_find_mount(request, info, &id);

	if (err)
		return ERR_PTR(err);
	guard(shale_sb_table)();
	sbi = shale_sb_next(id);
	if (!sbi || sbi->id != id) {
		NL_SET_ERR_MSG(info->extack, "the mount went away");
		return ERR_PTR(-ENOENT);
	}
	shale_sb_visit(sbi);
	return sbi;
}

struct sk_buff *shale_begin_answer(struct genl_info *info, u8 command, size_t payload,
				   void **header)
{
	struct sk_buff *skb = genlmsg_new(payload, GFP_KERNEL);

	if (!skb)
		return NULL;
	*header = genlmsg_put_reply(skb, info, &shale_nl_family, 0, command);
	if (*header)
		return skb;
	nlmsg_free(skb);
	return NULL;
}

int shale_answer_with_file(struct genl_info *info, u8 command, int attribute, struct file *given)
{
	struct file *file __free(fput) = given;
	struct sk_buff *skb;
	void *header;
	int err;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (fd < 0) {
		NL_SET_ERR_MSG(info->extack, "no descriptor is free for the answer");
		return fd;
	}
	skb = shale_begin_answer(info, command, nla_total_size(sizeof(s32)), &header);
	if (!skb)
		return -ENOMEM;
	if (nla_put_s32(skb, attribute, fd)) {
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

int shale_start_dump(struct sk_buff *request, struct genl_info *info,
		     struct netlink_dump_control *control)
{
	int err = netlink_dump_start(genl_info_net(info)->genl_sock, request, info->nlhdr,
				     control);

	if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack, "an answer on this socket was not read to its end");
	return err;
}

/* Life of the module */

int shale_control_init(void)
{
	strscpy(shale_nl_family.name, SHALE_NAME, sizeof(shale_nl_family.name));
	shale_events_init();
	return genl_register_family(&shale_nl_family);
}

void shale_control_exit(void)
{
	genl_unregister_family(&shale_nl_family);
}
