// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/mount_record.hpp"

#include <gtest/gtest.h>

#include "netlink/answers.hpp"

namespace shale::netlink {
namespace {

TEST(MountAssembler, PutsOneMountTogetherFromSeveralMessages) {
    MountAssembler assembler("overlay");
    assembler.add(nlmsg_hdr(mount_head(5, 4, {"/a", "/b"}).get()));
    assembler.add(nlmsg_hdr(mount_part(5, 2, {"/c"}).get()));
    assembler.add(nlmsg_hdr(mount_part(5, 3, {"/d"}).get()));

    const auto mounts = std::move(assembler).finish();
    ASSERT_EQ(mounts.size(), 1u);
    EXPECT_EQ(mounts[0].id, 5u);
    EXPECT_EQ(mounts[0].minor, 57u);
    EXPECT_EQ(mounts[0].type, "overlay");
    EXPECT_EQ(mounts[0].source, "web");
    EXPECT_EQ(mounts[0].upper, "/s/upper");
    EXPECT_EQ(mounts[0].work, "/s/work");
    EXPECT_EQ(mounts[0].lowers, (std::vector<std::string>{"/a", "/b", "/c", "/d"}));
    EXPECT_EQ(mounts[0].copy_ups, 3u);
    EXPECT_EQ(mounts[0].copy_up_bytes, 1ULL << 33);
}

TEST(MountAssembler, KeepsMountsApartAndInOrderOfTheirIds) {
    MountAssembler assembler("shale");
    assembler.add(nlmsg_hdr(mount_head(9, 1, {"/a"}).get()));
    assembler.add(nlmsg_hdr(mount_head(2, 1, {"/b"}).get()));

    const auto mounts = std::move(assembler).finish();
    ASSERT_EQ(mounts.size(), 2u);
    EXPECT_EQ(mounts[0].id, 2u);
    EXPECT_EQ(mounts[1].lowers, std::vector<std::string>{"/a"});
}

TEST(MountAssembler, LeavesOutAMountThatWentAwayMeanwhile) {
    MountAssembler assembler("shale");
    assembler.add(nlmsg_hdr(mount_head(1, 3, {"/a"}).get()));
    assembler.add(nlmsg_hdr(mount_head(2, 1, {"/b"}).get()));

    const auto mounts = std::move(assembler).finish();
    ASSERT_EQ(mounts.size(), 1u);
    EXPECT_EQ(mounts[0].id, 2u);
}

TEST(MountAssembler, TakesInWhatSetChangesAndDataLayers) {
    auto head = mount_head(5, 0, {});
    nla_put_u32(head.get(), SHALE_A_MOUNT_EVENTS, 0x88);
    nla_put_u32(head.get(), SHALE_A_MOUNT_EVENT_RATE, 1000);
    nla_put_u64(head.get(), SHALE_A_MOUNT_MAX_COPY_UP, 1ULL << 34);
    nla_put_u32(head.get(), SHALE_A_MOUNT_DATA_LOWERS, 3);
    MountAssembler assembler("shale");
    assembler.add(nlmsg_hdr(head.get()));

    const auto mounts = std::move(assembler).finish();
    ASSERT_EQ(mounts.size(), 1u);
    EXPECT_EQ(mounts[0].events, 0x88u);
    EXPECT_EQ(mounts[0].event_rate, 1000u);
    EXPECT_EQ(mounts[0].max_copy_up, 1ULL << 34);
    EXPECT_EQ(mounts[0].data_lowers, 3u);
}

TEST(MountAssembler, TellsTheLimitsOfTheUpperWhereThereAreAny) {
    auto counted = mount_head(5, 0, {});
    nla_put_u64(counted.get(), SHALE_A_MOUNT_SIZE, 1ULL << 40);
    nla_put_u64(counted.get(), SHALE_A_MOUNT_INODES, 0);
    nla_put_u64(counted.get(), SHALE_A_MOUNT_SIZE_USED, 4096);
    nla_put_u64(counted.get(), SHALE_A_MOUNT_INODES_USED, 3);
    auto project = mount_head(6, 0, {});
    nla_put_u64(project.get(), SHALE_A_MOUNT_SIZE, 7);
    nla_put_u32(project.get(), SHALE_A_MOUNT_PROJECT, 4711);
    MountAssembler assembler("shale");
    assembler.add(nlmsg_hdr(counted.get()));
    assembler.add(nlmsg_hdr(project.get()));
    assembler.add(nlmsg_hdr(mount_head(7, 0, {}).get()));

    const auto mounts = std::move(assembler).finish();
    ASSERT_EQ(mounts.size(), 3u);
    ASSERT_TRUE(mounts[0].upper_limits);
    EXPECT_EQ(mounts[0].upper_limits->size, 1ULL << 40);
    EXPECT_EQ(mounts[0].upper_limits->inodes, 0u);
    EXPECT_EQ(mounts[0].upper_limits->size_used, 4096u);
    EXPECT_EQ(mounts[0].upper_limits->inodes_used, 3u);
    EXPECT_FALSE(mounts[0].upper_limits->project);
    ASSERT_TRUE(mounts[1].upper_limits);
    EXPECT_EQ(mounts[1].upper_limits->project, 4711u);
    EXPECT_FALSE(mounts[1].upper_limits->size_used);
    EXPECT_FALSE(mounts[2].upper_limits);
}

TEST(MountAssembler, RefusesAGapBetweenLayers) {
    MountAssembler assembler("shale");
    assembler.add(nlmsg_hdr(mount_head(1, 3, {"/a"}).get()));
    EXPECT_THROW(assembler.add(nlmsg_hdr(mount_part(1, 2, {"/c"}).get())), std::runtime_error);
}

TEST(MountAssembler, RefusesAMessageWithoutId) {
    Message message{nlmsg_alloc()};
    genlmsg_put(message.get(), 0, our_sequence, 33, 0, 0, SHALE_CMD_GET, 1);
    MountAssembler assembler("shale");
    EXPECT_THROW(assembler.add(nlmsg_hdr(message.get())), std::runtime_error);
}

} // namespace
} // namespace shale::netlink
