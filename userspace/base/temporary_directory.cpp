// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/temporary_directory.hpp"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>

#include "base/error.hpp"
#include "base/remove_tree.hpp"

namespace shale {

namespace {

std::string usual_parent() {
    const char* base = std::getenv("TMPDIR");
    return base && *base ? base : "/tmp";
}

} // namespace

TemporaryDirectory::TemporaryDirectory(const std::string& parent, const std::string& prefix) {
    path_ = (parent.empty() ? usual_parent() : parent) + "/" + prefix + "XXXXXX";
    if (!mkdtemp(path_.data()))
        throw Error::from_errno(path_, errno, parent.empty() ? "set TMPDIR to a directory that can be written" : "");
}

TemporaryDirectory::~TemporaryDirectory() {
    try {
        remove_tree(AT_FDCWD, path_);
    } catch (const Error&) {
        // Nothing a destructor could do about it; what stays is in a temporary directory.
    }
}

} // namespace shale
