// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/family.hpp"

#include <gtest/gtest.h>

#include <map>

namespace shale::netlink {
namespace {

std::optional<Family> find_among(const std::map<std::string, std::uint16_t>& loaded) {
    return find_family([&](const std::string& name) -> std::optional<std::uint16_t> {
        const auto found = loaded.find(name);
        return found == loaded.end() ? std::nullopt : std::optional(found->second);
    });
}

TEST(Family, IsShaleWhereThatIsLoaded) {
    const auto family = find_among({{"nlctrl", 16}, {"shale", 30}});
    ASSERT_TRUE(family);
    EXPECT_EQ(family->name, "shale");
    EXPECT_EQ(family->number, 30);
}

TEST(Family, IsOverlayWhereTheModuleStandsInForOverlayfs) {
    const auto family = find_among({{"nlctrl", 16}, {"overlay", 31}});
    ASSERT_TRUE(family);
    EXPECT_EQ(family->name, "overlay");
    EXPECT_EQ(family->number, 31);
}

TEST(Family, IsShaleWhereBothAreLoaded) {
    const auto family = find_among({{"overlay", 31}, {"shale", 30}});
    ASSERT_TRUE(family);
    EXPECT_EQ(family->name, "shale");
}

TEST(Family, IsNoneWhereNeitherIsLoaded) {
    EXPECT_FALSE(find_among({{"nlctrl", 16}, {"ethtool", 21}}));
}

} // namespace
} // namespace shale::netlink
