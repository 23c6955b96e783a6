/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every file of the module is compiled as if it began with this header (see Kbuild). The sources
 * are written for the newest kernel that is supported, 7.3; on an older one these headers give
 * its interfaces the newer form, one header per concern. What a header does is decided by
 * probes.c, and nothing outside of this folder asks which kernel it is compiled for.
 *
 * Naming: compat_x() does what x() does in the newest kernel, and a macro gives it that name.
 */
#ifndef SHALE_COMPAT_COMPAT_H
#define SHALE_COMPAT_COMPAT_H

/* Before anything is included, and the one line here that has nothing to do with kernels. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "compat/probed.h"

#include "compat/scope.h"
#include "compat/idmap.h"
#include "compat/inode.h"
#include "compat/acl.h"
#include "compat/names.h"
#include "compat/dentry.h"
#include "compat/data.h"
#include "compat/handle.h"
#include "compat/uuid.h"
#include "compat/security.h"
#include "compat/mounting.h"
#include "compat/genetlink.h"

#endif
