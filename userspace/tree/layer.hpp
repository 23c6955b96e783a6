// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace shale::tree {

/// One layer, open for reading and for nothing else.
class Layer {
public:
    /// Opens the directory @p path. With the right to mount, through a private read-only mount, so
    /// that neither are other mounts below @p path seen (a mounted union does not show them
    /// either) nor are access times touched. Throws Error.
    static std::shared_ptr<const Layer> open(const std::string& path);

    /// O_PATH descriptor of the root.
    int fd() const { return fd_.get(); }
    const UniqueFd& descriptor() const { return fd_; }
    const std::string& path() const { return path_; }
    /// Whether it was opened through a mount of its own.
    bool is_private() const { return is_private_; }

private:
    Layer(UniqueFd fd, std::string path, bool is_private)
        : fd_(std::move(fd)), path_(std::move(path)), is_private_(is_private) {}

    UniqueFd fd_;
    std::string path_;
    bool is_private_;
};

/// All of @p paths, in their order. Throws Error.
std::vector<std::shared_ptr<const Layer>> open_layers(const std::vector<std::string>& paths);

} // namespace shale::tree
