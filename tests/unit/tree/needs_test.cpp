// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/needs.hpp"

#include "base/error.hpp"
#include "tree/layers.hpp"

namespace shale::tree {
namespace {

class NeedsTest : public Layers {
protected:
    std::vector<std::string> options() { return needs_of_upper(at("top")).options(); }
};

TEST_F(NeedsTest, AreNoneWithoutSuchMarks) {
    file("top/d/f");
    whiteout("top/gone");
    EXPECT_TRUE(options().empty());
}

TEST_F(NeedsTest, AreRedirectsForARenamedDirectory) {
    directory("top/d/renamed");
    mark("top/d/renamed", "redirect", "old");
    EXPECT_EQ(options(), std::vector<std::string>{"redirect_dir=on"});
}

TEST_F(NeedsTest, AreMetacopiesForACopyWithoutData) {
    file("top/d/f");
    mark("top/d/f", "metacopy", "");
    EXPECT_EQ(options(), std::vector<std::string>{"metacopy=on"});
}

TEST_F(NeedsTest, AreBothForACopyWithoutDataUnderANewName) {
    file("top/d/e/f");
    mark("top/d/e/f", "metacopy", "");
    mark("top/d/e/f", "redirect", "/old");
    EXPECT_EQ(options(), (std::vector<std::string>{"redirect_dir=on", "metacopy=on"}));
}

TEST_F(NeedsTest, OfWhatIsNoDirectoryAreAnError) {
    EXPECT_THROW(needs_of_upper(at("top/none")), Error);
}

} // namespace
} // namespace shale::tree
