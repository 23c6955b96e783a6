// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer_directories.hpp"

#include <cerrno>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/remove_tree.hpp"
#include "ondisk/marks.hpp"

namespace shale {

namespace {

constexpr int open_directory = O_PATH | O_DIRECTORY;
constexpr mode_t created_mode = 0700;

std::string parent_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string last_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

[[noreturn]] void refuse(const std::string& thing, const std::string& path, mode_t type) {
    throw Error(thing,
                S_ISLNK(type) ? "path goes through the symbolic link '" + path + "'"
                              : "'" + path + "' is not a directory",
                "the image is unsafe or broken: get it from a source you trust");
}

/// Removes @p path and all below it from a container ordered by path.
template <typename Container> void erase_tree(Container& container, const std::string& path) {
    container.erase(path);
    // '0' follows '/': everything that begins with "path/".
    container.erase(container.lower_bound(path + '/'), container.lower_bound(path + '0'));
}

} // namespace

LayerDirectories::LayerDirectories(int root, const LowerLayers& lower, AttributeWriter& writer)
    : root_(root), lower_(lower), writer_(writer) {
    directories_[""].attributes = implied("");
}

int LayerDirectories::open(const std::string& path, const std::string& thing) {
    if (cached_ && cached_path_ == path)
        return cached_.get();
    UniqueFd found = try_open_beneath(root_, path, open_directory);
    if (!found && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
        make_with_parents(path, thing);
        found = try_open_beneath(root_, path, open_directory);
    }
    if (!found)
        throw Error::from_errno(thing, errno);
    cached_ = std::move(found);
    cached_path_ = path;
    return cached_.get();
}

void LayerDirectories::make_with_parents(const std::string& path, const std::string& thing) {
    UniqueFd parent = open_at(root_, ".", open_directory);
    for (size_t begin = 0; begin < path.size();) {
        const size_t end = std::min(path.find('/', begin), path.size());
        const std::string name = path.substr(begin, end - begin);
        const std::string prefix = path.substr(0, end);
        const std::optional<struct stat> st = stat_at(parent.get(), name);
        if (!st || ondisk::is_whiteout_device(st->st_mode, st->st_rdev))
            make(parent.get(), name, prefix, implied(prefix), thing);
        else if (!S_ISDIR(st->st_mode))
            refuse(thing, prefix, st->st_mode);
        parent = open_at(parent.get(), name, open_directory | O_NOFOLLOW);
        begin = end + 1;
    }
}

void LayerDirectories::make(int parent, const std::string& name, const std::string& path,
                            const Attributes& attributes, const std::string& thing) {
    if (mkdirat(parent, name.c_str(), created_mode) != 0) {
        if (errno != EEXIST)
            throw Error::from_errno(thing, errno);
        const std::optional<struct stat> st = stat_at(parent, name);
        if (!st || !S_ISDIR(st->st_mode)) {
            remove_tree(parent, name);
            make_directory_at(parent, name, created_mode);
        }
    }
    Directory& directory = directories_[path];
    directory.attributes = attributes;
    // The whiteout of the same name applies to the layers below only, and this replaces it.
    directory.opaque |= hidden_.contains(path);
}

void LayerDirectories::put(const std::string& path, const Attributes& attributes,
                           const std::string& thing) {
    if (path.empty())
        directories_[""].attributes = attributes;
    else
        make(open(parent_of(path), thing), last_of(path), path, attributes, thing);
}

void LayerDirectories::make_opaque(const std::string& path, const std::string& thing) {
    open(path, thing);
    directories_.at(path).opaque = true;
}

bool LayerDirectories::hide(const std::string& path, const std::string& thing) {
    const int parent = open(parent_of(path), thing);
    hidden_.insert(path);
    if (const auto found = directories_.find(path); found != directories_.end()) {
        found->second.opaque = true;
        return false;
    }
    return !stat_at(parent, last_of(path)).has_value();
}

void LayerDirectories::clear(const std::string& path, const std::string& thing) {
    remove_tree(open(parent_of(path), thing), last_of(path));
    if (directories_.contains(path)) {
        const bool was_hidden = hidden_.contains(path);
        erase_tree(directories_, path);
        erase_tree(hidden_, path);
        if (was_hidden)
            hidden_.insert(path);
        cached_.reset();
    }
}

/// What a directory gets that exists only because something is in it. In a union the topmost
/// layer's attributes show, so they must be those of the directory it covers; without one, those
/// that mkdir would give root.
Attributes LayerDirectories::implied(const std::string& path) const {
    if (hidden_here(path))
        return {};
    const std::optional<LowerLayers::Found> found = lower_.find(path);
    if (!found || !S_ISDIR(found->st.st_mode))
        return {};
    return Attributes::of(found->parent.get(), found->name);
}

/// Whether this layer itself keeps the ones below from showing at @p path.
bool LayerDirectories::hidden_here(const std::string& path) const {
    if (hidden_.contains(path))
        return true;
    for (std::string above = path; !above.empty();) {
        above = parent_of(above);
        const auto found = directories_.find(above);
        if (found != directories_.end() && found->second.opaque)
            return true;
    }
    return false;
}

void LayerDirectories::finish(const std::string& thing) {
    const std::string opaque = ondisk::xattr_name(ondisk::Prefix::trusted, ondisk::Mark::opaque);
    for (auto entry = directories_.rbegin(); entry != directories_.rend(); ++entry) {
        const auto& [path, directory] = *entry;
        const std::string shown = thing + ": directory '" + path + "'";
        const UniqueFd fd = try_open_beneath(root_, path, O_RDONLY | O_DIRECTORY);
        if (!fd)
            throw Error::from_errno(shown, errno);
        if (directory.opaque) {
            if (const int code = XattrTarget(fd.get()).set(opaque, "y"); code != 0)
                throw Error::from_errno(
                    shown + ": attribute " + opaque, code,
                    "the store needs root and a file system that keeps trusted.* "
                    "attributes, such as ext4, xfs, btrfs or tmpfs");
        }
        writer_.apply(fd.get(), created_mode, directory.attributes, shown);
    }
}

} // namespace shale
