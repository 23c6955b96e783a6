// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <memory>

#include <sys/mount.h>

#include "commands/globals.hpp"
#include "commands/mounted.hpp"
#include "commands/table.hpp"
#include "mounting/options.hpp"
#include "mounting/stack.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

struct MountOptions {
    std::vector<std::string> arguments; ///< IMAGE DIR, or DIR with --lower
    std::vector<std::string> options;   ///< each as mount(8) takes it behind -o
    std::string name;
    std::optional<std::string> size;   ///< of the writable layer, as the kernel takes them
    std::optional<std::string> inodes;
    bool read_only = false;
    mounting::Stack stack;
};

constexpr const char* description =
    "Mount an image, or layers of your own, on a directory.\n\n"
    "An image gets a writable layer, in which every change to the mounted tree ends up; the image\n"
    "itself never changes. The layer has a name, keeps its content when it is unmounted, and "
    "comes\n"
    "back when it is mounted under that name again. One image can be mounted many times.";

constexpr const char* examples =
    "Examples:\n"
    "  shale mount debian /mnt                     a fresh writable layer; its name is printed\n"
    "  shale mount debian /mnt --name web          the writable layer \"web\", made if need be\n"
    "  shale mount debian /mnt --size 10G          at most so much in it; \"shale set\" changes that\n"
    "  shale mount debian /mnt --read-only         just the image\n"
    "  shale mount --lower a --lower b /mnt        a over b, read-only\n"
    "  shale mount --lower a --upper u --work w /mnt   changes go to u; w is an empty directory\n"
    "                                              beside u that the kernel works in";

/// @p path as it stands, from the root: messages and JSON mean the same wherever they are read.
std::string absolute(const std::string& path) {
    std::error_code failed;
    const auto resolved =
        std::filesystem::weakly_canonical(std::filesystem::absolute(path, failed), failed);
    return failed || path.empty() ? path : resolved.string();
}

/// A name for a writable layer made from that of an image: letters, digits, '.', '_' and '-'.
std::string plain_name(std::string image) {
    constexpr std::size_t longest = 100;
    const auto alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)); };
    image.resize(std::min(image.size(), longest));
    std::replace_if(
        image.begin(), image.end(),
        [&](char c) { return !alphanumeric(c) && c != '.' && c != '_' && c != '-'; }, '-');
    return alphanumeric(image.front()) ? image : "image" + image;
}

/// A name that no writable layer has yet.
std::string free_name(Store& store, const std::string& image) {
    const auto snapshots = store.snapshots();
    const auto taken = [&](const std::string& name) {
        return std::any_of(snapshots.begin(), snapshots.end(),
                           [&](const SnapshotRecord& snapshot) { return snapshot.name == name; });
    };
    const std::string base = plain_name(image);
    std::string name = base;
    for (int number = 2; taken(name); ++number)
        name = base + "-" + std::to_string(number);
    return name;
}

void report(const MountOptions& options, const std::string& target, const std::string& image,
            bool json) {
    const mounting::Stack& stack = options.stack;
    if (json) {
        print_json({{"mountpoint", target},
                    {"image", image.empty() ? nlohmann::json() : nlohmann::json(image)},
                    {"name", stack.source},
                    {"read_only", stack.read_only || !stack.upper},
                    {"lowers", stack.lowers},
                    {"data", stack.data},
                    {"upper", stack.upper ? nlohmann::json(*stack.upper) : nlohmann::json()},
                    {"work", stack.work ? nlohmann::json(*stack.work) : nlohmann::json()}});
        return;
    }
    std::cout << "mounted " << (image.empty() ? "" : printable(image) + " ") << "on "
              << printable(target);
    if (!image.empty())
        std::cout << " as " << printable(stack.source);
    if (stack.upper && !stack.read_only)
        std::cout << "; changes go to " << printable(*stack.upper) << "\n";
    else
        std::cout << ", read-only\n";
}

/// Another process may have mounted it meanwhile, and written to it.
void remove_untouched(Store& store, const std::string& name) {
    try {
        store.remove_snapshot(name, [](const std::string& upper) {
            return is_upper_mounted(upper) || !std::filesystem::is_empty(upper);
        });
    } catch (const std::exception&) {
        // That it could not be mounted is to be told.
    }
}

std::optional<SnapshotRecord> view_called(const std::string& name, Store& store) {
    for (auto& snapshot : store.snapshots()) {
        if (snapshot.is_view && snapshot.name == name)
            return std::move(snapshot);
    }
    return std::nullopt;
}

void mount_view(const SnapshotRecord& view, MountOptions& options, const std::string& target, Store& store) {
    if (view.image != options.arguments.front())
        throw Error(called(view), "belongs to image '" + view.image + "'", "choose another name with --name");
    if (options.size || options.inodes)
        throw Error(called(view), "is not written to, so that there is nothing to limit",
                    "leave out --size and --inodes, or choose another name");
    const UseLock stays = store.hold_snapshots();
    options.stack.lowers = store.lower_paths(store.snapshot(view.name));
    mounting::mount_stack(options.stack, target);
}

