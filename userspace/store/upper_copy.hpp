// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "store/attributes.hpp"

namespace shale {

/// Copies directories as they are, the marks of a union, links between names and holes included; blocks are
/// shared where the file system can.
class UpperCopy {
public:
    /// What is copied appears in the open directory @p to, which outlives the object. @p ask is called for each
    /// object; what it throws ends the copy.
    UpperCopy(int to, std::function<void()> ask);

    /// Makes the object @p name of the open directory @p from, which is no directory, in @p to as well, in another way
    /// than as a copy. @p path is its path, from the name that add() was given.
    using Make = std::function<void(int from, int to, const std::string& name, const std::string& path)>;
    /// Copies directories only, and has all else made by @p make.
    UpperCopy(int to, std::function<void()> ask, Make make);

    /// Copies the open directory @p from as @p name. Throws Error naming the object by its path behind @p shown.
    void add(int from, const std::string& name, const std::string& shown);
    /// Calls what the constructor was given.
    void ask() const { ask_(); }

private:
    void fill(int from, int to, const std::string& path);
    void copy(int from, int to, const std::string& name, const std::string& path);
    void copy_directory(int from, int to, const std::string& name, const std::string& path);
    void copy_file(int from, int to, const std::string& name, const struct stat& st);
    void copy_node(int from, int to, const std::string& name, const struct stat& st);
    bool link_to_copy(int to, const std::string& name, const std::string& path, const struct stat& st);

    const int root_;
    const std::function<void()> ask_;
    const Make make_;
    std::string shown_;
    Omissions none_; ///< what a layer of the store has, another one there can have
    AttributeWriter writer_;
    std::map<std::pair<dev_t, ino_t>, std::string> links_; ///< where the first name was copied to
};

} // namespace shale
