// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <optional>

namespace shale::powercut {

/// What files consist of: blocks that say which file and version they belong to, and where in it, and whose
/// every byte follows from that. Each write is one of whole blocks.
constexpr unsigned block_size = 4096;
using Block = std::array<char, block_size>;

struct Label {
    unsigned file, version, index;
    bool operator==(const Label&) const = default;
};

Block make_block(const Label& label);

/// What @p block says it is; nothing where not every byte is as it has to be.
std::optional<Label> label_of(const Block& block);

bool is_zero(const Block& block);

} // namespace shale::powercut
