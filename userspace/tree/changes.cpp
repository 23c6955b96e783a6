// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/changes.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "tree/attributes.hpp"
#include "tree/comparison.hpp"

namespace shale::tree {

std::vector<Change> changes(const Union& before, const Union& after) {
    std::vector<Change> changes;
    compare(before, after, [&](const Pair& pair) {
        if (!pair.after)
            changes.push_back({Kind::deleted, pair.path});
        else if (!pair.before)
            changes.push_back({Kind::added, pair.path});
        else if (!pair.same && !look_alike(before, *pair.before, after, *pair.after))
            changes.push_back({Kind::changed, pair.path});
        return Descend::compare;
    });
    // As a whole: "/a.b" comes before "/a/b".
    std::sort(changes.begin(), changes.end(),
              [](const Change& one, const Change& other) { return one.path < other.path; });
    return changes;
}

namespace {

/// What a layer by itself says of others below it, which a union of it alone does not show.
struct Marked {
    explicit Marked(const Union& layer) { look(layer, layer.root(), ""); }

    std::set<std::string> directories{""};
    std::set<std::string> whiteouts;
    std::set<std::string> opaque;

private:
    void look(const Union& layer, const Object& directory, const std::string& path) {
        const std::string mark = ondisk::xattr_name(layer.prefix(), ondisk::Mark::opaque);
        if (ondisk::decode_opaque(directory.place.xattrs().get(mark).value_or("")) == ondisk::Opaque::yes)
            opaque.insert(path);
        for (const auto& [name, holders] : layer.list(directory)) {
            const auto child = layer.look_up(directory, name, &holders);
            if (!child) {
                whiteouts.insert(path + "/" + name);
            } else if (child->is_directory()) {
                directories.insert(path + "/" + name);
                look(layer, *child, path + "/" + name);
            }
        }
    }
};

std::string parent_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

using Changes = std::map<std::string, Kind>;

/// As @p kind; or, if an object of the name is said to be @p opposite, that is what has changed.
void add_whiteout(const std::string& path, Kind kind, Kind opposite, Changes& changes) {
    const auto [change, is_new] = changes.emplace(path, kind);
    if (!is_new && change->second == opposite)
        change->second = Kind::changed;
}

void compare_marks(const Marked& before, const Marked& after, Changes& changes) {
    for (const std::string& path : after.whiteouts) {
        if (!before.whiteouts.contains(path))
            add_whiteout(path, Kind::added, Kind::deleted, changes);
    }
    for (const std::string& path : before.whiteouts) {
        // Of a directory that is gone, it alone is told.
        if (!after.whiteouts.contains(path) && after.directories.contains(parent_of(path)))
            add_whiteout(path, Kind::deleted, Kind::added, changes);
    }
    for (const std::string& path : before.directories) {
        if (after.directories.contains(path) && before.opaque.contains(path) != after.opaque.contains(path))
            changes.emplace(path.empty() ? "/" : path, Kind::changed);
    }
}

} // namespace

std::vector<Change> differences(const std::shared_ptr<const Layer>& before, const std::shared_ptr<const Layer>& after) {
    const Union one({before});
    const Union other({after});
    Changes found;
    for (Change& change : changes(one, other))
        found.emplace(std::move(change.path), change.kind);
    compare_marks(Marked(one), Marked(other), found);
    std::vector<Change> all;
    for (const auto& [path, kind] : found)
        all.push_back({kind, path});
    return all;
}

} // namespace shale::tree
