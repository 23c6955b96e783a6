// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Process 1 of the guest: makes the host's user land the guest's, runs one
 * command in it and reports over a port (protocol.h).
 *
 * shale_machine= on the kernel command line says what machine this is, qemu or uml.
 * What to do stands in the job, a file on the host named by shale_job= on the
 * kernel command line: pairs of key and value, each ended by a NUL byte.
 *
 *   arg WORD       the command, word by word
 *   env NAME=VALUE its environment
 *   cwd DIR        its working directory
 *   tty yes        it gets a terminal
 *   share DIR      host directory that is writable at its own path
 *   programs DIR   one within a share that is not: what is run from there stays in memory
 *   modules DIR    host directory that becomes /lib/modules
 *   load MODULE    to modprobe before the command starts
 *   base TYPE      file system on the scratch disk, or tmpfs
 *
 * A C program, because an emulated guest takes ten milliseconds and more to
 * start a process and this is on the way of every test.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <net/if.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "leaks.h"
#include "protocol.h"

#define MAX_WORDS 65536

static struct job {
	char *args[MAX_WORDS + 1], *envs[MAX_WORDS + 1], *shares[MAX_WORDS + 1], *programs[MAX_WORDS + 1];
	int arg_count, env_count, share_count, program_count;
	const char *cwd, *modules, *load, *base;
	bool tty;
} job;

/* What differs between QEMU and User Mode Linux. */
struct machine {
	const char *name;
	void (*open_port)(void);
	void (*mount_host)(void);
	const char *disk;
};

static const struct machine *machine;
static int port = -1;		/* to the host */

/* --- Talking to the host ------------------------------------------------- */

static void write_port(const void *data, size_t length)
{
	const char *p = data;

	while (length) {
		ssize_t done = write(port, p, length);

		if (done < 0 && errno != EINTR && errno != EAGAIN)
			reboot(RB_AUTOBOOT);	/* nobody left to tell */
		if (done > 0) {
			p += done;
			length -= done;
		}
	}
}

static void send_frame(enum frame_kind kind, const void *data, size_t length)
{
	static struct frame frame;

	frame.header.kind = kind;
	frame.header.length = length;
	memcpy(frame.payload, data, length);
	write_port(&frame, sizeof(frame.header) + length);
}

/* The set-up failed: say so and end. Before there is a port, the console hears it. */
static __attribute__((noreturn, format(printf, 1, 2)))
void die(const char *format, ...)
{
	char text[1024];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	if (port >= 0) {
		send_frame(FRAME_FAILED, text, length);
		pause();	/* the host ends us */
	}
	fprintf(stderr, "shale guest: %s\n", text);
	sync();
	reboot(RB_AUTOBOOT);
	abort();
}

/* --- Small file helpers -------------------------------------------------- */

static void try_mount(const char *source, const char *target, const char *type,
		      unsigned long flags, const char *data)
{
	if (mount(source, target, type, flags, data) < 0)
		die("cannot mount %s (%s) on %s: %m", source, type ? type : "bind", target);
}

static void make_dirs(const char *path)
{
	char copy[PATH_MAX], *p = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((p = strchr(p + 1, '/'))) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
	mkdir(copy, 0755);
}

static char *join(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s%s", dir, name) < 0)
		die("out of memory");
	return path;
}

static char *read_file(const char *path, size_t *size)
{
	char *data = NULL;
	size_t capacity = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %m", path);
	*size = 0;
	do {
		if (capacity - *size < 65536) {
			capacity += 1 << 20;
			data = realloc(data, capacity);
			if (!data)
				die("out of memory");
		}
		got = read(fd, data + *size, capacity - *size - 1);
		if (got < 0)
			die("%s: %m", path);
		*size += got;
	} while (got > 0);
	close(fd);
	data[*size] = '\0';
	return data;
}

/* --- Kernel: modules, port ----------------------------------------------- */

static void mount_kernel_file_systems(void)
{
	/* The kernel may have mounted /dev by itself. */
	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	try_mount("proc", "/proc", "proc", 0, NULL);
	try_mount("sysfs", "/sys", "sysfs", 0, NULL);
}

/* Modules without which there is no host: /modules/0, /modules/1 and so on. */
static void load_boot_modules(void)
{
	for (int i = 0; ; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/modules/%d", i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			die("cannot load %s: %m", path);
		close(fd);
	}
}

