// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/new_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/remove_tree.hpp"

namespace shale {

namespace {

[[noreturn]] void exists_already(const std::string& path) {
    throw Error(path, "exists already", "remove it, or choose another name");
}

std::string without_slashes(std::string path) {
    while (path.size() > 1 && path.ends_with('/'))
        path.pop_back();
    return path;
}

std::string directory_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// Calls @p make(name) with names that begin with "." until it succeeds or fails for another reason
/// than that the name exists; returns the name.
template <typename Make> std::string make_temporary(const NewName& name, Make make) {
    // Cut, so that it fits whatever name it is made of.
    const std::string base = "." + name.name.substr(0, 200) + "." + std::to_string(getpid()) + "-";
    for (int i = 0;; i++) {
        std::string temporary = base + std::to_string(i);
        if (make(temporary.c_str()))
            return temporary;
        if (errno != EEXIST)
            throw Error::from_errno(name.path, errno);
    }
}

void sync_directory(const NewName& name) {
    if (fsync(name.parent.get()) != 0)
        throw Error::from_errno(name.path, errno);
}

} // namespace

NewName::NewName(const std::string& given)
    : path(without_slashes(given)), name(path.substr(path.rfind('/') + 1)) {
    if (name.empty() || name == "." || name == "..")
        exists_already(path);
    const std::string directory = directory_of(path);
    parent = open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
    if (stat_at(parent.get(), name))
        exists_already(path);
}

NewFile::NewFile(const std::string& path) : name_(path) {
    const int parent = name_.parent.get();
    fd_.reset(openat(parent, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666));
    if (fd_)
        return;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        throw Error::from_errno(name_.path, errno);
    temporary_ = make_temporary(name_, [&](const char* temporary) {
        fd_.reset(openat(parent, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        return static_cast<bool>(fd_);
    });
}

NewFile::~NewFile() {
    if (!temporary_.empty())
        unlinkat(name_.parent.get(), temporary_.c_str(), 0);
}

void NewFile::publish() {
    if (fsync(fd_.get()) != 0)
        throw Error::from_errno(name_.path, errno);
    const int parent = name_.parent.get();
    const std::string open = "/proc/self/fd/" + std::to_string(fd_.get());
    const int result =
        temporary_.empty()
            ? linkat(AT_FDCWD, open.c_str(), parent, name_.name.c_str(), AT_SYMLINK_FOLLOW)
            : linkat(parent, temporary_.c_str(), parent, name_.name.c_str(), 0);
    if (result != 0 && errno == EEXIST)
        exists_already(name_.path);
    if (result != 0)
        throw Error::from_errno(name_.path, errno);
    sync_directory(name_);
}

NewDirectory::NewDirectory(const std::string& path) : name_(path) {
    const int parent = name_.parent.get();
    temporary_ = make_temporary(
        name_, [&](const char* temporary) { return mkdirat(parent, temporary, 0777) == 0; });
    fd_ = open_at(parent, temporary_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

NewDirectory::~NewDirectory() {
    if (temporary_.empty())
        return;
    try {
        remove_tree(name_.parent.get(), temporary_);
    } catch (const Error&) {
        // It keeps its temporary name.
    }
}

void NewDirectory::publish() {
    if (syncfs(fd_.get()) != 0)
        throw Error::from_errno(name_.path, errno);
    const int parent = name_.parent.get();
    if (!rename_new_at(parent, temporary_, parent, name_.name))
        exists_already(name_.path);
    temporary_.clear();
    sync_directory(name_);
}

} // namespace shale
