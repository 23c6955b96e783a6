// SPDX-License-Identifier: GPL-2.0-or-later
#include <map>

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/temporary_directory.hpp"
#include "selftest/base_checks.hpp"
#include "selftest/union_checks.hpp"

namespace shale::selftest {

namespace {

/// Results by name.
using Results = std::map<std::string, Result>;

Report into(Results& results) {
    return [&results](const Result& result) { results.emplace(result.name, result); };
}

} // namespace

TEST(SelftestTest, WhatIsNoUnionFailsAllChecksButThoseThatAnyFileSystemPasses) {
    const TemporaryDirectory directory;
    const Place place{directory.path()};
    make_layers(place);
    Results results;
    check_union(place, [] {}, into(results));
    ASSERT_GE(results.size(), 19U);
    unsigned passed = 0;
    for (const auto& [name, result] : results) {
        passed += result.verdict == Verdict::works;
        EXPECT_EQ(result.verdict == Verdict::works, result.detail.empty()) << name;
    }
    EXPECT_EQ(results.at("a name is found in the top-most layer that has it").verdict, Verdict::fails);
    EXPECT_EQ(results.at("what was changed is there after mounting again").verdict, Verdict::fails);
    EXPECT_LE(passed, 4U) << "that are: whiteouts hide, statfs(2), syncfs(2), symbolic links";
}

TEST(SelftestTest, AfterTheChecksOfAFileSystemTheDirectoryIsEmptyAgain) {
    const TemporaryDirectory directory;
    Results results;
    check_base(directory.path(), into(results));
    EXPECT_GE(results.size(), 12U);
    EXPECT_EQ(results.at("RENAME_EXCHANGE").verdict, Verdict::works);
    EXPECT_EQ(rmdir(directory.path().c_str()), 0);
}

} // namespace shale::selftest
