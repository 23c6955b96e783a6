// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/digest.hpp"

namespace shale::test {

enum class Compression { none, gzip, zstd };

std::string compress(const std::string& data, Compression compression);
std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& content);

/// An OCI image layout that a test puts together, well-formed until the test breaks it.
class ImageBuilder {
public:
    /// Makes the layout at @p path, which must not exist.
    explicit ImageBuilder(std::string path);

    const std::string& path() const { return path_; }
    std::string blob_path(const Digest& digest) const;

    /// Adds a layer on top of the others of the image being made; returns the digest of its blob.
    Digest layer(const std::string& tar, Compression compression = Compression::gzip);
    /// As above, with a blob and digests of the test's choosing.
    Digest raw_layer(const std::string& blob, const std::string& media_type, const Digest& diff_id);
    /// Finishes the image: writes config and manifest, lists it in index.json, and starts the next.
    Digest tag(const std::string& tag, const std::string& platform = "");
    /// Writes a blob of any content.
    Digest blob(const std::string& content);
    /// The descriptor of the image made last, for indexes made by hand.
    const nlohmann::json& last_descriptor() const { return last_; }
    /// Lists @p descriptor in index.json.
    void list(const nlohmann::json& descriptor);
    /// Removes all images from index.json.
    void clear_index();

private:
    void write_index() const;

    std::string path_;
    nlohmann::json index_;
    nlohmann::json layers_ = nlohmann::json::array();
    nlohmann::json diff_ids_ = nlohmann::json::array();
    nlohmann::json last_;
};

} // namespace shale::test
