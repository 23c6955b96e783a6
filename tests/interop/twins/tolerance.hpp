// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include <sys/stat.h>

#include "operation.hpp"

/// The differences that are no failure, one by one. Each stands in docs/differences.md.
namespace shale::twins {

enum class Tolerance {
    /// "whiteouts in a directory that one lower alone has": overlayfs lists them.
    listed_whiteout,
    /// "changing a removed lower file through its descriptor": EEXIST in overlayfs, ENOENT if its
    /// directory is gone as well; ESTALE in Shale, if it is not a regular one.
    change_of_removed,
    /// "link count of a removed directory that had lower parts, and of a removed lower file": 1 in
    /// overlayfs.
    links_of_removed,
    /// "time of a file whose content is copied up later than its attributes": that of the copying
    /// in overlayfs.
    time_of_content,
    /// "rmdir(2) of a directory of the upper that holds nothing but whiteouts": ENOTEMPTY in
    /// overlayfs.
    whiteouts_of_nothing,
    /// "copy_file_range(2) from a file of a layer on another file system": EXDEV in overlayfs.
    copy_between_file_systems,
    /// "a rename that is refused with ENOTEMPTY": overlayfs copies up, and changes the time of the
    /// directories.
    refused_rename,
    /// "setxattr(2) that XATTR_CREATE or XATTR_REPLACE makes fail": overlayfs copies up.
    refused_xattr,
    /// "number in the list of a hard link": overlayfs goes on listing the copy's own.
    number_of_link,
};

/// Whether the file system that @p fd is open in is overlayfs.
bool is_overlayfs(int fd);

/// Whether overlayfs found a directory of @p twin, its tree, not empty that lists nothing: there
/// are whiteouts of nothing in it, which a redirect that leads nowhere after the next mount leaves
/// behind. In Shale the directory is gone then, so that the trees part.
bool do_trees_part(const Operation& operation, const Side& twin, const std::string& ours,
                   const std::string& theirs);

/// Whether the answers of Shale and of overlayfs to @p operation, which went to @p tree, may be
/// these.
bool is_tolerated(const Operation& operation, const Side& tree, const std::string& ours,
                  const std::string& theirs);

/// Makes the link count what it is in Shale.
void correct_links(int fd, struct stat& st);

/// Each use of a tolerance is counted.
void count(Tolerance tolerance);
void print_counts();

} // namespace shale::twins
