/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the upper of a mount with limits holds, and what the mount says that it does. */
#ifndef SHALE_USAGE_H
#define SHALE_USAGE_H

struct usage {
	long long bytes, inodes;
};

/* As du(1) counts, each object once, but without whiteouts. Valid until the next call. */
const struct usage *held_by_upper(void);

/* By statfs(2) of "merged". */
long long told_used(void);
long long told_inodes(void);

#endif
