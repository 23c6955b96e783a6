// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree.h"

#include "fixture.h"
#include "handle.h"

enum { MAX_LAYERS = 64 };

#define MARKS "trusted.overlay."
#define ESCAPE "overlay."

/* The directories that one directory of the union is made of, the top-most first. */
struct parts {
	int nr;
	struct stat stat;	/* of the top-most */
	int layer[MAX_LAYERS];	/* counted from the top */
	char path[MAX_LAYERS][512];
	char data[512];		/* of a regular file: where its content is */
};

struct walk {
	FILE *out;
	bool layers;		/* marks and whiteouts have their meaning */
	const struct parts *roots;
};

/* Describing an object */

static uint64_t hash_content(const char *path, off_t size)
{
	static char buffer[1 << 16];
	uint64_t hash = 0xcbf29ce484222325;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got, i;

	if (fd < 0)
		fail("open(%s): %s, not success", path, errno_name(errno));
	while (size > 0 && (got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (i = 0; i < got; i++)
			hash = (hash ^ (unsigned char)buffer[i]) * 0x100000001b3;
		size -= got;
	}
	if (size)
		fail("read(%s): %s, its length is wrong by %lld", path, errno_name(errno),
		     (long long)size);
	close(fd);
	return hash;
}

static void put_content(struct walk *walk, const char *path, const struct stat *st)
{
	char target[4096];
	ssize_t len;

	if (S_ISREG(st->st_mode)) {
		fprintf(walk->out, " %016llx", (long long)hash_content(path, st->st_size));
	} else if (S_ISLNK(st->st_mode)) {
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			fail("readlink(%s): %s, not success", path, errno_name(errno));
		fprintf(walk->out, " -> %.*s", (int)len, target);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

/* What a mount calls the attribute that its layer has as @name. NULL: a mark. */
static const char *shown_name(const struct walk *walk, const char *name, char *buffer)
{
	if (!walk->layers || strncmp(name, MARKS, strlen(MARKS)))
		return name;
	name += strlen(MARKS);
	if (strncmp(name, ESCAPE, strlen(ESCAPE)))
		return NULL;
	sprintf(buffer, MARKS "%s", name + strlen(ESCAPE));
	return buffer;
}

static void put_xattr(struct walk *walk, const char *path, const char *name)
{
	char value[4096], shown[XATTR_NAME_MAX + 32];
	ssize_t size, i;

	size = lgetxattr(path, name, value, sizeof(value));
	if (size < 0)
		fail("lgetxattr(%s, %s): %s, not success", path, name, errno_name(errno));
	name = shown_name(walk, name, shown);
	if (!name)
		return;
	fprintf(walk->out, " %s=", name);
	for (i = 0; i < size; i++)
		fprintf(walk->out, "%02x", (unsigned char)value[i]);
}

static void put_xattrs(struct walk *walk, const char *path)
{
	char list[8192], *names[256];
	ssize_t size = llistxattr(path, list, sizeof(list)), pos;
	int nr = 0, i;

	if (size < 0 && errno != EOPNOTSUPP)
		fail("llistxattr(%s): %s, not success", path, errno_name(errno));
	for (pos = 0; pos < size && nr < 256; pos += strlen(list + pos) + 1)
		names[nr++] = list + pos;
	qsort(names, nr, sizeof(names[0]), by_text);
	for (i = 0; i < nr; i++)
		put_xattr(walk, path, names[i]);
}

static char type_letter(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return 'f';
	case S_IFDIR: return 'd';
	case S_IFLNK: return 'l';
	case S_IFCHR: return 'c';
	case S_IFBLK: return 'b';
	case S_IFIFO: return 'p';
	case S_IFSOCK: return 's';
	default: return '?';
	}
}

/* What an object was copied up from, by its mark. Return: false when that is not known, or gone. */
static bool find_origin(const struct walk *walk, const char *path, struct stat *origin)
{
	enum { HEAD = 21 };	/* version, magic, length, flags, type of handle, uuid */
	unsigned char mark[HEAD + MAX_HANDLE_SZ];
	struct handle handle = { };
	ssize_t size = lgetxattr(path, MARKS "origin", mark, sizeof(mark));
	int root, fd;

	if (size <= HEAD)
		return false;
	handle.head.handle_bytes = size - HEAD;
	handle.head.handle_type = mark[4];
	memcpy(handle.bytes, mark + HEAD, size - HEAD);
	root = open(walk->roots->path[walk->roots->nr - 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_by_handle_at(root, &handle.head, O_PATH | O_CLOEXEC);
	close(root);
	if (fd < 0)
		return false;
	if (fstat(fd, origin))
		fail("fstat: %s, not success", errno_name(errno));
	close(fd);
	return true;
}

/* The entry of the index for a lower file of several names. All layers are on one file system then. */
static bool find_in_index(const struct walk *walk, const struct stat *lower, char *path)
{
	DIR *dir = walk->layers && lower->st_nlink > 1 ? opendir("work/index") : NULL;
	struct dirent *entry;
	struct stat origin;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, 512, "work/index/%s", entry->d_name);
		found = entry->d_type != DT_DIR && find_origin(walk, path, &origin) &&
			origin.st_ino == lower->st_ino && origin.st_dev == lower->st_dev;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The link that the index has is no name. */
static long links_of(const struct walk *walk, const struct parts *object)
{
	char mark[16] = "";
	struct stat origin = { .st_nlink = 1 };

	if (!walk->layers || lgetxattr(object->path[0], MARKS "nlink", mark, sizeof(mark) - 1) < 0)
		return object->stat.st_nlink;
	if (mark[0] != 'U')
		find_origin(walk, object->path[0], &origin);
	return (long)(mark[0] == 'U' ? object->stat.st_nlink : origin.st_nlink) + atol(mark + 1);
}

static void put_object(struct walk *walk, const char *shown, const struct parts *object)
{
	const struct stat *st = &object->stat;
	const char *path = object->path[0];

	fprintf(walk->out, "%s %c %04o %u:%u", shown, type_letter(st->st_mode),
		st->st_mode & 07777, st->st_uid, st->st_gid);
	if (!S_ISDIR(st->st_mode)) {
		fprintf(walk->out, " %ld %lld @%lld.%09ld", links_of(walk, object),
			(long long)st->st_size, (long long)st->st_mtim.tv_sec,
			st->st_mtim.tv_nsec);
	}
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		fprintf(walk->out, " %x", (unsigned int)st->st_rdev);
	put_content(walk, S_ISREG(st->st_mode) ? object->data : path, st);
	put_xattrs(walk, path);
	fputc('\n', walk->out);
}

/* Walking */

static bool is_opaque(const struct walk *walk, const char *path)
{
	char value;

	return walk->layers && lgetxattr(path, MARKS "opaque", &value, 1) == 1 && value == 'y';
}

static bool lacks_data(const struct walk *walk, const char *path)
{
	return walk->layers && lgetxattr(path, MARKS "metacopy", NULL, 0) >= 0;
}

/* What is asked of the layers that come next: a name of the directory, or a path, which begins with a slash. */
struct asked {
	char text[512];
};

static void follow_redirect(const struct walk *walk, const char *path, struct asked *asked)
{
	char text[sizeof(asked->text)];
	ssize_t size = walk->layers ? lgetxattr(path, MARKS "redirect", text, sizeof(text) - 1) : -1;

	if (size < 0)
		return;
	text[size] = 0;
	/* A path goes on to be one. Marks on the way are followed by the module, and not made in tests that come here. */
	if (*text != '/' && *asked->text == '/')
		snprintf(strrchr(asked->text, '/') + 1, 256, "%.255s", text);
	else
		strcpy(asked->text, text);
}

/* Where one layer would have it. Return: false when the directory has no part there. */
static bool path_in_layer(const struct walk *walk, const struct parts *dirs, int layer,
			  const struct asked *asked, char *path)
{
	int i = 0;

	if (*asked->text == '/') {
		snprintf(path, 1024, "%s%s", walk->roots->path[layer], asked->text);
		return true;
	}
	while (i < dirs->nr && dirs->layer[i] != layer)
		i++;
	if (i == dirs->nr)
		return false;
	snprintf(path, 1024, "%s/%s", dirs->path[i], asked->text);
	return true;
}

/* What one layer has. Return: whether layers further down are asked, too. */
static bool look_in_layer(const struct walk *walk, int layer, const char *path, struct asked *asked,
			  struct parts *found)
{
	const char *object = path;
	struct stat here;
	char copy[512];

	if (lstat(path, &here)) {
		if (errno != ENOENT && errno != ENOTDIR)
			fail("lstat(%s): %s, not success", path, errno_name(errno));
		return true;
	}
	if (walk->layers && S_ISCHR(here.st_mode) && !here.st_rdev)
		return false;
	if (found->nr && (S_ISREG(here.st_mode) ? !S_ISREG(found->stat.st_mode)
						: !S_ISDIR(here.st_mode) || !S_ISDIR(found->stat.st_mode)))
		return false;
	if (!found->nr && !S_ISDIR(here.st_mode) && find_in_index(walk, &here, copy)) {
		object = copy;
		if (!lacks_data(walk, copy))
			path = copy;
		if (lstat(copy, &here))
			fail("lstat(%s): %s, not success", copy, errno_name(errno));
	}
	if (!found->nr)
		found->stat = here;
	if (S_ISREG(here.st_mode))
		snprintf(found->data, sizeof(found->data), "%.511s", path);
	if (!found->nr || S_ISDIR(here.st_mode)) {
		snprintf(found->path[found->nr], sizeof(found->path[0]), "%.511s", object);
		found->layer[found->nr++] = layer;
	}
	if (S_ISDIR(here.st_mode) ? is_opaque(walk, path)
				  : !S_ISREG(here.st_mode) || !lacks_data(walk, path))
		return false;
	follow_redirect(walk, path, asked);
	return true;
}

/*
 * Looks @name up. Return: whether it is shown; then the first of @found is the object, and if that
 * is a directory, the rest of @found are those that it merges with.
 */
static bool look_up(const struct walk *walk, const struct parts *dirs, const char *name,
		    struct parts *found)
{
	struct asked asked;
	char path[1024];
	bool go_on = true;
	int layer;

	snprintf(asked.text, sizeof(asked.text), "%s", name);
	found->nr = 0;
	for (layer = 0; go_on && layer < walk->roots->nr; layer++) {
		if (path_in_layer(walk, dirs, layer, &asked, path))
			go_on = look_in_layer(walk, layer, path, &asked, found);
	}
	return found->nr > 0;
}

struct names {
	char **name;
	size_t nr, max;
};

static void read_names(struct names *names, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		fail("opendir(%s): %s, not success", path, errno_name(errno));
	errno = 0;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (names->nr == names->max) {
			names->max = names->max ? 2 * names->max : 64;
			names->name = realloc(names->name, names->max * sizeof(char *));
		}
		names->name[names->nr++] = strdup(entry->d_name);
		errno = 0;
	}
	if (errno)
		fail("readdir(%s): %s, not success", path, errno_name(errno));
	closedir(dir);
}

/* In order. A name that one directory has twice stays twice: it is wrong, and to be seen. */
static struct names names_of(const struct walk *walk, const struct parts *dirs)
{
	struct names names = { };
	size_t i, nr = 0;
	int part;

	for (part = 0; part < dirs->nr; part++)
		read_names(&names, dirs->path[part]);
	qsort(names.name, names.nr, sizeof(names.name[0]), by_text);
	for (i = 0; i < names.nr; i++) {
		if (walk->layers && nr && !strcmp(names.name[nr - 1], names.name[i]))
			free(names.name[i]);
		else
			names.name[nr++] = names.name[i];
	}
	names.nr = nr;
	return names;
}

static void walk_dir(struct walk *walk, const struct parts *dirs, const char *shown)
{
	struct names names = names_of(walk, dirs);
	struct parts *found = calloc(1, sizeof(*found));
	size_t i;

	for (i = 0; i < names.nr; i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s%s%s", shown, *shown ? "/" : "", names.name[i]);
		if (look_up(walk, dirs, names.name[i], found)) {
			put_object(walk, path, found);
			if (S_ISDIR(found->stat.st_mode))
				walk_dir(walk, found, path);
		} else if (!walk->layers) {
			fprintf(walk->out, "%s is listed, but not there\n", path);
		}
		free(names.name[i]);
	}
	free(names.name);
	free(found);
}

static char *walk_all(struct walk *walk, struct parts *roots)
{
	char *text;
	size_t size;
	int i;

	walk->roots = roots;
	for (i = 0; i < roots->nr; i++)
		roots->layer[i] = i;
	walk->out = open_memstream(&text, &size);
	if (!walk->out)
		fail("open_memstream: %s", errno_name(errno));
	walk_dir(walk, roots, "");
	fclose(walk->out);
	return text;
}

char *tree_of(const char *dir)
{
	struct walk walk = { .layers = false };
	struct parts roots = { .nr = 1 };

	snprintf(roots.path[0], sizeof(roots.path[0]), "%s", dir);
	return walk_all(&walk, &roots);
}

char *union_of(const char *layers)
{
	struct walk walk = { .layers = true };
	struct parts roots = { };
	char list[4096], *rest, *layer;

	snprintf(list, sizeof(list), "%s", layers);
	for (layer = strtok_r(list, ":", &rest); layer; layer = strtok_r(NULL, ":", &rest)) {
		if (roots.nr == MAX_LAYERS)
			fail("more than %d layers", MAX_LAYERS);
		if (exists(layer))
			snprintf(roots.path[roots.nr++], sizeof(roots.path[0]), "%s", layer);
	}
	return walk_all(&walk, &roots);
}

/* Comparing */

/* Writes what is to stand for @mtime. Return: where it ends. */
static const char *replace_mtime(FILE *out, const char *mtime, bool keep_old)
{
	/* No machine's clock is as late as what set_mtime() gives. */
	static const long long long_ago = 1500000000;
	size_t len = strcspn(mtime, " \n");

	if (keep_old && atoll(mtime + 1) < long_ago)
		fprintf(out, "%.*s", (int)len, mtime);
	else
		fprintf(out, "new");
	return mtime + len;
}

static char *with_other_mtimes(const char *tree, bool keep_old)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	while (*tree) {
		const char *mtime = strchr(tree, '@');

		if (!mtime)
			mtime = tree + strlen(tree);
		fwrite(tree, 1, mtime - tree, out);
		tree = *mtime ? replace_mtime(out, mtime, keep_old) : mtime;
	}
	fclose(out);
	return text;
}

char *tree_with_old_mtimes(const char *tree)
{
	return with_other_mtimes(tree, true);
}

char *tree_without_mtimes(const char *tree)
{
	return with_other_mtimes(tree, false);
}

char *tree_difference(const char *got, const char *wanted)
{
	size_t got_len, wanted_len;
	char *text;

	for (;;) {
		got_len = strcspn(got, "\n");
		wanted_len = strcspn(wanted, "\n");
		if (got_len != wanted_len || memcmp(got, wanted, got_len))
			break;
		if (!*got)
			return NULL;
		got += got_len + 1;
		wanted += wanted_len + 1;
	}
	CHECK(asprintf(&text, "it has \"%.*s\", not \"%.*s\"", (int)got_len, got, (int)wanted_len,
		       wanted) >= 0);
	return text;
}
