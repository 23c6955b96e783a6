// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/image_progress.hpp"
#include "commands/registry.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

struct Options {
    std::string image;
    std::string reference;
    RegistryOptions registry;
};

constexpr const char* description =
    "Send an image to a registry, by way of skopeo, with the digests it came with. Its blobs must still be\n"
    "there: not after \"gc --blobs\".";

constexpr const char* examples = "Examples:\n"
                                 "  shale image push debian registry.example.org/debian:12\n"
                                 "  shale image push --insecure app localhost:5000/app:1";

void run(const Options& options, const Globals& globals) {
    const std::string reference = plain_reference(options.reference.empty() ? options.image : options.reference);
    Store store = Store::open(globals.root);
    const ImageRecord image = store.image(options.image);
    run_interruptibly("not all of it may have been sent", [&](ImageProgress& progress) {
        const LayoutDirectory layout(store);
        store.export_image(image.name, "pushed", ExportFormat::oci_directory, layout.path(), progress);
        progress.clear();
        copy_by_skopeo("oci:" + layout.path() + ":pushed", registry_source(reference), "dest", options.registry,
                       progress);
    });
    if (globals.json)
        print_json({{"name", image.name},
                    {"reference", reference},
                    {"manifest", image.manifest_digest.text()},
                    {"config", image.config_digest.text()}});
    else
        std::cout << "pushed " << printable(image.name) << " to " << printable(reference) << ": "
                  << count_text(image.layers.size(), "layer") << "\n";
}

} // namespace

void add_image_push(CLI::App& image, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = image.add_subcommand("push", description);
    command->add_option("image", options->image, "Name of the image")->type_name("IMAGE")->required();
    command->add_option("reference", options->reference, "Where to: HOST/PATH:TAG; otherwise the image's name")
        ->type_name("REF");
    add_registry_options(*command, options->registry);
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
