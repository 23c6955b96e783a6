// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/helper_request.hpp"

#include <getopt.h>

namespace shale::mounting {

namespace {

void set(HelperRequest& request, int option, const std::string& value) {
    switch (option) {
    case 'h':
        request.help = true;
        break;
    case 'f':
        request.fake = true;
        break;
    case 'v':
        request.verbose = true;
        break;
    case 'o':
        request.options += (request.options.empty() ? "" : ",") + value;
        break;
    case 'N':
        request.name_space = value;
        break;
    case 't':
        request.type = value.substr(0, value.find('.'));
        break;
    default: // -n and -s: there is no mtab to leave alone, and the kernel judges all options
        break;
    }
}

} // namespace

HelperRequest parse_helper_arguments(std::vector<std::string> arguments) {
    std::vector<char*> words{const_cast<char*>("mount.shale")};
    for (std::string& argument : arguments)
        words.push_back(argument.data());
    words.push_back(nullptr);
    const int count = static_cast<int>(words.size()) - 1;

    constexpr option long_options[] = {{"help", no_argument, nullptr, 'h'}, {}};
    HelperRequest request;
    optind = 0; // 1 would go on where an earlier call ended
    for (int option;
         (option = getopt_long(count, words.data(), ":hsfnvN:o:t:", long_options, nullptr)) !=
         -1;) {
        if (option == '?' || option == ':') {
            // A long one has no letter.
            const std::string name = optopt ? std::string("-") + static_cast<char>(optopt)
                                            : words[static_cast<std::size_t>(optind) - 1];
            throw Misuse(name, option == ':' ? "needs a value" : "is no option here", helper_usage);
        }
        set(request, option, optarg ? optarg : "");
    }
    if (request.help)
        return request;
    if (count - optind != 2)
        throw Misuse("arguments", "SOURCE and DIR are wanted, and nothing else", helper_usage);
    request.source = words[static_cast<std::size_t>(optind)];
    request.target = words[static_cast<std::size_t>(optind) + 1];
    return request;
}

} // namespace shale::mounting
