// SPDX-License-Identifier: GPL-2.0-or-later
//
// How a writable layer is read that may be mounted.
#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "commands/mounted.hpp"
#include "commands/snapshot.hpp"
#include "commands/target.hpp"
#include "netlink/client.hpp"
#include "netlink/refused.hpp"

namespace shale {

namespace {

const std::string unmount = "unmount it first, or try again when that has ended";

/// What the kernel gave out for a mount that it keeps still.
class MountHold : public Hold {
public:
    explicit MountHold(UniqueFd fd) : fd_(std::move(fd)) {}

    bool lasts() override {
        char text[8];
        const size_t size = read_some(fd_.get(), text, sizeof(text), "the hold of a mount");
        return std::string(text, size) == "held\n";
    }

private:
    UniqueFd fd_;
};

/// The mount that writes to @p upper, if it is one of Shale's.
std::optional<netlink::MountRecord> mount_with_upper(netlink::Client& client, const std::string& upper) {
    const UniqueFd fd = open_at(AT_FDCWD, upper, O_PATH | O_DIRECTORY);
    const auto uses = client.in_use(fd.get());
    const auto use = std::find_if(uses.begin(), uses.end(), [](const auto& one) { return one.upper; });
    if (use == uses.end())
        return std::nullopt;
    for (netlink::MountRecord& mount : client.mounts()) {
        if (mount.id == use->mount)
            return std::move(mount);
    }
    return std::nullopt;
}

std::unique_ptr<Hold> hold_mount(netlink::Client& client, const netlink::MountRecord& mount) {
    const auto points = mount_points(mount);
    const std::string thing = "writable layer '" + mount.source + "'";
    const std::string place = points.empty() ? "a directory of another mount namespace" : points.front().path;
    try {
        return std::make_unique<MountHold>(client.quiesce(mount.id));
    } catch (const netlink::Refused& refused) {
        if (refused.path)
            throw Error(thing, "is mounted on " + place + ", and '" + *refused.path +
                                   "' there is mapped to be written, which can't be made to wait",
                        unmount);
        throw Error(thing, "is mounted on " + place + ", and does not hold still: " + refused.what(), unmount);
    }
}

/// Where overlayfs has @p upper mounted; empty where that is in another namespace, or by another path.
std::string place_in_overlayfs(const std::string& upper) {
    for (const auto& mount : mounting::read_mountinfo()) {
        for (const std::string& option : mount.file_system_options) {
            if (option.starts_with("upperdir=") && same_object(option.substr(option.find('=') + 1), upper))
                return mount.path;
        }
    }
    return "";
}

std::unique_ptr<Hold> hold(const std::string& upper) {
    std::optional<netlink::Client> client = netlink::Client::open_if_loaded();
    if (client) {
        if (const auto mount = mount_with_upper(*client, upper))
            return hold_mount(*client, *mount);
    }
    if (!is_upper_mounted(upper))
        return nullptr;
    const std::string place = place_in_overlayfs(upper);
    throw Error(upper, place.empty() ? "is mounted, and not by Shale" : "is mounted on " + place + ", and not by Shale",
                "unmount it first: only Shale's mounts can be made to hold still");
}

} // namespace

UpperAccess upper_access() {
    return {hold, is_upper_mounted};
}

} // namespace shale
