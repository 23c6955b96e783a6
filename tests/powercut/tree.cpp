// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree.hpp"

#include "base/error.hpp"

namespace shale::powercut {

std::shared_ptr<Object> Object::new_file(unsigned file, unsigned mode, unsigned blocks) {
    auto object = std::make_shared<Object>();
    object->file = file;
    object->mode = mode;
    object->blocks = blocks;
    return object;
}

std::shared_ptr<Object> Object::new_directory(unsigned mode) {
    auto object = std::make_shared<Object>();
    object->is_directory = true;
    object->mode = mode;
    return object;
}

std::string parent_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

bool is_within(const std::string& path, const std::string& directory) {
    return path == directory || path.starts_with(directory + "/");
}

std::shared_ptr<Object> Tree::at(const std::string& path) const {
    if (path.empty())
        return root_;
    const auto parent = at(parent_of(path));
    const auto child = parent->children.find(name_of(path));
    if (child == parent->children.end())
        throw Error(path, "no such name in the script's tree");
    return child->second;
}

bool Tree::has(const std::string& path) const {
    return path.empty() || (has(parent_of(path)) && at(parent_of(path))->children.contains(name_of(path)));
}

void Tree::put(const std::string& path, std::shared_ptr<Object> object) {
    at(parent_of(path))->children[name_of(path)] = std::move(object);
}

std::shared_ptr<Object> Tree::take(const std::string& path) {
    auto object = at(path);
    at(parent_of(path))->children.erase(name_of(path));
    return object;
}

namespace {

void add_entries(const Object& directory, const std::string& prefix, std::vector<Tree::Entry>& entries) {
    for (const auto& [name, child] : directory.children) {
        entries.push_back({prefix + name, child.get()});
        if (child->is_directory)
            add_entries(*child, prefix + name + "/", entries);
    }
}

} // namespace

std::vector<Tree::Entry> Tree::entries(const std::string& below) const {
    std::vector<Entry> entries;
    add_entries(*at(below), below.empty() ? "" : below + "/", entries);
    return entries;
}

} // namespace shale::powercut
