// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any bytes at all as the value, or the name, of each mark, or as a file handle: neither the pure
// functions of shale_ondisk.h, which the module uses, nor the codec of the tools, which stands on
// them, reads beyond them, and what they make of them is what the simple words below say.
#include <linux/shale_ondisk.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ondisk/marks.hpp"
#include "ondisk/xattr_names.hpp"
#include "require.hpp"

namespace {

using namespace shale::ondisk;

// opaque

void check_opaque(std::string_view value) {
    const auto wanted = value == "y"   ? SHALE_OPAQUE_YES
                        : value == "x" ? SHALE_OPAQUE_XWHITEOUT
                                       : SHALE_OPAQUE_NO;
    REQUIRE(shale_opaque_decode(value.data(), value.size()) == wanted);
    REQUIRE((decode_opaque(value) == Opaque::yes) == (wanted == SHALE_OPAQUE_YES));
    REQUIRE((decode_opaque(value) == Opaque::xattr_whiteouts) == (wanted == SHALE_OPAQUE_XWHITEOUT));
}

// redirect

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
           name.find('\0') == name.npos && name.find('/') == name.npos;
}

// What stands between the slashes, "" included.
std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto slash = path.find('/');
        parts.push_back(path.substr(0, slash));
        if (slash == path.npos)
            return parts;
        path.remove_prefix(slash + 1);
    }
}

void check_redirect(std::string_view value) {
    const bool absolute = value.starts_with('/');
    const auto parts = split(absolute ? value.substr(1) : value);
    const bool valid = std::all_of(parts.begin(), parts.end(), is_name) &&
                       (absolute || parts.size() == 1) && value.size() <= SHALE_REDIRECT_MAX;
    const auto kind = shale_redirect_decode(value.data(), value.size());
    const auto decoded = decode_redirect(value);

    REQUIRE(kind == (!valid     ? SHALE_REDIRECT_INVALID
                     : absolute ? SHALE_REDIRECT_ABSOLUTE
                                : SHALE_REDIRECT_RELATIVE));
    REQUIRE(decoded.has_value() == valid);
    if (!valid)
        return;
    REQUIRE(decoded->absolute == absolute);
    REQUIRE(std::equal(parts.begin(), parts.end(), decoded->components.begin(),
                       decoded->components.end()));
    REQUIRE(encode_redirect(*decoded) == value);
}

// metacopy

void check_metacopy(std::string_view value) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(value[i]); };
    const bool valid = value.empty() || (value.size() >= 4 && value.size() <= 68 && byte(0) == 0 &&
                                         byte(1) == value.size());
    REQUIRE(!!shale_metacopy_valid(value.data(), value.size()) == valid);
}

// nlink

void check_nlink(std::string_view value) {
    const bool well_formed =
        value.size() >= 3 && (value[0] == 'U' || value[0] == 'L') &&
        (value[1] == '+' || value[1] == '-') &&
        value.find_first_not_of("0123456789", 2) == value.npos;
    shale_nlink nlink = {-1, -1};

    if (!shale_nlink_decode(value.data(), value.size(), &nlink)) {
        // A well-formed one is refused only because no file has as many links.
        REQUIRE(!well_formed || value.size() > SHALE_NLINK_MAX || value.size() >= 12);
        return;
    }
    REQUIRE(well_formed && value.size() <= SHALE_NLINK_MAX);
    REQUIRE(nlink.of_upper == (value[0] == 'U'));
    REQUIRE(nlink.diff == std::atoll(std::string(value.substr(1)).c_str()));

    // What is written is read again.
    shale_nlink again = {-1, -1};
    char text[32];
    const auto len = static_cast<std::size_t>(
        std::snprintf(text, sizeof(text), "%c%+d", nlink.of_upper ? 'U' : 'L', nlink.diff));
    REQUIRE(shale_nlink_decode(text, len, &again));
    REQUIRE(again.of_upper == nlink.of_upper && again.diff == nlink.diff);
}

