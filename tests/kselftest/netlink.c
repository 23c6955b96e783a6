// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The netlink family: describing stacks, refusals, telling of mounts.
 *
 * Each test works on a tmpfs of its own:
 *
 *	/mnt			the file system
 *	    l0 l1 ... lN	lower layers; li holds the file fi
 *	    upper work
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "genl.h"

static const char dir[] = "/mnt";

static struct genl genl;
static struct request request;

/* Fixture */

static const char *in_dir(const char *format, ...)
{
	static char path[2 * PATH_MAX];
	va_list args;
	int len = snprintf(path, sizeof(path), "%s/", dir);

	va_start(args, format);
	vsnprintf(path + len, sizeof(path) - len, format, args);
	va_end(args);
	return path;
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, "data\n", 5) == 5);
	close(fd);
}

static void set_up(int nr_lowers)
{
	const struct rlimit files = { 16384, 16384 };
	int i;

	CHECK(!setrlimit(RLIMIT_NOFILE, &files));
	genl = genl_open();
	CHECK(!mount("none", dir, "tmpfs", 0, NULL));
	CHECK(!mkdir(in_dir("upper"), 0755));
	CHECK(!mkdir(in_dir("work"), 0755));
	for (i = 0; i < nr_lowers; i++) {
		CHECK(!mkdir(in_dir("l%d", i), 0755));
		make_file(in_dir("l%d/f%d", i, i));
	}
}

static int open_path(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static void begin_new(void)
{
	request_begin(&request, genl.family, SHALE_CMD_NEW, NLM_F_ACK);
}

/* Adds a layer whose descriptor stays open. Return: where its attribute starts. */
static int add_layer(uint16_t type, const char *path)
{
	return request_add_fd(&request, type, open_path(path));
}

static void add_lowers(int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		add_layer(SHALE_A_STACK_LOWER, in_dir("l%d", i));
}

static void add_upper(void)
{
	add_layer(SHALE_A_STACK_UPPER, in_dir("upper"));
	add_layer(SHALE_A_STACK_WORK, in_dir("work"));
}

static void add_u32(uint16_t type, uint32_t value)
{
	request_add(&request, type, &value, sizeof(value));
}

static void add_u64(uint16_t type, uint64_t value)
{
	request_add(&request, type, &value, sizeof(value));
}

static int add_path(uint16_t type, const char *path)
{
	return request_add(&request, type, path, strlen(path) + 1);
}

static int send_new(void)
{
	struct refusal refusal;
	int fd = shale_send_new(&genl, &request, &refusal);

	if (refusal.error)
		printf("# refused: %s\n", refusal.text);
	CHECK_EQ(refusal.error, 0);
	CHECK(fd >= 0);
	return fd;
}

static int fsconfig_stack(int context, int stack)
{
	return fsconfig(context, FSCONFIG_SET_FD, "stack", NULL, stack);
}

/* Mounts a pending stack. Return: descriptor of the mount, attached nowhere. */
static int mount_stack(int stack)
{
	int context = fsopen(module_name(), FSOPEN_CLOEXEC), fd;

	CHECK(context >= 0);
	CHECK(!fsconfig(context, FSCONFIG_SET_STRING, "source", "test source", 0));
	CHECK(!fsconfig_stack(context, stack));
	CHECK(!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	CHECK(fd >= 0);
	close(context);
	return fd;
}

/* The whole way: describes and mounts a stack of nr lowers; as overlay, one alone is not enough. */
static int mount_lowers(int nr, bool writable)
{
	int stack, fd;

	begin_new();
	add_lowers(nr);
	if (writable)
		add_upper();
	stack = send_new();
	fd = mount_stack(stack);
	close(stack);
	return fd;
}

/* new */

static void new_answers_with_a_descriptor(void)
{
	char link[64], target[64] = "";
	int stack;

	set_up(1);
	begin_new();
	add_lowers(1);
	add_upper();
	stack = send_new();
	CHECK(fcntl(stack, F_GETFD) == FD_CLOEXEC);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", stack);
	CHECK(readlink(link, target, sizeof(target) - 1) > 0);
	CHECK(strstr(target, "shale-stack"));
}

static void lowers_500_mount(void)
{
	struct stat st;
	int fd;

	set_up(500);
	fd = mount_lowers(500, true);
	CHECK(!fstatat(fd, "f0", &st, 0));
	CHECK(!fstatat(fd, "f499", &st, 0));
	CHECK_EQ(st.st_size, 5);
	CHECK(fstatat(fd, "f500", &st, 0) && errno == ENOENT);
	CHECK(openat(fd, "new", O_CREAT | O_WRONLY, 0644) >= 0);
	CHECK(!stat(in_dir("upper/new"), &st));
}

static void lowers_4096_are_the_limit(void)
{
	struct refusal refusal;
	int i, offset, root;

	set_up(1);
	root = open_path(in_dir("l0"));
	begin_new();
	/* The same directory, which is refused too, but later: each counts as a layer. */
	for (i = 0; i < SHALE_MAX_LOWER; i++)
		request_add_fd(&request, SHALE_A_STACK_LOWER, root);
	shale_send_new(&genl, &request, &refusal);
	CHECK_EQ(refusal.error, ELOOP);

	offset = request_add_fd(&request, SHALE_A_STACK_LOWER, root);
	shale_send_new(&genl, &request, &refusal);
	CHECK_EQ(refusal.error, E2BIG);
	CHECK_EQ(refusal.offset, offset);

	begin_new();
	for (i = 0; i <= SHALE_MAX_LOWER; i++)
		offset = add_path(SHALE_A_STACK_LOWER_PATH, "/");
	shale_send_new(&genl, &request, &refusal);
	CHECK_EQ(refusal.error, E2BIG);
	CHECK_EQ(refusal.offset, offset);
}

static long shmem_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = -1;

	CHECK(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "Shmem: %ld", &kib);
	fclose(file);
	return kib;
}

/* A pending stack keeps its layers' file system alive, and nothing but its descriptor does. */
static void closing_the_descriptor_drops_the_layers(void)
{
	static char block[1 << 20];
	int stack, fd, i, users = module_users();
	long before;

	set_up(1);
	fd = open(in_dir("l0/big"), O_CREAT | O_WRONLY, 0600);
	for (i = 0; i < 64; i++)
		CHECK(write(fd, block, sizeof(block)) == sizeof(block));
	close(fd);

	begin_new();
	fd = open_path(in_dir("l0"));
	request_add_fd(&request, SHALE_A_STACK_LOWER, fd);
	stack = send_new();
	close(fd);
	if (users >= 0)
		CHECK_EQ(module_users(), users + 1);

	before = shmem_kib();
	CHECK(!umount2(dir, 0));
	CHECK(shmem_kib() > before - 32 * 1024);
	close(stack);
	for (i = 0; i < 100 && shmem_kib() > before - 32 * 1024; i++)
		usleep(50 * 1000);
	CHECK(shmem_kib() <= before - 32 * 1024);
	if (users >= 0)
		CHECK_EQ(module_users(), users);
}

static void a_stack_mounts_once(void)
{
	int stack, context;

	set_up(2);
	begin_new();
	add_lowers(2);
	stack = send_new();
	mount_stack(stack);

	context = fsopen(module_name(), FSOPEN_CLOEXEC);
	CHECK(context >= 0);
	CHECK(fsconfig_stack(context, stack) == -1 && errno == EBUSY);
	CHECK(fsconfig_stack(context, open_path(dir)) == -1 && errno);
}

/* Options and paths */

/* The options of the mount @fd, as /proc/self/mountinfo has them, after it was attached. */
static const char *shown_options(int fd, const char *target)
{
	static char line[8192];
	FILE *file;
	char *found = NULL;

	CHECK(!mkdir(target, 0755));
	CHECK(!move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH));
	file = fopen("/proc/self/mountinfo", "re");
	CHECK(file);
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, target);
	fclose(file);
	CHECK(found);
	return found;
}

