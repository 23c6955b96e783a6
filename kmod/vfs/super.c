// SPDX-License-Identifier: GPL-2.0
/* The superblock: made from a stack, shown, synced, taken down. */
#include "vfs/super.h"

#include <linux/cred.h>
#include <linux/fscrypt.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/string_helpers.h>
#include <linux/uuid.h>
#include <net/net_namespace.h>

#include "stack/base.h"
#include "stack/creds.h"
#include "stack/events.h"
#include "stack/inode.h"
#include "stack/marks.h"
#include "stack/name.h"
#include "stack/quota.h"
#include "stack/upper.h"
#include "stack/uuid.h"
#include "stack/variant.h"
#include "union/abilities.h"
#include "union/index.h"
#include "union/listings.h"
#include "union/usage.h"
#include "union/volatile.h"
#include "union/workdir.h"
#include "vfs/export.h"
#include "vfs/operations.h"

static int shale_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(d_inode(sb->s_root));
	const struct path path = shale_entry_path(shale_sb(sb), entry);
	int err = vfs_statfs(&path, buf);

	if (err)
		return err;
	buf->f_type = SHALE_SUPER_MAGIC;
	if (!uuid_is_null(&sb->s_uuid))
		buf->f_fsid = uuid_to_fsid(sb->s_uuid.b);
	shale_quota_statfs(shale_sb(sb), buf);
	return 0;
}

/* Making a superblock */

static unsigned int nr_layers(const struct shale_stack *stack)
{
	return stack->nr_lower + !!stack->upper;
}

/* The layers by number, the upper first. */
static struct shale_layer *layer_at(const struct shale_stack *stack, unsigned int i)
{
	if (stack->upper)
		return i ? stack->lower[i - 1] : stack->upper;
	return stack->lower[i];
}

static int check_layers(struct super_block *sb, const struct shale_stack *stack,
			struct fs_context *fc)
{
	const struct shale_config *config = fc->fs_private;
	const struct shale_layer *which;
	const char *why;
	unsigned int i;
	int err = shale_stack_check(stack, &why, &which);

	if (err) {
		errorfc(fc, "layers refused: %s%s%s", which ? which->name : "", which ? ": " : "",
			why ?: "out of memory");
		return err;
	}

	/* overlayfs's rule, for those who use its options. */
	if (SHALE_IS_OVERLAY && !config->described && nr_layers(stack) < 2) {
		errorfc(fc, "at least two lower layers are needed where there is no upper");
		return -EINVAL;
	}
	for (i = 0; i < nr_layers(stack); i++) {
		struct shale_layer *layer = layer_at(stack, i);

		if (layer != stack->upper && shale_layer_in_use(layer)) {
			err = shale_layer_refuse_in_use(layer, fc, "lowerdir");
			if (err)
				return err;
		}
		sb->s_stack_depth = max(sb->s_stack_depth, shale_layer_sb(layer)->s_stack_depth);
	}
	if (++sb->s_stack_depth > FILESYSTEM_MAX_STACK_DEPTH) {
		errorfc(fc, "too many stacking file systems on one another, %d is the most",
			FILESYSTEM_MAX_STACK_DEPTH);
		return -EINVAL;
	}
	return 0;
}

static int set_trap(struct super_block *sb, struct dentry *root)
{
	struct shale_sb *sbi = shale_sb(sb);
	struct inode *trap = shale_inode_trap(sb, root);

	if (IS_ERR(trap))
		return PTR_ERR(trap);
	sbi->trap[sbi->nr_trap++] = trap;
	return 0;
}

/* No look-up may get into one layer, or the work directory, through another. */
static int set_traps(struct super_block *sb)
{
	struct shale_sb *sbi = shale_sb(sb);
	const struct shale_stack *stack = sbi->stack;
	unsigned int i;
	int err = 0;

	sbi->trap = kvcalloc(nr_layers(stack) + 1, sizeof(*sbi->trap), GFP_KERNEL_ACCOUNT);
	if (!sbi->trap)
		return -ENOMEM;
	for (i = 0; !err && i < nr_layers(stack); i++)
		err = set_trap(sb, layer_at(stack, i)->mnt->mnt_root);
	if (!err && stack->work)
		err = set_trap(sb, stack->work->mnt->mnt_root);
	return err;
}

static void drop_traps(struct shale_sb *sbi)
{
	while (sbi->nr_trap)
		iput(sbi->trap[--sbi->nr_trap]);
	kvfree(sbi->trap);
	sbi->trap = NULL;
}

/* The mounter's credentials, less the right to use what is reserved for root. */
static struct cred *mounter_creds(void)
{
	struct cred *cred = prepare_creds();

