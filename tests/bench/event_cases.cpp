// SPDX-License-Identifier: GPL-2.0-or-later
//
// What events cost the one who makes them: the same copy-up in a mount whose events are switched off, in one that nobody
// listens to, and in one that somebody does. overlayfs has none, and does the same each time.
#include <memory>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <linux/shale.h>

#include "case.hpp"
#include "netlink/client.hpp"
#include "netlink/event_stream.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

constexpr unsigned some = 32;

void fill(const std::string& dir) {
    make_files(dir, some, 4096);
}

Operation open_to_write(const std::string& root) {
    return [root](unsigned number) { open_file(root + "/" + std::to_string(number), O_WRONLY); };
}

Operation switched_off(const std::string& root) {
    struct stat stat {};
    require(::stat(root.c_str(), &stat) == 0, "stat");
    netlink::Client client = netlink::Client::open();
    netlink::Changes changes;
    changes.events = 0;
    for (const netlink::MountRecord& mount : client.mounts())
        if (makedev(mount.major, mount.minor) == stat.st_dev)
            client.set(mount.id, changes);
    return open_to_write(root);
}

/// Nothing is read: what comes waits in the socket.
Operation listened_to(const std::string& root) {
    auto stream = std::make_shared<netlink::EventStream>(netlink::EventStream::open({SHALE_MCGRP_COPY_UPS}));
    return [stream, copy_up = open_to_write(root)](unsigned number) { copy_up(number); };
}

constexpr auto on = Case::On::unions;

constexpr Case table[] = {
    {"copy-up of 4 KiB, events switched off", fill, switched_off, some, 1, on},
    {"copy-up of 4 KiB, nobody listens", fill, open_to_write, some, 1, on},
    {"copy-up of 4 KiB, somebody listens", fill, listened_to, some, 1, on},
};

} // namespace

std::span<const Case> event_cases() {
    return table;
}

} // namespace shale::bench
