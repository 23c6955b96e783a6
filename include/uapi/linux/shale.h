/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	include/netlink/shale.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_SHALE_H
#define _UAPI_LINUX_SHALE_H

#define SHALE_FAMILY_NAME	"shale"
#define SHALE_FAMILY_VERSION	1

#define SHALE_MAX_LOWER		4096
#define SHALE_MAX_QUIESCE	10000

/**
 * enum shale_event_kind - What an event tells of; the bit of the same number,
 *   counted from 0, is its place in "events".
 * @SHALE_EVENT_KIND_MOUNTED: A mount was made. Group "mounts", like the next
 *   two.
 * @SHALE_EVENT_KIND_CHANGED: A mount was made read-only or writable, or "set"
 *   has changed something of it.
 * @SHALE_EVENT_KIND_UNMOUNTED: A mount ends; "get" no longer knows it.
 * @SHALE_EVENT_KIND_COPIED_UP: An object was copied to the writable layer.
 *   Group "copy-ups".
 * @SHALE_EVENT_KIND_WHITED_OUT: A name was hidden by a whiteout. Group
 *   "names", like the next one.
 * @SHALE_EVENT_KIND_REDIRECTED: A directory, or a file without data, got a
 *   redirect.
 * @SHALE_EVENT_KIND_FAILED: The layers could not do what was asked. Group
 *   "errors", like the next one.
 * @SHALE_EVENT_KIND_VOLATILE_FAILED: Data of a volatile mount could not be
 *   written back: from now on every fsync(2) and syncfs(2) of it fails.
 */
enum shale_event_kind {
	SHALE_EVENT_KIND_MOUNTED = 1,
	SHALE_EVENT_KIND_CHANGED,
	SHALE_EVENT_KIND_UNMOUNTED,
	SHALE_EVENT_KIND_COPIED_UP,
	SHALE_EVENT_KIND_WHITED_OUT,
	SHALE_EVENT_KIND_REDIRECTED,
	SHALE_EVENT_KIND_FAILED,
	SHALE_EVENT_KIND_VOLATILE_FAILED,
};

/**
 * enum shale_reason - What an object was copied up for, or what failed.
 * @SHALE_REASON_OPEN: An open(2) for writing.
 * @SHALE_REASON_ATTRIBUTES: Mode, owner or times.
 * @SHALE_REASON_FLAGS: Inode flags, by ioctl(2).
 * @SHALE_REASON_CHANGE_BELOW: A name in this directory, or in one below it,
 *   was made or changed.
 * @SHALE_REASON_DATA: The data of a copy that was without it was needed.
 * @SHALE_REASON_HANDLE: A file handle of a directory was asked for.
 */
enum shale_reason {
	SHALE_REASON_OPEN = 1,
	SHALE_REASON_TRUNCATE,
	SHALE_REASON_ATTRIBUTES,
	SHALE_REASON_XATTR,
	SHALE_REASON_ACL,
	SHALE_REASON_FLAGS,
	SHALE_REASON_LINK,
	SHALE_REASON_RENAME,
	SHALE_REASON_CHANGE_BELOW,
	SHALE_REASON_DATA,
	SHALE_REASON_HANDLE,
	SHALE_REASON_LOOK_UP,
	SHALE_REASON_REMOVE,
	SHALE_REASON_CREATE,
	SHALE_REASON_READ,
	SHALE_REASON_WRITE,
};

/**
 * enum shale_switch - Whether a mount has a feature.
 */
enum shale_switch {
	SHALE_SWITCH_OFF,
	SHALE_SWITCH_ON,
};

/**
 * enum shale_redirect_dir - What is done with directories that have parts in
 *   lower layers, when they are renamed.
 * @SHALE_REDIRECT_DIR_OFF: Either of the last two, as the module parameter
 *   "redirect_always_follow" says.
 * @SHALE_REDIRECT_DIR_ON: Renames make redirects, look-ups follow them.
 * @SHALE_REDIRECT_DIR_FOLLOW: Look-ups follow those that are there.
 * @SHALE_REDIRECT_DIR_NOFOLLOW: What carries one can't be looked up.
 */
enum shale_redirect_dir {
	SHALE_REDIRECT_DIR_OFF,
	SHALE_REDIRECT_DIR_ON,
	SHALE_REDIRECT_DIR_FOLLOW,
	SHALE_REDIRECT_DIR_NOFOLLOW,
};

/**
 * enum shale_xino - Whether inode numbers tell the file system of the layer,
 *   where layers lie on several.
 * @SHALE_XINO_AUTO: Where there is room for it in the numbers.
 */
enum shale_xino {
	SHALE_XINO_OFF,
	SHALE_XINO_ON,
	SHALE_XINO_AUTO,
};

/**
 * enum shale_verity - Whether copies without data carry the fs-verity digest
 *   of the data.
 * @SHALE_VERITY_ON: Where the file below has one.
 * @SHALE_VERITY_REQUIRE: Where it has none, the data are copied.
 */
