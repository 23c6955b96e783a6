// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/attributes.hpp"

#include <cstring>
#include <stdexcept>

namespace shale::netlink {

std::string text(const nlattr* attribute) {
    const auto* const begin = static_cast<const char*>(nla_data(attribute));
    return {begin, strnlen(begin, static_cast<std::size_t>(nla_len(attribute)))};
}

std::uint32_t u32(const nlattr* attribute) {
    if (nla_len(attribute) < 4)
        throw std::runtime_error("the kernel sent a number of fewer than four bytes");
    return nla_get_u32(attribute);
}

std::uint64_t number(const nlattr* attribute) {
    return nla_len(attribute) >= 8 ? nla_get_u64(const_cast<nlattr*>(attribute)) : u32(attribute);
}

} // namespace shale::netlink
