/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHALE_VFS_SUPER_H
#define SHALE_VFS_SUPER_H

#include <linux/fs_context.h>

#include "stack/options.h"

/* What a mount is made from; filled by context.c, used up by super.c. */
struct shale_config {
	struct shale_stack *stack;	/* never NULL */
	char *lowerdir, *upperdir, *workdir;	/* the options as given, or NULL */
	bool described;			/* the stack came by the option "stack" */
	struct shale_options options;
};

/* context.c */
extern bool shale_userns_mount;	/* may root of any user namespace mount? */
int shale_init_fs_context(struct fs_context *fc);

/* super.c: makes @sb from the configuration in @fc. */
int shale_fill_super(struct super_block *sb, struct fs_context *fc);

int shale_super_init(void);
void shale_super_exit(void);

#endif
