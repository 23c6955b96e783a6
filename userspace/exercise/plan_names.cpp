// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cerrno>

#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exercise/plans.hpp"

namespace shale::exercise {

namespace {

mode_t type_made_by(Kind kind) {
    switch (kind) {
    case Kind::make_directory: return S_IFDIR;
    case Kind::make_symlink: return S_IFLNK;
    case Kind::make_fifo: return S_IFIFO;
    case Kind::make_device: return S_IFCHR;
    default: return S_IFREG;
    }
}

mode_t mode_made_by(Kind kind) {
    switch (kind) {
    case Kind::make_directory: return 0777 & ~umask_of_operations;
    case Kind::make_symlink: return 0777;
    default: return 0666 & ~umask_of_operations;
    }
}

NodePtr new_node(const Operation& operation, const Node& directory) {
    auto node = std::make_shared<Node>();
    node->mode = type_made_by(operation.kind) | mode_made_by(operation.kind);
    node->uid = geteuid();
    node->gid = getegid();
    if (directory.mode & S_ISGID) {
        node->gid = directory.gid;
        if (node->is_directory())
            node->mode |= S_ISGID;
    }
    if (node->is_file())
        node->content = operation.value;
    if (node->is_symlink())
        node->target = operation.other;
    node->device = operation.device;
    change_names(*node);
    return node;
}

void add_name(const Spot& spot, const NodePtr& node) {
    spot.directory->children[spot.name()] = node;
    change_names(*spot.directory);
}

/// The object has one name less. That its time of status change is the present one is not looked at: others are not
/// known.
void lose_name(Node& node) {
    --node.links;
}

void remove_name(const Spot& spot) {
    spot.directory->children.erase(spot.name());
    change_names(*spot.directory);
}

/// Whether @p path is in the directory @p ancestor, however deep.
bool is_inside(const std::string& path, const std::string& ancestor) {
    return path.starts_with(ancestor + "/");
}

void add_errors_of_way(const Spot& from, const Spot& to, Plan& plan) {
    for (const Spot* spot : {&from, &to}) {
        if (spot->error)
            plan.errors.push_back(spot->error);
        else
            plan.touched.push_back(spot->path);
    }
    if (!from.error && !from.node)
        plan.errors.push_back(ENOENT);
}

/// What a rename to a name that is there, and is not exchanged, has to be refused for.
void add_errors_of_replacing(const Node& from, const Node& to, Plan& plan) {
    if (from.is_directory() && !to.is_directory())
        plan.errors.push_back(ENOTDIR);
    if (!from.is_directory() && to.is_directory())
        plan.errors.push_back(EISDIR);
    if (to.is_directory() && !to.children.empty())
        plan.errors.push_back(ENOTEMPTY);
}

/// One is in the other.
void add_errors_of_place(const Spot& from, const Spot& to, bool exchange, Plan& plan) {
    if (is_inside(to.path, from.path))
        plan.errors.push_back(EINVAL);
    if (is_inside(from.path, to.path))
        plan.errors.push_back(exchange ? EINVAL : ENOTEMPTY);
}

void move_name(const Spot& from, const Spot& to) {
    if (to.node)
        lose_name(*to.node);
    remove_name(from);
    add_name(to, from.node);
}

void exchange(const Spot& from, const Spot& to) {
    add_name(from, to.node);
    add_name(to, from.node);
}

} // namespace

Plan plan_make(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::as_it_is);
    Plan plan = about(spot);
    if (!spot.error && spot.node)
        plan.errors.push_back(EEXIST);
    if (operation.kind == Kind::unnamed)
        plan.excuses.push_back(EOPNOTSUPP); // not every file system has unnamed files
    plan.commit = [=] { add_name(spot, new_node(operation, *spot.directory)); };
    return plan;
}

Plan plan_link(const Model& model, const Operation& operation) {
    const Spot from = look_up(model.root(), operation.path, Last::as_it_is);
    const Spot to = look_up(model.root(), operation.other, Last::as_it_is);
    Plan plan;
    add_errors_of_way(from, to, plan);
    if (from.node && from.node->is_directory())
        plan.errors.push_back(EPERM);
    if (to.node)
        plan.errors.push_back(EEXIST);
    plan.commit = [=] {
        add_name(to, from.node);
        ++from.node->links;
        from.node->had_several_names = true;
        from.node->status_changed_now = true;
    };
    return plan;
}

Plan plan_unlink(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::as_it_is);
    Plan plan = about_existing(spot);
    if (spot.node && spot.node->is_directory())
        plan.errors.push_back(EISDIR); // POSIX: EPERM; Linux: this
    plan.commit = [=] {
        lose_name(*spot.node);
        remove_name(spot);
    };
    return plan;
}

Plan plan_rmdir(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::as_it_is);
    Plan plan = about_existing(spot);
    if (spot.node && !spot.node->is_directory())
        plan.errors.push_back(ENOTDIR);
    if (spot.node && !spot.node->children.empty())
        plan.errors.push_back(ENOTEMPTY);
    plan.commit = [=] { remove_name(spot); };
    return plan;
}

Plan plan_rename(const Model& model, const Operation& operation) {
    const Spot from = look_up(model.root(), operation.path, Last::as_it_is);
    const Spot to = look_up(model.root(), operation.other, Last::as_it_is);
    const bool exchanges = operation.flags & RENAME_EXCHANGE;
    Plan plan;
    add_errors_of_way(from, to, plan);
    if (!from.error && !to.error)
        add_errors_of_place(from, to, exchanges, plan);
    if (to.node && operation.flags & RENAME_NOREPLACE)
        plan.errors.push_back(EEXIST);
    if (exchanges && !to.error && !to.node)
        plan.errors.push_back(ENOENT);
    if (plan.errors.empty() && from.node == to.node)
        return plan; // two names of one file stay, says POSIX
    if (from.node && to.node && !exchanges)
        add_errors_of_replacing(*from.node, *to.node, plan);
    if (!model.traits().renames_lower_directories &&
        ((from.node && from.node->is_directory() && from.node->is_of_layers) ||
         (exchanges && to.node && to.node->is_directory() && to.node->is_of_layers)))
        plan.errors.push_back(EXDEV);
    plan.commit = [=] { exchanges ? exchange(from, to) : move_name(from, to); };
    return plan;
}

} // namespace shale::exercise
