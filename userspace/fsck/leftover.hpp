// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "fsck/sink.hpp"

namespace shale::fsck {

/// Judges what lies under @p name in the open directory @p dir, where mounts make what is not finished: in `work/`, or
/// in the index. @p path is that of the object in the work directory @p base.
void judge_leftover(const std::string& base, int dir, const std::string& name, const std::string& path, Sink& sink);

/// The steps that remove it with all that is in it.
std::vector<Step> removal(const std::string& base, int dir, const std::string& name, const std::string& path);

} // namespace shale::fsck
