// SPDX-License-Identifier: GPL-2.0-or-later
//
// The model against plain directories, which behave by POSIX as any file system; against ones with a fault of our
// making; and what a fault is shrunk to.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/at.hpp"
#include "base/names_in.hpp"
#include "base/temporary_directory.hpp"
#include "exercise/calls.hpp"
#include "exercise/first_tree.hpp"
#include "exercise/generator.hpp"
#include "exercise/layers.hpp"
#include "exercise/run.hpp"
#include "exercise/script.hpp"
#include "exercise/shrink.hpp"
#include "exercise/unchanged.hpp"

namespace shale::exercise {

namespace {

constexpr size_t many = 1500;

class DirectorySite : public Site {
public:
    DirectorySite() : root_(open_at(AT_FDCWD, directory_.path(), O_RDONLY | O_DIRECTORY)) {}

    int root() const override { return root_.get(); }
    const Traits& traits() const override { return traits_; }
    NodePtr first_tree() override { return tree_of_empty(root()); }
    const std::string& path() const { return directory_.path(); }

private:
    const TemporaryDirectory directory_;
    const UniqueFd root_;
    const Traits traits_;
};

/// What goes wrong after a call that went well, or the answer in its stead.
using Fault = int (*)(int root, const Operation& operation);

class FaultySite : public DirectorySite {
public:
    explicit FaultySite(Fault fault) : fault_(fault) {}

    int make(const Operation& operation) override {
        const int answer = call(root(), operation);
        return answer ? answer : fault_(root(), operation);
    }

private:
    const Fault fault_;
};

std::string full_path(int root, const std::string& path) {
    return "/proc/self/fd/" + std::to_string(root) + "/" + path;
}

int lose_xattr_at_rename(int root, const Operation& operation) {
    if (operation.kind == Kind::rename)
        lremovexattr(full_path(root, operation.other).c_str(), "user.a");
    return 0;
}

int forget_mode_at_link(int root, const Operation& operation) {
    struct stat st {};
    if (operation.kind == Kind::link && fstatat(root, operation.other.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(st.st_mode))
        fchmodat(root, operation.other.c_str(), 0644, 0);
    return 0;
}

int leave_garbage_at_truncate(int root, const Operation& operation) {
    struct stat st {};
    if (operation.kind != Kind::truncate || fstatat(root, operation.path.c_str(), &st, 0) != 0 || st.st_size < 4000)
        return 0;
    const UniqueFd fd = open_at(root, operation.path, O_WRONLY);
    write_all_at(fd.get(), "garbage", 7, static_cast<uint64_t>(st.st_size) - 7, operation.path);
    return 0;
}

int change_time_at_list(int root, const Operation& operation) {
    const timespec times[2] = {{1, 0}, {1, 0}};
    return operation.kind == Kind::list ? utimensat(root, operation.path.c_str(), times, 0) : 0;
}

int refuse_exchange_of_directories(int root, const Operation& operation) {
    struct stat st {};
    const bool is_exchange = operation.kind == Kind::rename && operation.flags == RENAME_EXCHANGE;
    return is_exchange && fstatat(root, operation.path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)
               ? EIO
               : 0;
}

struct Seeded {
    Fault fault;
    const char* aspect; ///< that gives it away
    size_t most_steps;  ///< that bring it out
};

const Seeded seeded[] = {
    {lose_xattr_at_rename, "extended attributes", 3}, // create, setfattr, rename
    {forget_mode_at_link, "mode", 3},                 // create, chmod, link
    {leave_garbage_at_truncate, "content", 2},        // create, truncate
    {change_time_at_list, "time of modification", 2}, // list, perhaps after mkdir
    {refuse_exchange_of_directories, "answer of rename(2)", 3},
};

class Exercising : public testing::Test {
protected:
    void SetUp() override {
        if (geteuid() != 0)
            GTEST_SKIP() << "chown(2) and trusted attributes need root";
        const TemporaryDirectory directory;
        if (setxattr(directory.path().c_str(), "trusted.a", "y", 1, 0) != 0)
            GTEST_SKIP() << "no trusted attributes here";
        umask(umask_of_operations);
    }
};

class SeededFault : public Exercising, public testing::WithParamInterface<Seeded> {};

Outcome run_on(const OpenSite& open, unsigned seed) {
    return run({.seed = seed}, many, open, [] {});
}

std::string text_of(const std::optional<Failure>& failure) {
    if (!failure)
        return "";
    const Difference& difference = failure->difference;
    return difference.path + ": " + difference.aspect + ": expected " + difference.expected + "; seen " +
           difference.seen;
}

/// All of a tree that a script can make again.
std::string dump(int root, const std::string& path) {
    struct stat st = stat_at(root, path).value();
    std::string text =
        path + " " + std::to_string(st.st_mode) + " " + std::to_string(st.st_uid) + ":" + std::to_string(st.st_gid);
    for (const auto& [name, value] : xattrs_of(root, path))
        text += " " + name + "=" + value;
    if (!S_ISDIR(st.st_mode))
        text += " " + std::to_string(st.st_nlink);
    if (S_ISLNK(st.st_mode))
        text += " -> " + read_link_at(root, path);
    if (S_ISREG(st.st_mode)) {
        std::ifstream file(full_path(root, path), std::ios::binary);
        text += " " + std::string(std::istreambuf_iterator<char>(file), {});
    }
    text += "\n";
    if (!S_ISDIR(st.st_mode))
        return text;
    auto names = names_in(open_at(root, path, O_RDONLY | O_DIRECTORY).get());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
        text += dump(root, join_path(path, name));
    return text;
}

std::vector<int> answers(const Model& model, const Operation& operation) {
    return model.plan(operation).errors;
}

} // namespace

TEST_F(Exercising, APlainDirectoryIsAsTheModelSays) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        const Outcome outcome = run_on([](const Case&) { return std::make_unique<DirectorySite>(); }, seed);
        ASSERT_FALSE(outcome.failure) << "seed " << seed << ", step " << outcome.failure->step << ", "
                                      << describe(outcome.played.steps.back()) << ": " << text_of(outcome.failure);
        EXPECT_EQ(outcome.played.steps.size(), many);
    }
}

