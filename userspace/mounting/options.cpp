// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/options.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <sys/mount.h>

#include "base/join.hpp"

namespace shale::mounting {

namespace {

/// A word that stands for flags of mount(2).
struct FlagWord {
    std::string_view name;
    unsigned long set;
    unsigned long clear;
};

constexpr unsigned long access_times = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

constexpr FlagWord flag_words[] = {
    {"defaults", 0, 0},
    {"ro", MS_RDONLY, 0},
    {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},
    {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},
    {"exec", 0, MS_NOEXEC},
    {"nosymfollow", MS_NOSYMFOLLOW, 0},
    {"symfollow", 0, MS_NOSYMFOLLOW},
    {"noatime", MS_NOATIME, access_times},
    {"atime", 0, MS_NOATIME},
    {"relatime", MS_RELATIME, access_times},
    {"norelatime", 0, MS_RELATIME},
    {"strictatime", MS_STRICTATIME, access_times},
    {"nostrictatime", 0, MS_STRICTATIME},
    {"nodiratime", MS_NODIRATIME, 0},
    {"diratime", 0, MS_NODIRATIME},
    {"sync", MS_SYNCHRONOUS, 0},
    {"async", 0, MS_SYNCHRONOUS},
    {"dirsync", MS_DIRSYNC, 0},
    {"lazytime", MS_LAZYTIME, 0},
    {"nolazytime", 0, MS_LAZYTIME},
    {"mand", MS_MANDLOCK, 0},
    {"nomand", 0, MS_MANDLOCK},
    {"silent", MS_SILENT, 0},
    {"loud", 0, MS_SILENT},
    {"remount", MS_REMOUNT, 0},
    {"bind", MS_BIND, 0},
};

/// Words that mean something to mount(8) or systemd, and nothing to the kernel.
constexpr std::string_view words_of_mount[] = {
    "auto",  "noauto",  "user",   "nouser", "users",   "owner",
    "group", "_netdev", "nofail", "helper", "uhelper", "comment",
};

constexpr std::string_view label_words[] = {"context", "fscontext", "defcontext", "rootcontext"};

std::string_view name_of(std::string_view option) {
    return option.substr(0, option.find('='));
}

std::string_view value_of(std::string_view option) {
    const auto equals = option.find('=');
    return equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
}

template <typename List> bool has(const List& list, std::string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

bool is_for_mount(std::string_view option) {
    return option.starts_with("x-") || option.starts_with("X-") ||
           has(words_of_mount, name_of(option));
}

/// Where the option at the start of @p text ends. SELinux's labels may be quoted, and have commas.
std::size_t option_end(std::string_view text) {
    bool quoted = false;
    const bool label = has(label_words, name_of(text));
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size())
            ++i;
        else if (text[i] == '"' && label)
            quoted = !quoted;
        else if (text[i] == ',' && !quoted)
            return i;
    }
    return text.size();
}

/// @p text without the backslashes that protect other characters.
std::string unescape(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size())
            ++i;
        plain += text[i];
    }
    return plain;
}

/// Where the name at the start of @p text ends: at a colon that no backslash protects.
std::size_t name_end(std::string_view text) {
    std::size_t end = 0;
    for (; end < text.size() && text[end] != ':'; ++end) {
        if (text[end] == '\\' && end + 1 < text.size())
            ++end;
    }
    return end;
}

void add_lower(const std::string& option, std::string layer, bool of_data, Stack& stack) {
    if (!of_data && !stack.data.empty())
        throw Error("option " + option, "a layer that is merged can't follow one of data only",
                    "name those of data only last, each behind two colons or by datadir+");
    (of_data ? stack.data : stack.lowers).push_back(std::move(layer));
}

void take_lowerdir(std::string_view value, Stack& stack) {
    stack.lowers.clear();
    stack.data.clear();
    for (const LowerName& lower : split_lowerdir(value)) {
        if (lower.path.empty())
            throw Error("option lowerdir", "there is an empty name between its colons",
                        "name each layer, and put one colon between two");
        add_lower("lowerdir", lower.path, lower.of_data, stack);
    }
}

unsigned attributes_of(unsigned long flags) {
    constexpr std::array<std::pair<unsigned long, unsigned>, 7> attributes{{
        {MS_NOSUID, MOUNT_ATTR_NOSUID},
        {MS_NODEV, MOUNT_ATTR_NODEV},
        {MS_NOEXEC, MOUNT_ATTR_NOEXEC},
        {MS_NOATIME, MOUNT_ATTR_NOATIME},
        {MS_STRICTATIME, MOUNT_ATTR_STRICTATIME},
        {MS_NODIRATIME, MOUNT_ATTR_NODIRATIME},
        {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
    }};
    unsigned found = 0;
    for (const auto& [flag, attribute] : attributes)
        found |= flags & flag ? attribute : 0;
    return found;
}

/// The flags that are the file system's, not the mount's, by the names that fsconfig(2) knows.
std::vector<std::string> file_system_words(unsigned long flags) {
    std::vector<std::string> words;
    for (const FlagWord& word : flag_words) {
        if (word.set & flags & (MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME | MS_MANDLOCK))
            words.emplace_back(word.name);
    }
    return words;
}

} // namespace

std::string Options::data() const {
    return join(file_system, ",");
}

Options parse_options(std::string_view text) {
    Options options;
    while (!text.empty()) {
        const std::size_t end = option_end(text);
        const std::string_view option = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (option.empty() || is_for_mount(option))
            continue;
        const auto word = std::find_if(std::begin(flag_words), std::end(flag_words),
                                       [&](const FlagWord& known) { return known.name == option; });
        if (word == std::end(flag_words))
            options.file_system.emplace_back(option);
        else
            options.flags = (options.flags & ~word->clear) | word->set;
    }
    return options;
}

std::string escaped(const std::string& path) {
    std::string text;
    for (const char c : path) {
        if (c == ':' || c == ',' || c == '\\')
            text += '\\';
        text += c;
    }
    return text;
}

std::string escaped(const std::vector<std::string>& paths) {
    std::string text;
    for (const std::string& path : paths)
        text += (text.empty() ? "" : ":") + escaped(path);
    return text;
}

std::vector<LowerName> split_lowerdir(std::string_view value) {
    std::vector<LowerName> names;
    for (bool of_data = false;;) {
        const std::size_t end = name_end(value);
        names.push_back({unescape(value.substr(0, end)), of_data});
        if (end == value.size())
            return names;
        value.remove_prefix(end + 1);
        of_data = value.starts_with(':');
        value.remove_prefix(of_data ? 1 : 0);
    }
}

Stack stack_of(const Options& options, const std::string& source) {
    Stack stack;
    stack.source = source;
    stack.read_only = options.flags & MS_RDONLY;
    stack.attributes = attributes_of(options.flags);
    stack.options = file_system_words(options.flags);
    for (const std::string& option : options.file_system) {
        const std::string_view name = name_of(option);
        const std::string_view value = value_of(option);
        if (name == "lowerdir")
            take_lowerdir(value, stack);
        else if (name == "lowerdir+")
            add_lower("lowerdir+", std::string(value), false, stack);
        else if (name == "datadir+")
            add_lower("datadir+", std::string(value), true, stack);
        else if (name == "upperdir")
            stack.upper = unescape(value);
        else if (name == "workdir")
            stack.work = unescape(value);
        else
            stack.options.push_back(option);
    }
    return stack;
}

} // namespace shale::mounting
