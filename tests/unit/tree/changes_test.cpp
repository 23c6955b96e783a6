// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/changes.hpp"

#include "tree/layers.hpp"

namespace shale::tree {
namespace {

class Changes : public Layers {
protected:
    /// What "top" changes, as "A /path C /path …".
    std::string changed() const {
        const auto base = Layer::open(at("base"));
        const auto middle = Layer::open(at("middle"));
        const auto top = Layer::open(at("top"));
        std::string text;
        for (const Change& change : changes(Union({middle, base}), Union({top, middle, base})))
            text += std::string(text.empty() ? "" : " ") + "ACD"[static_cast<int>(change.kind)] +
                    " " + change.path;
        return text;
    }
};

TEST_F(Changes, OfAnEmptyUpperAreNone) {
    file("base/d/f");
    EXPECT_EQ(changed(), "");
}

TEST_F(Changes, ListEverythingInAnAddedDirectory) {
    file("top/new/deep/f");
    EXPECT_EQ(changed(), "A /new A /new/deep A /new/deep/f");
}

TEST_F(Changes, DoNotListDirectoriesThatExistForWhatIsInThem) {
    file("base/d/e/old");
    file("top/d/e/new");
    EXPECT_EQ(changed(), "A /d/e/new");
}

TEST_F(Changes, ListADirectoryWhoseOwnModeOwnerOrAttributesDiffer) {
    for (const char* name :
         {"base/mode", "base/owner", "base/attribute", "top/owner", "top/attribute"})
        directory(name);
    directory("top/mode", 0700);
    ASSERT_EQ(chown(at("top/owner").c_str(), 5, 5), 0);
    ASSERT_EQ(setxattr(at("top/attribute").c_str(), "trusted.color", "red", 3, 0), 0);
    EXPECT_EQ(changed(), "C /attribute C /mode C /owner");
}

TEST_F(Changes, DoNotListADirectoryForItsMarks) {
    directory("base/d");
    directory("top/d");
    mark("top/d", "impure", "y");
    mark("top/d", "origin", "");
    EXPECT_EQ(changed(), "");
}

TEST_F(Changes, ListAFileWhoseContentDiffers) {
    file("base/f", "one");
    file("top/f", "two");
    EXPECT_EQ(changed(), "C /f");
}

TEST_F(Changes, ListAFileThatWasTouched) {
    file("base/f", "same", 1000);
    file("top/f", "same", 2000);
    EXPECT_EQ(changed(), "C /f");
}

TEST_F(Changes, DoNotListAFileThatWasCopiedUpAndStayedTheSame) {
    file("base/f", "same");
    file("top/f", "same");
    EXPECT_EQ(changed(), "");
}

TEST_F(Changes, ListTheTopOfADeletedTreeOnly) {
    file("base/d/e/f");
    whiteout("top/d");
    EXPECT_EQ(changed(), "D /d");
}

TEST_F(Changes, DoNotListAWhiteoutOverNothing) {
    file("base/d/f");
    whiteout("middle/d/f");
    whiteout("top/d/f");
    whiteout("top/never");
    EXPECT_EQ(changed(), "");
}

TEST_F(Changes, ListWhatAnOpaqueDirectoryDoesNotBringBack) {
    file("base/d/gone");
    file("middle/d/gone too");
    file("base/d/same", "x");
    file("base/d/other", "x");
    directory("base/d/sub");
    file("top/d/same", "x");
    file("top/d/other", "y");
    file("top/d/new");
    mark("top/d", "opaque", "y");
    EXPECT_EQ(changed(), "D /d/gone D /d/gone too A /d/new C /d/other D /d/sub");
}

TEST_F(Changes, ListAFileThatBecameADirectoryAndWhatIsInIt) {
    file("base/x");
    file("top/x/new");
    EXPECT_EQ(changed(), "C /x A /x/new");
}

TEST_F(Changes, ListADirectoryThatBecameAFileOnce) {
    file("base/x/old");
    file("top/x");
    EXPECT_EQ(changed(), "C /x");
}

TEST_F(Changes, ListAFileThatBecameALink) {
    file("base/x");
    ASSERT_EQ(symlink("y", at("top/x").c_str()), 0);
    EXPECT_EQ(changed(), "C /x");
}

TEST_F(Changes, ListARenamedDirectoryAsDeletedAndAdded) {
    file("base/old/f");
    whiteout("top/old");
    directory("top/new");
    mark("top/new", "redirect", "old");
    EXPECT_EQ(changed(), "A /new A /new/f D /old");
}

TEST_F(Changes, AreSortedByPath) {
    file("top/b");
    file("top/a/z");
    whiteout("top/a-b");
    file("base/a-b");
    EXPECT_EQ(changed(), "A /a D /a-b A /a/z A /b");
}

class Differences : public Layers {
protected:
    /// What "top" holds differently from "base", each by itself.
    std::string differing() const {
        std::string text;
        for (const Change& change : differences(Layer::open(at("base")), Layer::open(at("top"))))
            text += std::string(text.empty() ? "" : " ") + "ACD"[static_cast<int>(change.kind)] + " " + change.path;
        return text;
    }
};

TEST_F(Differences, AreThoseOfTheTreesByThemselves) {
    file("base/d/only-base");
    file("base/d/changed", "one");
    file("base/same", "same");
    file("top/d/changed", "two");
    file("top/d/new/f");
    file("top/same", "same");
    EXPECT_EQ(differing(), "C /d/changed A /d/new A /d/new/f D /d/only-base");
}

TEST_F(Differences, CountWhiteoutsAsObjects) {
    directory("base");
    directory("top");
    whiteout("base/both");
    whiteout("top/both");
    whiteout("top/only-top");
    whiteout("base/only-base");
    file("base/hidden");
    whiteout("top/hidden");
    whiteout("base/again");
    file("top/again/f");
    whiteout("top/new/w");
    whiteout("base/gone/w");
    EXPECT_EQ(differing(), "C /again A /again/f D /gone C /hidden A /new A /new/w D /only-base A /only-top");
}

TEST_F(Differences, CountThatADirectoryIsOpaque) {
    for (const char* name : {"base/d", "base/e", "top/d", "top/e"})
        directory(name);
    mark("top/d", "opaque", "y");
    mark("base/e", "opaque", "y");
    mark("top/e", "opaque", "y");
    EXPECT_EQ(differing(), "C /d");
    mark("base", "opaque", "y");
    EXPECT_EQ(differing(), "C / C /d");
}

} // namespace
} // namespace shale::tree
