/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of operations, each row of which is repeated while something fails in it: the first
 * allocation or access to user memory, then the second, and so on until it makes no more
 * (fail_everywhere()); or for want of space, which grows until it is enough (fail_for_space()); or
 * because nothing can be written (fail_to_write()). Each time it may answer with an error, but never
 * in between:
 *
 *	the tree is as before or, whole, as after;
 *	what the mount shows is what its layers are;
 *	the work directory is empty, or emptied by the next mount;
 *	no descriptor and no reference on the module stays;
 *	the same operation without a failure then works.
 *
 * All rows work on this tree, upper and work directory being new for each attempt:
 *
 *	low	file twin1=twin2 link fifo hidden hidden_dir/x empty/ full/x shared/{inner,gone} shell/{a,b}
 *	top	shared/extra
 *	upper	mine own/child bare/ ✕hidden ✕hidden_dir shell/{✕a,✕b}
 */
#ifndef SHALE_FAILURES_H
#define SHALE_FAILURES_H

#include "fixture.h"

struct operation {
	/* One system call, if possible, with the result of one. */
	long (*run)(void);

	/* What must be there for it, after mounting; what it opens goes through keep(). */
	void (*prepare)(void);

	/* Of rows that make or end a mount: what is still missing to one on "merged". */
	void (*complete)(void);

	/* Gives back what prepare took and keep() can't hold; after each attempt. */
	void (*release)(void);

	int error;		/* one that is as good as those of the cause */
	const char *base;	/* file system of all layers; tmpfs if not given */
	const char *features;	/* of the mounts, for with_features(); the usual ones if not given */
	enum operation_flags {
		NOT_MOUNTED = 1,	/* makes or ends the mount: nothing is mounted before */
		TOUCHES = 2,		/* a failed one may leave a new mtime */
		NEEDS_NO_SPACE = 4,	/* never fails for want of space; others must do so once */
		WRITES = 8,		/* is not done before it is written */
	} flags;
};

/* A row: the names of its case and function, its title, what is done with it, more of @operation. */
#define ROW(name, function, title, do_with, ...)				\
	CASE(name, title)							\
	{									\
		static const struct operation operation = {			\
			.run = function, __VA_ARGS__				\
		};								\
										\
		do_with(&operation);						\
	}

/*
 * A row for fail_everywhere(). @operations says what it is for: FIELD of TABLE in kmod/, as
 * "TABLE.FIELD", several with blanks between; tests/checks/failures.sh looks for all.
 */
#define OPERATION(function, operations, title, ...)				\
	static long function(void);						\
	ROW(function##_fails, function, title, fail_everywhere, __VA_ARGS__)	\
	static long function(void)

/* An operation that has no row, and why. */
#define NO_OPERATION(operations, reason) _Static_assert(sizeof(reason) > 1, reason)

void fail_everywhere(const struct operation *operation);
void fail_for_space(const struct operation *operation);
void fail_to_write(const struct operation *operation);

enum { FILE_SIZE = 9000 };	/* of "file" */

/* For the features of a row: its mounts are limited, and what they have counted is looked at. */
#define LIMITED_BYTES (1LL << 20)
#define LIMITS "size=1M,inodes=100"

/* Closes @fd when the attempt is over. Return: @fd, which may be -1. */
int keep(int fd);

/* -1 and @error, as a system call fails. */
long failed(int error);

#endif
