// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace shale::oci {

using Json = nlohmann::json;

/// A JSON object and the file it came from, so that whatever is missing or of the wrong type
/// becomes an Error that names the file and the key.
class JsonFile {
public:
    /// Parses @p text; throws Error naming @p shown where it is not a JSON object.
    JsonFile(const std::string& text, std::string shown);
    /// The objects of a file that is an array of objects.
    static std::vector<JsonFile> array(const std::string& text, const std::string& shown);
    /// Part @p value of the same file.
    JsonFile(const Json& value, const JsonFile& whole);

    bool has(const std::string& key) const { return value_.contains(key); }
    std::string string(const std::string& key) const;
    std::string string_or(const std::string& key, const std::string& otherwise) const;
    uint64_t number(const std::string& key) const;
    /// The objects of array @p key.
    std::vector<JsonFile> objects(const std::string& key) const;
    std::vector<std::string> strings(const std::string& key) const;
    /// None as well where there is no such key, or null.
    std::vector<std::string> strings_or_none(const std::string& key) const;
    /// Object @p key; an empty one where it is missing.
    JsonFile object_or_empty(const std::string& key) const;

    const std::string& shown() const { return shown_; }

private:
    JsonFile(Json value, std::string shown);
    template <typename T> T get(const Json& value, const std::string& key) const;
    const Json& at(const std::string& key) const;
    [[noreturn]] void malformed(const std::string& reason) const;

    Json value_;
    std::string shown_;
};

} // namespace shale::oci
