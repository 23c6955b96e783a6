// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/progress.hpp"
#include "oci/layer_writer.hpp"
#include "store/omissions.hpp"
#include "tree/union.hpp"

namespace shale {

/// Writes what @p after shows differently from @p before, which it stands on, as the layer that makes
/// the one of the other in any program that unpacks images.
///
/// Nothing of how the union keeps its changes is in it: a renamed directory is written whole under its new
/// name and hidden under the old one, a file whose attributes alone were copied up with its data. Every
/// directory with something changed in it is there with its own attributes. Of a file with several names,
/// all that are one file in @p after are there if one is, as links of each other: those in the changed layers,
/// and behind all else those of a lower file that is in a renamed directory.
///
/// The first @p changed layers of @p after are those on top of what @p before has: a writable layer, or layers that
/// become one.
///
/// Times later than @p latest (seconds since 1970) become that. What a layer can't hold is left out and
/// noted. @p writer is not finished: what was read may be found to have changed. Throws Error, or Cancelled when @p progress says so.
void write_changed_layer(const tree::Union& before, const tree::Union& after, size_t changed,
                         std::optional<int64_t> latest, oci::LayerWriter& writer, Omissions& omissions,
                         Progress& progress);

} // namespace shale
