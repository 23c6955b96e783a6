// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale-bench: measures what file systems do, in turns. Prints a line of JSON for each case.
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "case.hpp"
#include "contest.hpp"
#include "side.hpp"

namespace {

using namespace shale::bench;

/// The same for all unions: what is compared is code, not defaults.
constexpr const char* union_options = "redirect_dir=on,metacopy=on,index=off";

struct Request {
    std::string base, place, only;
    std::vector<std::string> groups;
    unsigned rounds = 0; ///< 0: as many as the clock needs
    bool counted = false;
};

const std::map<std::string, std::span<const Case> (*)()>& all_groups() {
    static const std::map<std::string, std::span<const Case> (*)()> groups = {
        {"names", name_cases},
        {"files", file_cases},
        {"requests", request_cases},
        {"copy-up", copy_up_cases},
        {"layers", layer_cases},
    };
    return groups;
}

/// "again" is overlayfs a second time: what differs there is noise.
std::vector<std::unique_ptr<Side>> sides_below(const std::string& place) {
    std::vector<std::unique_ptr<Side>> sides;
    sides.push_back(std::make_unique<Side>("base", "", "", place));
    sides.push_back(std::make_unique<Side>("overlayfs", "overlay", union_options, place));
    sides.push_back(std::make_unique<Side>("again", "overlay", union_options, place));
    sides.push_back(std::make_unique<Side>("shale", "shale", union_options, place));
    return sides;
}

std::string name_of(const Case& one, unsigned layers) {
    return one.fill_layer ? one.name + (", " + std::to_string(layers)) + (layers == 1 ? " layer" : " layers")
                          : one.name;
}

void print(const Request& request, const std::string& group, const std::string& name,
           const std::vector<Result>& results) {
    nlohmann::json line = {{"clock", request.counted ? "instructions" : "nanoseconds"},
                           {"base", request.base},
                           {"group", group},
                           {"case", name}};
    for (const Result& result : results)
        line["samples"][result.side] = result.samples;
    std::cout << line << std::endl;
}

void run(const Request& request) {
    const unsigned rounds = request.rounds ? request.rounds : request.counted ? 5 : 10;
    const Contest::Rules rules{rounds, request.counted ? 3e5 : 2e7, request.counted};
    Contest contest(rules, request.place, sides_below(request.place));
    for (const std::string& group : request.groups)
        for (const Case& one : all_groups().at(group)()) {
            if (!contest.includes(one))
                continue;
            for (const unsigned layers : one.layers) {
                const std::string name = name_of(one, layers);
                if (name.find(request.only) == std::string::npos)
                    continue;
                std::fprintf(stderr, "bench: %s, %s\n", request.base.c_str(), name.c_str());
                print(request, group, name, contest.run(one, layers));
            }
        }
}

} // namespace

int main(int argc, char** argv) {
    Request request;
    CLI::App app("Measures what file systems do, in turns");
    std::vector<std::string> names;
    for (const auto& [name, cases] : all_groups())
        names.push_back(name);
    app.add_flag("--counted", request.counted, "The clock of this machine counts instructions");
    app.add_option("--rounds", request.rounds, "Samples of each side")->check(CLI::Range(1, 1000));
    app.add_option("--only", request.only, "Only cases whose name contains this");
    app.add_option("base", request.base, "What PLACE lies on, for the results")->required();
    app.add_option("place", request.place, "Directory to work in")->required();
    app.add_option("groups", request.groups, "What to compare")->required()->check(CLI::IsMember(names));
    CLI11_PARSE(app, argc, argv);
    try {
        run(request);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "shale-bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
