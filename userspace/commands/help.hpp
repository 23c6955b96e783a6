// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace shale {

/// How help is laid out: usage lines that can be typed, and lists of commands with one line each.
class Help : public CLI::Formatter {
public:
    std::string make_usage(const CLI::App* app, std::string name) const override;
    std::string make_subcommand(const CLI::App* command) const override;
    std::string make_option_name(const CLI::Option* option, bool positional) const override;
    std::string make_option_opts(const CLI::Option* option) const override;
};

/// What is printed when the command line makes no sense.
std::string usage_error(const CLI::App* app, const CLI::Error& error);

} // namespace shale
