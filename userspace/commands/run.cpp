// SPDX-License-Identifier: GPL-2.0-or-later
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/join.hpp"
#include "commands/globals.hpp"
#include "commands/mounted.hpp"
#include "commands/table.hpp"
#include "mounting/options.hpp"
#include "mounting/stack.hpp"
#include "netlink/client.hpp"
#include "running/container.hpp"
#include "store/index_names.hpp"
#include "store/store.hpp"
#include "tree/needs.hpp"

namespace shale {

namespace {

struct Options {
    std::string image;
    std::string keep;
    std::string user;
    std::string directory;
    std::vector<std::string> environment;
    bool remove = false; ///< the default, and said for those who are used to saying it
};

constexpr const char* description =
    "Run a command on the root file system that an image makes: what the image's config says (Entrypoint,\n"
    "Cmd, Env, WorkingDir, User), or COMMAND in the place of Cmd. It has mounts, processes, a host name and\n"
    "IPC of its own, /proc, a small /dev, and /sys, read-only; the network, limits and rights are the caller's.\n"
    "It is for looking into an image and for tests, and no engine: run what you trust.\n\n"
    "Changes go to a writable layer that is removed at the end, whatever ends it, but for SIGKILL\n"
    "(\"snapshot rm\" removes it then); or that is kept, with --keep. It is mounted by Shale, or by the kernel's\n"
    "overlayfs where Shale is not loaded. Signals are passed on.\n\n"
    "Exit status: the command's; 128 and the number of the signal that ended it; 127 when there is no such\n"
    "program, 126 when it can't be run, and 125 when the rest failed.";

constexpr const char* examples = "Examples:\n"
                                 "  shale run debian                        what the image says\n"
                                 "  shale run debian cat /etc/os-release\n"
                                 "  shale run --keep try debian bash        and \"snapshot diff try\" afterwards";

/// The writable layer of one run.
class RunSnapshot {
public:
    RunSnapshot(Store& store, const std::string& keep, const std::string& image)
        : store_(store), keeps_(!keep.empty()) {
        if (keeps_) {
            record_ = store.prepare_or_take_up(keep, image);
            return;
        }
        const auto moment = std::chrono::steady_clock::now().time_since_epoch().count();
        record_ = store.prepare("run-" + std::to_string(getpid()) + "-" + std::to_string(moment), image);
    }

    /// Where finish() was not called, the reason for that is told, and not what comes of this.
    ~RunSnapshot() {
        try {
            finish();
        } catch (const std::exception&) {
        }
    }
    RunSnapshot(const RunSnapshot&) = delete;
    RunSnapshot& operator=(const RunSnapshot&) = delete;

    const SnapshotRecord& record() const { return record_; }

