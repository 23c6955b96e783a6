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
    auto layers = tree::open_layers(lowers);
    const tree::Union before(layers);
    layers.insert(layers.begin(), tree::Layer::open(upper));
    return tree::changes(before, tree::Union(layers));
}

std::vector<tree::Change> changes_of_snapshot(const std::string& name, Store& store) {
    const SnapshotRecord snapshot = store.snapshot(name);
    return find_changes(snapshot.top(), store.layer_paths(store.image(snapshot.image)));
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
