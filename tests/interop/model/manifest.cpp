// SPDX-License-Identifier: GPL-2.0-or-later
#include "manifest.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <map>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "tree/attributes.hpp"
#include "tree/union.hpp"

namespace shale {

namespace {

using Xattrs = std::map<std::string, std::string>;

std::string digest(const tree::Object& object) {
    const UniqueFd fd = tree::open_content(object);
    Sha256 sum;
    std::array<char, 64 * 1024> buffer;
    while (const auto size = read_some(fd.get(), buffer.data(), buffer.size(), object.place.name))
        sum.update(buffer.data(), size);
    return sum.finish().hex();
}

void print_line(const std::string& path, const tree::Object& object, const Xattrs& xattrs) {
    const struct stat& st = object.st;
    std::printf("%s %06o %u:%u %lld %lld.%09ld %llx", path.c_str(), st.st_mode, st.st_uid,
                st.st_gid, object.is_directory() ? 0LL : static_cast<long long>(st.st_size),
                static_cast<long long>(st.st_mtim.tv_sec), st.st_mtim.tv_nsec,
                S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)
                    ? static_cast<unsigned long long>(st.st_rdev)
                    : 0ULL);
    for (const auto& [name, value] : xattrs)
        std::printf(" %s=%s", name.c_str(), Digest::of(value).hex().substr(0, 8).c_str());
    if (S_ISLNK(st.st_mode))
        std::printf(" -> %s", tree::link_target(object).c_str());
    if (S_ISREG(st.st_mode))
        std::printf(" %s", digest(object).c_str());
    std::printf("\n");
}

void print_tree_below(const std::string& path, const tree::Object& object) {
    Xattrs xattrs;
    const auto target = object.place.xattrs();
    for (const std::string& name : target.names())
        xattrs[name] = target.get(name).value_or("");
    print_line(path.empty() ? "/" : path, object, xattrs);
    if (!object.is_directory())
        return;

    const auto directory = std::make_shared<const UniqueFd>(open_at(
        object.place.parent->get(), object.place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    auto names = names_in(directory->get());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        tree::Object child;
        child.place = child.data = {0, directory, name};
        if (fstatat(directory->get(), name.c_str(), &child.st, AT_SYMLINK_NOFOLLOW) == 0)
            print_tree_below(path + "/" + name, child);
        else if (errno == ENOENT)
            std::printf("%s/%s absent\n", path.c_str(), name.c_str());
        else
            throw Error::from_errno(path + "/" + name, errno);
    }
}

} // namespace

void print_model(const std::vector<std::string>& paths) {
    const tree::Union stack(tree::open_layers(paths));
    walk(stack, [&](const std::string& path, const tree::Object& object) {
        print_line(path, object, tree::shown_xattrs(stack, object));
    });
}

void print_tree(const std::string& path) {
    tree::Object root;
    const auto directory =
        std::make_shared<const UniqueFd>(open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
    root.place = {0, directory, "."};
    root.st = stat_of(directory->get(), path);
    print_tree_below("", root);
}

} // namespace shale
