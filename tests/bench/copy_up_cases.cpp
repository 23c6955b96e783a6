// SPDX-License-Identifier: GPL-2.0-or-later
//
// The first change of a file of the lower layer.
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

template <size_t size, unsigned count> void fill(const std::string& dir) {
    make_files(dir, count, size);
}

void fill_sparse(const std::string& dir) {
    make_sparse_file(dir + "/0");
}

Operation open_to_write(const std::string& root) {
    return [root](unsigned number) { open_file(root + "/" + std::to_string(number), O_WRONLY); };
}

Operation change_mode(const std::string& root) {
    return [root](unsigned number) {
        require(chmod((root + "/" + std::to_string(number)).c_str(), 0600) == 0, "chmod");
    };
}

/// In a mount that makes no events, of which overlayfs has none anyway.
Operation open_without_events(const std::string& root) {
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

/// While somebody listens, who reads nothing: what comes waits in the socket.
Operation open_with_listener(const std::string& root) {
    auto stream = std::make_shared<netlink::EventStream>(netlink::EventStream::open({SHALE_MCGRP_COPY_UPS}));
    return [stream, open = open_to_write(root)](unsigned number) { open(number); };
}

constexpr unsigned some = 32, few = 8;
constexpr size_t kibibyte = 1 << 10, mebibyte = 1 << 20;
constexpr auto on = Case::On::unions;

constexpr Case table[] = {
    {"copy-up of 4 KiB", fill<4 * kibibyte, some>, open_to_write, some, 1, on},
    {"copy-up of 4 KiB, events switched off", fill<4 * kibibyte, some>, open_without_events, some, 1, on},
    {"copy-up of 4 KiB, somebody listens", fill<4 * kibibyte, some>, open_with_listener, some, 1, on},
    {"copy-up of 1 MiB", fill<mebibyte, few>, open_to_write, few, 1, on},
    {"copy-up of 256 MiB", fill<256 * mebibyte, 1>, open_to_write, 1, 1, on},
    {"copy-up of sparse 10 GiB", fill_sparse, open_to_write, 1, 1, on},
    {"copy-up without data", fill<mebibyte, few>, change_mode, few, 1, on},
};

} // namespace

std::span<const Case> copy_up_cases() {
    return table;
}

} // namespace shale::bench
