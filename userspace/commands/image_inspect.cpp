// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <iostream>
#include <memory>

#include "commands/format.hpp"
#include "commands/image.hpp"
#include "commands/table.hpp"

namespace shale {

namespace {

constexpr const char* inspect_description =
    "Tell all about an image, as JSON: digests, layers and where they lie, and the image's config.";

constexpr const char* inspect_examples =
    "Examples:\n"
    "  shale image inspect debian | jq .config.config.Env";

constexpr const char* history_description =
    "Tell how an image came to be, step by step, the last one first, as its config says.\n\n"
    "Steps that changed no file have no layer.";

/// The image's config. It was an object when it was imported.
nlohmann::json config_of(const ImageRecord& image) {
    auto config = nlohmann::json::parse(image.config, nullptr, false);
    return config.is_object() ? config : nlohmann::json::object();
}

void inspect(const std::string& name, const Globals& globals) {
    Store store = Store::open(globals.root);
    const ImageRecord image = store.image(name);
    auto document = to_json(store, image);
    document["config_digest"] = std::move(document["config"]);
    document["config"] = config_of(image);
    document["media_type"] = image.media_type;
    print_json(document);
}

/// One step of the history; @p layer is the next one that no step has had yet.
nlohmann::json step_of(const nlohmann::json& told, const ImageRecord& image, std::size_t& layer) {
    const auto text = [&](const char* key) {
        return told.is_object() && told.contains(key) && told[key].is_string()
                   ? told[key].get<std::string>()
                   : std::string();
    };
    nlohmann::json step = {{"created", text("created")},
                           {"created_by", text("created_by")},
                           {"comment", text("comment")},
                           {"chain_id", nullptr},
                           {"size", 0}};
    const bool is_empty = told.is_object() && told.value("empty_layer", nlohmann::json()) == true;
    if (!is_empty && layer < image.layers.size()) {
        step["chain_id"] = image.layers[layer].chain_id.text();
        step["size"] = image.layers[layer].size;
        ++layer;
    }
    return step;
}

/// The last step first. Layers that the history does not mention are steps of their own.
nlohmann::json steps_of(const ImageRecord& image) {
    const auto config = config_of(image);
    const auto told = config.value("history", nlohmann::json::array());
    std::vector<nlohmann::json> steps;
    std::size_t layer = 0;
    if (told.is_array()) {
        for (const auto& one : told)
            steps.push_back(step_of(one, image, layer));
    }
    while (layer < image.layers.size())
        steps.push_back(step_of(nullptr, image, layer));
    std::reverse(steps.begin(), steps.end());
    return steps;
}

/// One line of it, for a table.
std::string first_line(const std::string& text) {
    constexpr std::size_t most = 60;
    const std::string line = text.substr(0, text.find('\n'));
    return line.size() > most ? line.substr(0, most) + "..." : line;
}

void history(const std::string& name, const Globals& globals) {
    Store store = Store::open(globals.root);
    const auto steps = steps_of(store.image(name));
    if (globals.json) {
        print_json(steps);
        return;
    }
    Table table({"LAYER", "CREATED", "SIZE", "BY"});
    for (const auto& step : steps) {
        const bool has_layer = step["chain_id"].is_string();
        table.add({has_layer ? step["chain_id"].get<std::string>().substr(0, 19) : "-",
                   printable(step["created"].get<std::string>().substr(0, 19)),
                   size_text(step["size"].get<double>()),
                   printable(first_line(step["created_by"].get<std::string>()))});
    }
    table.print(std::cout);
}

CLI::App* add(CLI::App& image, const char* name, const char* description,
              void (*run)(const std::string&, const Globals&), Globals& globals) {
    auto which = std::make_shared<std::string>();
    CLI::App* command = image.add_subcommand(name, description);
    command->add_option("image", *which, "Name of the image")->type_name("IMAGE")->required();
    command->callback([which, run, &globals] { run(*which, globals); });
    return command;
}

} // namespace

void add_image_inspect(CLI::App& image, Globals& globals) {
    add(image, "inspect", inspect_description, inspect, globals)->footer(inspect_examples);
}

void add_image_history(CLI::App& image, Globals& globals) {
    add_json_flag(*add(image, "history", history_description, history, globals), globals);
}

} // namespace shale
