// SPDX-License-Identifier: GPL-2.0-or-later
#include "oci/reference.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/temporary_directory.hpp"

namespace shale::oci {

// dir/
//   a/
//   a:b/
class ReferenceTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(dir_.path() + "/a");
        std::filesystem::create_directories(dir_.path() + "/a:b");
    }
    TemporaryDirectory dir_;
};

TEST_F(ReferenceTest, APathAloneHasNoTag) {
    const Reference reference = split_reference(dir_.path() + "/a");
    EXPECT_EQ(reference.path, dir_.path() + "/a");
    EXPECT_EQ(reference.tag, "");
}

TEST_F(ReferenceTest, WhatFollowsThePathIsTheTagWithItsColons) {
    const Reference reference = split_reference(dir_.path() + "/a:localhost:5000/debian:12");
    EXPECT_EQ(reference.path, dir_.path() + "/a");
    EXPECT_EQ(reference.tag, "localhost:5000/debian:12");
}

TEST_F(ReferenceTest, TheLongestExistingPathWins) {
    EXPECT_EQ(split_reference(dir_.path() + "/a:b").path, dir_.path() + "/a:b");
    EXPECT_EQ(split_reference(dir_.path() + "/a:b:c").path, dir_.path() + "/a:b");
    EXPECT_EQ(split_reference(dir_.path() + "/a:c").path, dir_.path() + "/a");
}

TEST_F(ReferenceTest, StandardInputHasNoTag) {
    EXPECT_EQ(split_reference("-").path, "-");
    EXPECT_THROW(split_reference("-:tag"), Error);
}

TEST_F(ReferenceTest, APathThatDoesNotExistIsRefused) {
    EXPECT_THROW(split_reference(dir_.path() + "/x:tag"), Error);
    EXPECT_THROW(split_reference(""), Error);
    EXPECT_THROW(split_reference(":tag"), Error);
}

} // namespace shale::oci
