// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exercise/model.hpp"
#include "exercise/operation.hpp"

namespace shale::exercise {

/// Everything that decides what happens.
struct Case {
    unsigned seed = 0;
    unsigned lowers = 0;                   ///< how many lower layers there are; 0: no mount is made
    std::vector<Operation> layers{};       ///< fill them: paths begin with "lower1/", the top one, "lower2/" and so on
    std::vector<std::string> options{};    ///< of the mount
    std::vector<Operation> steps{};        ///< what is done to it
};

/// One thing that is otherwise than the model says.
struct Difference {
    std::string path;
    std::string aspect; ///< "answer", "content"
    std::string expected;
    std::string seen;
};

/// What @p look finds; an Error in it is a finding as well.
std::optional<Difference> found_or_thrown(const std::string& path, const std::string& aspect,
                                          const std::function<std::optional<Difference>()>& look);

/// A fresh tree, which goes when the object does.
class Site {
public:
    virtual ~Site() = default;

    /// The root directory, open. Another one after a remount.
    virtual int root() const = 0;
    virtual const Traits& traits() const = 0;
    /// What the tree shows at the beginning.
    virtual NodePtr first_tree() = 0;

    /// Makes @p operation there, and returns 0 or the errno value.
    virtual int make(const Operation& operation);
    virtual void remount() {}
    /// What is wrong with what is left on disk. Called once, at the end; an Error is a finding as well.
    virtual std::optional<Difference> judge_layers() { return std::nullopt; }
};

/// Makes the site of a case. Throws Error where that can't be done.
using OpenSite = std::function<std::unique_ptr<Site>(const Case&)>;

} // namespace shale::exercise
