// SPDX-License-Identifier: GPL-2.0-or-later
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include <unistd.h>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "commands/exercise.hpp"
#include "commands/format.hpp"
#include "commands/globals.hpp"
#include "commands/subject.hpp"
#include "commands/table.hpp"
#include "verify/walk.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Hold a live mount, of Shale or of overlayfs, against what its layers say it has to show.\n\n"
    "What it has to show is computed from the layer directories alone, by the rules in\n"
    "docs/semantics.md: names, types, modes, owners, times, attributes, links, inode numbers, targets,\n"
    "and the content of all files. Each difference comes with the number of the rule. What else is\n"
    "mounted in TARGET is not looked at, and no access time changes. With a directory within a mount,\n"
    "that is verified.\n\n"
    "Whatever differs is looked at twice; but a tree that is being written to gives false findings.\n\n"
    "With --exercise, random operations are made, and a model in memory follows each step: what it has to\n"
    "answer, and what has to be seen afterwards. The first difference is shrunk to a short script that\n"
    "reproduces it, and printed. That happens on mounts made for it, of random layers, in a new directory in\n"
    "the one that --scratch names, with other layers and options every 1000 operations, and mounted again\n"
    "now and then; or, if TARGET is given, in a new directory there. That is made and removed, and the\n"
    "writable layer is written to; nothing else of TARGET is touched. The same seed gives the same operations.\n\n"
    "Exit status: 0 when nothing was found, 1 when something was, or when it failed.";

constexpr const char* examples = "Examples:\n"
                                 "  shale verify /mnt              all of a mount\n"
                                 "  shale verify /mnt/etc          a directory in it\n"
                                 "  shale verify --no-content web  quick: without what files hold\n"
                                 "  shale verify --exercise --scratch /var/lib --type overlay\n"
                                 "                                 random operations on mounts of overlayfs";

struct Request {
    std::string target;
    bool no_content = false;
    unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
    bool is_exercise = false;
    Exercise exercise{};
};

/// Prints findings as they come; or keeps them for --json, so many as a document should have.
class Report : public verify::Observer {
public:
    explicit Report(bool json) : json_(json), terminal_(isatty(STDERR_FILENO) != 0) {}

    void found(const verify::Finding& finding) override {
        if (json_)
            keep({{"path", finding.path},
                  {"rule", finding.rule.number},
                  {"expected", finding.expected},
                  {"seen", finding.seen}},
                 findings_);
        else
            say(finding.path + ": expected " + finding.expected + "; seen " + finding.seen + " (rule " +
                std::string(finding.rule.number) + ": " + std::string(finding.rule.summary) + ")");
    }

    void not_judged(const std::string& path, const std::string& reason) override {
        if (json_)
            keep({{"path", path}, {"reason", reason}}, unjudged_);
        else
            say(path + ": cannot be judged: " + reason);
    }

    void so_far(const verify::Totals& totals) override {
        if (!terminal_)
            return;
        std::cerr << "\r\033[K" << totals.names << " names  " << size_text(static_cast<double>(totals.bytes));
        if (totals.findings > 0)
            std::cerr << "  " << count_text(totals.findings, "finding");
        std::cerr << std::flush;
    }

    bool cancelled() override { return CancelOnSignal::received() != 0; }

    void clear() const {
        if (terminal_)
            std::cerr << "\r\033[K" << std::flush;
    }

    void finish(const std::string& target, const verify::Totals& totals) {
        if (json_) {
            print_json({{"target", target},
                        {"names", totals.names},
                        {"directories", totals.directories},
                        {"bytes", totals.bytes},
                        {"count", totals.findings},
                        {"unjudged_count", totals.unjudged},
                        {"findings", std::move(findings_)},
                        {"unjudged", std::move(unjudged_)}});
            return;
        }
        std::cout << count_text(totals.names, "name") << " in "
                  << (totals.directories == 1 ? "1 directory" : std::to_string(totals.directories) + " directories")
                  << ", " << size_text(static_cast<double>(totals.bytes)) << " of content: "
                  << (totals.findings ? count_text(totals.findings, "finding") : "as the layers say") << "\n";
    }

private:
    static constexpr size_t most_kept = 10000;

