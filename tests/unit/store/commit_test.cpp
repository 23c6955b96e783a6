// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writable layers that become layers of images. What the marks in them mean is tree/'s business; here it is what
// comes of them in a layer.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.hpp"
#include "support/store_fixture.hpp"

namespace fs = std::filesystem;

namespace shale::test {

#define EXPECT_SAYS(message, part) EXPECT_NE(std::string(message).find(part), std::string::npos) << (message)

class CommitTest : public StoreTest {
protected:
    void SetUp() override {
        StoreTest::SetUp();
        if (IsSkipped())
            return;
        TarBuilder tar;
        tar.directory("./").directory("d").file("d/old", "old").file("d/kept", "kept").file("plain", "plain");
        tar.directory("e").file("e/f", "f").file("a", "linked").hard_link("b", "a");
        tar.file("d/g", "g").hard_link("e/g", "d/g");
        image_.layer(tar.finish());
        image_.tag("base");
        open().import_layout(image_.path(), "base", "", progress_);
        upper_ = open().prepare("s", "base").upper;
    }

    CommitOptions named(const std::string& name) const {
        CommitOptions options;
        options.image = name;
        options.epoch = 5000;
        return options;
    }

    ImageRecord commit(const std::string& name = "new") {
        return open().commit_snapshot("s", named(name), not_mounted_, progress_);
    }

    /// The directory of the new layer.
    std::string layer(const ImageRecord& image) { return open().layer_path(image.layers.back()); }

    void write(const std::string& name, const std::string& content = "new") const {
        fs::create_directories(fs::path(upper_ + "/" + name).parent_path());
        write_file(upper_ + "/" + name, content);
    }

    void mark(const std::string& name, const std::string& mark, const std::string& value) const {
        ASSERT_EQ(setxattr((upper_ + "/" + name).c_str(), ("trusted.overlay." + mark).c_str(), value.data(),
                           value.size(), 0),
                  0);
    }

    void whiteout(const std::string& name) const {
        ASSERT_EQ(mknod((upper_ + "/" + name).c_str(), S_IFCHR, makedev(0, 0)), 0);
    }

    std::string refusal(const std::string& name) { return refusal(named(name)); }

    std::string refusal(const CommitOptions& options) {
        try {
            open().commit_snapshot("s", options, not_mounted_, progress_);
        } catch (const Error& error) {
            EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
            return error.what();
        }
        return "(accepted)";
    }

