// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/temporary_directory.hpp"
#include "tree/union.hpp"

namespace shale::tree {

/// Tests on real layers "top", "middle" and "base", with real marks.
class Layers : public testing::Test {
protected:
    void SetUp() override {
        if (geteuid() != 0)
            GTEST_SKIP() << "whiteouts and trusted attributes need root";
        for (const char* layer : {"top", "middle", "base"})
            directory(layer);
    }

    std::string at(const std::string& path) const { return scratch_.path() + "/" + path; }

    void directory(const std::string& path, mode_t mode = 0755) const {
        make_directories(at(path), mode);
        ASSERT_EQ(chmod(at(path).c_str(), mode), 0);
    }

    /// A file with a fixed modification time, its directories made as needed.
    void file(const std::string& path, const std::string& content = "",
              time_t modified = 1000) const {
        make_directories(at(path.substr(0, path.rfind('/'))), 0755);
        std::ofstream(at(path)) << content;
        const timespec times[2] = {{modified, 0}, {modified, 0}};
        ASSERT_EQ(utimensat(AT_FDCWD, at(path).c_str(), times, 0), 0);
    }

    void whiteout(const std::string& path) const {
        make_directories(at(path.substr(0, path.rfind('/'))), 0755);
        ASSERT_EQ(mknod(at(path).c_str(), S_IFCHR, makedev(0, 0)), 0) << path;
    }

    void mark(const std::string& path, const std::string& name, const std::string& value) const {
        const std::string attribute = "trusted.overlay." + name;
        if (setxattr(at(path).c_str(), attribute.c_str(), value.data(), value.size(), 0) != 0)
            GTEST_SKIP() << "no trusted attributes here: " << strerror(errno);
    }

    Union stack(std::initializer_list<const char*> layers) const {
        Union::Layers open;
        for (const char* layer : layers)
            open.push_back(Layer::open(at(layer)));
        return Union(open);
    }

    Union all() const { return stack({"top", "middle", "base"}); }

    /// What the union shows below the root, as "path path …".
    static std::string shown(const Union& tree) {
        std::string paths;
        walk(tree, [&](const std::string& path, const Object&) {
            if (path != "/")
                paths += (paths.empty() ? "" : " ") + path;
        });
        return paths;
    }

private:
    TemporaryDirectory scratch_;
};

} // namespace shale::tree
