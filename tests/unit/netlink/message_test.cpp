// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/message.hpp"

#include <gtest/gtest.h>
#include <linux/shale.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

namespace shale::netlink {
namespace {

constexpr std::uint16_t family = 33;

std::vector<std::pair<int, int>> attributes(const Message& message) {
    std::vector<std::pair<int, int>> found;
    nlattr* attribute = nullptr;
    int rest = 0;
    nlmsg_for_each_attr(attribute, nlmsg_hdr(message.get()), GENL_HDRLEN, rest)
        found.emplace_back(nla_type(attribute), nla_get_s32(attribute));
    return found;
}

std::uint8_t command(const Message& message) {
    return static_cast<genlmsghdr*>(nlmsg_data(nlmsg_hdr(message.get())))->cmd;
}

TEST(NewStack, HasOneTopLevelAttributePerLayerInOrder) {
    const auto message = encode_new(family, {{7, 5, 6}, {4}, 8, 9});
    EXPECT_EQ(command(message), SHALE_CMD_NEW);
    EXPECT_EQ(nlmsg_hdr(message.get())->nlmsg_type, family);
    EXPECT_EQ(attributes(message), (std::vector<std::pair<int, int>>{{SHALE_A_STACK_LOWER, 7},
                                                                     {SHALE_A_STACK_LOWER, 5},
                                                                     {SHALE_A_STACK_LOWER, 6},
                                                                     {SHALE_A_STACK_DATA, 4},
                                                                     {SHALE_A_STACK_UPPER, 8},
                                                                     {SHALE_A_STACK_WORK, 9}}));
}

TEST(NewStack, WithoutUpperSaysNothingOfIt) {
    EXPECT_EQ(attributes(encode_new(family, {{3}, {}, {}, {}})),
              (std::vector<std::pair<int, int>>{{SHALE_A_STACK_LOWER, 3}}));
}

TEST(NewStack, HoldsAsManyLayersAsTheSpecAllows) {
    std::vector<int> lowers(SHALE_MAX_LOWER);
    for (std::size_t i = 0; i < lowers.size(); ++i)
        lowers[i] = static_cast<int>(i) + 10;
    const auto message = encode_new(family, {lowers, {}, 1, 2});
    const auto found = attributes(message);
    ASSERT_EQ(found.size(), lowers.size() + 2);
    EXPECT_EQ(found[SHALE_MAX_LOWER - 1].second, SHALE_MAX_LOWER + 9);
}

TEST(AttributeAt, LeadsFromAnOffsetToTheLayer) {
    const auto message = encode_new(family, {{7, 5, 6}, {4}, 8, 9});
    const std::uint32_t first = NLMSG_HDRLEN + GENL_HDRLEN;
    EXPECT_EQ(attribute_at(message.get(), first), (AttributePosition{SHALE_A_STACK_LOWER, 0}));
    EXPECT_EQ(attribute_at(message.get(), first + 2 * 8),
              (AttributePosition{SHALE_A_STACK_LOWER, 2}));
    EXPECT_EQ(attribute_at(message.get(), first + 3 * 8),
              (AttributePosition{SHALE_A_STACK_DATA, 0}));
    EXPECT_EQ(attribute_at(message.get(), first + 4 * 8),
              (AttributePosition{SHALE_A_STACK_UPPER, 0}));
    EXPECT_EQ(attribute_at(message.get(), first + 5 * 8 + 4),
              (AttributePosition{SHALE_A_STACK_WORK, 0}));
}

TEST(AttributeAt, FindsNothingInTheHeaderOrBeyondTheEnd) {
    const auto message = encode_new(family, {{7}, {}, {}, {}});
    EXPECT_EQ(attribute_at(message.get(), 0), std::nullopt);
    EXPECT_EQ(attribute_at(message.get(), 4096), std::nullopt);
}

TEST(GetMount, NamesItByIdOrByDescriptor) {
    const auto by_id = encode_get_by_id(family, 1ULL << 40);
    EXPECT_EQ(nla_get_u64(nlmsg_find_attr(nlmsg_hdr(by_id.get()), GENL_HDRLEN, SHALE_A_MOUNT_ID)),
              1ULL << 40);
    EXPECT_EQ(attributes(encode_get_by_fd(family, 4)),
              (std::vector<std::pair<int, int>>{{SHALE_A_MOUNT_FD, 4}}));
}

TEST(GetMount, OfAllIsADump) {
    EXPECT_EQ(nlmsg_hdr(encode_get_all(family).get())->nlmsg_flags & NLM_F_DUMP, NLM_F_DUMP);
}

TEST(SetMount, SaysOnlyWhatIsToChange) {
    Changes changes;
    changes.event_rate = 100;
    const auto message = encode_set(family, 7, changes);
    auto* const header = nlmsg_hdr(message.get());
    EXPECT_EQ(command(message), SHALE_CMD_SET);
    EXPECT_TRUE(header->nlmsg_flags & NLM_F_ACK);
    EXPECT_EQ(nla_get_u64(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_ID)), 7u);
    EXPECT_EQ(nla_get_u32(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_EVENT_RATE)), 100u);
    EXPECT_FALSE(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_EVENTS));
    EXPECT_FALSE(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_MAX_COPY_UP));
    EXPECT_FALSE(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_SIZE));
    EXPECT_FALSE(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_INODES));
}