// origin, and the names that the index has for origins

void check_origin(std::string_view value) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(value[i]); };
    const bool valid = value.size() > 21 && byte(0) == 0 && byte(1) == 0xfb &&
                       byte(2) == value.size() && byte(3) < 8;
    REQUIRE(!!shale_origin_valid(value.data(), value.size()) == valid);
    if (!valid || 2 * value.size() > SHALE_INDEX_NAME_MAX)
        return;

    std::string name;
    for (std::size_t i = 0; i < value.size(); i++) {
        name += "0123456789abcdef"[byte(i) >> 4];
        name += "0123456789abcdef"[byte(i) & 15];
    }
    std::vector<__u8> record(name.size() / 2);
    REQUIRE(shale_index_name_decode(name.data(), name.size(), record.data()) == value.size());
    REQUIRE(std::memcmp(record.data(), value.data(), value.size()) == 0);

    // One record has one name.
    const auto letter = name.find_first_of("abcdef");
    name[letter] = static_cast<char>(name[letter] - 'a' + 'A');
    REQUIRE(shale_index_name_decode(name.data(), name.size(), record.data()) == 0);
}

void check_index_name(std::string_view name) {
    std::vector<__u8> record(name.size() / 2);
    const auto size = shale_index_name_decode(name.data(), name.size(), record.data());
    if (!size)
        return;
    REQUIRE(size == name.size() / 2 && shale_origin_valid(record.data(), size));
    check_origin(std::string_view(reinterpret_cast<const char*>(record.data()), size));
}

// file handles, the first byte being the type

void check_handle(std::string_view value) {
    if (value.empty())
        return;
    const int type = static_cast<unsigned char>(value[0]);
    // In memory of its own, so that reading beyond the end is seen.
    const std::vector<char> bytes(value.begin() + 1, value.end());
    const std::string_view all(bytes.data(), bytes.size());
    const std::size_t padding = type == 0xfb ? 0 : 3;
    const bool known = type == 0xfb || type == 0xf8 || type == 0xf9;

    // The record that begins at a place, or nothing.
    const auto record_at = [&](std::size_t at) {
        if (at + 3 > all.size())
            return std::string_view();
        const auto size = static_cast<unsigned char>(all[at + 2]);
        const auto record = all.substr(at, size);
        const bool whole = record.size() == size && shale_origin_valid(record.data(), size);
        return whole ? record : std::string_view();
    };
    const auto require = [&](std::string_view wanted, int parent) {
        const auto* found = shale_handle_decode(bytes.data(), bytes.size(), type, parent);
        REQUIRE(!!found == !wanted.empty());
        REQUIRE(!found || reinterpret_cast<const char*>(found) == wanted.data());
        REQUIRE(!found || found->len == wanted.size());
    };
    const auto object = known ? record_at(padding) : std::string_view();
    require(object, 0);
    require(type == 0xf9 && !object.empty() ? record_at(padding + object.size() + 3)
                                            : std::string_view(), 1);
}

// names of attributes

void check_xattr_name(std::string_view name) {
    for (const auto prefix : {Prefix::trusted, Prefix::user}) {
        // Whatever is set through a mount is shown by the name it was set under, and is no mark.
        const auto stored = stored_name(prefix, name);
        REQUIRE(shown_name(prefix, stored) == name);

        // Whatever a mount shows would be stored where it was found.
        const auto shown = shown_name(prefix, name);
        if (shown)
            REQUIRE(stored_name(prefix, *shown) == name);
        else
            REQUIRE(name.starts_with(mark_prefix(prefix)));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view value(reinterpret_cast<const char*>(data), size);

    check_opaque(value);
    check_redirect(value);
    check_metacopy(value);
    check_nlink(value);
    check_origin(value);
    check_index_name(value);
    check_handle(value);
    check_xattr_name(value);
    return 0;
}