enum shale_verity {
	SHALE_VERITY_OFF,
	SHALE_VERITY_ON,
	SHALE_VERITY_REQUIRE,
};

/**
 * enum shale_uuid - The uuid of the mount, and those of its layers in file
 *   handles.
 * @SHALE_UUID_AUTO: Kept by the upper, if that is new or has one already; else
 *   as null.
 * @SHALE_UUID_NULL: The mount has none.
 * @SHALE_UUID_ON: Kept by the upper.
 * @SHALE_UUID_OFF: None, and file handles do not tell those of layers.
 */
enum shale_uuid {
	SHALE_UUID_AUTO,
	SHALE_UUID_NULL,
	SHALE_UUID_ON,
	SHALE_UUID_OFF,
};

/**
 * enum shale_fsync - When copies reach the disk.
 * @SHALE_FSYNC_AUTO: The data of a file before its name.
 * @SHALE_FSYNC_STRICT: Attributes and marks before, too, and those of
 *   directories.
 * @SHALE_FSYNC_VOLATILE: Nothing does, whoever asks for it.
 */
enum shale_fsync {
	SHALE_FSYNC_AUTO,
	SHALE_FSYNC_STRICT,
	SHALE_FSYNC_VOLATILE,
};

/**
 * enum shale_copy_up - When a regular file is copied up.
 * @SHALE_COPY_UP_CHANGE: Before the first change.
 * @SHALE_COPY_UP_OPEN: When it is first opened, too.
 */
enum shale_copy_up {
	SHALE_COPY_UP_CHANGE,
	SHALE_COPY_UP_OPEN,
};

enum {
	SHALE_A_STACK_LOWER = 1,
	SHALE_A_STACK_UPPER,
	SHALE_A_STACK_WORK,
	SHALE_A_STACK_STACK,
	SHALE_A_STACK_DATA,
	SHALE_A_STACK_LOWER_PATH,
	SHALE_A_STACK_UPPER_PATH,
	SHALE_A_STACK_WORK_PATH,
	SHALE_A_STACK_DATA_PATH,
	SHALE_A_STACK_USERXATTR,
	SHALE_A_STACK_DEFAULT_PERMISSIONS,
	SHALE_A_STACK_REDIRECT_DIR,
	SHALE_A_STACK_METACOPY,
	SHALE_A_STACK_INDEX,
	SHALE_A_STACK_NFS_EXPORT,
	SHALE_A_STACK_XINO,
	SHALE_A_STACK_VERITY,
	SHALE_A_STACK_UUID,
	SHALE_A_STACK_FSYNC,
	SHALE_A_STACK_COPY_UP,
	SHALE_A_STACK_SIZE,
	SHALE_A_STACK_INODES,

	__SHALE_A_STACK_MAX,
	SHALE_A_STACK_MAX = (__SHALE_A_STACK_MAX - 1)
};

enum {
	SHALE_A_MOUNT_ID = 1,
	SHALE_A_MOUNT_FD,
	SHALE_A_MOUNT_MAJOR,
	SHALE_A_MOUNT_MINOR,
	SHALE_A_MOUNT_SOURCE,
	SHALE_A_MOUNT_UPPER,
	SHALE_A_MOUNT_WORK,
	SHALE_A_MOUNT_LOWERS,
	SHALE_A_MOUNT_FIRST,
	SHALE_A_MOUNT_LOWER,
	SHALE_A_MOUNT_COPY_UPS,
	SHALE_A_MOUNT_COPY_UP_BYTES,
	SHALE_A_MOUNT_REDIRECTS,
	SHALE_A_MOUNT_METACOPIES,
	SHALE_A_MOUNT_EVENTS,
	SHALE_A_MOUNT_EVENT_RATE,
	SHALE_A_MOUNT_MAX_COPY_UP,
	SHALE_A_MOUNT_DATA_LOWERS,
	SHALE_A_MOUNT_SIZE,
	SHALE_A_MOUNT_INODES,
	SHALE_A_MOUNT_SIZE_USED,
	SHALE_A_MOUNT_INODES_USED,
	SHALE_A_MOUNT_PROJECT,

	__SHALE_A_MOUNT_MAX,
	SHALE_A_MOUNT_MAX = (__SHALE_A_MOUNT_MAX - 1)
};

enum {
	SHALE_A_PART_UPPER = 1,
	SHALE_A_PART_LOWER,
	SHALE_A_PART_DATA,

	__SHALE_A_PART_MAX,
	SHALE_A_PART_MAX = (__SHALE_A_PART_MAX - 1)
};

enum {
	SHALE_A_OBJECT_FD = 1,
	SHALE_A_OBJECT_MOUNT,
	SHALE_A_OBJECT_PATH,
	SHALE_A_OBJECT_INO,
	SHALE_A_OBJECT_PART,
	SHALE_A_OBJECT_METACOPY,
	SHALE_A_OBJECT_OPAQUE,
	SHALE_A_OBJECT_WHITEOUT_NEEDED,

