// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "operation.hpp"
#include "script.hpp"
#include "seen.hpp"

namespace shale::powercut {

/// What one hand has done, and what of it was promised to stay. What the file system below is relied on for, as ext4
/// and xfs do it:
///
///   names, modes     Changes reach the disk in their order, so that a cut leaves what was there after one
///                    operation, and all hands' promises only say how early that may be:
///                    - syncfs: not before it
///                    - fsync of a file: not before the last change to its own inode (creation, link, rename, mode);
///                      removals and exchanges are not counted, as they may leave it alone
///                    - fdatasync, O_DSYNC: not before it was created
///                    - fsync of a directory: not before the last change of its entries, or of its own name or mode
///   data             Each block is that of the last write before the last promise for this file, or of any later
///                    one, and the length one that it had since then, or in between. Only what was added or
///                    truncated since then may be zeros.
///
/// So a file that was copied up and not written to is as in its layer, and nothing is empty that was not
/// truncated by its owner after the last promise.
class History {
public:
    /// @p promised are numbers of operations, which begin with 1.
    History(unsigned seed, unsigned hand, bool linked, const std::vector<unsigned>& promised);

    /// The number of the operation that there must be at least.
    unsigned first_possible() const { return first_; }
    unsigned last_possible() const { return static_cast<unsigned>(operations_.size()); }

    /// What is wrong with the data of a file; "" if nothing.
    std::string judge_data(unsigned file, const Seen& seen) const;

private:
    struct Write {
        unsigned number, version, first, count;
        bool truncates;
    };
    struct Data {
        unsigned blocks = 0; ///< before the first write
        std::vector<Write> writes;
    };
    struct Bounds;

    void note_promise(unsigned number, const Script& script);
    void note_change(unsigned number, const Script& script, const std::string& path);
    void note_write(unsigned number, const Operation& operation);
    Bounds bounds_of(unsigned file) const;

    std::vector<Operation> operations_;
    std::map<unsigned, Data> data_;
    std::map<unsigned, unsigned> synced_; ///< file, number of the last promise for it
    std::map<const Object*, unsigned> changed_;
    std::map<unsigned, unsigned> created_;
    unsigned first_ = 0, synced_all_ = 0;
};

} // namespace shale::powercut
