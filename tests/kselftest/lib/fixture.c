// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "device.h"

static const char *step_file;
static int step_line;

/* What the process that cleans up must know of the case. */
struct shared {
	char lowers[4096];		/* of the first mount; empty: none was made */
	char options[8192];		/* of the last mount */
	char features[256];		/* options of each mount; empty: the usual ones */
	uint64_t digest;		/* of all lowers, before the first mount */
	bool own_base;			/* the case's directory is a file system of its own */
	struct device device;		/* which lies on this one; no path: on none */
};

static struct shared *shared;

/* Failing */

const char *errno_name(int error)
{
	return error ? strerrorname_np(error) : "success";
}

void step_at(const char *file, int line)
{
	step_file = file;
	step_line = line;
}

void fail(const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", step_file ?: "?", step_line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(KTAP_FAIL);
}

long step_ok(const char *call, long result)
{
	if (result < 0)
		fail("%s: %s, not success", call, errno_name(errno));
	return result;
}

void step_fails(const char *call, long result, int wanted)
{
	if (result >= 0)
		fail("%s: success (%ld), not %s", call, result, errno_name(wanted));
	if (errno != wanted)
		fail("%s: %s, not %s", call, errno_name(errno), errno_name(wanted));
}

const char *text_of(const char *format, ...)
{
	static char texts[8][8192];
	static int next;
	char *text = texts[next++ % 8];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(texts[0]), format, args);
	va_end(args);
	return text;
}

/* Returns true in the child. */
bool child_as(uid_t uid, gid_t gid)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (uid || gid) {
			step_ok("setgroups", syscall(SYS_setgroups, 0, NULL));
			step_ok("setresgid", setresgid(gid, gid, gid));
			step_ok("setresuid", setresuid(uid, uid, uid));
		}
		return true;
	}
	step_ok("fork", child);
	step_ok("waitpid", waitpid(child, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == KTAP_PASS)
		return false;
	if (WIFSIGNALED(status))
		fail("the child was killed by signal %d", WTERMSIG(status));
	fflush(stdout);
	_exit(WEXITSTATUS(status));
}

/* Lower layers never change: a number made of all that stat() tells of them, but the access time. */

static uint64_t digest;

static void mix(uint64_t value)
{
	digest = (digest ^ value) * 0x9e3779b97f4a7c15;
	digest ^= digest >> 29;
}

static int mix_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	uint64_t sum = digest;

	(void)type;
	(void)where;
	/* Order among names is the base's affair: their sum is taken. */
	digest = 0;
	for (const char *c = path; *c; c++)
		mix(*c);
	mix(st->st_ino);
	mix(st->st_mode);
	mix(st->st_nlink);
	mix(st->st_size);
	mix(st->st_mtim.tv_sec);
	mix(st->st_mtim.tv_nsec);
	mix(st->st_ctim.tv_sec);
	mix(st->st_ctim.tv_nsec);
	digest += sum;
	return 0;
}

static uint64_t digest_of(const char *lowers)
{
	char list[sizeof(shared->lowers)], *rest, *layer;

	digest = 0;
	snprintf(list, sizeof(list), "%s", lowers);
	for (layer = strtok_r(list, ":", &rest); layer; layer = strtok_r(NULL, ":", &rest)) {
		struct stat st;

		if (!lstat(layer, &st))
			nftw(layer, mix_one, 16, FTW_PHYS);
	}
	return digest;
}

/* The case's directory, and what happens when the case has ended */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)where;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

static int remove_below(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return where->level ? remove_one(path, st, type, where) : 0;
}

void remove_in(const char *path)
{
	nftw(path, remove_below, 16, FTW_PHYS | FTW_DEPTH | FTW_MOUNT);
}

/* Unmounts what is mounted below the working directory, the last first. */
static int unmount_all(void)
{
	char line[16384], mounts[64][512], cwd[512];
	int nr = 0, failed = 0;
	FILE *info = fopen("/proc/self/mountinfo", "re");

	CHECK(info);
	CHECK(getcwd(cwd, sizeof(cwd)));
	while (fgets(line, sizeof(line), info)) {
		char place[512];

		if (sscanf(line, "%*s %*s %*s %*s %511s", place) == 1 &&
		    !strncmp(place, cwd, strlen(cwd)) && place[strlen(cwd)] == '/' && nr < 64)
			strcpy(mounts[nr++], place);
	}
	fclose(info);
	while (nr--) {
		if (!umount2(mounts[nr], 0))
			continue;
		printf("# unmounting %s after the case: %s\n", mounts[nr], errno_name(errno));
		umount2(mounts[nr], MNT_DETACH);
		failed++;
	}
	return failed;
}