TEST(SetMount, SaysZeroWhereThatIsAsked) {
    Changes changes;
    changes.events = 0;
    changes.max_copy_up = 1ULL << 40;
    changes.size = 1ULL << 33;
    changes.inodes = 0;
    const auto message = encode_set(family, 7, changes);
    auto* const header = nlmsg_hdr(message.get());
    ASSERT_TRUE(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_EVENTS));
    EXPECT_EQ(nla_get_u32(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_EVENTS)), 0u);
    EXPECT_EQ(nla_get_u64(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_MAX_COPY_UP)),
              1ULL << 40);
    EXPECT_EQ(nla_get_u64(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_SIZE)), 1ULL << 33);
    ASSERT_TRUE(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_INODES));
    EXPECT_EQ(nla_get_u64(nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_MOUNT_INODES)), 0u);
}

TEST(Requests, NameTheObjectByItsDescriptor) {
    const auto query = encode_query(family, 4);
    EXPECT_EQ(command(query), SHALE_CMD_QUERY);
    EXPECT_EQ(attributes(query), (std::vector<std::pair<int, int>>{{SHALE_A_OBJECT_FD, 4}}));

    const auto in_use = encode_in_use(family, 5);
    EXPECT_EQ(command(in_use), SHALE_CMD_IN_USE);
    EXPECT_EQ(attributes(in_use), (std::vector<std::pair<int, int>>{{SHALE_A_LAYER_USE_FD, 5}}));
}

TEST(Quiesce, NamesTheMountAndTheTime) {
    const auto quiesce = encode_quiesce(family, 1ULL << 40, 500);
    EXPECT_EQ(command(quiesce), SHALE_CMD_QUIESCE);
    EXPECT_EQ(nla_get_u64(nlmsg_find_attr(nlmsg_hdr(quiesce.get()), GENL_HDRLEN, SHALE_A_QUIESCE_ID)), 1ULL << 40);
    EXPECT_EQ(nla_get_u32(nlmsg_find_attr(nlmsg_hdr(quiesce.get()), GENL_HDRLEN, SHALE_A_QUIESCE_TIMEOUT)), 500u);
    EXPECT_EQ(nlmsg_find_attr(nlmsg_hdr(encode_quiesce(family, 1, {}).get()), GENL_HDRLEN, SHALE_A_QUIESCE_TIMEOUT), nullptr);
}

TEST(Counters, OfAllIsADumpAndOfOneIsNot) {
    EXPECT_EQ(nlmsg_hdr(encode_counters_of_all(family).get())->nlmsg_flags & NLM_F_DUMP, NLM_F_DUMP);
    const auto one = encode_counters_by_id(family, 9);
    EXPECT_EQ(command(one), SHALE_CMD_COUNTERS);
    EXPECT_EQ(nlmsg_hdr(one.get())->nlmsg_flags & NLM_F_DUMP, 0);
    EXPECT_EQ(nla_get_u64(nlmsg_find_attr(nlmsg_hdr(one.get()), GENL_HDRLEN, SHALE_A_COUNTERS_ID)), 9u);
}

} // namespace
} // namespace shale::netlink
