/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHALE_BASE_H
#define SHALE_BASE_H

/* Mounts a fresh directory of /scratch on /mnt; where there is no /scratch, a tmpfs. */
void mount_base(void);

#endif
