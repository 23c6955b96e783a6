/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own search for memory that nobody points to (kmemleak), in kernels that have it.
 */
#ifndef SHALE_VM_LEAKS_H
#define SHALE_VM_LEAKS_H

/* What is suspected by now is none of ours. */
void forget_leaks(void);

/*
 * Searches, which takes seconds; the kernel log gets a line if anything was found. Returns what
 * the kernel says of each suspect, as a descriptor to read from, or -1.
 */
int find_leaks(void);

#endif