static void new_takes_options(void)
{
	const char *shown;
	int stack;

	set_up(2);
	begin_new();
	add_lowers(2);
	add_upper();
	request_add(&request, SHALE_A_STACK_DEFAULT_PERMISSIONS, "", 0);
	add_u32(SHALE_A_STACK_REDIRECT_DIR, SHALE_REDIRECT_DIR_FOLLOW);
	add_u32(SHALE_A_STACK_METACOPY, SHALE_SWITCH_OFF);
	add_u32(SHALE_A_STACK_XINO, SHALE_XINO_ON);
	add_u32(SHALE_A_STACK_UUID, SHALE_UUID_NULL);
	add_u32(SHALE_A_STACK_FSYNC, SHALE_FSYNC_STRICT);
	add_u32(SHALE_A_STACK_COPY_UP, SHALE_COPY_UP_OPEN);
	add_u64(SHALE_A_STACK_SIZE, 10 << 20);
	add_u64(SHALE_A_STACK_INODES, 1000);
	stack = send_new();
	shown = shown_options(mount_stack(stack), in_dir("m"));
	CHECK(strstr(shown, "default_permissions"));
	CHECK(!strcmp(module_name(), "overlay") || strstr(shown, "redirect_dir=follow"));
	CHECK(!strcmp(module_name(), "overlay") || strstr(shown, "metacopy=off"));
	CHECK(strstr(shown, "xino=on"));
	CHECK(strstr(shown, "uuid=null"));
	CHECK(strstr(shown, "fsync=strict"));
	CHECK(strstr(shown, "copy_up=open"));
	CHECK(strstr(shown, "size=10485760"));
	CHECK(strstr(shown, "inodes=1000\n"));
}

static bool has_handles(const char *path)
{
	struct file_handle handle = { .handle_bytes = 0 };
	int mount_id;

	return !name_to_handle_at(AT_FDCWD, path, &handle, &mount_id, 0) || errno == EOVERFLOW;
}

/* Of those that some kernels or file systems can't do: they are asked for, and got or refused. */
static void new_takes_the_other_options(void)
{
	struct refusal refusal;
	const char *shown;
	int stack, context;

	set_up(2);
	begin_new();
	add_lowers(2);
	add_upper();
	add_u32(SHALE_A_STACK_INDEX, SHALE_SWITCH_ON);
	add_u32(SHALE_A_STACK_NFS_EXPORT, SHALE_SWITCH_ON);
	shown = shown_options(mount_stack(send_new()), in_dir("m"));
	CHECK_EQ(!!strstr(shown, "index=on"), has_handles(in_dir("l0")));
	CHECK_EQ(!!strstr(shown, "nfs_export=on"), has_handles(in_dir("l0")));

	begin_new();
	add_lowers(2);
	request_add(&request, SHALE_A_STACK_USERXATTR, "", 0);
	shown = shown_options(mount_stack(send_new()), in_dir("m2"));
	CHECK(strstr(shown, "userxattr"));

	begin_new();
	add_lowers(2);
	add_u32(SHALE_A_STACK_VERITY, SHALE_VERITY_REQUIRE);
	stack = shale_send_new(&genl, &request, &refusal);
	context = fsopen(module_name(), FSOPEN_CLOEXEC);
	CHECK_EQ(stack < 0, fsconfig(context, FSCONFIG_SET_STRING, "verity", "require", 0) < 0);
	if (stack < 0) {
		CHECK_EQ(refusal.error, EOPNOTSUPP);
		CHECK(strstr(refusal.text, "not supported"));
		return;
	}
	shown = shown_options(mount_stack(stack), in_dir("m3"));
	CHECK(strstr(shown, "verity=require"));
}