TEST_F(Exercising, EachKindOfOperationSucceedsNowAndThen) {
    const Outcome outcome = run_on([](const Case&) { return std::make_unique<DirectorySite>(); }, 5);
    DirectorySite site;
    std::map<Kind, unsigned> succeeded;
    for (const Operation& operation : outcome.played.steps)
        succeeded[operation.kind] += call(site.root(), operation) == 0;
    // Devices and remounts are for mounts.
    for (int kind = static_cast<int>(Kind::create); kind < static_cast<int>(Kind::remount); ++kind) {
        if (static_cast<Kind>(kind) != Kind::make_device) {
            EXPECT_GT(succeeded[static_cast<Kind>(kind)], 1U) << name_of(static_cast<Kind>(kind));
        }
    }
}

TEST_P(SeededFault, IsFoundAndShrunkToTheStepsItTakes) {
    const OpenSite open = [](const Case&) { return std::make_unique<FaultySite>(GetParam().fault); };
    const Outcome outcome = run_on(open, 7);
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->difference.aspect, GetParam().aspect);

    size_t tries = 0;
    const Found found = shrink({outcome.played, *outcome.failure}, outcome.looks, open, [&](const Shrinking& state) {
        tries = state.replays;
        return true;
    });
    EXPECT_LE(found.played.steps.size(), GetParam().most_steps) << script_of(found, "");
    EXPECT_EQ(found.failure.difference.aspect, GetParam().aspect);
    EXPECT_LT(tries, 1000U);
    const auto again = play(found.played, outcome.looks, open);
    ASSERT_TRUE(again) << "what is left brings it out again";
    EXPECT_EQ(again->difference.path, found.failure.difference.path);
    EXPECT_FALSE(play(found.played, outcome.looks, [](const Case&) { return std::make_unique<DirectorySite>(); }));
}

INSTANTIATE_TEST_SUITE_P(ExercisingFaults, SeededFault, testing::ValuesIn(seeded));

TEST_F(Exercising, ShrinkingStopsWhenItIsTold) {
    const OpenSite open = [](const Case&) { return std::make_unique<FaultySite>(lose_xattr_at_rename); };
    const Outcome outcome = run_on(open, 7);
    ASSERT_TRUE(outcome.failure);
    const Found found = shrink({outcome.played, *outcome.failure}, outcome.looks, open,
                               [](const Shrinking& state) { return state.replays < 3; });
    EXPECT_TRUE(play(found.played, outcome.looks, open)) << "what it has come to fails still";
}

TEST_F(Exercising, TheScriptDoesWhatTheOperationsDid) {
    if (std::system("for i in python3 setfattr fallocate; do command -v $i >/dev/null || exit; done") != 0)
        GTEST_SKIP() << "python3, setfattr or fallocate is missing";
    const Outcome outcome = run_on([](const Case&) { return std::make_unique<DirectorySite>(); }, 11);
    DirectorySite site;
    std::vector<Operation> operations;
    for (const Operation& operation : outcome.played.steps) {
        // A shell's redirection would wait for somebody to read.
        if (operations.size() < 80 && call(site.root(), operation) == 0)
            operations.push_back(operation);
    }
    DirectorySite other;
    const TemporaryDirectory scratch;
    const std::string script = scratch.path() + "/script";
    std::ofstream(script) << commands_of(operations);
    const std::string command = "cd " + other.path() + " && sh -e " + script;
    ASSERT_EQ(std::system(command.c_str()), 0) << commands_of(operations);
    EXPECT_EQ(dump(other.root(), "."), dump(site.root(), "."));
}

