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
    std::string reference;
    std::string name;
    RegistryOptions registry;
};

constexpr const char* description =
    "Fetch an image from a registry, by way of skopeo, and import it.\n\n"
    "Of an image for several platforms the one for this machine is taken. Layers and config keep their\n"
    "digests; so does the manifest, if it is of OCI's kind: of Docker's own kind skopeo makes one.";

constexpr const char* examples = "Examples:\n"
                                 "  shale image pull docker.io/library/debian:12 --name debian\n"
                                 "  shale image pull --insecure localhost:5000/app:1";

void run(const Options& options, const Globals& globals) {
    const std::string name = options.name.empty() ? plain_reference(options.reference) : options.name;
    Store store = Store::open(globals.root);
    ImageRecord image;
    size_t reused = 0;
    run_interruptibly("nothing was imported", [&](ImageProgress& progress) {
        const LayoutDirectory layout(store);
        copy_by_skopeo(registry_source(options.reference), "oci:" + layout.path() + ":pulled", "src", options.registry,
                       progress);
        image = store.import_layout(layout.path(), "pulled", name, progress);
        reused = progress.reused();
    });
    if (globals.json) {
        nlohmann::json document = to_json(store, image);
        document["reused_layers"] = reused;
        print_json(document);
        return;
    }
    std::cout << "pulled " << printable(image.name) << ": " << count_text(image.layers.size(), "layer") << ", "
              << size_text(static_cast<double>(image.size));
    if (reused > 0)
        std::cout << "; " << reused << " of them in the store already";
    std::cout << "\n";
}

} // namespace

void add_image_pull(CLI::App& image, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = image.add_subcommand("pull", description);
    command->add_option("reference", options->reference, "Where it is: HOST/PATH:TAG or HOST/PATH@DIGEST")
        ->type_name("REF")
        ->required();
    command->add_option("--name", options->name, "What to call the image; otherwise REF")->type_name("NAME");
    add_registry_options(*command, options->registry);
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
