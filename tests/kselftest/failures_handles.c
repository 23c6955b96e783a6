// SPDX-License-Identifier: GPL-2.0-or-later
/* Each failure of file handles, and of what the index does for them: see lib/failures.h, which draws the tree. */
#include "failures.h"

#include "handle.h"

#define EXPORT .features = "redirect_dir=on,index=on,nfs_export=on,metacopy=off"

/* One of a handle that can't be encoded. */
#define NO_HANDLE .error = EOVERFLOW

static struct handle handle;

static long encode(const char *path, int flags)
{
	return try_handle(path, flags, &handle);
}

OPERATION(encode_file, "shale_export_operations.encode_fh", "a file has a handle or none", EXPORT, NO_HANDLE)
{
	return encode("merged/file", 0);
}

OPERATION(encode_dir, "shale_export_operations.encode_fh",
	  "a directory has a handle, by which it can be found, or none", EXPORT, NO_HANDLE)
{
	return encode("merged/full", 0);
}

OPERATION(encode_without_export, "shale_export_fid_operations.encode_fh",
	  "a file has a handle that tells it apart, or none", NO_HANDLE)
{
	return encode("merged/file", AT_HANDLE_FID);
}

/* Nothing is known of it when it is looked for. */
static void forget(const char *path)
{
	OK(encode(path, 0));
	unmount();
	mount_layers("top:low");
}

static long decode(int flags)
{
	return keep(open_handle(&handle, flags));
}

static void forget_file(void)
{
	forget("merged/file");
}

OPERATION(decode_file, "shale_export_operations.fh_to_dentry", "a file of a lower is found or not",
	  .prepare = forget_file, EXPORT, .error = ESTALE)
{
	return decode(O_RDONLY);
}

OPERATION(decode_to_write, "shale_export_operations.fh_to_dentry", "a file is found and copied up, or not",
	  .prepare = forget_file, EXPORT, .error = ESTALE)
{
	return decode(O_WRONLY);
}

static void forget_copy(void)
{
	OK(chmod("merged/file", 0640));
	forget("merged/file");
}

OPERATION(decode_copy, "shale_export_operations.fh_to_dentry", "the copy of a file is found or not",
	  .prepare = forget_copy, EXPORT, .error = ESTALE)
{
	return decode(O_RDONLY);
}

static void forget_dir(void)
{
	forget("merged/full");
}

OPERATION(decode_dir, "shale_export_operations.fh_to_dentry", "a directory of a lower is found or not",
	  .prepare = forget_dir, EXPORT, .error = ESTALE)
{
	return decode(O_RDONLY | O_DIRECTORY);
}

static void forget_moved(void)
{
	if (!exists("merged/own/moved"))
		OK(rename("merged/shared", "merged/own/moved"));
	forget("merged/own/moved");
}

OPERATION(decode_moved, "shale_export_operations.fh_to_dentry", "a directory that was moved is found or not",
	  .prepare = forget_moved, EXPORT, .error = ESTALE)
{
	return decode(O_RDONLY | O_DIRECTORY);
}

OPERATION(copy_up_file, "shale_file_iops.setattr", "a file is copied up to the index and to its name, or not",
	  EXPORT)
{
	return chmod("merged/file", 0640);
}

OPERATION(copy_up_dir, "shale_dir_iops.setattr", "a directory is copied up, with an entry of the index, or not",
	  EXPORT)
{
	return chmod("merged/full", 0750);
}

OPERATION(remove_file, "shale_dir_iops.unlink", "a file is removed and remembered for that, or not", EXPORT)
{
	return unlink("merged/file");
}

static void copy_file(void)
{
	OK(chmod("merged/file", 0640));
}

OPERATION(remove_copy, "shale_dir_iops.unlink", "a copy is removed, in the index, too, or not",
	  .prepare = copy_file, EXPORT)
{
	return unlink("merged/file");
}

static void copy_dir(void)
{
	OK(chmod("merged/empty", 0750));
}

OPERATION(remove_copied_dir, "shale_dir_iops.rmdir", "a copied directory is removed or not",
	  .prepare = copy_dir, EXPORT)
{
	return rmdir("merged/empty");
}

NO_OPERATION("shale_export_operations.fh_to_parent", "as fh_to_dentry, by handles that users of this kernel can't make");
NO_OPERATION("shale_export_operations.commit_metadata", "is fsync(2), and asked for by the NFS server alone");

CASES_MAIN
