// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include <unistd.h>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/mounted.hpp"
#include "commands/subject.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "fsck/repair.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Look through layer directories for what mounts would stumble over, and with --repair put right what can\n"
    "be: whiteouts, marks, redirects, copies without data, the index, what a crash has left in the work\n"
    "directory. Understands what Shale writes, and what overlayfs does.\n\n"
    "Layers are named from top to bottom, as for \"shale mount\": a writable one by --upper and --work, then\n"
    "those below it. Or a writable layer of the store by its name. A single directory is looked at by itself,\n"
    "without asking what lies below. A mount point is looked at as it is; its layers can't be repaired.\n\n"
    "What is found is harmless, repairable, or needs you: then only its owner can decide, and nothing is done.\n"
    "Only the first layer and its work directory are repaired; others may be of many mounts. To repair one of\n"
    "these, name it first. Each step is noted, with what was there before, in the journal, then done at once or\n"
    "not at all; after a crash, repair again. docs/fsck.md lists all kinds of findings.\n\n"
    "Exit status, as e2fsck has it; their sum where several hold:\n"
    "  0   nothing but what is harmless\n"
    "  1   something was repaired\n"
    "  4   something is left that is not harmless\n"
    "  8   it failed, or the layers are in use and can't be repaired\n"
    "  16  wrong usage\n"
    "  32  it was interrupted";

constexpr const char* examples =
    "Examples:\n"
    "  shale fsck web                                  the writable layer \"web\" of the store\n"
    "  shale fsck --upper u --work w app base          u and w, on app, on base\n"
    "  shale fsck --repair --upper u --work w app base\n"
    "  shale fsck /mnt                                 what is mounted there\n"
    "  shale fsck layer                                one directory by itself";

enum Status { fine = 0, corrected = 1, left = 4, failed = 8, cancelled = 32 };

struct Request {
    std::vector<std::string> arguments; ///< layers, or a target
    std::optional<std::string> upper;
    std::optional<std::string> work;
    std::vector<std::string> data;
    std::string journal;
    bool userxattr = false;
    bool dry_run = false;
    bool repair = false;
    bool accept_volatile = false;
    bool verbose = false;
};

/// What is looked at, and what keeps mounts away from it.
struct Stack {
    fsck::Subject subject;
    std::optional<Store> store{};
    std::optional<UseLock> is_mine{};
};

fsck::Subject subject_of_paths(const mounting::LayerPaths& paths, ondisk::Prefix prefix) {
    fsck::Subject subject;
    auto all = paths.lowers;
    if (paths.upper)
        all.insert(all.begin(), *paths.upper);
    subject.layers = tree::open_layers(all);
    subject.data_layers = paths.data_lowers;
    subject.is_upper = paths.upper.has_value();
    subject.work = paths.work;
    subject.prefix = prefix;
    return subject;
}

Stack stack_of_snapshot(const std::string& name, Store store, bool repair) {
    const SnapshotRecord snapshot = store.snapshot(name);
    Stack stack;
    if (repair)
        stack.is_mine = store.hold_for_mount(name);
    mounting::LayerPaths paths{{}, {}, store.lower_paths(snapshot)};
    if (!snapshot.is_view) {
        paths.upper = snapshot.upper;
        paths.work = snapshot.work;
    }
    stack.subject = subject_of_paths(paths, ondisk::Prefix::trusted);
    stack.store = std::move(store);
    return stack;
}

bool has_snapshot(Store& store, const std::string& name) {
    const auto all = store.snapshots();
    return std::any_of(all.begin(), all.end(), [&](const SnapshotRecord& snapshot) { return snapshot.name == name; });
}

Stack stack_of_mount(const std::string& target, const Globals& globals) {
    const auto live = live_layers_of(target, globals);
    Stack stack{subject_of_paths(live.paths, live.prefix)};
    stack.subject.is_live = true;
    return stack;
}

bool is_mount_of_layers(const std::string& directory) {
    const auto point = mounted_on(directory);
    return point && (point->type == netlink::stand_in_name || is_shale(*point));
}

Stack stack_of(const Request& request, const Globals& globals) {
    const auto prefix = request.userxattr ? ondisk::Prefix::user : ondisk::Prefix::trusted;
    if (!request.upper && request.arguments.size() == 1 && request.data.empty()) {
        const std::string& target = request.arguments.front();
        if (is_mount_of_layers(target))
            return stack_of_mount(target, globals);
        if (target.find('/') == std::string::npos && !std::filesystem::exists(target)) {
            if (auto store = existing_store(globals.root); store && has_snapshot(*store, target))
                return stack_of_snapshot(target, std::move(*store), request.repair);
            return stack_of_mount(target, globals);
        }
    }
    mounting::LayerPaths paths{request.upper, request.work, request.arguments};
    paths.lowers.insert(paths.lowers.end(), request.data.begin(), request.data.end());
    paths.data_lowers = request.data.size();
    return {subject_of_paths(paths, prefix)};
}

