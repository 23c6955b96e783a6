// SPDX-License-Identifier: GPL-2.0-or-later
#include "manual/page.hpp"

#include <sstream>
#include <string>
#include <vector>

#include "version.h"

namespace shale::manual {

namespace {

/// @p text as roff shows it unchanged.
std::string escape(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
    }
    // A line that begins so would be an order to roff.
    return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

/// A help text: paragraphs as they are, and indented lines as they stand.
void print_text(const std::string& text, std::ostream& out) {
    std::istringstream lines(text);
    bool verbatim = false;
    for (std::string line; std::getline(lines, line);) {
        const bool indented = line.starts_with("  ");
        if (indented != verbatim)
            out << (indented ? ".PP\n.nf\n" : ".fi\n");
        verbatim = indented;
        if (line.empty())
            out << ".PP\n";
        else
            out << escape(line) << "\n";
    }
    if (verbatim)
        out << ".fi\n";
}

std::string names_of(const CLI::Option& option) {
    std::string names;
    for (const std::string& name : option.get_snames())
        names += (names.empty() ? "" : ", ") + ("\\fB" + escape("-" + name) + "\\fR");
    for (const std::string& name : option.get_lnames())
        names += (names.empty() ? "" : ", ") + ("\\fB" + escape("--" + name) + "\\fR");
    return names;
}

void print_option(const CLI::Option& option, std::ostream& out) {
    const std::string type = "\\fI" + escape(option.get_type_name()) + "\\fR";
    out << ".TP\n";
    if (option.get_positional())
        out << type << "\n";
    else
        out << names_of(option) << (option.get_items_expected_max() > 0 ? " " + type : "") << "\n";
    out << escape(option.get_description()) << ".";
    if (!option.get_envname().empty())
        out << " The environment variable \\fB" << escape(option.get_envname())
            << "\\fR does the same.";
    if (!option.get_default_str().empty())
        out << " Otherwise \\fI" << escape(option.get_default_str()) << "\\fR.";
    out << "\n";
}

void print_options(const CLI::App& command, std::ostream& out) {
    for (const CLI::Option* option : command.get_options()) {
        if (option->get_positional())
            print_option(*option, out);
    }
    for (const CLI::Option* option : command.get_options()) {
        if (!option->get_positional() && !option->check_lname("help"))
            print_option(*option, out);
    }
}

std::string usage_of(const CLI::App& command, const std::string& name) {
    std::string usage = "\\fB" + escape(name) + "\\fR";
    for (const CLI::Option* option : command.get_options()) {
        if (option->get_positional())
            usage += " \\fI" + escape(option->get_type_name()) + "\\fR";
    }
    return usage + " [\\fIOPTION\\fR...]";
}

/// Visits the commands that do something, at whatever depth.
template <typename Visit>
void for_each_command(const CLI::App& app, const std::string& name, const Visit& visit) {
    const auto commands = commands_of(app);
    if (commands.empty())
        visit(app, name);
    for (const CLI::App* command : commands)
        for_each_command(*command, name + " " + command->get_name(), visit);
}

void print_command(const CLI::App& command, const std::string& name, std::ostream& out) {
    out << ".SS " << escape(name) << "\n" << usage_of(command, name) << "\n.PP\n";
    print_text(command.get_description(), out);
    print_options(command, out);
    // A command without a text of its own has inherited its parent's.
    if (command.get_footer() != command.get_parent()->get_footer()) {
        out << ".PP\n";
        print_text(command.get_footer(), out);
    }
}

} // namespace

void print_page(const CLI::App& app, std::ostream& out) {
    const std::string name = app.get_name();
    out << ".\\\" SPDX-License-Identifier: GPL-2.0-or-later\n"
        << ".TH SHALE 8 \"\" \"shale " << escape(SHALE_VERSION) << "\" \"System administration\"\n"
        << ".SH NAME\nshale \\- images and directories as layers of one tree\n"
        << ".SH SYNOPSIS\n";
    for_each_command(app, name, [&](const CLI::App& command, const std::string& full_name) {
        out << usage_of(command, full_name) << "\n.br\n";
    });
    out << ".SH DESCRIPTION\n";
    print_text(app.get_description(), out);
    out << ".PP\n";
    print_text(app.get_footer(), out);
    out << ".SH OPTIONS\nThese go with every command; so does \\fB\\-\\-help\\fR.\n";
    print_options(app, out);
    out << ".SH COMMANDS\n";
    for_each_command(app, name, [&](const CLI::App& command, const std::string& full_name) {
        print_command(command, full_name, out);
    });
}

} // namespace shale::manual
