// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/changes.hpp"

#include <algorithm>

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

} // namespace shale::tree