	if (cred)
		cap_lower(cred->cap_effective, CAP_SYS_RESOURCE);
	return cred;
}

static const struct cred *writer_creds(void)
{
	struct cred *cred = mounter_creds();

	if (cred)
		cap_lower(cred->cap_effective, CAP_FSETID);
	return cred;
}

/* Moves what the mount needs of the configuration into a new shale_sb. */
static int take_config(struct super_block *sb, struct fs_context *fc)
{
	struct shale_config *config = fc->fs_private;
	struct shale_sb *sbi = kzalloc(sizeof(*sbi), GFP_KERNEL_ACCOUNT);

	if (!sbi)
		return -ENOMEM;
	sb->s_fs_info = sbi;
	sbi->sb = sb;
	INIT_LIST_HEAD(&sbi->link);
	shale_listings_begin(&sbi->listings);
	spin_lock_init(&sbi->events.lock);
	sbi->events.net = get_net(fc->net_ns);
	sbi->events.mask = SHALE_ALL_EVENTS;
	/* So that they can't crowd out those of others. */
	if (fc->user_ns != &init_user_ns)
		sbi->events.rate = SHALE_EVENT_RATE_OF_OTHERS;
	sbi->stack = no_free_ptr(config->stack);
	sbi->lowerdir = no_free_ptr(config->lowerdir);
	sbi->upperdir = no_free_ptr(config->upperdir);
	sbi->workdir = no_free_ptr(config->workdir);
	sbi->features = config->options.features;
	sbi->default_permissions = config->options.default_permissions;
	sbi->source = kstrdup(fc->source ?: "none", GFP_KERNEL_ACCOUNT);
	sbi->mounter = mounter_creds();
	sbi->writer = writer_creds();
	if (!sbi->source || !sbi->mounter || !sbi->writer)
		return -ENOMEM;
	return shale_counters_init(&sbi->counters);
}

/* May names of this layer change while we hold their dentries, as on network file systems? */
static bool layer_revalidates(const struct shale_layer *layer)
{
	if (shale_sb_revalidates(shale_layer_sb(layer)))
		return true;
	/* The root may have operations of its own, as may what lies below it. */
	return layer->mnt->mnt_root->d_flags & (DCACHE_OP_REVALIDATE | DCACHE_OP_WEAK_REVALIDATE);
}

/*
 * Not where that is only so that names found without a key are asked for again: of them it is known
 * by directory. See shale_names_change().
 */
static bool layer_changes(const struct shale_layer *layer)
{
	const struct dentry_operations *op = layer->mnt->mnt_root->d_op;

	return layer_revalidates(layer) && !(op && op->d_revalidate == fscrypt_d_revalidate);
}

static void set_up_sb(struct super_block *sb)
{
	const struct shale_stack *stack = shale_sb(sb)->stack;
	bool revalidates = false;
	unsigned int i;

	sb->s_magic = SHALE_SUPER_MAGIC;
	sb->s_op = &shale_super_operations;
	shale_sb_set_xattr(sb, shale_xattr_handlers);
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran = 1;
	sb->s_flags |= SB_POSIXACL;
	/* sync(2) reaches the layers by themselves; the umask is applied where they create. */
	sb->s_iflags |= SB_I_SKIP_SYNC | SB_I_NOUMASK | SB_I_EVM_HMAC_UNSUPPORTED;
	for (i = 0; i < nr_layers(stack); i++) {
		const struct shale_layer *layer = layer_at(stack, i);

		revalidates |= layer_revalidates(layer);
		shale_sb(sb)->layers_change |= layer_changes(layer);
		/* Who was given a file system without programs can't get at them by stacking. */
		if (sb->s_user_ns != &init_user_ns && (layer->mnt->mnt_flags & MNT_NOEXEC))
			sb->s_iflags |= SB_I_NOEXEC;
	}
	shale_sb(sb)->casefolded = shale_stack_casefolded(stack);
	if (shale_sb(sb)->casefolded)
		shale_sb_set_encoding(sb, shale_layer_sb(stack->lower[0]));
	set_default_d_op(sb, shale_dentry_operations_for(revalidates, shale_sb(sb)->casefolded));
	if (!stack->upper)
		sb->s_flags |= SB_RDONLY;
}

static int prepare_upper(struct super_block *sb, struct fs_context *fc)
{
	int err = shale_workdir_prepare(sb, fc);

	if (!err)
		err = shale_volatile_begin(sb, fc);
	if (err)
		return err;
	shale_uuid_open(sb);
	return shale_index_open(sb, fc);
}

