// SPDX-License-Identifier: GPL-2.0
/*
 * Mount options: overlayfs's, spelled and meant as there, and "stack", the descriptor of a stack
 * that was described over netlink.
 */
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "stack/events.h"
#include "stack/pending.h"
#include "stack/sb.h"
#include "stack/stack.h"
#include "stack/upper.h"
#include "stack/variant.h"
#include "vfs/super.h"

/*
 * Who mounts in a user namespace of their own, without rights in the initial one, hands layers to
 * the kernel that nobody else vouches for. overlayfs's users expect that they may.
 */
bool shale_userns_mount = SHALE_IS_OVERLAY;

/* Asked before any option is taken, not when the context is made: then it has no log yet. */
static int may_mount(struct fs_context *fc)
{
	if (fc->user_ns == &init_user_ns || READ_ONCE(shale_userns_mount))
		return 0;
	errorfc(fc, "mounts in user namespaces are off: module parameter userns_mount");
	return -EPERM;
}

/* Without rights in the initial namespace, trusted xattrs are neither read nor set. */
static int may_have_marks(struct fs_context *fc, const struct shale_config *config)
{
	if (shale_feature_on(&config->options.features, SHALE_USERXATTR) || capable(CAP_SYS_ADMIN))
		return 0;
	if (SHALE_IS_OVERLAY && !shale_features_want_marks(&config->options.features)) {
		warnfc(fc, "without userxattr, marks of layers are not seen, and can't be set");
		return 0;
	}
	errorfc(fc, "in a user namespace, marks are user xattrs: option userxattr is needed");
	return -EPERM;
}

enum shale_opt {
	OPT_STACK,
	OPT_LOWERDIR,
	OPT_LOWERDIR_ADD,
	OPT_DATADIR_ADD,
	OPT_UPPERDIR,
	OPT_WORKDIR,
	OPT_DEFAULT_PERMISSIONS,
	OPT_USERXATTR,
	OPT_SIZE,
	OPT_INODES,
	OPT_VOLATILE,			/* what fsync=volatile was before that option */
	OPT_FEATURE,			/* and then by enum shale_feature */
};

/* A directory, by path or as a descriptor: no type of the kernel's own takes both before 6.13. */
static int is_directory(struct p_log *log, const struct fs_parameter_spec *spec,
			struct fs_parameter *param, struct fs_parse_result *result)
{
	if (param->type == fs_value_is_string && *param->string)
		return 0;
	if (param->type == fs_value_is_file || param->type == fs_value_is_filename)
		return 0;
	return inval_plog(log, "%s: is the path of a directory or its descriptor", param->key);
}

#define fsparam_directory(NAME, OPT) __fsparam(is_directory, NAME, OPT, 0, NULL)

static const struct fs_parameter_spec shale_params[] = {
	fsparam_fd("stack", OPT_STACK),
	fsparam_string_empty("lowerdir", OPT_LOWERDIR),
	fsparam_directory("lowerdir+", OPT_LOWERDIR_ADD),
	fsparam_directory("datadir+", OPT_DATADIR_ADD),
	fsparam_directory("upperdir", OPT_UPPERDIR),
	fsparam_directory("workdir", OPT_WORKDIR),
	fsparam_flag("default_permissions", OPT_DEFAULT_PERMISSIONS),
	fsparam_flag("userxattr", OPT_USERXATTR),
	fsparam_string("size", OPT_SIZE),
	fsparam_string("inodes", OPT_INODES),
	fsparam_string("redirect_dir", OPT_FEATURE + SHALE_REDIRECT_DIR),
	fsparam_string("metacopy", OPT_FEATURE + SHALE_METACOPY),
	fsparam_string("index", OPT_FEATURE + SHALE_INDEX),
	fsparam_string("nfs_export", OPT_FEATURE + SHALE_NFS_EXPORT),
	fsparam_string("xino", OPT_FEATURE + SHALE_XINO),
	fsparam_string("verity", OPT_FEATURE + SHALE_VERITY),
	fsparam_string("uuid", OPT_FEATURE + SHALE_UUID),
	fsparam_string("fsync", OPT_FEATURE + SHALE_FSYNC),
	fsparam_flag("volatile", OPT_VOLATILE),
	fsparam_string("copy_up", OPT_FEATURE + SHALE_COPY_UP),
	{}
};

