// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which lower object an upper one was copied from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/fd.hpp"
#include "tree/union.hpp"

namespace shale::tree {

/// Opens, as O_PATH, what the handle in @p record leads to; the record's form was checked. @p mount is open and on the
/// file system of that. Leaves the descriptor empty and errno set on failure.
UniqueFd try_open_origin(int mount, std::string_view record);

/// Follows the records of origins into the file systems of some lower layers.
class Origins {
public:
    /// @p layers: those of a union, @p first_lower the index of the first that is a lower one.
    Origins(const Union::Layers& layers, std::size_t first_lower);

    /// The object that @p record leads to; nothing where it is no sound record, leads nowhere, or could lead to
    /// several, and where its file system has no uuid, so that mounts follow it or not.
    std::optional<struct stat> follow(std::string_view record) const { return lead(record, Of::lower).object; }

    /// Whose objects a record is to lead to: of lower layers, or of the upper.
    enum class Of { lower, upper };
    struct Lead {
        std::optional<struct stat> object{};
        bool is_sure = false; ///< where there is none: it leads nowhere, and no mount sees that otherwise
    };
    /// As follow(), and how sure that is. To look for objects of an upper, that is the only layer given.
    Lead lead(std::string_view record, Of whose) const;

private:
    std::vector<UniqueFd> mounts_; ///< one for each file system
};

} // namespace shale::tree
