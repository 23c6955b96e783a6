/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The upper layer, and the one gate to every mutation of it.
 *
 * Whoever changes the upper, data included, holds a token. shale_upper_begin() gives the token
 * out: from then to shale_upper_end() the task is inside the gate (stack/gate.h), runs with the
 * mounter's credentials and holds write access to the upper's mount (freeze protection). Nobody
 * takes a second one. Every function here that mutates takes the token as argument, so that a path
 * that forgot it does not compile; and no other file of the module calls a vfs_* function that
 * mutates.
 *
 *	CLASS(shale_upper, tok)(sb);
 *
 *	if (tok.err)
 *		return tok.err;
 *
 * Data paths take freeze protection through the real file themselves (the kernel does it in
 * vfs_iter_write(), do_splice_direct() and others, and asynchronous writes keep it until they
 * complete); they use CLASS(shale_upper_io, tok)(sb, written): credentials and the token, no write
 * access. Where a caller writes, @written is the upper's inode, and the credentials are those of
 * the mounter, less the right to write a program and keep its set-id bits if the caller has not
 * got that: so the upper takes them off itself, under its own lock.
 */
#ifndef SHALE_STACK_UPPER_H
#define SHALE_STACK_UPPER_H

#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/posix_acl.h>

#include "stack/gate.h"
#include "stack/layer.h"
#include "stack/sb.h"
#include "stack/touched.h"

struct shale_upper {
	struct shale_layer *layer;	/* the stack's */
	struct dentry *root;		/* of the layer; counted */
	struct dentry *workbase;	/* the user's work directory; counted */
	struct dentry *workdir;		/* "work" in it: where temporary objects live; counted */
	struct dentry *indexdir;	/* "index" in it; counted; NULL: without index */
	struct dentry *whiteout;	/* in "work", to be linked where one is needed; or NULL */
	spinlock_t whiteout_lock;	/* changes of @whiteout, and getting a reference of it */
	struct inode *root_in_use;	/* marked in use by us, or NULL */
	struct inode *work_in_use;
	bool has_tmpfile;		/* found by trying, at mount: O_TMPFILE */
	bool has_redirects;		/* such marks were made or met; only ever set, by anyone */
	bool has_metacopies;
	bool has_xattr;			/* and marks */
	bool is_volatile;		/* and marked so in the work directory */
	unsigned long told_errors;	/* bit 0: that it failed has been told */
	struct shale_gate *gate;
	struct shale_touched touched;
	errseq_t errors_before;		/* what had failed to be written when it was mounted */
};

struct shale_token {
	int err;			/* not 0: there is no token, touch nothing */
	u64 epoch;			/* of the stack whose upper this is */
	struct shale_upper *upper;
	const struct cred *caller;	/* the credentials that were replaced */
	bool write;			/* holds write access to the mount */
	bool outside;			/* of the gate: it was left for good */
};

/*
 * -EROFS without an upper, -EINTR, else what mnt_want_write() says. Sleeps while the upper is
 * frozen or the gate is closed.
 */
struct shale_token shale_upper_begin(struct super_block *sb);
struct shale_token shale_upper_begin_io(struct super_block *sb, const struct inode *written);
/* -EAGAIN where that would sleep at the gate. */
struct shale_token shale_upper_try_io(struct super_block *sb, const struct inode *written);
/* For what must be cleaned up, even by a task that is being killed. */
struct shale_token shale_upper_begin_cleanup(struct super_block *sb);
void shale_upper_end(const struct shale_token *tok);

/*
 * Between two steps of something long, with a token of shale_upper_begin_io(): the gate may close.
 * Return: 0, or -EINTR when the task is being killed; then the token is good for nothing.
 */
int shale_upper_step_aside(struct shale_token *tok);

DEFINE_CLASS(shale_upper, struct shale_token, shale_upper_end(&_T), shale_upper_begin(sb),
	     struct super_block *sb)
DEFINE_CLASS(shale_upper_io, struct shale_token, shale_upper_end(&_T),
	     shale_upper_begin_io(sb, written), struct super_block *sb, const struct inode *written)
