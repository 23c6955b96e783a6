// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/remove_tree.hpp"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/temporary_directory.hpp"

namespace fs = std::filesystem;

namespace shale {

// t/              kept/
//   deep/er/file    file
//   link -> ../kept
TEST(RemoveTree, RemovesEverythingButWhatALinkPointsAt) {
    TemporaryDirectory dir;
    const fs::path top = dir.path();
    fs::create_directories(top / "t/deep/er");
    fs::create_directories(top / "kept");
    std::ofstream(top / "t/deep/er/file") << "x";
    std::ofstream(top / "kept/file") << "x";
    fs::create_symlink("../kept", top / "t/link");

    remove_tree(AT_FDCWD, top / "t");

    EXPECT_FALSE(fs::exists(top / "t"));
    EXPECT_TRUE(fs::exists(top / "kept/file"));
}

TEST(RemoveTree, AcceptsANameThatDoesNotExist) {
    TemporaryDirectory dir;
    EXPECT_NO_THROW(remove_tree(AT_FDCWD, dir.path() + "/missing"));
}

} // namespace shale
