// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/names.hpp"

#include <algorithm>
#include <string_view>

#include "base/error.hpp"
#include "base/names_in.hpp"

namespace shale {

namespace {

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

} // namespace

void check_image_name(const std::string& name) {
    const bool fine =
        !name.empty() && name.size() <= 255 && name[0] != '-' && name[0] != '/' &&
        std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!fine)
        throw Error("image name '" + name + "'", "not usable",
                    "choose one with --name: printable characters without blanks, at most 255");
}

void check_snapshot_name(const std::string& name) {
    const bool fine =
        !name.empty() && name.size() <= 128 && is_alphanumeric(name[0]) &&
        std::all_of(name.begin(), name.end(), [](char c) {
            return is_alphanumeric(c) || std::string_view("._-").find(c) != std::string_view::npos;
        });
    if (!fine)
        throw Error("name '" + name + "'", "not usable",
                    "choose letters, digits, '.', '_' and '-', at most 128");
}

std::vector<Digest> digests_in(int directory) {
    std::vector<Digest> digests;
    for (const std::string& name : names_in(directory)) {
        try {
            digests.push_back(Digest::parse("sha256:" + name, name));
        } catch (const Error&) {
        }
    }
    std::sort(digests.begin(), digests.end());
    return digests;
}

} // namespace shale
