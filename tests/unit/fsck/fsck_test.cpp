// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each kind of finding of userspace/fsck, seeded in plain directories: it is found, with its class, and nothing else is;
// what is repairable is repaired, from wherever a repair was cut off.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include <linux/shale_ondisk.h>

#include "base/digest.hpp"
#include "base/names_in.hpp"
#include "fsck/marks_of.hpp"
#include "fsck/repair.hpp"
#include "tree/layers.hpp"
#include "tree/origin.hpp"

namespace shale::fsck {
namespace {

/// What a real handle of the object at @p path says, as mounts record it.
std::string origin_of(const std::string& path, bool is_upper = false) {
    alignas(file_handle) char buffer[sizeof(file_handle) + MAX_HANDLE_SZ];
    auto* handle = reinterpret_cast<file_handle*>(buffer);
    handle->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    if (name_to_handle_at(AT_FDCWD, path.c_str(), handle, &mount, 0) != 0)
        return "";
    struct shale_origin head {};
    head.version = SHALE_ORIGIN_VERSION;
    head.magic = SHALE_ORIGIN_MAGIC;
    head.len = static_cast<__u8>(sizeof(head) + handle->handle_bytes);
    head.flags = is_upper ? SHALE_ORIGIN_UPPER : 0;
    head.type = static_cast<__u8>(handle->handle_type);
    head.uuid[0] = 1; // nobody can ask for it here; one that is not null is followed
    std::string record(reinterpret_cast<const char*>(&head), sizeof(head));
    return record.append(reinterpret_cast<const char*>(handle->f_handle), handle->handle_bytes);
}

/// Ends a repair before its step number `last`, as a crash would.
class Crash : public Observer {
public:
    explicit Crash(int last) : left_(last) {}
    void doing(const Step&) override {
        if (left_-- == 0)
            throw std::runtime_error("crash");
    }

private:
    int left_;
};

class FsckTest : public tree::Layers {
protected:
    void SetUp() override {
        tree::Layers::SetUp();
        if (!IsSkipped())
            directory("work/work");
    }

    Subject subject(ondisk::Prefix prefix = ondisk::Prefix::trusted) const {
        Subject made;
        made.layers = tree::open_layers({at("top"), at("middle"), at("base")});
        made.is_upper = true;
        made.work = at("work");
        made.prefix = prefix;
        return made;
    }

    RepairOptions options(bool accept_volatile = false) const { return {at("journal"), accept_volatile}; }

    /// "PATH: KIND" of each, sorted, one a line.
    std::string text(const Findings& findings) const {
        std::set<std::string> lines;
        for (const Finding& finding : findings) {
            const std::string place = finding.place();
            lines.insert(place.substr(std::min(place.size(), at("").size())) + ": " + std::string(finding.kind->name));
        }
        std::string all;
        for (const std::string& line : lines)
            all += (all.empty() ? "" : "\n") + line;
        return all;
    }

    std::string found(const Subject& some) const {
        Observer nobody;
        return text(check(some, nobody).findings);
    }
    std::string found() const { return found(subject()); }

    /// All that upper and work directory hold, marks included.
    std::string state() const {
        std::string all;
        const std::function<void(int, const std::string&)> look = [&](int dir, const std::string& path) {
            std::vector<std::string> names = names_in(dir);
            std::sort(names.begin(), names.end());
            for (const std::string& name : names) {
                const auto st = stat_at(dir, name);
                all += path + "/" + name + " " + std::to_string(st->st_mode) + " " + std::to_string(st->st_nlink);
                for (const auto& [mark, value] : marks_of(XattrTarget(dir, name), ondisk::Prefix::trusted).known)
                    all += " " + ondisk::xattr_name(ondisk::Prefix::trusted, mark) + "=" + hex(value);
                all += "\n";
                if (S_ISDIR(st->st_mode))
                    look(open_at(dir, name, O_RDONLY | O_DIRECTORY).get(), path + "/" + name);
            }
        };
        for (const char* top : {"top", "work"}) {
            const UniqueFd fd = open_at(AT_FDCWD, at(top), O_RDONLY | O_DIRECTORY);
            for (const auto& [mark, value] : marks_of(XattrTarget(fd.get(), "."), ondisk::Prefix::trusted).known)
                all += ondisk::xattr_name(ondisk::Prefix::trusted, mark) + "=" + hex(value) + "\n";
            look(fd.get(), top);
        }
        return all;
    }

