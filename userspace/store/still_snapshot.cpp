// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/still_snapshot.hpp"

#include <cerrno>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/xattr.hpp"
#include "store/attributes.hpp"
#include "store/index_names.hpp"
#include "store/upper_copy.hpp"

namespace shale {

Hold::~Hold() = default;

namespace {

std::string thing(const SnapshotRecord& snapshot) {
    return "writable layer '" + snapshot.name + "'";
}

/// A mount leaves one of these on the root of its upper.
void refuse_userxattr(const tree::Layer& upper, const std::string& thing) {
    const XattrTarget root(upper.fd(), ".");
    for (const char* mark : {"user.overlay.uuid", "user.overlay.impure", "user.overlay.origin"}) {
        if (root.get(mark))
            throw Error(thing, "was mounted with userxattr, whose marks are not read here",
                        "mount it and the image's layers with userxattr, and take what that shows");
    }
}

UseLock lock_of(int root, const SnapshotRecord& snapshot) {
    if (!stat_at(root, "snapshots/" + snapshot.name + "/upper"))
        throw Error(thing(snapshot), "its directory " + snapshot.upper + " is not there any more",
                    "forget it with 'shale snapshot rm " + snapshot.name + "'");
    return UseLock::shared(root, "snapshots/" + snapshot.name);
}

} // namespace

StillSnapshot::StillSnapshot(int root, const SnapshotRecord& snapshot, const std::vector<std::string>& lowers,
                             const Staging& staging, const UpperAccess& access, Progress& progress)
    : snapshot_(snapshot), access_(access), not_mounted_(lock_of(root, snapshot)) {
    require_readable_marks(staging.fd(), thing(snapshot));
    refuse_userxattr(*tree::Layer::open(snapshot.upper), thing(snapshot));
    std::unique_ptr<Hold> hold = access.hold(snapshot.upper);
    const bool has_index = has_indexed_files(snapshot.work);
    is_held_ = hold != nullptr;
    if (is_held_ || has_index)
        copy(hold.get(), has_index, staging, progress);
    hold.reset(); // the copy does not change
    const std::string copied = "/proc/self/fd/" + std::to_string(staging.fd()) + "/upper";
    auto layers = tree::open_layers(lowers);
    before_ = std::make_unique<tree::Union>(layers);
    layers.insert(layers.begin(), tree::Layer::open(is_held_ || has_index ? copied : snapshot.upper));
    after_ = std::make_unique<tree::Union>(layers);
    if (has_index)
        add_indexed_names(*after_, open_at(staging.fd(), "upper", O_RDONLY | O_DIRECTORY).get(),
                          open_at(staging.fd(), "index", O_RDONLY | O_DIRECTORY).get());
}

void StillSnapshot::copy(Hold* hold, bool has_index, const Staging& staging, Progress& progress) {
    UpperCopy copy(staging.fd(), [&] {
        if (progress.cancelled())
            throw Cancelled(thing(snapshot_));
        if (hold && !hold->lasts())
            throw Error(thing(snapshot_), "is mounted, and too much is in it to be copied while it holds still",
                        "unmount it first: 'shale umount " + snapshot_.name + "'");
    });
    const auto add = [&](const std::string& path, const std::string& name) {
        const auto layer = tree::Layer::open(path);
        copy.add(open_at(layer->fd(), ".", O_RDONLY | O_DIRECTORY).get(), name, path);
    };
    add(snapshot_.upper, "upper");
    if (has_index)
        add(snapshot_.work + "/index", "index"); // links of what is in the upper
    copy.ask();
}

void StillSnapshot::check() const {
    if (!is_held_ && access_.is_mounted(snapshot_.upper))
        throw Error(thing(snapshot_), "was mounted meanwhile", "unmount it first");
}

} // namespace shale
