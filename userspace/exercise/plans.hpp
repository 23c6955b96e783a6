// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What each kind of operation has to do, by POSIX; where that leaves a choice, what Linux does.
#pragma once

#include "exercise/lookup.hpp"
#include "exercise/model.hpp"

namespace shale::exercise {

Plan plan_make(const Model& model, const Operation& operation); ///< all that make a new object
Plan plan_link(const Model& model, const Operation& operation);
Plan plan_unlink(const Model& model, const Operation& operation);
Plan plan_rmdir(const Model& model, const Operation& operation);
Plan plan_rename(const Model& model, const Operation& operation);

Plan plan_content(const Model& model, const Operation& operation); ///< all that write
Plan plan_read(const Model& model, const Operation& operation);

Plan plan_chmod(const Model& model, const Operation& operation);
Plan plan_chown(const Model& model, const Operation& operation);
Plan plan_utimens(const Model& model, const Operation& operation);
Plan plan_xattr(const Model& model, const Operation& operation); ///< set and remove
Plan plan_list(const Model& model, const Operation& operation);
Plan plan_stat(const Model& model, const Operation& operation);

/// A plan about @p spot: what was wrong on the way is its error, and the object will be looked at.
Plan about(const Spot& spot);
/// The same, of what there has to be an object for.
Plan about_existing(const Spot& spot);
/// @p directory got or lost a name.
void change_names(Node& directory);

} // namespace shale::exercise
