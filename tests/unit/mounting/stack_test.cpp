// SPDX-License-Identifier: GPL-2.0-or-later
#include "mounting/stack.hpp"

#include <gtest/gtest.h>
#include <linux/shale.h>

#include <cerrno>
#include <fstream>

#include "base/temporary_directory.hpp"
#include "mounting/fs_context.hpp"

namespace shale::mounting {
namespace {

Stack stack_of_all() {
    Stack stack;
    stack.lowers = {"/l/top", "/l/base"};
    stack.data = {"/d"};
    stack.upper = "/u";
    stack.work = "/w";
    return stack;
}

Stack stack_of_one(const std::string& lower) {
    Stack stack;
    stack.lowers = {lower};
    return stack;
}

std::string explanation(int code, std::uint16_t type, std::size_t index) {
    netlink::Refused refused(code, "", 20);
    refused.attribute = netlink::AttributePosition{type, index};
    return explain(refused, stack_of_all()).what();
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Explanation, NamesTheLayerAtFault) {
    EXPECT_TRUE(contains(explanation(ELOOP, SHALE_A_STACK_LOWER, 1), "lower layer /l/base: "));
    EXPECT_TRUE(contains(explanation(ENOTDIR, SHALE_A_STACK_DATA, 0), "data layer /d: "));
    EXPECT_TRUE(contains(explanation(EBUSY, SHALE_A_STACK_UPPER, 0), "upper layer /u: "));
    EXPECT_TRUE(contains(explanation(EINVAL, SHALE_A_STACK_WORK, 0), "work directory /w: "));
}

TEST(Explanation, SaysWhatToDo) {
    EXPECT_TRUE(contains(explanation(EBUSY, SHALE_A_STACK_UPPER, 0), "; "));
    EXPECT_TRUE(contains(explanation(EPERM, SHALE_A_STACK_LOWER, 0), "sudo"));
}

TEST(Explanation, KeepsTheWordsOfTheKernel) {
    const netlink::Refused refused(EINVAL, "too many layers", std::nullopt);
    EXPECT_STREQ(explain(refused, stack_of_all()).what(), "stack of layers: too many layers");
}

TEST(MountStack, RefusesAMissingLayerByName) {
    const TemporaryDirectory directory;
    try {
        mount_stack(stack_of_one(directory.path() + "/absent"), directory.path());
        FAIL() << "mounted";
    } catch (const Error& error) {
        EXPECT_TRUE(contains(error.what(), "lower layer " + directory.path() + "/absent: No such"));
    }
}

TEST(MountStack, RefusesAFileAsLayer) {
    const TemporaryDirectory directory;
    const std::string file = directory.path() + "/file";
    std::ofstream(file) << "x";
    try {
        mount_stack(stack_of_one(file), directory.path());
        FAIL() << "mounted";
    } catch (const Error& error) {
        EXPECT_TRUE(contains(error.what(), "lower layer " + file + ": is not a directory"));
    }
}

TEST(ContextLog, PrefersErrorsToWarnings) {
    ContextLog log("shale");
    log.add("w something odd\n");
    log.add("i for your information\n");
    EXPECT_EQ(log.summary(), "something odd");
    log.add("e shale: Unknown parameter 'foo'\n");
    log.add("e second");
    EXPECT_EQ(log.summary(), "Unknown parameter 'foo', second");
}

} // namespace
} // namespace shale::mounting
