// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/model.hpp"

#include <cerrno>

#include "exercise/plans.hpp"

namespace shale::exercise {

namespace {

void add_paths(const Node& node, const std::string& path, std::vector<std::string>& paths) {
    paths.push_back(path);
    for (const auto& [name, child] : node.children)
        add_paths(*child, join_path(path, name), paths);
}

} // namespace

Plan about(const Spot& spot) {
    Plan plan;
    if (spot.error)
        plan.errors.push_back(spot.error);
    else
        plan.touched.push_back(spot.path);
    return plan;
}

Plan about_existing(const Spot& spot) {
    Plan plan = about(spot);
    if (!spot.error && !spot.node)
        plan.errors.push_back(ENOENT);
    return plan;
}

void change_names(Node& directory) {
    directory.modified_now = Changed::yes;
    directory.status_changed_now = true;
}

Plan Model::plan(const Operation& operation) const {
    switch (operation.kind) {
    case Kind::create:
    case Kind::unnamed:
    case Kind::make_directory:
    case Kind::make_symlink:
    case Kind::make_fifo:
    case Kind::make_device: return plan_make(*this, operation);
    case Kind::link: return plan_link(*this, operation);
    case Kind::unlink: return plan_unlink(*this, operation);
    case Kind::rmdir: return plan_rmdir(*this, operation);
    case Kind::rename: return plan_rename(*this, operation);
    case Kind::write:
    case Kind::append:
    case Kind::replace:
    case Kind::truncate:
    case Kind::allocate:
    case Kind::punch:
    case Kind::map: return plan_content(*this, operation);
    case Kind::chmod: return plan_chmod(*this, operation);
    case Kind::chown: return plan_chown(*this, operation);
    case Kind::utimens: return plan_utimens(*this, operation);
    case Kind::set_xattr:
    case Kind::remove_xattr: return plan_xattr(*this, operation);
    case Kind::read: return plan_read(*this, operation);
    case Kind::list: return plan_list(*this, operation);
    case Kind::stat: return plan_stat(*this, operation);
    case Kind::remount: return {};
    }
    return {};
}

NodePtr Model::find(const std::string& path) const {
    return look_up(root_, path, Last::as_it_is).node;
}

std::vector<std::string> Model::paths() const {
    std::vector<std::string> paths;
    add_paths(*root_, ".", paths);
    return paths;
}

} // namespace shale::exercise
