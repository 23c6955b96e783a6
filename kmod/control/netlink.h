/* SPDX-License-Identifier: GPL-2.0 */
/* The netlink family "shale", which include/netlink/shale.yaml describes. */
#ifndef SHALE_CONTROL_NETLINK_H
#define SHALE_CONTROL_NETLINK_H

/* Before the first mount, which sends an event; and after the last. */
int shale_control_init(void);
void shale_control_exit(void);

#endif
