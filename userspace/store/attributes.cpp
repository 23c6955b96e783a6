// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/attributes.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "ondisk/xattr_names.hpp"

namespace shale {

namespace {

constexpr mode_t permissions = 07777;

/// Marks of an overlay, escaped ones of nested overlays included, describe layers. They never
/// travel from an archive or another layer into this one.
bool is_overlay_mark(const std::string& name) {
    return name.starts_with(ondisk::mark_prefix(ondisk::Prefix::trusted)) ||
           name.starts_with(ondisk::mark_prefix(ondisk::Prefix::user));
}

/// Asked of /proc because umask(2) can only be read by changing it, under every other thread.
mode_t process_umask() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("Umask:"))
            return static_cast<mode_t>(std::strtoul(line.c_str() + 6, nullptr, 8));
    }
    return 0777; // not known: set every mode explicitly
}

[[noreturn]] void fail(const std::string& thing) {
    throw Error::from_errno(thing, errno,
                            errno == EPERM ? "run as root: layers keep their owners" : "");
}

/// Access time is not kept in layers: it is set to the modification time, as tar does.
struct Times {
    explicit Times(const Attributes& attributes)
        : values{attributes.modified, attributes.modified} {}
    struct timespec values[2];
};

} // namespace

void require_readable_marks(int directory, const std::string& thing) {
    if (XattrTarget(directory).remove("trusted.overlay.none") == EPERM)
        throw Error(thing, "its marks (trusted.overlay.*) can't be read", "run it as root of the machine");
}

bool is_of_this_machine(const std::string& xattr) {
    return xattr == "security.selinux" || xattr == "security.evm" || xattr.starts_with("security.SMACK64");
}

Attributes Attributes::of(const oci::TarEntry& entry) {
    return {entry.mode & permissions, entry.uid, entry.gid, entry.modified, entry.xattrs};
}

Attributes Attributes::of(int dir, const std::string& name, Marks marks) {
    struct stat st;
    if (fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
        throw Error::from_errno(name, errno);
    Attributes attributes{st.st_mode & permissions, st.st_uid, st.st_gid, st.st_mtim, {}};
    const XattrTarget source(dir, name);
    for (const std::string& xattr : source.names()) {
        if (marks == Marks::dropped && is_overlay_mark(xattr))
            continue;
        if (const std::optional<std::string> value = source.get(xattr))
            attributes.xattrs.emplace_back(xattr, *value);
    }
    return attributes;
}

AttributeWriter::AttributeWriter(Omissions& omissions, Marks marks)
    : omissions_(omissions), marks_(marks), uid_(geteuid()), gid_(getegid()), umask_(process_umask()) {}

bool AttributeWriter::owner_differs(const Attributes& attributes) const {
    return attributes.uid != uid_ || attributes.gid != gid_;
}

void AttributeWriter::apply(int fd, mode_t created, const Attributes& attributes,
                            const std::string& thing) {
    // chown takes set-id bits away and chmod changes ACLs, hence the order.
    if (owner_differs(attributes) && fchown(fd, attributes.uid, attributes.gid) != 0)
        fail(thing);
    if ((created & ~umask_) != attributes.mode && fchmod(fd, attributes.mode) != 0)
        fail(thing);
    set_xattrs(XattrTarget(fd), attributes, thing);
    if (futimens(fd, Times(attributes).values) != 0)
        fail(thing);
}

void AttributeWriter::apply_at(int dir, const std::string& name, mode_t type,
                               const Attributes& attributes, const std::string& thing) {
    const char* path = name.c_str();
    if (owner_differs(attributes) &&
        fchownat(dir, path, attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0)
        fail(thing);
    if (!S_ISLNK(type) && fchmodat(dir, path, attributes.mode, 0) != 0)
        fail(thing);
    if (!attributes.xattrs.empty())
        set_xattrs(XattrTarget(dir, name), attributes, thing);
    if (utimensat(dir, path, Times(attributes).values, AT_SYMLINK_NOFOLLOW) != 0)
        fail(thing);
}

void AttributeWriter::set_xattrs(const XattrTarget& target, const Attributes& attributes,
                                 const std::string& thing) {
    for (const auto& [name, value] : attributes.xattrs) {
        if (marks_ == Marks::dropped && is_overlay_mark(name)) {
            omissions_.note(Omissions::Kind::overlay_xattr,
                            thing + ": dropped attribute " + name + ", which only a mount may set");
            continue;
        }
        const int code = target.set(name, value);
        if (code == 0)
            continue;
        // EPERM: user attributes exist on files and directories only.
        const bool unsupported = code == EOPNOTSUPP || (code == EPERM && name.starts_with("user."));
        if (!unsupported)
            throw Error::from_errno(thing + ": attribute " + name, code,
                                    code == EPERM ? "run as root" : "");
        omissions_.note(Omissions::Kind::unsupported_xattr,
                        thing + ": dropped attribute " + name +
                            ", which the file system of the store cannot hold");
    }
}

} // namespace shale
