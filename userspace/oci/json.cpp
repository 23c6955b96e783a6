// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/json.hpp"

#include "base/error.hpp"

namespace shale::oci {

JsonFile::JsonFile(const std::string& text, std::string shown) : shown_(std::move(shown)) {
    value_ = Json::parse(text, nullptr, false);
    if (value_.is_discarded() || !value_.is_object())
        malformed("is not a JSON object");
}

JsonFile::JsonFile(Json value, std::string shown)
    : value_(std::move(value)), shown_(std::move(shown)) {}

JsonFile::JsonFile(const Json& value, const JsonFile& whole)
    : value_(value), shown_(whole.shown_) {}

template <typename T> T JsonFile::get(const Json& value, const std::string& key) const {
    try {
        return value.get<T>();
    } catch (const Json::exception&) {
        malformed("'" + key + "' has the wrong type");
    }
}

const Json& JsonFile::at(const std::string& key) const {
    const auto found = value_.find(key);
    if (found == value_.end())
        malformed("lacks '" + key + "'");
    return *found;
}

std::string JsonFile::string(const std::string& key) const {
    return get<std::string>(at(key), key);
}

std::string JsonFile::string_or(const std::string& key, const std::string& otherwise) const {
    return has(key) ? string(key) : otherwise;
}

uint64_t JsonFile::number(const std::string& key) const {
    // get<uint64_t>() would turn -1 and 1.5 into something else.
    if (!at(key).is_number_unsigned())
        malformed("'" + key + "' is not a whole number");
    return get<uint64_t>(at(key), key);
}

std::vector<JsonFile> JsonFile::objects(const std::string& key) const {
    std::vector<JsonFile> objects;
    if (!at(key).is_array())
        malformed("'" + key + "' has the wrong type");
    for (const Json& element : at(key)) {
        if (!element.is_object())
            malformed("'" + key + "' holds something that is not an object");
        objects.emplace_back(element, *this);
    }
    return objects;
}

std::vector<JsonFile> JsonFile::array(const std::string& text, const std::string& shown) {
    JsonFile whole(Json::object(), shown);
    whole.value_["array"] = Json::parse(text, nullptr, false);
    if (!whole.value_["array"].is_array())
        whole.malformed("is not a JSON array");
    return whole.objects("array");
}

std::vector<std::string> JsonFile::strings_or_none(const std::string& key) const {
    return has(key) && !at(key).is_null() ? strings(key) : std::vector<std::string>();
}

std::vector<std::string> JsonFile::strings(const std::string& key) const {
    return get<std::vector<std::string>>(at(key), key);
}

JsonFile JsonFile::object_or_empty(const std::string& key) const {
    if (!has(key) || at(key).is_null())
        return JsonFile(Json::object(), *this);
    if (!at(key).is_object())
        malformed("'" + key + "' has the wrong type");
    return JsonFile(at(key), *this);
}

void JsonFile::malformed(const std::string& reason) const {
    throw Error(shown_, reason, "the image is damaged or no OCI image: copy it again");
}

} // namespace shale::oci