    void finish() {
        if (std::exchange(keeps_, true))
            return;
        // The kernel may take a moment to unmount what has just been ended.
        constexpr int most = 100;
        for (int i = 0; i < most; ++i) {
            if (store_.remove_snapshot(record_.name, is_upper_mounted))
                return;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        throw Error("writable layer '" + record_.name + "'", "is still mounted, and so not removed",
                    "remove it later: 'shale snapshot rm " + record_.name + "'");
    }

private:
    Store& store_;
    bool keeps_;
    SnapshotRecord record_;
};

/// Options have room in one page: the layers are named from where they lie.
void mount_by_overlayfs(const std::vector<std::string>& lowers, const SnapshotRecord& snapshot,
                        const std::string& target) {
    const std::filesystem::path layers = std::filesystem::path(lowers.front()).parent_path();
    std::vector<std::string> names;
    for (const std::string& lower : lowers)
        names.push_back(std::filesystem::path(lower).filename());
    std::vector<std::string> options = tree::needs_of_upper(snapshot.upper).options();
    if (has_indexed_files(snapshot.work))
        options.emplace_back("index=on");
    options.push_back("lowerdir=" + join(names, ":"));
    options.push_back("upperdir=" + mounting::escaped(snapshot.upper));
    options.push_back("workdir=" + mounting::escaped(snapshot.work));
    if (chdir(layers.c_str()) != 0)
        throw Error::from_errno(layers, errno);
    if (mount(snapshot.name.c_str(), target.c_str(), "overlay", 0, join(options, ",").c_str()) != 0)
        throw Error::from_errno("mount by overlayfs, as Shale is not loaded", errno,
                                "load the module: modprobe shale");
}

void mount_root(const std::vector<std::string>& lowers, const SnapshotRecord& snapshot, const std::string& target) {
    if (!netlink::Client::open_if_loaded())
        return mount_by_overlayfs(lowers, snapshot, target);
    mounting::Stack stack;
    stack.lowers = lowers;
    stack.upper = snapshot.upper;
    stack.work = snapshot.work;
    stack.source = snapshot.name;
    if (has_indexed_files(snapshot.work))
        stack.options.emplace_back("index=on");
    mounting::mount_stack(stack, target);
}

running::Command command_of(const Options& options, const std::vector<std::string>& words, const ImageRecord& image) {
    running::Command command = running::command_of_image(image.config, words, "image '" + image.name + "'");
    if (const char* terminal = std::getenv("TERM"); terminal && isatty(STDIN_FILENO) != 0)
        running::set_variable(command.environment, std::string("TERM=") + terminal);
    for (const std::string& assignment : options.environment)
        running::set_variable(command.environment, assignment);
    if (!options.user.empty())
        command.user = options.user;
    if (!options.directory.empty())
        command.directory = options.directory;
    return command;
}

int run_command(const Options& options, const std::vector<std::string>& words, const Globals& globals) {
    const running::SignalsHeld signals; // until all is cleaned up
    Store store = Store::open(globals.root);
    std::optional<UseLock> layers_stay = store.hold();
    const ImageRecord image = store.image(options.image);
    running::Container::Plan plan;
    plan.command = command_of(options, words, image);
    const std::vector<std::string> lowers = store.layer_paths(image);

    std::optional<UseLock> snapshots_stay = store.hold_snapshots();
    std::optional<UseLock> nobody_reads;
    const auto release = [&] {
        nobody_reads.reset();
        snapshots_stay.reset();
        layers_stay.reset();
    };
    RunSnapshot snapshot(store, options.keep, image.name);
    const SnapshotRecord& record = snapshot.record();
    plan.host_name = record.name.substr(0, 63);
    // Over the layer's own directory: it is there, and is the only one that others have no business in.
    plan.root = std::filesystem::path(record.upper).parent_path();
    plan.mount = [&] { mount_root(lowers, record, plan.root); };
    try {
        nobody_reads = store.hold_for_mount(record.name);
        // overlayfs itself would only warn of a second mount.
        if (is_upper_mounted(record.upper))
            throw Error("writable layer '" + record.name + "'", "is mounted", "shale umount " + record.name + ", or take another name");
        if (store.image(image.name).manifest_digest != image.manifest_digest)
            throw Error("image '" + image.name + "'", "has just become another one", "try again");
        running::Container container(plan, signals);
        release();
        const auto outcome = container.wait();
        if (!outcome.message.empty())
            std::cerr << "shale: " << printable(outcome.message) << "\n";
        snapshot.finish();
        return outcome.status;
    } catch (...) {
        release();
        throw;
    }
}

void run(const Options& options, const std::vector<std::string>& words, const Globals& globals) {
    int status = running::not_started;
    try {
        status = run_command(options, words, globals);
    } catch (const Error& error) {
        std::cerr << "shale: " << error.what() << "\n";
    }
    std::exit(status);
}

} // namespace

void add_run_command(CLI::App& app, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("run", description);
    // What stands behind IMAGE is the command's, options and all.
    command->fallthrough(false);
    command->prefix_command();
    command->add_option("image", options->image, "Name of the image, and what to run")
        ->option_text("IMAGE [COMMAND...]")
        ->required();
    command->add_option("--keep", options->keep, "Keep the writable layer under this name, new or old")
        ->type_name("NAME");
    command->add_flag("--rm", options->remove, "Remove the writable layer, as is done without --keep");
    command->add_option("-e,--env", options->environment, "Set a variable; repeatable")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false)
        ->take_all()
        ->check([](const std::string& text) {
            return text.find('=') == std::string::npos || text.front() == '=' ? "NAME=VALUE is wanted" : "";
        });
    command->add_option("-u,--user", options->user, "Run as this user, and group, of the image")
        ->type_name("USER[:GROUP]");
    command->add_option("-w,--workdir", options->directory, "Start in this directory")
        ->type_name("DIR")
        ->check([](const std::string& text) { return text.starts_with('/') ? "" : "an absolute path is wanted"; });
    command->footer(examples);
    command->callback([options, command, &globals] {
        std::vector<std::string> words = command->remaining();
        if (!words.empty() && words.front() == "--")
            words.erase(words.begin());
        if (options->remove && !options->keep.empty())
            throw CLI::ValidationError("--rm and --keep exclude each other");
        run(*options, words, globals);
    });
}

} // namespace shale
