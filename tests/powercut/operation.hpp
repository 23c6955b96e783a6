// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace shale::powercut {

enum class Kind {
    // names
    create,
    link,
    unlink,
    make_directory,
    remove_directory,
    rename, ///< over what is there, if anything
    exchange,
    // attributes
    chmod,
    // data
    write,
    truncate, ///< to nothing, by opening
    // promises
    fsync,
    fdatasync,
    fsync_directory,
    syncfs,
    // nothing that is seen
    hold, ///< opens it for reading, for a later fsync
};

/// One step of a hand: one call, or an open with one call.
struct Operation {
    Kind kind{};
    std::string path{};
    std::string to{};    ///< of a link, rename or exchange
    unsigned mode = 0;   ///< of a chmod, or of what is created
    unsigned file = 0;   ///< the number of the file, where the path is one of a file
    unsigned version = 0;
    unsigned first = 0, count = 0; ///< blocks of a write
    bool synchronous = false;      ///< a write that is a promise: O_DSYNC
    bool held = false;             ///< a promise through the descriptor that is held
    bool for_reading = false;      ///< a promise through a descriptor that can't write
};

/// Does its return promise anything?
inline bool is_promise(const Operation& operation) {
    switch (operation.kind) {
    case Kind::fsync:
    case Kind::fdatasync:
    case Kind::fsync_directory:
    case Kind::syncfs: return true;
    default: return operation.synchronous;
    }
}

} // namespace shale::powercut
