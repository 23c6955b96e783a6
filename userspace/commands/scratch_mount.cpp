// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/scratch_mount.hpp"

#include <cerrno>

#include <sched.h>
#include <sys/mount.h>

#include "base/error.hpp"

namespace shale {

void leave_mount_namespace(const std::string& way_out) {
    if (unshare(CLONE_NEWNS) < 0)
        throw Error::from_errno("a mount namespace", errno, way_out);
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
        throw Error::from_errno("/", errno);
}

void KeptFindings::found(const verify::Finding& finding) {
    add(finding.path + ": expected " + finding.expected + ", seen " + finding.seen + " (rule " +
        std::string(finding.rule.number) + ")");
}

void KeptFindings::not_judged(const std::string& path, const std::string& reason) {
    add(path + ": " + reason);
}

void KeptFindings::add(const std::string& line) {
    text_ += (text_.empty() ? "" : "; ") + line;
}

} // namespace shale
