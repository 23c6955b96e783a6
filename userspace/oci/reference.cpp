// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/reference.hpp"

#include <cerrno>

#include <unistd.h>

#include "base/error.hpp"

namespace shale::oci {

Reference split_reference(const std::string& text) {
    if (text == "-")
        return {text, ""};
    size_t end = text.size();
    do {
        const std::string path = text.substr(0, end);
        if (!path.empty() && access(path.c_str(), F_OK) == 0)
            return {path, end == text.size() ? "" : text.substr(end + 1)};
        end = end == 0 ? std::string::npos : text.rfind(':', end - 1);
    } while (end != std::string::npos);
    throw Error::from_errno(
        text, ENOENT, "give the directory of an OCI image layout or an archive, as PATH or PATH:TAG");
}

} // namespace shale::oci
