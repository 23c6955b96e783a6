/* SPDX-License-Identifier: GPL-2.0 */
/* What a mount is asked for besides its layers: by mount options, or over netlink. */
#ifndef SHALE_STACK_OPTIONS_H
#define SHALE_STACK_OPTIONS_H

#include "stack/features.h"
#include "stack/quota.h"

struct shale_options {
	struct shale_features features;
	struct shale_usage max;		/* of the upper; 0: no limit */
	bool size_given, inodes_given;	/* the limit was asked for, or that there be none */
	bool default_permissions;
};

/* Asks @options for what @others were asked for as well. */
static inline void shale_options_add(struct shale_options *options,
				     const struct shale_options *others)
{
	shale_features_ask_as(&options->features, &others->features);
	if (others->size_given)
		options->max.bytes = others->max.bytes;
	if (others->inodes_given)
		options->max.inodes = others->max.inodes;
	options->default_permissions |= others->default_permissions;
}

static inline bool shale_options_limit(const struct shale_options *options)
{
	return options->max.bytes || options->max.inodes;
}

#endif
