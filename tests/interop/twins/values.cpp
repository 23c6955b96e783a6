// SPDX-License-Identifier: GPL-2.0-or-later
#include "values.hpp"

#include <cstdint>
#include <ctime>

#include <linux/capability.h>

namespace shale::twins {

namespace {

template <class Record> void append(std::string& bytes, const Record& record) {
    bytes.append(reinterpret_cast<const char*>(&record), sizeof record);
}

/// The file capability to bind low ports, as the kernel keeps it (version 2).
std::string capability() {
    vfs_cap_data data{};
    data.magic_etc = VFS_CAP_REVISION_2;
    data.data[0].permitted = 1U << CAP_NET_BIND_SERVICE;
    std::string bytes;
    append(bytes, data);
    return bytes;
}

struct AclEntry {
    uint16_t tag, permissions;
    uint32_t id;
};

/// Tags of an ACL, in the order that the format wants.
enum : uint16_t { owner = 1, named_user = 2, group = 4, named_group = 8, mask = 16, others = 32 };

/// Without a mask it is valid only if it names nobody.
std::string make_acl(Dice& dice, bool has_mask) {
    constexpr uint32_t nobody = UINT32_MAX;
    const auto permissions = [&] { return static_cast<uint16_t>(dice.pick(8)); };
    const bool names_somebody = dice.chance(75);
    std::string bytes;
    append(bytes, uint32_t{2}); // the format's version
    append(bytes, AclEntry{owner, permissions(), nobody});
    if (names_somebody)
        append(bytes, AclEntry{named_user, permissions(), user});
    append(bytes, AclEntry{group, permissions(), nobody});
    if (names_somebody && dice.chance(50))
        append(bytes, AclEntry{named_group, permissions(), user});
    if (names_somebody && has_mask)
        append(bytes, AclEntry{mask, permissions(), nobody});
    append(bytes, AclEntry{others, permissions(), nobody});
    return bytes;
}

} // namespace

mode_t random_mode(Dice& dice) {
    static constexpr mode_t modes[] = {0644, 0755, 0600,  0700,  0777,  0666,
                                       0000, 0444, 04755, 02755, 01777, 02644};
    return dice.one_of(modes);
}

uid_t random_owner(Dice& dice) {
    static constexpr uid_t owners[] = {0, user, 1};
    return dice.one_of(owners);
}

std::string random_data(Dice& dice) {
    static constexpr size_t sizes[] = {1, 3, 10, 10, 4096, 5000, 9000};
    std::string data(dice.one_of(sizes), static_cast<char>('a' + dice.pick(26)));
    return data;
}

Xattr random_xattr(Dice& dice) {
    static const char* const common_names[] = {"user.a", "trusted.a", "trusted.overlay.opaque",
                                               "user.overlay.opaque"};
    static const char* const names[] = {
        "user.b",
        "user.overlay.b",
        "trusted.overlay",
        "trusted.overlay.redirect",
        "trusted.overlay.metacopy",
        "trusted.overlay.origin",
        "trusted.overlay.whiteout",
        "trusted.overlay.b",
        "trusted.overlay.overlay.opaque",
        "trusted.overlay.overlay.b",
        "security.b",
        "security.capability",
    };
    static const std::string values[] = {"y", "x", "", "/a/b", std::string(300, 'v')};
    const std::string name = dice.chance(60) ? dice.one_of(common_names) : dice.one_of(names);
    return {name, name == "security.capability" ? capability() : dice.one_of(values)};
}

std::string random_acl(Dice& dice) {
    return make_acl(dice, true);
}

std::string random_acl_or_nonsense(Dice& dice) {
    return make_acl(dice, dice.chance(95));
}

const char* random_acl_name(Dice& dice) {
    return dice.chance(70) ? "system.posix_acl_access" : "system.posix_acl_default";
}

timespec random_time(Dice& dice) {
    return {static_cast<time_t>(1'000'000'000 + dice.pick(100'000'000)),
            static_cast<long>(dice.pick(1'000'000'000))};
}

} // namespace shale::twins
