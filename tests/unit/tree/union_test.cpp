// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/union.hpp"

#include "base/error.hpp"
#include "tree/attributes.hpp"
#include "tree/layers.hpp"

namespace shale::tree {
namespace {

class UnionTest : public Layers {
protected:
    static std::string content(const Union& tree, const std::string& name) {
        const auto object = tree.look_up(tree.root(), name);
        if (!object)
            return "(absent)";
        const UniqueFd fd = open_content(*object);
        std::string text(100, '\0');
        text.resize(read_some(fd.get(), text.data(), text.size(), name));
        return text;
    }
};

TEST_F(UnionTest, MergesDirectoriesOfTheSameName) {
    file("base/d/one");
    file("middle/d/two");
    file("top/d/three");
    EXPECT_EQ(shown(all()), "/d /d/one /d/three /d/two");
}

TEST_F(UnionTest, TakesAFileFromTheTopMostLayerThatHasIt) {
    file("base/f", "base");
    file("middle/f", "middle");
    EXPECT_EQ(content(all(), "f"), "middle");
}

TEST_F(UnionTest, TakesAttributesOfAMergedDirectoryFromItsTopMostPart) {
    directory("base/d", 0700);
    directory("top/d", 0711);
    const Union tree = all();
    EXPECT_EQ(tree.look_up(tree.root(), "d")->st.st_mode & 07777, 0711u);
}

TEST_F(UnionTest, HidesWhatAWhiteoutDeletes) {
    file("base/d/gone");
    file("base/d/kept");
    whiteout("middle/d/gone");
    EXPECT_EQ(shown(all()), "/d /d/kept");
}

TEST_F(UnionTest, ShowsWhatWasMadeAnewAboveAWhiteout) {
    file("base/f", "old");
    whiteout("middle/f");
    file("top/f", "new");
    EXPECT_EQ(content(all(), "f"), "new");
}

TEST_F(UnionTest, DoesNotMergeADirectoryAcrossAWhiteout) {
    file("base/d/old");
    whiteout("middle/d");
    file("top/d/new");
    EXPECT_EQ(shown(all()), "/d /d/new");
}

TEST_F(UnionTest, DoesNotMergeBelowAnOpaqueDirectory) {
    file("base/d/old");
    file("middle/d/new");
    mark("middle/d", "opaque", "y");
    file("top/d/newer");
    EXPECT_EQ(shown(all()), "/d /d/new /d/newer");
}

TEST_F(UnionTest, DoesNotMergeADirectoryAcrossAFile) {
    file("base/x/old");
    file("middle/x");
    file("top/x/new");
    EXPECT_EQ(shown(all()), "/x /x/new");
}

TEST_F(UnionTest, HidesADirectoryUnderAFile) {
    file("base/x/old");
    file("top/x");
    EXPECT_EQ(shown(all()), "/x");
}

TEST_F(UnionTest, TakesAnEmptyFileWithTheMarkForAWhiteout) {
    file("base/d/gone");
    file("middle/d/gone");
    mark("middle/d/gone", "whiteout", "y");
    mark("middle/d", "opaque", "x");
    EXPECT_EQ(shown(all()), "/d");
}

TEST_F(UnionTest, TakesAFileWithContentForAFileWhateverItsMarks) {
    file("middle/f", "content");
    mark("middle/f", "whiteout", "y");
    EXPECT_EQ(shown(all()), "/f");
}

TEST_F(UnionTest, FollowsARedirectToASibling) {
    file("base/old/inside");
    file("base/new/hidden");
    whiteout("top/old");
    directory("top/new");
    mark("top/new", "redirect", "old");
    EXPECT_EQ(shown(all()), "/new /new/inside");
}

TEST_F(UnionTest, FollowsAnAbsoluteRedirectIntoAnotherDirectory) {
    file("base/a/b/inside");
    directory("top/new");
    mark("top/new", "redirect", "/a/b");
    EXPECT_EQ(shown(all()), "/a /a/b /a/b/inside /new /new/inside");
}

TEST_F(UnionTest, FollowsRedirectsOfRedirects) {
    file("base/first/inside");
    directory("middle/second");
    mark("middle/second", "redirect", "first");
    whiteout("middle/first");
    directory("top/third");
    mark("top/third", "redirect", "/second");
    whiteout("top/second");
    EXPECT_EQ(shown(all()), "/third /third/inside");
}

TEST_F(UnionTest, FollowsARedirectMetOnTheWayOfAnotherOne) {
    file("base/p/q/inside");
    directory("middle/moved");
    mark("middle/moved", "redirect", "p");
    whiteout("middle/p");
    directory("top/new");
    mark("top/new", "redirect", "/moved/q");
    EXPECT_EQ(shown(all()), "/moved /moved/q /moved/q/inside /new /new/inside");
}

TEST_F(UnionTest, RefusesARedirectThatLeavesTheLayer) {
    directory("top/d");
    mark("top/d", "redirect", "/../etc");
    const Union tree = all();
    EXPECT_THROW(tree.look_up(tree.root(), "d"), Error);
}

TEST_F(UnionTest, TakesTheContentOfAMetacopyFileFromBelow) {
    file("base/f", "content");
    file("top/f", "");
    mark("top/f", "metacopy", "");
    EXPECT_EQ(content(all(), "f"), "content");
}

TEST_F(UnionTest, FindsTheContentOfARenamedMetacopyFile) {
    file("base/a/f", "content");
    file("top/g", "");
    mark("top/g", "metacopy", "");
    mark("top/g", "redirect", "/a/f");
    EXPECT_EQ(content(all(), "g"), "content");
}

TEST_F(UnionTest, RefusesAMetacopyFileWithoutContent) {
    file("top/f", "");
    mark("top/f", "metacopy", "");
    const Union tree = all();
    EXPECT_THROW(tree.look_up(tree.root(), "f"), Error);
}

TEST_F(UnionTest, HidesMarksAndShowsOtherAttributes) {
    directory("top/d");
    mark("top/d", "opaque", "y");
    mark("top/d", "overlay.opaque", "y");
    const Union tree = all();
    const auto xattrs = shown_xattrs(tree, *tree.look_up(tree.root(), "d"));
    EXPECT_EQ(xattrs, (std::map<std::string, std::string>{{"trusted.overlay.opaque", "y"}}));
}

TEST_F(UnionTest, OfNoLayersIsRefused) {
    EXPECT_THROW(Union({}), Error);
}

} // namespace
} // namespace shale::tree
