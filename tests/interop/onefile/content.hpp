// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

namespace shale::onefile {

/// What a file has to hold.
class Content {
public:
    size_t size() const { return bytes_.size(); }
    off_t end() const { return static_cast<off_t>(bytes_.size()); }
    /// What reading so much gives.
    std::string_view read(off_t at, size_t length) const;

    void write(off_t at, std::string_view data);
    void resize(off_t size) { bytes_.resize(static_cast<size_t>(size)); }
    /// Within the file.
    void zero(off_t at, off_t length);
    void grow(off_t size);
    void collapse(off_t at, off_t length);
    void insert(off_t at, off_t length);

    /// Whether a byte other than zero is there.
    bool has_data(off_t from, off_t to) const;

    /// How @p seen at that place differs from this; empty if it does not.
    std::string difference(off_t at, std::string_view seen) const;

private:
    std::string bytes_;
};

} // namespace shale::onefile
