// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/error.hpp"

#include <system_error>

namespace shale {

namespace {

std::string sentence(const std::string& thing, const std::string& reason,
                     const std::string& way_out) {
    return thing + ": " + reason + (way_out.empty() ? "" : "; " + way_out);
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