static int nr_whiteouts;

static int look_for_leftover(const char *path, const struct stat *st, int type, struct FTW *where)
{
	bool whiteout = S_ISCHR(st->st_mode) && !st->st_rdev;
	/* One whiteout is kept to make links of. Entries of the index are there to stay. */
	bool allowed = strstr(path, "work/index/00fb") ||
		       (whiteout && (!nr_whiteouts++ || !on_shale()));

	(void)type;
	if (where->level < 2 || allowed)
		return 0;
	printf("# left in the work directory: %s\n", path);
	return 1;
}

bool has_leftovers(const char *work)
{
	nr_whiteouts = 0;
	return nftw(work, look_for_leftover, 16, FTW_PHYS) > 0;
}

void expect_no_leftovers_(const char *work)
{
	if (has_leftovers(work))
		fail("%s is not empty", work);
}

static int after_the_case(void)
{
	/* Lowers may lie on file systems that go, too. */
	bool changed = shared->lowers[0] && digest_of(shared->lowers) != shared->digest;
	int failed = unmount_all();

	if (has_leftovers("work"))
		failed++;
	if (changed) {
		printf("# a lower layer has changed\n");
		failed++;
	}
	fflush(stdout);
	return failed;
}

/* Whoever forgets to let go of a layer keeps the file system, though it is mounted nowhere. */
static int unmount_base(const char *dir)
{
	if (umount2(dir, 0)) {
		printf("# unmounting the base after the case: %s\n", errno_name(errno));
		umount2(dir, MNT_DETACH);
		return 1;
	}
	if (!shared->device.path[0] || !device_in_use(&shared->device))
		return 0;
	printf("# the base is still in use when nothing is mounted any more\n");
	return 1;
}

/* The parent stays behind to clean up; the case goes on in the child. */
static void stay_behind(const char *dir)
{
	pid_t child = fork();
	int status, failed;

	CHECK(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(!chdir(dir));
	failed = after_the_case();
	CHECK(!chdir("/"));
	if (shared->own_base)
		failed += unmount_base(dir);
	nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH | FTW_MOUNT);
	if (WIFSIGNALED(status)) {
		printf("# killed by signal %d\n", WTERMSIG(status));
		failed++;
	} else if (WEXITSTATUS(status) != KTAP_PASS) {
		_exit(WEXITSTATUS(status));
	}
	fflush(stdout);
	_exit(failed ? KTAP_FAIL : KTAP_PASS);
}

/* Room for what cases write, and for the least that mkfs makes. */
static const struct base {
	const char *name;
	const char *type;
	off_t size;		/* of its device; 0: it has none */
	const char *options;	/* of mkfs */
	bool breakable;		/* the device can be made to fail */
	const char *mount;	/* options of its mount */
} bases[] = {
	{ "tmpfs", "tmpfs", 0, NULL, false, NULL },
	{ "ext4", "ext4", 64 << 20, "-q -m 0 -N 256 -J size=1 -E nodiscard", false, NULL },
	{ "xfs", "xfs", 512 << 20, "-q", false, NULL },
	{ "btrfs", "btrfs", 256 << 20, "-q", false, NULL },
	{ BREAKABLE, "ext4", 64 << 20, "-q -N 256 -J size=1 -E nodiscard", true, NULL },
	{ LARGE_EXT4, "ext4", 512 << 20, "-q -m 0 -E nodiscard", false, NULL },
	{ PROJECTS_EXT4, "ext4", 512 << 20, "-q -m 0 -E nodiscard -O quota,project", false, "prjquota" },
	{ PROJECTS_XFS, "xfs", 512 << 20, "-q", false, "prjquota" },
};

static const struct base *base;		/* of this case, if it has one of its own */
static char base_dir[] = "/scratch/kselftest.XXXXXX";
static struct mapped mapped;

static void make_device(void)
{
	struct device loop = loop_device(base->size);

	shared->device = loop;
	if (base->breakable) {
		mapped = map_device(&loop);
		shared->device = mapped.device;
	}
	make_fs(&shared->device, base->type, base->options);
}

