// SPDX-License-Identifier: GPL-2.0-or-later
/* Each failure of an operation on data: see lib/failures.h, which draws the tree. */
#include "failures.h"

#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { PIECE = 100 };

static char piece[PIECE];

/* Descriptors of "file" (of a lower) and "mine" (of the upper), and a pipe. */
static int file, mine, pipe_out, pipe_in;

static void open_both(void)
{
	file = OK(keep(open("merged/file", O_RDONLY)));
	mine = OK(keep(open("merged/mine", O_RDWR)));
}

static void copy_up_file(void)
{
	OK(chmod("merged/file", 0640));
}

/* "file" is open since before its copy-up: each of its operations must open the copy first. */
static void open_before_copy_up(void)
{
	open_both();
	copy_up_file();
}

static void open_with_pipe(void)
{
	int ends[2];

	open_both();
	OK(pipe(ends));
	pipe_out = keep(ends[0]);
	pipe_in = keep(ends[1]);
}

static void fill_pipe(void)
{
	open_with_pipe();
	memset(piece, 'p', PIECE);
	OK(write(pipe_in, piece, PIECE));
}

/* What "file" begins with must be read whole, or an error. */
static long expect_piece(long size)
{
	static char wanted[PIECE];

	if (size < 0)
		return -1;
	if (!wanted[1]) {
		int fd = open_file("low/file", O_RDONLY);

		CHECK_EQ(read(fd, wanted, PIECE), PIECE);
		close(fd);
	}
	if (size != PIECE || memcmp(piece, wanted, PIECE))
		fail("%ld bytes were read, and they are %s", size,
		     size == PIECE ? "wrong" : "not enough");
	return size;
}

/* Opening and closing */

OPERATION(open_to_read, "shale_file_fops.open", "a file of a lower is opened to be read or not")
{
	return keep(open("merged/file", O_RDONLY));
}

#define METACOPY .features = "redirect_dir=on,index=off,metacopy=on"

