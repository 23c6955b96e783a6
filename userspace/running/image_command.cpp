// SPDX-License-Identifier: LGPL-2.1-or-later
#include "running/image_command.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "oci/json.hpp"

namespace shale::running {

namespace {

constexpr const char* usual_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

auto find(const std::vector<std::string>& environment, const std::string& name) {
    return std::find_if(environment.begin(), environment.end(),
                        [&](const std::string& text) { return text.starts_with(name + "="); });
}

} // namespace

bool has_variable(const std::vector<std::string>& environment, const std::string& name) {
    return find(environment, name) != environment.end();
}

void set_variable(std::vector<std::string>& environment, const std::string& assignment) {
    const auto found = find(environment, assignment.substr(0, assignment.find('=')));
    if (found != environment.end())
        environment.erase(found);
    environment.push_back(assignment);
}

Command command_of_image(const std::string& config, const std::vector<std::string>& arguments,
                         const std::string& shown) {
    const oci::JsonFile file = oci::JsonFile(config, shown).object_or_empty("config");
    Command command;
    command.arguments = file.strings_or_none("Entrypoint");
    const std::vector<std::string> rest = arguments.empty() ? file.strings_or_none("Cmd") : arguments;
    command.arguments.insert(command.arguments.end(), rest.begin(), rest.end());
    if (command.arguments.empty() || command.arguments.front().empty())
        throw Error(shown, "does not say what to run", "give a command");
    for (const std::string& assignment : file.strings_or_none("Env")) {
        if (assignment.find('=') != std::string::npos)
            set_variable(command.environment, assignment);
    }
    if (!has_variable(command.environment, "PATH"))
        command.environment.emplace_back(usual_path);
    const std::string directory = file.string_or("WorkingDir", "");
    if (!directory.starts_with('/'))
        command.directory.push_back('/');
    command.directory += directory;
    command.user = file.string_or("User", "");
    return command;
}

} // namespace shale::running