static bool open_port_once(void)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX], name[64] = "";
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%63s", name) == 1 && !strcmp(name, PORT_NAME)) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			port = open(path, O_RDWR | O_CLOEXEC);
		}
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return port >= 0;
}

static void open_virtio_port(void)
{
	/* The port appears when the driver's handshake with QEMU is over. */
	for (int tries = 0; tries < 5000; tries++) {
		if (open_port_once())
			return;
		usleep(2000);
	}
	die("no virtio-serial port named %s", PORT_NAME);
}

/* A serial line carries any byte once the terminal driver leaves them alone. */
static void open_serial_line(void)
{
	struct termios raw;
	int line = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (line < 0 || tcgetattr(line, &raw) < 0)
		die("/dev/ttyS0: %m");
	cfmakeraw(&raw);
	if (tcsetattr(line, TCSANOW, &raw) < 0)
		die("/dev/ttyS0: %m");
	port = line;
}

/* --- The job ------------------------------------------------------------- */

static void add_word(char **words, int *count, char *word)
{
	if (*count == MAX_WORDS)
		die("more than %d words in the job", MAX_WORDS);
	words[(*count)++] = word;
}

static void take_job_line(const char *key, char *value)
{
	if (!strcmp(key, "arg"))
		add_word(job.args, &job.arg_count, value);
	else if (!strcmp(key, "env"))
		add_word(job.envs, &job.env_count, value);
	else if (!strcmp(key, "share"))
		add_word(job.shares, &job.share_count, value);
	else if (!strcmp(key, "programs"))
		add_word(job.programs, &job.program_count, value);
	else if (!strcmp(key, "cwd"))
		job.cwd = value;
	else if (!strcmp(key, "modules"))
		job.modules = value;
	else if (!strcmp(key, "load"))
		job.load = value;
	else if (!strcmp(key, "base"))
		job.base = value;
	else if (!strcmp(key, "tty"))
		job.tty = true;
	else
		die("unknown key in the job: %s", key);
}

static void read_job(void)
{
	const char *path = getenv("shale_job");
	char *data, *key;
	size_t size;

	if (!path)
		die("no shale_job= on the kernel command line");
	data = read_file(join("/host", path), &size);
	for (key = data; key < data + size; ) {
		char *value = key + strlen(key) + 1;

		take_job_line(key, value);
		key = value + strlen(value) + 1;
	}
	if (!job.arg_count || !job.cwd || !job.base)
		die("the job is incomplete");
}

/* --- The root: the host's, read-only, with writable places ----------------
 *
 * A writable place is a tmpfs that shows each child of the host's directory
 * read-only and takes new names. An overlay would look rounder, but a kernel
 * without overlayfs is one we want to serve, and the module under test must
 * not stand on itself.
 */

static void mount_host_by_virtiofs(void)
{
	try_mount("host", "/host", "virtiofs", MS_RDONLY, NULL);
	try_mount("share", "/share", "virtiofs", 0, NULL);
}

static void mount_host_by_hostfs(void)
{
	try_mount("host", "/host", "hostfs", MS_RDONLY, "/");
	try_mount("share", "/share", "hostfs", 0, "/");
}

static void mount_host(void)
{
	mkdir("/host", 0755);
	mkdir("/share", 0755);
	mkdir("/new", 0755);
	machine->mount_host();
}