/* Mounts a pending stack between two options of the mount's own. */
static const char *mount_between(int stack, const char *const before[2], const char *const behind[2],
				 const char *target)
{
	int context = fsopen(module_name(), FSOPEN_CLOEXEC);

	CHECK(context >= 0);
	CHECK(!fsconfig(context, FSCONFIG_SET_STRING, before[0], before[1], 0));
	CHECK(!fsconfig_stack(context, stack));
	CHECK(!fsconfig(context, FSCONFIG_SET_STRING, behind[0], behind[1], 0));
	CHECK(!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	return shown_options(fsmount(context, FSMOUNT_CLOEXEC, 0), target);
}

#define PAIR(key, value) (const char *const[]){ key, value }

/* The mount's own options come before "stack" or behind it: the last one counts. */
static void options_count_where_the_stack_is_given(void)
{
	const char *shown;

	set_up(2);
	begin_new();
	add_lowers(2);
	add_u32(SHALE_A_STACK_UUID, SHALE_UUID_ON);
	add_u32(SHALE_A_STACK_XINO, SHALE_XINO_ON);
	shown = mount_between(send_new(), PAIR("uuid", "null"), PAIR("xino", "auto"), in_dir("m"));
	CHECK(!strstr(shown, "uuid=null"));
	CHECK(strstr(shown, "xino=auto"));

	/* That there be no limit is an option, too. */
	begin_new();
	add_lowers(2);
	add_upper();
	add_u64(SHALE_A_STACK_SIZE, 0);
	shown = mount_between(send_new(), PAIR("size", "1M"), PAIR("inodes", "7"), in_dir("m2"));
	CHECK(!strstr(shown, "size="));
	CHECK(strstr(shown, "inodes=7\n"));
}

/* The stack is taken, and then refused with all that was asked for. */
static void expect_no_mount(int stack, int error)
{
	int context = fsopen(module_name(), FSOPEN_CLOEXEC);

	CHECK(!fsconfig_stack(context, stack));
	CHECK(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1 && errno == error);
}

static void options_that_conflict_are_refused_by_the_mount(void)
{
	set_up(2);
	begin_new();
	add_lowers(2);
	add_upper();
	add_u32(SHALE_A_STACK_METACOPY, SHALE_SWITCH_ON);
	add_u32(SHALE_A_STACK_REDIRECT_DIR, SHALE_REDIRECT_DIR_NOFOLLOW);
	expect_no_mount(send_new(), EINVAL);
}

/* A copy without data in the lower, whose data are in a layer of data only, as composefs has it. */
static void new_takes_layers_of_data(void)
{
	char text[8] = "";
	int stack, fd;

	set_up(3);
	CHECK(!mkdir(in_dir("l2/d"), 0755));
	make_file(in_dir("l2/d/blob"));
	make_file(in_dir("l0/copy"));
	CHECK(!truncate(in_dir("l0/copy"), 0));
	CHECK(!truncate(in_dir("l0/copy"), 5));
	CHECK(!setxattr(in_dir("l0/copy"), "trusted.overlay.metacopy", "", 0, 0));
	CHECK(!setxattr(in_dir("l0/copy"), "trusted.overlay.redirect", "/d/blob", 7, 0));
	begin_new();
	add_lowers(2);
	add_layer(SHALE_A_STACK_DATA, in_dir("l2"));
	add_u32(SHALE_A_STACK_METACOPY, SHALE_SWITCH_ON);
	stack = send_new();
	fd = mount_stack(stack);
	CHECK(faccessat(fd, "f2", F_OK, 0) && errno == ENOENT);
	fd = openat(fd, "copy", O_RDONLY);
	CHECK(fd >= 0);
	CHECK(read(fd, text, sizeof(text)) == 5 && !strcmp(text, "data\n"));
}

static void new_takes_paths(void)
{
	int stack, fd, context;

	set_up(2);
	begin_new();
	add_path(SHALE_A_STACK_LOWER_PATH, in_dir("l0"));
	add_path(SHALE_A_STACK_LOWER_PATH, in_dir("l1"));
	add_path(SHALE_A_STACK_UPPER_PATH, in_dir("upper"));
	add_path(SHALE_A_STACK_WORK_PATH, in_dir("work"));
	stack = send_new();
	fd = mount_stack(stack);
	CHECK(!faccessat(fd, "f0", F_OK, 0));
	CHECK(!faccessat(fd, "f1", F_OK, 0));
	CHECK(openat(fd, "new", O_CREAT | O_WRONLY, 0644) >= 0);
	CHECK(!access(in_dir("upper/new"), F_OK));

	/* What is not there is found out by who mounts, and may be there for the next one. */
	begin_new();
	add_path(SHALE_A_STACK_LOWER_PATH, in_dir("l0"));
	add_path(SHALE_A_STACK_LOWER_PATH, in_dir("nothing"));
	stack = send_new();
	context = fsopen(module_name(), FSOPEN_CLOEXEC);
	CHECK(fsconfig_stack(context, stack) == -1 && errno == ENOENT);
	CHECK(fsconfig_stack(context, stack) == -1 && errno == ENOENT);
	CHECK(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1 && errno == EINVAL);
	CHECK(!mkdir(in_dir("nothing"), 0755));
	mount_stack(stack);
}

/* Refusals: errno, and the attribute at fault */

static struct refusal refuse_new(void)
{
	int users = module_users();
	struct refusal refusal;

	CHECK_EQ(shale_send_new(&genl, &request, &refusal), -1);
	CHECK(refusal.error);
	if (!*refusal.text)
		printf("# refused with %d (%s), but without a text\n", refusal.error,
		       strerror(refusal.error));
	CHECK(*refusal.text);
	CHECK_EQ(module_users(), users);
	return refusal;
}

#define CHECK_REFUSED(wanted_error, wanted_offset)			\
	do {								\
		struct refusal refusal_ = refuse_new();			\
									\
		CHECK_EQ(refusal_.error, (wanted_error));		\
		CHECK_EQ(refusal_.offset, (wanted_offset));		\
	} while (0)

static void missing_attributes_are_named(void)
{
	struct refusal refusal;

	set_up(1);
	begin_new();
	refusal = refuse_new();
	CHECK_EQ(refusal.error, EINVAL);
	CHECK_EQ(refusal.missing, SHALE_A_STACK_LOWER);

	begin_new();
	add_lowers(1);
	add_layer(SHALE_A_STACK_UPPER, in_dir("upper"));
	refusal = refuse_new();
	CHECK_EQ(refusal.error, EINVAL);
	CHECK_EQ(refusal.missing, SHALE_A_STACK_WORK);

	begin_new();
	add_lowers(1);
	add_layer(SHALE_A_STACK_WORK, in_dir("work"));
	refusal = refuse_new();
	CHECK_EQ(refusal.error, EINVAL);
	CHECK_EQ(refusal.missing, SHALE_A_STACK_UPPER);
}

static void one_bad_lower_of_500_is_named(void)
{
	int offset;

	set_up(500);
	begin_new();
	add_lowers(250);
	offset = request_add_fd(&request, SHALE_A_STACK_LOWER, 999999);
	add_lowers(249);
	CHECK_REFUSED(EBADF, offset);

	begin_new();
	add_lowers(400);
	offset = add_layer(SHALE_A_STACK_LOWER, in_dir("l499/f499"));
	add_lowers(99);
	CHECK_REFUSED(ENOTDIR, offset);

	begin_new();
	add_lowers(500);
	offset = add_layer(SHALE_A_STACK_LOWER, in_dir("l123"));
	CHECK_REFUSED(ELOOP, offset);

	CHECK(!mkdir(in_dir("l77/inner"), 0755));
	begin_new();
	offset = add_layer(SHALE_A_STACK_LOWER, in_dir("l77/inner"));
	add_lowers(499);
	CHECK_REFUSED(ELOOP, offset);
}

static void bad_options_are_named(void)
{
	const uint32_t wrong = 7;
	int offset;

	set_up(2);
	begin_new();
	add_lowers(1);
	offset = request_add(&request, SHALE_A_STACK_FSYNC, &wrong, sizeof(wrong));
	CHECK_REFUSED(ERANGE, offset);

	begin_new();
	offset = request_add(&request, SHALE_A_STACK_LOWER_PATH, "/a\0b", 5);
	CHECK_REFUSED(EINVAL, offset);

	begin_new();
	offset = request_add(&request, SHALE_A_STACK_LOWER_PATH, "/a", 2);
	CHECK_REFUSED(EINVAL, offset);

	begin_new();
	add_path(SHALE_A_STACK_LOWER_PATH, "/a");
	offset = add_path(SHALE_A_STACK_DATA_PATH, "");
	CHECK_REFUSED(EINVAL, offset);

	begin_new();
	add_lowers(1);
	add_upper();
	offset = request.header.nlmsg_len;
	add_u64(SHALE_A_STACK_INODES, UINT64_MAX);
	CHECK_REFUSED(EINVAL, offset);

	begin_new();
	add_lowers(1);
	offset = request.header.nlmsg_len;
	add_u32(SHALE_A_STACK_XINO, SHALE_XINO_ON);
	add_u32(SHALE_A_STACK_XINO, SHALE_XINO_ON);
	CHECK_REFUSED(EINVAL, offset);

	/* One that is merged, below one that is not. */
	begin_new();
	add_layer(SHALE_A_STACK_LOWER, in_dir("l0"));
	add_layer(SHALE_A_STACK_DATA, in_dir("upper"));
	offset = add_layer(SHALE_A_STACK_LOWER, in_dir("l1"));
	CHECK_REFUSED(EINVAL, offset);

	/* The layer at fault is found among those of either kind. */
	begin_new();
	add_lowers(2);
	add_layer(SHALE_A_STACK_DATA, in_dir("upper"));
	offset = add_layer(SHALE_A_STACK_DATA, in_dir("l0"));
	CHECK_REFUSED(ELOOP, offset);

	begin_new();
	add_lowers(1);
	add_path(SHALE_A_STACK_LOWER_PATH, in_dir("l1"));
	CHECK_REFUSED(EINVAL, -1);

	/* What has nothing to limit is refused by the mount, as are options that don't go together. */
	begin_new();
	add_lowers(2);
	add_u64(SHALE_A_STACK_SIZE, 1 << 20);
	expect_no_mount(send_new(), EINVAL);
}

static void bad_uppers_are_named(void)
{
	int offset;

	set_up(2);
	CHECK(!mkdir(in_dir("l0/upper"), 0755));
	begin_new();
	add_lowers(1);
	offset = add_layer(SHALE_A_STACK_UPPER, in_dir("l0/upper"));
	add_layer(SHALE_A_STACK_WORK, in_dir("work"));
	CHECK_REFUSED(ELOOP, offset);

	begin_new();
	add_lowers(1);
	offset = add_layer(SHALE_A_STACK_UPPER, in_dir("l0/f0"));
	add_layer(SHALE_A_STACK_WORK, in_dir("work"));
	CHECK_REFUSED(ENOTDIR, offset);

	begin_new();
	add_lowers(1);
	add_upper();
	offset = add_layer(SHALE_A_STACK_UPPER, in_dir("l1"));
	refuse_new();

	begin_new();
	add_lowers(1);
	add_layer(SHALE_A_STACK_UPPER, in_dir("upper"));
	CHECK(!mkdir(in_dir("other"), 0755));
	CHECK(!mount("none", in_dir("other"), "tmpfs", 0, NULL));
	offset = add_layer(SHALE_A_STACK_WORK, in_dir("other"));
	CHECK_REFUSED(EINVAL, offset);

	CHECK(!mkdir(in_dir("upper/work"), 0755));
	begin_new();
	add_lowers(1);
	add_layer(SHALE_A_STACK_UPPER, in_dir("upper"));
	offset = add_layer(SHALE_A_STACK_WORK, in_dir("upper/work"));
	CHECK_REFUSED(EINVAL, offset);
}

static void mounts_that_may_not_be_cloned_are_named(void)
{
	int offset, child, pipes[2];
	char byte;

	set_up(1);
	CHECK(!mkdir(in_dir("private"), 0755));
	CHECK(!mount("none", in_dir("private"), "tmpfs", 0, NULL));
	CHECK(!mount(NULL, in_dir("private"), NULL, MS_UNBINDABLE, NULL));
	begin_new();
	add_lowers(1);
	offset = add_layer(SHALE_A_STACK_LOWER, in_dir("private"));
	CHECK_REFUSED(EINVAL, offset);

	/* A mount of another mount namespace, as a descriptor. */
	begin_new();
	offset = add_layer(SHALE_A_STACK_LOWER, in_dir("l0"));
	CHECK(!pipe(pipes));
	child = fork();
	if (!child) {
		CHECK(!unshare(CLONE_NEWNS));
		CHECK_REFUSED(EINVAL, offset);
		CHECK(write(pipes[1], "y", 1) == 1);
		_exit(0);
	}
	close(pipes[1]);
	CHECK(read(pipes[0], &byte, 1) == 1);
}

static int detached_clone(void)
{
	int tree = open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	CHECK(tree >= 0);
	return tree;
}

/* Adds a layer at a path below a descriptor. Return: where its attribute starts. */
static int add_layer_at(uint16_t type, int at, const char *path)
{
	int fd = openat(at, path, O_PATH | O_CLOEXEC);

	CHECK(fd >= 0);
	return request_add_fd(&request, type, fd);
}

/* A mount that is attached nowhere can't be cloned before 6.15: as any role, and a stack with others. */
static void detached_mounts_are_layers_since_6_15(void)
{
	int tree, offset, stack, fd;
	struct stat st;

	set_up(2);
	tree = detached_clone();
	if (!kernel_is_at_least(6, 15)) {
		begin_new();
		add_lowers(1);
		offset = add_layer_at(SHALE_A_STACK_LOWER, tree, "l1");
		CHECK_REFUSED(EINVAL, offset);

		begin_new();
		add_lowers(2);
		offset = add_layer_at(SHALE_A_STACK_UPPER, tree, "upper");
		add_layer_at(SHALE_A_STACK_WORK, tree, "work");
		CHECK_REFUSED(EINVAL, offset);
		return;
	}

	begin_new();
	add_layer_at(SHALE_A_STACK_LOWER, tree, "l1");
	add_lowers(1);
	add_layer_at(SHALE_A_STACK_UPPER, tree, "upper");
	add_layer_at(SHALE_A_STACK_WORK, tree, "work");
	stack = send_new();
	/* What was made of it stays when it goes. */
	close(tree);
	fd = mount_stack(stack);
	CHECK(!fstatat(fd, "f0", &st, 0));
	CHECK(!fchmodat(fd, "f1", 0600, 0));
	CHECK(!stat(in_dir("upper/f1"), &st));
	CHECK_EQ(st.st_mode & 07777, 0600);
}

/* Its descriptors are open, but it was dissolved when the last one of its root was closed. */
static void dissolved_mounts_are_refused(void)
{
	int tree, offset;

	set_up(2);
	tree = detached_clone();
	begin_new();
	add_lowers(1);
	offset = add_layer_at(SHALE_A_STACK_LOWER, tree, "l1");
	CHECK(!close(tree));
	CHECK_REFUSED(EINVAL, offset);
}

static void malformed_attributes_are_named(void)
{
	int offset, value = 0;

	set_up(2);
	begin_new();
	add_lowers(1);
	offset = request_add_fd(&request, SHALE_A_STACK_LOWER, -1);
	add_layer(SHALE_A_STACK_LOWER, in_dir("l1"));
	CHECK_REFUSED(ERANGE, offset);

	begin_new();
	offset = request_add(&request, SHALE_A_STACK_LOWER, &value, 1);
	add_lowers(1);
	CHECK_REFUSED(EINVAL, offset);

	begin_new();
	add_lowers(1);
	offset = request_add_fd(&request, SHALE_A_STACK_STACK, 0);
	CHECK_REFUSED(EINVAL, offset);

	begin_new();
	add_lowers(1);
	offset = request_add_fd(&request, 999, 0);
	CHECK_REFUSED(EINVAL, offset);

	begin_new();
	add_lowers(1);
	offset = add_layer(SHALE_A_STACK_UPPER, in_dir("l1"));
	add_upper();
	CHECK_REFUSED(EINVAL, offset);
}

/* get */

#define MAX_TOLD 4096

struct told {
	int messages;
	int mounts;		/* first messages */
	uint64_t id;		/* of the last mount, like all that follows */
	uint32_t major, minor;
	uint32_t lowers;	/* as announced */
	uint32_t nr;		/* as came */
	char source[64];
	char upper[PATH_MAX], work[PATH_MAX];
	char *lower[MAX_TOLD];
	uint64_t copy_ups;
};
static struct told told;

static void take_attr(const struct nlattr *attr)
{
	switch (attr->nla_type) {
	case SHALE_A_MOUNT_MAJOR:
		told.major = attr_u32(attr);
		break;
	case SHALE_A_MOUNT_MINOR:
		told.minor = attr_u32(attr);
		break;
	case SHALE_A_MOUNT_SOURCE:
		snprintf(told.source, sizeof(told.source), "%s", (char *)attr_data(attr));
		break;
	case SHALE_A_MOUNT_UPPER:
		snprintf(told.upper, sizeof(told.upper), "%s", (char *)attr_data(attr));
		break;
	case SHALE_A_MOUNT_WORK:
		snprintf(told.work, sizeof(told.work), "%s", (char *)attr_data(attr));
		break;
	case SHALE_A_MOUNT_LOWERS:
		CHECK_EQ(told.nr, told.lowers);	/* the mount before was told whole */
		told.mounts++;
		told.lowers = attr_u32(attr);
		told.nr = 0;
		break;
	case SHALE_A_MOUNT_FIRST:
		CHECK_EQ(attr_u32(attr), told.nr);
		break;
	case SHALE_A_MOUNT_LOWER:
		CHECK(told.nr < MAX_TOLD);
		free(told.lower[told.nr]);
		told.lower[told.nr++] = strdup(attr_data(attr));
		break;
	case SHALE_A_MOUNT_COPY_UPS:
		told.copy_ups = attr_u64(attr);
		break;
	}
}

static void take_mount(const struct nlmsghdr *message, void *context)
{
	const struct nlattr *id = (const void *)((const char *)message + NLMSG_HDRLEN + GENL_HDRLEN);

	(void)context;
	CHECK(message->nlmsg_flags & NLM_F_MULTI);
	CHECK_EQ(id->nla_type, SHALE_A_MOUNT_ID);
	told.messages++;
	told.id = attr_u64(id);
	for_each_attr(attr, message)
		take_attr(attr);
}

static struct refusal get(uint16_t flags, uint16_t type, const void *value, int size)
{
	struct refusal refusal;

	memset(&told, 0, offsetof(struct told, lower));
	told.copy_ups = 0;
	request_begin(&request, genl.family, SHALE_CMD_GET, flags);
	if (type)
		request_add(&request, type, value, size);
	refusal = genl_ask(&genl, &request, take_mount, NULL);
	if (!refusal.error)
		CHECK_EQ(told.nr, told.lowers);
	return refusal;
}

static struct refusal get_by_fd(int fd)
{
	return get(0, SHALE_A_MOUNT_FD, &fd, sizeof(fd));
}

static struct refusal get_by_id(uint64_t id)
{
	return get(0, SHALE_A_MOUNT_ID, &id, sizeof(id));
}

static void get_tells_a_mount_of_500_lowers(void)
{
	struct stat st;
	uint32_t i;
	int fd;

	set_up(500);
	fd = mount_lowers(500, true);
	CHECK_EQ(get_by_fd(fd).error, 0);
	CHECK_EQ(told.mounts, 1);
	CHECK_EQ(told.lowers, 500);
	CHECK(told.messages > 1);
	for (i = 0; i < 500; i++)
		CHECK(!strcmp(told.lower[i], in_dir("l%u", i)));
	CHECK(!strcmp(told.source, "test source"));
	CHECK(!strcmp(told.upper, in_dir("upper")));
	CHECK(!strcmp(told.work, in_dir("work")));
	CHECK(!fstat(fd, &st));
	CHECK_EQ(makedev(told.major, told.minor), st.st_dev);
	CHECK_EQ(told.copy_ups, 0);

	CHECK(!fchmodat(fd, "f3", 0600, 0));
	CHECK_EQ(get_by_id(told.id).error, 0);
	CHECK_EQ(told.lowers, 500);
	CHECK_EQ(told.copy_ups, 1);
}

static void get_goes_by_any_descriptor(void)
{
	int fd, file;

	set_up(2);
	fd = mount_lowers(2, false);
	file = openat(fd, "f0", O_RDONLY);
	CHECK(file >= 0);
	CHECK_EQ(get_by_fd(file).error, 0);
	CHECK_EQ(told.lowers, 2);
	CHECK(!*told.upper && !*told.work);
	file = openat(fd, "f0", O_PATH);
	CHECK_EQ(get_by_fd(file).error, 0);
}

static void paths_are_told_in_their_mount_namespace_only(void)
{
	int fd, ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	CHECK(ns >= 0);
	set_up(2);
	fd = mount_lowers(2, true);
	CHECK(!unshare(CLONE_NEWNS));
	CHECK_EQ(get_by_fd(fd).error, 0);
	CHECK_EQ(told.lowers, 2);
	CHECK(!*told.lower[0] && !*told.lower[1]);
	CHECK(!*told.upper && !*told.work);
	CHECK(!strcmp(told.source, "test source"));

	CHECK(!setns(ns, CLONE_NEWNS));
	CHECK_EQ(get_by_fd(fd).error, 0);
	CHECK(!strcmp(told.lower[1], in_dir("l1")));
	CHECK(!strcmp(told.upper, in_dir("upper")));
	CHECK(!strcmp(told.work, in_dir("work")));
}

static void get_refuses_what_is_no_mount(void)
{
	struct refusal refusal;
	uint64_t id = 1ULL << 60;
	int fd;

	set_up(2);
	refusal = get(NLM_F_ACK, 0, NULL, 0);
	CHECK_EQ(refusal.error, EINVAL);
	CHECK_EQ(refusal.missing, SHALE_A_MOUNT_ID);

	refusal = get_by_id(id);
	CHECK_EQ(refusal.error, ENOENT);
	CHECK_EQ(refusal.offset, NLMSG_HDRLEN + GENL_HDRLEN);
	CHECK(*refusal.text);
	CHECK_EQ(get_by_id(0).error, ENOENT);

	CHECK_EQ(get_by_fd(open_path(dir)).error, ENOENT);
	CHECK_EQ(get_by_fd(999999).error, ENOENT);

	fd = mount_lowers(2, false);
	request_begin(&request, genl.family, SHALE_CMD_GET, 0);
	request_add(&request, SHALE_A_MOUNT_ID, &id, sizeof(id));
	request_add_fd(&request, SHALE_A_MOUNT_FD, fd);
	CHECK_EQ(genl_ask(&genl, &request, take_mount, NULL).error, EINVAL);

	/* Unmounted: its id is nobody's. */
	CHECK_EQ(get_by_fd(fd).error, 0);
	id = told.id;
	close(fd);
	CHECK_EQ(get_by_id(id).error, ENOENT);
}

static void dump_tells_all_mounts(void)
{
	int before, fd;

	set_up(300);
	CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, 0);
	before = told.mounts;

	mount_lowers(300, true);
	mount_lowers(2, false);
	fd = mount_lowers(300, false);
	CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, 0);
	CHECK_EQ(told.mounts, before + 3);
	CHECK_EQ(told.lowers, 300);

	close(fd);
	CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, 0);
	CHECK_EQ(told.mounts, before + 2);
	CHECK_EQ(told.lowers, 2);
}

