// SPDX-License-Identifier: GPL-2.0
#define CREATE_TRACE_POINTS
#include "control/trace.h"

bool shale_traced(enum shale_event_kind kind)
{
	switch (kind) {
	case SHALE_EVENT_KIND_MOUNTED:
		return trace_shale_mounted_enabled();
	case SHALE_EVENT_KIND_CHANGED:
		return trace_shale_changed_enabled();
	case SHALE_EVENT_KIND_UNMOUNTED:
		return trace_shale_unmounted_enabled();
	case SHALE_EVENT_KIND_COPIED_UP:
		return trace_shale_copied_up_enabled();
	case SHALE_EVENT_KIND_WHITED_OUT:
		return trace_shale_whited_out_enabled();
	case SHALE_EVENT_KIND_REDIRECTED:
		return trace_shale_redirected_enabled();
	case SHALE_EVENT_KIND_FAILED:
		return trace_shale_failed_enabled();
	case SHALE_EVENT_KIND_VOLATILE_FAILED:
		return trace_shale_volatile_failed_enabled();
	}
	return false;
}

void shale_trace(const struct shale_sb *sbi, const struct shale_news *news)
{
	/* The last of the enumerators: show_reason() has a name for each. */
	BUILD_BUG_ON(SHALE_REASON_WRITE != 16);

	switch (news->event->kind) {
	case SHALE_EVENT_KIND_MOUNTED:
		trace_shale_mounted(sbi, news);
		break;
	case SHALE_EVENT_KIND_CHANGED:
		trace_shale_changed(sbi, news);
		break;
	case SHALE_EVENT_KIND_UNMOUNTED:
		trace_shale_unmounted(sbi, news);
		break;
	case SHALE_EVENT_KIND_COPIED_UP:
		trace_shale_copied_up(sbi, news);
		break;
	case SHALE_EVENT_KIND_WHITED_OUT:
		trace_shale_whited_out(sbi, news);
		break;
	case SHALE_EVENT_KIND_REDIRECTED:
		trace_shale_redirected(sbi, news);
		break;
	case SHALE_EVENT_KIND_FAILED:
		trace_shale_failed(sbi, news);
		break;
	case SHALE_EVENT_KIND_VOLATILE_FAILED:
		trace_shale_volatile_failed(sbi, news);
		break;
	}
}
