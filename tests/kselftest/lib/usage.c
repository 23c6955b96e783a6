// SPDX-License-Identifier: GPL-2.0-or-later
#include "usage.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fixture.h"

static struct usage held;
static ino_t linked[4096];
static int nr_linked;

static bool seen_before(const struct stat *st)
{
	int i;

	if (S_ISDIR(st->st_mode) || st->st_nlink == 1)
		return false;
	for (i = 0; i < nr_linked; i++) {
		if (linked[i] == st->st_ino)
			return true;
	}
	CHECK(nr_linked < 4096);
	linked[nr_linked++] = st->st_ino;
	return false;
}

static int add_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)path;
	(void)where;
	CHECK(type != FTW_NS && type != FTW_DNR);
	if ((S_ISCHR(st->st_mode) && !st->st_rdev) || seen_before(st))
		return 0;
	held.bytes += st->st_blocks * 512LL;
	held.inodes++;
	return 0;
}

const struct usage *held_by_upper(void)
{
	held = (struct usage){ };
	nr_linked = 0;
	CHECK(!nftw("upper", add_one, 16, FTW_PHYS));
	return &held;
}

long long told_used(void)
{
	struct statvfs st;

	CHECK(!statvfs("merged", &st));
	return (long long)(st.f_blocks - st.f_bfree) * st.f_frsize;
}

long long told_inodes(void)
{
	struct statvfs st;

	CHECK(!statvfs("merged", &st));
	return st.f_files - st.f_ffree;
}