/* As a program with privileges, which writing would take away. */
static void chmod_before(void)
{
	OK(setxattr("merged/file", "security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0));
	OK(chmod("merged/file", 04750));
	set_mtime("merged/file", 1000000001, 5);
}

OPERATION(open_without_data, "shale_file_fops.open", "a file without data is opened to be read or not",
	  .prepare = chmod_before, METACOPY)
{
	return keep(open("merged/file", O_RDONLY));
}

OPERATION(complete, "shale_file_fops.open", "a file gets its data or is as it was", .prepare = chmod_before, METACOPY)
{
	return keep(open("merged/file", O_WRONLY));
}

static void link_before(void)
{
	if (!exists("merged/new"))
		OK(link("merged/file", "merged/new"));
	chmod_before();
}

OPERATION(complete_linked, "shale_file_fops.open", "a file of two names gets its data or is as it was",
	  .prepare = link_before, METACOPY)
{
	return keep(open("merged/new", O_RDWR));
}

/*
 * The same tree, but that the data of "file" is in a data-only layer, where nobody has looked yet. At the
 * end of an attempt it is not mounted any more.
 */
static void mount_data_apart(void)
{
	if (!exists("pointers")) {
		OK(system("cp -a low pointers && mkdir data && cp low/file data/blob"));
		OK(truncate("pointers/file", 0));
		OK(truncate("pointers/file", FILE_SIZE));
		set_mtime("pointers/file", 1000000000, 123456789);
		set_mark("pointers/file", "metacopy", "");
		set_mark("pointers/file", "redirect", "/blob");
	}
	umount2("merged", 0);	/* of the time before, if this is the second */
	mount_options("merged", "lowerdir=top:pointers::data,upperdir=upper,workdir=work");
}

#define APART .flags = NOT_MOUNTED, .prepare = mount_data_apart, METACOPY

OPERATION(read_data_apart, "shale_file_fops.open", "data in a layer of its own is found whole or not at all", APART)
{
	int fd = keep(open("merged/file", O_RDONLY));

	return fd < 0 ? -1 : expect_piece(read(fd, piece, PIECE));
}

OPERATION(stat_data_apart, "shale_file_fops.open", "a file whose data nobody has looked for is looked at or not", APART)
{
	struct stat st;

	return lstat("merged/file", &st);
}

OPERATION(copy_up_data_apart, "shale_file_fops.open", "data in a layer of its own is copied up or not", APART)
{
	int fd = open("merged/file", O_WRONLY);

	return fd < 0 ? -1 : close(fd);
}

OPERATION(open_to_write, "shale_file_fops.open", "a file of a lower is opened to be written or not")
{
	return keep(open("merged/file", O_WRONLY));
}

OPERATION(open_deep, "shale_file_fops.open", "a file deep in a lower is opened to be written or not")
{
	return keep(open("merged/shared/inner", O_RDWR));
}

OPERATION(open_twin, "shale_file_fops.open", "one of a lower's two names is opened to be written or not")
{
	return keep(open("merged/twin1", O_RDWR));
}

OPERATION(open_to_truncate, "shale_file_fops.open shale_file_iops.setattr",
	  "a file of a lower is opened and emptied or not")
{
	return keep(open("merged/file", O_WRONLY | O_TRUNC));
}

OPERATION(open_strictly, "shale_file_fops.open", "with fsync=strict a file is copied up, synced and opened or not",
	  .features = "redirect_dir=off,index=off,metacopy=off,fsync=strict")
{
	return keep(open("merged/shared/inner", O_RDWR));
}

OPERATION(open_upper, "shale_file_fops.open", "a file of the upper is opened or not")
{
	return keep(open("merged/mine", O_RDWR | O_APPEND));
}

OPERATION(close_file, "shale_file_fops.release shale_file_fops.flush", "a file is closed",
	  .prepare = open_before_copy_up)
{
	int fd = dup(file);

	return fd < 0 ? -1 : close(fd);
}

/* Reading */

OPERATION(read_lower, "shale_file_fops.read_iter", "a file of a lower is read or not",
	  .prepare = open_both)
{
	return expect_piece(pread(file, piece, PIECE, 0));
}

OPERATION(read_copy, "shale_file_fops.read_iter",
	  "a file that was copied up since it was opened is read or not",
	  .prepare = open_before_copy_up)
{
	return expect_piece(pread(file, piece, PIECE, 0));
}

OPERATION(seek, "shale_file_fops.llseek", "the end of a file that was copied up is found or not",
	  .prepare = open_before_copy_up)
{
	off_t end = lseek(file, 0, SEEK_END);

	if (end >= 0 && end != FILE_SIZE)
		fail("the end is at %lld", (long long)end);
	return end;
}

OPERATION(advise, "shale_file_fops.fadvise", "advice is taken or not", .prepare = open_before_copy_up)
{
	int err = posix_fadvise(file, 0, 0, POSIX_FADV_WILLNEED);

	return err ? failed(err) : 0;
}

OPERATION(splice_from, "shale_file_fops.splice_read", "a file is spliced to a pipe or not",
	  .prepare = open_with_pipe)
{
	if (splice(file, &(loff_t){ 0 }, pipe_in, NULL, PIECE, 0) < 0)
		return -1;
	return expect_piece(read(pipe_out, piece, PIECE));
}

OPERATION(map, "shale_file_fops.mmap", "a file that was copied up is mapped or not",
	  .prepare = open_before_copy_up)
{
	char *map = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, file, 0);

	if (map == MAP_FAILED)
		return -1;
	memcpy(piece, map, PIECE);
	expect_piece(PIECE);
	return munmap(map, FILE_SIZE);
}

/* Writing */

static long write_piece(int fd)
{
	memset(piece, 'w', PIECE);
	return pwrite(fd, piece, PIECE, 0);
}

OPERATION(write_upper, "shale_file_fops.write_iter", "a file of the upper is written or not",
	  .prepare = open_both, .flags = TOUCHES)
{
	return write_piece(mine);
}

static void open_copied(void)
{
	file = OK(keep(open("merged/file", O_RDWR)));
	/* In another way than this descriptor sees it. */
	OK(chmod("merged/file", 06770));
}

OPERATION(write_privileged, "shale_file_fops.write_iter", "a set-id file that is written loses its privileges",
	  .prepare = open_copied, .flags = TOUCHES)
{
	return write_piece(file);
}

OPERATION(write_mapped, "shale_file_fops.mmap", "a file is written through a mapping or not",
	  .prepare = open_both, .flags = TOUCHES)
{
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mine, 0);

	if (map == MAP_FAILED)
		return -1;
	map[0] = 'w';
	return munmap(map, 4096);
}

OPERATION(splice_to, "shale_file_fops.splice_write", "a pipe is spliced to a file or not",
	  .prepare = fill_pipe, .flags = TOUCHES)
{
	return splice(pipe_out, NULL, mine, &(loff_t){ 0 }, PIECE, SPLICE_F_NONBLOCK);
}

OPERATION(measure, "shale_file_fops.unlocked_ioctl", "a file without a digest is asked for one or not",
	  .prepare = open_before_copy_up)
{
	struct fsverity_digest digest = { };

	if (!ioctl(file, FS_IOC_MEASURE_VERITY, &digest))
		fail("there is a digest");
	/* What a file system says that has no digest, or does not know what that is. */
	return errno == ENODATA || errno == EOPNOTSUPP || errno == ENOTTY ? 0 : -1;
}

OPERATION(sync_file, "shale_file_fops.fsync", "a file is synced or not", .prepare = open_both)
{
	return fsync(mine);
}

OPERATION(allocate, "shale_file_fops.fallocate", "a file is made longer or not",
	  .prepare = open_both, .flags = TOUCHES)
{
	return fallocate(mine, 0, 0, 5000);
}

OPERATION(copy_range, "shale_file_fops.copy_file_range", "a range of a file is copied or not",
	  .prepare = open_both, .flags = TOUCHES)
{
	return copy_file_range(file, &(loff_t){ 0 }, mine, &(loff_t){ 0 }, PIECE, 0);
}

OPERATION(clone_file, "shale_file_fops.remap_file_range", "a file becomes a clone of another or not",
	  .prepare = open_both, .flags = TOUCHES, .base = "xfs")
{
	return ioctl(mine, FICLONE, file);
}