enum { HOLDERS = 8, HELD_EACH = 250, HELD = HOLDERS * HELD_EACH };

/* Makes mounts, tells which, and keeps them until it may end. */
static void hold_mounts(int tell, int wait)
{
	char byte;
	int i;

	genl = genl_open();
	for (i = 0; i < HELD_EACH; i++) {
		CHECK_EQ(get_by_fd(mount_lowers(2, false)).error, 0);
		CHECK(write(tell, &told.id, sizeof(told.id)) == sizeof(told.id));
	}
	CHECK(!read(wait, &byte, 1));
}

static void come_and_go(int wait)
{
	struct pollfd end = { .fd = wait, .events = POLLIN };

	genl = genl_open();
	while (!poll(&end, 1, 0))
		close(mount_lowers(2, false));
}

static struct {
	uint64_t last;
	int heads, lowers, seen[HELD];
} dump;
static uint64_t held[HELD];

static void take_held(const struct nlmsghdr *message, void *context)
{
	uint64_t id = 0;
	int i, head = 0, lowers = 0;

	(void)context;
	for_each_attr(attr, message) {
		if (attr->nla_type == SHALE_A_MOUNT_ID)
			id = attr_u64(attr);
		head |= attr->nla_type == SHALE_A_MOUNT_SOURCE;
		lowers += attr->nla_type == SHALE_A_MOUNT_LOWER;
	}
	CHECK(head ? id > dump.last : id == dump.last);
	dump.last = id;
	for (i = 0; i < HELD && held[i] != id; i++)
		;
	if (i < HELD) {
		dump.seen[i] += head;
		dump.lowers += lowers;
	}
}

