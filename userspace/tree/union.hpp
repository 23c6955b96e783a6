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

#include "base/error.hpp"
#include "ondisk/marks.hpp"
#include "tree/layer.hpp"
#include "tree/object.hpp"

namespace shale::tree {

/// A stack of layers as one tree. The layers must not change meanwhile, or an answer may mix
/// before and after. All methods throw Error when a layer cannot be read.
class Union {
public:
    using Layers = std::vector<std::shared_ptr<const Layer>>;

    /// @p layers in order, the top-most first; at least one. The last @p data_layers are of data only: no
    /// name is looked for in them, but where the data of a copy without data lie.
    explicit Union(Layers layers, ondisk::Prefix prefix = ondisk::Prefix::trusted,
                   std::size_t data_layers = 0);

    const Layers& layers() const { return layers_; }
    ondisk::Prefix prefix() const { return prefix_; }
    std::size_t data_layers() const { return data_layers_; }

    /// The root, merged from the roots of all layers but those of data.
    Object root() const;

    /// Which parts of a merged directory have a name: indices into Object::parts.
    using Holders = std::vector<std::size_t>;
    /// The names in a merged directory, whiteouts included: look-up tells which of them are shown.
    using Listing = std::map<std::string, Holders>;

    Listing list(const Object& directory) const;

    /// Whether regular files and directories that are found are opened, see Place::file.
    enum class Opening { no, yes };

    /// What stands under @p name in @p directory; nothing if there is no such name or a whiteout
    /// hides it. @p holders, from list(), spares asking the parts that lack the name. Throws Damaged
    /// where marks lead nowhere.
    std::optional<Object> look_up(const Object& directory, const std::string& name,
                                  const Holders* holders = nullptr, Opening opening = Opening::no) const;

private:
    Layers layers_;
    ondisk::Prefix prefix_;
    std::size_t data_layers_;
};

/// What a layer has is not what the format allows. No mount shows such a name.
class Damaged : public Error {
public:
    enum class Kind { redirect, data };

    Damaged(Kind kind, const std::string& thing, const std::string& reason)
        : Error(thing, reason), kind_(kind) {}

    /// What is wrong: a redirect is not valid, or the data of a copy are nowhere.
    Kind kind() const { return kind_; }

private:
    Kind kind_;
};

/// Calls @p visit for the root ("/") and everything below, parents first, names in byte order.
void walk(const Union& tree,
          const std::function<void(const std::string& path, const Object&)>& visit);

} // namespace shale::tree
