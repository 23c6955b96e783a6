// SPDX-License-Identifier: GPL-2.0-or-later
//
// shale-bench: measures what file systems do, in turns. Prints a line of JSON for each case.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <set>
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
        {"large", large_directory_cases},
        {"memory", memory_cases},
        {"programs", program_cases},
    };
    return groups;
}

constexpr unsigned most_layers_of_overlayfs = 500, most_layers_of_shale = 4096;

/// "again" is overlayfs a second time: what differs there is noise.
std::vector<std::unique_ptr<Side>> sides_below(const std::string& place) {
    const auto overlayfs = [&](const char* name) {
        return std::make_unique<KernelUnion>(name, place, "overlay", union_options, most_layers_of_overlayfs);
    };
    std::vector<std::unique_ptr<Side>> sides;
    sides.push_back(std::make_unique<Side>("base", place));
    sides.push_back(overlayfs("overlayfs"));
    sides.push_back(overlayfs("again"));
    sides.push_back(std::make_unique<KernelUnion>("shale", place, "shale", union_options, most_layers_of_shale));
    return sides;
}

/// For who chooses cases by name.
std::string name_of(const std::string& group, const Case& one, unsigned layers) {
    return one.fill_layer ? group + ": " + one.name + ", " + std::to_string(layers) + (layers == 1 ? " layer" : " layers")
                          : one.name;
}

void print(const Request& request, const std::string& group, const Case& one, unsigned layers,
           const std::vector<Result>& results) {
    const bool is_memory = one.unit == Case::Unit::bytes;
    nlohmann::json line = {{"unit", is_memory ? "bytes" : request.counted ? "instructions" : "nanoseconds"},
                           {"base", request.base},
                           {"group", group},
                           {"case", one.name}};
    if (one.fill_layer)
        line["layers"] = layers;
    for (const Result& result : results)
        line["samples"][result.side] = result.samples;
    std::cout << line << std::endl;
}

/// With all numbers of layers that any case of the group has: the layers of one number are made once.
void run_group(const Request& request, const std::string& group, Contest& contest) {
    const auto cases = all_groups().at(group)();
    std::set<unsigned> depths;
    for (const Case& one : cases)
        depths.insert(one.layers.begin(), one.layers.end());
    for (const unsigned layers : depths)
        for (const Case& one : cases) {
            const std::string name = name_of(group, one, layers);
            if (!contest.includes(one) || name.find(request.only) == std::string::npos ||
                std::ranges::find(one.layers, layers) == one.layers.end())
                continue;
            std::fprintf(stderr, "bench: %s, %s\n", request.base.c_str(), name.c_str());
            print(request, group, one, layers, contest.run(one, layers));
        }
}

void run(const Request& request) {
    const unsigned rounds = request.rounds ? request.rounds : request.counted ? 5 : 10;
    const Contest::Rules rules{rounds, request.counted ? 3e5 : 2e7, request.counted};
    Contest contest(rules, request.place, sides_below(request.place));
    for (const std::string& group : request.groups)
        run_group(request, group, contest);
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