TEST_F(Exercising, ASeedDecidesLayersAndOperations) {
    const auto text_of_case = [](const Case& made) {
        std::string text = std::to_string(made.lowers);
        for (const std::string& option : made.options)
            text += " " + option;
        return text + "\n" + commands_of(made.layers);
    };
    EXPECT_EQ(text_of_case(make_case(3, {}, {})), text_of_case(make_case(3, {}, {})));
    EXPECT_NE(text_of_case(make_case(3, {}, {})), text_of_case(make_case(4, {}, {})));
    EXPECT_TRUE(has(make_case(3, {}, {"index=off"}).options, "index=off"));
    EXPECT_FALSE(has(make_case(3, {}, {"index=off"}).options, "index=on"));

    const OpenSite open = [](const Case&) { return std::make_unique<DirectorySite>(); };
    EXPECT_EQ(commands_of(run_on(open, 3).played.steps), commands_of(run_on(open, 3).played.steps));
}

TEST(ExerciseModel, AnswersAsPosixSays) {
    const auto root = std::make_shared<Node>(Node{.mode = S_IFDIR | 0755});
    const Model model(root, {});
    const auto make = [&](Kind kind, const std::string& path, const std::string& other = "") {
        const Plan plan = model.plan({.kind = kind, .path = path, .other = other});
        ASSERT_TRUE(plan.errors.empty()) << path;
        plan.commit();
    };
    make(Kind::make_directory, "a");
    make(Kind::make_directory, "a/b");
    make(Kind::create, "f");
    make(Kind::make_symlink, "loop", "loop");
    make(Kind::make_symlink, "link", "a");
    make(Kind::link, "f", "a/f");

    EXPECT_EQ(answers(model, {.kind = Kind::rename, .path = "a", .other = "a/b/c"}), std::vector{EINVAL});
    EXPECT_EQ(answers(model, {.kind = Kind::rmdir, .path = "a"}), std::vector{ENOTEMPTY});
    EXPECT_EQ(answers(model, {.kind = Kind::unlink, .path = "a/b"}), std::vector{EISDIR});
    EXPECT_EQ(answers(model, {.kind = Kind::stat, .path = "f/x"}), std::vector{ENOTDIR});
    EXPECT_EQ(answers(model, {.kind = Kind::stat, .path = "loop/x"}), std::vector{ELOOP});
    EXPECT_EQ(answers(model, {.kind = Kind::link, .path = "a", .other = "g"}), std::vector{EPERM});
    EXPECT_EQ(answers(model, {.kind = Kind::remove_xattr, .path = "f", .name = "user.a"}), std::vector{ENODATA});
    EXPECT_EQ(answers(model, {.kind = Kind::set_xattr, .path = "link", .name = "user.a"}), std::vector{EPERM});
    EXPECT_EQ(answers(model, {.kind = Kind::stat, .path = std::string(256, 'n')}), std::vector{ENAMETOOLONG});
    EXPECT_TRUE(answers(model, {.kind = Kind::stat, .path = "link/b"}).empty());
    EXPECT_EQ(model.find("f"), model.find("link/f"));
    EXPECT_EQ(model.find("f")->links, 2U);

    // Two names of one file both stay.
    make(Kind::rename, "f", "a/f");
    EXPECT_TRUE(model.find("f") && model.find("a/f"));
    make(Kind::rename, "a/b", "c");
    EXPECT_FALSE(model.find("a/b"));
    EXPECT_TRUE(model.find("c")->is_directory());
}

TEST(ExerciseModel, LowerDirectoriesAreNotRenamedWhereTheMountSaysSo) {
    const auto root = std::make_shared<Node>(Node{.mode = S_IFDIR | 0755});
    root->children["old"] = std::make_shared<Node>(Node{.mode = S_IFDIR | 0755, .is_of_layers = true});
    root->children["new"] = std::make_shared<Node>(Node{.mode = S_IFDIR | 0755});
    const Model model(root, {.renames_lower_directories = false});
    EXPECT_EQ(answers(model, {.kind = Kind::rename, .path = "old", .other = "x"}), std::vector{EXDEV});
    EXPECT_TRUE(answers(model, {.kind = Kind::rename, .path = "new", .other = "x"}).empty());
    EXPECT_EQ(answers(model, {.kind = Kind::rename, .path = "new", .other = "old", .flags = RENAME_EXCHANGE}),
              std::vector{EXDEV});
}

TEST(ExerciseLayers, AChangedLowerLayerIsFound) {
    const TemporaryDirectory directory;
    std::ofstream(directory.path() + "/file") << "text";
    Statuses before, after;
    add_statuses(directory.path(), before);
    add_statuses(directory.path(), after);
    EXPECT_FALSE(compare(before, after));
    ASSERT_EQ(chmod((directory.path() + "/file").c_str(), 0600), 0);
    after.clear();
    add_statuses(directory.path(), after);
    ASSERT_TRUE(compare(before, after));
    EXPECT_EQ(compare(before, after)->path, directory.path() + "/file");
}

} // namespace shale::exercise
