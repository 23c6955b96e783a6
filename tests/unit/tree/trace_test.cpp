// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/trace.hpp"

#include "tree/layers.hpp"

namespace shale::tree {
namespace {

class TraceTest : public Layers {
protected:
    /// What was seen, as "LAYER PATH[*]" each, with a star for what is hidden.
    static std::string seen(const Trace& trace) {
        std::string text;
        for (const auto& sighting : trace.sightings)
            text += (text.empty() ? "" : ", ") + std::to_string(sighting.layer) + " " +
                    sighting.path + (sighting.whiteout ? "!" : "") + (sighting.hider ? "*" : "");
        return text;
    }

    static std::string hider(const std::optional<Hider>& hider) {
        constexpr const char* words[] = {"object", "whiteout", "opaque", "no merger"};
        return hider ? std::string(words[static_cast<int>(hider->how)]) + " " +
                           std::to_string(hider->layer) + " " + hider->path
                     : "none";
    }
};

TEST_F(TraceTest, FindsAFileInEachLayerAndWhatHidesIt) {
    file("top/d/f");
    file("base/d/f");
    const auto found = trace(all(), "/d/f");
    EXPECT_EQ(seen(found), "0 d/f, 2 d/f*");
    EXPECT_EQ(hider(found.sightings[1].hider), "object 0 d/f");
    EXPECT_EQ(hider(found.hider), "object 0 d/f");
}

TEST_F(TraceTest, MergesDirectoriesUntilAnOpaqueOne) {
    directory("top/d");
    directory("middle/d");
    directory("base/d");
    EXPECT_EQ(seen(trace(all(), "/d")), "0 d, 1 d, 2 d");
    mark("middle/d", "opaque", "y");
    const auto found = trace(all(), "/d");
    EXPECT_EQ(seen(found), "0 d, 1 d, 2 d*");
    EXPECT_TRUE(found.sightings[1].opaque);
    EXPECT_EQ(hider(found.hider), "opaque 1 d");
}

TEST_F(TraceTest, TellsTheWhiteoutThatHidesAName) {
    whiteout("top/d/f");
    file("base/d/f");
    const auto found = trace(all(), "/d/f");
    EXPECT_EQ(seen(found), "0 d/f!, 2 d/f*");
    EXPECT_EQ(hider(found.hider), "whiteout 0 d/f");
}

TEST_F(TraceTest, TellsTheWhiteoutOfADirectoryAbove) {
    whiteout("middle/d");
    file("base/d/e/f");
    const auto found = trace(all(), "/d/e/f");
    EXPECT_EQ(seen(found), "2 d/e/f*");
    EXPECT_EQ(hider(found.hider), "whiteout 1 d");
}

TEST_F(TraceTest, TellsTheOpaqueDirectoryAbove) {
    directory("top/d");
    mark("top/d", "opaque", "y");
    file("base/d/f");
    const auto found = trace(all(), "/d/f");
    EXPECT_EQ(seen(found), "2 d/f*");
    EXPECT_EQ(hider(found.hider), "opaque 0 d");
}

TEST_F(TraceTest, TellsTheFileInPlaceOfADirectory) {
    file("top/d");
    file("base/d/f");
    const auto found = trace(all(), "/d/f");
    EXPECT_EQ(seen(found), "2 d/f*");
    EXPECT_EQ(hider(found.hider), "no merger 0 d");
}

TEST_F(TraceTest, IsEmptyForANameThatIsNowhere) {
    directory("top/d");
    const auto found = trace(all(), "/d/f");
    EXPECT_EQ(seen(found), "");
    EXPECT_EQ(hider(found.hider), "none");
}

TEST_F(TraceTest, FollowsRedirects) {
    directory("top/new/sub");
    mark("top/new", "redirect", "/old");
    file("base/old/sub/f");
    file("base/new/sub/f");
    EXPECT_EQ(seen(trace(all(), "/new/sub/f")), "2 old/sub/f");

    directory("top/d/renamed");
    mark("top/d/renamed", "redirect", "before");
    directory("middle/d/before");
    EXPECT_EQ(seen(trace(all(), "/d/renamed")), "0 d/renamed, 1 d/before");
}

TEST_F(TraceTest, DoesNotFollowARedirectThatIsHidden) {
    whiteout("top/d");
    directory("middle/d");
    mark("middle/d", "redirect", "/old");
    file("base/old/f");
    file("base/d/f");
    EXPECT_EQ(seen(trace(all(), "/d/f")), "2 d/f*");
}

TEST_F(TraceTest, GoesOnToTheDataOfACopyWithoutThem) {
    file("top/f");
    mark("top/f", "metacopy", "");
    mark("top/f", "origin", "x");
    mark("top/f", "redirect", "/was");
    file("middle/was");
    file("base/was");
    const auto found = trace(all(), "/f");
    EXPECT_EQ(seen(found), "0 f, 1 was, 2 was*");
    EXPECT_TRUE(found.sightings[0].metacopy);
    EXPECT_TRUE(found.sightings[0].origin);
    EXPECT_FALSE(found.sightings[1].metacopy);
}

TEST_F(TraceTest, LooksForNoNameInALayerOfData) {
    file("top/f");
    file("base/f");
    file("base/g");
    directory("base/d");
    EXPECT_EQ(seen(trace(all(), "/f", 1)), "0 f");
    EXPECT_EQ(seen(trace(all(), "/g", 1)), "");
    file("middle/m");
    mark("middle/m", "metacopy", "");
    mark("middle/m", "redirect", "/g");
    EXPECT_EQ(seen(trace(all(), "/m", 1)), "1 m, 2 g");
    EXPECT_EQ(seen(trace(all(), "/", 1)), "0 , 1 ");
}

TEST_F(TraceTest, HidesAFileBelowADirectory) {
    directory("top/x");
    file("middle/x");
    directory("base/x");
    const auto found = trace(all(), "/x");
    EXPECT_EQ(seen(found), "0 x, 1 x*, 2 x*");
    EXPECT_EQ(hider(found.sightings[1].hider), "object 0 x");
}

TEST_F(TraceTest, OfTheRootIsAllLayers) {
    EXPECT_EQ(seen(trace(all(), "/")), "0 , 1 , 2 ");
}

} // namespace
} // namespace shale::tree
