// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shale::mounting {

/// One line of /proc/self/mountinfo.
struct MountPoint {
    std::uint64_t id = 0; ///< of the mount, as statx(2) tells it
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::string root; ///< what of the file system is mounted here; "/" is all of it
    std::string path;
    std::string type;
    std::string source;
    bool read_only = false;
    std::vector<std::string> options;             ///< of this mount: "rw", "nosuid"
    std::vector<std::string> file_system_options; ///< of what is mounted: "rw", "upperdir=/u"
};

/// Decodes the text of a mountinfo file, escapes included. Lines that make no sense are left out.
std::vector<MountPoint> parse_mountinfo(std::string_view text);

/// The one that the object open as @p fd (O_PATH will do) is reached through; nothing if that is not
/// among @p mounts.
std::optional<MountPoint> mount_point_of(int fd, const std::vector<MountPoint>& mounts);

/// The mounts of a process, its name that in /proc, in the kernel's order: one on top of another comes
/// later. Throws Error.
std::vector<MountPoint> read_mountinfo(const std::string& process = "self");

} // namespace shale::mounting
