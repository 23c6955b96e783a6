// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>

#include <unistd.h>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "base/join.hpp"
#include "commands/counters.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/layers.hpp"
#include "commands/limits.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "netlink/client.hpp"
#include "tree/measure.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Show all about one mount: where it is mounted, options, layers, counters, limits.\n\n"
    "The layers stand as they lie, the top-most first. With --sizes each is looked through, which\n"
    "takes a while; files with several names count once.";

constexpr const char* examples = "Examples:\n"
                                 "  shale show /mnt\n"
                                 "  shale show web --sizes\n"
                                 "  shale show /mnt --json | jq .layers";

struct ShowOptions {
    std::string target;
    bool sizes = false;
};

/// Shows on a terminal how far the walk has come.
class SizeProgress {
public:
    explicit SizeProgress(std::size_t layers) : layers_(layers) {}
    ~SizeProgress() { clear(); }
    SizeProgress(const SizeProgress&) = delete;
    SizeProgress& operator=(const SizeProgress&) = delete;

    void begin_layer() { layer_++; }

    void advance(const tree::Size& so_far) {
        if (CancelOnSignal::received() != 0)
            throw Cancelled("sizes");
        const auto now = Clock::now();
        if (!terminal_ || now - shown_ < std::chrono::milliseconds(100))
            return;
        shown_ = now;
        std::cerr << "\r\033[Klayer " << layer_ << "/" << layers_ << "  "
                  << count_text(so_far.files, "file") << "  "
                  << size_text(static_cast<double>(so_far.bytes)) << std::flush;
    }

    void clear() {
        if (terminal_)
            std::cerr << "\r\033[K" << std::flush;
    }

private:
    using Clock = std::chrono::steady_clock;
    const bool terminal_ = isatty(STDERR_FILENO) != 0;
    const std::size_t layers_;
    std::size_t layer_ = 0;
    Clock::time_point shown_;
};

/// A layer, and what a walk through it found.
struct LayerSize {
    std::optional<tree::Size> size;
    std::string unread; ///< why there is no size
};

/// One that can't be looked through does not keep the others from being.
std::vector<LayerSize> measure_layers(const netlink::MountRecord& mount) {
    const CancelOnSignal signals;
    SizeProgress progress(layer_count(mount));
    std::vector<LayerSize> sizes;
    for (std::size_t index = 0; index < layer_count(mount); ++index) {
        progress.begin_layer();
        LayerSize& found = sizes.emplace_back();
        try {
            require_paths(mount);
            const auto layer = tree::Layer::open(layer_path(mount, index));
            found.size = tree::measure(
                *layer, [&](const tree::Size& so_far) { progress.advance(so_far); });
        } catch (const Cancelled&) {
            progress.clear();
            std::cerr << "shale: interrupted" << std::endl;
            std::exit(128 + CancelOnSignal::received());
        } catch (const Error& error) {
            found.unread = error.what();
        }
    }
    return sizes;
}

std::string size_cell(const LayerSize& layer) {
    if (!layer.size)
        return "cannot be looked at: " + layer.unread;
    std::string text = size_text(static_cast<double>(layer.size->bytes)) + " in " +
                       count_text(layer.size->files, "file") + ", " +
                       (layer.size->directories == 1
                            ? "1 directory"
                            : std::to_string(layer.size->directories) + " directories");
    if (layer.size->whiteouts > 0)
        text += ", " + count_text(layer.size->whiteouts, "whiteout");
    return text;
}

nlohmann::json size_json(const LayerSize& layer) {
    if (!layer.size)
        return {{"error", layer.unread}};
    return {{"bytes", layer.size->bytes},
            {"files", layer.size->files},
            {"directories", layer.size->directories},
            {"whiteouts", layer.size->whiteouts}};
}

/// All that is shown of a mount.
struct Picture {
    netlink::MountRecord mount;
    netlink::CountersRecord counters;
    std::vector<mounting::MountPoint> points;
    std::string name;
    std::string image;
    std::vector<LayerSize> sizes; ///< of each layer, or empty
};

