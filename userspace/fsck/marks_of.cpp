// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/marks_of.hpp"

#include <algorithm>
#include <array>

#include <linux/shale_ondisk.h>

#include "ondisk/xattr_names.hpp"

namespace shale::fsck {

using ondisk::Mark;
using ondisk::Prefix;

namespace {

constexpr std::array all_marks = {Mark::opaque, Mark::whiteout, Mark::redirect, Mark::origin,   Mark::impure,
                                  Mark::nlink,  Mark::upper,    Mark::uuid,     Mark::metacopy, Mark::protattr};

void note(Marks& marks, const XattrTarget& object, const std::string& name, Prefix prefix) {
    for (const Mark mark : all_marks) {
        if (name != ondisk::xattr_name(prefix, mark))
            continue;
        if (auto value = object.get(name))
            marks.known.emplace(mark, std::move(*value));
        return;
    }
    marks.unknown.push_back(name);
}

} // namespace

Marks marks_of(const XattrTarget& object, Prefix prefix) {
    Marks marks;
    for (const std::string& name : object.names()) {
        if (!ondisk::is_private_to_any(name))
            continue;
        if (!name.starts_with(ondisk::mark_prefix(prefix)))
            marks.has_other_prefix = true;
        else if (!ondisk::shown_name(prefix, name))
            note(marks, object, name, prefix);
    }
    return marks;
}

std::string hex(const std::string& value) {
    std::string digits;
    for (const char byte : value) {
        digits += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
        digits += "0123456789abcdef"[byte & 15];
    }
    return digits;
}

bool is_valid_origin(const std::string& value) {
    return shale_origin_valid(value.data(), value.size()) != 0;
}

std::string shown_value(const std::string& value) {
    constexpr std::size_t most = 120;
    const bool is_text = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
    std::string shown = is_text ? "\"" + value + "\"" : "0x" + hex(value);
    if (shown.size() > most)
        shown = shown.substr(0, most) + "... (" + std::to_string(value.size()) + " bytes)";
    return shown;
}

} // namespace shale::fsck
