// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <map>
#include <memory>

#include <unistd.h>

#include "base/error.hpp"
#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/image_progress.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

struct Options {
    std::string image;
    std::string target;
    std::string format;
    std::string tag;
};

const std::map<std::string, ExportFormat> formats = {
    {"oci", ExportFormat::oci_directory},
    {"oci-archive", ExportFormat::oci_archive},
    {"docker-archive", ExportFormat::docker_archive},
};

constexpr const char* description =
    "Write an image as an OCI image layout, or as \"docker save\" does, for other tools.\n\n"
    "The blobs are those that were imported, each digest checked once more, so that manifest,\n"
    "config and layers keep their digests. A docker-archive has the same config and the same layers\n"
    "without compression, and no manifest. What is written appears under its name when it is\n"
    "complete; a target that exists is never overwritten.";

constexpr const char* examples =
    "Examples:\n"
    "  shale image export debian layout                              a directory\n"
    "  shale image export debian debian.tar                          the same in a tar\n"
    "  shale image export debian - --format docker-archive | docker load";

bool to_stdout(const Options& options) {
    return options.target == "-";
}

ExportFormat format_of(const Options& options) {
    if (!options.format.empty())
        return formats.at(options.format);
    return to_stdout(options) || options.target.ends_with(".tar") ? ExportFormat::oci_archive
                                                                  : ExportFormat::oci_directory;
}

void check(const Options& options, const Globals& globals) {
    if (!to_stdout(options))
        return;
    if (options.format == "oci")
        throw CLI::ValidationError("--format oci is a directory, which is not written to standard output");
    if (globals.json)
        throw CLI::ValidationError("--json and the image can't both go to standard output");
    if (isatty(STDOUT_FILENO) != 0)
        throw Error("standard output", "is a terminal", "name a file, or send it to a pipe");
}

void run(const Options& options, const Globals& globals) {
    check(options, globals);
    Store store = Store::open(globals.root);
    const ImageRecord image = store.image(options.image);
    const ExportFormat format = format_of(options);
    run_interruptibly("nothing was exported", [&](ImageProgress& progress) {
        if (to_stdout(options))
            store.export_image(image.name, options.tag, format, STDOUT_FILENO, progress);
        else
            store.export_image(image.name, options.tag, format, options.target, progress);
    });
    if (to_stdout(options))
        return;
    if (globals.json)
        print_json({{"name", image.name},
                    {"manifest", image.manifest_digest.text()},
                    {"config", image.config_digest.text()},
                    {"target", options.target}});
    else
        std::cout << "exported " << image.name << " to " << printable(options.target) << ": "
                  << count_text(image.layers.size(), "layer") << "\n";
}

} // namespace

void add_image_export(CLI::App& image, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = image.add_subcommand("export", description);
    command->add_option("image", options->image, "Name of the image")
        ->type_name("IMAGE")
        ->required();
    command->add_option("target", options->target, "What to write; \"-\" is standard output")
        ->type_name("PATH")
        ->required();
    command
        ->add_option("--format", options->format,
                     "oci (a directory), oci-archive (the same in a tar) or docker-archive; "
                     "otherwise oci-archive for *.tar and for \"-\", and else oci")
        ->type_name("FORMAT")
        ->check([](const std::string& text) {
            return formats.contains(text) ? "" : "oci, oci-archive and docker-archive are known";
        });
    command
        ->add_option("--tag", options->tag,
                     "What the image is called in what is written; otherwise its name")
        ->type_name("TAG");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
