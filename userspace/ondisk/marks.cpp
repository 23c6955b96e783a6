// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ondisk/marks.hpp"

#include <linux/shale_ondisk.h>
#include <sys/sysmacros.h>

#include "ondisk/xattr_names.hpp"

namespace shale::ondisk {

namespace {

constexpr std::string_view name_of(Mark mark) noexcept {
    switch (mark) {
    case Mark::opaque:
        return SHALE_MARK_OPAQUE;
    case Mark::whiteout:
        return SHALE_MARK_WHITEOUT;
    case Mark::redirect:
        return SHALE_MARK_REDIRECT;
    case Mark::origin:
        return SHALE_MARK_ORIGIN;
    case Mark::impure:
        return SHALE_MARK_IMPURE;
    case Mark::nlink:
        return SHALE_MARK_NLINK;
    case Mark::upper:
        return SHALE_MARK_UPPER;
    case Mark::uuid:
        return SHALE_MARK_UUID;
    case Mark::metacopy:
        return SHALE_MARK_METACOPY;
    case Mark::protattr:
        return SHALE_MARK_PROTATTR;
    }
    return {};
}

} // namespace

std::string xattr_name(Prefix prefix, Mark mark) {
    return std::string(mark_prefix(prefix)).append(name_of(mark));
}

bool is_whiteout_device(mode_t mode, dev_t rdev) noexcept {
    return S_ISCHR(mode) && rdev == makedev(0, 0);
}

bool may_be_xattr_whiteout(mode_t mode, off_t size) noexcept { return S_ISREG(mode) && size == 0; }

Opaque decode_opaque(std::string_view value) noexcept {
    switch (shale_opaque_decode(value.data(), value.size())) {
    case SHALE_OPAQUE_YES:
        return Opaque::yes;
    case SHALE_OPAQUE_XWHITEOUT:
        return Opaque::xattr_whiteouts;
    case SHALE_OPAQUE_NO:
        break;
    }
    return Opaque::no;
}

std::optional<Redirect> decode_redirect(std::string_view value) {
    const auto kind = shale_redirect_decode(value.data(), value.size());
    if (kind == SHALE_REDIRECT_INVALID)
        return std::nullopt;

    Redirect redirect;
    redirect.absolute = kind == SHALE_REDIRECT_ABSOLUTE;
    value.remove_prefix(redirect.absolute);
    for (;;) {
        const auto len = shale_component_len(value.data(), value.size());
        redirect.components.emplace_back(value.substr(0, len));
        if (len == value.size())
            return redirect;
        value.remove_prefix(len + 1);
    }
}

std::string encode_redirect(const Redirect& redirect) {
    if (!redirect.absolute)
        return redirect.components.front();
    std::string value;
    for (const auto& component : redirect.components)
        value.append("/").append(component);
    return value;
}

} // namespace shale::ondisk
