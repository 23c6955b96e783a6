// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/upper_copy.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/copy_file.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "ondisk/marks.hpp"

namespace shale {

namespace {

/// What the copy gets of what @p name in @p from has.
Attributes attributes_of(int from, const std::string& name) {
    Attributes attributes = Attributes::of(from, name, Marks::kept);
    std::erase_if(attributes.xattrs, [](const auto& xattr) { return is_of_this_machine(xattr.first); });
    return attributes;
}

} // namespace

UpperCopy::UpperCopy(int to, std::function<void()> ask) : UpperCopy(to, std::move(ask), {}) {}

UpperCopy::UpperCopy(int to, std::function<void()> ask, Make make)
    : root_(to), ask_(std::move(ask)), make_(std::move(make)), writer_(none_, Marks::kept) {}

void UpperCopy::add(int from, const std::string& name, const std::string& shown) {
    shown_ = shown;
    make_directory_at(root_, name, 0700);
    const UniqueFd to = open_at(root_, name, O_RDONLY | O_DIRECTORY);
    fill(from, to.get(), name);
    writer_.apply(to.get(), 0700, attributes_of(from, "."), shown);
}

void UpperCopy::fill(int from, int to, const std::string& path) {
    for (const std::string& name : names_in(from)) {
        ask_();
        copy(from, to, name, path + "/" + name);
    }
}

void UpperCopy::copy(int from, int to, const std::string& name, const std::string& path) {
    const std::optional<struct stat> found = stat_at(from, name);
    if (!found)
        throw Error::from_errno(shown_ + ": '" + path + "'", ENOENT);
    const struct stat& st = *found;
    if (S_ISDIR(st.st_mode))
        return copy_directory(from, to, name, path);
    if (make_)
        return make_(from, to, name, path);
    try {
        if (st.st_nlink > 1 && link_to_copy(to, name, path, st))
            return;
        if (S_ISREG(st.st_mode))
            copy_file(from, to, name, st);
        else
            copy_node(from, to, name, st);
    } catch (const Error& error) {
        throw Error(shown_ + ": copy of '" + path + "'", error.what());
    }
}

void UpperCopy::copy_directory(int from, int to, const std::string& name, const std::string& path) {
    const UniqueFd source = open_at(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    make_directory_at(to, name, 0700);
    const UniqueFd target = open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    fill(source.get(), target.get(), path);
    writer_.apply(target.get(), 0700, attributes_of(from, name), name);
}

bool UpperCopy::link_to_copy(int to, const std::string& name, const std::string& path, const struct stat& st) {
    const auto [first, is_first] = links_.emplace(std::pair(st.st_dev, st.st_ino), path);
    if (!is_first)
        link_at(root_, first->second, to, name);
    return !is_first;
}

void UpperCopy::copy_file(int from, int to, const std::string& name, const struct stat& st) {
    const UniqueFd source = open_at(from, name, O_RDONLY | O_NOFOLLOW);
    const UniqueFd target = open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    shale::copy_file(source.get(), target.get(), static_cast<uint64_t>(st.st_size), name);
    writer_.apply(target.get(), 0600, attributes_of(from, name), name);
}

void UpperCopy::copy_node(int from, int to, const std::string& name, const struct stat& st) {
    const int result = S_ISLNK(st.st_mode) ? symlinkat(read_link_at(from, name).c_str(), to, name.c_str())
                                           : mknodat(to, name.c_str(), st.st_mode, st.st_rdev);
    if (result != 0)
        throw Error::from_errno(name, errno);
    if (!ondisk::is_whiteout_device(st.st_mode, st.st_rdev))
        writer_.apply_at(to, name, st.st_mode, attributes_of(from, name), name);
}

} // namespace shale
