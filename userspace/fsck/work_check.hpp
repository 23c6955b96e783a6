// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fsck/sink.hpp"
#include "fsck/subject.hpp"

namespace shale::fsck {

/// Looks through `work/` in the work directory: what is not finished, and the marks of features.
void check_work(const Subject& subject, Sink& sink);

} // namespace shale::fsck
