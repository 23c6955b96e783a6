// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/image_progress.hpp"

#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "commands/format.hpp"
#include "commands/table.hpp"

namespace shale {

ImageProgress::ImageProgress() : terminal_(isatty(STDERR_FILENO) != 0) {}

void ImageProgress::begin_archive(uint64_t bytes) {
    begin("archive", bytes);
}

void ImageProgress::begin_layer(size_t index, size_t count, uint64_t bytes) {
    begin("layer " + std::to_string(index) + "/" + std::to_string(count), bytes);
}

void ImageProgress::begin(const std::string& what, uint64_t bytes) {
    what_ = what;
    size_ = bytes;
    done_ = 0;
    began_ = Clock::now();
    show();
}

void ImageProgress::reuse_layer(size_t, size_t) {
    reused_++;
}

void ImageProgress::advance(uint64_t bytes) {
    done_ += bytes;
    if (Clock::now() - shown_ >= std::chrono::milliseconds(100))
        show();
}

void ImageProgress::warn(const std::string& message) {
    clear();
    std::cerr << "shale: warning: " << printable(message) << "\n";
}

bool ImageProgress::cancelled() {
    return CancelOnSignal::received() != 0;
}

void ImageProgress::clear() {
    if (terminal_)
        std::cerr << "\r\033[K" << std::flush;
}

void ImageProgress::show() {
    if (!terminal_)
        return;
    shown_ = Clock::now();
    const double seconds = std::chrono::duration<double>(shown_ - began_).count();
    std::cerr << "\r\033[K" << what_ << "  " << size_text(static_cast<double>(done_));
    if (size_ > 0)
        std::cerr << " of " << size_text(static_cast<double>(size_));
    if (seconds > 0.2)
        std::cerr << "  " << size_text(static_cast<double>(done_) / seconds) << "/s";
    std::cerr << std::flush;
}

void run_interruptibly(const std::string& undone,
                       const std::function<void(ImageProgress&)>& operation) {
    ImageProgress progress;
    try {
        const CancelOnSignal signals;
        operation(progress);
        progress.clear();
    } catch (const Cancelled&) {
        progress.clear();
        std::cerr << "shale: interrupted; " << undone << std::endl;
        std::exit(128 + CancelOnSignal::received());
    } catch (...) {
        progress.clear();
        throw;
    }
}

} // namespace shale
