// SPDX-License-Identifier: GPL-2.0-or-later
#include <iostream>
#include <memory>

#include "base/error.hpp"
#include "base/join.hpp"
#include "base/parallel.hpp"
#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/image_progress.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

struct Options {
    std::vector<std::string> images;
    unsigned jobs = default_jobs();
};

constexpr const char* description =
    "Hold what the store keeps of images against what was imported: each blob against its digest and\n"
    "size, and each layer's directory against the list that was made when it was unpacked: names, types,\n"
    "modes, owners, times, links, attributes, and what files hold. Without IMAGE, of all images.\n\n"
    "Of layers that an older version imported there is no list: they are counted as unknown. So are\n"
    "blobs that are not there (\"gc --blobs\" removes them).\n\n"
    "Exit status: 0 when nothing was found, 1 when something was, or when it failed.";

constexpr const char* examples = "Examples:\n"
                                 "  shale image verify\n"
                                 "  shale image verify debian --json | jq '.findings[].path'";

const char* name_of(StoreFinding::Where where) {
    switch (where) {
    case StoreFinding::Where::layer:
        return "layer";
    case StoreFinding::Where::blob:
        return "blob";
    case StoreFinding::Where::image:
        break;
    }
    return "image";
}

/// Prints findings as they come; or keeps them for --json, so many as a document should have.
class Report : public StoreObserver {
public:
    Report(bool json, ImageProgress& progress) : json_(json), progress_(progress) {}

    void begin(const std::string& what, uint64_t bytes) override { progress_.begin(what, bytes); }

    void found(const StoreFinding& finding) override {
        if (!json_) {
            progress_.clear();
            std::cout << printable(std::string(name_of(finding.where)) + " " + finding.digest.text() +
                                   (finding.path.empty() ? "" : " " + finding.path) + ": expected " +
                                   finding.expected + "; seen " + finding.seen + " (" +
                                   join(finding.images, ", ") + ")")
                      << std::endl;
            return;
        }
        if (findings.size() < most_kept)
            findings.push_back({{"where", name_of(finding.where)},
                                {"digest", finding.digest.text()},
                                {"path", finding.path.empty() ? nlohmann::json() : nlohmann::json(finding.path)},
                                {"expected", finding.expected},
                                {"seen", finding.seen},
                                {"images", finding.images}});
    }

    nlohmann::json findings = nlohmann::json::array();

private:
    static constexpr size_t most_kept = 10000;
    const bool json_;
    ImageProgress& progress_;
};

std::string summary(const StoreTotals& totals) {
    std::string text = count_text(totals.layers, "layer");
    if (!totals.unlisted.empty())
        text += " (" + std::to_string(totals.unlisted.size()) + " unknown: imported by an older version)";
    text += " of " + count_text(totals.objects, "object") + ", " + count_text(totals.blobs, "blob");
    if (!totals.not_kept.empty())
        text += " (" + std::to_string(totals.not_kept.size()) + " not there)";
    return text + ", " + size_text(static_cast<double>(totals.bytes)) + ": " +
           (totals.findings > 0 ? count_text(totals.findings, "finding") : "as imported");
}

void run(const Options& options, const Globals& globals) {
    Store store = Store::open(globals.root);
    StoreTotals totals;
    nlohmann::json findings;
    run_interruptibly("not all was verified", [&](ImageProgress& progress) {
        Report report(globals.json, progress);
        totals = store.verify_images(options.images, options.jobs, report, progress);
        findings = std::move(report.findings);
    });
    if (globals.json)
        print_json({{"layers", totals.layers},
                    {"objects", totals.objects},
                    {"blobs", totals.blobs},
                    {"bytes", totals.bytes},
                    {"unknown_layers", texts(totals.unlisted)},
                    {"missing_blobs", texts(totals.not_kept)},
                    {"count", totals.findings},
                    {"findings", std::move(findings)}});
    else
        std::cout << summary(totals) << "\n";
    if (totals.findings > 0)
        throw Error("store " + store.root(), "not as it was imported: " + count_text(totals.findings, "finding"),
                    "remove the blob or, when it is not mounted, the layer's directory, and import the image again");
}

} // namespace

void add_image_verify(CLI::App& image, Globals& globals) {
    auto options = std::make_shared<Options>();
    CLI::App* command = image.add_subcommand("verify", description);
    command->add_option("image", options->images, "Names of images; otherwise all")->type_name("IMAGE...");
    command->add_option("--jobs", options->jobs, "Threads that read; as many as there are processors, if not given")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([options, &globals] { run(*options, globals); });
}

} // namespace shale
