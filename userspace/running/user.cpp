// SPDX-License-Identifier: LGPL-2.1-or-later
#include "running/user.hpp"

#include <charconv>
#include <optional>
#include <sstream>

#include "base/error.hpp"

namespace shale::running {

namespace {

using Fields = std::vector<std::string>;

/// The lines of a file such as /etc/passwd that have @p count fields at least.
std::vector<Fields> lines_of(const std::string& text, size_t count) {
    std::vector<Fields> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        Fields fields;
        std::istringstream parts(line);
        for (std::string field; std::getline(parts, field, ':');)
            fields.push_back(field);
        if (line.ends_with(':'))
            fields.emplace_back();
        if (fields.size() >= count)
            lines.push_back(std::move(fields));
    }
    return lines;
}

std::optional<uint32_t> number(const std::string& text) {
    uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    if (failure != std::errc() || stop != end || value == UINT32_MAX)
        return std::nullopt;
    return value;
}

/// The line whose first or third field is @p wanted; a name goes before a number.
const Fields* find(const std::vector<Fields>& lines, const std::string& wanted) {
    for (const size_t field : {0, 2}) {
        for (const Fields& line : lines) {
            if (line[field] == wanted)
                return &line;
        }
    }
    return nullptr;
}

gid_t find_group(const std::vector<Fields>& groups, const std::string& wanted) {
    const Fields* const line = find(groups, wanted);
    const std::optional<uint32_t> gid = number(line ? (*line)[2] : wanted);
    if (!gid)
        throw Error("group '" + wanted + "'", "is not in the image's /etc/group");
    return *gid;
}

bool is_member(const Fields& group, const std::string& name) {
    if (group.size() < 4)
        return false;
    std::istringstream members(group[3]);
    for (std::string member; std::getline(members, member, ',');) {
        if (member == name)
            return true;
    }
    return false;
}

} // namespace

User find_user(const std::string& text, const std::string& passwd, const std::string& group) {
    const size_t colon = text.find(':');
    const std::string wanted = text.empty() || colon == 0 ? "0" : text.substr(0, colon);
    const std::vector<Fields> groups = lines_of(group, 3);
    const std::vector<Fields> users = lines_of(passwd, 6);
    const Fields* const line = find(users, wanted);
    const std::optional<uint32_t> uid = number(line ? (*line)[2] : wanted);
    if (!uid)
        throw Error("user '" + wanted + "'", "is not in the image's /etc/passwd");
    User user;
    user.uid = *uid;
    if (line) {
        user.gid = number((*line)[3]).value_or(0);
        user.home = (*line)[5].empty() ? "/" : (*line)[5];
    }
    if (colon != std::string::npos && colon + 1 < text.size()) {
        user.gid = find_group(groups, text.substr(colon + 1));
        return user; // and no others, as a group was named
    }
    for (const Fields& other : groups) {
        const std::optional<uint32_t> gid = number(other[2]);
        if (line && gid && is_member(other, (*line)[0]))
            user.groups.push_back(*gid);
    }
    return user;
}

} // namespace shale::running
