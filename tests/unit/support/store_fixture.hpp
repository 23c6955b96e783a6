// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/temporary_directory.hpp"
#include "store/store.hpp"
#include "support/image_builder.hpp"
#include "support/tar_builder.hpp"

namespace shale::test {

/// Collects what an import reports, and stops it where a test wants that.
class RecordingProgress : public Progress {
public:
    void reuse_layer(size_t, size_t) override { reused++; }
    void warn(const std::string& message) override { warnings.push_back(message); }
    bool cancelled() override { return ++asked > cancel_after; }

    std::vector<std::string> warnings;
    size_t reused = 0;
    size_t asked = 0;
    size_t cancel_after = SIZE_MAX;
};

/// A store and an image layout in a directory of their own:
///
///     dir/layout    the image
///     dir/store     the store
///
/// Needs root and a file system with trusted.* attributes, as layers do.
class StoreTest : public ::testing::Test {
protected:
    void SetUp() override;

    Store open() const { return Store::open(root()); }
    std::string root() const { return dir_.path() + "/store"; }

    /// Tags the image under construction as "image" (whatever was so tagged before), imports it,
    /// and returns its top layer.
    std::string import_top();
    /// As above, expecting a refusal: returns the message, after checking that nothing is left.
    std::string import_refused();
    /// Imports one layer made of @p tar.
    std::string import_tar(TarBuilder& tar);
    std::string import_tar_refused(TarBuilder& tar);

    void expect_nothing_left() const;

    TemporaryDirectory dir_;
    ImageBuilder image_{dir_.path() + "/layout"};
    RecordingProgress progress_;
};

/// Attributes of an object, links not followed; the test fails where it does not exist.
struct stat stat_of_path(const std::string& path);
bool exists(const std::string& path);
bool is_whiteout(const std::string& path);
bool is_opaque(const std::string& path);
/// Value of an attribute, or "(none)".
std::string xattr_of(const std::string& path, const std::string& name);
std::vector<std::string> names_in(const std::string& path);

} // namespace shale::test
