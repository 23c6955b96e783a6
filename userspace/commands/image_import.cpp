// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>
#include <filesystem>
#include <iostream>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/image_progress.hpp"
#include "oci/reference.hpp"

namespace shale {

namespace {

struct Options {
    std::string source;
    std::string name;
};

constexpr const char* description =
    "Import an image from an OCI image layout, a directory with index.json and blobs/; or from an\n"
    "archive: a tar of such a layout, or what \"docker save\" writes, compressed by gzip or zstd or not.\n"
    "\"-\" is an archive on standard input; of several images in it, /dev/stdin:TAG is one.\n\n"
    "Each layer becomes a plain directory in the store, and the image's blobs are kept as they came.\n"
    "Layers that are there already are not imported again. Digests are checked; an image that is\n"
    "damaged or tries to reach outside its layers is refused, and then nothing of it stays.";

constexpr const char* examples =
    "Examples:\n"
    "  skopeo copy docker://debian:12 oci:layout:debian-12     fetch one from a registry\n"
    "  shale image import layout:debian-12                     import it as \"debian-12\"\n"
    "  shale image import layout:debian-12 --name debian:12    or under another name\n"
    "  docker save debian:12 | shale image import -            one that docker has\n"
    "  shale image import images.tar.gz:debian:12              one of several in an archive";

/// What is imported, open.
struct Source {
    explicit Source(const oci::Reference& reference) : shown(reference.path) {
        std::error_code failed;
        if (reference.path == "-") {
            shown = "standard input";
            if (isatty(STDIN_FILENO) != 0)
                throw Error(shown, "is a terminal", "name a file, or send an archive through a pipe");
            fd = UniqueFd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
            if (!fd)
                throw Error::from_errno(shown, errno);
        } else if (!std::filesystem::is_directory(reference.path, failed)) {
            fd = open_at(AT_FDCWD, reference.path, O_RDONLY);
        }
    }

    std::string shown;
    UniqueFd fd; ///< of an archive, and else empty
};

void run(const Options& options, const Globals& globals) {
    const oci::Reference reference = oci::split_reference(options.source);
    const Source source(reference);
    Store store = Store::open(globals.root);
    ImageRecord image;
    size_t reused = 0;
    run_interruptibly("nothing was imported", [&](ImageProgress& progress) {
        if (source.fd)
            image = store.import_archive(source.fd.get(), source.shown, reference.tag, options.name, progress);
        else
            image = store.import_layout(reference.path, reference.tag, options.name, progress);
        reused = progress.reused();
    });
    if (globals.json) {
        nlohmann::json document = to_json(store, image);
        document["reused_layers"] = reused;
        print_json(document);
        return;
    }
    std::cout << "imported " << image.name << ": " << count_text(image.layers.size(), "layer")
              << ", " << size_text(static_cast<double>(image.size));
    if (reused > 0)
        std::cout << "; " << reused << " of them in the store already";
    std::cout << "\n";
}

} // namespace

void add_image_import(CLI::App& image, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* import = image.add_subcommand("import", description);
    import->add_option("source", options->source,
                       "Image layout, archive or \"-\", and the tag of the image in it")
        ->type_name("PATH[:TAG]")
        ->required();
    import
        ->add_option("--name", options->name,
                     "What to call the image; otherwise its tag, or else the name of the directory or file")
        ->type_name("NAME");
    add_json_flag(*import, globals);
    import->footer(examples);
    import->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
