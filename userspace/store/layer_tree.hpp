// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include <sys/stat.h>

#include "base/digest.hpp"

namespace shale {

/// One object in the directory of a layer, with all that the layer says by it.
struct LayerObject {
    std::string path; ///< from the layer's root, which is ""
    mode_t mode = 0;  ///< type and permissions
    uid_t uid = 0;
    gid_t gid = 0;
    struct timespec modified = {};
    uint64_t size = 0;   ///< of a regular file
    std::string content; ///< of a regular file: see content_digest(); of a symbolic link: where it points; of a
                         ///< device: MAJOR:MINOR
    std::string link;    ///< of a further name of a file: the path of its first one
    std::map<std::string, std::string> xattrs; ///< name -> sha256 of the value, in hex
};

/// In the order of a walk: each directory before what is in it, names in the order of their bytes.
using LayerTree = std::vector<LayerObject>;

/// The sha256, in hex, over what a file holds: of each block of 64 KiB in which not all is zero, its number (8 bytes,
/// the lowest first) and its bytes. So it does not depend on what of it are holes. For one file after the other.
class ContentDigest {
public:
    ContentDigest();

    /// Pieces come in order; what lies between two is a hole.
    void add(uint64_t offset, const char* bytes, size_t size);
    /// Of a file of @p size bytes, all of whose pieces were added. Ready for the next file.
    std::string finish(uint64_t size);

private:
    void end_block(size_t size);

    Sha256 sha_;
    std::vector<char> block_;
    uint64_t number_ = 0; ///< of the block
    size_t used_ = 0;     ///< bytes of it that may not be zero
};

/// Digests of what files hold that were made when they were written, by inode number.
using ContentDigests = std::unordered_map<ino_t, std::string>;

enum class Unreadable {
    refused, ///< throw Error
    noted,   ///< `content` says why, and that equals no other
};

struct TreeReading {
    unsigned jobs = 1; ///< threads that read what files hold
    Unreadable unreadable = Unreadable::refused;
    const ContentDigests* known = nullptr; ///< of files that need not be read
    /// Called now and then, with so many bytes more that were read; what it throws ends the reading.
    std::function<void(uint64_t bytes)> advance;
};

/// Reads all of the layer at the open directory @p root. Messages name objects by their paths behind @p shown.
/// What is of this machine (labels of security modules) and access times are left out.
LayerTree read_tree(int root, const std::string& shown, const TreeReading& reading);

/// The ContentDigest of what the open file @p fd holds; holes need not be read. @p read is called with the bytes that
/// were.
std::string content_digest(int fd, const std::string& shown, const std::function<void(uint64_t bytes)>& read);

/// A tree as a text, a line per object (docs/store.md), and back. Reading throws Error naming @p shown.
std::string text_of(const LayerTree& tree);
LayerTree parse_tree(const std::string& text, const std::string& shown);

/// What two trees differ in, object by object and thing by thing.
struct TreeDifference {
    std::string path; ///< "/" is the root
    std::string expected;
    std::string seen;
};
std::vector<TreeDifference> compare_trees(const LayerTree& expected, const LayerTree& seen);

} // namespace shale