DEFINE_CLASS(shale_upper_try_io, struct shale_token, shale_upper_end(&_T),
	     shale_upper_try_io(sb, written), struct super_block *sb, const struct inode *written)
DEFINE_CLASS(shale_upper_cleanup, struct shale_token, shale_upper_end(&_T),
	     shale_upper_begin_cleanup(sb), struct super_block *sb)

static inline struct mnt_idmap *shale_upper_idmap(const struct shale_token *tok)
{
	return mnt_idmap(tok->upper->layer->mnt);
}

static inline struct path shale_upper_path(const struct shale_token *tok, struct dentry *dentry)
{
	return (struct path){ .mnt = tok->upper->layer->mnt, .dentry = dentry };
}

/* What a new name leads to. */
struct shale_new {
	umode_t mode;			/* type and mode */
	dev_t rdev;			/* of a device */
	const char *target;		/* of a symbolic link */
	struct dentry *link_to;		/* an object of the upper that gets another name; or NULL */
};

/*
 * Names in the upper and the work directory. These take i_rwsem of the directory and look the
 * name up; an outsider may have changed the upper meanwhile.
 */

/**
 * shale_upper_make - make an object
 * Return: its dentry, counted; ERR_PTR(-EEXIST) when the name is taken, or what the upper says.
 */
struct dentry *shale_upper_make(const struct shale_token *tok, struct dentry *dir,
				const struct qstr *name, const struct shale_new *what);

/**
 * shale_upper_remove - remove a name, a directory's only when it is empty
 * @victim: what it must lead to
 * Return: 0; -ESTALE when it leads elsewhere, or what the upper says.
 */
int shale_upper_remove(const struct shale_token *tok, struct dentry *dir, const struct qstr *name,
		       const struct dentry *victim);

/* The same by dentry. -EINVAL when it has left @dir. */
int shale_upper_remove_dentry(const struct shale_token *tok, struct dentry *dir,
			      struct dentry *dentry);

/*
 * In three steps, for those who do more under the lock: start_creating(), something, and
 * end_creating() of <linux/namei.h> or, once the name is there, shale_upper_end_creating().
 * Return: the name's dentry, positive or negative, with the lock and a reference; or ERR_PTR,
 * with neither.
 */
struct dentry *shale_upper_start_creating(const struct shale_token *tok, struct dentry *dir,
					  const struct qstr *name);
int shale_upper_link(const struct shale_token *tok, struct dentry *old, struct dentry *dir,
		     struct dentry *dentry);
/* Return: the dentry that leads to what was made, which may be another one; or ERR_PTR. */
struct dentry *shale_upper_end_creating(const struct shale_token *tok, struct dentry *dir,
					const struct qstr *name, struct dentry *dentry);

/*
 * Renaming in three steps: start, shale_upper_rename(), end_renaming(). @rd has both parents; when
 * it is started, it has both dentries too, the new one positive or negative, and the
 * locks. Flags are given before shale_upper_rename().
 */
int shale_upper_start_renaming(const struct shale_token *tok, struct renamedata *rd,
			       const struct qstr *old_name, const struct qstr *new_name);
int shale_upper_start_renaming_dentry(const struct shale_token *tok, struct renamedata *rd,
				      struct dentry *old, const struct qstr *new_name);
int shale_upper_rename(const struct shale_token *tok, struct renamedata *rd);

/*
 * An unnamed regular file in a directory of the upper or the work directory, whose ACLs and
 * group it inherits, open for writing. It can be given a name by shale_upper_link().
 */
struct file *shale_upper_tmpfile(const struct shale_token *tok, struct dentry *dir, umode_t mode);
/* It can again, after a name that it had for a moment was taken away. */
void shale_upper_make_linkable(const struct shale_token *tok, struct dentry *unnamed);

/* Attributes. Each takes i_rwsem of the object by itself, but for the one that says otherwise. */
int shale_upper_setattr(const struct shale_token *tok, struct dentry *dentry, struct iattr *attr);
int shale_upper_setattr_locked(const struct shale_token *tok, struct dentry *dentry,
			       struct iattr *attr);
