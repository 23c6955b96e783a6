/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failures on demand, on kernels with CONFIG_FAULT_INJECTION: the n-th allocation, or access to
 * user memory, that this task's system calls make from now on fails (/proc/thread-self/fail-nth).
 */
#ifndef SHALE_INJECT_H
#define SHALE_INJECT_H

#include <stdbool.h>

/* Skips the case where the kernel injects no failures. */
void inject_require(void);

/* For this process and no other. */
void inject_open(void);

void inject_begin(int nth);
/* Ends it, if that was not done before. Return: whether the failure happened. */
bool inject_end(void);

#endif
