// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/table.hpp"

#include <algorithm>

namespace shale {

std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
    return text;
}

void Table::print(std::ostream& out) const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_) {
        for (std::size_t column = 0; column < row.size(); ++column)
            widths[column] = std::max(widths[column], row[column].size());
    }
    for (const auto& row : rows_) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            out << printable(row[column]);
            if (column + 1 < row.size())
                out << std::string(widths[column] - row[column].size() + 2, ' ');
        }
        out << "\n";
    }
}

} // namespace shale
