// SPDX-License-Identifier: GPL-2.0-or-later
#include "content.hpp"

#include <algorithm>
#include <cstdio>

namespace shale::onefile {

std::string_view Content::read(off_t at, size_t length) const {
    if (at >= end())
        return {};
    return std::string_view(bytes_).substr(static_cast<size_t>(at), length);
}

void Content::write(off_t at, std::string_view data) {
    if (data.empty())
        return;
    grow(at + static_cast<off_t>(data.size()));
    std::copy(data.begin(), data.end(), bytes_.begin() + at);
}

void Content::zero(off_t at, off_t length) {
    const off_t stop = std::min(end(), at + length);
    if (at < stop)
        std::fill(bytes_.begin() + at, bytes_.begin() + stop, '\0');
}

void Content::grow(off_t size) {
    if (size > end())
        resize(size);
}

void Content::collapse(off_t at, off_t length) {
    bytes_.erase(static_cast<size_t>(at), static_cast<size_t>(length));
}

void Content::insert(off_t at, off_t length) {
    bytes_.insert(static_cast<size_t>(at), static_cast<size_t>(length), '\0');
}

bool Content::has_data(off_t from, off_t to) const {
    const std::string_view part = read(from, static_cast<size_t>(to - from));
    return part.find_first_not_of('\0') != part.npos;
}

std::string Content::difference(off_t at, std::string_view seen) const {
    const std::string_view wanted = read(at, seen.size());
    if (wanted == seen)
        return "";
    const auto [want, see] = std::mismatch(wanted.begin(), wanted.end(), seen.begin(), seen.end());
    const auto place = static_cast<size_t>(want - wanted.begin());
    if (want == wanted.end())
        return "it goes on at " + std::to_string(at + static_cast<off_t>(place));
    size_t count = 0;
    for (size_t i = place; i < wanted.size(); ++i)
        count += wanted[i] != seen[i];
    char text[120];
    std::snprintf(text, sizeof text, "at %lld is 0x%02x instead of 0x%02x, %zu bytes differ",
                  static_cast<long long>(at) + static_cast<long long>(place),
                  static_cast<unsigned char>(*see), static_cast<unsigned char>(*want), count);
    return text;
}

} // namespace shale::onefile
