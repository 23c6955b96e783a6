// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/values.hpp"

namespace shale::exercise {

/// None sticky that all may write to: there the sysctl fs.protected_symlinks decides what symbolic links lead to.
mode_t random_mode(Dice& dice) {
    static constexpr mode_t modes[] = {0644, 0755, 0600, 0700, 0777, 0000, 0444, 04755, 02755, 02644, 01755};
    return dice.one_of(modes);
}

uid_t random_id(Dice& dice) {
    static constexpr uid_t ids[] = {0, 1, 1000, 65534};
    return dice.one_of(ids);
}

std::string random_bytes(Dice& dice) {
    static constexpr size_t sizes[] = {0, 1, 3, 10, 10, 4095, 4096, 5000, 9000, 70000};
    const size_t size = dice.one_of(sizes);
    return std::string(size, static_cast<char>('a' + dice.pick(26)));
}

uint64_t random_offset(Dice& dice) {
    static constexpr uint64_t offsets[] = {0, 0, 1, 2, 4094, 4096, 9000, 20000};
    return dice.one_of(offsets);
}

timespec past_time(Dice& dice) {
    return {static_cast<time_t>(1'000'000'000 + dice.pick(100'000'000)), static_cast<long>(dice.pick(1'000'000'000))};
}

} // namespace shale::exercise
