// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that makes layers share what is equal in them.
#include "store/dedup.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <set>

#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/share_data.hpp"
#include "store/attributes.hpp"
#include "store/linked_files.hpp"
#include "store/listed_layers.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"
#include "store/tree_store.hpp"

namespace shale {

namespace {

/// Smaller ones are kept in other ways by the file systems that share blocks, or gain nothing.
constexpr uint64_t smallest_shared = 4096;

LayerTree read_layer(const std::string& path, unsigned jobs, Progress& progress) {
    const UniqueFd directory = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    TreeReading reading;
    reading.jobs = jobs;
    reading.advance = [&](uint64_t bytes) {
        progress.advance(bytes);
        if (progress.cancelled())
            throw Cancelled(path);
    };
    return read_tree(directory.get(), path, reading);
}

/// Files that hold the same come to lie in the same blocks.
class SharedData {
public:
    SharedData(const std::vector<ListedLayer>& layers, bool only_look, Dedup& dedup, Progress& progress)
        : layers_(layers), only_look_(only_look), dedup_(dedup), progress_(progress), open_(open_all(layers)) {}

    void run() {
        for (const auto& [key, group] : equal_data(layers_, smallest_shared))
            share(group, key.first);
    }

private:
    void share(const std::vector<FileIndex>& group, uint64_t size) {
        std::set<tree::Identity> seen;
        UniqueFd first;
        for (const FileIndex& index : group) {
            if (progress_.cancelled())
                throw Cancelled("layers");
            const auto object = find_file(open_[index.layer].get(), layers_[index.layer].files[index.file].object.path);
            if (!object || static_cast<uint64_t>(object->st.st_size) != size) {
                dedup_.different++;
                continue;
            }
            if (object->st.st_blocks == 0 || !seen.insert(tree::identity_of(object->st)).second)
                continue;
            UniqueFd file = open_at(object->place.parent->get(), object->place.name, O_RDONLY | O_NOFOLLOW);
            if (first)
                share_with(first.get(), file.get(), object->st);
            else
                first = std::move(file);
        }
    }

    void share_with(int first, int file, const struct stat& st) {
        const uint64_t bytes = std::min(static_cast<uint64_t>(st.st_size), 512 * static_cast<uint64_t>(st.st_blocks));
        const auto count = [&](Dedup::Amount& amount) {
            amount.files++;
            amount.bytes += bytes;
        };
        if (shares_data(first, file))
            return count(dedup_.data_before);
        if (only_look_)
            return count(dedup_.data);
        switch (share_data(first, file, static_cast<uint64_t>(st.st_size))) {
        case Sharing::done:
            count(dedup_.data);
            break;
        case Sharing::differs:
            dedup_.different++;
            break;
        case Sharing::refused:
            dedup_.refused++;
            break;
        }
        progress_.advance(bytes);
    }

