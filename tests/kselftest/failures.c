// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every allocation fails once, on kernels with fault injection (CONFIG_FAULT_INJECTION, CONFIG_FAILSLAB):
 * each operation is repeated, its first allocation failing, then its second and so on, until it
 * makes no more. It may answer with an error; it must not crash, leak, or keep the module.
 *
 *	/mnt		tmpfs; 0, 1 and 2 are lower layers with a file each, upper, work, merged
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "genl.h"

static struct genl genl;
static struct request request;

/* Fault injection */

static int nth_file;

static void write_setting(const char *name, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP("no debugfs with failslab");
	CHECK(write(fd, value, 1) == 1);
	close(fd);
}

static void inject_open(void)
{
	nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_file < 0)
		SKIP("this kernel injects no failures");
	write_setting("ignore-gfp-wait", "N");	/* fail allocations that may sleep, too */
	write_setting("verbose", "0");
}

static void inject(int nth)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", nth);

	CHECK(pwrite(nth_file, text, size, 0) == size);
}

/* Ends injecting. Return: whether the failure happened. */
static bool injected(void)
{
	char text[16] = "";

	CHECK(pread(nth_file, text, sizeof(text) - 1, 0) > 0);
	inject(0);
	return atoi(text) == 0;
}

/* Runs @operation until nothing in it fails any more. */
static void fail_everywhere(const char *name, void (*prepare)(void), void (*operation)(void))
{
	int nth;

	for (nth = 1; ; nth++) {
		bool failed;

		CHECK(nth < 5000);
		prepare();
		inject(nth);
		operation();
		failed = injected();
		if (!failed)
			break;
	}
	printf("# %s: %d allocations\n", name, nth - 1);
}

/* Fixture */

static void set_up(void)
{
	const char *const dirs[] = { "0", "1", "2", "upper", "work", "merged" };
	char path[64];
	int i, fd;

	inject_open();
	genl = genl_open();
	CHECK(!mount("none", "/mnt", "tmpfs", 0, NULL));
	for (i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "/mnt/%s", dirs[i]);
		CHECK(!mkdir(path, 0755));
		if (i > 2)
			continue;
		snprintf(path, sizeof(path), "/mnt/%d/file%d", i, i);
		fd = open(path, O_CREAT | O_WRONLY, 0644);
		CHECK(write(fd, "data", 4) == 4);
		CHECK(!fsetxattr(fd, "user.a", "v", 1, 0));
		close(fd);
	}
}

static int layers[5] = { -1, -1, -1, -1, -1 };

static void describe(void)
{
	const char *const paths[] = { "/mnt/0", "/mnt/1", "/mnt/2", "/mnt/upper", "/mnt/work" };
	const int types[] = { SHALE_A_STACK_LOWER, SHALE_A_STACK_LOWER, SHALE_A_STACK_LOWER,
			      SHALE_A_STACK_UPPER, SHALE_A_STACK_WORK };
	int i;

	request_begin(&request, genl.family, SHALE_CMD_NEW, 0);
	for (i = 0; i < 5; i++) {
		if (layers[i] < 0)
			layers[i] = open(paths[i], O_PATH | O_CLOEXEC);
		request_add_fd(&request, types[i], layers[i]);
	}
}

/* The answer may be lost as well, so the descriptor is looked for rather than waited for. */
static void send_request(void)
{
	send(genl.fd, &request, request.header.nlmsg_len, 0);
}

static void drop_answers(void)
{
	static char buffer[BUFFER_SIZE];
	int fd;

	while (recv(genl.fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		;
	for (fd = 100; fd < 110; fd++)
		close(fd);
}

/* Descriptors that an operation opens come to lie at 100 and above, where they are found. */
static void collect_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY);

	while (fd >= 0 && fd < 99)
		fd = dup(fd);
}

static void prepare_new(void)
{
	drop_answers();
	describe();
}

static void describing_a_stack(void)
{
	set_up();
	describe();
	collect_descriptors();
	fail_everywhere("new", prepare_new, send_request);
	drop_answers();
}

static int context = -1, mounted = -1;

static int pending(void)
{
	struct refusal refusal;
	int fd;

	describe();
	fd = shale_send_new(&genl, &request, &refusal);
	CHECK(fd >= 0);
	return fd;
}

static void prepare_mount(void)
{
	int stack = pending();

	close(mounted);
	close(context);
	mounted = -1;
	context = fsopen(module_name(), FSOPEN_CLOEXEC);
	CHECK(context >= 0);
	CHECK(!fsconfig(context, FSCONFIG_SET_FD, "stack", NULL, stack));
	close(stack);
}

static void make_mount(void)
{
	if (!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mounted = fsmount(context, FSMOUNT_CLOEXEC, 0);
}

static void mounting(void)
{
	set_up();
	fail_everywhere("mount", prepare_mount, make_mount);
	CHECK(mounted >= 0);
}

/* From here on each attempt has a mount of its own, so that nothing is in a cache already. */

static void prepare_get(void)
{
	drop_answers();
	prepare_mount();
	make_mount();
	CHECK(mounted >= 0);
	request_begin(&request, genl.family, SHALE_CMD_GET, 0);
	request_add_fd(&request, SHALE_A_MOUNT_FD, mounted);
}

static void telling_of_a_mount(void)
{
	set_up();
	fail_everywhere("get", prepare_get, send_request);
}

static void wipe_upper(void)
{
	int i;
	char path[64];

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/mnt/upper/file%d", i);
		unlink(path);
	}
	unlink("/mnt/upper/new");
	rmdir("/mnt/upper/dir");
}

static void prepare_mounted(void)
{
	wipe_upper();
	prepare_mount();
	make_mount();
	CHECK(mounted >= 0);
}

static void change_mode(void)
{
	fchmodat(mounted, "file1", 0600, 0);
}

static void change_xattr(void)
{
	int fd = openat(mounted, "file2", O_RDONLY);

	if (fd >= 0)
		fsetxattr(fd, "user.b", "v", 1, 0);
	close(fd);
}

static void change_names(void)
{
	close(openat(mounted, "new", O_CREAT | O_WRONLY, 0600));
	mkdirat(mounted, "dir", 0755);
	unlinkat(mounted, "file0", 0);
	renameat(mounted, "file1", mounted, "dir/moved");
	unlinkat(mounted, "dir/moved", 0);
	unlinkat(mounted, "dir", AT_REMOVEDIR);
}

/* A failed copy-up leaves the object as it was, whatever failed. */
static void check_whole(void)
{
	char data[8];
	int fd = openat(mounted, "file1", O_RDONLY);

	CHECK(fd >= 0);
	CHECK_EQ(read(fd, data, sizeof(data)), 4);
	CHECK_EQ(fgetxattr(fd, "user.a", data, sizeof(data)), 1);
	close(fd);
}

static void change_mode_and_check(void)
{
	bool failed;

	change_mode();
	failed = injected();
	check_whole();
	if (!failed)
		inject(5000);	/* not reached: tells fail_everywhere() to end */
}

static void changing_a_mode(void)
{
	set_up();
	fail_everywhere("chmod", prepare_mounted, change_mode_and_check);
}

static void changing_an_attribute(void)
{
	set_up();
	fail_everywhere("setxattr", prepare_mounted, change_xattr);
}

static void changing_names(void)
{
	set_up();
	fail_everywhere("names", prepare_mounted, change_names);
}

static const struct ktap_test tests[] = {
	TEST(describing_a_stack),
	TEST(mounting),
	TEST(telling_of_a_mount),
	TEST(changing_a_mode),
	TEST(changing_an_attribute),
	TEST(changing_names),
};

KTAP_MAIN(tests)
