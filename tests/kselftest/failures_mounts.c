// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each failure of making, asking, changing and ending a mount, also over netlink: see lib/failures.h,
 * which draws the tree.
 */
#include "failures.h"

#include <sys/statfs.h>

#include "genl.h"
#include "inject.h"

static const char options[] = "lowerdir=top:low,upperdir=upper,workdir=work";

/* mount(2) and umount(2) */

OPERATION(mount_all, "context_operations.parse_monolithic context_operations.get_tree",
	  "mount(2) makes a mount or leaves nothing", .flags = NOT_MOUNTED)
{
	return mount("kselftest", "merged", fs_type(), 0, options);
}

static void mount_empty_layer(void)
{
	if (exists("empty"))
		return;
	make_dir("empty");
	OK(mount("none", "empty", "tmpfs", 0, NULL));
}

OPERATION(mount_devices, "context_operations.get_tree",
	  "mount(2) of layers on several file systems makes a mount or leaves nothing",
	  .flags = NOT_MOUNTED, .prepare = mount_empty_layer)
{
	return mount("kselftest", "merged", fs_type(), 0,
		     "lowerdir=top:low:empty,upperdir=upper,workdir=work");
}

static void mount_merged(void)
{
	umount2("merged", 0);	/* it may be left from what has failed */
	OK(mount("kselftest", "merged", fs_type(), 0, options));
}

OPERATION(unmount_all, "shale_super_operations.put_super shale_fs_type.kill_sb",
	  "umount(2) ends the mount or leaves it", .flags = NOT_MOUNTED,
	  .prepare = mount_merged, .complete = mount_merged)
{
	return umount2("merged", 0);
}

OPERATION(mount_limited, "context_operations.get_tree",
	  "mount(2) of a layer with limits, which counts what is in it, makes a mount or leaves nothing",
	  .flags = NOT_MOUNTED)
{
	return mount("kselftest", "merged", fs_type(), 0,
		     text_of("%s,size=1G,inodes=10000", options));
}

/* Which puts a mark into the work directory, and takes it away when all is on the disk. */

static long make_volatile(void)
{
	return mount("kselftest", "merged", fs_type(), 0, text_of("%s,fsync=volatile", options));
}

OPERATION(mount_volatile, "context_operations.get_tree", "a volatile mount is made or leaves nothing",
	  .flags = NOT_MOUNTED, .complete = mount_merged)
{
	return make_volatile();
}

static void prepare_volatile(void)
{
	umount2("merged", 0);
	OK(make_volatile());
}

/* Where the mark could not be taken away, somebody must. */
static void mount_in_spite_of_mark(void)
{
	remove_in("work/work");
	mount_merged();
}

OPERATION(unmount_volatile, "shale_fs_type.kill_sb", "a volatile mount is ended, or only its mark left",
	  .flags = NOT_MOUNTED, .prepare = prepare_volatile, .complete = mount_in_spite_of_mark)
{
	return umount2("merged", 0);
}

/* A context, step by step */

static int context;

static long set(const char *key, const char *value)
{
	return fsconfig(context, FSCONFIG_SET_STRING, key, value, 0);
}

static void open_context(void)
{
	context = OK(keep(fsopen(fs_type(), FSOPEN_CLOEXEC)));
}

static void set_all(void)
{
	open_context();
	OK(set("source", "kselftest"));
	OK(set("lowerdir", "top:low"));
	OK(set("upperdir", "upper"));
	OK(set("workdir", "work"));
}

static void attach(void)
{
	int fd = OK(keep(fsmount(context, FSMOUNT_CLOEXEC, 0)));

	OK(move_mount(fd, "", AT_FDCWD, "merged", MOVE_MOUNT_F_EMPTY_PATH));
}