int shale_upper_setxattr(const struct shale_token *tok, struct dentry *dentry, const char *name,
			 const void *value, size_t size, int flags);
int shale_upper_removexattr(const struct shale_token *tok, struct dentry *dentry, const char *name);
int shale_upper_set_acl(const struct shale_token *tok, struct dentry *dentry, const char *name,
			struct posix_acl *acl);	/* acl NULL: remove */
int shale_upper_fileattr_set(const struct shale_token *tok, struct dentry *dentry,
			     struct file_kattr *fa);
int shale_upper_fsync(const struct shale_token *tok, struct dentry *dentry);
/* The same, but that file systems that know no fsync(2) have nothing that they could do. */
int shale_upper_settle(const struct shale_token *tok, struct dentry *dentry);
/* Would a write sleep now, until the upper is thawed or the gate is open? */
bool shale_upper_is_frozen(struct super_block *sb);
/* A file was mapped so that it can be written, from when the token ends on. */
void shale_upper_mapped(const struct shale_token *tok);

/*
 * Writes all that the upper's file system has in memory; the second one only if this mount may
 * have changed something since it last did. Without a token.
 */
int shale_upper_sync(const struct shale_upper *upper);
int shale_upper_sync_touched(struct shale_upper *upper);
/* Notes an access; with a token of shale_upper_begin_io(), as it waits for no freeze protection. */
void shale_upper_touch_atime(const struct shale_token *tok, struct dentry *dentry);

/*
 * Data, with a token of shale_upper_begin_io(); real is an open file of the upper.
 * Meaning and results are those of the vfs_* functions of the same names.
 *
 * A write that was queued (-EIOCBQUEUED) stays inside the gate, without credentials, until
 * shale_upper_write_done(), which is called once when it completes, in any context. Then comes
 * shale_upper_write_end(), from a task, before anybody is told.
 */
ssize_t shale_upper_write_iocb(const struct shale_token *tok, struct file *real,
			       struct kiocb *iocb, struct iov_iter *iter);
void shale_upper_write_done(const struct shale_upper *upper, struct kiocb *iocb);
void shale_upper_write_end(struct shale_upper *upper, struct file *real);
ssize_t shale_upper_splice_write(const struct shale_token *tok, struct pipe_inode_info *pipe,
				 struct file *real, loff_t *pos, size_t len, unsigned int flags);
ssize_t shale_upper_splice(const struct shale_token *tok, struct file *in, loff_t *in_pos,
			   struct file *real, loff_t *pos, size_t len);
int shale_upper_fallocate(const struct shale_token *tok, struct file *real, int mode,
			  loff_t offset, loff_t len);
/* Copies by whatever means there is, also between file systems. */
ssize_t shale_upper_copy(const struct shale_token *tok, struct file *in, loff_t in_pos,
			 struct file *real, loff_t pos, size_t len);
loff_t shale_upper_clone(const struct shale_token *tok, struct file *in, loff_t in_pos,
			 struct file *real, loff_t pos, loff_t len, unsigned int flags);
loff_t shale_upper_dedupe(const struct shale_token *tok, struct file *in, loff_t in_pos,
			  struct file *real, loff_t pos, loff_t len, unsigned int flags);

/**
 * shale_upper_open - take the stack's upper and work directory for this mount
 * Return: 0, -ENOMEM, or with a message in @fc: -EBUSY when another mount has either, -EPERM when
 * they are not the mounter's to take. Whatever the result, shale_upper_close() undoes it.
 */
int shale_upper_open(struct shale_sb *sbi, struct fs_context *fc);
void shale_upper_close(struct shale_sb *sbi);

/* Is the layer the upper, or the work directory, of a live mount (ours or overlayfs's)? */
bool shale_layer_in_use(const struct shale_layer *layer);

/* What to do about one that is: -EBUSY with a message in @fc; as overlay.ko a warning, and 0. */
int shale_layer_refuse_in_use(const struct shale_layer *layer, struct fs_context *fc,
			      const char *option);

#endif
