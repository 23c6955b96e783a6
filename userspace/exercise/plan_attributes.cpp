// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cerrno>

#include <sys/stat.h>
#include <sys/xattr.h>

#include "exercise/plans.hpp"

namespace shale::exercise {

namespace {

/// What chown(2) of anything but a directory takes away, even from root. Without the group's right to execute,
/// S_ISGID was once a lock, and stays.
mode_t bits_lost_by_chown(const Node& node) {
    if (node.is_directory())
        return 0;
    return S_ISUID | (node.mode & S_IXGRP ? S_ISGID : 0);
}

} // namespace

Plan plan_chmod(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::follow);
    Plan plan = about_existing(spot);
    const NodePtr& node = spot.node;
    plan.commit = [=, mode = operation.mode] {
        node->mode = (node->mode & S_IFMT) | mode;
        node->status_changed_now = true;
    };
    return plan;
}

Plan plan_chown(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::as_it_is);
    Plan plan = about_existing(spot);
    const NodePtr& node = spot.node;
    plan.commit = [=, uid = operation.uid, gid = operation.gid] {
        node->uid = uid;
        node->gid = gid;
        node->mode &= ~bits_lost_by_chown(*node);
        node->status_changed_now = true;
    };
    return plan;
}

Plan plan_utimens(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::as_it_is);
    Plan plan = about_existing(spot);
    const NodePtr& node = spot.node;
    plan.commit = [=, time = operation.time] {
        node->modified = time;
        node->modified_now = Changed::no;
        node->status_changed_now = true;
    };
    return plan;
}

Plan plan_xattr(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::as_it_is);
    Plan plan = about_existing(spot);
    const NodePtr& node = spot.node;
    if (!node)
        return plan;
    const bool is_there = node->xattrs.contains(operation.name);
    if (operation.name.starts_with("user.") && !node->is_file() && !node->is_directory())
        plan.errors.push_back(EPERM);
    else if (operation.kind == Kind::set_xattr && is_there && operation.flags & XATTR_CREATE)
        plan.errors.push_back(EEXIST);
    else if (!is_there && (operation.kind == Kind::remove_xattr || operation.flags & XATTR_REPLACE))
        plan.errors.push_back(ENODATA);
    if (operation.name.starts_with("user."))
        plan.excuses.push_back(EOPNOTSUPP); // tmpfs has none before Linux 6.6
    plan.commit = [=] {
        // Some file systems write nothing where the value is there already.
        node->status_changed_now =
            operation.kind == Kind::remove_xattr || !is_there || node->xattrs[operation.name] != operation.value;
        if (operation.kind == Kind::set_xattr)
            node->xattrs[operation.name] = operation.value;
        else
            node->xattrs.erase(operation.name);
    };
    return plan;
}

Plan plan_list(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::follow);
    Plan plan = about_existing(spot);
    const NodePtr& node = spot.node;
    if (node && !node->is_directory())
        plan.errors.push_back(ENOTDIR);
    return plan;
}

Plan plan_stat(const Model& model, const Operation& operation) {
    return about_existing(look_up(model.root(), operation.path, Last::as_it_is));
}

} // namespace shale::exercise