    const std::vector<ListedLayer>& layers_;
    const bool only_look_;
    Dedup& dedup_;
    Progress& progress_;
    const std::vector<UniqueFd> open_;
};

/// XFS takes it for a change of the directory itself, which is put right at once: its time is the layer's.
void exchange(int made, int directory, const std::string& name, const std::string& shown_before) {
    const UniqueFd layer = open_at(made, name, O_RDONLY | O_DIRECTORY);
    const struct stat before = stat_of(layer.get(), shown_before + name);
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    if (renameat2(made, name.c_str(), directory, name.c_str(), RENAME_EXCHANGE) != 0 || futimens(layer.get(), times) != 0)
        throw Error::from_errno(shown_before + name, errno);
}

} // namespace

std::vector<ListedLayer> Store::listed_layers(unsigned jobs, Progress& progress) {
    const TreeStore trees(fd_.get(), root_);
    std::vector<ListedLayer> layers;
    for (const StoredLayer& stored : this->layers()) {
        if (!stat_at(AT_FDCWD, stored.path))
            continue; // "image verify" is who complains
        ListedLayer& layer = layers.emplace_back(ListedLayer{stored.record.chain_id, stored.path});
        layer.take(stored.record.tree.empty() ? read_layer(stored.path, jobs, progress)
                                              : trees.read(stored.record.tree));
    }
    return layers;
}

std::optional<std::string> Store::keeps_numbers(const StoredLayer& layer, const IsMounted& is_mounted) {
    for (const std::string& name : layer.snapshots) {
        if (!snapshot(name).is_view)
            return "writable layer '" + name + "' stands on it";
    }
    if (is_mounted(layer.path))
        return "it is mounted";
    return std::nullopt;
}

std::map<Digest, std::string> Store::layers_that_keep_numbers(const IsMounted& is_mounted) {
    std::map<Digest, std::string> kept;
    for (const StoredLayer& layer : layers()) {
        if (auto reason = keeps_numbers(layer, is_mounted))
            kept.emplace(layer.record.chain_id, *std::move(reason));
    }
    return kept;
}

void Store::link_files(const DedupOptions& options, const std::vector<ListedLayer>& layers,
                       const std::function<IsMounted()>& mounted, const Staging& staging, Dedup& dedup,
                       Progress& progress) {
    std::optional<UseLock> layers_stay = hold();
    std::map<Digest, std::string> kept = layers_that_keep_numbers(mounted());
    LinkedFiles files(layers, dedup, progress);
    for (size_t i = 0; i < layers.size(); ++i) {
        if (kept.contains(layers[i].chain_id))
            files.exclude(i);
    }
    files.compare(options.only_look);
    layers_stay.reset();
    if (options.only_look) {
        for (const size_t index : files.layers())
            files.made(index);
    } else if (!files.layers().empty()) {
        replace_layers(files, mounted, staging, kept);
    }
    for (const auto& [chain_id, reason] : kept)
        dedup.kept.push_back({chain_id, reason});
}

/// Nobody has, or comes to have, a layer mounted meanwhile: that takes no longer than making links of all its files.
void Store::replace_layers(LinkedFiles& files, const std::function<IsMounted()>& mounted, const Staging& staging,
                           std::map<Digest, std::string>& kept) {
    const std::optional<UseLock> alone = UseLock::alone_at_once(fd_.get(), "layers");
    if (!alone)
        throw Error("store " + root_, "something is being imported, exported or mounted",
                    "try again when that is done");
    const Transaction nobody_prepares = catalog_.begin(); // and nothing comes of it
    refuse_unknown_store();
    kept.merge(layers_that_keep_numbers(mounted()));
    for (size_t index = 0; index < files.count(); ++index) {
        if (kept.contains(files.chain_id(index)) || !files.is_still_there(index))
            files.exclude(index);
    }
    make_directory_at(staging.fd(), "layers", 0700);
    const UniqueFd made = open_at(staging.fd(), "layers", O_RDONLY | O_DIRECTORY);
    std::vector<size_t> ready;
    for (const size_t index : files.layers()) {
        if (files.make(index, made.get()))
            ready.push_back(index);
        else
            kept.emplace(files.chain_id(index), "a file of it can't have more names");
    }
    if (syncfs(fd_.get()) != 0)
        throw Error::from_errno(root_, errno);
    const UniqueFd directory = open_at(fd_.get(), "layers", O_RDONLY | O_DIRECTORY);
    for (const size_t index : ready) {
        exchange(made.get(), directory.get(), files.chain_id(index).hex(), root_ + "/layers/");
        files.made(index);
    }
    if (fsync(directory.get()) != 0)
        throw Error::from_errno(root_ + "/layers", errno);
}

Dedup Store::dedup(const DedupOptions& options, const std::function<IsMounted()>& mounted, Progress& progress) {
    Dedup dedup;
    Staging staging(fd_.get());
    require_readable_marks(staging.fd(), "store " + root_);
    dedup.can_share_data = can_share_data(staging.fd());
    if (!dedup.can_share_data && !options.hard_links)
        throw Error("store " + root_, "its file system does not let files share data (reflink)",
                    "--hardlink makes one file of those that are the same in several layers; or have the store "
                    "on btrfs or xfs");
    const auto listed = [&] {
        const UseLock layers_stay = hold();
        return listed_layers(options.jobs, progress);
    };
    std::vector<ListedLayer> layers = listed();
    if (options.hard_links && !layers.empty())
        link_files(options, layers, mounted, staging, dedup, progress);
    if (dedup.can_share_data) {
        const UseLock layers_stay = hold();
        std::erase_if(layers, [](const ListedLayer& layer) { return !stat_at(AT_FDCWD, layer.path); });
        SharedData(layers, options.only_look, dedup, progress).run();
    }
    staging.remove();
    return dedup;
}

} // namespace shale