static int open_upper(struct super_block *sb, struct fs_context *fc)
{
	const struct shale_config *config = fc->fs_private;
	struct shale_sb *sbi = shale_sb(sb);
	int err, limit_err;

	if (!sbi->stack->upper)
		return 0;
	err = shale_upper_open(sbi, fc);
	if (!err && shale_options_limit(&config->options))
		err = shale_quota_open(sbi, &config->options.max, fc);
	if (err)
		return err;
	err = prepare_upper(sb, fc);
	/* Limits of the base hold again, whatever becomes of the mount. */
	limit_err = shale_quota_enforce(sbi, fc);
	if (!err && !limit_err && shale_quota_counts(sbi))
		err = shale_usage_count(sb, fc);
	return err ?: limit_err;
}

/*
 * That a root is opaque means nothing, as it was named to be merged; but it may say that what is
 * in it may be whiteouts. As in each directory, in the lowest there is nothing to be hidden.
 */
static void root_part(const struct shale_sb *sbi, struct shale_part *part,
		      struct shale_layer *layer, bool bottom)
{
	const struct path path = { .mnt = layer->mnt, .dentry = layer->mnt->mnt_root };

	part->layer = layer;
	part->dentry = dget(path.dentry);
	part->xwhiteouts = !bottom && shale_mark_opaque(sbi, &path) == SHALE_OPAQUE_XWHITEOUT;
}

/* The root stands on the roots of all layers that are merged. */
static struct shale_entry *root_entry(struct shale_sb *sbi)
{
	const struct shale_stack *stack = sbi->stack;
	struct shale_parts *parts = shale_parts_alloc(shale_stack_nr_merged(stack));
	struct shale_entry *entry;
	unsigned int i;

	if (!parts)
		return NULL;
	for (i = 0; i < parts->nr; i++)
		root_part(sbi, &parts->part[i], stack->lower[i], i + 1 == parts->nr);
	entry = shale_entry_alloc(sbi, sbi->upper ? sbi->upper->root : NULL, parts);
	shale_parts_put(parts);
	return entry;
}

static int make_root(struct super_block *sb)
{
	struct shale_sb *sbi = shale_sb(sb);
	struct shale_entry *entry = root_entry(sbi);
	struct inode *inode = entry ? shale_inode_root(sb, entry) : ERR_PTR(-ENOMEM);
	struct kstatfs stat;
	int err;

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	sb->s_root = d_make_root(inode);
	if (!sb->s_root)
		return -ENOMEM;
	err = shale_statfs(sb->s_root, &stat);
	if (err) {
		dput(sb->s_root);
		sb->s_root = NULL;
		return err;
	}
	sbi->name_max = stat.f_namelen;
	shale_name_set(sb->s_root, sbi->stack->epoch,
		       sbi->upper ? SHALE_NAME_UPPER : SHALE_NAME_LOWER);
	return 0;
}

int shale_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct shale_sb *sbi;
	int err;

	err = take_config(sb, fc);
	if (err)
		return err;
	sbi = shale_sb(sb);

	err = check_layers(sb, sbi->stack, fc);
	if (err)
		return err;
	err = shale_bases_init(sbi);
	if (err)
		return err;
	set_up_sb(sb);
	shale_export_check(sbi);

	err = open_upper(sb, fc);
	if (err)
		return err;
	shale_listing_set_key(sb);
	shale_export_set_up(sb);
	err = set_traps(sb);
	if (!err)
		err = make_root(sb);
	if (err) {
		drop_traps(sbi);	/* without a root nobody calls ->put_super() */
		return err;
	}
	shale_lowers_report(sbi);
	shale_sb_publish(sbi);
	shale_event(sbi, &(struct shale_event) { .kind = SHALE_EVENT_KIND_MOUNTED });
	return 0;
}

/* Taking it down: in the reverse order */

static void shale_put_super(struct super_block *sb)
{
	drop_traps(shale_sb(sb));
}

static void shale_kill_sb(struct super_block *sb)
{
	struct shale_sb *sbi = shale_sb(sb);

	if (sbi) {
		if (sbi->upper)
			shale_gate_end(sbi->upper->gate);
		shale_sb_unpublish(sbi);
		if (sbi->id)
			shale_event(sbi, &(struct shale_event) {
				.kind = SHALE_EVENT_KIND_UNMOUNTED,
			});
		shale_listings_end(sb);
	}
	kill_anon_super(sb);
	if (!sbi)
		return;

	shale_volatile_end(sb);
	shale_quota_close(sbi);
	shale_upper_close(sbi);
	shale_bases_exit(sbi);
	shale_stack_free(sbi->stack);
	put_cred(sbi->writer);
	put_cred(sbi->mounter);
	shale_counters_exit(&sbi->counters);
	put_net(sbi->events.net);
	kfree(sbi->workdir);
	kfree(sbi->upperdir);
	kfree(sbi->lowerdir);
	kfree(sbi->source);
	kfree(sbi);
}

