// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <stdexcept>
#include <string>

namespace shale {

/// The one exception libshale throws for whatever it refuses or cannot do.
///
/// what() reads "THING: reason; way out", ready to be shown after "shale: ". The way out may be
/// missing, where none is known. Control characters in it are shown as "?".
class Error : public std::runtime_error {
public:
    Error(const std::string& thing, const std::string& reason, const std::string& way_out = "");

    /// As above, with the reason taken from an errno value, which code() then returns.
    static Error from_errno(const std::string& thing, int code, const std::string& way_out = "");

    /// The errno value behind the failure, or 0 where it did not come from a system call.
    int code() const { return code_; }

private:
    int code_ = 0;
};

/// The caller asked to stop (see Progress::cancelled); everything was put back as it was.
class Cancelled : public Error {
public:
    explicit Cancelled(const std::string& thing) : Error(thing, "interrupted") {}
};

} // namespace shale
