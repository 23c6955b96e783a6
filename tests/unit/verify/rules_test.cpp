// SPDX-License-Identifier: GPL-2.0-or-later
//
// For each rule of docs/semantics.md that verify can cite: a "mount" that breaks it, and is found. A plain directory
// "shown" stands in for the mount, made of links to what it should show, so that all attributes are the same.
#include <algorithm>
#include <set>

#include <dirent.h>

#include "tree/layers.hpp"
#include "verify/judge.hpp"
#include "verify/numbers.hpp"
#include "verify/walk.hpp"

namespace shale::verify {
namespace {

class Collector : public Observer {
public:
    void found(const Finding& finding) override { findings.push_back(finding); }
    void not_judged(const std::string& path, const std::string& reason) override {
        ADD_FAILURE() << path << ": " << reason;
    }
    void so_far(const Totals&) override {}
    bool cancelled() override { return false; }

    Findings findings;
};

class RuleTest : public tree::Layers {
protected:
    void SetUp() override {
        tree::Layers::SetUp();
        if (!IsSkipped())
            directory("shown");
    }

    /// A subject whose numbers of directories are free, as a plain directory can have no others.
    Subject subject(std::initializer_list<const char*> layers, size_t data_layers = 0) const {
        tree::Union::Layers open;
        for (const char* layer : layers)
            open.push_back(tree::Layer::open(at(layer)));
        Subject made{tree::Layer::open(at("shown")), "",
                     tree::Union(open, ondisk::Prefix::trusted, data_layers)};
        made.numbers = Numbers::apart;
        made.has_upper = true;
        made.origins.emplace(open, 1);
        return made;
    }

    /// The rules that are cited for @p path, as "NUMBER NUMBER".
    static std::string cited(const Subject& subject, const std::string& path) {
        Collector collector;
        verify(subject, {true, 2}, collector);
        std::set<std::string> numbers;
        for (const Finding& finding : collector.findings) {
            if (finding.path == path)
                numbers.emplace(finding.rule.number);
        }
        std::string text;
        for (const std::string& number : numbers)
            text += (text.empty() ? "" : " ") + number;
        return text;
    }

    std::string cited(const std::string& path) const { return cited(subject({"top", "middle", "base"}), path); }

    /// Shows the object @p real as @p path.
    void show(const std::string& real, const std::string& path) const {
        ASSERT_EQ(linkat(AT_FDCWD, at(real).c_str(), AT_FDCWD, at("shown/" + path).c_str(), 0), 0)
            << strerror(errno);
    }

    /// Shows a copy of the file @p real as @p path, that can be changed.
    void show_copy(const std::string& real, const std::string& path, const std::string& content) const {
        struct stat st {};
        ASSERT_EQ(lstat(at(real).c_str(), &st), 0);
        file("shown/" + path, content);
        ASSERT_EQ(chmod(at("shown/" + path).c_str(), st.st_mode & 07777), 0);
    }

    void attribute(const std::string& path, const std::string& name, const std::string& value) const {
        ASSERT_EQ(lsetxattr(at(path).c_str(), name.c_str(), value.data(), value.size(), 0), 0) << strerror(errno);
    }

    static bool cites(const std::string& numbers, const std::string& wanted) {
        return (" " + numbers + " ").find(" " + wanted + " ") != std::string::npos;
    }

    /// Finding of one function of numbers.hpp.
    static std::string rules_of(const Findings& findings) {
        std::string text;
        for (const Finding& finding : findings)
            text += (text.empty() ? "" : " ") + std::string(finding.rule.number);
        return text;
    }

    static Expectation expectation(const struct stat& st, size_t parts = 0) {
        Expectation made;
        made.object.emplace();
        made.object->st = st;
        made.object->parts.resize(parts);
        return made;
    }

