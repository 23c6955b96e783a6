// SPDX-License-Identifier: GPL-2.0
/*
 * A request to our file becomes a request of its own to the real file. A synchronous one
 * lives on the stack. An asynchronous one lives until two have let go of it: whoever submits it,
 * because file systems look at it even after they have queued it, and its completion.
 */
#include "vfs/aio.h"

#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "stack/inode.h"
#include "stack/quota.h"
#include "stack/sb.h"
#include "stack/variant.h"
#include "vfs/file.h"

struct aio {
	struct kiocb real;		/* counts its file */
	struct kiocb *user;		/* valid until completed; keeps our file */
	refcount_t ref;
	long res;
	struct work_struct work;	/* completes a write */
};

/* Ends writes outside of the interrupts in which bases complete them. */
static struct workqueue_struct *write_queue;

/*
 * What a request to the real file takes over. The others say how the issuer treats its own
 * iocb: that it lies in an aio_kiocb or has a waitqueue, or that its completion may be left to
 * it. Of ours none of that is true.
 */
#define PASSED_FLAGS (IOCB_NOWAIT | IOCB_NOIO | IOCB_DSYNC | IOCB_SYNC | IOCB_APPEND | \
		      IOCB_ATOMIC | IOCB_DONTCACHE | IOCB_DIRECT | IOCB_WRITE)

/* Polling goes from the issuer's iocb to a device, and ours is in between. */
#define PASSED_FLAGS_SYNC (PASSED_FLAGS | IOCB_HIPRI)

static void clone_request(struct kiocb *real, struct kiocb *user, struct file *file, int flags)
{
	const struct shale_sb *sbi = shale_sb(file_inode(user->ki_filp)->i_sb);

	/* It is for what the page cache keeps; where that can't be said, more is kept. */
	if (!can_dontcache(file))
		flags &= ~IOCB_DONTCACHE;
	if (shale_is_volatile(&sbi->features))
		flags &= ~(IOCB_DSYNC | IOCB_SYNC);
	kiocb_clone(real, user, file);
	real->ki_flags &= flags;
}

static struct aio *aio_begin(struct file *real, struct kiocb *user,
			     void (*complete)(struct kiocb *, long))
{
	struct aio *aio = kzalloc(sizeof(*aio), GFP_KERNEL);

	if (!aio)
		return NULL;
	clone_request(&aio->real, user, get_file(real), PASSED_FLAGS);
	aio->real.ki_complete = complete;
	aio->user = user;
	refcount_set(&aio->ref, 2);
	return aio;
}

/* In any context. */
static void aio_put(struct aio *aio)
{
	if (refcount_dec_and_test(&aio->ref)) {
		fput(aio->real.ki_filp);
		kfree(aio);
	}
}

/* The submitter's end: a request that was not queued is complete, and nobody else will say so. */
static ssize_t aio_submitted(struct aio *aio, ssize_t ret)
{
	if (ret != -EIOCBQUEUED) {
		aio->user->ki_pos = aio->real.ki_pos;
		aio_put(aio);
	}
	aio_put(aio);
	return ret;
}

/* In any context. The user's iocb may be gone when this returns, and our file with it. */
static void aio_complete(struct aio *aio, long res)
{
	struct kiocb *user = aio->user;

	user->ki_pos = aio->real.ki_pos;
	aio_put(aio);
	user->ki_complete(user, res);
}

/* Reading */

static void read_complete(struct kiocb *real, long res)
{
	aio_complete(container_of(real, struct aio, real), res);
}

ssize_t shale_read_real(struct file *real, struct kiocb *iocb, struct iov_iter *iter)
{
	struct aio *aio;

	if (is_sync_kiocb(iocb)) {
		struct kiocb sync;
		ssize_t ret;

		clone_request(&sync, iocb, real, PASSED_FLAGS_SYNC);
		ret = vfs_iocb_iter_read(real, &sync, iter);
		iocb->ki_pos = sync.ki_pos;
		return ret;
	}

	aio = aio_begin(real, iocb, read_complete);
	if (!aio)
		return -ENOMEM;
	return aio_submitted(aio, vfs_iocb_iter_read(real, &aio->real, iter));
}

/* Writing */

/*
 * Our size and times follow the upper's. Without our inode's lock, whose holder may take as long as
 * it likes: a writer that splices from an empty pipe holds it for good.
 */
static void write_complete_work(struct work_struct *work)
{
	struct aio *aio = container_of(work, struct aio, work);

	unsigned int noio = memalloc_noio_save();	/* a swap device may wait for this one */

	shale_upper_write_end(shale_sb(file_inode(aio->user->ki_filp)->i_sb)->upper,
			      aio->real.ki_filp);
	shale_inode_copyattr(file_inode(aio->user->ki_filp));
	aio->res = shale_file_written(aio->user->ki_filp, aio->real.ki_filp,
				      aio->user->ki_flags & IOCB_DSYNC, aio->res);
	memalloc_noio_restore(noio);
	aio_complete(aio, aio->res);
}

static void write_complete(struct kiocb *real, long res)
{
	struct aio *aio = container_of(real, struct aio, real);

	shale_upper_write_done(shale_sb(file_inode(aio->user->ki_filp)->i_sb)->upper, real);
	aio->res = res;
	INIT_WORK(&aio->work, write_complete_work);
	queue_work(write_queue, &aio->work);
}

/*
 * XFS decides by the position whether a direct write leaves part of a block as it is, before it
 * moves to the end to append. Of a block that is shared, as after a copy-up, the rest would be
 * lost.
 */
static void begin_at_end(struct kiocb *real)
{
	const int flags = IOCB_APPEND | IOCB_DIRECT;

	if ((real->ki_flags & flags) == flags)
		real->ki_pos = i_size_read(file_inode(real->ki_filp));
}

ssize_t shale_write_real(const struct shale_token *tok, struct file *real, struct kiocb *iocb,
			 struct iov_iter *iter)
{
	const struct shale_sb *sbi = shale_sb(file_inode(iocb->ki_filp)->i_sb);
	struct aio *aio;

	/* What is claimed of a quota is given back when this returns. */
	if (is_sync_kiocb(iocb) || shale_quota_counts(sbi)) {
		struct kiocb sync;
		ssize_t ret;

		clone_request(&sync, iocb, real, PASSED_FLAGS_SYNC);
		begin_at_end(&sync);
		ret = shale_upper_write_iocb(tok, real, &sync, iter);
		iocb->ki_pos = sync.ki_pos;
		return ret;
	}

	aio = aio_begin(real, iocb, write_complete);
	if (!aio)
		return -ENOMEM;
	begin_at_end(&aio->real);
	return aio_submitted(aio, shale_upper_write_iocb(tok, real, &aio->real, iter));
}

/* Life of the module */

int shale_aio_init(void)
{
	write_queue = alloc_workqueue(SHALE_NAME "-write", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return write_queue ? 0 : -ENOMEM;
}

/* No file is open any more; an item that let go of the last one may still be returning. */
void shale_aio_exit(void)
{
	destroy_workqueue(write_queue);
}