Picture look_at(const ShowOptions& options, const Globals& globals) {
    auto client = netlink::Client::open();
    auto store = existing_store(globals.root);
    Picture picture;
    picture.mount = find_mount(options.target, client, store);
    picture.counters = client.counters_of(picture.mount.id);
    picture.points = mount_points(picture.mount);
    picture.name = picture.mount.source;
    if (const auto snapshot = store ? snapshot_of(*store, picture.mount) : std::nullopt) {
        picture.name = snapshot->name;
        picture.image = snapshot->image;
    } else if (store && !picture.mount.upper) {
        if (const auto image = image_with_layers(*store, picture.mount.lowers))
            picture.image = image->name;
    }
    if (options.sizes)
        picture.sizes = measure_layers(picture.mount);
    return picture;
}

/// Layers are told by themselves.
std::vector<std::string> options_without_layers(const mounting::MountPoint& point) {
    std::vector<std::string> options = point.options;
    for (const std::string& option : point.file_system_options) {
        const bool layer = option.starts_with("lowerdir") || option.starts_with("upperdir=") ||
                           option.starts_with("workdir=") || option.starts_with("datadir");
        if (!layer && std::find(options.begin(), options.end(), option) == options.end())
            options.push_back(option);
    }
    return options;
}

void print(const Picture& picture) {
    const auto& mount = picture.mount;
    std::cout << printable(picture.points.empty() ? picture.name + " (elsewhere)"
                                                  : picture.points.front().path)
              << "\n  id               " << mount.id << ", device " << mount.major << ":" << mount.minor
              << "\n  name             " << printable(picture.name) << "\n";
    if (!picture.image.empty())
        std::cout << "  image            " << printable(picture.image) << "\n";
    for (const auto& point : picture.points)
        std::cout << "  mounted on       " << printable(point.path) << "\n"
                  << "  with             " << printable(join(options_without_layers(point), ","))
                  << "\n";
    print_limits(mount, "  ", std::cout);
    print_counters(picture.counters, "  ", std::cout);
    std::cout << "  layers\n";
    print_layer_tree(mount, std::cout, [&](std::size_t index) {
        return picture.sizes.empty() ? "" : size_cell(picture.sizes[index]);
    });
}

nlohmann::json document(const Picture& picture) {
    const auto& mount = picture.mount;
    auto points = nlohmann::json::array();
    for (const auto& point : picture.points)
        points.push_back({{"path", point.path},
                          {"root", point.root},
                          {"options", point.options},
                          {"file_system_options", point.file_system_options}});
    auto layers = nlohmann::json::array();
    for (std::size_t index = 0; index < layer_count(mount); ++index) {
        nlohmann::json layer = {{"layer", layer_name(mount, index)}, {"path", layer_path(mount, index)},
                                {"data_only", is_of_data(mount, index)}};
        if (!picture.sizes.empty())
            layer["size"] = size_json(picture.sizes[index]);
        layers.push_back(std::move(layer));
    }
    return {{"id", mount.id},
            {"major", mount.major},
            {"minor", mount.minor},
            {"name", picture.name},
            {"image", picture.image.empty() ? nlohmann::json() : nlohmann::json(picture.image)},
            {"source", mount.source},
            {"mounts", points},
            {"work", json_or_null(mount.work)},
            {"layers", layers},
            {"limits", limits_json(mount)},
            {"counters", counters_json(picture.counters, true)}};
}

void run(const ShowOptions& options, const Globals& globals) {
    const Picture picture = look_at(options, globals);
    if (globals.json)
        print_json(document(picture));
    else
        print(picture);
}

} // namespace

void add_show_command(CLI::App& app, Globals& globals) {
    auto options = std::make_shared<ShowOptions>();
    CLI::App* command = app.add_subcommand("show", description);
    command->add_option("target", options->target, "Mount point, name, or id")
        ->type_name("DIR|NAME")
        ->required();
    command->add_flag("--sizes", options->sizes, "Look through each layer for its size");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
