// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/error.hpp"

#include <system_error>

namespace shale {

namespace {

std::string sentence(const std::string& thing, const std::string& reason,
                     const std::string& way_out) {
    std::string text = thing + ": " + reason + (way_out.empty() ? "" : "; " + way_out);
    // Names from an archive may hold what a terminal would obey.
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
            c = '?';
    }
    return text;
}

} // namespace

Error::Error(const std::string& thing, const std::string& reason, const std::string& way_out)
    : std::runtime_error(sentence(thing, reason, way_out)) {}

Error Error::from_errno(const std::string& thing, int code, const std::string& way_out) {
    Error error(thing, std::generic_category().message(code), way_out);
    error.code_ = code;
    return error;
}

} // namespace shale