static void mount_base(void)
{
	int ret = mount_fs(base->size ? shared->device.path : "none", base_dir, base->type, 0,
			   base->mount);

	if (ret && base->mount)
		SKIP("this kernel has no %s", base->name);
	step_ok("mounting the base", ret);
	shared->own_base = true;
}

static void use_base(const char *name)
{
	base = bases;
	while (strcmp(base->name, name))
		base++;
	if (base->size)
		make_device();
	mount_base();
}

void base_break_(enum base_damage damage)
{
	static const enum mapped_state states[] = {
		[WRITES_FAIL] = MAPPED_NO_WRITES,
		[READS_AND_WRITES_FAIL] = MAPPED_DEAD,
		[REQUESTS_WAIT] = MAPPED_SLOW,
	};
	int fd = open_(".", O_RDONLY);

	step_ok("syncfs", syncfs(fd));
	close(fd);
	mapped_set(&mapped, states[damage]);
}

void base_repair_(void)
{
	mapped_set(&mapped, MAPPED_WHOLE);
}

void base_remount_(void)
{
	CHECK(!chdir("/"));
	step_ok("unmounting the base", umount2(base_dir, 0));
	base_repair_();
	mount_base();
	CHECK(!chdir(base_dir));
}

void set_up_on(const char *name)
{
	static const char * const dirs[] = { "top", "low", "upper", "work", "merged" };
	size_t i;

	umask(022);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	CHECK(shared != MAP_FAILED);
	CHECK(mkdtemp(base_dir));
	stay_behind(base_dir);
	if (name)
		use_base(name);
	CHECK(!chdir(base_dir));
	CHECK(!chmod(".", 0755));
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CHECK(!mkdir(dirs[i], 0755));
}

void set_up(void)
{
	set_up_on(NULL);
}

/* The mount */

const char *fs_type(void)
{
	const char *type = getenv("SHALE_FSTYPE");

	return type && *type ? type : module_name();
}

bool on_shale(void)
{
	return !strcmp(fs_type(), module_name());
}

bool like_overlay(void)
{
	return !strcmp(fs_type(), "overlay");
}

void only_shale(const char *why)
{
	if (!on_shale())
		SKIP("overlayfs: %s", why);
}

void needs_handles(void)
{
	struct file_handle handle = { };
	int mount;

	if (name_to_handle_at(AT_FDCWD, ".", &handle, &mount, 0) && errno == ENOSYS)
		SKIP("this kernel has no file handles");
}

void with_features(const char *features)
{
	snprintf(shared->features, sizeof(shared->features), ",%s", features);
}

static const char *more_options(void)
{
	return shared->features[0] ? shared->features : ",redirect_dir=nofollow,index=off,metacopy=off";
}

int try_mount(const char *where, const char *options)
{
	int ret = mount("kselftest", where, fs_type(), 0, text_of("%s%s", options, more_options()));

	if (ret && errno == ENODEV && !on_shale())
		SKIP("this kernel has no %s", fs_type());
	return ret;
}

bool shows_option(const char *text)
{
	char line[16384];
	bool shown = false;
	FILE *mounts = fopen("/proc/self/mounts", "re");

	CHECK(mounts);
	while (fgets(line, sizeof(line), mounts))
		shown |= strstr(line, "/merged ") && strstr(line, text);
	fclose(mounts);
	return shown;
}

void set_up_if_known(const char *features)
{
	set_up_with(features);
	if (try_mount("merged", "lowerdir=low,upperdir=upper,workdir=work"))
		SKIP("no mount can have %s here", features);
	unmount();
}

void mount_options_(const char *where, const char *options)
{
	if (try_mount(where, options))
		fail("mount -t %s -o %s: %s", fs_type(), options, errno_name(errno));
}

void mount_layers_(const char *lowers, int flags)
{
	if (!shared->lowers[0]) {
		snprintf(shared->lowers, sizeof(shared->lowers), "%s", lowers);
		shared->digest = digest_of(lowers);
	}
	snprintf(shared->options, sizeof(shared->options), "lowerdir=%s%s", lowers,
		 flags & READ_ONLY ? "" : ",upperdir=upper,workdir=work");
	mount_options_("merged", shared->options);
}

void unmount_(void)
{
	step_ok("umount2(\"merged\", 0)", umount2("merged", 0));
}