/* Layers, one by one */

static const char *reason(int err)
{
	switch (err) {
	case -ENOENT:
		return "no such directory";
	case -ENOTDIR:
		return "not a directory";
	case -EACCES:
	case -EPERM:
		return "permission denied";
	case -E2BIG:
		return "too many layers";
	case -EBADSLT:
		return "a layer that is merged can't follow one of data only";
	case -ENOMEM:
		return "out of memory";
	case -EINVAL:
		return "unbindable, with its own way to compare names or, as upper, stacked itself";
	default:
		return "can't be opened";
	}
}

/* Takes the backslashes out that protect a colon, a comma or a backslash. In place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		*to++ = *s;
	}
	*to = '\0';
}

/* That what was found is no directory is a wrong option, as in overlayfs. */
static int add_layer(struct fs_context *fc, const char *option, const char *name,
		     const struct path *path, shale_add_layer_t add)
{
	struct shale_config *config = fc->fs_private;
	int err = add(config->stack, path);

	if (err)
		errorfc(fc, "%s %s: %s (error %d)", option, name, reason(err), err);
	return err == -ENOTDIR || err == -EBADSLT ? -EINVAL : err;
}

static int add_layer_at(struct fs_context *fc, const char *option, const char *name,
			shale_add_layer_t add)
{
	struct path path;
	int err;

	if (!*name)
		return invalfc(fc, "%s: empty path", option);

	err = kern_path(name, LOOKUP_FOLLOW, &path);
	if (err) {
		errorfc(fc, "%s %s: %s (error %d)", option, name, reason(err), err);
		return err;
	}
	err = add_layer(fc, option, name, &path, add);
	path_put(&path);
	return err;
}

/*
 * FSCONFIG_SET_FD hands on an open directory. FSCONFIG_SET_PATH and SET_PATH_EMPTY hand on a path
 * that starts at a descriptor, or that is one: there O_PATH is enough on every kernel.
 */
static int add_layer_by_descriptor(struct fs_context *fc, struct fs_parameter *param,
				   shale_add_layer_t add)
{
	struct path path;
	char name[64];
	int err;

	if (param->type == fs_value_is_file) {
		path = param->file->f_path;
		path_get(&path);
	} else {
		err = fs_lookup_param(fc, param, false, LOOKUP_FOLLOW, &path);
		if (err)
			return err;	/* and the message is there */
	}
	scnprintf(name, sizeof(name), "descriptor of %pd", path.dentry);
	err = add_layer(fc, param->key, name, &path, add);
	path_put(&path);
	return err;
}

/* The end of the path at @s: an unescaped colon or the end of the string. */
static char *path_end(char *s)
{
	for (; *s && *s != ':'; s++) {
		if (*s == '\\' && s[1])
			s++;
	}
	return s;
}

static int parse_lowerdir(struct fs_context *fc, const char *value)
{
	char *list __free(kfree) = kstrdup(value, GFP_KERNEL);
	struct shale_config *config = fc->fs_private;
	char *path, *end;
	int err;

	if (!list)
		return -ENOMEM;

	/* The last lowerdir wins, and an empty one forgets the layers so far: as in overlayfs. */
	shale_stack_clear_lower(config->stack);
	kfree(config->lowerdir);
	config->lowerdir = NULL;
	if (!*list)
		return 0;

	for (path = list; ; path = end + 1) {
		bool last, data = path > list && *path == ':';

		/* A second colon: this layer, and all that follow, are of data only. */
		path += data;
		end = path_end(path);
		last = !*end;
		*end = '\0';
		unescape(path);
		err = add_layer_at(fc, "lowerdir", path,
				   data ? shale_stack_add_data : shale_stack_add_lower);
		if (err) {
			shale_stack_clear_lower(config->stack);	/* all of them or none */
			return err;
		}
		if (last)
			break;
	}
	config->lowerdir = kstrdup(value, GFP_KERNEL_ACCOUNT);
	return config->lowerdir ? 0 : -ENOMEM;
}