static void dump_once(void)
{
	int i;

	memset(&dump, 0, sizeof(dump));
	request_begin(&request, genl.family, SHALE_CMD_GET, NLM_F_DUMP);
	CHECK_EQ(genl_ask(&genl, &request, take_held, NULL).error, 0);
	for (i = 0; i < HELD; i++)
		CHECK_EQ(dump.seen[i], 1);
	CHECK_EQ(dump.lowers, 2 * HELD);
}

static void dump_of_2000_mounts_is_whole_while_others_come_and_go(void)
{
	int tell[2], wait[2], i, status;

	set_up(2);
	CHECK(!pipe(tell) && !pipe(wait));
	for (i = 0; i <= HOLDERS; i++) {
		if (fork())
			continue;
		close(wait[1]);
		if (i < HOLDERS)
			hold_mounts(tell[1], wait[0]);
		else
			come_and_go(wait[0]);
		_exit(0);
	}
	close(wait[0]);
	for (i = 0; i < HELD; i++)
		CHECK(read(tell[0], &held[i], sizeof(held[i])) == sizeof(held[i]));
	for (i = 0; i < 10; i++)
		dump_once();
	close(wait[1]);
	while (waitpid(-1, &status, 0) > 0)
		CHECK_EQ(status, 0);
}

/* However little the client's queue holds, the answer comes as it is read. */
static void get_works_with_the_smallest_queue(void)
{
	int fd, one = 1;

	set_up(2000);
	fd = mount_lowers(2000, false);
	CHECK(!setsockopt(genl.fd, SOL_SOCKET, SO_RCVBUF, &one, sizeof(one)));
	CHECK_EQ(get_by_fd(fd).error, 0);
	CHECK_EQ(told.lowers, 2000);
	CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, 0);
}

