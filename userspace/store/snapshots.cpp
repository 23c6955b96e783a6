// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that deals with writable layers.
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "store/attributes.hpp"
#include "store/image_files.hpp"
#include "store/names.hpp"
#include "store/publication.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"

namespace shale {

SnapshotRecord Store::with_paths(SnapshotRecord snapshot) const {
    const std::string directory = root_ + "/snapshots/" + snapshot.name;
    snapshot.upper = directory + "/upper";
    snapshot.work = directory + "/work";
    return snapshot;
}

SnapshotRecord Store::prepare(const std::string& name, const std::string& image) {
    const Staging staging(fd_.get()); // which may clean up, so that nobody is kept waiting for the database
    Transaction transaction = catalog_.begin();
    if (catalog_.snapshot(name))
        throw Error("writable layer '" + name + "'", "exists already", "choose another name");
    return make_snapshot(name, image, staging.fd(), transaction);
}

SnapshotRecord Store::prepare_or_take_up(const std::string& name, const std::string& image) {
    if (const auto found = taken_up(name, image))
        return *found;
    const Staging staging(fd_.get()); // as above
    Transaction transaction = catalog_.begin();
    if (const auto found = taken_up(name, image))
        return *found;
    return make_snapshot(name, image, staging.fd(), transaction);
}

SnapshotRecord Store::make_snapshot(const std::string& name, const std::string& image, int staging,
                                    Transaction& transaction) {
    check_snapshot_name(name);
    SnapshotRecord snapshot;
    snapshot.name = name;
    snapshot.image = image;
    snapshot.created = std::time(nullptr);
    make_snapshot_directory(snapshot, this->image(image), staging);
    catalog_.put_snapshot(snapshot);
    transaction.commit();
    return with_paths(snapshot);
}

std::optional<SnapshotRecord> Store::taken_up(const std::string& name, const std::string& image) {
    std::optional<SnapshotRecord> found = catalog_.snapshot(name);
    if (!found)
        return std::nullopt;
    if (found->image != image)
        throw Error("writable layer '" + name + "'", "belongs to image '" + found->image + "'",
                    "choose another name with --name");
    found = with_paths(*found);
    if (!stat_at(AT_FDCWD, found->upper))
        throw Error("writable layer '" + name + "'", "its directory " + found->upper + " is not there any more",
                    "forget it with 'shale snapshot rm " + name + "'");
    return found;
}

/// Called with the database locked and the row not yet committed.
void Store::make_snapshot_directory(const SnapshotRecord& snapshot, const ImageRecord& image, int staging) {
    const std::string shown = root_ + "/snapshots/" + snapshot.name;
    const UniqueFd all = open_at(fd_.get(), "snapshots", O_RDONLY | O_DIRECTORY);
    // A crash may have left the directory without its row, and then it is empty.
    for (const std::string part : {"/upper", "/work"})
        unlinkat(all.get(), (snapshot.name + part).c_str(), AT_REMOVEDIR);
    if (!stat_at(all.get(), snapshot.name + "/upper"))
        unlinkat(all.get(), (snapshot.name + "/" + snapshot_file).c_str(), 0);
    unlinkat(all.get(), snapshot.name.c_str(), AT_REMOVEDIR);
    if (stat_at(all.get(), snapshot.name))
        throw Error(shown, "is in the way: a writable layer that the database does not know",
                    "move it elsewhere");

    make_directory_at(staging, snapshot.name, 0700);
    const UniqueFd own = open_at(staging, snapshot.name, O_RDONLY | O_DIRECTORY);
    make_directory_at(own.get(), "work", 0700);
    make_directory_at(own.get(), "upper", 0700);
    const UniqueFd upper = open_at(own.get(), "upper", O_RDONLY | O_DIRECTORY);
    // In the mount the upper's root is the root: it has to look as the image's does.
    Omissions omissions;
    AttributeWriter(omissions).apply(upper.get(), 0700,
                                     Attributes::of(AT_FDCWD, layer_paths(image).front()), shown);
    write_snapshot_file(own.get(), snapshot, image.manifest_digest);
    if (!rename_new_at(staging, snapshot.name, all.get(), snapshot.name))
        throw Error(shown, "is in the way");
    fsync(all.get());
}

SnapshotRecord Store::snapshot(const std::string& name) {
    if (const std::optional<SnapshotRecord> found = catalog_.snapshot(name))
        return with_paths(*found);
    throw Error("writable layer '" + name + "'", "not in the store " + root_,
                "'shale snapshot ls' lists what is there");
}

std::vector<SnapshotRecord> Store::snapshots() {
    std::vector<SnapshotRecord> snapshots;
    for (const SnapshotRecord& snapshot : catalog_.snapshots())
        snapshots.push_back(with_paths(snapshot));
    return snapshots;
}

UseLock Store::hold_for_mount(const std::string& name) const {
    std::optional<UseLock> alone = UseLock::alone_at_once(fd_.get(), "snapshots/" + name);
    if (!alone)
        throw Error("writable layer '" + name + "'", "is just being committed, or mounted",
                    "try again when that is done");
    return std::move(*alone);
}

bool Store::remove_snapshot(const std::string& name, const IsMounted& is_mounted) {
    Staging staging(fd_.get());
    if (!move_snapshot(name, is_mounted, staging.fd()))
        return false;
    staging.remove(); // which takes its time: all locks are given back
    return true;
}

bool Store::move_snapshot(const std::string& name, const IsMounted& is_mounted, int staging) {
    const UniqueFd all = open_at(fd_.get(), "snapshots", O_RDONLY | O_DIRECTORY);
    const UseLock nobody_mounts = UseLock::alone(fd_.get(), "snapshots");
    if (is_mounted(snapshot(name).upper))
        return false;
    const bool is_there = stat_at(all.get(), name).has_value();
    std::optional<UseLock> nobody_reads;
    if (is_there)
        nobody_reads = hold_for_mount(name);
    Transaction transaction = catalog_.begin();
    Publication removal(all.get(), staging);
    catalog_.remove_snapshot(name);
    if (is_there)
        removal.publish(name);
    fsync(all.get()); // a row that is gone must not find its directory there again
    transaction.commit();
    removal.keep();
    return true;
}

} // namespace shale
