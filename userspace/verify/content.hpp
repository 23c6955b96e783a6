// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shale::verify {

/// Compares what two files hold, in memory of its own. One for each thread.
class Comparison {
public:
    /// @p stop: ends a long comparison, which says then that nothing differs.
    explicit Comparison(const std::atomic<bool>& stop);

    /// Where the bytes of two open files, both of @p size as stat(2) has it, differ first, or one of them ends;
    /// nothing if they are alike. Throws Error, naming @p shown_path or @p real_path, when one can't be read.
    std::optional<uint64_t> first_difference(uint64_t size, int shown, const std::string& shown_path, int real,
                                             const std::string& real_path);

    /// Bytes of the mount that were compared since this was asked last.
    uint64_t take_bytes();

private:
    const std::atomic<bool>& stop_;
    std::vector<char> shown_, real_;
    uint64_t bytes_ = 0;
};

} // namespace shale::verify
