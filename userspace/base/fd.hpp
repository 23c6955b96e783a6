// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <utility>

namespace shale {

/// Owns one file descriptor and closes it. Movable, not copyable.
class UniqueFd {
public:
    UniqueFd() = default;
    /// Takes over @p fd; a negative value means none.
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    /// Gives the descriptor away; the caller closes it.
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1);

private:
    int fd_ = -1;
};

} // namespace shale
