// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <sys/stat.h>

#include "base/xattr.hpp"
#include "oci/tar_entry.hpp"
#include "store/omissions.hpp"

namespace shale {

/// Whether the marks of an overlay are among the attributes of an object: they mean something in the layer
/// that it is in, and nowhere else.
enum class Marks { dropped, kept };

/// What this machine says of an object by this attribute, and neither an image nor a copy does.
bool is_of_this_machine(const std::string& xattr);

/// Throws Error naming @p thing where marks can't be read, by somebody who is not root of the machine: they are hidden
/// then, as if there were none. @p directory is open, and may be anything in a store.
void require_readable_marks(int directory, const std::string& thing);

/// What an object has besides its content and its name.
struct Attributes {
    mode_t mode = 0755; ///< permissions, set-id and sticky bits; no type
    uid_t uid = 0;
    gid_t gid = 0;
    struct timespec modified = {};
    oci::Xattrs xattrs;

    static Attributes of(const oci::TarEntry& entry);
    /// Those of @p name in the open directory @p dir.
    static Attributes of(int dir, const std::string& name, Marks marks = Marks::dropped);
};

/// Gives attributes to objects this process has just made, with as few system calls as will do:
/// what creation has set already is not set again. What is not to be or can't be set is noted.
class AttributeWriter {
public:
    /// @p omissions outlives the writer.
    explicit AttributeWriter(Omissions& omissions, Marks marks = Marks::dropped);

    /// For an open file or directory that was created with @p created permissions. Comes after the
    /// content: writing would take set-id bits and capabilities away again.
    void apply(int fd, mode_t created, const Attributes& attributes, const std::string& thing);
    /// For what is not opened: a symbolic link, device, fifo or socket.
    void apply_at(int dir, const std::string& name, mode_t type, const Attributes& attributes,
                  const std::string& thing);

private:
    bool owner_differs(const Attributes& attributes) const;
    void set_xattrs(const XattrTarget& target, const Attributes& attributes,
                    const std::string& thing);

    Omissions& omissions_;
    Marks marks_;
    uid_t uid_;
    gid_t gid_;
    mode_t umask_;
};

} // namespace shale
