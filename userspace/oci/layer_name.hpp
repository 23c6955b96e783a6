// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace shale::oci {

/// What the name of a tar entry asks for.
enum class NameKind {
    object,   ///< make this object
    whiteout, ///< hide `name` of the layers below; the entry was called .wh.NAME
    opaque,   ///< hide everything below in `parent`; the entry was called .wh..wh..opq
    ignored,  ///< private to aufs (.wh..wh.*), means nothing to anybody else
};

/// The name of a tar entry, taken apart and safe: relative, without ".", ".." or empty components.
struct LayerName {
    /// Deeper trees are refused: whoever walks them holds a descriptor per level.
    static constexpr size_t max_depth = 400;

    NameKind kind = NameKind::object;
    std::string parent; ///< "a/b", or empty for the root of the layer
    std::string name;   ///< last component; empty for the root itself (and for opaque)

    std::string path() const { return parent.empty() ? name : parent + "/" + name; }
    bool is_root() const { return parent.empty() && name.empty(); }

    /// Throws Error naming @p thing where @p raw could lead out of the layer (absolute, "..") or
    /// means nothing. Leading "./" and trailing slashes are fine.
    static LayerName parse(const std::string& raw, const std::string& thing);
};

} // namespace shale::oci
