// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that makes the database anew from what lies beside it.
#include "store/rebuild.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "store/image_files.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

/// Moves a damaged database out of the way, with what belongs to it. Returns its new path.
std::string set_aside(int root, const std::string& shown) {
    std::string name = "shale.db.damaged";
    for (int number = 2; stat_at(root, name); ++number)
        name = "shale.db.damaged-" + std::to_string(number);
    for (const std::string part : {"-journal", "-wal", "-shm"}) {
        if (stat_at(root, "shale.db" + part))
            rename_at(root, "shale.db" + part, root, name + part);
    }
    rename_at(root, "shale.db", root, name);
    return shown + "/" + name;
}

bool same(const ImageRecord& one, const ImageRecord& other) {
    const auto equal = [](const LayerRecord& a, const LayerRecord& b) {
        return a.chain_id == b.chain_id && a.diff_id == b.diff_id && a.blob == b.blob && a.size == b.size &&
               a.tree == b.tree;
    };
    return one.manifest_digest == other.manifest_digest && one.media_type == other.media_type &&
           one.config == other.config && one.imported == other.imported &&
           std::equal(one.layers.begin(), one.layers.end(), other.layers.begin(), other.layers.end(), equal);
}

} // namespace

Rebuilt Store::rebuild(const std::string& path) {
    const Root root = open_root(path);
    // Nobody else is to rely on what the database says, or doesn't say yet.
    const auto layers_alone = UseLock::alone_at_once(root.fd.get(), "layers");
    const auto snapshots_alone = UseLock::alone_at_once(root.fd.get(), "snapshots");
    if (!layers_alone || !snapshots_alone)
        throw Error("store " + root.path, "something is being imported, exported, mounted or removed",
                    "try again when that is done");
    Rebuilt rebuilt;
    if (Database::is_damaged(root.path + "/shale.db"))
        rebuilt.set_aside = set_aside(root.fd.get(), root.path);
    Store store = open(path);
    store.take_up(rebuilt);
    return rebuilt;
}

void Store::take_up(Rebuilt& rebuilt) {
    Transaction transaction = catalog_.begin();
    take_up_images(rebuilt);
    take_up_snapshots(rebuilt);
    transaction.commit();
    std::set<Digest> layers;
    const auto images = catalog_.images();
    for (const ImageRecord& image : images) {
        for (const LayerRecord& layer : image.layers)
            layers.insert(layer.chain_id);
    }
    rebuilt.images = images.size();
    rebuilt.layers = layers.size();
    rebuilt.snapshots = catalog_.snapshots().size();
}

void Store::take_up_images(Rebuilt& rebuilt) {
    for (const ImageRecord& image : catalog_.image_files().read_all(rebuilt.problems)) {
        for (const LayerRecord& layer : image.layers) {
            if (!stat_at(AT_FDCWD, layer_path(layer)))
                rebuilt.problems.push_back("image '" + image.name + "': " + layer_path(layer) +
                                           " is not there: import the image again");
        }
        const auto known = catalog_.image(image.name);
        if (known && same(*known, image))
            continue;
        for (LayerRecord layer : image.layers) {
            const auto better = catalog_.layer(layer.chain_id);
            if (better && !better->tree.empty())
                layer.tree = better->tree; // of a later import, which this file has not been told of
            catalog_.put_layer(layer);
        }
        catalog_.put_image(image);
        rebuilt.found++;
    }
}

void Store::take_up_snapshots(Rebuilt& rebuilt) {
    const UniqueFd all = open_at(fd_.get(), "snapshots", O_RDONLY | O_DIRECTORY);
    for (const std::string& name : names_in(all.get())) {
        if (catalog_.snapshot(name))
            continue;
        const std::string shown = root_ + "/snapshots/" + name;
        try {
            const UniqueFd own = try_open_beneath(all.get(), name, O_RDONLY | O_DIRECTORY);
            if (!own)
                throw Error::from_errno(shown, errno);
            Digest manifest;
            const SnapshotRecord snapshot = read_snapshot_file(own.get(), name, shown, manifest);
            const auto image = catalog_.image(snapshot.image);
            if (image && image->manifest_digest != manifest)
                throw Error(shown, "was made for another image '" + snapshot.image + "', of manifest " + manifest.text(),
                            "import that one under this name, and then do this again");
            if (!image)
                throw Error(shown, "is of the image '" + snapshot.image + "', which is not known",
                            "import that, and then do this again");
            catalog_.put_snapshot(snapshot);
            rebuilt.found++;
        } catch (const Error& error) {
            rebuilt.problems.emplace_back(error.what());
        }
    }
}

} // namespace shale
