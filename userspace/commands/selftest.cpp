// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include <sys/utsname.h>

#include "base/error.hpp"
#include "base/temporary_directory.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/scratch_mount.hpp"
#include "commands/subject.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "mounting/stack.hpp"
#include "mounting/unmount.hpp"
#include "netlink/client.hpp"
#include "selftest/base_checks.hpp"
#include "selftest/union_checks.hpp"
#include "verify/walk.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "See in a minute whether Shale works here: with this kernel, this module, and the file system of DIR.\n\n"
    "First, what the file system can do that a writable layer is made of, and what it costs where it can't;\n"
    "then a mount of a few layers is used as programs do, and at last verified. All of it happens in a new\n"
    "directory in DIR ($TMPDIR or /tmp), in a mount namespace of its own, and leaves nothing behind.\n\n"
    "Who is not root runs it in a user namespace; then it tells what works for mounts there.\n\n"
    "Exit status: 0 when all works that this file system allows, 1 when something fails.";

constexpr const char* examples = "Examples:\n"
                                 "  shale selftest /var/lib                    can layers lie there?\n"
                                 "  unshare -rm shale selftest ~               and in a user namespace?";

std::string word_for(selftest::Verdict verdict) {
    switch (verdict) {
    case selftest::Verdict::works:
        return "ok";
    case selftest::Verdict::lacks:
        return "lacks";
    default:
        return "FAILS";
    }
}

/// Prints results as they come, or keeps them for --json.
class Results {
public:
    explicit Results(bool json) : json_(json) {}

    void head(const std::string& text) const {
        if (!json_)
            std::cout << printable(text) << "\n";
    }

    void add(nlohmann::json& list, const selftest::Result& result) {
        failed_ += result.verdict == selftest::Verdict::fails;
        if (json_) {
            list.push_back({{"check", result.name}, {"result", word_for(result.verdict)}, {"detail", result.detail}});
            return;
        }
        std::string word = word_for(result.verdict);
        word.resize(6, ' ');
        std::cout << "  " << word << result.name << (result.detail.empty() ? "" : ": " + printable(result.detail)) << std::endl;
    }

    selftest::Report base() {
        return [this](const selftest::Result& result) { add(base_, result); };
    }
    selftest::Report unions() {
        return [this](const selftest::Result& result) { add(union_, result); };
    }

    void finish(const std::string& kernel, const std::string& type) {
        if (json_)
            print_json({{"kernel", kernel}, {"type", type}, {"file_system", base_}, {"mount", union_}, {"failed", failed_}});
    }

    uint64_t failed() const { return failed_; }

private:
    const bool json_;
    uint64_t failed_ = 0;
    nlohmann::json base_ = nlohmann::json::array();
    nlohmann::json union_ = nlohmann::json::array();
};

void unmount(const std::string& path) {
    mounting::unmount(mounted_on(path).value(), false);
}

void verify_mount(const std::string& target, const Globals& globals, const selftest::Report& report) {
    const std::string name = "verify: the mount shows what its layers say";
    KeptFindings findings;
    verify::verify(subject_of(target, globals), {true, 1}, findings);
    if (findings.text().empty())
        report({name, selftest::Verdict::works});
    else
        report({name, selftest::Verdict::fails, findings.text()});
}

void check_mount(const selftest::Place& place, const Globals& globals, const selftest::Report& report) {
    selftest::make_layers(place);
    mounting::mount_stack(place.stack(), place.merged());
    selftest::check_union(
        place,
        [&] {
            unmount(place.merged());
            mounting::mount_stack(place.stack(), place.merged());
        },
        report);
    verify_mount(place.merged(), globals, report);
    unmount(place.merged());
}

void run(const std::string& dir, const Globals& globals) {
    utsname system{};
    uname(&system);
    const std::string type = netlink::Client::open().file_system();
    const TemporaryDirectory scratch(dir, "shale-selftest.");
    leave_mount_namespace("run it as root, or in a user namespace: unshare -rm shale selftest");

    Results results(globals.json);
    results.head("File system of " + (dir.empty() ? scratch.path() : dir) + ":");
    selftest::check_base(scratch.path(), results.base());
    results.head("Mount of type " + type + ", Linux " + system.release + ":");
    check_mount({scratch.path()}, globals, results.unions());
    results.finish(system.release, type);
    if (results.failed() > 0)
        throw Error("selftest", count_text(results.failed(), "check") + " failed", "please report it, with the kernel log (dmesg)");
}

} // namespace

void add_selftest_command(CLI::App& app, Globals& globals) {
    auto dir = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("selftest", description);
    command->add_option("directory", *dir, "Where layers are to lie")->type_name("DIR");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([dir, &globals] { run(*dir, globals); });
}

} // namespace shale
