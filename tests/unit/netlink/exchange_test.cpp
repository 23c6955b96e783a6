// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/exchange.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "netlink/answers.hpp"
#include "netlink/refused.hpp"

namespace shale::netlink {
namespace {

struct Answer {
    int messages = 0;
    Exchange exchange{our_sequence, [this](const nlmsghdr*) { ++messages; }};

    bool feed(const std::vector<const Message*>& parts) {
        const std::string bytes = datagram(parts);
        return exchange.feed(bytes.data(), bytes.size());
    }
};

TEST(Exchange, GoesOnOverDatagramsUntilTheListIsDone) {
    const auto one = mount_part(1, 0, {}), two = mount_part(2, 0, {}), end = done();
    Answer answer;
    EXPECT_FALSE(answer.feed({&one, &two}));
    EXPECT_FALSE(answer.feed({&one}));
    EXPECT_TRUE(answer.feed({&end}));
    EXPECT_EQ(answer.messages, 3);
}

TEST(Exchange, EndsWithTheAcknowledgement) {
    const auto reply = mount_part(1, 0, {}), ack = refusal(0, nullptr, 0);
    Answer answer;
    EXPECT_TRUE(answer.feed({&reply, &ack}));
    EXPECT_EQ(answer.messages, 1);
}

TEST(Exchange, PassesOverAnswersToOthers) {
    const auto stale = mount_part(1, 0, {}, our_sequence - 1);
    Answer answer;
    EXPECT_FALSE(answer.feed({&stale}));
    EXPECT_EQ(answer.messages, 0);
}

TEST(Exchange, NoticesThatTheListChanged) {
    const auto part = mount_part(1, 0, {});
    nlmsg_hdr(part.get())->nlmsg_flags |= NLM_F_DUMP_INTR;
    Answer answer;
    answer.feed({&part});
    EXPECT_TRUE(answer.exchange.interrupted());
}

TEST(Exchange, ThrowsARefusalWithTheWordsOfTheKernel) {
    const auto error = refusal(EBUSY, "upper is in use", 44);
    Answer answer;
    try {
        answer.feed({&error});
        FAIL() << "not refused";
    } catch (const Refused& refused) {
        EXPECT_EQ(refused.error(), EBUSY);
        EXPECT_STREQ(refused.what(), "upper is in use");
        EXPECT_EQ(refused.offset(), 44u);
    }
}

TEST(Exchange, ThrowsARefusalWithoutWordsByItsErrno) {
    const auto error = refusal(EPERM, nullptr, 0);
    Answer answer;
    try {
        answer.feed({&error});
        FAIL() << "not refused";
    } catch (const Refused& refused) {
        EXPECT_EQ(refused.error(), EPERM);
        EXPECT_STREQ(refused.what(), "Operation not permitted");
        EXPECT_EQ(refused.offset(), std::nullopt);
    }
}

TEST(Exchange, ThrowsWhenAListEndsInAnError) {
    const auto end = done(ENOMEM);
    Answer answer;
    EXPECT_THROW(answer.feed({&end}), Refused);
}

} // namespace
} // namespace shale::netlink
