// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/database.hpp"
#include "store/image_files.hpp"
#include "store/records.hpp"

namespace shale {

/// What the database knows. Paths in the records are left empty: only the store knows its root.
class Catalog : private TransactionHooks {
public:
    /// @p root is an open ROOT, @p shown its path.
    Catalog(int root, const std::string& shown);

    /// To be held around the calls that change something.
    Transaction begin() { return Transaction(database_, this); }

    std::optional<LayerRecord> layer(const Digest& chain_id);
    /// Adds the layer; of one that is known, what is told about its tree, if anything is, becomes that.
    void put_layer(const LayerRecord& layer);
    /// Whether any layer is known.
    bool has_layers();
    /// Chain ids of the layers that images have.
    std::set<Digest> used_layers();
    /// Forgets one that no image has.
    void remove_layer(const Digest& chain_id);
    /// The blobs that images came from.
    std::set<Digest> used_blobs();
    /// The lists of what layers hold, of all but these.
    std::set<Digest> used_trees_without(const std::vector<Digest>& layers);

    std::optional<ImageRecord> image(const std::string& name);
    std::vector<ImageRecord> images();
    /// Adds the image or, under a name that exists, replaces it. Its layers must be there.
    void put_image(const ImageRecord& image);
    /// No snapshot may stand on it. Its layers stay.
    void remove_image(const std::string& name);
    /// What lies beside the database, for the day when it is lost.
    const ImageFiles& image_files() const { return files_; }

    std::optional<SnapshotRecord> snapshot(const std::string& name);
    std::vector<SnapshotRecord> snapshots();
    /// A snapshot that stands on @p image.
    std::optional<SnapshotRecord> snapshot_of(const std::string& image);
    /// One that stands on another image of @p image's name, for which that one is to stay.
    std::optional<SnapshotRecord> snapshot_in_the_way(const ImageRecord& image);
    void put_snapshot(const SnapshotRecord& snapshot);
    void remove_snapshot(const std::string& name);

private:
    void began() override;
    void committing() override;
    void committed() override;
    void write_file_of(const std::string& image);
    void write_all_files(int root);
    void read_layers(ImageRecord& image);
    std::set<Digest> digests(const char* sql);
    Digest digest(const std::string& text) const;
    Digest digest_or_none(const std::string& text) const;

    Database database_;
    ImageFiles files_;
    std::set<std::string> touched_; ///< images that this transaction changes
};

} // namespace shale