    const UpperAccess not_mounted_ = {[](const std::string&) { return nullptr; },
                                      [](const std::string&) { return false; }};
    std::string upper_;
};

TEST_F(CommitTest, AChangeIsALayerOnTop) {
    write("d/new");
    const ImageRecord image = commit();
    ASSERT_EQ(image.layers.size(), 2u);
    EXPECT_EQ(image.layers[0].chain_id, open().image("base").layers[0].chain_id);
    EXPECT_EQ(read_file(layer(image) + "/d/new"), "new");
    EXPECT_EQ(names_in(layer(image)), std::vector<std::string>{"d"});
    EXPECT_EQ(names_in(root() + "/staging"), std::vector<std::string>{});
    EXPECT_EQ(open().snapshot("s").image, "base");
}

TEST_F(CommitTest, TheSameTreeIsTheSameLayer) {
    write("d/new");
    const ImageRecord one = commit("one"), two = commit("two");
    EXPECT_EQ(one.layers[1].diff_id, two.layers[1].diff_id);
    EXPECT_EQ(one.layers[1].blob, two.layers[1].blob);
    EXPECT_EQ(one.manifest_digest, two.manifest_digest);
}

TEST_F(CommitTest, WhatWasDeletedIsHidden) {
    whiteout("plain");
    fs::create_directory(upper_ + "/d");
    whiteout("d/old");
    const ImageRecord image = commit();
    EXPECT_TRUE(is_whiteout(layer(image) + "/plain"));
    EXPECT_TRUE(is_whiteout(layer(image) + "/d/old"));
    EXPECT_FALSE(is_opaque(layer(image) + "/d"));
}

TEST_F(CommitTest, ADirectoryThatWasMadeAnewIsOpaque) {
    write("d/new");
    mark("d", "opaque", "y");
    const ImageRecord image = commit();
    EXPECT_TRUE(is_opaque(layer(image) + "/d"));
    EXPECT_EQ(names_in(layer(image) + "/d"), std::vector<std::string>{"new"});
}

TEST_F(CommitTest, ARenamedDirectoryIsWrittenWhole) {
    fs::create_directory(upper_ + "/moved");
    mark("moved", "redirect", "d");
    whiteout("d");
    const ImageRecord image = commit();
    EXPECT_EQ(read_file(layer(image) + "/moved/old"), "old");
    EXPECT_EQ(read_file(layer(image) + "/moved/kept"), "kept");
    EXPECT_TRUE(is_whiteout(layer(image) + "/d"));
    EXPECT_EQ(xattr_of(layer(image) + "/moved", "trusted.overlay.redirect"), "(none)");
}

TEST_F(CommitTest, ACopyWithoutDataIsWrittenWithThem) {
    write("plain", "");
    ASSERT_EQ(truncate((upper_ + "/plain").c_str(), 5), 0);
    ASSERT_EQ(chmod((upper_ + "/plain").c_str(), 0600), 0);
    mark("plain", "metacopy", "");
    const ImageRecord image = commit();
    EXPECT_EQ(read_file(layer(image) + "/plain"), "plain");
    EXPECT_EQ(stat_of_path(layer(image) + "/plain").st_mode, S_IFREG | 0600u);
    EXPECT_EQ(xattr_of(layer(image) + "/plain", "trusted.overlay.metacopy"), "(none)");
}

TEST_F(CommitTest, NamesOfOneFileStayLinksEvenWhereOneLooksAsBefore) {
    write("plain", "plain");
    const timespec times[] = {{1000, 0}, {1000, 0}};
    ASSERT_EQ(chmod((upper_ + "/plain").c_str(), 0644), 0);
    ASSERT_EQ(utimensat(AT_FDCWD, (upper_ + "/plain").c_str(), times, 0), 0);
    fs::create_hard_link(upper_ + "/plain", upper_ + "/zz");
    const ImageRecord image = commit();
    EXPECT_EQ(stat_of_path(layer(image) + "/plain").st_ino, stat_of_path(layer(image) + "/zz").st_ino);
}

TEST_F(CommitTest, NamesOfALowerFileStayLinksWhereOneHasMoved) {
    fs::create_directory(upper_ + "/moved");
    mark("moved", "redirect", "e");
    whiteout("e");
    const ImageRecord image = commit();
    const std::string a = layer(image) + "/moved/g", b = layer(image) + "/d/g";
    EXPECT_EQ(stat_of_path(a).st_ino, stat_of_path(b).st_ino);
    EXPECT_EQ(names_in(layer(image) + "/d"), std::vector<std::string>{"g"});
}

TEST_F(CommitTest, NothingIsLaterThanTheEpoch) {
    write("d/new");
    const ImageRecord image = commit();
    EXPECT_EQ(stat_of_path(layer(image) + "/d/new").st_mtime, 5000);
    const auto config = nlohmann::json::parse(image.config);
    EXPECT_EQ(config["created"], "1970-01-01T01:23:20Z");
    EXPECT_EQ(config["history"].back()["created"], "1970-01-01T01:23:20Z");
}

TEST_F(CommitTest, WhatALayerCannotHoldIsLeftOutAndTold) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {AF_UNIX, {}};
    const std::string path = upper_ + "/socket";
    ASSERT_LT(path.size(), sizeof(address.sun_path));
    path.copy(address.sun_path, path.size());
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    close(fd);
    write(".wh.plain");
    write("attribute");
    mark("attribute", "overlay.opaque", "y"); // of an overlay that is mounted within
    progress_.warnings.clear();
    const ImageRecord image = commit();
    EXPECT_EQ(progress_.warnings.size(), 3u);
    EXPECT_FALSE(exists(layer(image) + "/socket"));
    EXPECT_FALSE(exists(layer(image) + "/plain"));
    EXPECT_EQ(xattr_of(layer(image) + "/attribute", "trusted.overlay.opaque"), "(none)");
}

TEST_F(CommitTest, ADirectoryThatCouldHideAnotherIsLeftOutWithAllInIt) {
    fs::create_directory(upper_ + "/.wh.e");
    mark(".wh.e", "redirect", "d"); // which has one of two names of a file
    whiteout("d");
    const ImageRecord image = commit();
    EXPECT_EQ(names_in(layer(image)), std::vector<std::string>{"d"});
    EXPECT_TRUE(is_whiteout(layer(image) + "/d"));
}

