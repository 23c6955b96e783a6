// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/changes.hpp"

#include <iostream>

#include "commands/table.hpp"

namespace shale {

namespace {

constexpr const char* letter(tree::Kind kind) {
    switch (kind) {
    case tree::Kind::added:
        return "A";
    case tree::Kind::changed:
        return "C";
    case tree::Kind::deleted:
        return "D";
    }
    return "?";
}

} // namespace

std::vector<tree::Change> find_changes(const std::string& upper, const std::vector<std::string>& lowers) {
    tree::Union::Layers stack{tree::Layer::open(upper)};
    for (const std::string& lower : lowers)
        stack.push_back(tree::Layer::open(lower));
    const tree::Union after(stack);
    stack.erase(stack.begin());
    return tree::changes(tree::Union(stack), after);
}

std::vector<tree::Change> changes_of_snapshot(const std::string& name, Store& store) {
    const SnapshotRecord snapshot = store.snapshot(name);
    return find_changes(snapshot.upper, store.layer_paths(store.image(snapshot.image)));
}

void print_changes(const std::vector<tree::Change>& changes, const Globals& globals) {
    if (globals.json) {
        auto list = nlohmann::json::array();
        for (const tree::Change& change : changes)
            list.push_back({{"kind", letter(change.kind)}, {"path", change.path}});
        print_json(list);
        return;
    }
    for (const tree::Change& change : changes)
        std::cout << letter(change.kind) << " " << printable(change.path) << "\n";
}

} // namespace shale
