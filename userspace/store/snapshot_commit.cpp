// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that makes layers of images out of writable layers.
#include <ctime>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "oci/derived_image.hpp"
#include "store/blob_store.hpp"
#include "store/changed_layer.hpp"
#include "store/image_intake.hpp"
#include "store/made_image.hpp"
#include "store/names.hpp"
#include "store/still_snapshot.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

void write_layer(const StillSnapshot& still, std::optional<int64_t> epoch, const oci::Sink& sink,
                 Progress& progress) {
    Omissions omissions;
    oci::LayerWriter writer(sink, "the new layer");
    write_changed_layer(still.before(), still.after(), 1, epoch, writer, omissions, progress);
    still.check();
    writer.finish();
    omissions.report(progress);
}

} // namespace

ImageRecord Store::commit_snapshot(const std::string& name, const CommitOptions& options,
                                   const UpperAccess& access, Progress& progress) {
    check_image_name(options.image);
    oci::check_text("author", options.author);
    oci::check_text("message", options.message);
    if (const auto other = catalog_.snapshot_of(options.image))
        throw Error("image '" + options.image + "'", "carries the " + called(*other),
                    "choose another name for the new one");
    const Workplace work(fd_.get());
    const UseLock layers_stay = hold();
    std::optional<UseLock> snapshots_stay = hold_snapshots();
    const SnapshotRecord snapshot = writable_snapshot(name);
    const ImageRecord image = this->image(snapshot.image);
    const oci::Manifest parent = manifest_of(image, BlobStore(fd_.get(), root_));
    const MadeBlobs made(work, image.name);

    oci::Step step;
    {
        const StillSnapshot still(fd_.get(), snapshot, layer_paths(image), work.staging, access, progress);
        snapshots_stay.reset();
        LayerBlob blob(made, options.compression);
        progress.begin_layer(image.layers.size() + 1, image.layers.size() + 1, 0);
        write_layer(still, options.epoch, [&](auto bytes) { blob.write(bytes); }, progress);
        step.layer = blob.finish();
    }
    step.created = static_cast<std::time_t>(options.epoch.value_or(std::time(nullptr)));
    step.created_by = "shale snapshot commit";
    step.author = options.author;
    step.comment = options.message;
    const oci::Manifest made_image = oci::derive(parent, step, "image '" + image.name + "'");
    made.put(made_image.config_blob, made_image.config);
    made.put(made_image.descriptor, made_image.text);
    return take_in(made_image, made.directory(), BlobOwner::us, options.image, {root_, fd_.get(), catalog_}, work,
                   progress);
}

void Store::write_changes(const std::string& name, std::optional<int64_t> epoch, const UpperAccess& access,
                          const oci::Sink& sink, Progress& progress) {
    const Staging staging(fd_.get());
    const UseLock layers_stay = hold();
    std::optional<UseLock> snapshots_stay = hold_snapshots();
    const SnapshotRecord snapshot = writable_snapshot(name);
    const StillSnapshot still(fd_.get(), snapshot, layer_paths(image(snapshot.image)), staging, access,
                              progress);
    snapshots_stay.reset();
    write_layer(still, epoch, sink, progress);
}

} // namespace shale
