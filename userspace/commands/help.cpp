// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/help.hpp"

namespace shale {

namespace {

/// "shale image ls"
std::string full_name(const CLI::App* app) {
    const CLI::App* parent = app->get_parent();
    return parent ? full_name(parent) + " " + app->get_name() : app->get_name();
}

std::string placeholder(const CLI::Option* positional) {
    const std::string text = positional->get_option_text().empty() ? positional->get_type_name()
                                                                   : positional->get_option_text();
    return positional->get_required() ? text : "[" + text + "]";
}

} // namespace

std::string Help::make_usage(const CLI::App* app, std::string) const {
    std::string usage = "Usage: " + full_name(app);
    if (!app->get_subcommands([](const CLI::App*) { return true; }).empty())
        usage += " COMMAND";
    for (const CLI::Option* positional :
         app->get_options([](const CLI::Option* option) { return option->get_positional(); }))
        usage += " " + placeholder(positional);
    return usage + " [OPTION...]\n";
}

std::string Help::make_subcommand(const CLI::App* command) const {
    const std::string& description = command->get_description();
    std::ostringstream out;
    CLI::detail::format_help(out, command->get_name(),
                             description.substr(0, description.find('\n')), column_width_);
    return out.str();
}

std::string Help::make_option_name(const CLI::Option* option, bool positional) const {
    return positional ? placeholder(option) : Formatter::make_option_name(option, positional);
}

std::string Help::make_option_opts(const CLI::Option* option) const {
    return option->get_positional() ? "" : Formatter::make_option_opts(option);
}

std::string usage_error(const CLI::App* app, const CLI::Error& error) {
    const CLI::App* command = app;
    while (!command->get_subcommands().empty())
        command = command->get_subcommands().front();
    const auto unknown = command->remaining();
    const std::string reason =
        unknown.empty() ? error.what() : "\"" + unknown.front() + "\" is not known here";
    return "shale: " + reason + "; \"" + full_name(command) + " --help\" says how it is used\n";
}

} // namespace shale
