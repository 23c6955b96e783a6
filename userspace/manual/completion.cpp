// SPDX-License-Identifier: GPL-2.0-or-later
#include "manual/completion.hpp"

#include <string>

#include "netlink/event.hpp"

namespace shale::manual {

namespace {

/// Calls @p visit with each command and its name, without "shale"; the app itself first.
template <typename Visit>
void for_each(const CLI::App& app, const std::string& name, const Visit& visit) {
    visit(app, name);
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        for_each(*command, name + (name.empty() ? "" : " ") + command->get_name(), visit);
}

/// One shell function that prints, for the command in $1, what @p cell says.
template <typename Cell>
void print_table(const CLI::App& app, const char* function, const Cell& cell, std::ostream& out) {
    out << "\n" << function << "() {\n    case $1 in\n";
    for_each(app, "", [&](const CLI::App& command, const std::string& name) {
        if (const std::string text = cell(command); !text.empty())
            out << "    '" << name << "') echo '" << text << "' ;;\n";
    });
    out << "    esac\n}\n";
}

void append(std::string& words, const std::string& word) {
    words += (words.empty() ? "" : " ") + word;
}

std::string commands(const CLI::App& app) {
    std::string words;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        append(words, command->get_name());
    return words;
}

std::string options(const CLI::App& command) {
    std::string words;
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            if (name != "help")
                append(words, "--" + name);
        }
    }
    return words;
}

std::string argument(const CLI::App& command) {
    std::string kinds;
    for (const CLI::Option* option : command.get_options()) {
        if (option->get_positional())
            append(kinds, option->get_type_name());
    }
    return kinds;
}

std::string event_kinds() {
    std::string words;
    for (const auto kind : netlink::event_kinds())
        append(words, name_of(kind));
    return words;
}

/// What the option in $2 takes: nothing for flags.
void print_values(const CLI::App& app, std::ostream& out) {
    out << "\n_shale_value() {\n    case \"$1 $2\" in\n";
    for_each(app, "", [&](const CLI::App& command, const std::string& name) {
        for (const CLI::Option* option : command.get_options()) {
            if (option->get_positional() || option->get_items_expected_max() == 0)
                continue;
            for (const std::string& long_name : option->get_lnames())
                out << "    '" << name << "'*' --" << long_name << "') echo '"
                    << option->get_type_name() << "' ;;\n";
        }
    });
    out << "    esac\n}\n";
}

} // namespace

void print_completion(const CLI::App& app, std::ostream& out) {
    out << "# SPDX-License-Identifier: GPL-2.0-or-later\n"
        << "# shellcheck shell=bash\n"
        << "#\n# Completion of the command `shale`, made by shale-manual.\n";
    print_table(app, "_shale_commands", commands, out);
    print_table(app, "_shale_options", options, out);
    print_table(app, "_shale_argument", argument, out);
    print_values(app, out);
    out << "\n_shale_event_kinds() {\n    echo '" << event_kinds() << "'\n}\n";
}

} // namespace shale::manual
