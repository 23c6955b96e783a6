// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that removes what nothing refers to any more.
#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "store/blob_store.hpp"
#include "store/names.hpp"
#include "store/publication.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"
#include "store/tree_store.hpp"

namespace shale {

namespace {

constexpr const char* rebuild_helps = "'shale store rebuild' takes up what lies there";

/// A crash may have left the directory of a snapshot without its row, and then nothing was written to it.
bool is_untouched(int snapshots, const std::string& name) {
    const UniqueFd upper = try_open_beneath(snapshots, name + "/upper", O_RDONLY | O_DIRECTORY);
    return upper && names_in(upper.get()).empty();
}

} // namespace

/// A database that was lost, or is another's, knows nothing of what is there: that is no garbage.
void Store::refuse_unknown_store() {
    const bool has_layers = !digests_in(open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY).get()).empty();
    const UniqueFd snapshots = open_at(fd_.get(), "snapshots", O_RDONLY | O_DIRECTORY);
    for (const std::string& name : names_in(snapshots.get())) {
        if (!catalog_.snapshot(name) && !is_untouched(snapshots.get(), name))
            throw Error(root_ + "/snapshots/" + name,
                        "is a writable layer that the database does not know: nothing is removed, as its "
                        "image may be unknown, too",
                        std::string("move it elsewhere; or, if the database was lost, ") + rebuild_helps);
    }
    std::vector<std::string> unreadable;
    for (const ImageRecord& image : catalog_.image_files().read_all(unreadable)) {
        if (!catalog_.image(image.name))
            throw Error(root_, "has the image '" + image.name + "', which its database does not know: nothing is "
                        "removed",
                        rebuild_helps);
    }
    if (!unreadable.empty())
        throw Error(root_, "nothing is removed, as not all of its images are known: " + unreadable.front(),
                    "move that file elsewhere");
    if (has_layers && !catalog_.has_layers())
        throw Error(root_, "has layers, but its database knows none: it may have been lost",
                    "import the images again, which takes up the layers that they have");
}

bool Store::is_image_used(const ImageRecord& image, const IsMounted& is_mounted) {
    return catalog_.snapshot_of(image.name) ||
           (!image.layers.empty() && is_mounted(layer_path(image.layers.back())));
}

std::vector<std::string> Store::begin_collection(const CollectOptions& options, const IsMounted& is_mounted) {
    refuse_unknown_store();
    std::vector<std::string> removed;
    for (const ImageRecord& image : options.unused_images ? images() : std::vector<ImageRecord>()) {
        if (is_image_used(image, is_mounted))
            continue;
        catalog_.remove_image(image.name);
        removed.push_back(image.name);
    }
    return removed;
}

Garbage Store::find_garbage(const CollectOptions& options, const IsMounted& is_mounted) {
    Garbage garbage;
    const UniqueFd directory = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    const std::vector<Digest> layers = digests_in(directory.get());
    const std::set<Digest> used_layers = catalog_.used_layers();
    for (const Digest& layer : layers) {
        if (used_layers.contains(layer))
            continue;
        const bool stays = is_mounted(path_of_layer(layer));
        (stays ? garbage.mounted : garbage.layers).push_back(layer);
        if (const auto known = catalog_.layer(layer); known && !stays)
            garbage.layer_bytes += known->size;
    }
    const BlobStore blobs(fd_.get(), root_);
    const std::set<Digest> used_blobs =
        options.all_blobs ? std::set<Digest>() : catalog_.used_blobs();
    for (const Digest& blob : digests_in(blobs.fd())) {
        if (used_blobs.contains(blob))
            continue;
        garbage.blobs.push_back(blob);
        garbage.blob_bytes += blobs.size_of(blob).value_or(0);
    }
    const std::set<Digest> used_trees = catalog_.used_trees_without(garbage.layers);
    for (const Digest& tree : digests_in(TreeStore(fd_.get(), root_).fd())) {
        if (!used_trees.contains(tree))
            garbage.trees.push_back(tree);
    }
    return garbage;
}

std::optional<Garbage> Store::collect(const CollectOptions& options, const IsMounted& is_mounted) {
    if (options.only_look) {
        const Transaction nobody_imports = catalog_.begin(); // and nothing comes of it
        std::vector<std::string> images = begin_collection(options, is_mounted);
        Garbage garbage = find_garbage(options, is_mounted);
        garbage.images = std::move(images);
        return garbage;
    }
    Staging staging(fd_.get());
    std::optional<Garbage> garbage = move_garbage(options, is_mounted, staging.fd());
    staging.remove(); // which takes its time: all locks are given back
    return garbage;
}

std::optional<Garbage> Store::move_garbage(const CollectOptions& options, const IsMounted& is_mounted,
                                           int staging) {
    const std::optional<UseLock> alone = UseLock::alone_at_once(fd_.get(), "layers");
    if (!alone)
        return std::nullopt;
    // First, and for good: a crash further on leaves garbage, and no image without its layers.
    std::vector<std::string> images;
    {
        Transaction first = catalog_.begin();
        images = begin_collection(options, is_mounted);
        first.commit();
    }
    Transaction transaction = catalog_.begin();
    Garbage garbage = find_garbage(options, is_mounted);
    garbage.images = std::move(images);
    make_directory_at(staging, "layers", 0700);
    make_directory_at(staging, "blobs", 0700);
    make_directory_at(staging, "trees", 0700);
    const UniqueFd layers = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    const UniqueFd old_layers = open_at(staging, "layers", O_RDONLY | O_DIRECTORY);
    const UniqueFd old_blobs = open_at(staging, "blobs", O_RDONLY | O_DIRECTORY);
    const UniqueFd old_trees = open_at(staging, "trees", O_RDONLY | O_DIRECTORY);
    const BlobStore blobs(fd_.get(), root_);
    const TreeStore trees(fd_.get(), root_);
    // Taken back, if need be, before anybody can miss it.
    Publication layers_out(layers.get(), old_layers.get());
    Publication blobs_out(blobs.fd(), old_blobs.get());
    Publication trees_out(trees.fd(), old_trees.get());
    for (const Digest& layer : garbage.layers) {
        layers_out.publish(layer.hex());
        catalog_.remove_layer(layer);
    }
    for (const Digest& blob : garbage.blobs)
        blobs_out.publish(blob.hex());
    for (const Digest& tree : garbage.trees)
        trees_out.publish(tree.hex());
    transaction.commit();
    layers_out.keep();
    blobs_out.keep();
    trees_out.keep();
    return garbage;
}

} // namespace shale