/*
 * Telling of a mount does not hold it: its upper is free at once when it is unmounted, however
 * many are asking at that moment.
 */
static void dumps_never_delay_an_umount(void)
{
	int child, i;

	set_up(20);
	child = fork();
	if (!child) {
		genl = genl_open();
		for (;;)
			CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, 0);
	}
	for (i = 0; i < 100; i++)
		close(mount_lowers(20, true));	/* EBUSY if the last one lived on */
	CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* Makes a directory whose path has about @length characters. Return: its descriptor. */
static int make_deep(int at, size_t length)
{
	char name[201];
	int i, fd = dup(at);

	memset(name, 'x', 200);
	name[200] = 0;
	for (i = strlen(dir); i + 202 < (int)length; i += 201) {
		int next;

		CHECK(!mkdirat(fd, name, 0755) || errno == EEXIST);
		next = openat(fd, name, O_PATH);
		CHECK(next >= 0);
		close(fd);
		fd = next;
	}
	return fd;
}

/* Each path is longer than a netlink message usually is, and still comes whole. */
static void get_tells_paths_of_any_length(void)
{
	static const char * const names[] = { "a", "b", "c", "upper", "work" };
	int fds[5], i, fd, stack;

	set_up(0);
	for (i = 0; i < 5; i++) {
		CHECK(!mkdir(in_dir("%s", names[i]), 0755) || errno == EEXIST);
		fds[i] = make_deep(open_path(in_dir("%s", names[i])), 3900);
	}
	genl = genl_open();
	begin_new();
	for (i = 0; i < 3; i++)
		request_add_fd(&request, SHALE_A_STACK_LOWER, fds[i]);
	request_add_fd(&request, SHALE_A_STACK_UPPER, fds[3]);
	request_add_fd(&request, SHALE_A_STACK_WORK, fds[4]);
	stack = send_new();
	fd = mount_stack(stack);
	CHECK_EQ(get_by_fd(fd).error, 0);
	CHECK_EQ(told.lowers, 3);
	CHECK(strlen(told.upper) > 3600 && strlen(told.lower[2]) > 3600);
	CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, 0);
}

