// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/dice.hpp"
#include "base/fd.hpp"
#include "caller.hpp"
#include "places.hpp"

namespace shale::twins {

/// One of the two trees, as operations see it. Its root is the current directory while one runs.
struct Side {
    static constexpr unsigned slots = 6;

    UniqueFd root;
    std::array<UniqueFd, slots> held; ///< opened by one operation, used by later ones
};

/// One thing to do to each of the trees. All choices are made; what it answers depends on the tree.
struct Operation {
    std::string text;               ///< as a reader would write it
    std::vector<std::string> paths; ///< what it concerns
    std::function<std::string(Side&)> run;
    int slot = -1; ///< of the descriptor that it goes through
    Caller caller{};
};

/// What an operation is made from.
struct Choices {
    Dice dice;
    Places places;
    const Side& tree; ///< either of the two: they are alike
    std::array<std::string, Side::slots> held_paths{};

    std::string place(Wish wish) { return places.pick(dice, wish); }
};

using MakeOperation = Operation (*)(Choices& choose);

/// How often an operation comes, in comparison with the others.
struct Weighted {
    unsigned weight;
    MakeOperation make;
};

std::span<const Weighted> name_operations();
std::span<const Weighted> content_operations();
std::span<const Weighted> attribute_operations();
std::span<const Weighted> held_operations();
std::span<const Weighted> identity_operations();

/// Parts of an operation's text.
inline std::string words(const std::string& word) {
    return word;
}
template <class... Words> std::string words(const std::string& word, const Words&... others) {
    const std::string rest = words(std::string(others)...);
    return rest.empty() ? word : word + " " + rest;
}
std::string octal(mode_t mode);
std::string open_flags_text(int flags);

} // namespace shale::twins
