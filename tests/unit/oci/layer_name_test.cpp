// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/layer_name.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace shale::oci {

namespace {

LayerName parse(const std::string& raw) {
    return LayerName::parse(raw, "tar");
}

} // namespace

TEST(LayerName, DotsAndSlashesThatMeanNothingAreDropped) {
    for (const char* raw : {"a/b", "./a/b", "a//b/", "a/./b", ".//./a/b/."}) {
        EXPECT_EQ(parse(raw).parent, "a") << raw;
        EXPECT_EQ(parse(raw).name, "b") << raw;
    }
    for (const char* raw : {".", "./", "", ".//"})
        EXPECT_TRUE(parse(raw).is_root()) << raw;
}

TEST(LayerName, WhatLeadsOutOfTheLayerIsRefused) {
    for (const char* raw : {"/", "/etc/passwd", "//x", "..", "../x", "a/../../x", "a/..", "./../x"})
        EXPECT_THROW(parse(raw), Error) << raw;
}

TEST(LayerName, NamesThatOnlyBeginWithDotsAreOrdinary) {
    EXPECT_EQ(parse("...").name, "...");
    EXPECT_EQ(parse("..a/.b").path(), "..a/.b");
}

TEST(LayerName, AWhiteoutNamesWhatItHides) {
    EXPECT_EQ(parse("a/.wh.b").kind, NameKind::whiteout);
    EXPECT_EQ(parse("a/.wh.b").path(), "a/b");
    EXPECT_EQ(parse(".wh.b").path(), "b");
}

TEST(LayerName, AWhiteoutOfNothingOrOfTheParentIsRefused) {
    for (const char* raw : {".wh.", "a/.wh.", ".wh..", "a/.wh...", ".wh.x/y"})
        EXPECT_THROW(parse(raw), Error) << raw;
}

TEST(LayerName, TheOpaqueMarkerMeansItsDirectory) {
    EXPECT_EQ(parse("a/b/.wh..wh..opq").kind, NameKind::opaque);
    EXPECT_EQ(parse("a/b/.wh..wh..opq").path(), "a/b/");
    EXPECT_EQ(parse("a/b/.wh..wh..opq").parent, "a/b");
    EXPECT_EQ(parse(".wh..wh..opq").parent, "");
}

TEST(LayerName, OtherNamesOfAufsAreIgnored) {
    for (const char* raw :
         {".wh..wh.aufs", "a/.wh..wh.plnk", ".wh..wh.plnk/12.34", ".wh..wh.orph/x/y"})
        EXPECT_EQ(parse(raw).kind, NameKind::ignored) << raw;
}

TEST(LayerName, TreesTooDeepToWalkAreRefused) {
    std::string raw;
    for (size_t i = 0; i < LayerName::max_depth; i++)
        raw += "d/";
    EXPECT_NO_THROW(parse(raw));
    EXPECT_THROW(parse(raw + "d"), Error);
}

} // namespace shale::oci