/* Rights */

static void the_unprivileged_are_refused(void)
{
	struct refusal refusal;
	int fd;

	set_up(2);
	fd = mount_lowers(2, false);
	CHECK(!setresuid(65534, 65534, 65534));
	genl = genl_open();

	begin_new();
	add_lowers(1);
	CHECK_EQ(shale_send_new(&genl, &request, &refusal), -1);
	CHECK_EQ(refusal.error, EPERM);
	CHECK(*refusal.text);
	CHECK_EQ(get_by_fd(fd).error, EPERM);
	CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, EPERM);
	CHECK_EQ(told.mounts, 0);
}

/* A privileged program that can be made to write to somebody's socket must not lend its rights. */
static void the_socket_counts_as_well(void)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct refusal refusal;

	set_up(1);
	CHECK(!seteuid(65534));
	genl = genl_open();
	CHECK(!connect(genl.fd, (const struct sockaddr *)&kernel, sizeof(kernel)));
	CHECK(!seteuid(0));

	begin_new();
	add_lowers(1);
	CHECK_EQ(shale_send_new(&genl, &request, &refusal), -1);
	CHECK_EQ(refusal.error, EPERM);
	CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, EPERM);
}

/*
 * Rights that somebody gave themselves by making a user namespace count for nothing outside: mounts of
 * others are like none.
 */
