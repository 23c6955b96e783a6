// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The reference model of the union: what a mount of some layers has to show, computed from the
// layers alone by the documented rules of the format.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ondisk/marks.hpp"
#include "tree/layer.hpp"
#include "tree/object.hpp"

namespace shale::tree {

/// A stack of layers as one tree. The layers must not change meanwhile, or an answer may mix
/// before and after. All methods throw Error when a layer cannot be read.
class Union {
public:
    using Layers = std::vector<std::shared_ptr<const Layer>>;

    /// @p layers in order, the top-most first; at least one.
    explicit Union(Layers layers, ondisk::Prefix prefix = ondisk::Prefix::trusted);

    const Layers& layers() const { return layers_; }
    ondisk::Prefix prefix() const { return prefix_; }

    /// The root, merged from the roots of all layers.
    Object root() const;

    /// Which parts of a merged directory have a name: indices into Object::parts.
    using Holders = std::vector<std::size_t>;
    /// The names in a merged directory, whiteouts included: look-up tells which of them are shown.
    using Listing = std::map<std::string, Holders>;

    Listing list(const Object& directory) const;

    /// What stands under @p name in @p directory; nothing if there is no such name or a whiteout
    /// hides it. @p holders, from list(), spares asking the parts that lack the name.
    std::optional<Object> look_up(const Object& directory, const std::string& name,
                                  const Holders* holders = nullptr) const;

private:
    Layers layers_;
    ondisk::Prefix prefix_;
};

/// The names in one directory of a layer, without "." and "..".
std::vector<std::string> names_in(int directory);

/// Calls @p visit for the root ("/") and everything below, parents first, names in byte order.
void walk(const Union& tree,
          const std::function<void(const std::string& path, const Object&)>& visit);

} // namespace shale::tree