static void create(void)
{
	OK(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	attach();
}

/* Option by option, in a new context. */
static void create_afresh(void)
{
	set_all();
	create();
}

OPERATION(begin_context, "shale_fs_type.init_fs_context context_operations.free",
	  "fsopen() makes a context or leaves nothing", .flags = NOT_MOUNTED,
	  .complete = create_afresh)
{
	int fd = fsopen(fs_type(), FSOPEN_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

OPERATION(set_lowerdir, "context_operations.parse_param", "lowerdir is taken whole or not at all",
	  .flags = NOT_MOUNTED, .prepare = open_context, .complete = create_afresh)
{
	return set("lowerdir", "top:low");
}

OPERATION(add_lowerdir, "context_operations.parse_param", "lowerdir+ is taken or not",
	  .flags = NOT_MOUNTED, .prepare = open_context, .complete = create_afresh)
{
	return set("lowerdir+", "top");
}

OPERATION(set_upperdir, "context_operations.parse_param", "upperdir is taken or not",
	  .flags = NOT_MOUNTED, .prepare = open_context, .complete = create_afresh)
{
	return set("upperdir", "upper");
}

OPERATION(set_workdir, "context_operations.parse_param", "workdir is taken or not, again, too",
	  .flags = NOT_MOUNTED, .prepare = set_all, .complete = create)
{
	return set("workdir", "work");
}

OPERATION(set_fixed, "context_operations.parse_param", "an option of overlayfs is taken or not",
	  .flags = NOT_MOUNTED, .prepare = set_all, .complete = create)
{
	return set("xino", "off");
}

OPERATION(create_context, "context_operations.get_tree", "FSCONFIG_CMD_CREATE makes a mount or leaves nothing",
	  .flags = NOT_MOUNTED, .prepare = set_all, .complete = attach)
{
	return fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

OPERATION(drop_context, "context_operations.free", "a context that is not used is dropped",
	  .flags = NOT_MOUNTED, .complete = create_afresh)
{
	int fd = fsopen(fs_type(), FSOPEN_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = fsconfig(fd, FSCONFIG_SET_STRING, "lowerdir", "top:low", 0);
	return close(fd) ?: ret;
}

/* A live mount */

OPERATION(remount_read_only, "context_operations.reconfigure", "a mount becomes read-only or stays as it is")
{
	return mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

static void make_read_only(void)
{
	OK(mount(NULL, "merged", NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

OPERATION(remount_writable, "context_operations.reconfigure", "a mount becomes writable or stays as it is",
	  .prepare = make_read_only)
{
	return mount(NULL, "merged", NULL, MS_REMOUNT, NULL);
}

OPERATION(ask_size, "shale_super_operations.statfs", "statfs() tells or fails")
{
	struct statfs st;
	int ret = statfs("merged", &st);

	if (!ret && st.f_namelen != 255)
		fail("names are up to %ld bytes long", (long)st.f_namelen);
	return ret;
}

static int root_fd, mountinfo;

static void open_root(void)
{
	root_fd = OK(keep(open("merged", O_RDONLY)));
	mountinfo = OK(keep(open("/proc/self/mountinfo", O_RDONLY)));
}

OPERATION(sync_all, "shale_super_operations.sync_fs", "syncfs() syncs or fails", .prepare = open_root)
{
	return syncfs(root_fd);
}

OPERATION(show_options, "shale_super_operations.show_options", "mountinfo has the options or can't be read",
	  .prepare = open_root)
{
	static char text[1 << 16];
	ssize_t size, got = 0;

	while ((size = read(mountinfo, text + got, sizeof(text) - 1 - got)) > 0)
		got += size;
	if (size < 0)
		return -1;
	text[got] = 0;
	if (!strstr(text, "lowerdir=top:low,upperdir=upper,workdir=work"))
		fail("mountinfo does not have the options");
	return got;
}

/* An inode comes and goes with what it stands on */

OPERATION(drop_inodes, "shale_super_operations.drop_inode shale_super_operations.evict_inode "
	  "shale_super_operations.destroy_inode "
	  "shale_super_operations.free_inode",
	  "what is no longer cached is gone, whatever fails meanwhile", .prepare = open_root)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY), ret;

	if (fd < 0)
		return -1;
	ret = write(fd, "2", 1);
	return close(fd) ?: ret;
}

/* Netlink */

static struct genl genl;
static struct request request;
static int stack_fd;

static void open_socket(void)
{
	genl = genl_open();
	keep(genl.fd);
}

static void begin_description(void)
{
	static const char * const lowers[] = { "top", "low" };
	int i;

	open_socket();
	request_begin(&request, genl.family, SHALE_CMD_NEW, 0);
	for (i = 0; i < 2; i++)
		request_add_fd(&request, SHALE_A_STACK_LOWER, OK(keep(open(lowers[i], O_PATH))));
	request_add_fd(&request, SHALE_A_STACK_UPPER, OK(keep(open("upper", O_PATH))));
	request_add_fd(&request, SHALE_A_STACK_WORK, OK(keep(open("work", O_PATH))));
}

static long send_request(void)
{
	return send(genl.fd, &request, request.header.nlmsg_len, 0);
}

/*
 * Reads the answer to its end and hands its messages to @take. Return: 0; or -1 and the error that
 * it tells, ENOBUFS if it was lost.
 */
static long take_answer(void (*take)(const struct nlmsghdr *message))
{
	static char buffer[BUFFER_SIZE] __attribute__((aligned(8)));

	for (;;) {
		ssize_t size = recv(genl.fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;

		if (size < 0)
			return -1;
		for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
			struct refusal refusal;

			if (message->nlmsg_type == NLMSG_ERROR ||
			    message->nlmsg_type == NLMSG_DONE) {
				refusal = refusal_read(message);
				return refusal.error ? failed(refusal.error) : 0;
			}
			take(message);
			if (!(message->nlmsg_flags & NLM_F_MULTI))
				return 0;
		}
	}
}

static void take_stack(const struct nlmsghdr *message)
{
	shale_take_stack(message, &stack_fd);
}

/* The answer is read without failures, which might lose it. Return: the descriptor. */
static long describe(void)
{
	stack_fd = -1;
	if (send_request() < 0)
		return -1;
	inject_end();
	return take_answer(take_stack) ?: stack_fd;
}

static void mount_stack(void)
{
	open_context();
	OK(fsconfig(context, FSCONFIG_SET_FD, "stack", NULL, stack_fd));
	create();
}

OPERATION(describe_stack, "shale_nl_new_doit", "a stack is described, or refused and forgotten",
	  .flags = NOT_MOUNTED, .error = ENOBUFS, .prepare = begin_description,
	  .complete = mount_stack)
{
	return keep(describe());
}

static void describe_and_open(void)
{
	begin_description();
	OK(keep(describe()));
	open_context();
}

/* What could not be taken is pending as before, for another context and the same one. */
static long take_or_leave(void)
{
	int error, other;

	if (!fsconfig(context, FSCONFIG_SET_FD, "stack", NULL, stack_fd))
		return 0;
	error = errno;
	inject_end();
	other = keep(OK(fsopen(fs_type(), FSOPEN_CLOEXEC)));
	OK(fsconfig(other, FSCONFIG_SET_FD, "stack", NULL, stack_fd));
	OK(fsconfig(context, FSCONFIG_SET_STRING, "lowerdir+", "low", 0));
	return failed(error);
}

OPERATION(take_pending, "context_operations.parse_param", "a described stack is taken or stays",
	  .flags = NOT_MOUNTED, .prepare = describe_and_open, .complete = create)
{
	return take_or_leave();
}

static void begin_description_by_paths(void)
{
	const uint32_t on = SHALE_SWITCH_ON;

	open_socket();
	request_begin(&request, genl.family, SHALE_CMD_NEW, 0);
	request_add(&request, SHALE_A_STACK_LOWER_PATH, "top", 4);
	request_add(&request, SHALE_A_STACK_LOWER_PATH, "low", 4);
	request_add(&request, SHALE_A_STACK_UPPER_PATH, "upper", 6);
	request_add(&request, SHALE_A_STACK_WORK_PATH, "work", 5);
	request_add(&request, SHALE_A_STACK_INDEX, &on, sizeof(on));
}

OPERATION(describe_paths, "shale_nl_new_doit", "paths are noted, or refused and forgotten",
	  .flags = NOT_MOUNTED, .error = ENOBUFS, .prepare = begin_description_by_paths,
	  .complete = mount_stack)
{
	return keep(describe());
}

static void describe_paths_and_open(void)
{
	begin_description_by_paths();
	OK(keep(describe()));
	open_context();
}

OPERATION(take_paths, "context_operations.parse_param", "layers are looked up when they are taken, all or none",
	  .flags = NOT_MOUNTED, .prepare = describe_paths_and_open, .complete = create)
{
	return take_or_leave();
}

static void describe_only(void)
{
	begin_description();
	OK(describe());
}

OPERATION(drop_pending, "pending_fops.release", "a described stack that nobody mounts is dropped",
	  .flags = NOT_MOUNTED, .prepare = describe_only, .complete = create_afresh)
{
	return close(stack_fd);
}

/* What answers tell of the mount on "merged". */
static int nr_told, nr_lowers_told;

static void take_mount(const struct nlmsghdr *message)
{
	for_each_attr(attr, message) {
		nr_told += attr->nla_type == SHALE_A_MOUNT_SOURCE;
		nr_lowers_told += attr->nla_type == SHALE_A_MOUNT_LOWER;
	}
}

static long ask_of_mounts(void)
{
	nr_told = nr_lowers_told = 0;
	if (send_request() < 0 || take_answer(take_mount))
		return -1;
	if (nr_told != 1 || nr_lowers_told != 2)
		fail("told of %d mounts with %d lower layers", nr_told, nr_lowers_told);
	return 0;
}

static void begin_get(void)
{
	open_socket();
	request_begin(&request, genl.family, SHALE_CMD_GET, 0);
	request_add_fd(&request, SHALE_A_MOUNT_FD, OK(keep(open("merged", O_PATH))));
}

OPERATION(tell_of_one, "shale_nl_get_doit", "a mount is told of whole, or with an error",
	  .error = ENOBUFS, .prepare = begin_get)
{
	return ask_of_mounts();
}

static void begin_dump(void)
{
	open_socket();
	request_begin(&request, genl.family, SHALE_CMD_GET, NLM_F_DUMP);
}

OPERATION(tell_of_all, "shale_nl_get_dumpit", "all mounts are told of, or there is an error",
	  .error = ENOBUFS, .prepare = begin_dump)
{
	return ask_of_mounts();
}

/* Requests about the mount on "merged" that are answered at once, or not at all. */

static void begin_about_merged(uint8_t command, uint16_t fd_type, uint16_t flags)
{
	open_socket();
	request_begin(&request, genl.family, command, flags);
	request_add_fd(&request, fd_type, OK(keep(open("merged", O_PATH))));
}

static void take_nothing(const struct nlmsghdr *message)
{
	(void)message;
}

static long ask(void)
{
	return send_request() < 0 ? -1 : take_answer(take_nothing);
}

static void begin_set(void)
{
	const uint64_t most = 1 << 30;

	begin_about_merged(SHALE_CMD_SET, SHALE_A_MOUNT_FD, NLM_F_ACK);
	request_add(&request, SHALE_A_MOUNT_MAX_COPY_UP, &most, sizeof(most));
}

OPERATION(set_limits, "shale_nl_set_doit", "a limit is set or not", .error = ENOBUFS,
	  .prepare = begin_set)
{
	return ask();
}

static void begin_query(void)
{
	begin_about_merged(SHALE_CMD_QUERY, SHALE_A_OBJECT_FD, 0);
}

OPERATION(tell_of_object, "shale_nl_query_doit", "an object is told of, or there is an error",
	  .error = ENOBUFS, .prepare = begin_query)
{
	return ask();
}

static void begin_in_use(void)
{
	open_socket();
	request_begin(&request, genl.family, SHALE_CMD_IN_USE, 0);
	request_add_fd(&request, SHALE_A_LAYER_USE_FD, OK(keep(open("low", O_PATH))));
}

OPERATION(tell_of_uses, "shale_nl_in_use_doit", "who uses a layer is told, or there is an error",
	  .error = ENOBUFS, .prepare = begin_in_use)
{
	return ask();
}

static void begin_counters(void)
{
	begin_about_merged(SHALE_CMD_COUNTERS, SHALE_A_COUNTERS_FD, 0);
}

OPERATION(tell_counters, "shale_nl_counters_doit", "counters are told, or there is an error",
	  .error = ENOBUFS, .prepare = begin_counters)
{
	return ask();
}

static void begin_all_counters(void)
{
	open_socket();
	request_begin(&request, genl.family, SHALE_CMD_COUNTERS, NLM_F_DUMP);
}

OPERATION(tell_all_counters, "shale_nl_counters_dumpit",
	  "counters of all mounts are told, or there is an error", .error = ENOBUFS,
	  .prepare = begin_all_counters)
{
	return ask();
}

static int hold_fd;

static void take_hold(const struct nlmsghdr *message)
{
	for_each_attr(attr, message) {
		if (attr->nla_type == SHALE_A_QUIESCE_HOLD)
			hold_fd = attr_u32(attr);
	}
}

/* The answer is read without failures, which might lose it. Return: the descriptor. */
static long hold(void)
{
	hold_fd = -1;
	if (send_request() < 0)
		return -1;
	inject_end();
	return take_answer(take_hold) ?: hold_fd;
}

static void begin_quiesce(void)
{
	begin_about_merged(SHALE_CMD_QUIESCE, SHALE_A_QUIESCE_FD, 0);
}

OPERATION(quiesce_upper, "shale_nl_quiesce_doit", "the upper is held, or goes on",
	  .error = ENOBUFS, .prepare = begin_quiesce)
{
	return keep(hold());
}

static void quiesce_before(void)
{
	begin_quiesce();
	OK(hold());
}

OPERATION(end_hold, "hold_fops.release", "when a hold is closed the upper goes on",
	  .prepare = quiesce_before)
{
	return close(hold_fd);
}

NO_OPERATION("hold_fops.owner", "is no function");
NO_OPERATION("hold_fops.llseek hold_fops.read", "allocate nothing");
NO_OPERATION("shale_fs_type.owner shale_fs_type.name shale_fs_type.fs_flags", "are no functions");
NO_OPERATION("pending_fops.owner", "is no function");
NO_OPERATION("feature_ops.flags feature_ops.get feature_ops.set", "are for parameters, and take nothing");
NO_OPERATION("pending_fops.llseek", "is the kernel's noop_llseek(), which can't fail");
NO_OPERATION("shale_dentry_operations.d_real shale_dentry_revalidate_operations.d_real "
	     "shale_dentry_casefold_operations.d_real shale_dentry_casefold_revalidate_operations.d_real",
	     "allocates nothing and is not asked by any system call alone");
NO_OPERATION("shale_dentry_casefold_operations.d_hash shale_dentry_casefold_revalidate_operations.d_hash "
	     "shale_dentry_casefold_operations.d_compare shale_dentry_casefold_revalidate_operations.d_compare",
	     "allocate nothing, and ask no layer");
NO_OPERATION("shale_dentry_casefold_revalidate_operations.d_revalidate "
	     "shale_dentry_casefold_revalidate_operations.d_weak_revalidate",
	     "are those of shale_dentry_revalidate_operations");

CASES_MAIN
