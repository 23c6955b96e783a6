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
    if (snapshot.is_view) {
        snapshot.view = directory + "/view";
    } else {
        snapshot.upper = directory + "/upper";
        snapshot.work = directory + "/work";
    }
    return snapshot;
}

SnapshotRecord Store::prepare(const std::string& name, const std::string& image) {
    return make_new_snapshot({.name = name, .image = image});
}

SnapshotRecord Store::view(const std::string& name, const std::string& image) {
    return make_new_snapshot({.name = name, .image = image, .is_view = true});
}

SnapshotRecord Store::make_new_snapshot(SnapshotRecord snapshot) {
    const Staging staging(fd_.get()); // which may clean up, so that nobody is kept waiting for the database
    Transaction transaction = catalog_.begin();
    if (const auto other = catalog_.snapshot(snapshot.name))
        throw Error(called(*other), "exists already", "choose another name");
    return make_snapshot(std::move(snapshot), staging.fd(), transaction);
}

SnapshotRecord Store::prepare_or_take_up(const std::string& name, const std::string& image) {
    if (const auto found = taken_up(name, image))
        return *found;
    const Staging staging(fd_.get()); // as above
    Transaction transaction = catalog_.begin();
    if (const auto found = taken_up(name, image))
        return *found;
    return make_snapshot({.name = name, .image = image}, staging.fd(), transaction);
}

SnapshotRecord Store::make_snapshot(SnapshotRecord snapshot, int staging, Transaction& transaction) {
    check_snapshot_name(snapshot.name);
    snapshot.created = std::time(nullptr);
    make_snapshot_directory(snapshot, this->image(snapshot.image), staging);
    catalog_.put_snapshot(snapshot);
    transaction.commit();
    return with_paths(snapshot);
}

std::optional<SnapshotRecord> Store::taken_up(const std::string& name, const std::string& image) {
    std::optional<SnapshotRecord> found = catalog_.snapshot(name);
    if (!found)
        return std::nullopt;
    if (found->is_view)
        throw Error(called(*found), "is there, which is not written to", "choose another name with --name");
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
    for (const std::string part : {"/upper", "/work", "/view"})
        unlinkat(all.get(), (snapshot.name + part).c_str(), AT_REMOVEDIR);
    if (!stat_at(all.get(), snapshot.name + "/upper") && !stat_at(all.get(), snapshot.name + "/view"))
        unlinkat(all.get(), (snapshot.name + "/" + snapshot_file).c_str(), 0);
    unlinkat(all.get(), snapshot.name.c_str(), AT_REMOVEDIR);
    if (stat_at(all.get(), snapshot.name))
        throw Error(shown, "is in the way: a writable layer that the database does not know",
                    "move it elsewhere");

    make_directory_at(staging, snapshot.name, 0700);
    const UniqueFd own = open_at(staging, snapshot.name, O_RDONLY | O_DIRECTORY);
    const std::string top_name = snapshot.is_view ? "view" : "upper";
    if (!snapshot.is_view)
        make_directory_at(own.get(), "work", 0700);
    make_directory_at(own.get(), top_name, 0700);
    const UniqueFd top = open_at(own.get(), top_name, O_RDONLY | O_DIRECTORY);
    // In the mount its root is the root: it has to look as the image's does.
    Omissions omissions;
    AttributeWriter(omissions).apply(top.get(), 0700,
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

SnapshotRecord Store::writable_snapshot(const std::string& name) {
    SnapshotRecord found = snapshot(name);
    if (found.is_view)
        throw Error(called(found), "is not written to, so that it has no changes to make a layer of",
                    "make a writable layer for its image: 'shale snapshot prepare NAME " + found.image + "'");
    return found;
}

std::vector<std::string> Store::lower_paths(const SnapshotRecord& snapshot) {
    std::vector<std::string> paths = layer_paths(image(snapshot.image));
    if (snapshot.is_view)
        paths.insert(paths.begin(), snapshot.view);
    return paths;
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
    if (is_mounted(snapshot(name).top()))
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
