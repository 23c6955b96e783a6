// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace shale {

/// How a long operation talks to whoever started it. The library never prints: a caller that wants
/// to show something overrides these. As it stands, this class is silent and never stops anything.
/// All calls come from the thread that runs the operation.
class Progress {
public:
    virtual ~Progress();

    /// An archive of @p bytes bytes (0: nobody knows how many) begins to be read.
    virtual void begin_archive(uint64_t bytes);
    /// Layer @p index of @p count (from 1) begins; its blob has @p bytes bytes.
    virtual void begin_layer(size_t index, size_t count, uint64_t bytes);
    /// Layer @p index of @p count is in the store already and is not read again.
    virtual void reuse_layer(size_t index, size_t count);
    /// @p bytes more of the current blob, or the archive, have been read.
    virtual void advance(uint64_t bytes);
    /// Something was left out or changed that the user should know. Comes at the end of an
    /// operation, once per kind, however often it happened.
    virtual void warn(const std::string& message);
    /// Asked often, so it must be cheap. True makes the operation undo itself and throw Cancelled.
    virtual bool cancelled();
};

} // namespace shale
