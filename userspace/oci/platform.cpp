// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/platform.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <sys/utsname.h>

namespace shale::oci {

namespace {

struct Spelling {
    std::string_view kernel;
    std::string_view oci;
};

constexpr std::array<Spelling, 10> spellings = {{
    {"x86_64", "amd64"},
    {"aarch64", "arm64"},
    {"armv7l", "arm"},
    {"armv6l", "arm"},
    {"i686", "386"},
    {"i586", "386"},
    {"loongarch64", "loong64"},
    {"ppc64le", "ppc64le"},
    {"riscv64", "riscv64"},
    {"s390x", "s390x"},
}};

} // namespace

Platform Platform::host() {
    struct utsname name;
    uname(&name);
    for (const Spelling& spelling : spellings) {
        if (spelling.kernel == name.machine)
            return {"linux", std::string(spelling.oci)};
    }
    return {"linux", name.machine};
}

} // namespace shale::oci
