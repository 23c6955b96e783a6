// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a tar becomes as a layer: types, attributes, order, replacement.
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "support/store_fixture.hpp"

namespace shale::test {

using ExtractTest = StoreTest;

TEST_F(ExtractTest, EveryTypeOfObjectArrives) {
    TarBuilder tar;
    tar.directory("d", 0750)
        .file("d/file", "content", 0640)
        .symlink("d/link", "/nowhere/at all")
        .hard_link("d/again", "d/file")
        .device("d/null", S_IFCHR, 1, 3)
        .device("d/disk", S_IFBLK, 8, 1)
        .fifo("d/fifo");
    const std::string d = import_tar(tar) + "/d";

    EXPECT_EQ(stat_of_path(d).st_mode, S_IFDIR | 0750u);
    EXPECT_EQ(stat_of_path(d + "/file").st_mode, S_IFREG | 0640u);
    EXPECT_EQ(read_file(d + "/file"), "content");
    char target[100] = "";
    EXPECT_GT(readlink((d + "/link").c_str(), target, sizeof(target) - 1), 0);
    EXPECT_STREQ(target, "/nowhere/at all");
    EXPECT_EQ(stat_of_path(d + "/again").st_ino, stat_of_path(d + "/file").st_ino);
    EXPECT_EQ(stat_of_path(d + "/again").st_nlink, 2u);
    EXPECT_EQ(stat_of_path(d + "/null").st_mode, S_IFCHR | 0660u);
    EXPECT_EQ(stat_of_path(d + "/null").st_rdev, makedev(1, 3));
    EXPECT_EQ(stat_of_path(d + "/disk").st_mode, S_IFBLK | 0660u);
    EXPECT_EQ(stat_of_path(d + "/fifo").st_mode, S_IFIFO | 0600u);
}

TEST_F(ExtractTest, AnArchiveMayEndWithTheLastContent) {
    // As "umoci insert" leaves it: the last block is not filled up, and none of zeros follows.
    TarBuilder tar;
    tar.file("first", "1").file("last", "content");
    const std::string whole = tar.finish();
    const size_t end = whole.find("content") + 7;
    image_.layer(whole.substr(0, end));
    const std::string top = import_top();
    EXPECT_EQ(read_file(top + "/first"), "1");
    EXPECT_EQ(read_file(top + "/last"), "content");
}

TEST_F(ExtractTest, OwnersAndSetIdBitsAreKept) {
    TarBuilder tar;
    tar.directory("d", 02775, with_owner(1, 50))
        .file("d/suid", "x", 04755, with_owner(1000, 1001))
        .file("d/root", "x", 06777)
        .file("d/open", "x", 0666)
        .directory("tmp", 01777)
        .symlink("link", "x", with_owner(7, 3000000000));
    const std::string top = import_tar(tar);

    EXPECT_EQ(stat_of_path(top + "/d").st_mode & 07777u, 02775u);
    EXPECT_EQ(stat_of_path(top + "/d").st_gid, 50u);
    EXPECT_EQ(stat_of_path(top + "/d/suid").st_mode & 07777u, 04755u);
    EXPECT_EQ(stat_of_path(top + "/d/suid").st_uid, 1000u);
    EXPECT_EQ(stat_of_path(top + "/d/suid").st_gid, 1001u);
    EXPECT_EQ(stat_of_path(top + "/d/root").st_mode & 07777u, 06777u);
    EXPECT_EQ(stat_of_path(top + "/d/root").st_gid, 0u) << "must not inherit from the directory";
    EXPECT_EQ(stat_of_path(top + "/d/open").st_mode & 07777u, 0666u) << "the umask must not count";
    EXPECT_EQ(stat_of_path(top + "/tmp").st_mode & 07777u, 01777u);
    EXPECT_EQ(stat_of_path(top + "/link").st_uid, 7u);
    EXPECT_EQ(stat_of_path(top + "/link").st_gid, 3000000000u);
}

TEST_F(ExtractTest, TimesAreKeptToTheNanosecondOnDirectoriesToo) {
    TarBuilder tar;
    tar.directory("d", 0755, with_time(1234567890, 123456789))
        .file("d/f", "x", 0644, with_time(-5, 500))
        .symlink("d/l", "x", with_time(77, 7));
    const std::string d = import_tar(tar) + "/d";

    EXPECT_EQ(stat_of_path(d).st_mtim.tv_sec, 1234567890);
    EXPECT_EQ(stat_of_path(d).st_mtim.tv_nsec, 123456789);
    EXPECT_EQ(stat_of_path(d + "/f").st_mtim.tv_sec, -5);
    EXPECT_EQ(stat_of_path(d + "/l").st_mtim.tv_sec, 77);
    EXPECT_EQ(stat_of_path(d + "/l").st_mtim.tv_nsec, 7);
}

TEST_F(ExtractTest, ExtendedAttributesAreKept) {
    // VFS_CAP_REVISION_2, cap_net_raw=ep
    const std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    TarBuilder tar;
    tar.file("ping", "x", 0755, with_xattr("security.capability", capability))
        .file("owned", "x", 0755,
              [&](archive_entry* entry) {
                  with_owner(5, 5)(entry);
                  with_xattr("security.capability", capability)(entry);
              })
        .directory("d", 0755, with_xattr("user.note", std::string("a\0b", 3)))
        .symlink("link", "x", with_xattr("trusted.note", "t"));
    const std::string top = import_tar(tar);

    EXPECT_EQ(xattr_of(top + "/ping", "security.capability"), capability);
    EXPECT_EQ(xattr_of(top + "/owned", "security.capability"), capability);
    EXPECT_EQ(xattr_of(top + "/d", "user.note"), std::string("a\0b", 3));
    EXPECT_EQ(xattr_of(top + "/link", "trusted.note"), "t");
    EXPECT_TRUE(progress_.warnings.empty());
}

TEST_F(ExtractTest, AnAclWrittenAsTextOrAsAttributeIsTheSame) {
    // u::rw-,u:1000:rw-,g::r--,m::rw-,o::---
    const std::string acl("\x02\0\0\0"
                          "\x01\0\x06\0\xff\xff\xff\xff"
                          "\x02\0\x06\0\xe8\x03\0\0"
                          "\x04\0\x04\0\xff\xff\xff\xff"
                          "\x10\0\x06\0\xff\xff\xff\xff"
                          "\x20\0\0\0\xff\xff\xff\xff",
                          44);
    TarBuilder tar;
    tar.file("attribute", "x", 0660, with_xattr("system.posix_acl_access", acl));
    tar.file("text", "x", 0660, [](archive_entry* entry) {
        const int type = ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
        archive_entry_acl_add_entry(entry, type, 6, ARCHIVE_ENTRY_ACL_USER_OBJ, -1, nullptr);
        archive_entry_acl_add_entry(entry, type, 6, ARCHIVE_ENTRY_ACL_USER, 1000, "somebody");
        archive_entry_acl_add_entry(entry, type, 4, ARCHIVE_ENTRY_ACL_GROUP_OBJ, -1, nullptr);
        archive_entry_acl_add_entry(entry, type, 6, ARCHIVE_ENTRY_ACL_MASK, -1, nullptr);
        archive_entry_acl_add_entry(entry, type, 0, ARCHIVE_ENTRY_ACL_OTHER, -1, nullptr);
    });
    const std::string top = import_tar(tar);

    if (xattr_of(top + "/attribute", "system.posix_acl_access") == "(none)")
        GTEST_SKIP() << "no ACLs on the file system of " << root();
    EXPECT_EQ(xattr_of(top + "/attribute", "system.posix_acl_access"), acl);
    EXPECT_EQ(xattr_of(top + "/text", "system.posix_acl_access"), acl);
    EXPECT_EQ(stat_of_path(top + "/text").st_mode & 0777u, 0660u);
}

TEST_F(ExtractTest, ADefaultAclOfADirectoryDoesNotReachWhatTheArchivePutsInIt) {
    const std::string acl("\x02\0\0\0"
                          "\x01\0\x07\0\xff\xff\xff\xff"
                          "\x04\0\x07\0\xff\xff\xff\xff"
                          "\x20\0\x07\0\xff\xff\xff\xff",
                          28);
    TarBuilder tar;
    tar.directory("d", 0755, with_xattr("system.posix_acl_default", acl)).file("d/f", "x", 0640);
    const std::string top = import_tar(tar);

    EXPECT_EQ(xattr_of(top + "/d", "system.posix_acl_default"), acl);
    EXPECT_EQ(stat_of_path(top + "/d/f").st_mode & 0777u, 0640u);
}

TEST_F(ExtractTest, NamesAreTheBytesTheyAre) {
    // Decomposed, composed, and not UTF-8 at all; in pax and in ustar.
    const std::vector<std::string> names = {"bad\xff\xfe", "cafe\xcc\x81", "caf\xc3\xa9"};
    for (const auto format : {TarBuilder::Format::pax, TarBuilder::Format::ustar}) {
        TarBuilder tar(format);
        for (const std::string& name : names)
            tar.file("d/" + name, format == TarBuilder::Format::pax ? "pax" : "ustar");
        EXPECT_EQ(names_in(import_tar(tar) + "/d"), names);
    }
}

TEST_F(ExtractTest, LongNamesArriveInEveryFormat) {
    const std::string name = "d/" + std::string(200, 'x') + "/" + std::string(255, 'y');
    for (const auto format : {TarBuilder::Format::pax, TarBuilder::Format::gnu}) {
        TarBuilder tar(format);
        tar.file(name, format == TarBuilder::Format::pax ? "pax" : "gnu");
        EXPECT_TRUE(exists(import_tar(tar) + "/" + name));
    }
}

TEST_F(ExtractTest, HolesStayHoles) {
    constexpr off_t size = 64 << 20;
    TarBuilder tar;
    tar.file("sparse", std::string(size, '\0'), 0644, [](archive_entry* entry) {
        archive_entry_sparse_add_entry(entry, 1 << 20, 4096);
        archive_entry_sparse_add_entry(entry, 32 << 20, 4096);
    });
    tar.file("empty", std::string(size, '\0'), 0644,
             [](archive_entry* entry) { archive_entry_sparse_add_entry(entry, size, 0); });
    const std::string top = import_tar(tar);

    for (const char* name : {"/sparse", "/empty"}) {
        EXPECT_EQ(stat_of_path(top + name).st_size, size) << name;
        EXPECT_LT(stat_of_path(top + name).st_blocks * 512, 1 << 20) << name;
    }
}

TEST_F(ExtractTest, ADirectoryMayComeAfterWhatItHolds) {
    TarBuilder tar;
    tar.file("a/b/f", "x").directory("a/b", 0711, with_time(5, 0)).directory("a", 0700);
    const std::string top = import_tar(tar);

    EXPECT_EQ(read_file(top + "/a/b/f"), "x");
    EXPECT_EQ(stat_of_path(top + "/a/b").st_mode & 0777u, 0711u);
    EXPECT_EQ(stat_of_path(top + "/a/b").st_mtim.tv_sec, 5);
    EXPECT_EQ(stat_of_path(top + "/a").st_mode & 0777u, 0700u);
}

TEST_F(ExtractTest, ALaterEntryReplacesAnEarlierOne) {
    TarBuilder tar;
    tar.file("file-file", "old")
        .file("file-file", "new")
        .file("file-dir", "old")
        .directory("file-dir")
        .file("file-dir/in", "x")
        .directory("dir-file")
        .file("dir-file/sub/in", "old")
        .file("dir-file", "new")
        .symlink("link-dir", "file-dir")
        .directory("link-dir")
        .file("link-dir/in", "x");
    const std::string top = import_tar(tar);

    EXPECT_EQ(read_file(top + "/file-file"), "new");
    EXPECT_EQ(read_file(top + "/file-dir/in"), "x");
    EXPECT_EQ(read_file(top + "/dir-file"), "new");
    EXPECT_TRUE(S_ISDIR(stat_of_path(top + "/link-dir").st_mode));
    EXPECT_EQ(names_in(top + "/file-dir"), std::vector<std::string>{"in"});
}

TEST_F(ExtractTest, ReplacingANameOfALinkedFileLeavesTheOtherNamesAlone) {
    TarBuilder tar;
    tar.file("a", "old").hard_link("b", "a").file("a", "new").hard_link("b", "b");
    const std::string top = import_tar(tar);

    EXPECT_EQ(read_file(top + "/a"), "new");
    EXPECT_EQ(read_file(top + "/b"), "old");
}

TEST_F(ExtractTest, ADirectoryOverADirectoryKeepsItsChildren) {
    TarBuilder tar;
    tar.directory("d", 0700).file("d/f", "x").directory("d", 0755);
    const std::string top = import_tar(tar);

    EXPECT_EQ(stat_of_path(top + "/d").st_mode & 0777u, 0755u);
    EXPECT_EQ(read_file(top + "/d/f"), "x");
}

TEST_F(ExtractTest, TheRootTakesTheAttributesOfTheDotEntry) {
    TarBuilder tar;
    tar.directory("./", 0711, with_owner(3, 4)).file("./f", "x");
    const std::string top = import_tar(tar);

    EXPECT_EQ(stat_of_path(top).st_mode & 07777u, 0711u);
    EXPECT_EQ(stat_of_path(top).st_uid, 3u);
}

TEST_F(ExtractTest, WithoutDotEntryTheRootIsOrdinary) {
    TarBuilder tar;
    tar.file("f", "x");
    const std::string top = import_tar(tar);

    EXPECT_EQ(stat_of_path(top).st_mode & 07777u, 0755u);
    EXPECT_EQ(stat_of_path(top).st_uid, 0u);
}

TEST_F(ExtractTest, AnEmptyArchiveIsAnEmptyLayer) {
    TarBuilder tar;
    EXPECT_EQ(names_in(import_tar(tar)), std::vector<std::string>{});
}

TEST_F(ExtractTest, EveryCompressionGivesTheSameLayer) {
    for (const Compression compression :
         {Compression::none, Compression::gzip, Compression::zstd}) {
        TarBuilder tar;
        // Another content each time: a layer that is there already would not be read.
        const std::string content = "compression " + std::to_string(static_cast<int>(compression));
        tar.file("f", content);
        image_.layer(tar.finish(), compression);
        EXPECT_EQ(read_file(import_top() + "/f"), content);
    }
}

} // namespace shale::test
