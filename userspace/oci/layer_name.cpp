// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/layer_name.hpp"

#include <string_view>

#include "base/error.hpp"

namespace shale::oci {

namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view private_prefix = ".wh..wh.";
constexpr std::string_view opaque_name = ".wh..wh..opq";

[[noreturn]] void refuse(const std::string& thing, const std::string& reason) {
    throw Error(thing, reason, "the image is unsafe or broken: get it from a source you trust");
}

void classify(LayerName& name, const std::string& thing) {
    if (name.name == opaque_name) {
        name.kind = NameKind::opaque;
        name.name.clear();
    } else if (name.name.starts_with(private_prefix)) {
        name.kind = NameKind::ignored;
    } else if (name.name.starts_with(whiteout_prefix)) {
        name.kind = NameKind::whiteout;
        name.name.erase(0, whiteout_prefix.size());
        // ".wh..." would hide "..", that is, something outside.
        if (name.name.empty() || name.name == "." || name.name == "..")
            refuse(thing, "whiteout of nothing");
    }
}

} // namespace

LayerName LayerName::parse(const std::string& raw, const std::string& thing) {
    LayerName name;
    bool ignored = false;
    size_t depth = 0;
    if (raw.starts_with('/'))
        refuse(thing, "absolute path");
    for (size_t begin = 0; begin <= raw.size();) {
        const size_t end = std::min(raw.find('/', begin), raw.size());
        const std::string_view part(raw.data() + begin, end - begin);
        begin = end + 1;
        if (part.empty() || part == ".")
            continue;
        if (part == "..")
            refuse(thing, "path with '..'");
        if (++depth > max_depth)
            refuse(thing, "nested deeper than " + std::to_string(max_depth) + " directories");
        // What was the last component so far turns out to be a directory.
        if (name.name.starts_with(private_prefix))
            ignored = true;
        else if (name.name.starts_with(whiteout_prefix))
            refuse(thing, "whiteout used as a directory");
        name.parent = name.path();
        name.name = part;
    }
    if (ignored)
        name.kind = NameKind::ignored;
    else
        classify(name, thing);
    return name;
}

} // namespace shale::oci
