// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <span>
#include <string>

namespace shale::bench {

/// What is measured. It is called with 0, 1, 2... in each sample, and throws if something fails.
using Operation = std::function<void(unsigned)>;

/// What is compared among the sides.
struct Case {
    const char* name;
    /// Makes what is in the lower layer, or in the plain directory.
    void (*fill)(const std::string& dir);
    /// Opens what the operation needs, below the side's root. Without it mounting is what is measured.
    Operation (*prepare)(const std::string& root);
    /// So many operations are in each sample, as each uses up something; 0: as many as it takes.
    unsigned count = 0;
    /// What one operation does so many times.
    unsigned parts = 1;
    enum class On { all, unions } on = On::all;
    enum class By { both, time, instructions } by = By::both;
    /// With layers: makes what is in one of so many, instead of fill.
    void (*fill_layer)(const std::string& dir, unsigned layer, unsigned layers) = nullptr;
    std::span<const unsigned> layers = one_layer;

    /// At most so many count, of what takes long; 0: as many as of all others.
    unsigned rounds = 0;
    /// Of what the operations are the growth.
    enum class Unit { clock, bytes } unit = Unit::clock;

    static constexpr unsigned one_layer[] = {1};
};

/// @name By what is compared
/// @{
std::span<const Case> name_cases();
std::span<const Case> file_cases();
std::span<const Case> request_cases();
std::span<const Case> copy_up_cases();
std::span<const Case> layer_cases();
std::span<const Case> large_directory_cases();
std::span<const Case> memory_cases();
std::span<const Case> program_cases();
/// @}

} // namespace shale::bench
