// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "oci/blob_directory.hpp"

namespace shale::oci {

/// An OCI image layout: a directory with oci-layout, index.json and blobs/sha256; or what was in an
/// archive of that.
class Layout {
public:
    /// Throws Error where @p path is no image layout of a version we know.
    explicit Layout(std::string path);
    /// Of an archive that messages call @p shown: @p directory, which is open, holds blobs/; @p index
    /// is its index.json; @p names are what messages call some of the blobs.
    Layout(std::string shown, int directory, const std::string& index, std::map<Digest, std::string> names);

    /// Throws Error unless the file oci-layout, whose content is @p text, is of a version we know.
    static void check_version(const std::string& text, const std::string& shown);

    /// What index.json lists, in its order.
    const std::vector<Descriptor>& entries() const { return entries_; }
    /// What they are called, each name once.
    std::vector<std::string> tags() const;
    const std::string& path() const { return path_; }
    const BlobDirectory& blobs() const { return blobs_; }

private:
    std::string read_small_file(const std::string& name) const;
    void read_index(const std::string& text);

    std::string path_;
    UniqueFd dir_;
    BlobDirectory blobs_;
    std::vector<Descriptor> entries_;
};

} // namespace shale::oci
