// SPDX-License-Identifier: GPL-2.0
/*
 * Open directories. Where one part alone has the names, they are read from there as they come, in
 * its order and with its positions; else all parts together show the names that union/names.c
 * has put together.
 *
 * With nfs_export=on it is always the latter: what clients hold of a position must outlive the
 * copy-up of the directory, after which two parts have the names.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "compat/real_file.h"
#include "stack/base.h"
#include "stack/creds.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/upper.h"
#include "union/listing.h"
#include "union/names.h"
#include "union/read_dir.h"
#include "vfs/operations.h"

/*
 * file->private_data of our directories; none before the first reading. What is read is chosen
 * anew at the start only, so that one pass shows one state. The position's lock keeps readers of
 * one open directory apart.
 */
struct reading {
	struct shale_names names;
	struct shale_entry *entry;	/* counted: of the only part, which is open; or NULL */
	struct file *real;		/* that one; or NULL */
};

static void stop_reading(struct reading *reading)
{
	if (reading->real)
		fput(reading->real);
	shale_entry_put(reading->entry);
	shale_names_put(&reading->names);
	*reading = (struct reading){ };
}

/* Has one part all that is to be shown, with the numbers to be shown? Return: 1, 0 or an errno. */
static int is_plain(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	const struct path path = shale_entry_path(sbi, entry);
	int impure;

	if (shale_entry_merged(entry) || shale_feature_on(&sbi->features, SHALE_NFS_EXPORT))
		return 0;
	if (!entry->upper)
		return 1;
	impure = shale_mark_present(sbi, &path, SHALE_MARK_IMPURE);
	return impure < 0 ? impure : !impure;
}

static int start_reading(struct file *file, struct reading *reading)
{
	struct inode *dir = file_inode(file);
	struct shale_sb *sbi = shale_sb(dir->i_sb);
	struct path path;
	int plain;

	reading->entry = shale_entry_get(dir);
	path = shale_entry_path(sbi, reading->entry);
	{
		CLASS(shale_mounter, cred)(dir->i_sb);

		plain = is_plain(sbi, reading->entry);
		if (plain > 0) {
			reading->real = shale_real_dir_open(&path);
			if (IS_ERR(reading->real))
				plain = PTR_ERR(xchg(&reading->real, NULL));
		}
	}
	if (plain > 0)
		return 0;
	shale_entry_put(xchg(&reading->entry, NULL));
	return plain ?: shale_names_get(dir, &reading->names);
}

static bool is_to_start(const struct file *file, const struct reading *reading, bool rewound)
{
	/* The upper's part may have got copies since, whose names say nothing of their numbers. */
	if (reading->real)
		return rewound && (reading->entry->upper || reading->entry !=
				   rcu_access_pointer(shale_inode(file_inode(file))->entry));
	return rewound || !reading->names.entry;
}

static struct reading *reading_of(struct file *file, bool rewound)
{
	struct reading *reading = file->private_data;
	int err;

	if (!reading) {
		reading = kzalloc(sizeof(*reading), GFP_KERNEL_ACCOUNT);
		if (!reading)
			return ERR_PTR(-ENOMEM);
		file->private_data = reading;
	}
	if (!is_to_start(file, reading, rewound))
		return reading;
	stop_reading(reading);
	err = start_reading(file, reading);
	return err ? ERR_PTR(err) : reading;
}

/* Names that are put together */

/* What 32-bit callers see of a position must fit into their long. */
static bool is_narrow(const struct file *file)
{
	if (file->f_mode & FMODE_32BITHASH)
		return true;
	if (file->f_mode & FMODE_64BITHASH)
		return false;
	return BITS_PER_LONG == 32 || in_compat_syscall();
}

/* Names of the only part */

struct relay {
	struct dir_context ctx;
	struct dir_context *reader;
	struct dentry *dir;		/* ours */
	const struct shale_entry *entry;
	unsigned int base;		/* of the part's layer */
	bool ask;			/* numbers may have to be translated */
	bool xwhiteouts;

	bool doubtful;			/* it ended at this name, which may be a whiteout: */
	bool judged;			/* no, that was found out */
	bool hidden;			/* yes */
	unsigned int type;
	unsigned int len;
	char *name;			/* NAME_MAX bytes */
};

static bool is_known(const struct relay *relay, const char *name, int len)
{
	return (relay->judged || relay->hidden) && len == relay->len &&
	       !memcmp(name, relay->name, len);
}

static u64 number_of_dots(const struct relay *relay, int len)
{
	return len == 1 ? d_inode(relay->dir)->i_ino : d_parent_ino(relay->dir);
}

