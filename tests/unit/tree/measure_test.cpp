// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/measure.hpp"

#include "base/error.hpp"
#include "tree/layers.hpp"

namespace shale::tree {
namespace {

using Measure = Layers;

TEST_F(Measure, CountsEachFileOnceAndWhiteoutsApart) {
    file("top/a", std::string(100000, 'x'));
    ASSERT_EQ(link(at("top/a").c_str(), at("top/b").c_str()), 0);
    file("top/d/e/c", "c");
    ASSERT_EQ(symlink("a", at("top/l").c_str()), 0);
    whiteout("top/d/gone");

    const auto size = measure(*Layer::open(at("top")), [](const Size&) {});
    EXPECT_EQ(size.files, 3u);
    EXPECT_EQ(size.directories, 3u);
    EXPECT_EQ(size.whiteouts, 1u);
    EXPECT_GE(size.bytes, 100000u);
    EXPECT_LT(size.bytes, 200000u);
}

TEST_F(Measure, TellsWhatOtherLayersHaveAsWell) {
    file("top/own", "x");
    ASSERT_EQ(link(at("top/own").c_str(), at("top/own-too").c_str()), 0);
    file("top/shared", std::string(100000, 'x'));
    directory("base");
    ASSERT_EQ(link(at("top/shared").c_str(), at("base/shared").c_str()), 0);

    SharedFiles shared;
    const auto size = measure(*Layer::open(at("top")), [](const Size&) {}, &shared);
    EXPECT_EQ(size.files, 2u);
    EXPECT_EQ(size.shared_files, 1u);
    EXPECT_GE(size.shared_bytes, 100000u);
    ASSERT_EQ(shared.size(), 1u);
    EXPECT_EQ(shared.begin()->second, size.shared_bytes);
    EXPECT_EQ(measure(*Layer::open(at("base")), [](const Size&) {}, &shared).shared_files, 1u);
    EXPECT_EQ(shared.size(), 1u);
}

TEST_F(Measure, CountsOpaqueDirectories) {
    directory("top/opaque");
    mark("top/opaque", "opaque", "y");
    directory("top/other");
    mark("top/other", "opaque", "x");
    EXPECT_EQ(measure(*Layer::open(at("top")), [](const Size&) {}).opaque, 1u);
}

TEST_F(Measure, EndsWhenItIsToldTo) {
    for (const char* name : {"a", "b", "c"})
        directory(std::string("top/") + name);
    int calls = 0;
    EXPECT_THROW(measure(*Layer::open(at("top")),
                         [&](const Size&) {
                             if (++calls == 2)
                                 throw Cancelled("sizes");
                         }),
                 Cancelled);
    EXPECT_EQ(calls, 2);
}

} // namespace
} // namespace shale::tree
