// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each failure of what the index does for files with several names: see lib/failures.h, which draws the
 * tree. twin1 and twin2 are one file before and after, with as many links as it has names.
 */
#include "failures.h"

#define INDEX .features = "redirect_dir=on,index=on,metacopy=off"
#define METACOPY .features = "redirect_dir=on,index=on,metacopy=on"

OPERATION(copy_up_twin, "shale_file_iops.setattr", "a file with two names is copied up for both, or not", INDEX)
{
	return chmod("merged/twin1", 0640);
}

OPERATION(copy_up_twin_without_data, "shale_file_iops.setattr", "so it is without its data", METACOPY)
{
	return chmod("merged/twin1", 0640);
}

static void copy_twin(void)
{
	OK(chmod("merged/twin1", 0640));
}

static void copy_twin_and_forget(void)
{
	copy_twin();
	unmount();
	mount_layers("top:low");
}

OPERATION(look_up_twin, "shale_dir_iops.lookup", "a name that was not copied up shows the copy, or is not found",
	  .prepare = copy_twin_and_forget, INDEX)
{
	struct stat st;

	return lstat("merged/twin2", &st);
}

OPERATION(look_up_twins_data, "shale_file_fops.open", "and the data that the copy has not", METACOPY,
	  .prepare = copy_twin_and_forget)
{
	return keep(open("merged/twin2", O_RDONLY));
}

OPERATION(copy_up_other_twin, "shale_file_iops.setattr", "the other name is copied up to the same file, or not",
	  .prepare = copy_twin, INDEX)
{
	return chmod("merged/twin2", 0600);
}

OPERATION(complete_twin, "shale_file_fops.open", "what one name has no data of gets it by the other, or not",
	  .prepare = copy_twin, METACOPY)
{
	return keep(open("merged/twin2", O_WRONLY));
}

OPERATION(link_twin, "shale_dir_iops.link", "a third name is there and counted, or not", INDEX)
{
	return link("merged/twin1", "merged/new");
}

OPERATION(link_copied_twin, "shale_dir_iops.link", "so it is for a copy", .prepare = copy_twin, INDEX)
{
	return link("merged/twin2", "merged/own/new");
}

OPERATION(link_twin_over_whiteout, "shale_dir_iops.link", "and over a whiteout", INDEX)
{
	return link("merged/twin1", "merged/hidden");
}

OPERATION(unlink_twin, "shale_dir_iops.unlink", "one of two names is gone and not counted any more, or there", INDEX)
{
	return unlink("merged/twin1");
}

OPERATION(unlink_copied_twin, "shale_dir_iops.unlink", "so it is for a copy", .prepare = copy_twin, INDEX)
{
	return unlink("merged/twin1");
}

OPERATION(unlink_uncopied_twin, "shale_dir_iops.unlink", "and for the name that was not copied up",
	  .prepare = copy_twin, INDEX)
{
	return unlink("merged/twin2");
}

/* Also where an attempt before has left it so. */
static void remove_twin(void)
{
	copy_twin();
	if (exists("merged/twin2"))
		OK(unlink("merged/twin2"));
}

static void remove_other_twin(void)
{
	if (!exists("merged/twin1"))
		return;
	copy_twin();
	OK(unlink("merged/twin1"));
}

OPERATION(unlink_last, "shale_dir_iops.unlink", "the last name is gone or there", .prepare = remove_twin, INDEX)
{
	return unlink("merged/twin1");
}

OPERATION(unlink_last_uncopied, "shale_dir_iops.unlink", "the last name, which was not copied up, is gone or there",
	  .prepare = remove_other_twin, INDEX)
{
	return unlink("merged/twin2");
}

OPERATION(rename_twin, "shale_dir_iops.rename", "one of two names has moved or not", INDEX)
{
	return rename("merged/twin1", "merged/own/new");
}

OPERATION(replace_twin, "shale_dir_iops.rename", "one of two names is another file's, or not", INDEX)
{
	return rename("merged/mine", "merged/twin1");
}

OPERATION(replace_uncopied_twin, "shale_dir_iops.rename", "so it is for the name that was not copied up",
	  .prepare = copy_twin, INDEX)
{
	return rename("merged/mine", "merged/twin2");
}

OPERATION(replace_last, "shale_dir_iops.rename", "the last name is another file's, or not", .prepare = remove_twin,
	  INDEX)
{
	return rename("merged/mine", "merged/twin1");
}

OPERATION(exchange_twin, "shale_dir_iops.rename", "one of two names is exchanged or not", INDEX)
{
	return renameat2(AT_FDCWD, "merged/twin1", AT_FDCWD, "merged/file", RENAME_EXCHANGE);
}

/* An index that is there, and one that is not. */

static long mount_index(void)
{
	return mount("kselftest", "merged", fs_type(), 0,
		     "lowerdir=top:low,upperdir=upper,workdir=work,redirect_dir=on,index=on,metacopy=off");
}

static void leave_index(void)
{
	umount2("merged", 0);
	OK(mount_index());
	copy_twin();
	OK(umount2("merged", 0));
}

OPERATION(mount_new_index, "context_operations.get_tree", "a mount makes an index or leaves nothing in the way of one",
	  .flags = NOT_MOUNTED, INDEX)
{
	return mount_index();
}

OPERATION(mount_old_index, "context_operations.get_tree", "a mount takes an index as it is, or fails",
	  .flags = NOT_MOUNTED, .prepare = leave_index, INDEX)
{
	return mount_index();
}

CASES_MAIN
