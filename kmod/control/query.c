// SPDX-License-Identifier: GPL-2.0
/*
 * query: where an object of a mount lies. in-use: which mounts have a directory as a layer. Both
 * are answered from memory: a layer may be on a server that does not answer.
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "control/netlink_gen.h"
#include "control/request.h"
#include "stack/base.h"
#include "stack/entry.h"
#include "stack/name.h"
#include "stack/stack.h"

/* query */

/*
 * The number of a layer; layers come in the order of their numbers, so it is looked for from @i
 * on.
 */
static u32 number_of_layer(const struct shale_stack *stack, const struct shale_layer *layer, u32 i)
{
	while (i < stack->nr_lower && stack->lower[i] != layer)
		i++;
	return i;
}

static int put_part(struct sk_buff *skb, bool upper, u32 lower, bool data)
{
	struct nlattr *nest = nla_nest_start(skb, SHALE_A_OBJECT_PART);

	if (!nest || (upper ? nla_put_flag(skb, SHALE_A_PART_UPPER)
			    : nla_put_u32(skb, SHALE_A_PART_LOWER, lower)) ||
	    (data && nla_put_flag(skb, SHALE_A_PART_DATA)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_parts(struct sk_buff *skb, const struct shale_sb *sbi,
		     const struct shale_entry *entry, bool has_data)
{
	const unsigned int nr = shale_entry_nr_lower(entry);
	const bool data_above = shale_entry_has_upper_data(entry);
	unsigned int i;
	u32 number = 0;
	int err = 0;

	if (entry->upper)
		err = put_part(skb, true, 0, has_data && data_above);
	for (i = 0; !err && i < nr; i++) {
		const struct shale_layer *layer = entry->lower->part[i].layer;

		/* Data that was not looked up yet. */
		if (!layer)
			continue;
		number = number_of_layer(sbi->stack, layer, number);
		if (number == sbi->stack->nr_lower)
			number = number_of_layer(sbi->stack, layer, 0);
		err = put_part(skb, false, number, has_data && !data_above && i + 1 == nr);
	}
	return err;
}

static bool is_same_name(struct dentry *a, struct dentry *b)
{
	struct name_snapshot one, other;
	bool same;

	take_dentry_name_snapshot(&one, a);
	take_dentry_name_snapshot(&other, b);
	same = one.name.len == other.name.len &&
	       !memcmp(one.name.name, other.name.name, one.name.len);
	release_dentry_name_snapshot(&other);
	release_dentry_name_snapshot(&one);
	return same;
}

/* An object that was copied up is still below under the name it had. */
static bool leaves_whiteout(struct dentry *dentry, const struct shale_entry *entry)
{
	if (IS_ROOT(dentry) || d_unlinked(dentry))
		return false;
	if (shale_name(dentry) == SHALE_NAME_LOWER)
		return true;
	return entry->lower && entry->lower->part[0].dentry &&
	       is_same_name(dentry, entry->lower->part[0].dentry);
}

/* A directory of the upper alone, in one that has lower parts. */
static bool may_hide_others(struct dentry *dentry, const struct shale_entry *entry)
{
	struct dentry *parent;
	bool hides;

	if (!d_is_dir(dentry) || IS_ROOT(dentry) || entry->lower)
		return false;
	parent = dget_parent(dentry);
	scoped_guard(rcu)
		hides = shale_entry_rcu(d_inode(parent))->lower;
	dput(parent);
	return hides;
}

static int put_object(struct sk_buff *skb, struct dentry *dentry, const struct shale_entry *entry,
		      const char *path)
{
	const struct shale_sb *sbi = shale_sb(dentry->d_sb);
	const struct inode *inode = d_inode(dentry);

	return shale_put_u64(skb, SHALE_A_OBJECT_MOUNT, sbi->id) ?:
	       (path ? nla_put_string(skb, SHALE_A_OBJECT_PATH, path) : 0) ?:
	       shale_put_u64(skb, SHALE_A_OBJECT_INO,
			     shale_number(sbi, entry, inode->i_ino).ino) ?:
	       put_parts(skb, sbi, entry, S_ISREG(inode->i_mode)) ?:
	       (entry->metacopy ? nla_put_flag(skb, SHALE_A_OBJECT_METACOPY) : 0) ?:
	       (may_hide_others(dentry, entry) ?
		nla_put_flag(skb, SHALE_A_OBJECT_OPAQUE) : 0) ?:
	       (leaves_whiteout(dentry, entry) ?
		nla_put_flag(skb, SHALE_A_OBJECT_WHITEOUT_NEEDED) : 0);
}

static int answer(struct genl_info *info, struct dentry *dentry, const char *path)
{
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(dentry));
	const size_t part = nla_total_size(nla_total_size(sizeof(u32)) + nla_total_size(0));
	struct sk_buff *skb;
	void *header;

	skb = shale_begin_answer(info, SHALE_CMD_QUERY, 2 * nla_total_size(sizeof(u64)) +
				 (path ? shale_text_size(path) : 0) + 3 * nla_total_size(0) +
				 (1 + shale_entry_nr_lower(entry)) * part, &header);
	if (!skb)
		return -ENOMEM;
	if (put_object(skb, dentry, entry, path)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return genlmsg_reply(skb, info);
}

/* The attribute that a handler can't do without. */
static const struct nlattr *wanted_fd(struct genl_info *info, int type)
{
	if (!info->attrs[type]) {
		NL_SET_ERR_MSG(info->extack, "a descriptor is needed");
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, type);
	}
	return info->attrs[type];
}

int shale_nl_query_doit(struct sk_buff *skb, struct genl_info *info)
{
	char *buffer __free(kfree) = NULL;
	struct file *file __free(fput) = NULL;
	const struct nlattr *fd;
	const char *path = NULL;
	struct dentry *dentry;

	if (!shale_may_administrate(skb, info->extack))
		return -EPERM;
	fd = wanted_fd(info, SHALE_A_OBJECT_FD);
	if (!fd)
		return -EINVAL;
	file = shale_file_of(fd);
	dentry = file ? file->f_path.dentry : NULL;
	if (!dentry || !shale_may_see(shale_sb(dentry->d_sb), skb)) {
		NL_SET_ERR_MSG_ATTR(info->extack, fd, "descriptor leads into no Shale mount");
		return -ENOENT;
	}
	if (!d_unlinked(dentry)) {
		buffer = kmalloc(PATH_MAX, GFP_KERNEL);
		if (!buffer)
			return -ENOMEM;
		path = dentry_path_raw(dentry, buffer, PATH_MAX);
	}
	return answer(info, dentry, IS_ERR(path) ? NULL : path);
}

/* in-use: found all at once, under the table's lock, and told one after the other */

struct use {
	u64 mount;
	u32 attribute;		/* SHALE_A_LAYER_USE_UPPER, _WORK or _LOWER */
	u32 lower;
};

struct uses {
	unsigned int nr, max, told;
	struct use use[] __counted_by(max);
};

/* Return: whether the mount has the directory, and then as what. */
static bool find_use(const struct shale_stack *stack, const struct dentry *dir, struct use *use)
{
	if (stack->upper && stack->upper->mnt->mnt_root == dir) {
		use->attribute = SHALE_A_LAYER_USE_UPPER;
		return true;
	}
	if (stack->work && stack->work->mnt->mnt_root == dir) {
		use->attribute = SHALE_A_LAYER_USE_WORK;
		return true;
	}
	use->attribute = SHALE_A_LAYER_USE_LOWER;
	for (use->lower = 0; use->lower < stack->nr_lower; use->lower++) {
		if (stack->lower[use->lower]->mnt->mnt_root == dir)
			return true;
	}
	return false;
}

static struct uses *find_uses(const struct sk_buff *request, const struct dentry *dir)
{
	unsigned int nr = 0;
	struct shale_sb *sbi;
	struct uses *uses;
	u64 id;

	guard(shale_sb_table)();
	for (id = 0; (sbi = shale_sb_next(id)); id = sbi->id + 1)
		nr++;
	uses = kvzalloc(struct_size(uses, use, nr), GFP_KERNEL_ACCOUNT);
	if (!uses)
		return NULL;
	uses->max = nr;
	for (id = 0; (sbi = shale_sb_next(id)); id = sbi->id + 1) {
		struct use use = { .mount = sbi->id };

		if (shale_may_see(sbi, request) && find_use(sbi->stack, dir, &use))
			uses->use[uses->nr++] = use;
		cond_resched();
	}
	return uses;
}

static int put_use(struct sk_buff *skb, const struct netlink_callback *cb, const struct use *use)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &shale_nl_family, NLM_F_MULTI, SHALE_CMD_IN_USE);

	if (!header)
		return -EMSGSIZE;
	if (shale_put_u64(skb, SHALE_A_LAYER_USE_MOUNT, use->mount) ||
	    (use->attribute == SHALE_A_LAYER_USE_LOWER ?
	     nla_put_u32(skb, use->attribute, use->lower) : nla_put_flag(skb, use->attribute))) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

static struct uses **uses_of(struct netlink_callback *cb)
{
	return (struct uses **)cb->ctx;
}

/* Takes them over: a dump that is refused before has not. */
static int start_uses(struct netlink_callback *cb)
{
	struct uses **uses = cb->data;

	*uses_of(cb) = *uses;
	*uses = NULL;
	cb->data = NULL;
	return 0;
}

static int tell_uses(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct uses *uses = *uses_of(cb);

	while (uses->told < uses->nr && !put_use(skb, cb, &uses->use[uses->told]))
		uses->told++;
	return uses->told < uses->nr ? skb->len : 0;
}

static int end_uses(struct netlink_callback *cb)
{
	kvfree(*uses_of(cb));
	return 0;
}

int shale_nl_in_use_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct uses *uses = NULL;
	struct netlink_dump_control control = {
		.start = start_uses,
		.dump = tell_uses,
		.done = end_uses,
		.data = &uses,
		.module = THIS_MODULE,
		SHALE_DUMP_EXTACK(info->extack),
	};
	struct file *file __free(fput) = NULL;
	const struct nlattr *fd;
	int err;

	if (!shale_may_administrate(skb, info->extack))
		return -EPERM;
	fd = wanted_fd(info, SHALE_A_LAYER_USE_FD);
	if (!fd)
		return -EINVAL;
	file = fget_raw(nla_get_s32(fd));
	if (!file || !d_is_dir(file->f_path.dentry)) {
		NL_SET_ERR_MSG_ATTR(info->extack, fd, "not the descriptor of a directory");
		return file ? -ENOTDIR : -EBADF;
	}
	uses = find_uses(skb, file->f_path.dentry);
	if (!uses)
		return -ENOMEM;
	err = shale_start_dump(skb, info, &control);
	kvfree(uses);
	return err;
}
