// SPDX-License-Identifier: GPL-2.0-or-later
//
// Layers on layers: what hides, and what is taken from below.
#include "support/store_fixture.hpp"

namespace shale::test {

class WhiteoutTest : public StoreTest {
protected:
    // usr/ (0711, 5:6, time 42, user.note) bin/ tool, other -> hard link to tool
    //     lib -> bin
    // etc/ conf
    void SetUp() override {
        StoreTest::SetUp();
        if (IsSkipped())
            return;
        TarBuilder tar;
        tar.directory("./", 0755, with_time(99, 0))
            .directory("usr", 0711,
                       [](archive_entry* entry) {
                           with_owner(5, 6)(entry);
                           with_time(42, 0)(entry);
                           with_xattr("user.note", "below")(entry);
                       })
            .directory("usr/bin", 0750)
            .file("usr/bin/tool", "tool", 04755, with_owner(9, 9))
            .hard_link("usr/bin/other", "usr/bin/tool")
            .symlink("usr/lib", "bin")
            .directory("etc")
            .file("etc/conf", "conf");
        image_.layer(tar.finish());
    }
};

TEST_F(WhiteoutTest, AWhiteoutBecomesADevice) {
    TarBuilder tar;
    tar.file("etc/.wh.conf").file(".wh.usr");
    const std::string top = import_tar(tar);

    EXPECT_TRUE(is_whiteout(top + "/etc/conf"));
    EXPECT_TRUE(is_whiteout(top + "/usr"));
    EXPECT_FALSE(exists(top + "/etc/.wh.conf"));
}

TEST_F(WhiteoutTest, AnOpaqueMarkerBecomesAnAttributeEvenIfItComesLate) {
    TarBuilder tar;
    tar.directory("etc").file("etc/new", "x").file("etc/.wh..wh..opq").file("usr/bin/.wh..wh..opq");
    const std::string top = import_tar(tar);

    EXPECT_TRUE(is_opaque(top + "/etc"));
    EXPECT_EQ(read_file(top + "/etc/new"), "x");
    EXPECT_TRUE(is_opaque(top + "/usr/bin"));
    EXPECT_FALSE(is_opaque(top + "/usr"));
    EXPECT_EQ(names_in(top + "/etc"), std::vector<std::string>{"new"});
}

TEST_F(WhiteoutTest, OtherAufsNamesLeaveNothing) {
    TarBuilder tar;
    tar.file(".wh..wh.aufs").directory(".wh..wh.plnk").file(".wh..wh.plnk/1.2").file("f", "x");
    EXPECT_EQ(names_in(import_tar(tar)), std::vector<std::string>{"f"});
}

TEST_F(WhiteoutTest, AWhiteoutDoesNotHideWhatItsOwnLayerHas) {
    TarBuilder tar;
    tar.file("etc/.wh.conf").file("etc/conf", "before");
    tar.file("usr/bin/tool", "after").file("usr/bin/.wh.tool");
    const std::string top = import_tar(tar);

    EXPECT_EQ(read_file(top + "/etc/conf"), "before");
    EXPECT_EQ(read_file(top + "/usr/bin/tool"), "after");
}

TEST_F(WhiteoutTest, ADirectoryThatItsOwnLayerHidesBelowIsOpaque) {
    TarBuilder tar;
    tar.file(".wh.etc").directory("etc", 0700).file("etc/new", "x");
    tar.directory("usr").file(".wh.usr");
    const std::string top = import_tar(tar);

    EXPECT_TRUE(is_opaque(top + "/etc"));
    EXPECT_EQ(read_file(top + "/etc/new"), "x");
    EXPECT_TRUE(is_opaque(top + "/usr"));
}

TEST_F(WhiteoutTest, ANewTreeInTheArchiveIsReachedThroughAWhiteout) {
    TarBuilder tar;
    tar.file(".wh.usr").file("usr/bin/fresh", "x");
    const std::string top = import_tar(tar);

    EXPECT_TRUE(is_opaque(top + "/usr"));
    EXPECT_EQ(read_file(top + "/usr/bin/fresh"), "x");
    EXPECT_EQ(stat_of_path(top + "/usr").st_mode & 0777u, 0755u)
        << "nothing is taken from what is hidden";
    EXPECT_EQ(stat_of_path(top + "/usr").st_uid, 0u);
}

TEST_F(WhiteoutTest, AParentTheArchiveLeavesOutLooksAsItDoesBelow) {
    TarBuilder tar;
    tar.file("usr/bin/new", "x");
    const std::string top = import_tar(tar);

    EXPECT_EQ(stat_of_path(top + "/usr").st_mode & 07777u, 0711u);
    EXPECT_EQ(stat_of_path(top + "/usr").st_uid, 5u);
    EXPECT_EQ(stat_of_path(top + "/usr").st_gid, 6u);
    EXPECT_EQ(stat_of_path(top + "/usr").st_mtim.tv_sec, 42);
    EXPECT_EQ(xattr_of(top + "/usr", "user.note"), "below");
    EXPECT_EQ(stat_of_path(top + "/usr/bin").st_mode & 07777u, 0750u);
    EXPECT_EQ(stat_of_path(top).st_mtim.tv_sec, 99);
}

TEST_F(WhiteoutTest, TheMarkOfAnOpaqueDirectoryIsNotTakenFromBelow) {
    TarBuilder middle;
    middle.directory("etc", 0701).file("etc/.wh..wh..opq");
    image_.layer(middle.finish());
    TarBuilder tar;
    tar.file("etc/new", "x");
    const std::string top = import_tar(tar);

    EXPECT_EQ(stat_of_path(top + "/etc").st_mode & 0777u, 0701u);
    EXPECT_FALSE(is_opaque(top + "/etc"));
}

TEST_F(WhiteoutTest, NothingIsTakenFromBelowALayerThatHidesIt) {
    TarBuilder middle;
    middle.directory("usr", 0755).file("usr/.wh..wh..opq").file(".wh.etc");
    image_.layer(middle.finish());
    TarBuilder tar;
    tar.file("usr/bin/new", "x").file("etc/new", "x");
    const std::string top = import_tar(tar);

    EXPECT_EQ(stat_of_path(top + "/usr/bin").st_mode & 0777u, 0755u) << "0750 is hidden";
    EXPECT_EQ(stat_of_path(top + "/etc").st_mode & 0777u, 0755u);
}

TEST_F(WhiteoutTest, ALinkToAFileBelowBecomesACopyAndTheNextJoinsIt) {
    TarBuilder tar;
    tar.hard_link("usr/bin/third", "usr/bin/tool").hard_link("fourth", "usr/bin/tool");
    tar.hard_link("link", "usr/lib");
    const std::string top = import_tar(tar);

    EXPECT_EQ(read_file(top + "/usr/bin/third"), "tool");
    EXPECT_EQ(stat_of_path(top + "/usr/bin/third").st_mode & 07777u, 04755u);
    EXPECT_EQ(stat_of_path(top + "/usr/bin/third").st_uid, 9u);
    EXPECT_EQ(stat_of_path(top + "/usr/bin/third").st_mtim.tv_sec, 1000);
    EXPECT_EQ(stat_of_path(top + "/fourth").st_ino, stat_of_path(top + "/usr/bin/third").st_ino);
    EXPECT_TRUE(S_ISLNK(stat_of_path(top + "/link").st_mode));
}

TEST_F(WhiteoutTest, ALinkToWhatIsNowhereIsRefused) {
    TarBuilder tar;
    tar.hard_link("third", "usr/bin/missing");
    EXPECT_NE(import_tar_refused(tar).find("neither in this layer before it nor below"),
              std::string::npos);
}

TEST_F(WhiteoutTest, ALinkToAWhiteoutOfTheSameLayerTakesTheFileBelow) {
    TarBuilder tar;
    tar.file("etc/.wh.conf").hard_link("etc/renamed", "etc/conf");
    const std::string top = import_tar(tar);

    EXPECT_EQ(read_file(top + "/etc/renamed"), "conf");
    EXPECT_TRUE(is_whiteout(top + "/etc/conf"));
}

TEST_F(WhiteoutTest, ASymbolicLinkBelowIsCoveredByADirectoryAndNotFollowed) {
    TarBuilder tar;
    tar.file("usr/lib/new", "x");
    const std::string top = import_tar(tar);

    EXPECT_TRUE(S_ISDIR(stat_of_path(top + "/usr/lib").st_mode));
    EXPECT_EQ(read_file(top + "/usr/lib/new"), "x");
}

TEST_F(WhiteoutTest, LayersBelowAnOpaqueRootAreNotMounted) {
    TarBuilder tar;
    tar.file(".wh..wh..opq").file("f", "x");
    const std::string top = import_tar(tar);

    Store store = open();
    EXPECT_EQ(store.image("image").layers.size(), 2u);
    EXPECT_EQ(store.layer_paths(store.image("image")), std::vector<std::string>{top});
}

} // namespace shale::test