void again_(void)
{
	unmount_();
	mount_options_("merged", shared->options);
}

void set_up_with(const char *features)
{
	set_up();
	with_features(features);
}

bool next_look(int number)
{
	if (number == 1)
		drop_all_caches();
	if (number == 2)
		again();
	return number < 3;
}

int rename2(const char *from, const char *to, unsigned int flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

/* Making layers */

void make_dir_(const char *path, mode_t mode)
{
	if (mkdir(path, 0700) || chmod(path, mode))
		fail("making directory %s: %s", path, errno_name(errno));
}

void make_file_(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
		fail("making file %s: %s", path, errno_name(errno));
}

enum { PAGE = 4096 };

static void fill_page(char page[PAGE], size_t number)
{
	int i;

	for (i = 0; i < PAGE; i++)
		page[i] = number * 31 + (number >> 8) + i * 7 + i / 256;
}

void make_sized_(const char *path, size_t size)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	char page[PAGE];
	size_t pos;

	if (fd < 0)
		fail("making file %s: %s", path, errno_name(errno));
	for (pos = 0; pos < size; pos += PAGE) {
		size_t len = size - pos < PAGE ? size - pos : PAGE;

		fill_page(page, pos / PAGE);
		if (write(fd, page, len) != (ssize_t)len)
			fail("writing file %s: %s", path, errno_name(errno));
	}
	close(fd);
}

void expect_sized_(const char *path, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char page[PAGE], got[PAGE];
	size_t pos;

	if (fd < 0)
		fail("open(%s): %s, not success", path, errno_name(errno));
	for (pos = 0; pos < size; pos += PAGE) {
		size_t len = size - pos < PAGE ? size - pos : PAGE;
		ssize_t done = read(fd, got, len);

		fill_page(page, pos / PAGE);
		if (done != (ssize_t)len)
			fail("%s: read %zd bytes at %zu, not %zu", path, done, pos, len);
		if (memcmp(page, got, len))
			fail("%s: other content in the page at %zu", path, pos);
	}
	if (read(fd, got, 1) != 0)
		fail("%s: is longer than %zu bytes", path, size);
	close(fd);
}

void make_whiteout_(const char *path)
{
	if (mknod(path, S_IFCHR, makedev(0, 0)))
		fail("making whiteout %s: %s", path, errno_name(errno));
}

void make_opaque_(const char *path)
{
	if (setxattr(path, "trusted.overlay.opaque", "y", 1, 0))
		fail("making %s opaque: %s", path, errno_name(errno));
}

void set_mark_(const char *path, const char *mark, const void *value, size_t size)
{
	if (lsetxattr(path, text_of("trusted.overlay.%s", mark), value, size, 0))
		fail("setting the mark %s of %s: %s", mark, path, errno_name(errno));
}

void write_text_(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		fail("open(%s, O_WRONLY | O_TRUNC): %s, not success", path, errno_name(errno));
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
		fail("writing to %s: %s, not success", path, errno_name(errno));
}

void write_inside_(const char *path, const char *text)
{
	int fd = open_(path, O_WRONLY);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
		fail("writing to %s: %s, not success", path, errno_name(errno));
}

void *aligned_pages(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED);
	return pages;
}

void set_mtime_(const char *path, time_t sec, long nsec)
{
	struct timespec times[] = { { sec, nsec }, { sec, nsec } };

	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW))
		fail("utimensat(%s): %s, not success", path, errno_name(errno));
}

/* Looking */

struct stat stat_of_(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		fail("lstat(%s): %s, not success", path, errno_name(errno));
	return st;
}

int open_(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		fail("open(%s, %#o): %s, not success", path, flags, errno_name(errno));
	return fd;
}

bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

bool is_whiteout(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISCHR(st.st_mode) && !st.st_rdev;
}

