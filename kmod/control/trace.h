/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: the events of the netlink family once more, of the same names, for ftrace, perf and
 * BPF. docs/tracing.md lists them and their fields, which stay as they are.
 *
 * They do not depend on a mount's event mask, nor on its rate.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM SHALE_MODULE_NAME

#if !defined(SHALE_CONTROL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SHALE_CONTROL_TRACE_H

#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

#include "control/events.h"
#include "stack/events.h"
#include "stack/sb.h"

#define for_each_reason(one, last) \
	one(OPEN, "open") \
	one(TRUNCATE, "truncate") \
	one(ATTRIBUTES, "attributes") \
	one(XATTR, "xattr") \
	one(ACL, "acl") \
	one(FLAGS, "flags") \
	one(LINK, "link") \
	one(RENAME, "rename") \
	one(CHANGE_BELOW, "change-below") \
	one(DATA, "data") \
	one(HANDLE, "handle") \
	one(LOOK_UP, "look-up") \
	one(REMOVE, "remove") \
	one(CREATE, "create") \
	one(READ, "read") \
	last(WRITE, "write")

/* Tells user space, which reads the formats, what the enumerators are. */
#define define_reason(reason, text) TRACE_DEFINE_ENUM(SHALE_REASON_##reason);
for_each_reason(define_reason, define_reason)

#define reason_and_text(reason, text) { SHALE_REASON_##reason, text },
#define last_reason_and_text(reason, text) { SHALE_REASON_##reason, text }
#define show_reason(reason) \
	__print_symbolic(reason, for_each_reason(reason_and_text, last_reason_and_text))

/*
 * Texts are cut: a page holds an event with two of them, and what is larger is lost. What
 * __string() does has changed between kernels; this has not.
 */
#define SHALE_TRACE_TEXT 1024
#define text_field(field, text) \
	__dynamic_array(char, field, min_t(size_t, strlen(text) + 1, SHALE_TRACE_TEXT))
#define assign_text(field, text) \
	strscpy(__get_str(field), text, __get_dynamic_array_len(field))

DECLARE_EVENT_CLASS(shale_mount,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news),
	TP_STRUCT__entry(
		__field(u64, mount)
		__field(dev_t, dev)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->mount = sbi->id;
		__entry->dev = sbi->sb->s_dev;
		__entry->error = -news->event->err;
	),
	TP_printk("mount %llu dev %d:%d errno %d", __entry->mount,
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->error)
);

DEFINE_EVENT(shale_mount, shale_mounted,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news));

DEFINE_EVENT(shale_mount, shale_changed,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news));

DEFINE_EVENT(shale_mount, shale_unmounted,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news));

DEFINE_EVENT(shale_mount, shale_volatile_failed,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news));

TRACE_EVENT(shale_copied_up,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news),
	TP_STRUCT__entry(
		__field(u64, mount)
		__field(u64, ino)
		__field(u64, bytes)
		__field(u64, duration)
		__field(dev_t, dev)
		__field(u32, reason)
		text_field(path, news->path)
	),
	TP_fast_assign(
		__entry->mount = sbi->id;
		__entry->ino = news->ino;
		__entry->bytes = news->event->bytes;
		__entry->duration = news->duration;
		__entry->dev = sbi->sb->s_dev;
		__entry->reason = news->event->reason;
		assign_text(path, news->path);
	),
	TP_printk("mount %llu dev %d:%d ino %llu path %s reason %s bytes %llu duration %llu ns",
		  __entry->mount, MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __get_str(path), show_reason(__entry->reason), __entry->bytes, __entry->duration)
);

TRACE_EVENT(shale_whited_out,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news),
	TP_STRUCT__entry(
		__field(u64, mount)
		__field(dev_t, dev)
		text_field(path, news->path)
	),
	TP_fast_assign(
		__entry->mount = sbi->id;
		__entry->dev = sbi->sb->s_dev;
		assign_text(path, news->path);
	),
	TP_printk("mount %llu dev %d:%d path %s", __entry->mount,
		  MAJOR(__entry->dev), MINOR(__entry->dev), __get_str(path))
);

TRACE_EVENT(shale_redirected,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news),
	TP_STRUCT__entry(
		__field(u64, mount)
		__field(u64, ino)
		__field(dev_t, dev)
		text_field(path, news->path)
		text_field(redirect, news->event->redirect)
	),
	TP_fast_assign(
		__entry->mount = sbi->id;
		__entry->ino = news->ino;
		__entry->dev = sbi->sb->s_dev;
		assign_text(path, news->path);
		assign_text(redirect, news->event->redirect);
	),
	TP_printk("mount %llu dev %d:%d ino %llu path %s redirect %s", __entry->mount,
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino, __get_str(path),
		  __get_str(redirect))
);

TRACE_EVENT(shale_failed,
	TP_PROTO(const struct shale_sb *sbi, const struct shale_news *news),
	TP_ARGS(sbi, news),
	TP_STRUCT__entry(
		__field(u64, mount)
		__field(u64, ino)
		__field(dev_t, dev)
		__field(u32, reason)
		__field(int, error)
		text_field(path, news->path)
	),
	TP_fast_assign(
		__entry->mount = sbi->id;
		__entry->ino = news->ino;
		__entry->dev = sbi->sb->s_dev;
		__entry->reason = news->event->reason;
		__entry->error = -news->event->err;
		assign_text(path, news->path);
	),
	TP_printk("mount %llu dev %d:%d ino %llu path %s reason %s errno %d", __entry->mount,
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino, __get_str(path),
		  show_reason(__entry->reason), __entry->error)
);

#endif

/* Outside of the guard: this file is included again, by its name as the compiler finds it. */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH control
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
