// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounting/mountinfo.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

namespace shale::mounting {
namespace {

TEST(Mountinfo, IsReadFieldByField) {
    const auto mounts = parse_mountinfo(
        "36 35 0:57 / /mnt/web rw,noatime shared:1 master:2 - shale web rw,lowerdir=/a\n"
        "37 35 8:1 /sub /data ro,relatime - ext4 /dev/sda1 rw\n");
    ASSERT_EQ(mounts.size(), 2u);
    EXPECT_EQ(mounts[0].major, 0u);
    EXPECT_EQ(mounts[0].minor, 57u);
    EXPECT_EQ(mounts[0].root, "/");
    EXPECT_EQ(mounts[0].path, "/mnt/web");
    EXPECT_EQ(mounts[0].type, "shale");
    EXPECT_EQ(mounts[0].source, "web");
    EXPECT_FALSE(mounts[0].read_only);
    EXPECT_EQ(mounts[1].root, "/sub");
    EXPECT_EQ(mounts[1].source, "/dev/sda1");
    EXPECT_TRUE(mounts[1].read_only);
}

TEST(Mountinfo, IsReadOnlyWhenTheFileSystemIs) {
    const auto mounts = parse_mountinfo("36 35 0:57 / /m rw - shale web ro,xino=off\n");
    ASSERT_EQ(mounts.size(), 1u);
    EXPECT_TRUE(mounts[0].read_only);
}

TEST(Mountinfo, UnescapesBlanksAndBackslashes) {
    const auto mounts = parse_mountinfo("36 35 0:57 / /a\\040b\\134c\\012 rw - shale x\\040y rw\n"
                                        "36 35 0:57 / /end\\040 rw - shale x rw\n");
    ASSERT_EQ(mounts.size(), 2u);
    EXPECT_EQ(mounts[0].path, "/a b\\c\n");
    EXPECT_EQ(mounts[0].source, "x y");
    EXPECT_EQ(mounts[1].path, "/end ");
}

TEST(Mountinfo, TakesOptionsApartAtCommasThatAreNotEscaped) {
    const auto mounts = parse_mountinfo(
        "36 35 0:57 / /m rw,nosuid - shale web rw,lowerdir=/a\\054b:/c,upperdir=/u\\134,workdir=/w\n");
    ASSERT_EQ(mounts.size(), 1u);
    EXPECT_EQ(mounts[0].id, 36u);
    EXPECT_EQ(mounts[0].options, (std::vector<std::string>{"rw", "nosuid"}));
    EXPECT_EQ(mounts[0].file_system_options,
              (std::vector<std::string>{"rw", "lowerdir=/a,b:/c", "upperdir=/u\\", "workdir=/w"}));
}

TEST(Mountinfo, KnowsTheMountThatAnObjectIsReachedThrough) {
    const int fd = open("/proc/self", O_PATH | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    const auto point = mount_point_of(fd, read_mountinfo());
    close(fd);
    ASSERT_TRUE(point);
    EXPECT_EQ(point->type, "proc");
    EXPECT_FALSE(mount_point_of(-1, read_mountinfo()));
}

TEST(Mountinfo, LeavesOutLinesThatMakeNoSense) {
    EXPECT_TRUE(
        parse_mountinfo("\n36 35\n36 35 x:y / /m rw - shale web rw\n36 35 0:1 / /m rw\n").empty());
}

TEST(Mountinfo, OfThisProcessHasARoot) {
    bool root = false;
    for (const auto& mount : read_mountinfo())
        root |= mount.path == "/";
    EXPECT_TRUE(root);
}

} // namespace
} // namespace shale::mounting
