// SPDX-License-Identifier: GPL-2.0-or-later
#include "space.h"

#include <linux/magic.h>
#include <sys/statfs.h>

#include "fixture.h"

/* What takes the space: a file and a directory of files. */
#define FILLER "filler"
#define FILLERS "fillers"

static struct statfs ask(void)
{
	struct statfs st;

	if (statfs(".", &st))
		fail("statfs: %s", errno_name(errno));
	return st;
}

static bool is_tmpfs(void)
{
	return ask().f_type == TMPFS_MAGIC;
}

bool space_has_inodes(void)
{
	long type = ask().f_type;

	return type == TMPFS_MAGIC || type == EXT4_SUPER_MAGIC;
}

/* What is free is free for good only when the journal has it. */
static void settle(void)
{
	int fd = open_file(".", O_RDONLY);

	OK(syncfs(fd));
	close(fd);
}

static void limit(const char *options)
{
	if (mount(NULL, ".", NULL, MS_REMOUNT, options))
		fail("remounting tmpfs with %s: %s", options, errno_name(errno));
}

/* Allocates as much as there is. Return: how much that was. */
static off_t fill(int fd)
{
	off_t block = ask().f_bsize, size = 0, piece = ask().f_bfree * block;

	while (piece >= block) {
		if (!fallocate(fd, 0, size, piece)) {
			size += piece;
			continue;
		}
		if (errno != ENOSPC)
			fail("filling the file system: %s", errno_name(errno));
		piece = piece / 2 / block * block;
	}
	return size;
}

void space_leave_blocks(int nr)
{
	struct statfs st = ask();
	off_t size;
	int fd;

	if (is_tmpfs()) {
		limit(text_of("size=%llu", (unsigned long long)(st.f_blocks - st.f_bfree + nr) *
					   st.f_bsize));
		return;
	}
	settle();
	fd = open_file(FILLER, O_CREAT | O_RDWR);
	size = fill(fd);
	if (nr) {
		OK(ftruncate(fd, size > nr * st.f_bsize ? size - nr * st.f_bsize : 0));
		settle();
	}
	close(fd);
}

void space_leave_inodes(int nr)
{
	struct statfs st = ask();
	int made;

	if (is_tmpfs()) {
		limit(text_of("nr_inodes=%llu",
			      (unsigned long long)(st.f_files - st.f_ffree + nr)));
		return;
	}
	OK(mkdir(FILLERS, 0755));
	for (made = 0; !mknod(text_of(FILLERS "/%d", made), S_IFREG | 0600, 0); made++)
		;
	if (errno != ENOSPC)
		fail("filling the file system: %s", errno_name(errno));
	while (nr-- && made)
		OK(unlink(text_of(FILLERS "/%d", --made)));
}

void space_give_back(void)
{
	if (is_tmpfs()) {
		limit("size=64m,nr_inodes=10000");
		return;
	}
	if (exists(FILLER))
		OK(unlink(FILLER));
	if (exists(FILLERS)) {
		remove_in(FILLERS);
		OK(rmdir(FILLERS));
	}
	settle();
}
