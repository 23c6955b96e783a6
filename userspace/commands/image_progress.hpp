// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/progress.hpp"

namespace shale {

/// Shows a long operation on standard error: one line that changes on a terminal, otherwise warnings
/// only. Says that it is to stop when a signal has come.
class ImageProgress : public Progress {
public:
    ImageProgress();

    void begin_archive(uint64_t bytes) override;
    void begin_layer(size_t index, size_t count, uint64_t bytes) override;
    void reuse_layer(size_t index, size_t count) override;
    /// Anything else begins: @p what, of @p bytes bytes (0: nobody knows how many).
    void begin(const std::string& what, uint64_t bytes);
    void advance(uint64_t bytes) override;
    void warn(const std::string& message) override;
    bool cancelled() override;

    /// Takes the line off the terminal.
    void clear();
    size_t reused() const { return reused_; }

private:
    using Clock = std::chrono::steady_clock;
    void show();

    const bool terminal_;
    size_t reused_ = 0;
    std::string what_; ///< is being read
    uint64_t size_ = 0, done_ = 0;
    Clock::time_point began_, shown_;
};

/// Runs @p operation, which SIGINT, SIGTERM and SIGHUP stop. Then the process ends, after a message
/// that says @p undone, such as "nothing was imported".
void run_interruptibly(const std::string& undone,
                       const std::function<void(ImageProgress&)>& operation);

} // namespace shale
