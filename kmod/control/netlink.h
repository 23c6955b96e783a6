/* SPDX-License-Identifier: GPL-2.0 */
/* The netlink family "shale", which include/netlink/shale.yaml describes. */
#ifndef SHALE_CONTROL_NETLINK_H
#define SHALE_CONTROL_NETLINK_H

/* Opens the family to clients, so it comes last at module load; and first at unload. */
int shale_control_init(void);
void shale_control_exit(void);

#endif
