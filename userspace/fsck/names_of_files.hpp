// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>

#include "fsck/sink.hpp"
#include "fsck/subject.hpp"

namespace shale::fsck {

/// Under how many names a union shows some files.
struct NamesOfFiles {
    std::map<tree::Identity, uint64_t> count; ///< of those that were asked for
    bool is_complete = true;                  ///< no name was left out because it could not be looked up
};

/// Walks through all of the union, and counts the names of the files that are keys of @p files. What has no name
/// stays 0.
NamesOfFiles count_names(const Subject& subject, std::map<tree::Identity, uint64_t> files, Sink& sink);

} // namespace shale::fsck
