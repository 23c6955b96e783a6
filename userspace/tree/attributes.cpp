// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/attributes.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "ondisk/xattr_names.hpp"

namespace shale::tree {

namespace {

/// Fills as much of @p buffer as the file has.
std::size_t read_full(int fd, std::array<char, 64 * 1024>& buffer, const std::string& shown) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const std::size_t got =
            read_some(fd, buffer.data() + filled, buffer.size() - filled, shown);
        if (got == 0)
            break;
        filled += got;
    }
    return filled;
}

bool same_content(const Object& one, const Object& other) {
    const UniqueFd left = open_content(one);
    const UniqueFd right = open_content(other);
    std::array<char, 64 * 1024> a;
    std::array<char, 64 * 1024> b;
    for (;;) {
        const std::size_t size = read_full(left.get(), a, one.place.name);
        if (size != read_full(right.get(), b, other.place.name) ||
            !std::equal(a.begin(), a.begin() + size, b.begin()))
            return false;
        if (size < a.size())
            return true;
    }
}

} // namespace

std::map<std::string, std::string> shown_xattrs(const Union& tree, const Object& object) {
    const XattrTarget target = object.place.xattrs();
    std::map<std::string, std::string> shown;
    for (const std::string& stored : target.names()) {
        const auto name = ondisk::shown_name(tree.prefix(), stored);
        if (!name)
            continue;
        if (auto value = target.get(stored))
            shown.emplace(*name, *std::move(value));
    }
    return shown;
}

std::string link_target(const Object& object) {
    return read_link_at(object.place.parent->get(), object.place.name);
}

UniqueFd open_content(const Object& object) {
    return open_at(object.data.parent->get(), object.data.name, O_RDONLY | O_NOFOLLOW);
}

bool look_alike(const Union& one_tree, const Object& one, const Union& other_tree,
                const Object& other) {
    if (one.st.st_mode != other.st.st_mode || one.st.st_uid != other.st.st_uid ||
        one.st.st_gid != other.st.st_gid || one.st.st_rdev != other.st.st_rdev)
        return false;
    if (!one.is_directory() && !same_time(one.st.st_mtim, other.st.st_mtim))
        return false;
    if (shown_xattrs(one_tree, one) != shown_xattrs(other_tree, other))
        return false;
    if (S_ISLNK(one.st.st_mode))
        return link_target(one) == link_target(other);
    if (S_ISREG(one.st.st_mode))
        return one.st.st_size == other.st.st_size && same_content(one, other);
    return true;
}

} // namespace shale::tree
