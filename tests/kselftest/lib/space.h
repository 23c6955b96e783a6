/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes space away from the file system of the case's directory, made by set_up_on(). */
#ifndef SHALE_SPACE_H
#define SHALE_SPACE_H

#include <stdbool.h>

/* Does it have a fixed number of inodes? */
bool space_has_inodes(void);

/* So that @nr are left, about. */
void space_leave_blocks(int nr);
void space_leave_inodes(int nr);
void space_give_back(void);

#endif
