// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/progress.hpp"

namespace shale {

Progress::~Progress() = default;
void Progress::begin_archive(uint64_t) {}
void Progress::begin_layer(size_t, size_t, uint64_t) {}
void Progress::reuse_layer(size_t, size_t) {}
void Progress::advance(uint64_t) {}
void Progress::warn(const std::string&) {}
bool Progress::cancelled() {
    return false;
}

} // namespace shale
