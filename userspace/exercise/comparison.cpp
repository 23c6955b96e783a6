// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/comparison.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "base/stat_text.hpp"
#include "base/xattr.hpp"
#include "tree/attributes.hpp"

namespace shale::exercise {

namespace {

bool is_before(const timespec& one, const timespec& other) {
    return one.tv_sec != other.tv_sec ? one.tv_sec < other.tv_sec : one.tv_nsec < other.tv_nsec;
}

bool is_within(const timespec& time, const Step& step) {
    return !is_before(time, step.begin) && !is_before(step.end, time);
}

std::string device_text(dev_t device) {
    return std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

std::string text_of(const Xattrs& xattrs) {
    std::string text;
    for (const auto& [name, value] : xattrs)
        text += (text.empty() ? "" : " ") + name + "=" + describe_bytes(value);
    return text.empty() ? "none" : text;
}

/// Where the bytes part, which may be far behind their begin.
std::string describe_at(const std::string& bytes, size_t position) {
    std::string text = describe_bytes(bytes);
    if (bytes.size() > 24)
        text += ", at " + std::to_string(position) + " " +
                describe_bytes(bytes.substr(std::min(position, bytes.size()), 8));
    return text;
}

std::optional<Difference> compare_content(int root, const std::string& path, const Node& node) {
    const std::string seen = read_all(open_at(root, path, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_NONBLOCK).get(), path);
    if (seen == node.content)
        return std::nullopt;
    const auto [one, other] = std::mismatch(seen.begin(), seen.end(), node.content.begin(), node.content.end());
    const auto position = static_cast<size_t>(one - seen.begin());
    return Difference{path, "content", describe_at(node.content, position), describe_at(seen, position)};
}

unsigned subdirectories(const Node& directory) {
    return static_cast<unsigned>(std::count_if(directory.children.begin(), directory.children.end(),
                                               [](const auto& child) { return child.second->is_directory(); }));
}

/// Rule 8.3; some file systems count no links of directories at all.
bool has_right_links(const Node& node, nlink_t links) {
    if (node.is_directory())
        return links == 1 || links == 2 + subdirectories(node);
    return links == node.links;
}

} // namespace

std::string describe_bytes(const std::string& bytes) {
    const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
    if (bytes.size() <= 24 && std::all_of(bytes.begin(), bytes.end(), is_plain))
        return "\"" + bytes + "\"";
    std::string text = std::to_string(bytes.size()) + " bytes";
    for (size_t i = 0; i < std::min<size_t>(bytes.size(), 8); ++i) {
        char hex[4];
        std::snprintf(hex, sizeof hex, " %02x", static_cast<unsigned char>(bytes[i]));
        text += hex;
    }
    return text;
}

Xattrs xattrs_of(int root, const std::string& path) {
    const XattrTarget target(AT_FDCWD, "/proc/self/fd/" + std::to_string(root) + "/" + path);
    Xattrs xattrs;
    for (const std::string& name : target.names()) {
        if (!name.starts_with("security."))
            xattrs[name] = target.get(name).value_or("(listed, but not there)");
    }
    return xattrs;
}

std::optional<Difference> Comparison::name(const std::string& path) {
    return found_or_thrown(path, "access", [&] { return look_at(path); });
}

std::optional<Difference> Comparison::look_at(const std::string& path) {
    const NodePtr node = model_.find(path);
    if (node) {
        if (auto difference = object(path, *node))
            return difference;
        return node->is_directory() ? listing(path, *node) : std::nullopt;
    }
    const auto st = stat_at(root_, path);
    if (st)
        return Difference{path, "existence", "nothing of that name", type_text(st->st_mode)};
    return std::nullopt;
}

std::optional<Difference> Comparison::object(const std::string& path, Node& node) {
    struct stat st {};
    if (fstatat(root_, path.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
        return Difference{path, "existence", type_text(node.mode), answer_text(errno)};
    if (auto difference = status(path, node, st))
        return difference;
    if (auto difference = times(path, node, st))
        return difference;
    if (!node.number)
        node.number = st.st_ino;
    else if (node.number != st.st_ino)
        return Difference{path, "number", std::to_string(node.number) + ", as before", std::to_string(st.st_ino)};
    if (const Xattrs xattrs = xattrs_of(root_, path); xattrs != node.xattrs)
        return Difference{path, "extended attributes", text_of(node.xattrs), text_of(xattrs)};
    if (node.is_symlink()) {
        const std::string target = read_link_at(root_, path);
        return target == node.target ? std::nullopt : std::optional(Difference{path, "target", node.target, target});
    }
    return node.is_file() ? compare_content(root_, path, node) : std::nullopt;
}

std::optional<Difference> Comparison::status(const std::string& path, const Node& node, const struct stat& st) const {
    if ((node.mode & S_IFMT) != (st.st_mode & S_IFMT))
        return Difference{path, "type", type_text(node.mode), type_text(st.st_mode)};
    if (node.mode != st.st_mode)
        return Difference{path, "mode", mode_text(node.mode), mode_text(st.st_mode)};
    if (node.uid != st.st_uid || node.gid != st.st_gid)
        return Difference{path, "owner", std::to_string(node.uid) + ":" + std::to_string(node.gid),
                          std::to_string(st.st_uid) + ":" + std::to_string(st.st_gid)};
    if (node.device != st.st_rdev)
        return Difference{path, "device number", device_text(node.device), device_text(st.st_rdev)};
    const size_t size = node.is_symlink() ? node.target.size() : node.content.size();
    if ((node.is_file() || node.is_symlink()) && size != static_cast<uint64_t>(st.st_size))
        return Difference{path, "size", std::to_string(size), std::to_string(st.st_size)};
    if (!has_right_links(node, st.st_nlink))
        return Difference{path, "links", std::to_string(node.is_directory() ? 2 + subdirectories(node) : node.links),
                          std::to_string(st.st_nlink)};
    return std::nullopt;
}

std::optional<Difference> Comparison::times(const std::string& path, Node& node, const struct stat& st) const {
    const bool is_now = is_within(st.st_mtim, step_);
    const bool is_old = tree::same_time(st.st_mtim, node.modified);
    const bool is_right = (node.modified_now != Changed::no && is_now) || (node.modified_now != Changed::yes && is_old);
    const bool has_new_status = !is_before(st.st_ctim, step_.begin);
    if (!is_right)
        return Difference{path, "time of modification",
                          node.modified_now == Changed::no
                              ? time_text(node.modified)
                              : "from " + time_text(step_.begin) + " to " + time_text(step_.end),
                          time_text(st.st_mtim)};
    if (node.status_changed_now && !has_new_status)
        return Difference{path, "time of status change", "from " + time_text(step_.begin) + " on", time_text(st.st_ctim)};
    node.modified = st.st_mtim;
    node.modified_now = Changed::no;
    node.status_changed_now = false;
    return std::nullopt;
}

bool Comparison::is_listed_whiteout(const std::string& path, unsigned char type) {
    const bool may_be_whiteout = type == DT_CHR || type == DT_REG;
    if (!model_.traits().is_overlayfs || !may_be_whiteout || stat_at(root_, path))
        return false;
    ++tolerated_[Tolerance::listed_whiteout];
    return true;
}

bool Comparison::is_number_tolerated(const Node& node) {
    if (!model_.traits().is_overlayfs || !node.had_several_names)
        return false;
    ++tolerated_[Tolerance::number_of_link];
    return true;
}

std::optional<Difference> Comparison::listing(const std::string& path, Node& directory) {
    std::set<std::string> seen;
    for (const ListedName& listed : listing_of(open_at(root_, path, O_RDONLY | O_DIRECTORY | O_NOATIME), path)) {
        const std::string inner = join_path(path, listed.name);
        if (!seen.insert(listed.name).second)
            return Difference{inner, "list", "once", "twice"};
        const auto found = directory.children.find(listed.name);
        if (found == directory.children.end()) {
            if (is_listed_whiteout(inner, listed.type))
                continue;
            return Difference{inner, "list", "nothing of that name", "it is listed"};
        }
        Node& node = *found->second;
        if (listed.type != DT_UNKNOWN && listed.type != IFTODT(node.mode))
            return Difference{inner, "listed type", type_text(node.mode), type_text(DTTOIF(listed.type))};
        if (!model_.traits().lists_numbers)
            continue;
        if (const auto st = node.number ? std::nullopt : stat_at(root_, inner))
            node.number = st->st_ino;
        if (node.number != listed.number && !is_number_tolerated(node))
            return Difference{inner, "listed number", std::to_string(node.number) + ", as of stat(2)",
                              std::to_string(listed.number)};
    }
    for (const auto& [name, node] : directory.children) {
        if (!seen.contains(name))
            return Difference{join_path(path, name), "list", "it is listed", "it is not"};
    }
    return std::nullopt;
}

std::optional<Difference> Comparison::everything() {
    std::map<ino_t, const Node*> numbers;
    return all_below(".", model_.root(), numbers);
}

std::optional<Difference> Comparison::all_below(const std::string& path, const NodePtr& node,
                                                std::map<ino_t, const Node*>& numbers) {
    if (auto difference = name(path))
        return difference;
    const auto [other, is_new] = numbers.emplace(node->number, node.get());
    if (!is_new && other->second != node.get())
        return Difference{path, "number", "one of its own", std::to_string(node->number) + ", which another has"};
    for (const auto& [name, child] : node->children) {
        if (auto difference = all_below(join_path(path, name), child, numbers))
            return difference;
    }
    return std::nullopt;
}

} // namespace shale::exercise
