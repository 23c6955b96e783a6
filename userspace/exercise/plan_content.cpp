// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

#include "exercise/plans.hpp"

namespace shale::exercise {

namespace {

/// What open(2) says to whoever wants to write, and not to wait.
int error_of_opening(const Node& node, bool also_to_read) {
    switch (node.mode & S_IFMT) {
    case S_IFDIR: return EISDIR;
    case S_IFIFO: return also_to_read ? 0 : ENXIO; // nobody reads
    case S_IFCHR:
    case S_IFBLK: return EACCES; // nodev
    case S_IFSOCK: return ENXIO;
    default: return 0;
    }
}

int error_of(const Operation& operation, const Node& node) {
    if (operation.kind == Kind::truncate)
        return node.is_directory() ? EISDIR : node.is_file() ? 0 : EINVAL;
    if (const int error = error_of_opening(node, operation.kind == Kind::map))
        return error;
    if (operation.kind != Kind::map)
        return 0;
    if (!node.is_file())
        return ENODEV;
    return operation.offset < node.content.size() ? 0 : EINVAL; // see map_and_write()
}

void write_at(std::string& content, uint64_t offset, const std::string& bytes) {
    content.resize(std::max<size_t>(content.size(), offset + bytes.size()));
    content.replace(offset, bytes.size(), bytes);
}

void punch(std::string& content, uint64_t offset, uint64_t size) {
    const size_t begin = std::min<size_t>(content.size(), offset);
    const size_t end = std::min<size_t>(content.size(), offset + size);
    content.replace(begin, end - begin, end - begin, '\0');
}

void write(const Operation& operation, Node& node) {
    std::string& content = node.content;
    const std::string before = content;
    node.modified_now = Changed::yes;
    switch (operation.kind) {
    case Kind::write: write_at(content, operation.offset, operation.value); break;
    case Kind::append: content += operation.value; break;
    case Kind::replace:
        content = operation.value;
        if (before.empty() && content.empty())
            node.modified_now = Changed::perhaps;
        break;
    case Kind::truncate:
        content.resize(operation.size);
        if (content.size() == before.size())
            node.modified_now = Changed::perhaps;
        break;
    case Kind::allocate:
        content.resize(std::max<size_t>(content.size(), operation.offset + operation.size));
        node.modified_now = Changed::perhaps;
        break;
    case Kind::punch:
        punch(content, operation.offset, operation.size);
        node.modified_now = Changed::perhaps;
        break;
    default: // map: the time is that of the write, or of one when the page was dirty already
        write_at(content, operation.offset, operation.value);
        node.modified_now = Changed::perhaps;
        break;
    }
    node.status_changed_now = node.modified_now == Changed::yes;
}

} // namespace

Plan plan_content(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::follow);
    Plan plan = about_existing(spot);
    if (!spot.node)
        return plan;
    if (const int error = error_of(operation, *spot.node))
        plan.errors.push_back(error);
    if (operation.kind == Kind::allocate || operation.kind == Kind::punch)
        plan.excuses.push_back(EOPNOTSUPP); // not every file system can
    plan.commit = [=] { write(operation, *spot.node); };
    return plan;
}

Plan plan_read(const Model& model, const Operation& operation) {
    const Spot spot = look_up(model.root(), operation.path, Last::follow);
    Plan plan = about_existing(spot);
    if (!spot.node)
        return plan;
    const int error = error_of_opening(*spot.node, true);
    if (error)
        plan.errors.push_back(error);
    return plan;
}

} // namespace shale::exercise
