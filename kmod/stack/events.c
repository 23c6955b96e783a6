// SPDX-License-Identifier: GPL-2.0
#include "stack/events.h"

#include "stack/sb.h"

const struct shale_event_sink *shale_event_sink;

/*
 * Of the base file systems and what they lie on, and not just an answer to what a program asked
 * for.
 */
static bool is_trouble(int err)
{
	switch (err) {
	case -EIO:
	case -ENOSPC:
	case -EDQUOT:
	case -ESTALE:
	case -EUCLEAN:
	case -EBADMSG:
	case -EROFS:
	case -ENOMEM:
	case -EFBIG:
	case -EREMOTEIO:
	case -ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

void shale_failed(struct super_block *sb, struct dentry *dentry, enum shale_reason reason, int err)
{
	struct shale_sb *sbi = shale_sb(sb);

	if (!is_trouble(err))
		return;
	atomic_inc(&sbi->counters.error[-err < SHALE_NR_ERRORS ? -err : 0]);
	shale_event(sbi, &(struct shale_event) {
		.kind = SHALE_EVENT_KIND_FAILED,
		.dentry = dentry,
		.inode = dentry ? d_inode(dentry) : NULL,
		.reason = reason,
		.err = err,
	});
}
