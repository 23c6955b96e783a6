// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/progress.hpp"
#include "oci/blob_source.hpp"
#include "oci/manifest.hpp"
#include "store/layer_tree.hpp"
#include "store/lower_layers.hpp"
#include "store/omissions.hpp"

namespace shale {

/// Extracts the layer in @p blob, which nobody has read yet, into the open, empty directory
/// @p target, checking on the way, in one pass, the digest of the blob and of the tar in it.
/// Returns the size of the tar; @p contents gets the digests of what files hold. After an Error the directory holds part of the layer; the caller
/// removes it.
uint64_t import_layer(oci::BlobSource& blob, const oci::LayerDescriptor& layer, int target,
                      const LowerLayers& lower, Omissions& omissions, ContentDigests& contents,
                      Progress& progress);

} // namespace shale
