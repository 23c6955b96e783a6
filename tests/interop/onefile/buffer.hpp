// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace shale::onefile {

/// Memory at a page's beginning, as direct I/O wants it; or a few bytes behind it.
class Buffer {
public:
    explicit Buffer(size_t size, size_t shift = 0)
        : memory_(std::aligned_alloc(page, (size + shift) / page * page + page), &std::free),
          size_(size), shift_(shift) {
        if (!memory_)
            throw std::bad_alloc();
        std::memset(data(), 0xee, size);
    }
    Buffer(std::string_view text, size_t shift) : Buffer(text.size(), shift) {
        std::memcpy(data(), text.data(), text.size());
    }

    char* data() const { return static_cast<char*>(memory_.get()) + shift_; }
    size_t size() const { return size_; }
    std::string_view view(size_t length) const { return {data(), length}; }

    static constexpr size_t page = 4096;

private:
    std::unique_ptr<void, void (*)(void*)> memory_;
    size_t size_, shift_;
};

} // namespace shale::onefile