    struct stat stat_at_path(const std::string& path) const {
        struct stat st {};
        EXPECT_EQ(lstat(at(path).c_str(), &st), 0) << path;
        return st;
    }
};

TEST_F(RuleTest, FindsNothingWhereAllIsAsTheLayersSay) {
    file("top/f", "content");
    attribute("top/f", "user.color", "red");
    file("base/g", "lower");
    whiteout("top/gone");
    file("base/gone");
    ASSERT_EQ(symlink("f", at("top/l").c_str()), 0);
    for (const char* name : {"f", "l"})
        show(std::string("top/") + name, name);
    show("base/g", "g");
    for (const char* path : {"/f", "/g", "/l", "/gone"})
        EXPECT_EQ(cited(path), "") << path;
}

TEST_F(RuleTest, Rule_1_1_ANameIsMissing) {
    file("top/f");
    EXPECT_EQ(cited("/f"), "1.1");
}

TEST_F(RuleTest, Rule_1_2_ANameTooMany) {
    file("shown/f");
    EXPECT_EQ(cited("/f"), "1.2");
}

TEST_F(RuleTest, Rule_1_3_SomethingBelowAFileIsShown) {
    directory("top/d");
    file("middle/d");
    file("base/d/f");
    file("shown/d/f");
    EXPECT_EQ(cited("/d/f"), "1.3");
}

TEST_F(RuleTest, Rule_1_4_ANameOfALayerOfDataIsShown) {
    file("base/f");
    show("base/f", "f");
    EXPECT_EQ(cited(subject({"top", "base"}, 1), "/f"), "1.4");
}

TEST_F(RuleTest, Rule_2_1_ALowerPartIsMissing) {
    directory("top/d");
    file("base/d/f");
    directory("shown/d");
    EXPECT_EQ(cited("/d/f"), "2.1");
}

TEST_F(RuleTest, Rule_3_1_AWhiteoutHidesNothing) {
    whiteout("top/f");
    file("base/f");
    show("base/f", "f");
    EXPECT_EQ(cited("/f"), "3.1");
}

TEST_F(RuleTest, Rule_3_2_AWhiteoutThatIsAFileHidesNothing) {
    mark("middle", "opaque", "x");
    file("middle/f");
    mark("middle/f", "whiteout", "y");
    file("base/f", "lower");
    show("base/f", "f");
    EXPECT_EQ(cited("/f"), "3.2");
}

TEST_F(RuleTest, Rule_3_3_AnOpaqueDirectoryHidesNothing) {
    directory("top/d");
    mark("top/d", "opaque", "y");
    file("base/d/f");
    directory("shown/d");
    show("base/d/f", "d/f");
    EXPECT_EQ(cited("/d/f"), "3.3");
}

TEST_F(RuleTest, Rule_4_1_ARelativeRedirectIsNotFollowed) {
    directory("top/new");
    mark("top/new", "redirect", "old");
    whiteout("top/old");
    file("base/old/f");
    directory("shown/new");
    EXPECT_EQ(cited("/new/f"), "4.1");
}

TEST_F(RuleTest, Rule_4_2_AnAbsoluteRedirectIsNotFollowed) {
    directory("top/new");
    mark("top/new", "redirect", "/d/old");
    file("base/d/old/f");
    directory("shown/new");
    EXPECT_EQ(cited("/new/f"), "4.2");
}

TEST_F(RuleTest, Rule_4_3_ARedirectIsFollowedThoughItMustNot) {
    directory("top/new");
    mark("top/new", "redirect", "old");
    file("base/old/f");
    directory("shown/new");
    Subject refusing = subject({"top", "base"});
    refusing.follows_redirects = false;
    EXPECT_EQ(cited(refusing, "/new"), "4.3");
}

TEST_F(RuleTest, Rule_4_4_AnInvalidRedirectIsShown) {
    directory("top/new");
    mark("top/new", "redirect", "/..");
    directory("base/new");
    directory("shown/new");
    EXPECT_EQ(cited("/new"), "4.4");
}

TEST_F(RuleTest, Rule_5_1_ACopyWithoutDataHasOtherContent) {
    file("base/f", "data");
    file("top/f", "zzzz");
    mark("top/f", "metacopy", "");
    show("top/f", "f");
    EXPECT_TRUE(cites(cited("/f"), "5.1")) << cited("/f");
}

TEST_F(RuleTest, Rule_5_2_ContentIsNotThatOfTheLayerOfData) {
    file("top/f", "zzzz");
    mark("top/f", "metacopy", "");
    mark("top/f", "redirect", "/d/blob");
    file("base/d/blob", "data");
    show("top/f", "f");
    EXPECT_TRUE(cites(cited(subject({"top", "middle", "base"}, 1), "/f"), "5.2"));
}

TEST_F(RuleTest, Rule_5_3_ACopyWithoutDataIsFollowedThoughItMustNot) {
    file("base/f", "data");
    file("top/f", "zzzz");
    mark("top/f", "metacopy", "");
    show("base/f", "f");
    Subject refusing = subject({"top", "base"});
    refusing.follows_metacopies = false;
    EXPECT_EQ(cited(refusing, "/f"), "5.3");
}

TEST_F(RuleTest, Rule_5_4_DataThatAreNowhereAreRead) {
    file("top/f", "zzzz");
    mark("top/f", "metacopy", "");
    show("top/f", "f");
    EXPECT_EQ(cited("/f"), "5.4");
}

TEST_F(RuleTest, Rule_6_1_AnotherType) {
    file("top/f");
    directory("shown/f");
    EXPECT_EQ(cited("/f"), "6.1");
}

TEST_F(RuleTest, Rule_6_2_AnotherMode) {
    file("top/f");
    show_copy("top/f", "f", "");
    ASSERT_EQ(chmod(at("shown/f").c_str(), 0600), 0);
    EXPECT_TRUE(cites(cited("/f"), "6.2")) << cited("/f");
}

TEST_F(RuleTest, Rule_6_3_AnotherOwner) {
    file("top/f");
    show_copy("top/f", "f", "");
    ASSERT_EQ(chown(at("shown/f").c_str(), 7, 8), 0);
    EXPECT_TRUE(cites(cited("/f"), "6.3")) << cited("/f");
}

TEST_F(RuleTest, Rule_6_4_AnotherSize) {
    file("top/f", "four");
    show_copy("top/f", "f", "longer");
    EXPECT_TRUE(cites(cited("/f"), "6.4")) << cited("/f");
}

TEST_F(RuleTest, Rule_6_5_AnotherTime) {
    file("top/f");
    file("shown/f", "", 2000);
    EXPECT_TRUE(cites(cited("/f"), "6.5")) << cited("/f");
}

TEST_F(RuleTest, Rule_6_6_AnotherDevice) {
    if (mknod(at("top/n").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0)
        GTEST_SKIP() << "no device files here: " << strerror(errno);
    ASSERT_EQ(mknod(at("shown/n").c_str(), S_IFCHR | 0600, makedev(1, 5)), 0);
    EXPECT_TRUE(cites(cited("/n"), "6.6")) << cited("/n");
}

TEST_F(RuleTest, Rule_6_7_AnotherTarget) {
    ASSERT_EQ(symlink("one", at("top/l").c_str()), 0);
    ASSERT_EQ(symlink("two", at("shown/l").c_str()), 0);
    EXPECT_TRUE(cites(cited("/l"), "6.7")) << cited("/l");
}

TEST_F(RuleTest, Rule_7_1_AnAttributeIsMissingDiffersOrIsTooMany) {
    for (const char* name : {"missing", "differs", "more"}) {
        file(std::string("top/") + name);
        file(std::string("shown/") + name);
    }
    attribute("top/missing", "user.color", "red");
    attribute("top/differs", "user.color", "red");
    attribute("shown/differs", "user.color", "blue");
    attribute("shown/more", "user.color", "red");
    for (const char* path : {"/missing", "/differs", "/more"})
        EXPECT_TRUE(cites(cited(path), "7.1")) << path << ": " << cited(path);
}

TEST_F(RuleTest, Rule_7_2_AMarkIsShown) {
    file("top/f");
    mark("top/f", "origin", "");
    show("top/f", "f");
    EXPECT_EQ(cited("/f"), "7.2");
}

TEST_F(RuleTest, Rule_7_3_ANestedMarkIsNotShown) {
    file("top/f");
    mark("top/f", "overlay.opaque", "y");
    file("shown/f");
    EXPECT_TRUE(cites(cited("/f"), "7.3")) << cited("/f");
}

TEST_F(RuleTest, Rule_8_1_AnotherCountOfLinks) {
    file("top/f");
    ASSERT_EQ(link(at("top/f").c_str(), at("other").c_str()), 0);
    file("shown/f");
    EXPECT_TRUE(cites(cited("/f"), "8.1")) << cited("/f");
}

TEST_F(RuleTest, Rule_8_2_TheMarkSaysAnotherCountOfLinks) {
    file("top/f");
    mark("top/f", "nlink", "U+3");
    tree::Index::Entry entry;
    auto indexed = expectation(stat_at_path("top/f"));
    const tree::Union tree = all();
    indexed.object->place = tree.look_up(tree.root(), "f")->place;
    indexed.indexed = &entry;
    const Subject some = subject({"top", "middle", "base"});
    struct stat seen = indexed.object->st;
    seen.st_nlink = 4;
    Findings findings;
    judge_links(some, indexed, seen, "/f", findings);
    EXPECT_EQ(rules_of(findings), "");
    seen.st_nlink = 1;
    judge_links(some, indexed, seen, "/f", findings);
    EXPECT_EQ(rules_of(findings), "8.2");
}

TEST_F(RuleTest, Rule_8_3_AMergedDirectoryCountsSubdirectories) {
    const auto merged = expectation(stat_at_path("top"), 2);
    struct stat seen = merged.object->st;
    seen.st_nlink = 3;
    Findings findings;
    judge_links(subject({"top"}), merged, seen, "/d", findings);
    EXPECT_EQ(rules_of(findings), "8.3");
}

TEST_F(RuleTest, Rule_9_1_ADirectoryHasADeviceOfItsOwn) {
    const Subject some = subject({"top"});
    struct stat seen = stat_at_path("top");
    Findings findings;
    judge_numbers(some, seen.st_ino, seen, seen.st_dev, "/d", findings);
    EXPECT_EQ(rules_of(findings), "");
    judge_numbers(some, seen.st_ino, seen, seen.st_dev + 1, "/d", findings);
    EXPECT_EQ(rules_of(findings), "9.1");
}

TEST_F(RuleTest, Rule_9_2_AnotherNumber) {
    file("top/f");
    file("shown/f");
    EXPECT_TRUE(cites(cited("/f"), "9.2")) << cited("/f");
}

TEST_F(RuleTest, Rule_9_3_AnotherNumberBelowTheBitsOfXino) {
    Subject some = subject({"top"});
    some.numbers = Numbers::with_layer;
    struct stat seen = stat_at_path("top");
    seen.st_ino = (ino_t(1) << 62) | 17;
    Findings findings;
    judge_numbers(some, 17, seen, seen.st_dev, "/f", findings);
    EXPECT_EQ(rules_of(findings), "");
    judge_numbers(some, 18, seen, seen.st_dev, "/f", findings);
    EXPECT_EQ(rules_of(findings), "9.3");
}

TEST_F(RuleTest, Rule_9_4_AnotherNumberInTheList) {
    Subject some = subject({"top"});
    some.numbers = Numbers::one_file_system;
    const struct stat seen = stat_at_path("top");
    Findings findings;
    judge_listed(some, {"d", seen.st_ino, DT_DIR}, seen, "/d", findings);
    EXPECT_EQ(rules_of(findings), "");
    judge_listed(some, {"d", seen.st_ino + 1, DT_DIR}, seen, "/d", findings);
    EXPECT_EQ(rules_of(findings), "9.4");
}

TEST_F(RuleTest, Rule_9_5_NamesOfOneFileAreTwo) {
    file("top/one", "same");
    ASSERT_EQ(link(at("top/one").c_str(), at("top/two").c_str()), 0);
    show("top/one", "one");
    file("shown/two", "same");
    EXPECT_TRUE(cites(cited("/one") + " " + cited("/two"), "9.5"));
}

TEST_F(RuleTest, Rule_9_5_TwoFilesAreOne) {
    file("top/one", "same");
    file("top/two", "same");
    show("top/one", "one");
    show("top/one", "two");
    EXPECT_TRUE(cites(cited("/one") + " " + cited("/two"), "9.5"));
}

TEST_F(RuleTest, Rule_10_1_WhatCanBeLookedUpIsNotListed) {
    // No plain directory can do that: the entry says so in its place.
    file("top/f");
    show("top/f", "f");
    const Subject some = subject({"top", "middle", "base"});
    const std::atomic<bool> stop = false;
    LinkGroups groups;
    Judge judge(some, true, 0, groups, stop);
    const Directory root("", some.model.root(), open_at(some.shown->fd(), ".", O_RDONLY | O_DIRECTORY));
    EXPECT_EQ(rules_of(judge.judge_once(root, {"f", {0}, std::nullopt})), "10.1");
    EXPECT_EQ(rules_of(judge.judge_once(root, {"f", {0}, Listed{"f", 1, DT_REG, 2}})), "10.1");
}

TEST_F(RuleTest, Rule_10_2_WhatIsListedCannotBeLookedUp) {
    whiteout("top/f");
    const Subject some = subject({"top", "middle", "base"});
    const std::atomic<bool> stop = false;
    LinkGroups groups;
    Judge judge(some, true, 0, groups, stop);
    const Directory root("", some.model.root(), open_at(some.shown->fd(), ".", O_RDONLY | O_DIRECTORY));
    EXPECT_EQ(rules_of(judge.judge_once(root, {"f", {0}, Listed{"f", 1, DT_REG}})), "10.2");
    EXPECT_EQ(rules_of(judge.judge_once(root, {"f", {0}, std::nullopt})), "");
}

TEST_F(RuleTest, Rule_10_3_AnotherTypeInTheList) {
    const struct stat seen = stat_at_path("top");
    Findings findings;
    judge_listed(subject({"top"}), {"d", seen.st_ino, DT_UNKNOWN}, seen, "/d", findings);
    EXPECT_EQ(rules_of(findings), "");
    judge_listed(subject({"top"}), {"d", seen.st_ino, DT_REG}, seen, "/d", findings);
    EXPECT_EQ(rules_of(findings), "10.3");
}

TEST_F(RuleTest, Rule_11_1_OtherContent) {
    file("top/f", "data");
    show_copy("top/f", "f", "atad");
    EXPECT_TRUE(cites(cited("/f"), "11.1")) << cited("/f");
}

} // namespace
} // namespace shale::verify
