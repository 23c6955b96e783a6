// SPDX-License-Identifier: GPL-2.0
/*
 * quiesce: the writable layer of a mount does not change for a while. The client gets a descriptor;
 * while it is open, at most for the time that was asked for, the gate is closed (stack/gate.h).
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "control/netlink_gen.h"
#include "control/request.h"
#include "stack/gate.h"
#include "stack/inode.h"
#include "stack/upper.h"

struct hold {
	struct shale_gate *gate;	/* counted */
	u64 number;
};

static void hold_end(struct hold *hold)
{
	shale_gate_open(hold->gate, hold->number);
	shale_gate_put(hold->gate);
	kfree(hold);
}

static int hold_release(struct inode *inode, struct file *file)
{
	hold_end(file->private_data);
	return 0;
}

/* To be asked again and again, so there is no position. */
static ssize_t hold_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	const struct hold *hold = file->private_data;
	const char *text = shale_gate_is_held(hold->gate, hold->number) ? "held\n" : "over\n";
	loff_t begin = 0;

	return simple_read_from_buffer(to, size, &begin, text, strlen(text));
}

static const struct file_operations hold_fops = {
	.owner		= THIS_MODULE,
	.read		= hold_read,
	.release	= hold_release,
	.llseek		= noop_llseek,
};

/* Tells which file it is, before the refusal, in which there is no room for a path. */
static void tell_mapped(struct genl_info *info, struct inode *inode)
{
	char *buffer __free(kfree) = kmalloc(PATH_MAX, GFP_KERNEL);
	struct dentry *dentry = d_find_any_alias(inode);
	struct sk_buff *skb = NULL;
	const char *path;
	void *header;

	path = buffer && dentry ? dentry_path_raw(dentry, buffer, PATH_MAX) : NULL;
	if (!IS_ERR_OR_NULL(path))
		skb = shale_begin_answer(info, SHALE_CMD_QUIESCE, shale_text_size(path), &header);
	if (skb && !nla_put_string(skb, SHALE_A_QUIESCE_PATH, path)) {
		genlmsg_end(skb, header);
		genlmsg_reply(skb, info);
	} else {
		nlmsg_free(skb);
	}
	dput(dentry);
}

static int refuse(struct genl_info *info, int err)
{
	if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack,
			       "a change takes long, or somebody else keeps the writable layer from changing");
	else if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "the mount went away");
	return err;
}

/*
 * Return: a hold, or ERR_PTR. The mount stays: the caller visits it. What was mapped before the
 * gate was closed is seen here, and nothing is while it is (vfs/file.c).
 */
static struct hold *begin_hold(struct shale_sb *sbi, struct genl_info *info, unsigned int ms)
{
	struct inode *mapped;
	struct hold *hold;
	int err;

	if (!sbi->upper) {
		NL_SET_ERR_MSG(info->extack, "the mount has no writable layer");
		return ERR_PTR(-EROFS);
	}
	hold = kzalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);
	if (!hold)
		return ERR_PTR(-ENOMEM);
	hold->gate = shale_gate_get(sbi->upper->gate);
	err = shale_gate_close(hold->gate, ms, &hold->number);
	if (err) {
		shale_gate_put(hold->gate);
		kfree(hold);
		return ERR_PTR(refuse(info, err));
	}
	mapped = shale_inode_find_mapped(sbi->sb);
	if (!mapped)
		return hold;
	hold_end(hold);
	tell_mapped(info, mapped);
	iput(mapped);
	NL_SET_ERR_MSG(info->extack, "a file is mapped to be written, as the message before says");
	return ERR_PTR(-EBUSY);
}

/* A file that owns @hold, or ERR_PTR. The hold is taken over in any case. */
static struct file *hold_file(struct hold *hold)
{
	struct file *file = anon_inode_getfile("[shale-hold]", &hold_fops, hold, O_RDONLY);

	if (IS_ERR(file))
		hold_end(hold);
	return file;
}

int shale_nl_quiesce_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *timeout = info->attrs[SHALE_A_QUIESCE_TIMEOUT];
	struct shale_sb *sbi;
	struct hold *hold;

	if (!shale_may_administrate(skb, info->extack))
		return -EPERM;
	sbi = shale_visit_mount(skb, info);
	if (IS_ERR(sbi))
		return PTR_ERR(sbi);
	hold = begin_hold(sbi, info, timeout ? nla_get_u32(timeout) : SHALE_MAX_QUIESCE);
	shale_sb_leave(sbi);
	if (IS_ERR(hold))
		return PTR_ERR(hold);
	return shale_answer_with_file(info, SHALE_CMD_QUIESCE, SHALE_A_QUIESCE_HOLD,
				      hold_file(hold));
}
