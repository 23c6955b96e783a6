// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the kernel tells about live mounts, put together from the messages it comes in.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace shale::netlink {

/// The most that the upper of a mount may hold, and what it holds; 0 is no limit.
struct UpperLimits {
    std::uint64_t size = 0; ///< bytes
    std::uint64_t inodes = 0;
    std::optional<std::uint64_t> size_used; ///< absent where the file system below counts
    std::optional<std::uint64_t> inodes_used;
    std::optional<std::uint32_t> project; ///< whose limits they are there
};

/// One live mount. Paths are as they were when it was mounted, in the mount namespace where it was;
/// empty to who asks from another one, where they would lead elsewhere.
struct MountRecord {
    std::uint64_t id = 0;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::string type; ///< of the file system, as /proc/mounts has it
    std::string source;
    std::optional<std::string> upper; ///< absent in a mount without writable layer
    std::optional<std::string> work;
    std::vector<std::string> lowers; ///< top-most first
    std::uint32_t data_lowers = 0;   ///< so many of them, the last ones, are of data only
    std::uint64_t copy_ups = 0;
    std::uint64_t copy_up_bytes = 0;
    bool redirects = false;  ///< made or met in the upper since it was mounted
    bool metacopies = false; ///< the same
    std::uint32_t events = 0;      ///< bits of the kinds that are sent, see bit_of(EventKind)
    std::uint32_t event_rate = 0;  ///< most events in a second; 0 is no limit
    std::uint64_t max_copy_up = 0; ///< most bytes that may be copied up of a file; 0 is no limit
    std::optional<UpperLimits> upper_limits; ///< absent in a mount that was made without
};

/// Collects SHALE_CMD_GET answers. The layers of one mount come spread over several messages, in
/// order, each saying with SHALE_A_MOUNT_FIRST where it goes on.
class MountAssembler {
public:
    /// `type` is that of all the mounts' file systems.
    explicit MountAssembler(std::string type) : type_(std::move(type)) {}

    /// Takes in one message. Throws std::runtime_error if it does not fit what came before:
    /// without id, not attributes, or with layers that leave a gap.
    void add(const nlmsghdr* message);

    /// The mounts in order of their ids. One that is incomplete was unmounted while the kernel
    /// was telling about it, and is left out.
    std::vector<MountRecord> finish() &&;

private:
    struct Pending {
        MountRecord record;
        std::uint32_t announced = 0;
    };
    std::string type_;
    std::map<std::uint64_t, Pending> mounts_;
};

} // namespace shale::netlink
