// SPDX-License-Identifier: GPL-2.0
#include "union/verity.h"

#include "compat/real_file.h"
#include "compat/verity.h"
#include "stack/marks.h"

/* The file system reads a file's digest when the file is opened for the first time. */
static int load_digest(const struct path *data)
{
	struct file *file;

	if (!IS_VERITY(d_inode(data->dentry)))
		return 0;
	file = shale_real_open(data, O_RDONLY | O_LARGEFILE);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fput(file);
	return 0;
}

/* Return: the number of bytes, 0 when the file has no digest, or an errno. */
static int get_digest(const struct path *data, u8 *digest, u8 *algorithm)
{
	return load_digest(data) ?:
	       shale_fsverity_digest(d_inode(data->dentry), digest, algorithm);
}

int shale_verity_record(const struct shale_sb *sbi, const struct path *data,
			struct shale_metacopy *record)
{
	int size;

	static_assert(sizeof(record->digest) == FS_VERITY_MAX_DIGEST_SIZE);
	*record = (struct shale_metacopy){ .version = SHALE_METACOPY_VERSION };
	if (!shale_feature_on(&sbi->features, SHALE_VERITY))
		return 0;
	size = get_digest(data, record->digest, &record->digest_algo);
	if (size < 0)
		return size;
	if (size)
		record->len = SHALE_METACOPY_MIN + size;
	else if (sbi->features.value[SHALE_VERITY] == SHALE_VERITY_REQUIRE)
		return -ENODATA;
	return 0;
}

static const char *what_is_wrong(const struct shale_metacopy *wanted, const struct path *data)
{
	u8 digest[FS_VERITY_MAX_DIGEST_SIZE], algorithm;
	int size = get_digest(data, digest, &algorithm);

	if (size < 0)
		return "its digest can't be read";
	if (!size)
		return "it has no digest";
	if (wanted->digest_algo != algorithm || wanted->len != SHALE_METACOPY_MIN + size ||
	    memcmp(wanted->digest, digest, size))
		return "it has another digest";
	return NULL;
}

int shale_verity_check(const struct shale_sb *sbi, const struct shale_entry *entry)
{
	const struct path marked = shale_entry_path(sbi, entry);
	const struct path data = shale_entry_data_path(sbi, entry);
	struct shale_metacopy wanted = { };
	const char *wrong;
	int ret = shale_mark_metacopy(sbi, &marked, &wanted);

	if (ret < 0)
		return ret;
	if (wanted.digest_algo)
		wrong = what_is_wrong(&wanted, &data);
	else if (sbi->features.value[SHALE_VERITY] == SHALE_VERITY_REQUIRE)
		wrong = "verity=require, and the mark has no digest for it";
	else
		return 0;
	if (!wrong)
		return 0;
	pr_warn_ratelimited("data of %pd2 is not to be trusted: %s\n", marked.dentry, wrong);
	return -EIO;
}
