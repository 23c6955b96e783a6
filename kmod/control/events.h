/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHALE_CONTROL_EVENTS_H
#define SHALE_CONTROL_EVENTS_H

/* Before the family is registered: who may listen to its groups, and where events go. */
void shale_events_init(void);

#endif
