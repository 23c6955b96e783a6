// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/digest.hpp"

namespace shale {

/// Throws Error unless @p name can name an image: printable, without blanks, not beginning with
/// '-' or '/', at most 255 bytes. Slashes and colons are fine: "registry/debian:12".
void check_image_name(const std::string& name);

/// Throws Error unless @p name can name a snapshot, and with it a directory: letters, digits, '.',
/// '_' and '-', beginning with a letter or digit, at most 128 bytes.
void check_snapshot_name(const std::string& name);

/// The digests by which what is in the open directory @p directory goes, in order. Names that are none are not ours.
std::vector<Digest> digests_in(int directory);

} // namespace shale
