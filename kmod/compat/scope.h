/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scope guards. linux/cleanup.h came with 6.5 and grew; stable kernels took over what they
 * needed: 6.1 has no scoped_class(), no take_fd() and no freeing of kvmalloc() memory.
 */
#ifndef SHALE_COMPAT_SCOPE_H
#define SHALE_COMPAT_SCOPE_H

#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#ifndef scoped_class
#define compat_scoped_class(class, name, label, args...)			\
	for (CLASS(class, name)(args); ; ({ goto label; }))			\
		if (0) {							\
label:										\
			break;							\
		} else

#define scoped_class(class, name, args...)					\
	compat_scoped_class(class, name, __UNIQUE_ID(label), args)
#endif

#ifndef take_fd
#define take_fd(fd)								\
({										\
	int taken = (fd);							\
										\
	(fd) = -1;								\
	taken;									\
})
#endif

/* What an array's length is kept in, for compilers that check it. Stable 6.1 got it late. */
#ifndef __counted_by
#define __counted_by(member)
#endif

#ifndef SHALE_HAS_FREE_FPUT
DEFINE_FREE(fput, struct file *, if (!IS_ERR_OR_NULL(_T)) fput(_T))
#endif

#ifndef SHALE_HAS_FREE_KVFREE
DEFINE_FREE(kvfree, void *, if (!IS_ERR_OR_NULL(_T)) kvfree(_T))
#endif

#endif
