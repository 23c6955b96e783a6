// SPDX-License-Identifier: GPL-2.0
#include "stack/uuid.h"

#include <linux/fs.h>
#include <linux/uuid.h>

#include "stack/marks.h"
#include "stack/upper.h"

/* Return: 1, 0 without one, or an errno. What has another length is not known, and is kept. */
static int load(const struct shale_sb *sbi, const struct path *root, uuid_t *uuid)
{
	int size = shale_mark_get(sbi, root, SHALE_MARK_UUID, uuid->b, UUID_SIZE);

	if (size == UUID_SIZE)
		return 1;
	if (size == -ENODATA)
		return 0;
	return size < 0 ? size : -EINVAL;
}

static int make(const struct shale_token *tok, const struct shale_sb *sbi, uuid_t *uuid)
{
	uuid_gen(uuid);
	return shale_mark_set(tok, sbi, tok->upper->root, SHALE_MARK_UUID, uuid->b, UUID_SIZE);
}

/* Return: 1 with a uuid, 0 when there is to be none, or an errno. */
static int load_or_make(const struct shale_token *tok, const struct shale_sb *sbi, uuid_t *uuid)
{
	const struct path root = shale_upper_path(tok, tok->upper->root);
	int ret = load(sbi, &root, uuid);

	/* The first directory that is looked up or copied makes the root impure. */
	if (!ret && sbi->features.value[SHALE_UUID] == SHALE_UUID_AUTO) {
		ret = shale_mark_present(sbi, &root, SHALE_MARK_IMPURE);
		if (ret)
			return min(ret, 0);
	}
	if (!ret)
		ret = make(tok, sbi, uuid) ?: 1;
	return ret;
}

void shale_uuid_open(struct super_block *sb)
{
	struct shale_sb *sbi = shale_sb(sb);
	u8 *option = &sbi->features.value[SHALE_UUID];
	uuid_t uuid;
	int ret;

	if (!sbi->upper || (*option != SHALE_UUID_ON && *option != SHALE_UUID_AUTO))
		return;

	CLASS(shale_upper, tok)(sb);

	ret = tok.err ?: load_or_make(&tok, sbi, &uuid);
	*option = ret > 0 ? SHALE_UUID_ON : SHALE_UUID_NULL;
	if (ret > 0)
		super_set_uuid(sb, uuid.b, sizeof(uuid));
	else if (ret < 0)
		pr_warn("upper %s can't be given a uuid of its own (error %d): uuid=null\n",
			sbi->upper->layer->name, ret);
}
