// SPDX-License-Identifier: GPL-2.0-or-later
#include "userns.h"

#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fixture.h"

static void write_proc(pid_t pid, const char *file, const char *text)
{
	int fd = open_(text_of("/proc/%d/%s", pid, file), O_WRONLY);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail("writing \"%s\" to %s: %s", text, file, errno_name(errno));
	close(fd);
}

int userns_(const char *map)
{
	int ready[2], fd;
	char byte = 0;
	pid_t child;

	step_ok("pipe", pipe(ready));
	child = fork();
	step_ok("fork", child);
	if (!child) {
		if (unshare(CLONE_NEWUSER) || write(ready[1], &byte, 1) != 1)
			_exit(1);
		pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		SKIP("this kernel has no user namespaces");
	close(ready[0]);
	write_proc(child, "uid_map", map);
	write_proc(child, "gid_map", map);
	fd = open_(text_of("/proc/%d/ns/user", child), O_RDONLY);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return fd;
}

void enter_userns_(int userns)
{
	step_ok("setns", setns(userns, CLONE_NEWUSER));
	step_ok("setgroups", syscall(SYS_setgroups, 0, NULL));
	step_ok("setresgid", setresgid(0, 0, 0));
	step_ok("setresuid", setresuid(0, 0, 0));
	/* Its /proc/self is its own, to make further namespaces. */
	step_ok("prctl", prctl(PR_SET_DUMPABLE, 1));
}

int mount_mapped(const char *from, const char *to, int userns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = userns };
	int error, ret, tree = syscall(SYS_open_tree, AT_FDCWD, from, 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC);

	step_ok("open_tree", tree);
	ret = syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	if (!ret)
		ret = syscall(SYS_move_mount, tree, "", AT_FDCWD, to, 4 /* MOVE_MOUNT_F_EMPTY_PATH */);
	error = errno;
	close(tree);
	errno = error;
	return ret;
}

void allow_userns_mounts_(bool allow)
{
	int fd = open(text_of("/sys/module/%s/parameters/userns_mount", fs_type()), O_WRONLY);

	if (fd < 0 && !on_shale())
		return;		/* overlayfs always lets them */
	step_ok("opening the parameter", fd);
	step_ok("setting the parameter", write(fd, allow ? "Y" : "N", 1));
	close(fd);
}
