// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/still_snapshot.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "store/upper_copy.hpp"

namespace shale {

Hold::~Hold() = default;

namespace {

std::string thing(const SnapshotRecord& snapshot) {
    return "writable layer '" + snapshot.name + "'";
}

UseLock lock_of(int root, const SnapshotRecord& snapshot) {
    const UseLock stays = UseLock::shared(root, "snapshots"); // until it is locked itself
    if (!stat_at(root, "snapshots/" + snapshot.name + "/upper"))
        throw Error(thing(snapshot), "its directory " + snapshot.upper + " is not there any more",
                    "forget it with 'shale snapshot rm " + snapshot.name + "'");
    return UseLock::shared(root, "snapshots/" + snapshot.name);
}

} // namespace

StillSnapshot::StillSnapshot(int root, const SnapshotRecord& snapshot, const std::vector<std::string>& lowers,
                             const Staging& staging, const UpperAccess& access, Progress& progress)
    : snapshot_(snapshot), access_(access), not_mounted_(lock_of(root, snapshot)) {
    std::string upper = snapshot.upper;
    if (const std::unique_ptr<Hold> hold = access.hold(snapshot.upper)) {
        upper = copy_while_held(*hold, staging, progress);
        is_copy_ = true;
    }
    tree::Union::Layers layers;
    for (const std::string& lower : lowers)
        layers.push_back(tree::Layer::open(lower));
    before_ = std::make_unique<tree::Union>(layers);
    layers.insert(layers.begin(), tree::Layer::open(upper));
    after_ = std::make_unique<tree::Union>(layers);
}

std::string StillSnapshot::copy_while_held(Hold& hold, const Staging& staging, Progress& progress) {
    const auto layer = tree::Layer::open(snapshot_.upper);
    const UniqueFd upper = open_at(layer->fd(), ".", O_RDONLY | O_DIRECTORY);
    UpperCopy copy(staging.fd(), [&] {
        if (progress.cancelled())
            throw Cancelled(thing(snapshot_));
        if (!hold.lasts())
            throw Error(thing(snapshot_), "is mounted, and too much is in it to be copied while it holds still",
                        "unmount it first: 'shale umount " + snapshot_.name + "'");
    });
    copy.add(upper.get(), "upper", snapshot_.upper);
    copy.ask();
    return "/proc/self/fd/" + std::to_string(staging.fd()) + "/upper";
}

void StillSnapshot::check() const {
    if (!is_copy_ && access_.is_mounted(snapshot_.upper))
        throw Error(thing(snapshot_), "was mounted meanwhile", "unmount it first");
}

} // namespace shale
