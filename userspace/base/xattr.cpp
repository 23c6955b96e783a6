// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/xattr.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/xattr.h>

#include "base/error.hpp"

namespace shale {

namespace {

/// Whether an object with no such attribute, or none at all, says so in this way: it has none, its file system has
/// none, it is gone, or the caller is not told.
bool means_none(int error) {
    return error == ENODATA || error == EOPNOTSUPP || error == ENOENT || error == ENOTDIR || error == EACCES ||
           error == EPERM;
}

} // namespace

XattrTarget::XattrTarget(int dir, const std::string& name)
    // There is no setxattrat(2) before Linux 6.13; the magic link stands for the directory.
    : path_(dir == AT_FDCWD ? name : "/proc/self/fd/" + std::to_string(dir) + "/" + name) {}

std::string XattrTarget::shown() const {
    return fd_ >= 0 ? "an open file" : path_;
}

std::vector<std::string> XattrTarget::names() const {
    std::string list;
    for (;;) {
        const ssize_t need =
            fd_ >= 0 ? flistxattr(fd_, nullptr, 0) : llistxattr(path_.c_str(), nullptr, 0);
        if (need < 0 && !means_none(errno))
            throw Error::from_errno("attributes of " + shown(), errno);
        if (need <= 0)
            return {};
        list.resize(static_cast<size_t>(need));
        const ssize_t got = fd_ >= 0 ? flistxattr(fd_, list.data(), list.size())
                                     : llistxattr(path_.c_str(), list.data(), list.size());
        if (got < 0 && errno == ERANGE)
            continue; // grew in between
        if (got < 0 && !means_none(errno))
            throw Error::from_errno("attributes of " + shown(), errno);
        if (got < 0)
            return {};
        list.resize(static_cast<size_t>(got));
        break;
    }
    std::vector<std::string> names;
    for (size_t begin = 0; begin < list.size();) {
        const size_t end = list.find('\0', begin);
        names.push_back(list.substr(begin, end - begin));
        begin = end == std::string::npos ? list.size() : end + 1;
    }
    return names;
}

std::optional<std::string> XattrTarget::get(const std::string& name) const {
    std::string value(256, '\0');
    for (;;) {
        const ssize_t got =
            fd_ >= 0 ? fgetxattr(fd_, name.c_str(), value.data(), value.size())
                     : lgetxattr(path_.c_str(), name.c_str(), value.data(), value.size());
        if (got >= 0) {
            value.resize(static_cast<size_t>(got));
            return value;
        }
        if (means_none(errno))
            return std::nullopt;
        if (errno != ERANGE || value.size() >= 65536)
            throw Error::from_errno("attribute " + name + " of " + shown(), errno);
        value.resize(65536); // XATTR_SIZE_MAX
    }
}

int XattrTarget::set(const std::string& name, const std::string& value) const {
    const int result = fd_ >= 0
                           ? fsetxattr(fd_, name.c_str(), value.data(), value.size(), 0)
                           : lsetxattr(path_.c_str(), name.c_str(), value.data(), value.size(), 0);
    return result == 0 ? 0 : errno;
}

int XattrTarget::remove(const std::string& name) const {
    const int result =
        fd_ >= 0 ? fremovexattr(fd_, name.c_str()) : lremovexattr(path_.c_str(), name.c_str());
    return result == 0 ? 0 : errno;
}

} // namespace shale
