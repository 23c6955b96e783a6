// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounting/helper_request.hpp"

#include <gtest/gtest.h>

namespace shale::mounting {
namespace {

TEST(HelperRequest, IsWhatMountSends) {
    const HelperRequest request = parse_helper_arguments(
        {"none", "/mnt", "-v", "-o", "rw,lowerdir=/a", "-N", "/proc/7/ns/mnt"});
    EXPECT_EQ(request.source, "none");
    EXPECT_EQ(request.target, "/mnt");
    EXPECT_EQ(request.options, "rw,lowerdir=/a");
    EXPECT_EQ(request.name_space, "/proc/7/ns/mnt");
    EXPECT_EQ(request.type, "shale");
    EXPECT_TRUE(request.verbose);
    EXPECT_FALSE(request.fake);
}

TEST(HelperRequest, TakesOptionsInAnyPlaceAndJoined) {
    const HelperRequest request =
        parse_helper_arguments({"-sfn", "-o", "ro", "none", "/mnt", "-ox"});
    EXPECT_TRUE(request.fake);
    EXPECT_EQ(request.options, "ro,x");
    EXPECT_EQ(request.target, "/mnt");
}

TEST(HelperRequest, LeavesOutTheSubtype) {
    EXPECT_EQ(parse_helper_arguments({"none", "/mnt", "-t", "shale.image"}).type, "shale");
}

TEST(HelperRequest, TakesNamesThatBeginWithADash) {
    EXPECT_EQ(parse_helper_arguments({"--", "-x", "-y"}).source, "-x");
}

TEST(HelperRequest, RefusesWhatMakesNoSense) {
    EXPECT_THROW(parse_helper_arguments({}), Misuse);
    EXPECT_THROW(parse_helper_arguments({"none"}), Misuse);
    EXPECT_THROW(parse_helper_arguments({"none", "/mnt", "more"}), Misuse);
    EXPECT_THROW(parse_helper_arguments({"none", "/mnt", "-x"}), Misuse);
    EXPECT_THROW(parse_helper_arguments({"none", "/mnt", "-o"}), Misuse);
}

} // namespace
} // namespace shale::mounting
