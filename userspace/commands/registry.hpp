// SPDX-License-Identifier: GPL-2.0-or-later
//
// What "image pull" and "image push" share: skopeo does the work with the registry, by way of an image layout in a
// directory of the store.
#pragma once

#include <string>
#include <vector>

#include "base/progress.hpp"
#include "commands/globals.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"

namespace shale {

struct RegistryOptions {
    bool insecure = false;
    std::string auth_file;
};

void add_registry_options(CLI::App& command, RegistryOptions& options);

/// A directory for one image layout, which goes with the object, or when the next command comes.
class LayoutDirectory {
public:
    explicit LayoutDirectory(const Store& store);

    /// Nothing is there yet.
    const std::string& path() const { return path_; }

private:
    UniqueFd root_;
    Staging staging_;
    std::string path_;
};

/// "docker://REF", which may be written so.
std::string registry_source(const std::string& reference);
/// @p reference without "docker://".
std::string plain_reference(const std::string& reference);

/// Runs skopeo copy from @p from to @p to, of which @p side ("src" or "dest") is the registry. Throws Error, also
/// where there is no skopeo, or Cancelled.
void copy_by_skopeo(const std::string& from, const std::string& to, const std::string& side,
                    const RegistryOptions& options, Progress& progress);

} // namespace shale
