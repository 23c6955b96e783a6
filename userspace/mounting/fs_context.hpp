// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace shale::mounting {

/// A mount in the making: fsopen(2), fsconfig(2), fsmount(2). Every method throws Error, with what
/// the kernel wrote into the log of the context as the reason.
class FsContext {
public:
    /// @p type is a file system type, such as "shale".
    explicit FsContext(const std::string& type);

    void set_string(const std::string& key, const std::string& value);
    void set_flag(const std::string& key);
    void set_fd(const std::string& key, int fd);

    /// Makes the superblock from what was set.
    void create();

    /// The mount, with the MOUNT_ATTR_* in @p attributes, not attached anywhere yet; closing it
    /// undoes it.
    UniqueFd mount(unsigned attributes);

private:
    void configure(unsigned command, const char* key, const void* value, int aux,
                   const std::string& doing);
    [[noreturn]] void fail(const std::string& thing, int code);

    std::string type_;
    UniqueFd fd_;
};

/// What the lines of a context's log ("e text", "w text", "i text") say about a failure: the
/// errors, or else the warnings, joined.
class ContextLog {
public:
    /// @p type is the file system's, which it may have put before each of its lines.
    explicit ContextLog(std::string type) : type_(std::move(type)) {}

    /// Takes in one line as read(2) gives it.
    void add(std::string_view line);
    std::string summary() const;

private:
    std::string type_;
    std::string errors_;
    std::string warnings_;
};

} // namespace shale::mounting
