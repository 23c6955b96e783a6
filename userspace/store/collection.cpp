// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that removes what nothing refers to any more.
#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "store/blob_store.hpp"
#include "store/publication.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

/// The digests by which what is in this directory goes. Names that are none are not ours.
std::vector<Digest> digests_in(int directory) {
    std::vector<Digest> digests;
    const std::string path = "/proc/self/fd/" + std::to_string(directory);
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        try {
            digests.push_back(Digest::parse("sha256:" + entry.path().filename().string(), path));
        } catch (const Error&) {
        }
    }
    std::sort(digests.begin(), digests.end());
    return digests;
}

} // namespace

Garbage Store::find_garbage(const CollectOptions& options, const IsMounted& is_mounted) {
    Garbage garbage;
    const UniqueFd layers = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    const std::set<Digest> used_layers = catalog_.used_layers();
    for (const Digest& layer : digests_in(layers.get())) {
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
    return garbage;
}

std::optional<Garbage> Store::collect(const CollectOptions& options, const IsMounted& is_mounted) {
    if (options.only_look)
        return find_garbage(options, is_mounted);
    // Removes at its end what is moved into it, when all locks are given back.
    const Staging staging(fd_.get());
    const std::optional<UseLock> alone = UseLock::alone_at_once(fd_.get(), "layers");
    if (!alone)
        return std::nullopt;
    Transaction transaction = catalog_.begin();
    Garbage garbage = find_garbage(options, is_mounted);
    make_directory_at(staging.fd(), "layers", 0700);
    make_directory_at(staging.fd(), "blobs", 0700);
    const UniqueFd layers = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    const UniqueFd old_layers = open_at(staging.fd(), "layers", O_RDONLY | O_DIRECTORY);
    const UniqueFd old_blobs = open_at(staging.fd(), "blobs", O_RDONLY | O_DIRECTORY);
    const BlobStore blobs(fd_.get(), root_);
    // Taken back, if need be, before anybody can miss it.
    Publication layers_out(layers.get(), old_layers.get());
    Publication blobs_out(blobs.fd(), old_blobs.get());
    for (const Digest& layer : garbage.layers)
        layers_out.publish(layer.hex());
    for (const Digest& blob : garbage.blobs)
        blobs_out.publish(blob.hex());
    catalog_.remove_unused_layers();
    transaction.commit();
    layers_out.keep();
    blobs_out.keep();
    return garbage;
}

} // namespace shale
