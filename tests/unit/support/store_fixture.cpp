// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/store_fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.hpp"

namespace shale::test {

void StoreTest::SetUp() {
    if (geteuid() != 0)
        GTEST_SKIP() << "layers need root: devices, owners, trusted.* attributes";
    if (setxattr(dir_.path().c_str(), "trusted.shale.test", "x", 1, 0) != 0)
        GTEST_SKIP() << dir_.path()
                     << " keeps no trusted.* attributes: set TMPDIR to a place that does";
}

std::string StoreTest::import_top() {
    image_.clear_index();
    image_.tag("image");
    Store store = open();
    const ImageRecord image = store.import_layout(image_.path(), "image", "", progress_);
    return store.layer_paths(image).front();
}

std::string StoreTest::import_refused() {
    image_.clear_index();
    image_.tag("image");
    std::string message = "(accepted)";
    try {
        open().import_layout(image_.path(), "image", "", progress_);
    } catch (const Error& error) {
        message = error.what();
    }
    expect_nothing_left();
    return message;
}

std::string StoreTest::import_tar(TarBuilder& tar) {
    image_.layer(tar.finish());
    return import_top();
}

std::string StoreTest::import_tar_refused(TarBuilder& tar) {
    image_.layer(tar.finish());
    return import_refused();
}

void StoreTest::expect_nothing_left() const {
    EXPECT_EQ(names_in(root() + "/layers"), std::vector<std::string>{});
    EXPECT_EQ(names_in(root() + "/blobs/sha256"), std::vector<std::string>{});
    EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
    EXPECT_TRUE(open().images().empty());
}

struct stat stat_of_path(const std::string& path) {
    struct stat st = {};
    EXPECT_EQ(lstat(path.c_str(), &st), 0) << path;
    return st;
}

bool exists(const std::string& path) {
    struct stat st;
    return lstat(path.c_str(), &st) == 0;
}

bool is_whiteout(const std::string& path) {
    const struct stat st = stat_of_path(path);
    return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

bool is_opaque(const std::string& path) {
    return xattr_of(path, "trusted.overlay.opaque") == "y";
}

std::string xattr_of(const std::string& path, const std::string& name) {
    char value[65536];
    const ssize_t size = lgetxattr(path.c_str(), name.c_str(), value, sizeof(value));
    return size < 0 ? "(none)" : std::string(value, static_cast<size_t>(size));
}

std::vector<std::string> names_in(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace shale::test