	__SHALE_A_OBJECT_MAX,
	SHALE_A_OBJECT_MAX = (__SHALE_A_OBJECT_MAX - 1)
};

enum {
	SHALE_A_LAYER_USE_FD = 1,
	SHALE_A_LAYER_USE_MOUNT,
	SHALE_A_LAYER_USE_UPPER,
	SHALE_A_LAYER_USE_WORK,
	SHALE_A_LAYER_USE_LOWER,

	__SHALE_A_LAYER_USE_MAX,
	SHALE_A_LAYER_USE_MAX = (__SHALE_A_LAYER_USE_MAX - 1)
};

enum {
	SHALE_A_LAYER_COUNTERS_LOWER = 1,
	SHALE_A_LAYER_COUNTERS_COPY_UPS,
	SHALE_A_LAYER_COUNTERS_COPY_UP_BYTES,
	SHALE_A_LAYER_COUNTERS_LOOK_UPS,

	__SHALE_A_LAYER_COUNTERS_MAX,
	SHALE_A_LAYER_COUNTERS_MAX = (__SHALE_A_LAYER_COUNTERS_MAX - 1)
};

enum {
	SHALE_A_ERROR_COUNTER_ERRNO = 1,
	SHALE_A_ERROR_COUNTER_COUNT,

	__SHALE_A_ERROR_COUNTER_MAX,
	SHALE_A_ERROR_COUNTER_MAX = (__SHALE_A_ERROR_COUNTER_MAX - 1)
};

enum {
	SHALE_A_COUNTERS_ID = 1,
	SHALE_A_COUNTERS_FD,
	SHALE_A_COUNTERS_COPY_UPS,
	SHALE_A_COUNTERS_COPY_UP_BYTES,
	SHALE_A_COUNTERS_WHITEOUTS,
	SHALE_A_COUNTERS_REDIRECTS,
	SHALE_A_COUNTERS_LOOK_UPS,
	SHALE_A_COUNTERS_PROBES,
	SHALE_A_COUNTERS_PROBES_SAVED,
	SHALE_A_COUNTERS_LISTINGS,
	SHALE_A_COUNTERS_LISTED_NAMES,
	SHALE_A_COUNTERS_LISTING_BYTES,
	SHALE_A_COUNTERS_REOPENS,
	SHALE_A_COUNTERS_EVENTS,
	SHALE_A_COUNTERS_EVENTS_DROPPED,
	SHALE_A_COUNTERS_ERROR,
	SHALE_A_COUNTERS_LAYER,

	__SHALE_A_COUNTERS_MAX,
	SHALE_A_COUNTERS_MAX = (__SHALE_A_COUNTERS_MAX - 1)
};

enum {
	SHALE_A_QUIESCE_ID = 1,
	SHALE_A_QUIESCE_FD,
	SHALE_A_QUIESCE_TIMEOUT,
	SHALE_A_QUIESCE_HOLD,
	SHALE_A_QUIESCE_PATH,

	__SHALE_A_QUIESCE_MAX,
	SHALE_A_QUIESCE_MAX = (__SHALE_A_QUIESCE_MAX - 1)
};

enum {
	SHALE_A_EVENT_MOUNT = 1,
	SHALE_A_EVENT_SEQ,
	SHALE_A_EVENT_KIND,
	SHALE_A_EVENT_TIME,
	SHALE_A_EVENT_DROPPED,
	SHALE_A_EVENT_PID,
	SHALE_A_EVENT_TID,
	SHALE_A_EVENT_COMM,
	SHALE_A_EVENT_CGROUP,
	SHALE_A_EVENT_UID,
	SHALE_A_EVENT_PATH,
	SHALE_A_EVENT_INO,
	SHALE_A_EVENT_BYTES,
	SHALE_A_EVENT_DURATION,
	SHALE_A_EVENT_REASON,
	SHALE_A_EVENT_REDIRECT,
	SHALE_A_EVENT_ERRNO,

	__SHALE_A_EVENT_MAX,
	SHALE_A_EVENT_MAX = (__SHALE_A_EVENT_MAX - 1)
};

enum {
	SHALE_CMD_NEW = 1,
	SHALE_CMD_GET,
	SHALE_CMD_SET,
	SHALE_CMD_QUERY,
	SHALE_CMD_IN_USE,
	SHALE_CMD_COUNTERS,
	SHALE_CMD_QUIESCE,
	SHALE_CMD_EVENT,

	__SHALE_CMD_MAX,
	SHALE_CMD_MAX = (__SHALE_CMD_MAX - 1)
};

#define SHALE_MCGRP_MOUNTS	"mounts"
#define SHALE_MCGRP_COPY_UPS	"copy-ups"
#define SHALE_MCGRP_NAMES	"names"
#define SHALE_MCGRP_ERRORS	"errors"

#endif /* _UAPI_LINUX_SHALE_H */