    std::string origin(const std::string& path, bool is_upper = false) const { return origin_of(at(path), is_upper); }
    void set_origin(const std::string& path, const std::string& from) const { mark(path, "origin", origin(from)); }

    std::string index_name(const std::string& lower) const { return "work/index/" + hex(origin(lower)); }

    /// A file in the index that is the copy of a lower one, as `top/NAME` and @p nlink say.
    void indexed(const std::string& lower, const std::string& upper, const std::string& nlink) const {
        directory("work/index");
        file(upper, "copy");
        set_origin(upper, lower);
        mark(upper, "nlink", nlink);
        ASSERT_EQ(link(at(upper).c_str(), at(index_name(lower)).c_str()), 0) << strerror(errno);
        mark("top", "impure", "y");
        set_origin("top", "middle"); // by which the file system of the lower layers is known
    }

    bool can_follow() const {
        file("base/probe");
        const bool can = tree::Origins(subject().layers, 1).follow(origin("base/probe")).has_value();
        std::filesystem::remove(at("base/probe"));
        return can;
    }

    void expect_repaired(const std::string& before, const std::string& after = "") {
        EXPECT_EQ(found(), before);
        Observer nobody;
        const auto outcome = repair(subject(), options(), nobody);
        EXPECT_FALSE(outcome.done.empty());
        EXPECT_EQ(found(), after);
        EXPECT_EQ(text(outcome.left.findings), after);
        EXPECT_TRUE(repair(subject(), options(), nobody).done.empty());
    }
};

TEST_F(FsckTest, FindsNothingInSoundLayers) {
    whiteout("top/gone");
    file("base/gone");
    directory("top/opaque");
    mark("top/opaque", "opaque", "y");
    file("base/opaque/hidden");
    directory("top/renamed");
    mark("top/renamed", "redirect", "old");
    whiteout("top/old");
    file("base/old/f");
    file("top/copy", "zzzz");
    mark("top/copy", "metacopy", "");
    file("base/copy", "data");
    file("top/nested");
    mark("top/nested", "overlay.opaque", "y");
    directory("middle/x");
    mark("middle/x", "opaque", "x");
    file("middle/x/w");
    mark("middle/x/w", "whiteout", "y");
    file("base/x/w");
    EXPECT_EQ(found(), "");
}

TEST_F(FsckTest, FindsWhatIsHarmless) {
    whiteout("top/none");
    directory("top/alone");
    mark("top/alone", "opaque", "y");
    file("top/full");
    mark("top/full", "redirect", "/other");
    mark("top/full", "nlink", "U+0");
    mark("top/full", "novelty", "1");
    directory("top/pure");
    mark("top/pure", "impure", "y");
    ASSERT_EQ(mknod(at("work/work/#1").c_str(), S_IFCHR, makedev(0, 0)), 0);
    const std::string nested = "user.overlay.opaque";
    ASSERT_EQ(setxattr(at("top/pure").c_str(), nested.c_str(), "y", 1, 0), 0) << strerror(errno);
    EXPECT_EQ(found(), "top/alone: opaque-needless\n"
                       "top/full: mark-unknown\n"
                       "top/full: mark-unused\n"
                       "top/full: redirect-unused\n"
                       "top/none: whiteout-needless\n"
                       "top/pure: impure-needless\n"
                       "top/pure: other-prefix\n"
                       "work/work/#1: whiteout-shared");
    Observer nobody;
    EXPECT_TRUE(repair(subject(), options(), nobody).done.empty());
}

TEST_F(FsckTest, RepairsMarksThatMeanNothing) {
    directory("top/d");
    mark("top/d", "opaque", "z");
    mark("top/d", "metacopy", "");
    mark("top/d", "uuid", "1234567890123456");
    mark("top/d", "protattr", "x");
    mark("top/d", "impure", "z");
    file("top/f");
    mark("top/f", "opaque", "y");
    mark("top/f", "impure", "y");
    mark("top/f", "redirect", "/..");
    mark("top/f", "origin", "rubbish");
    whiteout("top/unmarked");
    file("base/unmarked");
    mark("top", "uuid", "short");
    mark("top", "opaque", "never");
    expect_repaired("top/d: impure-invalid\n"
                    "top/d: metacopy-misplaced\n"
                    "top/d: opaque-invalid\n"
                    "top/d: protattr-malformed\n"
                    "top/d: uuid-misplaced\n"
                    "top/f: impure-misplaced\n"
                    "top/f: opaque-misplaced\n"
                    "top/f: origin-malformed\n"
                    "top/f: redirect-invalid-unused\n"
                    "top: opaque-invalid\n"
                    "top: uuid-malformed",
                    "top/d: impure-needless");
}

TEST_F(FsckTest, RepairsProtattrOfWhatHasNoFlags) {
    ASSERT_EQ(symlink("x", at("top/l").c_str()), 0);
    const std::string name = "trusted.overlay.protattr";
    ASSERT_EQ(lsetxattr(at("top/l").c_str(), name.c_str(), "i", 1, 0), 0) << strerror(errno);
    file("top/fine");
    mark("top/fine", "protattr", "ai");
    expect_repaired("top/l: protattr-misplaced");
}

TEST_F(FsckTest, RepairsTheMarkImpure) {
    if (!can_follow())
        GTEST_SKIP() << "no file handles here";
    directory("top/d");
    directory("base/d");
    file("top/d/f");
    file("base/d/f");
    set_origin("top/d/f", "base/d/f");
    expect_repaired("top/d: impure-missing");
}

TEST_F(FsckTest, FindsOriginsThatAreGone) {
    if (!can_follow())
        GTEST_SKIP() << "no file handles here";
    file("base/f");
    file("top/f");
    set_origin("top/f", "base/f");
    ASSERT_EQ(unlink(at("base/f").c_str()), 0);
    EXPECT_EQ(found(), "top/f: origin-stale");
}

TEST_F(FsckTest, RepairsWhatIsNotFinished) {
    file("work/work/#2", "part of a copy");
    directory("work/work/#3");
    whiteout("work/work/#3/w");
    directory("work/work/incompat");
    expect_repaired("work/work/#2: work-leftover\n"
                    "work/work/#3: work-leftover\n"
                    "work/work/incompat: work-leftover");
    EXPECT_TRUE(stat_at(AT_FDCWD, at("journal"))->st_size > 0);
}

TEST_F(FsckTest, LeavesWhatNoMountPutThere) {
    file("work/work/mine");
    file("work/work/#4/mine");
    EXPECT_EQ(found(), "work/work/#4: work-foreign\nwork/work/mine: work-foreign");
    Observer nobody;
    EXPECT_TRUE(repair(subject(), options(), nobody).done.empty());
    EXPECT_TRUE(stat_at(AT_FDCWD, at("work/work/#4/mine")));
}

TEST_F(FsckTest, RemovesTheMarkOfAVolatileMountWhenToldTo) {
    file("work/work/incompat/volatile/dirty");
    EXPECT_EQ(found(), "work/work/incompat/volatile: volatile");
    Observer nobody;
    EXPECT_TRUE(repair(subject(), options(), nobody).done.empty());
    EXPECT_EQ(repair(subject(), options(true), nobody).done.size(), 1U);
    EXPECT_EQ(found(), "");
    EXPECT_FALSE(stat_at(AT_FDCWD, at("work/work/incompat")));
}

TEST_F(FsckTest, KeepsTheMarkOfAnUnknownFeature) {
    file("work/work/incompat/volatile/dirty");
    directory("work/work/incompat/novelty");
    Observer nobody;
    repair(subject(), options(true), nobody);
    EXPECT_EQ(found(), "work/work/incompat/novelty: incompat-unknown");
}

TEST_F(FsckTest, FindsWhatNeedsItsOwner) {
    file("top/w");
    mark("top/w", "whiteout", "y");
    directory("top/bad");
    mark("top/bad", "redirect", "a/b");
    directory("top/dangling");
    mark("top/dangling", "redirect", "/nowhere");
    directory("base/shown");
    directory("top/twice");
    mark("top/twice", "redirect", "shown");
    whiteout("top/hidden");
    directory("base/hidden");
    directory("top/one");
    mark("top/one", "redirect", "/hidden");
    directory("top/two");
    mark("top/two", "redirect", "hidden");
    directory("base/outer/inner");
    directory("top/outer/loop");
    mark("top/outer/loop", "redirect", "/outer");
    file("top/empty", "zzzz");
    mark("top/empty", "metacopy", "");
    file("top/short", "z");
    mark("top/short", "metacopy", "");
    file("base/short", "data");
    file("top/record", "data");
    mark("top/record", "metacopy", "???");
    file("base/record", "data");
    const std::string found_all = found();
    for (const char* line :
         {"top/bad: redirect-invalid", "top/dangling: redirect-dangling", "top/empty: metacopy-no-data",
          "top/outer/loop: redirect-loop", "top/record: metacopy-malformed", "top/short: metacopy-size",
          "top/twice: redirect-twice", "top/w: whiteout-file-misplaced"})
        EXPECT_NE(found_all.find(line), std::string::npos) << line << " is not in\n" << found_all;
    // Whichever of the two comes second.
    EXPECT_NE(found_all.find("top/one: redirect-twice") == std::string::npos,
              found_all.find("top/two: redirect-twice") == std::string::npos)
        << found_all;
    EXPECT_EQ(std::count(found_all.begin(), found_all.end(), '\n'), 8) << found_all;
    const std::string before = state();
    Observer nobody;
    EXPECT_TRUE(repair(subject(), options(), nobody).done.empty());
    EXPECT_EQ(state(), before);
}

TEST_F(FsckTest, FindsTheSameInLowerLayersAndOnlyReadsThem) {
    directory("middle/bad");
    mark("middle/bad", "redirect", "..");
    directory("middle/d");
    mark("middle/d", "opaque", "z");
    file("middle/d/w");
    mark("middle/d/w", "whiteout", "y");
    mark("middle/d/w", "origin", "means nothing here");
    EXPECT_EQ(found(), "middle/bad: redirect-invalid\n"
                       "middle/d/w: whiteout-file-misplaced\n"
                       "middle/d: opaque-invalid");
    Observer nobody;
    EXPECT_TRUE(repair(subject(), options(), nobody).done.empty());
}

TEST_F(FsckTest, JudgesALayerAloneByItself) {
    whiteout("top/none");
    directory("top/d");
    mark("top/d", "redirect", "/elsewhere");
    mark("top/d", "impure", "z");
    file("top/f", "zzzz");
    mark("top/f", "metacopy", "");
    directory("top/o");
    mark("top/o", "opaque", "z");
    Subject alone;
    alone.layers = tree::open_layers({at("top")});
    EXPECT_EQ(found(alone), "top/o: opaque-invalid");
}

TEST_F(FsckTest, RefusesInUserxattrWhatSuchMountsRefuse) {
    for (const char* name : {"d", "f"}) {
        const std::string path = std::string("top/") + name;
        if (*name == 'd')
            directory(path);
        else
            file(path);
        const std::string attribute = *name == 'd' ? "user.overlay.redirect" : "user.overlay.metacopy";
        if (setxattr(at(path).c_str(), attribute.c_str(), "x", *name == 'd' ? 1 : 0, 0) != 0)
            GTEST_SKIP() << "no user attributes here";
    }
    EXPECT_EQ(found(subject(ondisk::Prefix::user)), "top/d: redirect-refused\ntop/f: metacopy-refused");
}

TEST_F(FsckTest, RefusesLayersWithinEachOther) {
    directory("top/inside");
    Subject nested;
    nested.layers = tree::open_layers({at("top"), at("top/inside")});
    Observer nobody;
    EXPECT_THROW(check(nested, nobody), Error);
    nested.layers = tree::open_layers({at("top"), at("top")});
    EXPECT_THROW(check(nested, nobody), Error);
}

TEST_F(FsckTest, CountsTheNamesOfFilesInTheIndex) {
    if (!can_follow())
        GTEST_SKIP() << "no file handles here";
    file("base/a");
    ASSERT_EQ(link(at("base/a").c_str(), at("base/b").c_str()), 0);
    ASSERT_EQ(link(at("base/a").c_str(), at("base/c").c_str()), 0);
    // Three names: a in the upper, b and c below.
    indexed("base/a", "top/a", "U+1");
    EXPECT_EQ(found(), "");
    mark("top/a", "nlink", "L-1");
    const std::string entry = index_name("base/a");
    expect_repaired(entry + ": nlink-low");
    mark("top/a", "nlink", "U1");
    expect_repaired(entry + ": nlink-malformed");
    mark("top/a", "nlink", "U+7");
    EXPECT_EQ(found(), entry + ": nlink-high");
    mark("top/a", "nlink", "U+1");
    mark("top/a", "origin", "rubbish");
    expect_repaired(entry + ": index-origin");
}

TEST_F(FsckTest, RemovesEntriesOfTheIndexThatLeadNowhereButNoData) {
    if (!can_follow())
        GTEST_SKIP() << "no file handles here";
    file("base/orphan");
    indexed("base/orphan", "top/orphan", "U-1");
    ASSERT_EQ(unlink(at("top/orphan").c_str()), 0);
    whiteout("top/orphan");
    file("base/stale");
    indexed("base/stale", "top/stale", "U-1");
    const std::string stale = index_name("base/stale");
    file("base/last");
    indexed("base/last", "top/last", "U+0");
    const std::string last = index_name("base/last");
    ASSERT_EQ(unlink(at("top/last").c_str()), 0);
    file("base/directory/f");
    const std::string directory_entry = index_name("base/directory");
    directory(directory_entry);
    ASSERT_EQ(unlink(at("base/stale").c_str()), 0);
    ASSERT_EQ(unlink(at("base/last").c_str()), 0);
    file("work/index/mine", "data");
    file("base/other");
    const std::string other = index_name("base/other");
    ASSERT_EQ(symlink("x", at(other).c_str()), 0);
    const auto names = [&](std::set<std::string> lines) {
        std::string all;
        for (const std::string& line : lines)
            all += (all.empty() ? "" : "\n") + line;
        return all;
    };
    const std::string kept_entry = last + ": index-last-copy";
    // What is kept: the only copy of a file, and what is not known.
    expect_repaired(names({index_name("base/orphan") + ": index-orphan", stale + ": index-stale", "top/stale: origin-stale",
                           kept_entry, directory_entry + ": index-directory-stale", "work/index/mine: index-foreign",
                           other + ": index-type"}),
                    names({kept_entry, other + ": index-type", "top/stale: origin-stale", "top/stale: mark-unused",
                           "work/index/mine: index-foreign"}));
    EXPECT_TRUE(stat_at(AT_FDCWD, at(last)));
}

TEST_F(FsckTest, LeavesEntriesOfTheIndexWhoseLayerMayNotHaveBeenNamed) {
    if (!can_follow())
        GTEST_SKIP() << "no file handles here";
    file("base/f");
    indexed("base/f", "top/f", "U-1");
    ASSERT_EQ(unlink(at("base/f").c_str()), 0);
    ASSERT_EQ(removexattr(at("top").c_str(), "trusted.overlay.origin"), 0);
    EXPECT_EQ(found(), "top/f: origin-stale"); // nothing shows that its file system is there
}

TEST_F(FsckTest, KnowsWhoseIndexItIs) {
    if (!can_follow())
        GTEST_SKIP() << "no file handles here";
    file("base/a");
    indexed("base/a", "top/a", "U-1");
    mark("work/index", "upper", origin("top", true));
    mark("top", "origin", origin("middle"));
    EXPECT_EQ(found(), "");
    mark("top", "origin", origin("base"));
    EXPECT_EQ(found(), "work/index: index-other-lowers");
    mark("work/index", "upper", origin("base", true));
    EXPECT_EQ(found(), "work/index: index-other-upper");
}

TEST_F(FsckTest, EndsTheSameWhereverItIsCutOff) {
    if (!can_follow())
        GTEST_SKIP() << "no file handles here";
    const auto seed = [&] {
        for (const char* old : {"top", "middle", "base", "work"}) {
            std::filesystem::remove_all(at(old));
            directory(old);
        }
        directory("work/work/#7");
        whiteout("work/work/#7/a");
        whiteout("work/work/#7/b");
        file("work/work/#8", "part");
        file("work/work/incompat/volatile/dirty");
        file("base/d/f");
        file("top/d/f");
        set_origin("top/d/f", "base/d/f");
        mark("top/d", "opaque", "z");
        file("base/a");
        ASSERT_EQ(link(at("base/a").c_str(), at("base/b").c_str()), 0);
        indexed("base/a", "top/a", "L-2");
        mark("top/a", "origin", "rubbish");
        file("base/gone");
        indexed("base/gone", "top/gone", "U-1");
        ASSERT_EQ(unlink(at("base/gone").c_str()), 0);
        file("top/e");
        mark("top/e", "origin", "rubbish");
        mark("top/e", "opaque", "y");
        mark("top", "uuid", "short");
    };
    // Origins are handles, which differ from one seeding to the next.
    const auto comparable = [&] {
        std::string text = state();
        for (const char* lower : {"middle", "base/a", "base/d/f"}) {
            const std::string handle = hex(origin(lower));
            for (auto found = text.find(handle); found != std::string::npos; found = text.find(handle))
                text.replace(found, handle.size(), lower);
        }
        const std::string mark = "trusted.overlay.origin=00fb"; // of what is gone
        for (auto found = text.find(mark); found != std::string::npos; found = text.find(mark))
            text.replace(found, text.find_first_of(" \n", found) - found, "GONE");
        return text;
    };
    seed();
    Observer nobody;
    const auto whole = repair(subject(), options(true), nobody);
    const std::string expected = comparable();
    const std::string expected_findings = text(whole.left.findings);
    int steps = 0;
    for (bool cut_off = true; cut_off; ++steps) {
        seed();
        Crash crash(steps);
        try {
            repair(subject(), options(true), crash);
            cut_off = false;
        } catch (const std::runtime_error& error) {
            ASSERT_STREQ(error.what(), "crash");
        }
        const auto rest = repair(subject(), options(true), nobody);
        EXPECT_EQ(comparable(), expected) << "cut off before step " << steps;
        EXPECT_EQ(text(rest.left.findings), expected_findings) << "cut off before step " << steps;
    }
    EXPECT_GT(steps, 10);
}

TEST(FsckKinds, AreAllNamedOnceAndSaySomething) {
    std::set<std::string_view> names;
    for (const Kind& kind : all_kinds) {
        EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
        EXPECT_FALSE(kind.way_out.empty()) << kind.name;
    }
}

} // namespace
} // namespace shale::fsck