static void make_equal(void)
{
	open_both();
	OK(ioctl(mine, FICLONE, file));
	OK(fsync(mine));
}

OPERATION(deduplicate, "shale_file_fops.remap_file_range", "equal ranges are shared or not",
	  .prepare = make_equal, .flags = TOUCHES, .base = "xfs")
{
	static struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} request;

	request.range = (struct file_dedupe_range){ .src_length = 4096, .dest_count = 1 };
	request.info = (struct file_dedupe_range_info){ .dest_fd = mine };
	if (ioctl(file, FIDEDUPERANGE, &request))
		return -1;
	return request.info.status < 0 ? failed(-request.info.status) : 0;
}

/* Asynchronous requests */

/* Not left to the end of the process: UML's flush_tlb_mm() goes through an mm that ends at the same time. */
static aio_context_t aio;

static void begin_aio(void)
{
	open_both();
	OK(syscall(SYS_io_setup, 8, &aio));
}

static void end_aio(void)
{
	OK(syscall(SYS_io_destroy, aio));
	aio = 0;
}

static long submit(int fd, int opcode)
{
	struct iocb iocb = {
		.aio_fildes = fd,
		.aio_lio_opcode = opcode,
		.aio_buf = (uintptr_t)piece,
		.aio_nbytes = PIECE,
	};
	struct iocb *list[] = { &iocb };
	struct io_event event;

	if (syscall(SYS_io_submit, aio, 1, list) != 1)
		return -1;
	if (syscall(SYS_io_getevents, aio, 1, 1, &event, NULL) != 1)
		return -1;
	return event.res < 0 ? failed(-event.res) : event.res;
}

OPERATION(read_async, "shale_file_fops.read_iter", "a file is read asynchronously or not",
	  .prepare = begin_aio, .release = end_aio, .error = EAGAIN)
{
	return expect_piece(submit(file, IOCB_CMD_PREAD));
}

OPERATION(write_async, "shale_file_fops.write_iter", "a file is written asynchronously or not",
	  .prepare = begin_aio, .release = end_aio, .error = EAGAIN, .flags = TOUCHES)
{
	memset(piece, 'a', PIECE);
	return submit(mine, IOCB_CMD_PWRITE);
}

/* Limits: what is claimed for a change that fails is given back. */

#define LIMITED .features = "redirect_dir=on,metacopy=on," LIMITS

OPERATION(write_limited, "shale_file_fops.write_iter", "with limits, a file is written or not",
	  .prepare = open_both, .flags = TOUCHES, LIMITED)
{
	return write_piece(mine);
}

OPERATION(open_limited, "shale_file_fops.open", "with limits, a file is copied up or not", LIMITED)
{
	return keep(open("merged/file", O_WRONLY));
}

OPERATION(allocate_limited, "shale_file_fops.fallocate", "with limits, a file is made longer or not",
	  .prepare = open_both, .flags = TOUCHES, LIMITED)
{
	return fallocate(mine, 0, 0, 50000);
}

OPERATION(copy_range_limited, "shale_file_fops.copy_file_range", "with limits, a range of a file is copied or not",
	  .prepare = open_both, .flags = TOUCHES, LIMITED)
{
	return copy_file_range(file, &(loff_t){ 0 }, mine, &(loff_t){ 0 }, PIECE, 0);
}

OPERATION(write_async_limited, "shale_file_fops.write_iter", "with limits, a file is written asynchronously or not",
	  .prepare = begin_aio, .release = end_aio, .error = EAGAIN, .flags = TOUCHES, LIMITED)
{
	memset(piece, 'a', PIECE);
	return submit(mine, IOCB_CMD_PWRITE);
}

OPERATION(create_limited, "shale_dir_iops.create", "with limits, a file is made or not", LIMITED)
{
	return keep(open("merged/new", O_CREAT | O_WRONLY, 0644));
}

OPERATION(tmpfile_limited, "shale_dir_iops.tmpfile", "with limits, a file without a name is made or not", LIMITED)
{
	int fd = open("merged", O_TMPFILE | O_WRONLY, 0644);

	return fd < 0 ? -1 : close(fd);	/* else it counts until it is closed */
}

OPERATION(remove_limited, "shale_dir_iops.unlink", "with limits, a file is removed or not", LIMITED)
{
	return unlink("merged/mine");
}

OPERATION(replace_limited, "shale_dir_iops.rename", "with limits, a file is replaced or not", LIMITED)
{
	return rename("merged/file", "merged/mine");
}

NO_OPERATION("shale_file_fops.setlease shale_dir_fops.setlease",
	     "is the kernel's own: leases are on our inode, and no layer hears of them");
NO_OPERATION("shale_file_fops.compat_ioctl", "is the kernel's own, and goes on to unlocked_ioctl");
NO_OPERATION("shale_file_fops.iopoll", "is not there: a place that older kernels have for fop_flags");
NO_OPERATION("shale_file_fops.owner shale_file_fops.fop_flags", "are no functions");

CASES_MAIN
