/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same sources are built as shale.ko and, with SHALE_NAME=overlay (see Kbuild), as
 * overlay.ko: for kernels without overlayfs, whose users ask for a file system of that name.
 * There everything has the name, the magic number, the defaults and the leniency of overlayfs.
 */
#ifndef SHALE_STACK_VARIANT_H
#define SHALE_STACK_VARIANT_H

#include <linux/kconfig.h>
#include <linux/stringify.h>

/* Of the module, the file system type and the netlink family. */
#define SHALE_NAME __stringify(SHALE_MODULE_NAME)

#define SHALE_IS_OVERLAY IS_ENABLED(CONFIG_SHALE_AS_OVERLAY)

/* What statfs(2) says: "shal", or what engines know overlayfs by. */
#define SHALE_SUPER_MAGIC (SHALE_IS_OVERLAY ? 0x794c7630 : 0x7368616c)

#endif