static void other_user_namespaces_are_refused(void)
{
	struct refusal refusal;
	uint64_t id;
	int fd;

	set_up(2);
	fd = mount_lowers(2, false);
	CHECK_EQ(get_by_fd(fd).error, 0);
	id = told.id;
	if (unshare(CLONE_NEWUSER))
		SKIP("no user namespaces here");
	genl = genl_open();
	CHECK_EQ(get(NLM_F_DUMP, 0, NULL, 0).error, 0);
	CHECK_EQ(told.mounts, 0);
	CHECK_EQ(get_by_id(id).error, ENOENT);
	CHECK_EQ(get_by_fd(fd).error, ENOENT);
	begin_new();
	add_lowers(1);
	CHECK_EQ(shale_send_new(&genl, &request, &refusal), -1);
	CHECK_EQ(refusal.error, EPERM);
}

static const struct ktap_test tests[] = {
	TEST(new_answers_with_a_descriptor),
	TEST(lowers_500_mount),
	TEST(lowers_4096_are_the_limit),
	TEST(closing_the_descriptor_drops_the_layers),
	TEST(a_stack_mounts_once),
	TEST(new_takes_options),
	TEST(new_takes_the_other_options),
	TEST(options_count_where_the_stack_is_given),
	TEST(options_that_conflict_are_refused_by_the_mount),
	TEST(new_takes_layers_of_data),
	TEST(new_takes_paths),
	TEST(missing_attributes_are_named),
	TEST(one_bad_lower_of_500_is_named),
	TEST(bad_options_are_named),
	TEST(bad_uppers_are_named),
	TEST(mounts_that_may_not_be_cloned_are_named),
	TEST(detached_mounts_are_layers_since_6_15),
	TEST(dissolved_mounts_are_refused),
	TEST(malformed_attributes_are_named),
	TEST(get_tells_a_mount_of_500_lowers),
	TEST(get_goes_by_any_descriptor),
	TEST(paths_are_told_in_their_mount_namespace_only),
	TEST(get_refuses_what_is_no_mount),
	TEST(dump_tells_all_mounts),
	TEST(dump_of_2000_mounts_is_whole_while_others_come_and_go),
	TEST(get_works_with_the_smallest_queue),
	TEST(dumps_never_delay_an_umount),
	TEST(get_tells_paths_of_any_length),
	TEST(the_unprivileged_are_refused),
	TEST(the_socket_counts_as_well),
	TEST(other_user_namespaces_are_refused),
};

KTAP_MAIN(tests)
