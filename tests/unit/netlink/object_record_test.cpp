// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/object_record.hpp"

#include <gtest/gtest.h>

#include "netlink/answers.hpp"

namespace shale::netlink {
namespace {

void put_part(const Message& message, std::optional<std::uint32_t> lower, bool data) {
    put_nest(message, SHALE_A_OBJECT_PART, [&](nl_msg* m) {
        if (lower)
            nla_put_u32(m, SHALE_A_PART_LOWER, *lower);
        else
            nla_put_flag(m, SHALE_A_PART_UPPER);
        if (data)
            nla_put_flag(m, SHALE_A_PART_DATA);
    });
}

ObjectRecord decoded(const Message& message) {
    return decode_object(nlmsg_hdr(message.get()));
}

TEST(Object, TellsWhereItLies) {
    const auto message = message_of(SHALE_CMD_QUERY);
    nla_put_u64(message.get(), SHALE_A_OBJECT_MOUNT, 1ULL << 33);
    nla_put_string(message.get(), SHALE_A_OBJECT_PATH, "/etc/hosts");
    nla_put_u64(message.get(), SHALE_A_OBJECT_INO, 77);
    put_part(message, {}, false);
    put_part(message, 3, true);
    nla_put_flag(message.get(), SHALE_A_OBJECT_METACOPY);
    nla_put_flag(message.get(), SHALE_A_OBJECT_WHITEOUT_NEEDED);

    const auto object = decoded(message);
    EXPECT_EQ(object.mount, 1ULL << 33);
    EXPECT_EQ(object.path, "/etc/hosts");
    EXPECT_EQ(object.ino, 77u);
    EXPECT_EQ(object.parts, (std::vector<ObjectPart>{{{}, false}, {3, true}}));
    EXPECT_TRUE(object.metacopy);
    EXPECT_TRUE(object.whiteout_needed);
    EXPECT_FALSE(object.opaque);
}

TEST(Object, MayHaveNoName) {
    const auto message = message_of(SHALE_CMD_QUERY);
    nla_put_u32(message.get(), SHALE_A_OBJECT_MOUNT, 1);
    EXPECT_EQ(decoded(message).path, std::nullopt);
}

TEST(Object, IsRefusedWithoutMount) {
    EXPECT_THROW(decoded(message_of(SHALE_CMD_QUERY)), std::runtime_error);
}

TEST(Object, IsRefusedWithAPartOfNoLayerOrOfTwo) {
    const auto none = message_of(SHALE_CMD_QUERY);
    nla_put_u32(none.get(), SHALE_A_OBJECT_MOUNT, 1);
    put_nest(none, SHALE_A_OBJECT_PART, [](nl_msg* m) { nla_put_flag(m, SHALE_A_PART_DATA); });
    EXPECT_THROW(decoded(none), std::runtime_error);

    const auto both = message_of(SHALE_CMD_QUERY);
    nla_put_u32(both.get(), SHALE_A_OBJECT_MOUNT, 1);
    put_nest(both, SHALE_A_OBJECT_PART, [](nl_msg* m) {
        nla_put_flag(m, SHALE_A_PART_UPPER);
        nla_put_u32(m, SHALE_A_PART_LOWER, 0);
    });
    EXPECT_THROW(decoded(both), std::runtime_error);
}

TEST(Object, IsReadNoFurtherThanItsMessage) {
    const auto message = message_of(SHALE_CMD_QUERY);
    nla_put_u32(message.get(), SHALE_A_OBJECT_MOUNT, 1);
    nla_put_string(message.get(), SHALE_A_OBJECT_PATH, "/a");
    lie_about_length(message);
    EXPECT_EQ(decoded(message).path, std::nullopt);
}

TEST(Object, HasAPathThatEndsWithItsAttribute) {
    const auto message = message_of(SHALE_CMD_QUERY);
    nla_put_u32(message.get(), SHALE_A_OBJECT_MOUNT, 1);
    nla_put(message.get(), SHALE_A_OBJECT_PATH, 4, "/abcdef");
    EXPECT_EQ(decoded(message).path, "/abc");
}

TEST(LayerUse, TellsMountAndRole) {
    const auto message = message_of(SHALE_CMD_IN_USE);
    nla_put_u64(message.get(), SHALE_A_LAYER_USE_MOUNT, 4);
    nla_put_u32(message.get(), SHALE_A_LAYER_USE_LOWER, 0);
    EXPECT_EQ(decode_layer_use(nlmsg_hdr(message.get())), (LayerUse{4, false, false, 0}));

    const auto upper = message_of(SHALE_CMD_IN_USE);
    nla_put_u64(upper.get(), SHALE_A_LAYER_USE_MOUNT, 4);
    nla_put_flag(upper.get(), SHALE_A_LAYER_USE_UPPER);
    EXPECT_EQ(decode_layer_use(nlmsg_hdr(upper.get())), (LayerUse{4, true, false, {}}));
}

TEST(LayerUse, IsRefusedWithoutMountOrRole) {
    const auto mount = message_of(SHALE_CMD_IN_USE);
    nla_put_u64(mount.get(), SHALE_A_LAYER_USE_MOUNT, 4);
    EXPECT_THROW(decode_layer_use(nlmsg_hdr(mount.get())), std::runtime_error);

    const auto role = message_of(SHALE_CMD_IN_USE);
    nla_put_flag(role.get(), SHALE_A_LAYER_USE_WORK);
    EXPECT_THROW(decode_layer_use(nlmsg_hdr(role.get())), std::runtime_error);
}

} // namespace
} // namespace shale::netlink
