// SPDX-License-Identifier: GPL-2.0-or-later
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>

#include <unistd.h>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "oci/reference.hpp"
#include "store/store.hpp"

namespace shale {

namespace {

struct ImportOptions {
    std::string source;
    std::string name;
};

constexpr const char* image_description = "Bring container images into the store, and list them.";

constexpr const char* import_description =
    "Import an image from an OCI image layout, a directory with index.json and blobs/.\n\n"
    "Each layer becomes a plain directory in the store, and the image's blobs are kept as they came.\n"
    "Layers that are there already are not imported again. Digests are checked; an image that is\n"
    "damaged or tries to reach outside its layers is refused, and then nothing of it stays.";

constexpr const char* import_examples =
    "Examples:\n"
    "  skopeo copy docker://debian:12 oci:layout:debian-12     fetch one from a registry\n"
    "  shale image import layout:debian-12                     import it as \"debian-12\"\n"
    "  shale image import layout:debian-12 --name debian:12    or under another name";

constexpr const char* list_description = "List the images in the store.";

/// Shows an import on standard error: one line that changes on a terminal, otherwise warnings only.
class ImportProgress : public Progress {
public:
    ImportProgress() : terminal_(isatty(STDERR_FILENO) != 0) {}

    void begin_layer(size_t index, size_t count, uint64_t bytes) override {
        index_ = index;
        count_ = count;
        size_ = bytes;
        done_ = 0;
        began_ = Clock::now();
        show();
    }

    void reuse_layer(size_t, size_t) override { reused_++; }

    void advance(uint64_t bytes) override {
        done_ += bytes;
        if (Clock::now() - shown_ >= std::chrono::milliseconds(100))
            show();
    }

    void warn(const std::string& message) override {
        clear();
        std::cerr << "shale: warning: " << printable(message) << "\n";
    }

    bool cancelled() override { return CancelOnSignal::received() != 0; }

    /// Takes the line off the terminal.
    void clear() {
        if (terminal_)
            std::cerr << "\r\033[K" << std::flush;
    }

    size_t reused() const { return reused_; }

private:
    using Clock = std::chrono::steady_clock;

    void show() {
        if (!terminal_)
            return;
        shown_ = Clock::now();
        const double seconds = std::chrono::duration<double>(shown_ - began_).count();
        std::cerr << "\r\033[Klayer " << index_ << "/" << count_ << "  "
                  << size_text(static_cast<double>(done_)) << " of "
                  << size_text(static_cast<double>(size_));
        if (seconds > 0.2)
            std::cerr << "  " << size_text(static_cast<double>(done_) / seconds) << "/s";
        std::cerr << std::flush;
    }

    const bool terminal_;
    size_t index_ = 0, count_ = 0, reused_ = 0;
    uint64_t size_ = 0, done_ = 0;
    Clock::time_point began_, shown_;
};

nlohmann::json to_json(const Store& store, const ImageRecord& image) {
    nlohmann::json layers = nlohmann::json::array();
    for (const LayerRecord& layer : image.layers)
        layers.push_back({{"diff_id", layer.diff_id.text()},
                          {"chain_id", layer.chain_id.text()},
                          {"blob", layer.blob.text()},
                          {"size", layer.size},
                          {"path", store.layer_path(layer)}});
    return {{"name", image.name},
            {"manifest", image.manifest_digest.text()},
            {"size", image.size},
            {"imported", image.imported},
            {"layers", layers}};
}

/// Ends the process as an interrupted command should.
[[noreturn]] void end_interrupted() {
    std::cerr << "shale: interrupted; nothing was imported" << std::endl;
    std::exit(128 + CancelOnSignal::received());
}

void run_import(const ImportOptions& options, const Globals& globals) {
    const oci::Reference reference = oci::split_reference(options.source);
    Store store = Store::open(globals.root);
    ImportProgress progress;
    ImageRecord image;
    try {
        const CancelOnSignal signals;
        image = store.import_layout(reference.path, reference.tag, options.name, progress);
        progress.clear();
    } catch (const Cancelled&) {
        progress.clear();
        end_interrupted();
    } catch (...) {
        progress.clear();
        throw;
    }
    if (globals.json) {
        nlohmann::json document = to_json(store, image);
        document["reused_layers"] = progress.reused();
        print_json(document);
        return;
    }
    std::cout << "imported " << image.name << ": " << image.layers.size()
              << (image.layers.size() == 1 ? " layer, " : " layers, ")
              << size_text(static_cast<double>(image.size));
    if (progress.reused() > 0)
        std::cout << "; " << progress.reused() << " of them in the store already";
    std::cout << "\n";
}

void run_list(const Globals& globals) {
    std::optional<Store> store = existing_store(globals.root);
    const std::vector<ImageRecord> images = store ? store->images() : std::vector<ImageRecord>{};
    if (globals.json) {
        nlohmann::json document = nlohmann::json::array();
        for (const ImageRecord& image : images)
            document.push_back(to_json(*store, image));
        print_json(document);
        return;
    }
    if (images.empty()) {
        std::cerr << "no images yet: 'shale image import DIRECTORY:TAG' adds one\n";
        return;
    }
    Table table({"NAME", "LAYERS", "SIZE", "IMPORTED", "MANIFEST"});
    for (const ImageRecord& image : images)
        table.add({image.name, std::to_string(image.layers.size()),
                   size_text(static_cast<double>(image.size)), time_text(image.imported),
                   image.manifest_digest.text().substr(0, 19)});
    table.print(std::cout);
}

} // namespace

void add_image_command(CLI::App& app, Globals& globals) {
    CLI::App* image = app.add_subcommand("image", image_description);
    image->require_subcommand(1);

    auto options = std::make_shared<ImportOptions>();
    CLI::App* import = image->add_subcommand("import", import_description);
    import->add_option("source", options->source, "Image layout, and the tag of the image in it")
        ->type_name("PATH[:TAG]")
        ->required();
    import
        ->add_option("--name", options->name,
                     "What to call the image; otherwise its tag, or else the directory's name")
        ->type_name("NAME");
    add_json_flag(*import, globals);
    import->footer(import_examples);
    import->callback([options, &globals] { run_import(*options, globals);
});

CLI::App* list = image->add_subcommand("ls", list_description);
add_json_flag(*list, globals);
list->callback([&globals] { run_list(globals); });
} // namespace shale

} // namespace shale