/* Under the lock of the real directory: what has to be looked up ends it. */
static bool relay_name(struct dir_context *ctx, const char *name, int len, loff_t pos, u64 ino,
		       unsigned int type)
{
	struct relay *relay = container_of(ctx, struct relay, ctx);
	struct dir_context *reader = relay->reader;

	if (shale_name_is_dots(name, len))
		return reader->actor(reader, name, len, pos, number_of_dots(relay, len), type);

	if (is_known(relay, name, len)) {
		if (relay->hidden)
			return true;
		type = relay->type;
	} else if (shale_name_is_doubtful(type, relay->xwhiteouts) && len <= NAME_MAX) {
		relay->doubtful = true;
		relay->type = type;
		relay->len = len;
		memcpy(relay->name, name, len);
		return false;
	}
	if (relay->ask)
		ino = shale_name_number(relay->dir, (struct qstr)QSTR_INIT(name, len), relay->base,
					ino, type == DT_DIR ? SHALE_ASK_INODE : SHALE_ASK_NOBODY);
	return reader->actor(reader, name, len, pos, ino, type);
}

/* Return: 0 or an errno. */
static int judge_doubtful(struct relay *relay)
{
	const struct shale_sb *sbi = shale_sb(relay->dir->d_sb);
	const struct path path = shale_entry_path(sbi, relay->entry);
	int show = shale_name_judge(sbi, &path, relay->xwhiteouts, relay->name, relay->len,
				    &relay->type);

	relay->doubtful = false;
	relay->judged = show > 0;
	relay->hidden = !show;
	return min(show, 0);
}

/* As the mounter, who opened the part, and is asked once more by security modules. */
static int relay_names(struct file *file, const struct reading *reading, struct dir_context *ctx)
{
	const struct shale_sb *sbi = shale_sb(file_inode(file)->i_sb);
	struct file *real = reading->real;
	char name[NAME_MAX];
	struct relay relay = {
		.ctx.actor = relay_name,
		.reader = ctx,
		.dir = file_dentry(file),
		.entry = reading->entry,
		.base = shale_entry_layer(sbi, reading->entry)->base,
		.ask = sbi->nr_base > 1,
		.xwhiteouts = !reading->entry->upper && reading->entry->lower->part[0].xwhiteouts,
		.name = name,
	};
	loff_t pos = real->f_pos;
	int err = 0;

	CLASS(shale_mounter, cred)(sbi->sb);

	if (pos != ctx->pos)
		pos = vfs_llseek(real, ctx->pos, SEEK_SET);
	if (pos < 0)
		return pos;
	do {
		if (relay.doubtful)
			err = judge_doubtful(&relay);
		if (!err)
			err = iterate_dir(real, &relay.ctx);
		ctx->pos = real->f_pos;
	} while (err >= 0 && relay.doubtful);
	return min(err, 0);
}

static int shale_iterate(struct file *file, struct dir_context *ctx)
{
	const struct reading *reading = reading_of(file, !ctx->pos);

	if (IS_ERR(reading))
		return PTR_ERR(reading);
	if (reading->real)
		return relay_names(file, reading, ctx);
	if (!dir_emit_dots(file, ctx))
		return 0;
	return shale_names_emit(&reading->names, file_dentry(file), ctx, is_narrow(file));
}

/*
 * Which positions there are, depends on what is read. Rewinding is the same everywhere, and
 * frequent.
 */
static loff_t shale_dir_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *dir = file_inode(file);
	struct reading *reading;

	if (offset || whence != SEEK_SET) {
		inode_lock_shared(dir);
		reading = reading_of(file, false);
		inode_unlock_shared(dir);
		if (IS_ERR(reading))
			return PTR_ERR(reading);
		/* The part's own position is behind ours after rewinding. */
		if (reading->real && whence == SEEK_CUR) {
			offset += file->f_pos;
			whence = SEEK_SET;
		}
		if (reading->real) {
			offset = vfs_llseek(reading->real, offset, whence);
			if (offset >= 0)
				file->f_pos = offset;
			return offset;
		}
	}
	return generic_file_llseek_size(file, offset, whence, S64_MAX,
					shale_names_end(is_narrow(file)));
}

static int shale_dir_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		stop_reading(file->private_data);
	kfree(file->private_data);
	return 0;
}

static int shale_dir_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return shale_sync_object(file_inode(file));
}

const struct file_operations shale_dir_fops = {
	.owner		= THIS_MODULE,
	.read		= generic_read_dir,
	.iterate_shared	= shale_iterate,
	.llseek		= shale_dir_llseek,
	.release	= shale_dir_release,
	.fsync		= shale_dir_fsync,
	.setlease	= generic_setlease,
};
