// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounting/layer_paths.hpp"

#include <gtest/gtest.h>

namespace shale::mounting {
namespace {

MountPoint with(std::vector<std::string> options) {
    MountPoint mount;
    mount.file_system_options = std::move(options);
    return mount;
}

using Paths = std::vector<std::string>;

TEST(LayerPathsTest, FindsUpperWorkAndLowers) {
    const auto paths = layer_paths(with({"rw", "lowerdir=/a:/b", "upperdir=/u", "workdir=/w"}));
    EXPECT_EQ(paths.upper, "/u");
    EXPECT_EQ(paths.work, "/w");
    EXPECT_EQ(paths.lowers, (Paths{"/a", "/b"}));
    EXPECT_EQ(paths.data_lowers, 0u);
}

TEST(LayerPathsTest, HasNoUpperWhereNoneIsGiven) {
    EXPECT_FALSE(layer_paths(with({"ro", "lowerdir=/a"})).upper);
}

TEST(LayerPathsTest, TakesBackslashesAway) {
    EXPECT_EQ(layer_paths(with({"lowerdir=/a\\:b:/c\\\\d"})).lowers, (Paths{"/a:b", "/c\\d"}));
}

TEST(LayerPathsTest, CountsLayersOfDataAfterTwoColons) {
    const auto paths = layer_paths(with({"lowerdir=/a:/b::/c::/d"}));
    EXPECT_EQ(paths.lowers, (Paths{"/a", "/b", "/c", "/d"}));
    EXPECT_EQ(paths.data_lowers, 2u);
}

TEST(LayerPathsTest, FindsLayersThatWereGivenOneByOne) {
    const auto paths = layer_paths(with({"lowerdir+=/a:b", "lowerdir+=/c", "datadir+=/d"}));
    EXPECT_EQ(paths.lowers, (Paths{"/a:b", "/c", "/d"}));
    EXPECT_EQ(paths.data_lowers, 1u);
}

TEST(LayerPathsTest, TellsTheValueOfAnOption) {
    const auto mount = with({"xino=on", "index=off", "xinox=no"});
    EXPECT_EQ(option_value(mount, "xino"), "on");
    EXPECT_EQ(option_value(mount, "metacopy"), std::nullopt);
}

} // namespace
} // namespace shale::mounting
