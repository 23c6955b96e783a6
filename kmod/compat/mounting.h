/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mounting. From 6.7 on, whoever parses mount(2)'s one string may say where an option ends, and a
 * string that may be empty has a macro. SB_I_NOUMASK came with 6.8 (before, the VFS left the
 * umask to whoever has ACLs), SB_I_EVM_HMAC_UNSUPPORTED with 6.9.
 */
#ifndef SHALE_COMPAT_MOUNTING_H
#define SHALE_COMPAT_MOUNTING_H

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/security.h>

/* The pointer to the table has more consts in it from 6.7 on. */
static inline void shale_sb_set_xattr(struct super_block *sb,
				      const struct xattr_handler * const *handlers)
{
	sb->s_xattr = (typeof(sb->s_xattr))handlers;
}

#ifndef SB_I_NOUMASK
#define SB_I_NOUMASK 0
#endif

#ifndef SB_I_EVM_HMAC_UNSUPPORTED
#define SB_I_EVM_HMAC_UNSUPPORTED 0
#endif

#ifndef fsparam_string_empty
#define fsparam_string_empty(name, opt)						\
	__fsparam(fs_param_is_string, name, opt, fs_param_can_be_empty, NULL)
#endif

#ifndef SHALE_HAS_PARSE_MONOLITHIC_SEP

static inline int vfs_parse_monolithic_sep(struct fs_context *fc, void *data,
					   char *(*next)(char **rest))
{
	char *rest = data, *key, *value;
	int err = 0;

	if (data)
		err = security_sb_eat_lsm_opts(data, &fc->security);
	while (data && !err && (key = next(&rest))) {
		value = strchr(key, '=');
		if (!*key || value == key)
			continue;
		if (value)
			*value++ = '\0';
		err = vfs_parse_fs_string(fc, key, value, value ? strlen(value) : 0);
	}
	return err;
}

#endif

#endif
