// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounting/options.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace shale::mounting {
namespace {

using Texts = std::vector<std::string>;

TEST(MountOptions, KeepsTheFileSystemsAsGiven) {
    const Options options = parse_options("lowerdir=/a:/b,userxattr,xino=off");
    EXPECT_EQ(options.flags, 0u);
    EXPECT_EQ(options.file_system, (Texts{"lowerdir=/a:/b", "userxattr", "xino=off"}));
    EXPECT_EQ(options.data(), "lowerdir=/a:/b,userxattr,xino=off");
}

TEST(MountOptions, TurnsWordsIntoFlags) {
    const Options options = parse_options("ro,nosuid,nodev,noexec,lowerdir=/a");
    EXPECT_EQ(options.flags,
              static_cast<unsigned long>(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));
    EXPECT_EQ(options.data(), "lowerdir=/a");
}

TEST(MountOptions, TheLastWordWins) {
    EXPECT_EQ(parse_options("ro,rw").flags, 0u);
    EXPECT_EQ(parse_options("rw,ro").flags, static_cast<unsigned long>(MS_RDONLY));
    EXPECT_EQ(parse_options("noatime,strictatime").flags,
              static_cast<unsigned long>(MS_STRICTATIME));
    EXPECT_EQ(parse_options("nosuid,defaults").flags, static_cast<unsigned long>(MS_NOSUID));
}

TEST(MountOptions, LeavesOutWhatIsForMountItself) {
    const Options options = parse_options("noauto,nofail,user=me,_netdev,x-systemd.requires=/"
                                          "l,X-mount.mkdir,comment=a:b,lowerdir=/a");
    EXPECT_EQ(options.flags, 0u);
    EXPECT_EQ(options.data(), "lowerdir=/a");
}

TEST(MountOptions, ProtectedCommasSeparateNothing) {
    const Options options = parse_options(R"(lowerdir=/a\,b:/c,upperdir=/d\\,ro)");
    EXPECT_EQ(options.file_system, (Texts{R"(lowerdir=/a\,b:/c)", R"(upperdir=/d\\)"}));
    EXPECT_EQ(options.flags, static_cast<unsigned long>(MS_RDONLY));
}

TEST(MountOptions, LabelsMayHaveQuotedCommas) {
    const Options options = parse_options(R"(context="u:r:t:s0:c1,c2",lowerdir=/a"b,ro)");
    EXPECT_EQ(options.file_system, (Texts{R"(context="u:r:t:s0:c1,c2")", R"(lowerdir=/a"b)"}));
    EXPECT_EQ(options.flags, static_cast<unsigned long>(MS_RDONLY));
}

TEST(MountOptions, ForgivesEmptyOnes) {
    EXPECT_EQ(parse_options("").data(), "");
    EXPECT_EQ(parse_options(",,lowerdir=/a,").data(), "lowerdir=/a");
    EXPECT_EQ(parse_options("lowerdir=/a\\").data(), "lowerdir=/a\\");
}

TEST(StackOfOptions, HasTheLayersByThemselves) {
    const Stack stack = stack_of(
        parse_options(R"(lowerdir=/a:/b\:c:/d\,e,upperdir=/u\\x,workdir=/w,userxattr)"), "web");
    EXPECT_EQ(stack.lowers, (Texts{"/a", "/b:c", "/d,e"}));
    EXPECT_EQ(stack.upper, R"(/u\x)");
    EXPECT_EQ(stack.work, "/w");
    EXPECT_EQ(stack.source, "web");
    EXPECT_EQ(stack.options, (Texts{"userxattr"}));
    EXPECT_FALSE(stack.read_only);
}

TEST(StackOfOptions, TheLastLowerdirWins) {
    EXPECT_EQ(stack_of(parse_options("lowerdir=/a:/b,lowerdir=/c"), "x").lowers, (Texts{"/c"}));
}

TEST(StackOfOptions, AddsSingleLayersAsTheyAre) {
    EXPECT_EQ(stack_of(parse_options("lowerdir+=/a:b,lowerdir+=/c"), "x").lowers,
              (Texts{"/a:b", "/c"}));
}

TEST(StackOfOptions, TwoColonsStandBeforeALayerOfData) {
    const Stack stack = stack_of(parse_options("lowerdir=/a:/b::/c::/d"), "x");
    EXPECT_EQ(stack.lowers, (Texts{"/a", "/b"}));
    EXPECT_EQ(stack.data, (Texts{"/c", "/d"}));
    EXPECT_EQ(stack_of(parse_options("lowerdir+=/a,datadir+=/b:c"), "x").data, (Texts{"/b:c"}));
    EXPECT_THROW(stack_of(parse_options("lowerdir=/a::/b:/c"), "x"), Error);
    EXPECT_THROW(stack_of(parse_options("datadir+=/a,lowerdir+=/b"), "x"), Error);
}

TEST(StackOfOptions, RefusesEmptyLayers) {
    EXPECT_THROW(stack_of(parse_options("lowerdir=/a:::/b"), "x"), Error);
    EXPECT_THROW(stack_of(parse_options("lowerdir=::/b"), "x"), Error);
    EXPECT_THROW(stack_of(parse_options("lowerdir=/a:"), "x"), Error);
    EXPECT_THROW(stack_of(parse_options("lowerdir="), "x"), Error);
}

TEST(StackOfOptions, TellsTheFlagsOfTheMountFromTheFileSystems) {
    const Stack stack = stack_of(parse_options("ro,noatime,nosuid,sync,lazytime,lowerdir=/a"), "x");
    EXPECT_TRUE(stack.read_only);
    EXPECT_EQ(stack.attributes, static_cast<unsigned>(MOUNT_ATTR_NOATIME | MOUNT_ATTR_NOSUID));
    EXPECT_EQ(stack.options, (Texts{"sync", "lazytime"}));
}

} // namespace
} // namespace shale::mounting
