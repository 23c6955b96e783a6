// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that removes what nothing refers to any more.
#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "store/blob_store.hpp"
#include "store/publication.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"
#include "store/tree_store.hpp"

namespace shale {

namespace {

/// The digests by which what is in this directory goes. Names that are none are not ours.
std::vector<Digest> digests_in(int directory) {
    std::vector<Digest> digests;
    for (const std::string& name : names_in(directory)) {
        try {
            digests.push_back(Digest::parse("sha256:" + name, name));
        } catch (const Error&) {
        }
    }
    std::sort(digests.begin(), digests.end());
    return digests;
}

/// A crash may have left the directory of a snapshot without its row, and then nothing was written to it.
bool is_untouched(int snapshots, const std::string& name) {
    const UniqueFd upper = try_open_beneath(snapshots, name + "/upper", O_RDONLY | O_DIRECTORY);
    return upper && names_in(upper.get()).empty();
}

} // namespace

/// A database that was lost, or is another's, knows nothing of what is there: that is no garbage.
void Store::refuse_unknown_store(bool has_layers) {
    const UniqueFd snapshots = open_at(fd_.get(), "snapshots", O_RDONLY | O_DIRECTORY);
    for (const std::string& name : names_in(snapshots.get())) {
        if (!catalog_.snapshot(name) && !is_untouched(snapshots.get(), name))
            throw Error(root_ + "/snapshots/" + name,
                        "is a writable layer that the database does not know: nothing is removed, as its "
                        "image may be unknown, too",
                        "move it elsewhere");
    }
    if (has_layers && !catalog_.has_layers())
        throw Error(root_, "has layers, but its database knows none: it may have been lost",
                    "import the images again, which takes up the layers that they have");
}

Garbage Store::find_garbage(const CollectOptions& options, const IsMounted& is_mounted) {
    Garbage garbage;
    const UniqueFd directory = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    const std::vector<Digest> layers = digests_in(directory.get());
    refuse_unknown_store(!layers.empty());
    const std::set<Digest> used_layers = catalog_.used_layers();
    for (const Digest& layer : layers) {
        if (!used_layers.contains(layer))
            (is_mounted(path_of_layer(layer)) ? garbage.mounted : garbage.layers).push_back(layer);
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
        const Transaction nobody_imports = catalog_.begin();
        return find_garbage(options, is_mounted);
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
    Transaction transaction = catalog_.begin();
    Garbage garbage = find_garbage(options, is_mounted);
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