static int parse_layer(struct fs_context *fc, struct fs_parameter *param, shale_add_layer_t add)
{
	struct shale_config *config = fc->fs_private;

	if (config->lowerdir)
		return invalfc(fc, "%s can't follow lowerdir; name all layers one way", param->key);
	if (param->type != fs_value_is_string)
		return add_layer_by_descriptor(fc, param, add);
	return add_layer_at(fc, param->key, param->string, add);
}

/* @given becomes the path as it was given, or NULL where it was none. */
static int parse_writable(struct fs_context *fc, struct fs_parameter *param, shale_add_layer_t add,
			  char **given)
{
	char *path __free(kfree) = NULL;
	int err;

	if (param->type != fs_value_is_string) {
		err = add_layer_by_descriptor(fc, param, add);
		if (!err) {
			kfree(*given);
			*given = NULL;
		}
		return err;
	}

	path = kstrdup(param->string, GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	unescape(path);
	err = add_layer_at(fc, param->key, path, add);
	if (err)
		return err;
	kfree(*given);
	*given = no_free_ptr(param->string);
	return 0;
}

/* A number, maybe with a K, M, G or T behind it. 0 is no limit. */
static int parse_limit(struct fs_context *fc, const struct fs_parameter *param, u64 *limit)
{
	char *end;
	u64 number;

	if (!isdigit(*param->string))
		return invalfc(fc, "%s: '%s' is no size", param->key, param->string);
	number = memparse(param->string, &end);
	if (*end || number > S64_MAX)
		return invalfc(fc, "%s: '%s' is no size", param->key, param->string);
	*limit = number;
	return 0;
}

/* A whole stack by descriptor */

/* Layers that were described by paths. */
static int add_named(struct fs_context *fc, const struct list_head *named)
{
	const struct shale_named_layer *layer;
	int err = 0;

	list_for_each_entry(layer, named, link)
		err = err ?: add_layer_at(fc, layer->role, layer->path, layer->add);
	return err;
}

/* All of it or nothing; then it is pending as before. */
static int take_described(struct fs_context *fc, struct shale_pending *pending)
{
	struct shale_config *config = fc->fs_private;
	int err;

	swap(config->stack, pending->stack);
	err = add_named(fc, &pending->named);
	if (err) {
		swap(config->stack, pending->stack);
		/* With names, there was nothing in it. */
		shale_stack_clear(pending->stack);
		return err;
	}
	shale_options_add(&config->options, &pending->options);
	config->described = true;
	return 0;
}

static int parse_stack(struct fs_context *fc, const struct fs_parameter *param, int fd)
{
	struct file *file __free(fput) = NULL;
	struct shale_config *config = fc->fs_private;
	struct shale_pending *pending;
	int err;

	if (config->stack->nr_lower || config->stack->upper || config->stack->work)
		return invalfc(fc, "stack: can't be combined with other layers");

	file = param->type == fs_value_is_file ? get_file(param->file) : fget(fd);
	if (!file) {
		errorfc(fc, "stack: descriptor %d is not open", fd);
		return -EBADF;
	}
	pending = shale_pending_take(file);
	if (IS_ERR(pending)) {
		err = PTR_ERR(pending);
		errorfc(fc, "stack: %s",
			err == -EBUSY ? "a mount has taken it, or is about to; describe another" :
			err == -EPERM ? "was described in another user namespace" :
					"not the descriptor of a pending stack");
		return err;
	}
	err = take_described(fc, pending);
	if (err)
		shale_pending_give_back(file, pending);
	else
		shale_pending_free(pending);
	return err;
}

static int shale_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct shale_config *config = fc->fs_private;
	struct fs_parse_result result;
	int opt;

	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE) {
		/* mount(8) repeats the options of the mount, and mount(2) always ignored them. */
		return fc->oldapi ? 0 : invalfc(fc, "%s: options can't be changed by remounting",
						param->key);
	}

	opt = may_mount(fc) ?: fs_parse(fc, shale_params, param, &result);
	if (opt < 0)
		return opt;
	if (config->described && opt >= OPT_STACK && opt <= OPT_WORKDIR)
		return invalfc(fc, "%s: can't be combined with stack", param->key);

	switch (opt) {
	case OPT_STACK:
		return parse_stack(fc, param, result.uint_32);
	case OPT_LOWERDIR:
		return parse_lowerdir(fc, param->string);
	case OPT_LOWERDIR_ADD:
		return parse_layer(fc, param, shale_stack_add_lower);
	case OPT_DATADIR_ADD:
		return parse_layer(fc, param, shale_stack_add_data);
	case OPT_UPPERDIR:
		return parse_writable(fc, param, shale_stack_set_upper, &config->upperdir);
	case OPT_WORKDIR:
		return parse_writable(fc, param, shale_stack_set_work, &config->workdir);
	case OPT_DEFAULT_PERMISSIONS:
		config->options.default_permissions = true;
		return 0;
	case OPT_USERXATTR:
		return shale_feature_parse(&config->options.features, SHALE_USERXATTR, "on", fc);
	case OPT_SIZE:
		return parse_limit(fc, param, &config->options.max.bytes);
	case OPT_INODES:
		return parse_limit(fc, param, &config->options.max.inodes);
	case OPT_VOLATILE:
		return shale_feature_parse(&config->options.features, SHALE_FSYNC, "volatile", fc);
	}
	return shale_feature_parse(&config->options.features, opt - OPT_FEATURE, param->string, fc);
}

