// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "verify/directory.hpp"
#include "verify/rules.hpp"
#include "verify/subject.hpp"

namespace shale::verify {

/// What a mount has to answer to a name.
struct Expectation {
    enum class Kind {
        absent, ///< there is nothing
        object, ///< there is `object`
        error,  ///< what there is must not be shown
    };
    Kind kind = Kind::absent;
    std::optional<tree::Object> object;
    const tree::Index::Entry* indexed = nullptr; ///< the object is a copy in the index
    Rule rule = rules::first_layer_decides;      ///< that says so, where kind is not absent
    std::string reason;                          ///< of an error
};

/// Asks the model. @p opening: whether the content will be wanted. Throws Error where a layer can't be read.
Expectation expect(const Subject& subject, const Directory& directory, const Entry& entry,
                   tree::Union::Opening opening);

/// The rule by which there is nothing at @p path, and what hides it, for people. Slow: reads all layers.
struct Absence {
    Rule rule = rules::nothing_else;
    std::string reason;
};
Absence explain_absence(const Subject& subject, const std::string& path);

} // namespace shale::verify
