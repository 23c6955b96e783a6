// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <string>

#include <fcntl.h>

#include "base/at.hpp"
#include "sample_files.hpp"

/// A directory that all layers have, and in it files, spread over them.
namespace shale::bench::merged_directory {

std::string path(const std::string& root);
std::string file_in(const std::string& root, unsigned number);

/// So many, or in a large one so many.
constexpr unsigned files = 10000, many_files = 100000;
/// How many layers. Overlayfs takes 500 at most.
constexpr std::array<unsigned, 7> depths = {1, 2, 8, 32, 128, 500, 4096};

/// As Case::fill_layer has it: file i of @p count is in layer i modulo the number of layers.
template <unsigned count> void fill_layer(const std::string& dir, unsigned layer, unsigned layers) {
    make_directories(path(dir), 0755);
    for (unsigned i = layer; i < count; i += layers)
        open_file(file_in(dir, i), O_WRONLY | O_CREAT);
}

/// stat(2) of a name that nothing has.
void expect_no(const std::string& root, const std::string& name);

/// Looks for what is not there, as a build does all day, and leaves time for what happens in the background then.
void probe_for_a_while(const std::string& root);

/// Reads all names, of which there must be so many.
void list(const std::string& root, unsigned count);

} // namespace shale::bench::merged_directory
