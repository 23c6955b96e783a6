// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/progress.hpp"
#include "store/catalog.hpp"
#include "store/commit.hpp"
#include "store/garbage.hpp"
#include "store/image_verify.hpp"
#include "store/rebuild.hpp"
#include "store/usage.hpp"
#include "store/use_lock.hpp"

namespace shale {

enum class ExportFormat {
    oci_directory,
    oci_archive,    ///< the same as a tar
    docker_archive, ///< as `docker save` writes
};

/// Images and writable layers below one directory. Any number of processes may use it at once; one
/// object belongs to one thread. Whatever fails leaves the store as it was.
class Store {
public:
    /// Opens the store at @p root, making it on first use, reachable by its owner only.
    static Store open(const std::string& root);
    /// Makes the database of the store at @p root say what lies beside it: images and snapshots that it does not
    /// know, or knows otherwise, are taken up, and nothing is removed. One that is damaged is set aside. Throws
    /// Error, also while others are at work.
    static Rebuilt rebuild(const std::string& root);

    /// Imports the image tagged @p tag (may be empty where there is but one) from the OCI image
    /// layout @p path as @p name; an empty name means the tag or else the directory's name. Layers
    /// the store has already are not read. An image of that name is replaced, unless it is another
    /// one and a snapshot stands on it.
    ImageRecord import_layout(const std::string& path, const std::string& tag,
                              const std::string& name, Progress& progress);
    /// The same from an archive, a tar of an OCI image layout or what `docker save` wrote, compressed or
    /// not. It is what is left of the open @p fd, which may be a pipe, and is read to its end; messages
    /// call it @p shown. Where its image has no tag, an empty @p name means the name of the file.
    ImageRecord import_archive(int fd, const std::string& shown, const std::string& tag,
                               const std::string& name, Progress& progress);

    /// Writes the image @p name as an OCI image layout or as docker knows it, called @p tag (empty: the
    /// image's name), with the digests it came with. @p path must not exist, and appears whole or not
    /// at all. Throws Error where not all of the image's blobs are kept.
    void export_image(const std::string& name, const std::string& tag, ExportFormat format,
                      const std::string& path, Progress& progress);
    /// The same, as a tar to the open @p fd, which may be a pipe; @p format is not a directory.
    void export_image(const std::string& name, const std::string& tag, ExportFormat format, int fd,
                      Progress& progress);

    std::vector<ImageRecord> images();
    /// Throws Error where there is none.
    ImageRecord image(const std::string& name);
    /// Gives the image @p name another name as well. An image that has it loses it, unless it is another
    /// one and a snapshot stands on it.
    ImageRecord tag_image(const std::string& name, const std::string& other);
    /// Forgets the images, on which no snapshot may stand; all, or with an Error none. What they alone
    /// have stays until collect().
    void remove_images(const std::vector<std::string>& names);

    /// Holds what the store has of the images (all, where none is named) against what was imported. Nothing is
    /// removed meanwhile. Throws Error, or Cancelled.
    StoreTotals verify_images(const std::vector<std::string>& names, unsigned jobs, StoreObserver& observer,
                              Progress& progress);

    /// Where the room has gone. Nothing is removed meanwhile.
    StoreUsage usage(const IsMounted& is_mounted, const IsMounted& is_upper_mounted, Progress& progress);

    /// Removes all that no image refers to, and returns it; or does nothing, and returns nothing, while
    /// something is imported, exported or held.
    std::optional<Garbage> collect(const CollectOptions& options, const IsMounted& is_mounted);
    /// While the caller has it, layers stay that a path was got of, whatever becomes of their image.
    UseLock hold() const { return UseLock::shared(fd_.get(), "layers"); }

    /// Where the layer lies, absolute.
    std::string layer_path(const LayerRecord& layer) const;
    /// The directories to mount, absolute, top first. Layers below one whose root is opaque are
    /// left out: in a mount the root of a layer cannot hide anything.
    std::vector<std::string> layer_paths(const ImageRecord& image) const;

    /// Makes the writable layer @p name for @p image. Its root has the attributes of the image's root.
    /// Throws Error where there is one of that name.
    SnapshotRecord prepare(const std::string& name, const std::string& image);
    /// The same, or takes up the one that exists, which must be for the same image.
    SnapshotRecord prepare_or_take_up(const std::string& name, const std::string& image);
    /// Throws Error where there is none.
    SnapshotRecord snapshot(const std::string& name);
    std::vector<SnapshotRecord> snapshots();
    /// While the caller has it, the snapshot is not read as one that does not change: it is about to be
    /// mounted. Throws Error while it is read.
    UseLock hold_for_mount(const std::string& name) const;

    /// Makes an image of what the snapshot @p name shows: that of the snapshot, and its changes as a layer on
    /// top. The snapshot stays as it is, on its image.
    ImageRecord commit_snapshot(const std::string& name, const CommitOptions& options,
                                const UpperAccess& access, Progress& progress);
    /// Writes the tar of that layer, from one end to the other.
    void write_changes(const std::string& name, std::optional<int64_t> epoch, const UpperAccess& access,
                       const oci::Sink& sink, Progress& progress);

    /// Removes a writable layer and all that is in it, having asked whether its upper is mounted.
    /// False, and nothing is removed, where its upper is mounted. Throws Error where there is none, or it is
    /// just being read.
    bool remove_snapshot(const std::string& name, const IsMounted& is_mounted);
    /// While the caller has it, no snapshot is removed: it has a mount, or will have.
    UseLock hold_snapshots() const { return UseLock::shared(fd_.get(), "snapshots"); }

    const std::string& root() const { return root_; }

private:
    struct Root {
        std::string path;
        UniqueFd fd;
    };

    static Root open_root(const std::string& root);
    Store(std::string root, UniqueFd fd);

    SnapshotRecord with_paths(SnapshotRecord snapshot) const;
    std::string path_of_layer(const Digest& chain_id) const;
    void refuse_unknown_store();
    /// What comes before looking for garbage, within a transaction. Returns the names of images that are no more.
    std::vector<std::string> begin_collection(const CollectOptions& options, const IsMounted& is_mounted);
    bool is_image_used(const ImageRecord& image, const IsMounted& is_mounted);
    void take_up(Rebuilt& rebuilt);
    void take_up_images(Rebuilt& rebuilt);
    void take_up_snapshots(Rebuilt& rebuilt);
    Garbage find_garbage(const CollectOptions& options, const IsMounted& is_mounted);
    std::optional<SnapshotRecord> taken_up(const std::string& name, const std::string& image);
    SnapshotRecord make_snapshot(const std::string& name, const std::string& image, int staging,
                                 Transaction& transaction);
    bool move_snapshot(const std::string& name, const IsMounted& is_mounted, int staging);
    std::optional<Garbage> move_garbage(const CollectOptions& options, const IsMounted& is_mounted, int staging);
    void make_snapshot_directory(const SnapshotRecord& snapshot, const ImageRecord& image, int staging);

    std::string root_; ///< absolute
    UniqueFd fd_;
    Catalog catalog_;
};

} // namespace shale
