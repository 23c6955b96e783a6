// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/mountinfo.hpp"

#include <algorithm>
#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/at.hpp"

namespace shale::mounting {

namespace {

/// "\040" and its like back into the byte.
std::string unescape(std::string_view field) {
    std::string text;
    for (std::size_t i = 0; i < field.size(); ++i) {
        int byte = 0;
        if (field[i] == '\\' && i + 3 < field.size() &&
            std::from_chars(&field[i + 1], &field[i + 1] + 3, byte, 8).ptr == &field[i + 1] + 3) {
            text += static_cast<char>(byte);
            i += 3;
        } else {
            text += field[i];
        }
    }
    return text;
}

std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> fields;
    while (!line.empty()) {
        const auto space = line.find(' ');
        fields.push_back(line.substr(0, space));
        line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
    }
    return fields;
}

/// The options in a field that is not unescaped yet: a comma in a value is escaped there.
std::vector<std::string> split_options(std::string_view field) {
    std::vector<std::string> options;
    while (!field.empty()) {
        const auto comma = field.find(',');
        options.push_back(unescape(field.substr(0, comma)));
        field.remove_prefix(comma == std::string_view::npos ? field.size() : comma + 1);
    }
    return options;
}

bool has(const std::vector<std::string>& options, const char* wanted) {
    return std::find(options.begin(), options.end(), wanted) != options.end();
}

/// ID PARENT MAJOR:MINOR ROOT PATH OPTIONS TAG* - TYPE SOURCE SUPER-OPTIONS
std::optional<MountPoint> parse_line(std::string_view line) {
    const auto fields = split(line);
    std::size_t dash = 6;
    while (dash < fields.size() && fields[dash] != "-")
        ++dash;
    if (dash + 3 > fields.size())
        return std::nullopt;

    MountPoint mount;
    std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), mount.id);
    const std::string_view numbers = fields[2];
    const char* const end = numbers.data() + numbers.size();
    const auto major = std::from_chars(numbers.data(), end, mount.major);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != ':' ||
        std::from_chars(major.ptr + 1, end, mount.minor).ec != std::errc())
        return std::nullopt;
    mount.root = unescape(fields[3]);
    mount.path = unescape(fields[4]);
    mount.type = unescape(fields[dash + 1]);
    mount.source = unescape(fields[dash + 2]);
    mount.options = split_options(fields[5]);
    if (dash + 3 < fields.size())
        mount.file_system_options = split_options(fields[dash + 3]);
    mount.read_only = has(mount.options, "ro") || has(mount.file_system_options, "ro");
    return mount;
}

} // namespace

std::vector<MountPoint> parse_mountinfo(std::string_view text) {
    std::vector<MountPoint> mounts;
    while (!text.empty()) {
        const auto newline = text.find('\n');
        if (auto mount = parse_line(text.substr(0, newline)))
            mounts.push_back(*std::move(mount));
        text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    }
    return mounts;
}

std::optional<MountPoint> mount_point_of(int fd, const std::vector<MountPoint>& mounts) {
    struct statx found {};
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found) != 0 || !(found.stx_mask & STATX_MNT_ID))
        return std::nullopt;
    const auto mount = std::find_if(mounts.begin(), mounts.end(), [&](const MountPoint& candidate) {
        return candidate.id == found.stx_mnt_id;
    });
    return mount == mounts.end() ? std::nullopt : std::optional(*mount);
}

std::vector<MountPoint> read_mountinfo(const std::string& process) {
    const std::string path = "/proc/" + process + "/mountinfo";
    return parse_mountinfo(read_all(open_at(AT_FDCWD, path, O_RDONLY).get(), path));
}

} // namespace shale::mounting
