// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace shale {

/// Raises the process's limit of open files as far as it goes; root may pass the hard limit. For
/// programs that mount: a descriptor is open per layer, and there may be thousands.
void raise_descriptor_limit();

} // namespace shale
