// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shale::powercut {

/// A file or directory as a program that made all changes knows it.
struct Object {
    bool is_directory = false;
    unsigned mode = 0644;
    unsigned file = 0;    ///< number of a file, for ever
    unsigned version = 0; ///< of the last write to it
    unsigned blocks = 0;
    unsigned names = 1;
    std::map<std::string, std::shared_ptr<Object>> children; ///< of a directory

    static std::shared_ptr<Object> new_file(unsigned file, unsigned mode, unsigned blocks);
    static std::shared_ptr<Object> new_directory(unsigned mode);
};

/// Names and what they are names of, below a directory. Paths have no slash at the beginning.
class Tree {
public:
    Tree() : root_(Object::new_directory(0755)) {}

    /// Of a name that there is.
    std::shared_ptr<Object> at(const std::string& path) const;
    bool has(const std::string& path) const;
    void put(const std::string& path, std::shared_ptr<Object> object);
    std::shared_ptr<Object> take(const std::string& path);

    struct Entry {
        std::string path;
        const Object* object;
    };
    /// All that is below a directory, each behind its parent.
    std::vector<Entry> entries(const std::string& below = "") const;

private:
    std::shared_ptr<Object> root_;
};

std::string parent_of(const std::string& path);
std::string name_of(const std::string& path);

/// Is @p path below @p directory, or the same?
bool is_within(const std::string& path, const std::string& directory);

} // namespace shale::powercut
