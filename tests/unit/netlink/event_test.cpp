// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/event.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include <linux/genetlink.h>

#include "netlink/answers.hpp"
#include "netlink/event_reader.hpp"

namespace shale::netlink {
namespace {

constexpr std::uint16_t family = 33;

Message event(std::uint64_t mount, std::uint64_t seq,
              std::uint32_t kind = SHALE_EVENT_KIND_COPIED_UP) {
    auto message = message_of(SHALE_CMD_EVENT, family);
    nla_put_u64(message.get(), SHALE_A_EVENT_MOUNT, mount);
    nla_put_u64(message.get(), SHALE_A_EVENT_SEQ, seq);
    nla_put_u32(message.get(), SHALE_A_EVENT_KIND, kind);
    return message;
}

Message family_gone(std::uint16_t number) {
    auto message = message_of(CTRL_CMD_DELFAMILY, GENL_ID_CTRL);
    nla_put_u16(message.get(), CTRL_ATTR_FAMILY_ID, number);
    return message;
}

void feed(EventReader& reader, const std::vector<const Message*>& messages) {
    const std::string bytes = datagram(messages);
    reader.feed(bytes.data(), bytes.size());
}

/// The next notice, which must be an event.
Arrival arrival(EventReader& reader) {
    const auto notice = reader.next();
    if (!notice || !std::holds_alternative<Arrival>(*notice)) {
        ADD_FAILURE() << "no event";
        return {};
    }
    return std::get<Arrival>(*notice);
}

TEST(Event, HasAllThatTheKernelSaid) {
    const auto message = event(1ULL << 35, 7);
    nla_put_u64(message.get(), SHALE_A_EVENT_TIME, 1700000000123456789ULL);
    nla_put_u64(message.get(), SHALE_A_EVENT_DROPPED, 2);
    nla_put_u32(message.get(), SHALE_A_EVENT_PID, 10);
    nla_put_u32(message.get(), SHALE_A_EVENT_TID, 11);
    nla_put_string(message.get(), SHALE_A_EVENT_COMM, "bash");
    nla_put_u64(message.get(), SHALE_A_EVENT_CGROUP, 12);
    nla_put_u32(message.get(), SHALE_A_EVENT_UID, 1000);
    nla_put_string(message.get(), SHALE_A_EVENT_PATH, "/etc/hosts");
    nla_put_u64(message.get(), SHALE_A_EVENT_INO, 13);
    nla_put_u64(message.get(), SHALE_A_EVENT_BYTES, 14);
    nla_put_u64(message.get(), SHALE_A_EVENT_DURATION, 15);
    nla_put_u32(message.get(), SHALE_A_EVENT_REASON, SHALE_REASON_RENAME);
    nla_put_string(message.get(), SHALE_A_EVENT_REDIRECT, "/etc");
    nla_put_u32(message.get(), SHALE_A_EVENT_ERRNO, ENOSPC);

    const auto decoded = decode_event(nlmsg_hdr(message.get()));
    EXPECT_EQ(decoded.mount, 1ULL << 35);
    EXPECT_EQ(decoded.seq, 7u);
    EXPECT_EQ(decoded.kind, EventKind::copied_up);
    EXPECT_EQ(decoded.time, 1700000000123456789ULL);
    EXPECT_EQ(decoded.dropped, 2u);
    EXPECT_EQ(decoded.pid, 10u);
    EXPECT_EQ(decoded.tid, 11u);
    EXPECT_EQ(decoded.comm, "bash");
    EXPECT_EQ(decoded.cgroup, 12u);
    EXPECT_EQ(decoded.uid, 1000u);
    EXPECT_EQ(decoded.path, "/etc/hosts");
    EXPECT_EQ(decoded.ino, 13u);
    EXPECT_EQ(decoded.bytes, 14u);
    EXPECT_EQ(decoded.duration, 15u);
    EXPECT_EQ(decoded.reason, Reason::rename);
    EXPECT_EQ(decoded.redirect, "/etc");
    EXPECT_EQ(decoded.error, static_cast<std::uint32_t>(ENOSPC));
}

TEST(Event, LacksWhatTheKernelDidNotSay) {
    const auto decoded = decode_event(nlmsg_hdr(event(1, 1, SHALE_EVENT_KIND_MOUNTED).get()));
    EXPECT_EQ(decoded.path, std::nullopt);
    EXPECT_EQ(decoded.reason, std::nullopt);
    EXPECT_EQ(decoded.dropped, 0u);
}

TEST(Event, IsRefusedWithoutMountNumberOrKind) {
    for (const int missing : {SHALE_A_EVENT_MOUNT, SHALE_A_EVENT_SEQ, SHALE_A_EVENT_KIND}) {
        const auto message = message_of(SHALE_CMD_EVENT, family);
        for (const int type : {SHALE_A_EVENT_MOUNT, SHALE_A_EVENT_SEQ, SHALE_A_EVENT_KIND}) {
            if (type != missing)
                nla_put_u32(message.get(), type, 1);
        }
        EXPECT_THROW(decode_event(nlmsg_hdr(message.get())), std::runtime_error) << missing;
    }
}

TEST(Event, OfAnUnknownKindIsCalledByItsNumber) {
    const auto decoded = decode_event(nlmsg_hdr(event(1, 1, 99).get()));
    EXPECT_EQ(name_of(decoded.kind), "99");
    EXPECT_EQ(name_of(static_cast<Reason>(4000000000U)), "4000000000");
}

TEST(EventKinds, AreThoseOfTheSpecEachWithNameBitAndGroup) {
    EXPECT_EQ(event_kinds().size(), static_cast<std::size_t>(SHALE_EVENT_KIND_VOLATILE_FAILED));
    for (const EventKind kind : event_kinds()) {
        EXPECT_EQ(event_kind_named(name_of(kind)), kind);
        EXPECT_NE(group_of(kind), nullptr);
    }
    EXPECT_EQ(event_kind_named("copied-up"), EventKind::copied_up);
    EXPECT_EQ(event_kind_named("copied_up"), std::nullopt);
    EXPECT_EQ(bit_of(EventKind::mounted), 1u);
    EXPECT_EQ(bit_of(EventKind::copied_up), 8u);
}

TEST(EventReader, TellsHowManyOfAMountAreMissing) {
    EventReader reader(family);
    const auto a = event(1, 5), b = event(2, 1), c = event(1, 6), d = event(1, 9), e = event(2, 2);
    feed(reader, {&a, &b, &c, &d});
    feed(reader, {&e});
    EXPECT_EQ(arrival(reader).missing, 0u); // what was before it listened, is not missing
    EXPECT_EQ(arrival(reader).missing, 0u);
    EXPECT_EQ(arrival(reader).missing, 0u);
    EXPECT_EQ(arrival(reader).missing, 2u);
    const auto last = arrival(reader);
    EXPECT_EQ(last.event.mount, 2u);
    EXPECT_EQ(last.missing, 0u);
    EXPECT_FALSE(reader.next());
}

TEST(EventReader, TellsHowManyOfThemTheKernelDropped) {
    EventReader reader(family);
    const auto with = [](std::uint64_t seq, std::uint64_t dropped) {
        auto message = event(1, seq);
        nla_put_u64(message.get(), SHALE_A_EVENT_DROPPED, dropped);
        return message;
    };
    const auto a = with(10, 4), b = with(11, 4), c = with(20, 9);
    feed(reader, {&a, &b, &c});
    EXPECT_EQ(arrival(reader).dropped, 0u); // those were before it listened
    EXPECT_EQ(arrival(reader).dropped, 0u);
    const auto last = arrival(reader);
    EXPECT_EQ(last.dropped, 5u);
    EXPECT_EQ(last.missing, 8u);
}

TEST(EventReader, IsNotIrritatedByANumberThatIsNotLarger) {
    EventReader reader(family);
    const auto a = event(1, 5), b = event(1, 3), c = event(1, 4);
    feed(reader, {&a, &b, &c});
    EXPECT_EQ(arrival(reader).missing, 0u);
    EXPECT_EQ(arrival(reader).missing, 0u);
    EXPECT_EQ(arrival(reader).missing, 0u);
}

TEST(EventReader, TellsOfAnOverrunWhereItCame) {
    EventReader reader(family);
    const auto a = event(1, 1), b = event(1, 2);
    feed(reader, {&a});
    reader.overrun();
    feed(reader, {&b});
    arrival(reader);
    EXPECT_TRUE(std::holds_alternative<Overrun>(*reader.next()));
    arrival(reader);
}

TEST(EventReader, TellsThatTheModuleIsGoneAndOfNoOtherFamily) {
    EventReader reader(family);
    const auto other = family_gone(family + 1), ours = family_gone(family);
    feed(reader, {&other, &ours});
    EXPECT_TRUE(std::holds_alternative<Unloaded>(*reader.next()));
    EXPECT_FALSE(reader.next());
}

TEST(EventReader, PassesOverWhatIsNoEvent) {
    EventReader reader(family);
    const auto command = message_of(SHALE_CMD_GET, family);
    const auto stranger = message_of(SHALE_CMD_EVENT, family + 1);
    const auto end = done();
    feed(reader, {&command, &stranger, &end});
    EXPECT_FALSE(reader.next());
}

TEST(EventReader, RefusesAnEventThatMakesNoSenseAndKeepsThoseBefore) {
    EventReader reader(family);
    const auto good = event(1, 1), bad = message_of(SHALE_CMD_EVENT, family);
    EXPECT_THROW(feed(reader, {&good, &bad}), std::runtime_error);
    EXPECT_EQ(arrival(reader).event.seq, 1u);
}

TEST(EventReader, EndsWithADatagramThatIsCutAnywhere) {
    const auto a = event(1, 1);
    nla_put_string(a.get(), SHALE_A_EVENT_PATH, "/some/where");
    const std::string whole = datagram({&a});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        // Of its own, so that a detector sees whoever reads beyond the end.
        const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EventReader reader(family);
        reader.feed(cut.data(), cut.size());
        EXPECT_FALSE(reader.next()) << size;
    }
}

TEST(EventReader, SurvivesAnyBytes) {
    const auto a = event(1, 1);
    nla_put_string(a.get(), SHALE_A_EVENT_PATH, "/some/where");
    nla_put_u64(a.get(), SHALE_A_EVENT_BYTES, 4096);
    const std::string whole = datagram({&a});
    std::mt19937 dice(1);
    EventReader reader(family);
    for (int round = 0; round < 20000; ++round) {
        std::vector<char> bytes(whole.begin(), whole.end());
        for (unsigned change = dice() % 4; change > 0; --change)
            bytes[dice() % bytes.size()] = static_cast<char>(dice());
        try {
            reader.feed(bytes.data(), bytes.size());
        } catch (const std::runtime_error&) {
        }
        while (reader.next()) {
        }
    }
}

} // namespace
} // namespace shale::netlink
