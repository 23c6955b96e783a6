// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/index_names.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/shale_ondisk.h>
#include <sys/stat.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "ondisk/marks.hpp"
#include "store/attributes.hpp"
#include "tree/origin.hpp"

namespace shale {

namespace {

using tree::Identity;

/// Directories are in it for NFS, and whiteouts for what was removed.
bool is_file(const struct stat& st) {
    return !S_ISDIR(st.st_mode) && !ondisk::is_whiteout_device(st.st_mode, st.st_rdev);
}

/// The lower object that @p name in an index stands for; nothing where that is gone. @p lower is open and on its
/// file system.
std::optional<Identity> lower_inode(int lower, const std::string& name) {
    __u8 record[SHALE_INDEX_NAME_MAX / 2 + 1];
    const size_t size = shale_index_name_decode(name.data(), name.size(), record);
    if (size == 0)
        return std::nullopt;
    const UniqueFd fd = tree::try_open_origin(lower, {reinterpret_cast<const char*>(record), size});
    if (!fd && errno == ESTALE)
        return std::nullopt;
    if (!fd)
        throw Error::from_errno("index: " + name, errno);
    return tree::identity_of(stat_of(fd.get(), name));
}

std::map<Identity, std::string> indexed_files(int lower, int index) {
    std::map<Identity, std::string> files;
    for (const std::string& name : names_in(index)) {
        const std::optional<struct stat> st = stat_at(index, name);
        if (!st || !is_file(*st))
            continue;
        if (const auto inode = lower_inode(lower, name))
            files.emplace(*inode, name);
    }
    return files;
}

std::vector<std::string> components_of(const std::string& path) {
    std::vector<std::string> components;
    for (size_t begin = 1; begin < path.size();) {
        const size_t end = std::min(path.find('/', begin), path.size());
        components.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return components;
}

/// Adds the name @p path, which the union shows in directories of its own or of lower layers.
void add_name(const tree::Union& after, int upper, const std::string& path, int index, const std::string& file) {
    Omissions none;
    AttributeWriter writer(none);
    std::vector<std::string> components = components_of(path);
    const std::string name = components.back();
    components.pop_back();
    tree::Object shown = after.root();
    UniqueFd directory = open_at(upper, ".", O_RDONLY | O_DIRECTORY);
    for (const std::string& component : components) {
        shown = after.look_up(shown, component).value();
        if (!stat_at(directory.get(), component)) {
            const struct stat before = stat_of(directory.get(), component);
            make_directory_at(directory.get(), component, 0700);
            writer.apply(open_at(directory.get(), component, O_RDONLY | O_DIRECTORY).get(), 0700,
                         Attributes::of(shown.place.parent->get(), shown.place.name), path);
            const struct timespec times[] = {before.st_atim, before.st_mtim};
            futimens(directory.get(), times);
        }
        directory = open_at(directory.get(), component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    }
    const struct stat before = stat_of(directory.get(), path);
    link_at(index, file, directory.get(), name);
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    futimens(directory.get(), times);
}

} // namespace

bool has_indexed_files(const std::string& work) {
    const UniqueFd index(open((work + "/index").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!index && errno == ENOENT)
        return false;
    if (!index)
        throw Error::from_errno(work + "/index", errno);
    const std::vector<std::string> names = names_in(index.get());
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        const std::optional<struct stat> st = stat_at(index.get(), name);
        return st && is_file(*st);
    });
}

void add_indexed_names(const tree::Union& after, int upper, int index) {
    const auto& lower = after.layers().back();
    const UniqueFd lower_root = open_at(lower->fd(), ".", O_RDONLY | O_DIRECTORY);
    const std::map<Identity, std::string> files = indexed_files(lower_root.get(), index);
    std::vector<std::pair<std::string, std::string>> names;
    tree::walk(after, [&](const std::string& path, const tree::Object& object) {
        if (object.is_directory() || object.place.layer == 0)
            return;
        const auto file = files.find(tree::identity_of(object.st));
        if (file != files.end())
            names.emplace_back(path, file->second);
    });
    for (const auto& [path, file] : names)
        add_name(after, upper, path, index, file);
}

} // namespace shale
