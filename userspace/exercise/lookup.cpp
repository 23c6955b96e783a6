// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/lookup.hpp"

#include <cerrno>
#include <deque>

#include "exercise/operation.hpp"

namespace shale::exercise {

namespace {

constexpr unsigned most_links = 40; // as path_resolution(7) has it
constexpr size_t longest_name = 255;

/// The names in @p path, but "." and empty ones.
std::deque<std::string> names_of(const std::string& path) {
    std::deque<std::string> names;
    for (size_t begin = 0; begin <= path.size();) {
        const size_t end = std::min(path.find('/', begin), path.size());
        if (end > begin && path.substr(begin, end - begin) != ".")
            names.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

Spot failed(int error) {
    return {.error = error};
}

} // namespace

std::string Spot::name() const {
    return last_name_of(path);
}

Spot look_up(const NodePtr& root, const std::string& path, Last last) {
    auto names = names_of(path);
    Spot spot{.path = ".", .node = root};
    for (unsigned links = 0; !names.empty();) {
        if (!spot.node)
            return failed(ENOENT);
        if (!spot.node->is_directory())
            return failed(ENOTDIR);
        const std::string name = names.front();
        names.pop_front();
        if (name.size() > longest_name)
            return failed(ENAMETOOLONG);
        const auto found = spot.node->children.find(name);
        const NodePtr child = found == spot.node->children.end() ? nullptr : found->second;
        if (child && child->is_symlink() && (last == Last::follow || !names.empty())) {
            if (++links > most_links)
                return failed(ELOOP);
            // The target is relative, so that the directory stays.
            const auto target = names_of(child->target);
            names.insert(names.begin(), target.begin(), target.end());
            continue;
        }
        spot = {.directory = spot.node, .path = join_path(spot.path, name), .node = child};
    }
    return spot;
}

} // namespace shale::exercise