TEST_F(CommitTest, AnAttributeThatATarWouldRenameIsDroppedAndTold) {
    write("file");
    for (const char* name : {"user.plain", "user.with space", "user.per%cent"})
        ASSERT_EQ(setxattr((upper_ + "/file").c_str(), name, "v", 1, 0), 0);
    progress_.warnings.clear();
    const ImageRecord image = commit();
    ASSERT_EQ(progress_.warnings.size(), 1u);
    EXPECT_EQ(xattr_of(layer(image) + "/file", "user.plain"), "v");
    EXPECT_EQ(xattr_of(layer(image) + "/file", "user.with%20space"), "(none)");
    EXPECT_EQ(xattr_of(layer(image) + "/file", "user.with space"), "(none)");
}

TEST_F(CommitTest, FractionsOfSecondsBefore1970AreCutOff) {
    write("file");
    const timespec times[] = {{-2, 500000000}, {-2, 500000000}};
    ASSERT_EQ(utimensat(AT_FDCWD, (upper_ + "/file").c_str(), times, 0), 0);
    const auto st = stat_of_path(layer(commit()) + "/file");
    EXPECT_EQ(st.st_mtim.tv_sec, -2);
    EXPECT_EQ(st.st_mtim.tv_nsec, 0);
}

TEST_F(CommitTest, WhatWasMountedWithUserxattrIsRefused) {
    write("file");
    ASSERT_EQ(setxattr(upper_.c_str(), "user.overlay.impure", "y", 1, 0), 0);
    EXPECT_SAYS(refusal("new"), "userxattr");
}

TEST_F(CommitTest, ATextThatIsNoneIsRefused) {
    CommitOptions options = named("new");
    options.message = "\xff";
    EXPECT_SAYS(refusal(options), "UTF-8");
}

TEST_F(CommitTest, ASocketInPlaceOfAFileHidesIt) {
    ASSERT_EQ(mknod((upper_ + "/plain").c_str(), S_IFSOCK | 0600, 0), 0);
    EXPECT_TRUE(is_whiteout(layer(commit()) + "/plain"));
}

TEST_F(CommitTest, RefusalsNameTheWayOut) {
    EXPECT_SAYS(refusal("base"), "another name");
    EXPECT_SAYS(refusal("a b"), "not usable");
    ASSERT_TRUE(open().collect({false, true}, [](const std::string&) { return false; }));
    EXPECT_SAYS(refusal("new"), "import image 'base' again");
}

TEST_F(CommitTest, AHoldThatEndsTooEarlyIsAnError) {
    class Lost : public Hold {
        bool lasts() override { return false; }
    };
    write("d/new");
    const UpperAccess access = {[](const std::string&) { return std::make_unique<Lost>(); },
                                [](const std::string&) { return true; }};
    try {
        open().commit_snapshot("s", named("new"), access, progress_);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_SAYS(error.what(), "shale umount s");
    }
}

TEST_F(CommitTest, WhatIsHeldIsCopiedWithItsMarks) {
    class Lasting : public Hold {
        bool lasts() override { return true; }
    };
    write("d/new");
    mark("d", "opaque", "y");
    write("x", "linked");
    fs::create_hard_link(upper_ + "/x", upper_ + "/y");
    const ImageRecord still = commit("still");
    const UpperAccess access = {[](const std::string&) { return std::make_unique<Lasting>(); },
                                [](const std::string&) { return true; }};
    const ImageRecord live = open().commit_snapshot("s", named("live"), access, progress_);
    EXPECT_EQ(live.manifest_digest, still.manifest_digest);
}

TEST_F(CommitTest, ASnapshotThatIsReadIsNeitherRemovedNorMounted) {
    const UniqueFd store(::open(root().c_str(), O_RDONLY | O_CLOEXEC));
    const UseLock reading = UseLock::shared(store.get(), "snapshots/s");
    EXPECT_THROW(open().hold_for_mount("s"), Error);
    EXPECT_THROW(open().remove_snapshot("s", [](const std::string&) { return false; }), Error);
    EXPECT_NO_THROW(open().snapshot("s"));
}

TEST_F(CommitTest, WhatWasMountedMeanwhileIsRefused) {
    const UpperAccess access = {[](const std::string&) { return nullptr; }, [](const std::string&) { return true; }};
    EXPECT_THROW(open().commit_snapshot("s", named("new"), access, progress_), Error);
    EXPECT_THROW(open().image("new"), Error);
}

} // namespace shale::test