static void show_child(int host_dir, const char *name, const char *source, const char *target)
{
	struct stat st;
	int fd;

	if (fstatat(host_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;		/* gone meanwhile: the host lives on */
	if (S_ISLNK(st.st_mode)) {
		char link[PATH_MAX] = "";

		if (readlinkat(host_dir, name, link, sizeof(link) - 1) > 0)
			symlink(link, target);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		mkdir(target, 0755);
	} else if (S_ISREG(st.st_mode)) {
		fd = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		close(fd);
	} else {
		return;		/* somebody's socket or pipe says nothing here */
	}
	mount(source, target, NULL, MS_BIND, NULL);
}

static void make_writable_place(const char *path, const char *const *hidden)
{
	char *host_path = join("/host", path), *new_path = join("/new", path);
	struct stat st = { .st_mode = 0755 };
	struct dirent *entry;
	DIR *dir;

	stat(host_path, &st);
	make_dirs(new_path);
	try_mount("tmpfs", new_path, "tmpfs", 0, NULL);
	chown(new_path, st.st_uid, st.st_gid);
	chmod(new_path, st.st_mode & 07777);

	dir = opendir(host_path);
	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		char *source, *target;
		bool hide = !strcmp(name, ".") || !strcmp(name, "..");

		for (const char *const *h = hidden; *h; h++)
			hide = hide || !strcmp(name, *h);
		if (hide)
			continue;
		source = join(host_path, join("/", name));
		target = join(new_path, join("/", name));
		show_child(dirfd(dir), name, source, target);
		free(source);
		free(target);
	}
	if (dir)
		closedir(dir);
}

static void build_root(void)
{
	static const char *const nothing[] = { NULL };
	static const char *const own_places[] = {
		"dev", "proc", "sys", "run", "scratch", "lost+found", NULL
	};
	static const char *const own_state[] = { "shale", NULL };

	make_writable_place("", own_places);
	make_writable_place("/var", nothing);
	make_writable_place("/var/lib", own_state);
	make_writable_place("/var/tmp", nothing);
	make_writable_place("/tmp", nothing);
	make_writable_place("/mnt", nothing);
	make_writable_place("/root", nothing);

	mkdir("/new/run", 0755);
	try_mount("tmpfs", "/new/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
	mkdir("/new/run/lock", 01777);
	mkdir("/new/scratch", 0755);
	mkdir("/new/var/lib/shale", 0755);
}

static void move_kernel_file_systems(void)
{
	static const char *const names[] = { "/dev", "/proc", "/sys" };

	for (int i = 0; i < 3; i++) {
		char *target = join("/new", names[i]);

		mkdir(target, 0755);
		try_mount(names[i], target, NULL, MS_MOVE, NULL);
	}
	mkdir("/new/dev/pts", 0755);
	mkdir("/new/dev/shm", 01777);
	try_mount("devpts", "/new/dev/pts", "devpts", 0, "ptmxmode=666,mode=620,gid=5");
	try_mount("tmpfs", "/new/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	symlink("/proc/self/fd", "/new/dev/fd");
	symlink("/proc/self/fd/0", "/new/dev/stdin");
	symlink("/proc/self/fd/1", "/new/dev/stdout");
	symlink("/proc/self/fd/2", "/new/dev/stderr");
	/* Conveniences: a kernel may lack any of them. */
	mount("cgroup2", "/new/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount("debugfs", "/new/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tracefs", "/new/sys/kernel/tracing", "tracefs", 0, NULL);
	mount("securityfs", "/new/sys/kernel/security", "securityfs", 0, NULL);
}

static void show_host_dir(const char *from, const char *host_path, const char *path)
{
	char *source = join(from, host_path), *target = join("/new", path);

	make_dirs(target);
	if (mount(source, target, NULL, MS_BIND, NULL) < 0)
		die("cannot show the host's %s at %s: %m", host_path, path);
}

static void show_job_dirs(void)
{
	if (job.modules)
		show_host_dir("/host", job.modules, "/lib/modules");
	for (int i = 0; i < job.share_count; i++)
		show_host_dir("/share", job.shares[i], job.shares[i]);
	for (int i = 0; i < job.program_count; i++)
		show_host_dir("/host", job.programs[i], job.programs[i]);
	if (access(join("/new", job.cwd), F_OK) < 0)
		show_host_dir("/host", job.cwd, job.cwd);
}

static void enter_root(void)
{
	/* What isn't shown by now must not be reachable, least of all to write. */
	umount2("/share", MNT_DETACH);
	umount2("/host", MNT_DETACH);
	if (chdir("/new") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		die("cannot enter the new root: %m");
}

static bool disk_is_there(void)
{
	for (int tries = 0; tries < 2500; tries++) {
		if (!access(machine->disk, F_OK))
			return true;
		usleep(2000);
	}
	return false;
}

/* /scratch and the tools' store lie on one fresh file system, side by side. */
static void mount_scratch(void)
{
	bool memory = !strcmp(job.base, "tmpfs");

	if (!disk_is_there())
		die("no scratch disk");
	mkdir("/run/disk", 0755);
	if (memory && swapon(machine->disk, 0) < 0)
		die("cannot swap to the scratch disk: %m");
	if (memory)
		try_mount("tmpfs", "/run/disk", "tmpfs", 0, "size=10g");
	else
		try_mount(machine->disk, "/run/disk", job.base, 0, NULL);
	mkdir("/run/disk/scratch", 0755);
	mkdir("/run/disk/shale", 0755);
	try_mount("/run/disk/scratch", "/scratch", NULL, MS_BIND, NULL);
	try_mount("/run/disk/shale", "/var/lib/shale", NULL, MS_BIND, NULL);
	umount2("/run/disk", MNT_DETACH);
	rmdir("/run/disk");
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	sethostname("shale", 5);
}

/* --- The command --------------------------------------------------------- */

static pid_t command;
static int command_in = -1, command_out = -1, command_err = -1;

static __attribute__((noreturn)) void exec_command(void)
{
	int error;

	if (chdir(job.cwd) < 0) {
		fprintf(stderr, "run: %s: %m\n", job.cwd);
		_exit(125);
	}
	environ = job.envs;
	execvp(job.args[0], job.args);
	error = errno;
	fprintf(stderr, "run: %s: %m\n", job.args[0]);
	_exit(error == ENOENT ? 127 : 126);
}

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
}

static void start_with_pipes(void)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		die("pipe: %m");
	command = fork();
	if (command < 0)
		die("fork: %m");
	if (command == 0) {
		setsid();
		reset_signals();
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		exec_command();
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	command_in = in[1];
	command_out = out[0];
	command_err = err[0];
}

static void start_with_terminal(void)
{
	command = forkpty(&command_out, NULL, NULL, NULL);
	if (command < 0)
		die("forkpty: %m");
	if (command == 0) {
		reset_signals();
		exec_command();
	}
	fcntl(command_out, F_SETFD, FD_CLOEXEC);
	command_in = dup(command_out);
}

static void start_command(void)
{
	if (job.tty)
		start_with_terminal();
	else
		start_with_pipes();
	fcntl(command_in, F_SETFL, O_NONBLOCK);
	fcntl(command_out, F_SETFL, O_NONBLOCK);
	if (command_err >= 0)
		fcntl(command_err, F_SETFL, O_NONBLOCK);
}

/* --- Passing everything on until the command ends ------------------------- */

static struct frame input;	/* the frame that is being fed to the command */
static size_t input_fed;
static bool input_pending;

static void close_input(void)
{
	if (command_in >= 0 && !job.tty)
		close(command_in);
	command_in = -1;
	input_pending = false;
}

static void feed_input(void)
{
	ssize_t done = write(command_in, input.payload + input_fed,
			     input.header.length - input_fed);

	if (done < 0 && errno != EAGAIN && errno != EINTR)
		close_input();	/* it doesn't want any more */
	if (done > 0)
		input_fed += done;
	if (input_fed == input.header.length)
		input_pending = false;
}

static void read_port(void *data, size_t length)
{
	char *p = data;

	while (length) {
		ssize_t got = read(port, p, length);

		if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
			reboot(RB_AUTOBOOT);	/* the host has gone */
		if (got > 0) {
			p += got;
			length -= got;
		}
	}
}

static void receive_frame(void)
{
	read_port(&input.header, sizeof(input.header));
	read_port(input.payload, input.header.length);
	if (input.header.kind == FRAME_WINSIZE && job.tty)
		ioctl(command_out, TIOCSWINSZ, input.payload);
	if (input.header.kind != FRAME_STDIN || command_in < 0)
		return;
	if (input.header.length == 0 && job.tty) {
		input.payload[0] = 4;	/* ^D */
		input.header.length = 1;
	}
	if (input.header.length == 0) {
		close_input();
		return;
	}
	input_fed = 0;
	input_pending = true;
}

/* Returns false when there is nothing to read (now, or ever: then *fd is -1). */
static bool forward_output(int *fd, enum frame_kind kind)
{
	char data[FRAME_PAYLOAD];
	ssize_t got;

	if (*fd < 0)
		return false;
	got = read(*fd, data, sizeof(data));
	if (got > 0) {
		send_frame(kind, data, got);
		return true;
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(*fd);
		*fd = -1;
	}
	return false;
}

/* One record of /dev/kmsg, "priority,sequence,microseconds,flags;text", as dmesg shows it. */
static bool forward_log_record(int kmsg)
{
	unsigned long long microseconds = 0;
	char record[8192], line[8192 + 32], *text;
	ssize_t got = read(kmsg, record, sizeof(record) - 1);
	int length;

	if (got < 0)
		return errno == EPIPE;	/* records were overwritten: go on with the next */
	if (got == 0)
		return false;
	record[got] = '\0';
	text = strchr(record, ';');
	sscanf(record, "%*u,%*u,%llu", &microseconds);
	if (!text)
		return true;
	text[1 + strcspn(text + 1, "\n")] = '\0';	/* leaves the dictionary out */
	length = snprintf(line, sizeof(line), "[%5llu.%06llu] %s\n",
			  microseconds / 1000000, microseconds % 1000000, text + 1);
	send_frame(FRAME_LOG, line, length);
	return true;
}

static void reap_children(int children, int *status, bool *ended)
{
	struct signalfd_siginfo info;
	int s;
	pid_t pid;

	read(children, &info, sizeof(info));
	while ((pid = waitpid(-1, &s, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*ended = true;
		*status = WIFSIGNALED(s) ? 128 + WTERMSIG(s) : WEXITSTATUS(s);
	}
}

static int pass_everything_on(int children, int kmsg)
{
	bool ended = false;
	int status = 0;

	while (!ended) {
		struct pollfd p[] = {
			{ .fd = children, .events = POLLIN },
			{ .fd = command_out, .events = POLLIN },
			{ .fd = command_err, .events = POLLIN },
			{ .fd = kmsg, .events = POLLIN },
			{ .fd = input_pending ? -1 : port, .events = POLLIN },
			{ .fd = input_pending ? command_in : -1, .events = POLLOUT },
		};

		if (poll(p, sizeof(p) / sizeof(p[0]), ALIVE_SECONDS * 1000 / 2) <= 0)
			send_frame(FRAME_ALIVE, NULL, 0);
		if (p[1].revents)
			forward_output(&command_out, FRAME_STDOUT);
		if (p[2].revents)
			forward_output(&command_err, FRAME_STDERR);
		if (p[3].revents)
			forward_log_record(kmsg);
		if (p[4].revents & POLLIN)
			receive_frame();
		if (p[5].revents)
			feed_input();
		if (p[0].revents)
			reap_children(children, &status, &ended);
	}
	return status;
}

/* Whoever still holds the command's output open is not waited for. */
static void drain(int kmsg)
{
	while (forward_output(&command_out, FRAME_STDOUT))
		;
	while (forward_output(&command_err, FRAME_STDERR))
		;
	/* What was written through a mapping is not with the host yet. */
	for (int i = 0; i < job.share_count; i++) {
		int fd = open(job.shares[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		syncfs(fd);
		close(fd);
	}
	while (forward_log_record(kmsg))
		;
}

/* What memory the command leaves without an owner is a report in the kernel log. */
static void report_leaks(int kmsg)
{
	char text[FRAME_PAYLOAD];
	int leaks = find_leaks();
	ssize_t got;

	while (forward_log_record(kmsg))
		;
	while (leaks >= 0 && (got = read(leaks, text, sizeof(text))) > 0)
		send_frame(FRAME_LOG, text, got);
	close(leaks);
}

static void load_module(int kmsg)
{
	int status;
	pid_t pid;

	if (!job.load)
		return;
	pid = fork();
	if (pid == 0) {
		execl("/sbin/modprobe", "modprobe", job.load, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) == pid && !status)
		return;
	while (forward_log_record(kmsg))
		;
	die("modprobe %s failed", job.load);
}

static int open_children_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static const struct machine machines[] = {
	{
		.name = "qemu",
		.open_port = open_virtio_port,
		.mount_host = mount_host_by_virtiofs,
		.disk = "/dev/vda",
	}, {
		.name = "uml",
		.open_port = open_serial_line,
		.mount_host = mount_host_by_hostfs,
		.disk = "/dev/ubda",
	},
};

static const struct machine *this_machine(void)
{
	const char *name = getenv("shale_machine");

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (name && !strcmp(name, machines[i].name))
			return &machines[i];
	die("shale_machine=%s on the kernel command line", name ? name : "");
}

int main(void)
{
	int children, kmsg;
	int32_t status;

	mount_kernel_file_systems();
	machine = this_machine();
	load_boot_modules();
	machine->open_port();
	mount_host();
	read_job();
	build_root();
	move_kernel_file_systems();
	show_job_dirs();
	enter_root();
	mount_scratch();
	bring_up_loopback();

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	load_module(kmsg);
	forget_leaks();
	signal(SIGPIPE, SIG_IGN);
	children = open_children_signal();
	send_frame(FRAME_READY, NULL, 0);
	start_command();
	status = pass_everything_on(children, kmsg);
	drain(kmsg);
	report_leaks(kmsg);
	send_frame(FRAME_EXIT, &status, sizeof(status));
	for (;;)
		pause();	/* the host ends us */
}
