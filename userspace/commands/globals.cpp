// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/globals.hpp"

#include <iostream>

namespace shale {

void add_json_flag(CLI::App& command, Globals& globals) {
    command.add_flag("--json", globals.json, "Print one JSON document, for scripts");
}

void print_json_line(const nlohmann::json& document) {
    std::cout << document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << std::endl;
}

void print_json(const nlohmann::json& document) {
    std::cout << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

} // namespace shale
