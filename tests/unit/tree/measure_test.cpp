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