void mount_image(MountOptions& options, const std::string& target, const Globals& globals) {
    const auto& words = options.stack.options;
    if (std::find(words.begin(), words.end(), "userxattr") != words.end())
        throw Error("option userxattr", "hides what the layers of an image say by trusted.overlay.*",
                    "leave it out; it is for layers of your own (--lower)");
    auto store = Store::open(globals.root);
    const UseLock layers_stay = store.hold();
    const auto image = store.image(options.arguments.front());
    mounting::Stack& stack = options.stack;
    stack.lowers = store.layer_paths(image);
    stack.source = options.name.empty() ? free_name(store, image.name) : options.name;
    if (const auto view = view_called(stack.source, store)) {
        mount_view(*view, options, target, store);
    } else if (options.read_only) {
        mounting::mount_stack(stack, target);
    } else {
        const auto before = store.snapshots();
        const bool fresh = std::none_of(before.begin(), before.end(), [&](const auto& snapshot) {
            return snapshot.name == stack.source;
        });
        std::optional<UseLock> stays = store.hold_snapshots();
        const auto snapshot = store.prepare_or_take_up(stack.source, image.name);
        stack.upper = snapshot.upper;
        stack.work = snapshot.work;
        try {
            const UseLock nobody_reads = store.hold_for_mount(stack.source);
            if (store.image(image.name).manifest_digest != image.manifest_digest)
                throw Error("image '" + image.name + "'", "has just become another one", "try again");
            mounting::mount_stack(stack, target);
        } catch (...) {
            stays.reset();
            if (fresh)
                remove_untouched(store, stack.source);
            throw;
        }
    }
    report(options, target, image.name, globals.json);
}

void mount_layers(MountOptions& options, const std::string& target, const Globals& globals) {
    options.stack.read_only = options.read_only;
    if (!options.name.empty())
        options.stack.source = options.name;
    mounting::mount_stack(options.stack, target);
    report(options, target, "", globals.json);
}

/// Flags of the mount and options of the file system, out of the texts behind -o.
void take_options(MountOptions& options) {
    std::string joined;
    if (options.size)
        options.options.push_back("size=" + *options.size);
    if (options.inodes)
        options.options.push_back("inodes=" + *options.inodes);
    for (const std::string& text : options.options)
        joined += (joined.empty() ? "" : ",") + text;
    const auto parsed = mounting::parse_options(joined);
    if (parsed.flags & (MS_REMOUNT | MS_BIND))
        throw CLI::ValidationError("-o " + joined + ": mount(8) remounts and binds");
    const auto stack = mounting::stack_of(parsed, "");
    if (!stack.lowers.empty() || !stack.data.empty() || stack.upper || stack.work)
        throw CLI::ValidationError("-o " + joined + ": name layers by --lower, --data, --upper and --work");
    options.stack.options = stack.options;
    options.stack.attributes = stack.attributes;
    options.read_only = options.read_only || stack.read_only;
}

void run(MountOptions& options, const Globals& globals) {
    take_options(options);
    const bool layers = !options.stack.lowers.empty();
    const std::size_t wanted = layers ? 1 : 2;
    if (options.arguments.size() != wanted)
        throw CLI::ValidationError(layers ? "with --lower, give one DIR and no IMAGE"
                                          : "give IMAGE and DIR, or --lower and DIR");
    const std::string target = absolute(options.arguments.back());
    for (std::string& lower : options.stack.lowers)
        lower = absolute(lower);
    for (std::string& data : options.stack.data)
        data = absolute(data);
    if (options.stack.upper)
        options.stack.upper = absolute(*options.stack.upper);
    if (options.stack.work)
        options.stack.work = absolute(*options.stack.work);
    if (layers)
        mount_layers(options, target, globals);
    else
        mount_image(options, target, globals);
}

} // namespace

void add_mount_command(CLI::App& app, Globals& globals) {
    auto options = std::make_shared<MountOptions>();
    CLI::App* command = app.add_subcommand("mount", description);
    command->add_option("arguments", options->arguments, "IMAGE (as in \"shale image ls\") and DIR")
        ->type_name("[IMAGE] DIR")
        ->required()
        ->expected(1, 2);
    command->add_option("--name", options->name, "Name of the writable layer, old or new; or of a view")
        ->type_name("NAME");
    CLI::Option* read_only =
        command->add_flag("--read-only", options->read_only, "Without writable layer");
    command->add_option("--size", options->size, "Most bytes in the writable layer, such as 500M or 20G")
        ->type_name("SIZE")
        ->excludes(read_only);
    command->add_option("--inodes", options->inodes, "Most objects in it")
        ->type_name("N")
        ->excludes(read_only);
    CLI::Option* lower = command
                             ->add_option("--lower", options->stack.lowers,
                                          "A read-only layer; repeat it, the top-most first")
                             ->type_name("DIR")
                             ->allow_extra_args(false)
                             ->take_all();
    command
        ->add_option("--data", options->stack.data,
                     "A layer below these, of data only; repeat it. No name is looked for in it, but\n"
                     "the data of files of other layers that are without")
        ->type_name("DIR")
        ->needs(lower)
        ->allow_extra_args(false)
        ->take_all();
    CLI::Option* upper = command->add_option("--upper", options->stack.upper, "The writable layer")
                             ->type_name("DIR")
                             ->needs(lower);
    CLI::Option* work =
        command
            ->add_option("--work", options->stack.work,
                         "An empty directory on the same mount as the writable layer")
            ->type_name("DIR")
            ->needs(upper);
    upper->needs(work)->excludes(read_only);
    command
        ->add_option("-o,--option", options->options,
                     "Options as of mount(8): ro, nosuid, nodev, noexec, noatime..., and the\n"
                     "file system's own; separated by commas, or repeated")
        ->type_name("KEY[=VALUE],...")
        ->allow_extra_args(false)
        ->take_all();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