/// Neither overlayfs nor Shale shows its mark of being in use; but all mounts can be asked for.
void notice_use(fsck::Subject& subject, bool repair) {
    MountedDirectories mounted;
    std::vector<std::string> changed = {subject.layers.front()->path()};
    if (subject.work)
        changed.push_back(*subject.work);
    for (const std::string& path : changed) {
        if (!subject.is_live && !mounted.has_directory(path))
            continue;
        if (repair)
            throw Error(path, "is in use by a mount, and can't be repaired",
                        "unmount it first: \"shale who-uses\" and findmnt -t overlay tell where it is mounted");
        subject.is_live = true;
    }
}

const char* text_of(fsck::Class severity) {
    switch (severity) {
    case fsck::Class::harmless:
        return "harmless";
    case fsck::Class::repairable:
        return "repairable";
    case fsck::Class::needs_you:
        return "needs you";
    }
    return "";
}

uint64_t count_of(const fsck::Findings& findings, fsck::Class severity) {
    return static_cast<uint64_t>(std::count_if(findings.begin(), findings.end(), [&](const fsck::Finding& finding) {
        return finding.kind->severity == severity;
    }));
}

bool is_error(const fsck::Finding& finding) {
    return finding.kind->severity != fsck::Class::harmless;
}

int status_of(const fsck::Repair& outcome) {
    const auto& remaining = outcome.left.findings;
    return (outcome.done.empty() ? fine : corrected) | (std::any_of(remaining.begin(), remaining.end(), is_error) ? left : fine);
}

nlohmann::json to_json(const fsck::Finding& finding, bool repaired) {
    return {{"path", finding.place()},
            {"layer", finding.base},
            {"kind", finding.kind->name},
            {"class", text_of(finding.kind->severity)},
            {"rule", finding.kind->rule},
            {"detail", finding.detail},
            {"way_out", finding.kind->way_out},
            {"in_lower", finding.in_lower},
            {"repaired", repaired}};
}

void print_finding(const fsck::Finding& finding, bool repaired) {
    std::string way_out(finding.kind->way_out);
    if (finding.in_lower && finding.kind->severity == fsck::Class::repairable)
        way_out = "to repair it, name this layer first";
    std::cout << (repaired ? "repaired" : text_of(finding.kind->severity)) << ": " << printable(finding.place()) << ": "
              << printable(finding.detail) << " (" << finding.kind->name << ", rule " << finding.kind->rule << "); "
              << way_out << "\n";
}

void print_summary(const fsck::Subject& subject, const fsck::Repair& outcome, bool verbose) {
    const auto& remaining = outcome.left.findings;
    std::cout << count_text(outcome.left.totals.objects, "object") << " in " << count_text(subject.layers.size(), "layer")
              << ": ";
    if (!outcome.done.empty())
        std::cout << outcome.done.size() << " repaired, ";
    const auto repairable = count_of(remaining, fsck::Class::repairable);
    const auto yours = count_of(remaining, fsck::Class::needs_you);
    const auto harmless = count_of(remaining, fsck::Class::harmless);
    std::cout << (repairable + yours == 0
                      ? "clean"
                      : std::to_string(repairable) + " repairable, " + std::to_string(yours) + " for you to decide");
    if (harmless > 0)
        std::cout << "; " << harmless << " harmless" << (verbose ? "" : " (--verbose tells)");
    std::cout << "\n";
}

void report(const fsck::Subject& subject, const fsck::Repair& outcome, const Request& request, const Globals& globals) {
    if (globals.json) {
        auto layers = nlohmann::json::array();
        for (const auto& layer : subject.layers)
            layers.push_back(layer->path());
        auto findings = nlohmann::json::array();
        for (const auto& finding : outcome.done)
            findings.push_back(to_json(finding, true));
        for (const auto& finding : outcome.left.findings)
            findings.push_back(to_json(finding, false));
        print_json({{"layers", layers},
                    {"work", json_or_null(subject.work)},
                    {"in_use", subject.is_live},
                    {"objects", outcome.left.totals.objects},
                    {"repaired", outcome.done.size()},
                    {"harmless", count_of(outcome.left.findings, fsck::Class::harmless)},
                    {"repairable", count_of(outcome.left.findings, fsck::Class::repairable)},
                    {"needs_you", count_of(outcome.left.findings, fsck::Class::needs_you)},
                    {"findings", findings},
                    {"status", status_of(outcome)}});
        return;
    }
    for (const auto& finding : outcome.done)
        print_finding(finding, true);
    for (const auto& finding : outcome.left.findings) {
        if (request.verbose || is_error(finding))
            print_finding(finding, false);
    }
    if (subject.is_live)
        std::cout << "it is mounted: what changes meanwhile may give false findings, and the work directory was left out\n";
    print_summary(subject, outcome, request.verbose);
}

