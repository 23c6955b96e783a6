// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/generator.hpp"

#include <algorithm>

#include <linux/fs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "exercise/values.hpp"

namespace shale::exercise {

namespace {

constexpr size_t remembered = 24;
constexpr unsigned longest_age = 16;
constexpr size_t many_paths = 120; ///< beyond which directories are emptied more often
constexpr long deepest = 6;

/// How often, by the sum of all.
struct Weighted {
    unsigned weight;
    Kind kind;
};

constexpr Weighted kinds[] = {
    {35, Kind::create},    {10, Kind::unnamed},      {35, Kind::make_directory}, {12, Kind::make_symlink},
    {6, Kind::make_fifo},  {4, Kind::make_device},   {25, Kind::link},           {25, Kind::unlink},
    {20, Kind::rmdir},     {110, Kind::rename},      {20, Kind::write},          {12, Kind::append},
    {10, Kind::replace},   {12, Kind::truncate},     {4, Kind::allocate},        {6, Kind::punch},
    {6, Kind::map},        {20, Kind::chmod},        {15, Kind::chown},          {15, Kind::utimens},
    {25, Kind::set_xattr}, {12, Kind::remove_xattr}, {12, Kind::read},           {15, Kind::list},
    {15, Kind::stat},      {6, Kind::remount},
};

constexpr unsigned sum_of_weights() {
    unsigned sum = 0;
    for (const Weighted& one : kinds)
        sum += one.weight;
    return sum;
}

Kind pick_kind(Dice& dice) {
    unsigned left = dice.pick(sum_of_weights());
    const Weighted* one = kinds;
    for (; left >= one->weight; ++one)
        left -= one->weight;
    return one->kind;
}

} // namespace

Operation Generator::next() {
    if (existing_.empty() || ++age_ >= longest_age) {
        existing_ = model_.paths();
        age_ = 0;
    }
    if (queue_.empty() && dice_.chance(existing_.size() > many_paths ? 10 : 1))
        return empty_directory();
    if (queue_.empty())
        return make();
    Operation operation = std::move(queue_.front());
    queue_.pop_front();
    return operation;
}

Operation Generator::make() {
    const Kind kind = pick_kind(dice_);
    switch (kind) {
    case Kind::make_symlink: return make_symlink();
    case Kind::make_device:
        return model_.traits().has_devices ? make_name(kind) : make_name(Kind::make_fifo);
    case Kind::link: return {.kind = kind, .path = pick(Wish::file), .other = pick(Wish::absent)};
    case Kind::unlink: return {.kind = kind, .path = pick(dice_.chance(70) ? Wish::file : Wish::anything)};
    case Kind::rmdir: return {.kind = kind, .path = pick(Wish::directory)};
    case Kind::rename: {
        static constexpr unsigned flags[] = {0, 0, 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE};
        return move(dice_.one_of(flags));
    }
    case Kind::write:
    case Kind::append:
    case Kind::replace:
    case Kind::truncate:
    case Kind::allocate:
    case Kind::punch:
    case Kind::map: return on_content(kind);
    case Kind::chmod: return chmod();
    case Kind::chown: return chown();
    case Kind::utimens: return utimens();
    case Kind::set_xattr:
    case Kind::remove_xattr: return on_xattr(kind);
    case Kind::read: return {.kind = kind, .path = pick(Wish::file)};
    case Kind::list: return {.kind = kind, .path = pick(Wish::directory)};
    case Kind::stat: return {.kind = kind, .path = pick(Wish::anything)};
    case Kind::remount:
        if (model_.traits().has_remounts)
            return {.kind = kind, .path = "."};
        return {.kind = Kind::stat, .path = pick(Wish::anything)};
    default: return make_name(kind);
    }
}

std::string Generator::anywhere() {
    std::string path = dice_.one_of(names);
    for (unsigned depth = dice_.pick(3); depth > 0; --depth)
        path = join_path(path, dice_.one_of(names));
    return path;
}

/// A name beside @p path, or below it.
std::string Generator::near(const std::string& path) {
    const bool is_deep = std::count(path.begin(), path.end(), '/') >= deepest;
    const std::string directory = dice_.chance(40) && !is_deep ? path : parent_of(path);
    return join_path(directory, dice_.one_of(names));
}

std::string Generator::choose() {
    const unsigned way = dice_.pick(100);
    if (way < 30 && !recent_.empty())
        return dice_.one_of(recent_);
    if (way < 65)
        return dice_.one_of(existing_);
    return way < 85 ? near(dice_.one_of(existing_)) : anywhere();
}

bool Generator::is_true(Wish wish, const std::string& path) const {
    const NodePtr node = model_.find(path);
    switch (wish) {
    case Wish::anything: return node != nullptr;
    case Wish::file: return node && node->is_file();
    case Wish::directory: return node && node->is_directory();
    case Wish::absent: {
        const NodePtr parent = model_.find(parent_of(path));
        return !node && parent && parent->is_directory();
    }
    }
    return true;
}

/// The root is spared: little of what is done to it tells anything. See chmod() and its like.
std::string Generator::pick(Wish wish) {
    const unsigned tries = dice_.chance(15) ? 1 : 8;
    std::string path = choose();
    for (unsigned i = 0; i < tries && (path == "." || !is_true(wish, path)); ++i)
        path = choose();
    if (path == ".")
        path = dice_.one_of(names);
    recent_.push_back(path);
    if (recent_.size() > remembered)
        recent_.pop_front();
    return path;
}

Operation Generator::make_name(Kind kind) {
    Operation operation{.kind = kind, .path = pick(Wish::absent)};
    if (kind == Kind::create || kind == Kind::unnamed)
        operation.value = random_bytes(dice_);
    if (kind == Kind::make_device)
        operation.device = makedev(1, 3 + dice_.pick(3));
    return operation;
}

/// None leads out of the tree: targets are relative, and go down.
Operation Generator::make_symlink() {
    return {.kind = Kind::make_symlink, .path = pick(Wish::absent), .other = anywhere()};
}

Operation Generator::move(unsigned flags) {
    const Wish from = dice_.chance(50) ? Wish::directory : Wish::anything;
    const Wish to = flags == RENAME_EXCHANGE || dice_.chance(40) ? Wish::anything : Wish::absent;
    return {.kind = Kind::rename, .path = pick(from), .other = pick(to), .flags = flags};
}

Operation Generator::on_content(Kind kind) {
    static constexpr uint64_t sizes[] = {0, 1, 2, 4000, 4096, 9000, 70000};
    Operation operation{.kind = kind, .path = pick(Wish::file)};
    if (kind == Kind::write || kind == Kind::append || kind == Kind::replace)
        operation.value = random_bytes(dice_);
    if (kind != Kind::replace && operation.value.empty())
        operation.value = "x"; // nothing written is no write
    if (kind == Kind::write || kind == Kind::allocate || kind == Kind::punch || kind == Kind::map)
        operation.offset = random_offset(dice_);
    if (kind == Kind::map)
        operation.value = std::string(1, static_cast<char>('A' + dice_.pick(26)));
    if (kind == Kind::truncate)
        operation.size = dice_.one_of(sizes);
    if (kind == Kind::allocate || kind == Kind::punch)
        operation.size = 1 + dice_.pick(9000);
    return operation;
}

Operation Generator::chmod() {
    return {.kind = Kind::chmod, .path = dice_.chance(2) ? "." : pick(Wish::anything), .mode = random_mode(dice_)};
}

Operation Generator::chown() {
    return {.kind = Kind::chown, .path = pick(Wish::anything), .uid = random_id(dice_), .gid = random_id(dice_)};
}

Operation Generator::utimens() {
    return {.kind = Kind::utimens, .path = dice_.chance(2) ? "." : pick(Wish::anything), .time = past_time(dice_)};
}

Operation Generator::on_xattr(Kind kind) {
    static const char* const plain[] = {"user.a", "user.b", "trusted.a"};
    static const char* const marks[] = {"trusted.overlay.opaque", "trusted.overlay.redirect",
                                        "trusted.overlay.metacopy", "trusted.overlay.origin",
                                        "trusted.overlay.overlay.opaque"};
    static const std::string values[] = {"y", "x", "", "/a/b", std::string(300, 'v')};
    static constexpr unsigned flags[] = {0, 0, 0, XATTR_CREATE, XATTR_REPLACE};
    const bool is_mark = model_.traits().has_escaped_marks && dice_.chance(25);
    Operation operation{.kind = kind, .path = dice_.chance(2) ? "." : pick(Wish::anything)};
    operation.name = is_mark ? dice_.one_of(marks) : dice_.one_of(plain);
    if (kind == Kind::set_xattr) {
        operation.value = dice_.one_of(values);
        operation.flags = dice_.one_of(flags);
    }
    const NodePtr node = model_.find(operation.path);
    if (kind == Kind::remove_xattr && node && !node->xattrs.empty() && dice_.chance(70))
        operation.name = dice_.one_of(node->xattrs).first;
    return operation;
}

/// "rm -r", step by step; of all that is in it, or with the directory itself.
Operation Generator::empty_directory() {
    const std::string path = pick(Wish::directory);
    const NodePtr node = model_.find(path);
    if (node && node->is_directory())
        queue_removal(*node, path);
    return {.kind = Kind::list, .path = path};
}

void Generator::queue_removal(const Node& node, const std::string& path) {
    for (const auto& [name, child] : node.children)
        queue_removal(*child, join_path(path, name));
    queue_.push_back({.kind = node.is_directory() ? Kind::rmdir : Kind::unlink, .path = path});
}

} // namespace shale::exercise
