// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/catalog.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "store/schema.hpp"

namespace shale {

namespace {

SnapshotRecord snapshot_in(const Statement& row) {
    SnapshotRecord snapshot;
    snapshot.name = row.text(0);
    snapshot.image = row.text(1);
    snapshot.created = row.number(2);
    snapshot.is_view = row.number(3) != 0;
    return snapshot;
}

} // namespace

Catalog::Catalog(int root, const std::string& shown) : database_(shown + "/shale.db"), files_(root, shown) {
    ensure_schema(database_, [&] { write_all_files(root); });
}

void Catalog::write_file_of(const std::string& name) {
    if (const std::optional<ImageRecord> known = image(name))
        files_.write(*known);
    else
        files_.remove(name);
}

/// For a store that has none yet.
void Catalog::write_all_files(int root) {
    for (const ImageRecord& image : images())
        files_.write(image);
    files_.sync();
    const UniqueFd all = open_at(root, "snapshots", O_RDONLY | O_DIRECTORY);
    for (const SnapshotRecord& snapshot : snapshots()) {
        const UniqueFd own = try_open_beneath(all.get(), snapshot.name, O_RDONLY | O_DIRECTORY);
        const auto base = image(snapshot.image);
        if (own && base)
            write_snapshot_file(own.get(), snapshot, base->manifest_digest);
    }
}

/// What a crash left undone. A database that was lost knows nothing better than the files do.
void Catalog::began() {
    touched_.clear();
    const std::set<std::string> names = files_.unsettled();
    if (names.empty() || !has_layers())
        return;
    for (const std::string& name : names)
        write_file_of(name);
    files_.sync();
    files_.settle_all();
}

void Catalog::committing() {
    if (touched_.empty())
        return;
    files_.begin(touched_);
    for (const std::string& name : touched_)
        write_file_of(name);
    files_.sync();
}

void Catalog::committed() {
    if (!touched_.empty())
        files_.settle();
    touched_.clear();
}

Digest Catalog::digest(const std::string& text) const {
    return Digest::parse(text, database_.path());
}

Digest Catalog::digest_or_none(const std::string& text) const {
    return text.empty() ? Digest() : digest(text);
}

std::optional<LayerRecord> Catalog::layer(const Digest& chain_id) {
    Statement row(database_, "SELECT diff_id, size, tree FROM layers WHERE chain_id = ?");
    if (!row.bind(chain_id.text()).step())
        return std::nullopt;
    LayerRecord layer;
    layer.diff_id = digest(row.text(0));
    layer.chain_id = chain_id;
    layer.size = static_cast<uint64_t>(row.number(1));
    layer.tree = digest_or_none(row.text(2));
    return layer;
}

void Catalog::put_layer(const LayerRecord& layer) {
    Statement(database_, "INSERT INTO layers (chain_id, diff_id, size, tree) VALUES (?, ?, ?, ?) "
                         "ON CONFLICT (chain_id) DO UPDATE SET tree = excluded.tree WHERE excluded.tree != ''")
        .bind(layer.chain_id.text())
        .bind(layer.diff_id.text())
        .bind(static_cast<int64_t>(layer.size))
        .bind(layer.tree.empty() ? std::string() : layer.tree.text())
        .run();
}

std::set<Digest> Catalog::digests(const char* sql) {
    std::set<Digest> found;
    Statement rows(database_, sql);
    while (rows.step())
        found.insert(digest(rows.text(0)));
    return found;
}

std::set<Digest> Catalog::used_layers() {
    return digests("SELECT DISTINCT chain_id FROM image_layers");
}

bool Catalog::has_layers() {
    return Statement(database_, "SELECT 1 FROM layers LIMIT 1").step();
}

void Catalog::remove_layer(const Digest& chain_id) {
    Statement(database_, "DELETE FROM layers WHERE chain_id = ?").bind(chain_id.text()).run();
}

// What was imported by version 1 of the schema has manifests and configs that were never kept.
std::set<Digest> Catalog::used_blobs() {
    return digests("SELECT manifest FROM images UNION SELECT config_digest FROM images "
                   "UNION SELECT blob FROM image_layers");
}

std::set<Digest> Catalog::used_trees_without(const std::vector<Digest>& layers) {
    const std::set<Digest> gone(layers.begin(), layers.end());
    std::set<Digest> used;
    Statement rows(database_, "SELECT chain_id, tree FROM layers WHERE tree != ''");
    while (rows.step()) {
        if (!gone.contains(digest(rows.text(0))))
            used.insert(digest(rows.text(1)));
    }
    return used;
}

void Catalog::read_layers(ImageRecord& image) {
    Statement rows(database_, "SELECT chain_id, diff_id, blob, size, tree FROM image_layers "
                              "JOIN layers USING (chain_id) WHERE image = ? ORDER BY position");
    rows.bind(image.name);
    while (rows.step()) {
        LayerRecord layer;
        layer.chain_id = digest(rows.text(0));
        layer.diff_id = digest(rows.text(1));
        layer.blob = digest(rows.text(2));
        layer.size = static_cast<uint64_t>(rows.number(3));
        layer.tree = digest_or_none(rows.text(4));
        image.size += layer.size;
        image.layers.push_back(std::move(layer));
    }
}

std::optional<ImageRecord> Catalog::image(const std::string& name) {
    Statement row(database_, "SELECT manifest, media_type, config_digest, config, imported "
                             "FROM images WHERE name = ?");
    if (!row.bind(name).step())
        return std::nullopt;
    ImageRecord image;
    image.name = name;
    image.manifest_digest = digest(row.text(0));
    image.media_type = row.text(1);
    image.config_digest = digest(row.text(2));
    image.config = row.text(3);
    image.imported = row.number(4);
    read_layers(image);
    return image;
}

std::vector<ImageRecord> Catalog::images() {
    std::vector<ImageRecord> images;
    Statement rows(database_, "SELECT name FROM images ORDER BY name");
    while (rows.step()) {
        if (std::optional<ImageRecord> found = image(rows.text(0)))
            images.push_back(std::move(*found));
    }
    return images;
}

void Catalog::put_image(const ImageRecord& image) {
    touched_.insert(image.name);
    Statement(database_,
              "INSERT INTO images (name, manifest, media_type, config_digest, config, imported) "
              "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
              "manifest = excluded.manifest, media_type = excluded.media_type, "
              "config_digest = excluded.config_digest, config = excluded.config, "
              "imported = excluded.imported")
        .bind(image.name)
        .bind(image.manifest_digest.text())
        .bind(image.media_type)
        .bind(image.config_digest.text())
        .bind(image.config)
        .bind(image.imported)
        .run();
    Statement(database_, "DELETE FROM image_layers WHERE image = ?").bind(image.name).run();
    for (size_t i = 0; i < image.layers.size(); i++) {
        Statement(database_,
                  "INSERT INTO image_layers (image, position, chain_id, blob) VALUES (?, ?, ?, ?)")
            .bind(image.name)
            .bind(static_cast<int64_t>(i))
            .bind(image.layers[i].chain_id.text())
            .bind(image.layers[i].blob.text())
            .run();
    }
}

void Catalog::remove_image(const std::string& name) {
    touched_.insert(name);
    Statement(database_, "DELETE FROM images WHERE name = ?").bind(name).run();
}

std::optional<SnapshotRecord> Catalog::snapshot(const std::string& name) {
    Statement row(database_, "SELECT name, image, created, is_view FROM snapshots WHERE name = ?");
    if (!row.bind(name).step())
        return std::nullopt;
    return snapshot_in(row);
}

std::vector<SnapshotRecord> Catalog::snapshots() {
    std::vector<SnapshotRecord> snapshots;
    Statement rows(database_, "SELECT name, image, created, is_view FROM snapshots ORDER BY name");
    while (rows.step())
        snapshots.push_back(snapshot_in(rows));
    return snapshots;
}

std::optional<SnapshotRecord> Catalog::snapshot_of(const std::string& image) {
    Statement row(database_, "SELECT name, image, created, is_view FROM snapshots WHERE image = ? ORDER BY name");
    if (!row.bind(image).step())
        return std::nullopt;
    return snapshot_in(row);
}

std::optional<SnapshotRecord> Catalog::snapshot_in_the_way(const ImageRecord& wanted) {
    const std::optional<ImageRecord> before = image(wanted.name);
    if (!before || before->manifest_digest == wanted.manifest_digest)
        return std::nullopt;
    return snapshot_of(wanted.name);
}

void Catalog::put_snapshot(const SnapshotRecord& snapshot) {
    Statement(database_, "INSERT INTO snapshots (name, image, created, is_view) VALUES (?, ?, ?, ?)")
        .bind(snapshot.name)
        .bind(snapshot.image)
        .bind(snapshot.created)
        .bind(static_cast<int64_t>(snapshot.is_view))
        .run();
}

void Catalog::remove_snapshot(const std::string& name) {
    Statement(database_, "DELETE FROM snapshots WHERE name = ?").bind(name).run();
}

} // namespace shale
