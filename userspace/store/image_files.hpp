// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "store/records.hpp"

namespace shale {

/// ROOT/images: what the database knows of each image, in a file of its own, for the day when it is lost.
///
/// The files are written with the database's write lock held, before it commits. Whoever does that says before which
/// ones, and afterwards that it is done: what a crash left undone in between is told by unsettled().
class ImageFiles {
public:
    /// @p root is an open ROOT, @p shown its path.
    ImageFiles(int root, const std::string& shown);

    void write(const ImageRecord& image);
    void remove(const std::string& name);
    /// All that can be read. What can't be is told in @p problems.
    std::vector<ImageRecord> read_all(std::vector<std::string>& problems) const;

    /// These are about to change. They are on the disk, when settle() is called.
    void begin(const std::set<std::string>& names);
    void sync() const;
    void settle();
    /// Names of images whose files were about to change when somebody died or was overtaken; nobody else may be at
    /// work.
    std::set<std::string> unsettled() const;
    void settle_all();

private:
    ImageRecord read(const std::string& file) const;
    void put(const std::string& file, const std::string& content);
    std::vector<std::string> marks() const;

    UniqueFd fd_;
    std::string shown_;
};

/// What a snapshot's directory says of itself: ROOT/snapshots/NAME/snapshot.json, in the open directory @p own.
void write_snapshot_file(int own, const SnapshotRecord& snapshot, const Digest& manifest);
/// The record of @p name, without paths. Throws Error naming @p shown, the directory.
/// @p manifest is set to that of the image that it was made for.
SnapshotRecord read_snapshot_file(int own, const std::string& name, const std::string& shown, Digest& manifest);
constexpr const char* snapshot_file = "snapshot.json";

} // namespace shale
