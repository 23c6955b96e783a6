// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace shale::onefile {

class Pipe {
public:
    Pipe() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
            throw Error::from_errno("pipe", errno);
        out_.reset(ends[0]);
        in_.reset(ends[1]);
    }
    int in() const { return in_.get(); }
    int out() const { return out_.get(); }

    static constexpr size_t room = 64 << 10; ///< how much it holds

private:
    UniqueFd in_, out_;
};

} // namespace shale::onefile