/* mount(2)'s one string: options end at a comma that no backslash protects. */
static char *next_option(char **rest)
{
	char *start = *rest;
	char *s = start;

	if (!s)
		return NULL;
	for (; *s && *s != ','; s++) {
		if (*s == '\\' && s[1])
			s++;
	}
	*rest = *s ? s + 1 : NULL;
	*s = '\0';
	return start;
}

static int shale_parse_monolithic(struct fs_context *fc, void *data)
{
	return vfs_parse_monolithic_sep(fc, data, next_option);
}

static int shale_get_tree(struct fs_context *fc)
{
	struct shale_config *config = fc->fs_private;
	int err;

	/*
	 * Layers are opened as whoever described them and used as whoever mounts: one owner. A
	 * context may have been handed on to somebody with more rights.
	 */
	if (fc->user_ns != config->stack->user_ns || fc->user_ns != current_user_ns()) {
		errorfc(fc, "layers were described in another user namespace");
		return -EIO;
	}
	err = may_mount(fc) ?: may_have_marks(fc, config);
	if (err)
		return err;
	if (shale_options_limit(&config->options) && !config->stack->upper)
		return invalfc(fc, "size, inodes: limit what an upper holds, and there is none");
	err = shale_features_resolve(&config->options.features, config->stack->upper, fc);
	return err ?: get_tree_nodev(fc, shale_fill_super);
}

static int shale_reconfigure(struct fs_context *fc)
{
	struct super_block *sb = fc->root->d_sb;

	int err = 0;

	if (fc->sb_flags & SB_RDONLY) {
		err = sync_filesystem(sb);
	} else if (!shale_sb(sb)->upper) {
		errorfc(fc, "can't become writable: the mount has no upper");
		err = -EROFS;
	}
	if (!err)
		shale_event(shale_sb(sb), &(struct shale_event) {
			.kind = SHALE_EVENT_KIND_CHANGED,
		});
	return err;
}

static void shale_free_context(struct fs_context *fc)
{
	struct shale_config *config = fc->fs_private;

	if (!config)
		return;
	shale_stack_free(config->stack);
	kfree(config->workdir);
	kfree(config->upperdir);
	kfree(config->lowerdir);
	kfree(config);
}

static const struct fs_context_operations context_operations = {
	.free = shale_free_context,
	.parse_param = shale_parse_param,
	.parse_monolithic = shale_parse_monolithic,
	.get_tree = shale_get_tree,
	.reconfigure = shale_reconfigure,
};

int shale_init_fs_context(struct fs_context *fc)
{
	struct shale_config *config;

	fc->ops = &context_operations;
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		return 0;

	config = kzalloc(sizeof(*config), GFP_KERNEL_ACCOUNT);
	if (!config)
		return -ENOMEM;
	config->stack = shale_stack_alloc();
	if (IS_ERR(config->stack)) {
		int err = PTR_ERR(config->stack);

		kfree(config);
		return err;
	}
	shale_features_init(&config->options.features);
	fc->fs_private = config;
	return 0;
}