void expect_text_(const char *path, const char *text)
{
	char got[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		fail("open(%s): %s, not success", path, errno_name(errno));
	len = read(fd, got, sizeof(got) - 1);
	if (len < 0)
		fail("read(%s): %s, not success", path, errno_name(errno));
	close(fd);
	got[len] = 0;
	if (len != (ssize_t)strlen(text) || strcmp(got, text))
		fail("%s holds \"%s\", not \"%s\"", path, got, text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

long nr_names_from(int fd)
{
	static char buffer[4096] __attribute__((aligned(8)));
	long nr = 0, size, at;

	while ((size = getdents64(fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < size; at += *(unsigned short *)(buffer + at + 16))
			nr++;
	}
	return size < 0 ? -1 : nr;
}

void expect_names_(const char *path, const char *wanted)
{
	char *names[512], got[16384] = "";
	DIR *dir = opendir(path);
	struct dirent *entry;
	int nr = 0, i;
	size_t len = 0;

	if (!dir)
		fail("opendir(%s): %s, not success", path, errno_name(errno));
	errno = 0;
	while ((entry = readdir(dir)) && nr < 512) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			names[nr++] = strdup(entry->d_name);
		errno = 0;
	}
	if (errno)
		fail("readdir(%s): %s, not success", path, errno_name(errno));
	closedir(dir);
	qsort(names, nr, sizeof(names[0]), by_name);
	for (i = 0; i < nr; i++) {
		len += snprintf(got + len, sizeof(got) - len, "%s%s", i ? " " : "", names[i]);
		free(names[i]);
	}
	if (strcmp(got, wanted))
		fail("%s has the names \"%s\", not \"%s\"", path, got, wanted);
}

void expect_absent_(const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		fail("%s exists (mode %06o), and should not", path, st.st_mode);
	if (errno != ENOENT)
		fail("lstat(%s): %s, not ENOENT", path, errno_name(errno));
}

void expect_whiteout_(const char *path)
{
	struct stat st = stat_of_(path);

	if (!S_ISCHR(st.st_mode) || st.st_rdev)
		fail("%s is no whiteout, its mode is %06o", path, st.st_mode);
}

void expect_opaque_(const char *path, bool wanted)
{
	char value = 0;
	bool opaque = lgetxattr(path, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';

	if (opaque != wanted)
		fail("%s is %sopaque", path, opaque ? "" : "not ");
}

void expect_xattr_(const char *path, const char *name, const char *wanted)
{
	char got[4096];
	ssize_t len = lgetxattr(path, name, got, sizeof(got) - 1);

	if (!wanted) {
		if (len >= 0)
			fail("%s has %s, and should not", path, name);
		if (errno != ENODATA)
			fail("lgetxattr(%s, %s): %s, not ENODATA", path, name, errno_name(errno));
		return;
	}
	if (len < 0)
		fail("lgetxattr(%s, %s): %s, not success", path, name, errno_name(errno));
	got[len] = 0;
	if (strcmp(got, wanted))
		fail("%s: %s is \"%s\", not \"%s\"", path, name, got, wanted);
}

void expect_same_attributes_(const struct stat *got, const struct stat *wanted)
{
	if (got->st_mode != wanted->st_mode)
		fail("the mode is %06o, not %06o", got->st_mode, wanted->st_mode);
	if (got->st_uid != wanted->st_uid || got->st_gid != wanted->st_gid)
		fail("the owner is %u:%u, not %u:%u", got->st_uid, got->st_gid, wanted->st_uid,
		     wanted->st_gid);
	if (got->st_rdev != wanted->st_rdev)
		fail("the device is %llx, not %llx", (long long)got->st_rdev,
		     (long long)wanted->st_rdev);
	if (!S_ISDIR(got->st_mode) && got->st_size != wanted->st_size)
		fail("the size is %lld, not %lld", (long long)got->st_size,
		     (long long)wanted->st_size);
	if (got->st_mtim.tv_sec != wanted->st_mtim.tv_sec ||
	    got->st_mtim.tv_nsec != wanted->st_mtim.tv_nsec)
		fail("the mtime is %lld.%09ld, not %lld.%09ld", (long long)got->st_mtim.tv_sec,
		     got->st_mtim.tv_nsec, (long long)wanted->st_mtim.tv_sec,
		     wanted->st_mtim.tv_nsec);
}

ino_t d_ino_of_(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	DIR *dir = opendir(text_of("%.*s", (int)(name - path), path));
	struct dirent *entry;
	ino_t ino = 0;

	if (!dir)
		fail("opendir(.../%s): %s, not success", name, errno_name(errno));
	while (!ino && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, name))
			ino = entry->d_ino;
	}
	closedir(dir);
	if (!ino)
		fail("%s is not listed", path);
	return ino;
}

void drop_all_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "3", 1) != 1)
		fail("dropping caches: %s", errno_name(errno));
	close(fd);
}
