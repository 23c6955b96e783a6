// SPDX-License-Identifier: GPL-2.0-or-later
#include "ondisk/marks.hpp"

#include <gtest/gtest.h>
#include <linux/shale_ondisk.h>
#include <sys/sysmacros.h>

#include "ondisk/xattr_names.hpp"

namespace shale::ondisk {
namespace {

TEST(Marks, AreNamedAsOverlayfsNamesThem) {
    EXPECT_EQ(xattr_name(Prefix::trusted, Mark::opaque), "trusted.overlay.opaque");
    EXPECT_EQ(xattr_name(Prefix::user, Mark::redirect), "user.overlay.redirect");
    EXPECT_EQ(xattr_name(Prefix::trusted, Mark::whiteout), "trusted.overlay.whiteout");
    EXPECT_EQ(xattr_name(Prefix::trusted, Mark::nlink), "trusted.overlay.nlink");
    EXPECT_EQ(xattr_name(Prefix::trusted, Mark::upper), "trusted.overlay.upper");
    EXPECT_EQ(xattr_name(Prefix::trusted, Mark::uuid), "trusted.overlay.uuid");
    EXPECT_EQ(xattr_name(Prefix::trusted, Mark::protattr), "trusted.overlay.protattr");
}

TEST(Whiteout, IsTheCharacterDeviceZeroZeroAndNoOther) {
    EXPECT_TRUE(is_whiteout_device(S_IFCHR, makedev(0, 0)));
    EXPECT_FALSE(is_whiteout_device(S_IFBLK, makedev(0, 0)));
    EXPECT_FALSE(is_whiteout_device(S_IFCHR, makedev(1, 3)));
}

TEST(Whiteout, MayBeAnEmptyRegularFile) {
    EXPECT_TRUE(may_be_xattr_whiteout(S_IFREG | 0644, 0));
    EXPECT_FALSE(may_be_xattr_whiteout(S_IFREG | 0644, 1));
    EXPECT_FALSE(may_be_xattr_whiteout(S_IFIFO, 0));
}

TEST(Opaque, KnowsItsTwoValues) {
    EXPECT_EQ(decode_opaque("y"), Opaque::yes);
    EXPECT_EQ(decode_opaque("x"), Opaque::xattr_whiteouts);
}

TEST(Opaque, TakesUnknownValuesForAbsent) {
    EXPECT_EQ(decode_opaque(""), Opaque::no);
    EXPECT_EQ(decode_opaque("n"), Opaque::no);
    EXPECT_EQ(decode_opaque("yes"), Opaque::no);
}

int decode_protattr(std::string_view value) {
    return shale_protattr_decode(value.data(), value.size());
}

TEST(Protattr, IsMadeOfTwoLettersInAnyOrder) {
    EXPECT_EQ(decode_protattr("a"), SHALE_PROTECT_APPEND);
    EXPECT_EQ(decode_protattr("i"), SHALE_PROTECT_IMMUTABLE);
    EXPECT_EQ(decode_protattr("ai"), SHALE_PROTECT_APPEND | SHALE_PROTECT_IMMUTABLE);
    EXPECT_EQ(decode_protattr("iai"), SHALE_PROTECT_APPEND | SHALE_PROTECT_IMMUTABLE);
    EXPECT_EQ(decode_protattr(std::string(SHALE_PROTATTR_MAX, 'i')), SHALE_PROTECT_IMMUTABLE);
}

TEST(Protattr, WithAnythingElseHasNoMeaning) {
    for (const char* value : {"", "x", "ix", "xi", "A"})
        EXPECT_EQ(decode_protattr(value), -1) << value;
    EXPECT_EQ(decode_protattr(std::string_view("i\0", 2)), -1);
    EXPECT_EQ(decode_protattr(std::string(SHALE_PROTATTR_MAX + 1, 'i')), -1);
}

TEST(Protattr, SurvivesARoundTrip) {
    char value[SHALE_PROTATTR_MAX];
    EXPECT_EQ(shale_protattr_encode(0, value), 0U);
    for (int protection = 1; protection <= 3; ++protection) {
        const std::size_t size = shale_protattr_encode(protection, value);
        EXPECT_EQ(decode_protattr(std::string_view(value, size)), protection);
    }
}

TEST(Redirect, IsOneNameOrAnAbsolutePath) {
    EXPECT_EQ(decode_redirect("old"), (Redirect{false, {"old"}}));
    EXPECT_EQ(decode_redirect("/a/b"), (Redirect{true, {"a", "b"}}));
}

TEST(Redirect, SurvivesARoundTrip) {
    for (const char* value : {"old", "/a", "/a/b c/d"})
        EXPECT_EQ(encode_redirect(*decode_redirect(value)), value);
}

TEST(Redirect, ThatCouldLeaveTheLayerOrMeansNothingIsInvalid) {
    for (const char* value : {"", "/", "a/b", "//a", "/a//b", "/a/", "..", "/..", "/a/../b", "."})
        EXPECT_EQ(decode_redirect(value), std::nullopt) << value;
    EXPECT_EQ(decode_redirect(std::string_view("a\0b", 3)), std::nullopt);
}

TEST(Redirect, ThatIsTooLongForANameOrInAllIsInvalid) {
    EXPECT_TRUE(decode_redirect(std::string(255, 'n')));
    EXPECT_FALSE(decode_redirect(std::string(256, 'n')));
    std::string path;
    while (path.size() < 4080)
        path += "/1234567";
    EXPECT_TRUE(decode_redirect(path + "/123456789abcde"));
    EXPECT_FALSE(decode_redirect(path + "/123456789abcdef"));
}

TEST(XattrNames, HideTheMarksOfTheMountItself) {
    EXPECT_EQ(shown_name(Prefix::trusted, "trusted.overlay.opaque"), std::nullopt);
    EXPECT_EQ(shown_name(Prefix::user, "user.overlay.opaque"), std::nullopt);
}

TEST(XattrNames, ShowWhatIsNotAMark) {
    EXPECT_EQ(shown_name(Prefix::trusted, "user.mime_type"), "user.mime_type");
    EXPECT_EQ(shown_name(Prefix::trusted, "trusted.other"), "trusted.other");
    EXPECT_EQ(shown_name(Prefix::trusted, "user.overlay.opaque"), "user.overlay.opaque");
}

TEST(XattrNames, PeelOneLevelOffTheMarksOfANestedMount) {
    EXPECT_EQ(shown_name(Prefix::trusted, "trusted.overlay.overlay.opaque"),
              "trusted.overlay.opaque");
    EXPECT_EQ(shown_name(Prefix::trusted, "trusted.overlay.overlay.overlay.opaque"),
              "trusted.overlay.overlay.opaque");
}

TEST(XattrNames, ArePrivateUnderEitherPrefixEscapedOnesIncluded) {
    EXPECT_TRUE(is_private_to_any("trusted.overlay.opaque"));
    EXPECT_TRUE(is_private_to_any("user.overlay.whiteout"));
    EXPECT_TRUE(is_private_to_any("trusted.overlay.overlay.opaque"));
    EXPECT_FALSE(is_private_to_any("user.overlays"));
    EXPECT_FALSE(is_private_to_any("trusted.other"));
}

TEST(XattrNames, AreStoredTheWayTheyAreShown) {
    for (const char* shown : {"user.a", "trusted.overlay.opaque", "trusted.overlay.overlay.x"})
        EXPECT_EQ(shown_name(Prefix::trusted, stored_name(Prefix::trusted, shown)), shown);
}

} // namespace
} // namespace shale::ondisk
