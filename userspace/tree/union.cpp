// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/union.hpp"

#include "base/at.hpp"
#include "base/names_in.hpp"
#include "tree/search.hpp"

namespace shale::tree {

namespace {

/// The layer's own descriptor, kept open by whoever holds the layer.
Directory root_of(const std::shared_ptr<const Layer>& layer) {
    return {layer, &layer->descriptor()};
}

void walk_below(const Union& tree, const std::string& path, const Object& object,
                const std::function<void(const std::string&, const Object&)>& visit) {
    visit(path.empty() ? "/" : path, object);
    if (!object.is_directory())
        return;
    for (const auto& [name, holders] : tree.list(object)) {
        if (const auto child = tree.look_up(object, name, &holders))
            walk_below(tree, path + "/" + name, *child, visit);
    }
}

} // namespace

Union::Union(Layers layers, ondisk::Prefix prefix, std::size_t data_layers)
    : layers_(std::move(layers)), prefix_(prefix), data_layers_(data_layers) {
    if (layers_.size() <= data_layers_)
        throw Error("union", "no layer is given", "name at least one lower layer");
}

Object Union::root() const {
    Object root;
    root.place = {0, root_of(layers_.front()), "."};
    root.st = stat_of(layers_.front()->fd(), layers_.front()->path());
    for (std::size_t layer = 0; layer < layers_.size() - data_layers_; ++layer)
        root.parts.push_back({layer, root_of(layers_[layer])});
    return root;
}

Union::Listing Union::list(const Object& directory) const {
    Listing listing;
    for (std::size_t part = 0; part < directory.parts.size(); ++part) {
        for (auto& name : names_in(directory.parts[part].directory->get()))
            listing[std::move(name)].push_back(part);
    }
    return listing;
}

std::optional<Object> Union::look_up(const Object& directory, const std::string& name,
                                     const Holders* holders, Opening opening) const {
    Search search(*this, name, opening);
    std::size_t next_layer = 0; // the top-most that was not asked yet
    std::size_t step = 0;
    while (!search.done() && !search.from_roots()) {
        // The holders are those of the name the search began with.
        const bool known = holders && !search.redirected();
        if (step == (known ? holders->size() : directory.parts.size()))
            return std::move(search).finish();
        const std::size_t part = known ? (*holders)[step] : step;
        ++step;
        if (directory.parts[part].layer < next_layer)
            continue;
        search.ask(directory.parts[part]);
        next_layer = directory.parts[part].layer + 1;
        if (known && search.redirected())
            step = 0;
    }
    const std::size_t first_data_layer = layers_.size() - data_layers_;
    for (; !search.done() && next_layer < first_data_layer; ++next_layer)
        search.ask({next_layer, root_of(layers_[next_layer])});
    for (next_layer = first_data_layer; search.wants_data() && next_layer < layers_.size(); ++next_layer)
        search.ask_for_data({next_layer, root_of(layers_[next_layer])});
    return std::move(search).finish();
}

void walk(const Union& tree,
          const std::function<void(const std::string& path, const Object&)>& visit) {
    walk_below(tree, "", tree.root(), visit);
}

} // namespace shale::tree