    void say(const std::string& line) const {
        clear();
        std::cout << printable(line) << std::endl;
    }

    static void keep(nlohmann::json entry, nlohmann::json& list) {
        if (list.size() < most_kept)
            list.push_back(std::move(entry));
    }

    const bool json_;
    const bool terminal_;
    nlohmann::json findings_ = nlohmann::json::array();
    nlohmann::json unjudged_ = nlohmann::json::array();
};

verify::Totals judge(const verify::Subject& subject, const Request& request, Report& report) {
    const CancelOnSignal signals;
    try {
        const auto totals = verify::verify(subject, {!request.no_content, request.jobs}, report);
        report.clear();
        return totals;
    } catch (const Cancelled&) {
        report.clear();
        std::cerr << "shale: interrupted; not all was verified" << std::endl;
        std::exit(128 + CancelOnSignal::received());
    }
}

void run(const Request& request, const Globals& globals) {
    const verify::Subject subject = subject_of(request.target, globals);
    Report report(globals.json);
    const auto totals = judge(subject, request, report);
    report.finish(request.target, totals);
    if (totals.findings > 0)
        throw Error(request.target, "shows what its layers do not say: " + count_text(totals.findings, "finding"),
                    "docs/semantics.md has the rules");
    if (totals.unjudged > 0)
        throw Error(request.target, "not all could be judged: " + count_text(totals.unjudged, "object"));
}

void add_exercise_options(CLI::App& command, Request& request) {
    Exercise& exercise = request.exercise;
    auto* flag =
        command.add_flag("--exercise", request.is_exercise, "Make random operations, and watch what comes of them");
    command.add_option("--seed", exercise.seed, "What decides the operations; a random number, if not given")
        ->needs(flag)
        ->type_name("N");
    command.add_option("--ops", exercise.operations, "How many operations")
        ->needs(flag)
        ->capture_default_str()
        ->type_name("N");
    command.add_option("--scratch", exercise.scratch, "Where mounts are made for it; $TMPDIR or /tmp, if not given")
        ->needs(flag)
        ->type_name("DIR");
    command.add_option("--type", exercise.type, "Of these mounts: the module's, if not given")
        ->needs(flag)
        ->type_name("TYPE");
    command
        .add_option("--options", exercise.options,
                    "Of these mounts, in place of those of the same name that the seed chooses")
        ->needs(flag)
        ->type_name("LIST");
}

/// What CLI11 has no words for.
void check(const Request& request) {
    const Exercise& exercise = request.exercise;
    if (!request.is_exercise && request.target.empty())
        throw CLI::RequiredError("TARGET");
    if (!request.target.empty() && !(exercise.scratch.empty() && exercise.type.empty() && exercise.options.empty()))
        throw CLI::ValidationError("--scratch, --type, --options",
                                   "are for mounts that are made, and TARGET is there already");
}

void run_either(Request& request, const Globals& globals) {
    check(request);
    if (!request.is_exercise) {
        run(request, globals);
        return;
    }
    if (!request.target.empty())
        request.exercise.target = request.target;
    run_exercise(request.exercise, globals);
}

} // namespace

void add_verify_command(CLI::App& app, Globals& globals) {
    auto request = std::make_shared<Request>();
    CLI::App* command = app.add_subcommand("verify", description);
    command->add_option("target", request->target, "A mount point, a directory in a mount, or a mount's name")
        ->type_name("TARGET");
    command->add_flag("--no-content", request->no_content, "Do not read what files hold");
    command->add_option("--jobs", request->jobs, "Threads that read; as many as there are processors, if not given")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
    add_exercise_options(*command, *request);
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([request, &globals] { run_either(*request, globals); });
}

} // namespace shale
