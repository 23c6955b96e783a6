// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the kernel counted of live mounts, put together from the messages it comes in.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <map>
#include <vector>

namespace shale::netlink {

/// Of one lower layer, since the mount was made.
struct LayerCounters {
    std::uint32_t lower = 0; ///< counted from 0, the top-most
    std::uint64_t copy_ups = 0;
    std::uint64_t copy_up_bytes = 0;
    std::uint64_t look_ups = 0; ///< names that it was asked for

    bool operator==(const LayerCounters&) const = default;
};

/// Of one mount, since it was made. All only grow, but the three about listings.
struct CountersRecord {
    std::uint64_t id = 0; ///< of the mount
    std::uint64_t copy_ups = 0;
    std::uint64_t copy_up_bytes = 0;
    std::uint64_t whiteouts = 0;
    std::uint64_t redirects = 0;
    std::uint64_t look_ups = 0;     ///< that the cache of names did not answer
    std::uint64_t probes = 0;       ///< times that these asked a layer
    std::uint64_t probes_saved = 0; ///< times that a listing answered for a layer
    std::uint64_t listings = 0;     ///< in memory now
    std::uint64_t listed_names = 0;
    std::uint64_t listing_bytes = 0;
    std::uint64_t reopens = 0;
    std::uint64_t events = 0; ///< dropped ones included
    std::uint64_t events_dropped = 0;
    std::map<std::uint32_t, std::uint64_t> errors; ///< how often, by errno
    std::vector<LayerCounters> layers;             ///< in order; only where one mount was asked for
};

/// Collects SHALE_CMD_COUNTERS answers. Those about the layers come in messages of their own.
class CountersAssembler {
public:
    /// Takes in one message. Throws std::runtime_error if it makes no sense: without id, with
    /// a number that is cut off, or with a layer that is not the next one.
    void add(const nlmsghdr* message);

    /// In order of the mounts' ids. A mount that only layers were told of ended meanwhile, and is
    /// left out.
    std::vector<CountersRecord> finish() &&;

private:
    struct Pending {
        CountersRecord record;
        bool told = false; ///< of the mount itself
    };
    std::map<std::uint64_t, Pending> mounts_;
};

} // namespace shale::netlink
