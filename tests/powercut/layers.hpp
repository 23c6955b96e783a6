// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "tree.hpp"

namespace shale::powercut {

constexpr unsigned nr_hands = 3;

/// Set once, when the program starts.
inline unsigned nr_rooms = 1;

/// Each hand works in a directory of its own, so that it alone decides what becomes of its files. It has some rooms
/// in there, one after the other, so that there is something left to be copied up in a long run.
std::string place_of(unsigned hand);
std::string room_of(unsigned hand, unsigned room);

/// Name of the directory in each room whose files share an inode in the lowest layer. Without an index, a copy-up parts
/// them, and they are left alone.
constexpr const char* linked_name = "linked";

/// What a mount of the layers shows a hand in its place before all changes.
Tree tree_of(unsigned hand, bool linked);

/// What each of the layers has of a hand.
Tree top_of(unsigned hand);
Tree low_of(unsigned hand);

/// Makes the layers DIR/top and DIR/low.
void make_layers(const std::string& directory);

} // namespace shale::powercut
