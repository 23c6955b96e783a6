// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/dice.hpp"
#include "exercise/model.hpp"

namespace shale::exercise {

/// An endless sequence of operations, decided by the seed and by what the model has.
class Generator {
public:
    Generator(unsigned seed, const Model& model) : dice_(seed), model_(model) {}

    Operation next();

private:
    /// What an operation needs at a path to be done. What is refused has to be tried as well, so it is mostly true.
    enum class Wish { anything, file, directory, absent };

    Operation make();
    std::string choose();
    std::string anywhere();
    std::string near(const std::string& path);
    bool is_true(Wish wish, const std::string& path) const;
    std::string pick(Wish wish);

    Operation make_name(Kind kind);
    Operation make_symlink();
    Operation move(unsigned flags);
    Operation on_content(Kind kind);
    Operation chmod();
    Operation chown();
    Operation utimens();
    Operation on_xattr(Kind kind);
    Operation empty_directory();
    void queue_removal(const Node& node, const std::string& path);

    Dice dice_;
    const Model& model_;
    std::vector<std::string> existing_; ///< lately
    unsigned age_ = 0;                  ///< operations since then
    std::deque<std::string> recent_;
    std::deque<Operation> queue_;
};

} // namespace shale::exercise
