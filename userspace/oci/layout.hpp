// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "oci/blob_directory.hpp"

namespace shale::oci {

/// An OCI image layout: a directory with oci-layout, index.json and blobs/sha256.
class Layout {
public:
    /// Throws Error where @p path is no image layout of a version we know.
    explicit Layout(std::string path);

    /// What index.json lists, in its order.
    const std::vector<Descriptor>& entries() const { return entries_; }
    /// The distinct tags among them.
    std::vector<std::string> tags() const;
    const std::string& path() const { return path_; }
    const BlobDirectory& blobs() const { return blobs_; }

private:
    std::string read_small_file(const std::string& name) const;

    std::string path_;
    UniqueFd dir_;
    BlobDirectory blobs_;
    std::vector<Descriptor> entries_;
};

} // namespace shale::oci