static void shale_evict_inode(struct inode *inode)
{
	shale_quota_leave(inode);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
}

static void shale_destroy_inode(struct inode *inode)
{
	if (S_ISDIR(inode->i_mode))
		shale_listings_forget(inode);
	shale_inode_destroy(inode);
}

/* What a live superblock is asked */

static int shale_sync_fs(struct super_block *sb, int wait)
{
	struct shale_sb *sbi = shale_sb(sb);
	int wanted;

	/* The first, unwaited pass only starts what the second one does anyway. */
	if (!sbi->upper || !wait)
		return 0;
	wanted = shale_sync_wanted(sbi);
	return wanted > 0 ? shale_upper_sync_touched(sbi->upper) : wanted;
}

/*
 * An upper or work directory: the option as it was given, or the path of a descriptor so that the
 * option means it. Unlike those of "lowerdir+", these options know a backslash.
 */
static void show_directory(struct seq_file *m, const char *option, const char *given,
			   const char *path)
{
	if (given) {
		seq_show_option(m, option, given);
		return;
	}
	seq_printf(m, ",%s=", option);
	for (; *path; path++) {
		if (*path == '\\' || *path == ',')
			seq_puts(m, "\\134");
		seq_escape_mem(m, path, 1, ESCAPE_OCTAL, ",= \t\n\\");
	}
}

static void show_limits(struct seq_file *m, const struct shale_sb *sbi)
{
	struct shale_usage max, used;

	shale_quota_look(sbi, &max, &used);
	if (max.bytes)
		seq_printf(m, ",size=%llu", max.bytes);
	if (max.inodes)
		seq_printf(m, ",inodes=%llu", max.inodes);
}

static int shale_show_options(struct seq_file *m, struct dentry *root)
{
	const struct shale_sb *sbi = shale_sb(root->d_sb);
	const struct shale_stack *stack = sbi->stack;
	unsigned int i;

	if (sbi->lowerdir)
		seq_show_option(m, "lowerdir", sbi->lowerdir);
	for (i = 0; !sbi->lowerdir && i < stack->nr_lower; i++)
		seq_show_option(m, i < shale_stack_nr_merged(stack) ? "lowerdir+" : "datadir+",
				stack->lower[i]->name);
	if (stack->upper) {
		show_directory(m, "upperdir", sbi->upperdir, stack->upper->name);
		show_directory(m, "workdir", sbi->workdir, stack->work->name);
	}
	if (sbi->default_permissions)
		seq_puts(m, ",default_permissions");
	shale_features_show(&sbi->features, m);
	if (sbi->quota)
		show_limits(m, sbi);
	return 0;
}

static long shale_nr_cached_objects(struct super_block *sb, struct shrink_control *sc)
{
	return shale_listings_count(sb);
}

static long shale_free_cached_objects(struct super_block *sb, struct shrink_control *sc)
{
	return shale_listings_shrink(sb, sc->nr_to_scan);
}

const struct super_operations shale_super_operations = {
	.alloc_inode = shale_inode_alloc,
	.evict_inode = shale_evict_inode,
	.destroy_inode = shale_destroy_inode,
	.free_inode = shale_inode_free,
	.drop_inode = inode_just_drop,
	.put_super = shale_put_super,
	.statfs = shale_statfs,
	.sync_fs = shale_sync_fs,
	.show_options = shale_show_options,
	.nr_cached_objects = shale_nr_cached_objects,
	.free_cached_objects = shale_free_cached_objects,
};

static const struct shale_inode_tables inode_tables = {
	.dir_iops = &shale_dir_iops,
	.file_iops = &shale_file_iops,
	.symlink_iops = &shale_symlink_iops,
	.special_iops = &shale_special_iops,
	.dir_fops = &shale_dir_fops,
	.file_fops = &shale_file_fops,
	.aops = &shale_aops,
	.is_current = shale_index_lacks,
};

static struct file_system_type shale_fs_type = {
	.owner = THIS_MODULE,
	.name = SHALE_NAME,
	.init_fs_context = shale_init_fs_context,
	.kill_sb = shale_kill_sb,
	.fs_flags = FS_ALLOW_IDMAP | FS_USERNS_MOUNT,
};

int shale_super_init(void)
{
	shale_inode_tables = &inode_tables;
	return register_filesystem(&shale_fs_type);
}

void shale_super_exit(void)
{
	unregister_filesystem(&shale_fs_type);
}
