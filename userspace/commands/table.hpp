// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace shale {

/// Text in columns, as wide as their longest cell.
class Table {
public:
    explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}

    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// Control characters in cells are shown as "?", as names may hold any.
    void print(std::ostream& out) const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// @p text with control characters shown as "?", safe for a terminal.
std::string printable(std::string text);

} // namespace shale