class Watcher : public fsck::Observer {
public:
    void so_far(const fsck::Totals& totals) override {
        if (terminal_)
            std::cerr << "\r\033[K" << count_text(totals.objects, "object") << std::flush;
    }
    bool cancelled() override { return CancelOnSignal::received() != 0; }
    void clear() const {
        if (terminal_)
            std::cerr << "\r\033[K" << std::flush;
    }

private:
    const bool terminal_ = isatty(STDERR_FILENO) != 0;
};

fsck::Repair look_or_repair(const fsck::Subject& subject, const Request& request) {
    const CancelOnSignal signals;
    Watcher watcher;
    fsck::Repair outcome;
    try {
        if (request.repair)
            outcome = fsck::repair(subject, {request.journal, request.accept_volatile}, watcher);
        else
            outcome.left = fsck::check(subject, watcher);
    } catch (...) {
        watcher.clear();
        throw;
    }
    watcher.clear();
    return outcome;
}

int work(Request request, const Globals& globals) {
    Stack stack = stack_of(request, globals);
    fsck::Subject& subject = stack.subject;
    if (subject.prefix == ondisk::Prefix::trusted && geteuid() != 0)
        throw Error(subject.layers.front()->path(), "its marks are shown to root alone", "run it with sudo");
    notice_use(subject, request.repair);
    if (request.repair && request.journal.empty()) {
        if (!subject.work)
            throw Error(subject.layers.front()->path(), "without a work directory there is no place for the journal",
                        "name a file for it with --journal");
        request.journal = fsck::journal_in(*subject.work);
    }
    const auto outcome = look_or_repair(subject, request);
    report(subject, outcome, request, globals);
    return status_of(outcome);
}

void run(const Request& request, const Globals& globals) {
    int status = failed;
    try {
        status = work(request, globals);
    } catch (const Cancelled&) {
        std::cerr << "shale: interrupted; " << (request.repair ? "what was begun is in the journal" : "not all was looked at")
                  << std::endl;
        status = cancelled;
    } catch (const Error& error) {
        std::cerr << "shale: " << error.what() << std::endl;
    }
    if (status != fine)
        throw Exit{status};
}

} // namespace

void add_fsck_command(CLI::App& app, Globals& globals) {
    auto request = std::make_shared<Request>();
    CLI::App* command = app.add_subcommand("fsck", description);
    CLI::Option* layers =
        command->add_option("layers", request->arguments, "Layers, the top-most first; or a mount, or a writable layer")
            ->type_name("DIR...|TARGET");
    CLI::Option* upper =
        command->add_option("--upper", request->upper, "The writable layer, above these")->type_name("DIR");
    command->add_option("--work", request->work, "Its work directory, with the index in it")
        ->type_name("DIR")
        ->needs(upper);
    command->add_option("--data", request->data, "A layer of data only, below these; repeat it")
        ->type_name("DIR")
        ->needs(layers)
        ->allow_extra_args(false)
        ->take_all();
    command->add_flag("--userxattr", request->userxattr, "Marks are user.overlay.*, as in mounts with that option");
    CLI::Option* dry = command->add_flag("-n,--dry-run", request->dry_run, "Change nothing, which is what happens anyway");
    CLI::Option* repair =
        command->add_flag("-p,-y,--repair", request->repair, "Repair what is repairable, without asking")->excludes(dry);
    command->add_flag("--accept-volatile", request->accept_volatile,
                      "Remove the mark of a mount that synced nothing: files may be empty or old, and\n"
                      "are taken as they are")
        ->needs(repair);
    command
        ->add_option("--journal", request->journal,
                     "Where each step is noted before it is done; fsck.journal in the work directory,\n"
                     "if not given")
        ->type_name("FILE")
        ->needs(repair);
    command->add_flag("-v,--verbose", request->verbose, "List what is harmless, too");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([request, layers, upper, &globals] {
        if (layers->count() + upper->count() == 0)
            throw CLI::RequiredError("layers, a mount or a writable layer");
        run(*request, globals);
    });
}

} // namespace shale
