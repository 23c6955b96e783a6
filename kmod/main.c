// SPDX-License-Identifier: GPL-2.0
/* Shale: a stacking file system. The table of contents: what there is, in order. */
#include <linux/module.h>

#include "compat/real_file.h"
#include "control/netlink.h"
#include "stack/inode.h"
#include "stack/variant.h"
#include "union/listings.h"
#include "version.h"
#include "vfs/aio.h"
#include "vfs/super.h"

static int __init shale_init(void)
{
	int err;

	err = shale_real_file_init();
	if (err)
		return err;

	err = shale_inode_init();
	if (err)
		goto exit_real_file;

	err = shale_listings_init();
	if (err)
		goto exit_inode;

	err = shale_aio_init();
	if (err)
		goto exit_listings;

	err = shale_control_init();
	if (err)
		goto exit_aio;

	err = shale_super_init();
	if (err)
		goto exit_control;
	return 0;

exit_control:
	shale_control_exit();
exit_aio:
	shale_aio_exit();
exit_listings:
	shale_listings_exit();
exit_inode:
	shale_inode_exit();
exit_real_file:
	shale_real_file_exit();
	return err;
}

static void __exit shale_exit(void)
{
	shale_super_exit();
	shale_control_exit();
	shale_aio_exit();
	shale_listings_exit();
	shale_inode_exit();
	shale_real_file_exit();
}

module_init(shale_init);
module_exit(shale_exit);

MODULE_DESCRIPTION("Stacking file system: many read-only layers and one writable layer, as one tree");
MODULE_LICENSE("GPL");
MODULE_VERSION(SHALE_VERSION);
MODULE_ALIAS_FS(SHALE_NAME);
