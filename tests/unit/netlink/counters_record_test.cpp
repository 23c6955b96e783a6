// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/counters_record.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "netlink/answers.hpp"

namespace shale::netlink {
namespace {

Message counters_head(std::uint64_t id) {
    auto message = message_of(SHALE_CMD_COUNTERS);
    nla_put_u64(message.get(), SHALE_A_COUNTERS_ID, id);
    std::uint64_t value = 100;
    for (int type = SHALE_A_COUNTERS_COPY_UPS; type <= SHALE_A_COUNTERS_EVENTS_DROPPED; ++type) {
        // Small ones come in four bytes, and listings always do.
        if (type % 2 == 0 || type == SHALE_A_COUNTERS_LISTINGS)
            nla_put_u32(message.get(), type, static_cast<std::uint32_t>(value++));
        else
            nla_put_u64(message.get(), type, value++);
    }
    return message;
}

void put_layer(const Message& message, std::uint32_t lower, std::uint64_t copy_ups) {
    put_nest(message, SHALE_A_COUNTERS_LAYER, [&](nl_msg* m) {
        nla_put_u32(m, SHALE_A_LAYER_COUNTERS_LOWER, lower);
        nla_put_u64(m, SHALE_A_LAYER_COUNTERS_COPY_UPS, copy_ups);
        nla_put_u64(m, SHALE_A_LAYER_COUNTERS_COPY_UP_BYTES, copy_ups * 1000);
        nla_put_u64(m, SHALE_A_LAYER_COUNTERS_LOOK_UPS, copy_ups + 1);
    });
}

Message layers(std::uint64_t id, std::initializer_list<std::uint32_t> lowers) {
    auto message = message_of(SHALE_CMD_COUNTERS);
    nla_put_u64(message.get(), SHALE_A_COUNTERS_ID, id);
    for (const auto lower : lowers)
        put_layer(message, lower, lower + 10);
    return message;
}

void put_error(const Message& message, std::uint32_t code, std::uint64_t count) {
    put_nest(message, SHALE_A_COUNTERS_ERROR, [&](nl_msg* m) {
        nla_put_u32(m, SHALE_A_ERROR_COUNTER_ERRNO, code);
        nla_put_u64(m, SHALE_A_ERROR_COUNTER_COUNT, count);
    });
}

std::vector<CountersRecord> assembled(std::initializer_list<const Message*> messages) {
    CountersAssembler assembler;
    for (const Message* message : messages)
        assembler.add(nlmsg_hdr(message->get()));
    return std::move(assembler).finish();
}

TEST(CountersAssembler, TellsEachCounterFromTheOthers) {
    const auto head = counters_head(5);
    const auto mounts = assembled({&head});
    ASSERT_EQ(mounts.size(), 1u);
    const auto& record = mounts[0];
    EXPECT_EQ(record.id, 5u);
    const std::vector<std::uint64_t> values{
        record.copy_ups,     record.copy_up_bytes, record.whiteouts,     record.redirects,
        record.look_ups,     record.probes,        record.probes_saved,  record.listings,
        record.listed_names, record.listing_bytes, record.reopens,       record.events,
        record.events_dropped};
    for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_EQ(values[i], 100 + i);
}

TEST(CountersAssembler, PutsLayersOfSeveralMessagesTogether) {
    const auto head = counters_head(5), one = layers(5, {0, 1}), two = layers(5, {2});
    const auto mounts = assembled({&head, &one, &two});
    ASSERT_EQ(mounts.size(), 1u);
    ASSERT_EQ(mounts[0].layers.size(), 3u);
    EXPECT_EQ(mounts[0].layers[2], (LayerCounters{2, 12, 12000, 13}));
}

TEST(CountersAssembler, KeepsMountsApartAndInOrder) {
    const auto nine = counters_head(9), two = counters_head(2), layer = layers(9, {0});
    const auto mounts = assembled({&nine, &two, &layer});
    ASSERT_EQ(mounts.size(), 2u);
    EXPECT_EQ(mounts[0].id, 2u);
    EXPECT_TRUE(mounts[0].layers.empty());
    EXPECT_EQ(mounts[1].layers.size(), 1u);
}

TEST(CountersAssembler, CountsErrorsByErrno) {
    auto head = counters_head(1);
    put_error(head, ENOSPC, 3);
    put_error(head, EIO, 1ULL << 40);
    const auto mounts = assembled({&head});
    ASSERT_EQ(mounts.size(), 1u);
    EXPECT_EQ(mounts[0].errors,
              (std::map<std::uint32_t, std::uint64_t>{{EIO, 1ULL << 40}, {ENOSPC, 3}}));
}

TEST(CountersAssembler, LeavesOutAMountThatOnlyLayersWereToldOf) {
    const auto layer = layers(9, {0});
    EXPECT_TRUE(assembled({&layer}).empty());
}

TEST(CountersAssembler, PassesOverWhatItDoesNotKnow) {
    auto head = counters_head(1);
    nla_put_u32(head.get(), SHALE_A_COUNTERS_MAX + 5, 1);
    put_nest(head, SHALE_A_COUNTERS_LAYER, [](nl_msg* m) {
        nla_put_u32(m, SHALE_A_LAYER_COUNTERS_LOWER, 0);
        nla_put_string(m, SHALE_A_LAYER_COUNTERS_MAX + 1, "new");
    });
    const auto mounts = assembled({&head});
    ASSERT_EQ(mounts.size(), 1u);
    EXPECT_EQ(mounts[0].layers.size(), 1u);
}

TEST(CountersAssembler, RefusesWhatMakesNoSense) {
    CountersAssembler assembler;
    const auto refuses = [&](const Message& message) {
        EXPECT_THROW(assembler.add(nlmsg_hdr(message.get())), std::runtime_error);
    };
    refuses(message_of(SHALE_CMD_COUNTERS));
    refuses(layers(1, {1}));

    auto cut = message_of(SHALE_CMD_COUNTERS);
    nla_put_u16(cut.get(), SHALE_A_COUNTERS_ID, 1);
    refuses(cut);

    auto nameless = counters_head(2);
    put_nest(nameless, SHALE_A_COUNTERS_LAYER,
             [](nl_msg* m) { nla_put_u64(m, SHALE_A_LAYER_COUNTERS_LOOK_UPS, 1); });
    refuses(nameless);

    auto which = counters_head(3);
    put_nest(which, SHALE_A_COUNTERS_ERROR,
             [](nl_msg* m) { nla_put_u64(m, SHALE_A_ERROR_COUNTER_COUNT, 1); });
    refuses(which);

    auto short_count = counters_head(4);
    nla_put_u16(short_count.get(), SHALE_A_COUNTERS_COPY_UPS, 1);
    refuses(short_count);
}

TEST(CountersAssembler, ReadsNothingBeyondTheMessage) {
    auto message = counters_head(6);
    put_error(message, EIO, 1);
    lie_about_length(message);
    const auto mounts = assembled({&message});
    ASSERT_EQ(mounts.size(), 1u);
    EXPECT_TRUE(mounts[0].errors.empty());
}

} // namespace
} // namespace shale::netlink
