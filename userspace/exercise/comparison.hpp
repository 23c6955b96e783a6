// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>

#include "exercise/model.hpp"
#include "exercise/site.hpp"
#include "exercise/tolerance.hpp"

namespace shale::exercise {

/// When the last operation was made, by the clock that file systems read.
struct Step {
    timespec begin{};
    timespec end{};
};

/// Holds a real tree against the model, and completes that with what only the tree knows: numbers, and the time of the
/// last step. Stops at the first difference.
class Comparison {
public:
    Comparison(const Model& model, int root, const Step& step, Tolerated& tolerated)
        : model_(model), root_(root), step_(step), tolerated_(tolerated) {}

    /// What @p path leads to, or that there is nothing; of a directory, also what is listed in it.
    std::optional<Difference> name(const std::string& path);
    std::optional<Difference> everything();

private:
    std::optional<Difference> look_at(const std::string& path);
    std::optional<Difference> object(const std::string& path, Node& node);
    std::optional<Difference> status(const std::string& path, const Node& node, const struct stat& st) const;
    std::optional<Difference> times(const std::string& path, Node& node, const struct stat& st) const;
    std::optional<Difference> listing(const std::string& path, Node& directory);
    std::optional<Difference> all_below(const std::string& path, const NodePtr& node,
                                        std::map<ino_t, const Node*>& numbers);
    bool is_listed_whiteout(const std::string& path, unsigned char type);
    bool is_number_tolerated(const Node& node);

    const Model& model_;
    const int root_;
    const Step step_;
    Tolerated& tolerated_;
};

/// The attributes of what @p path names in the directory @p root, but those of security modules.
Xattrs xattrs_of(int root, const std::string& path);

/// For people: short text as it is, else its length and begin.
std::string describe_bytes(const std::string& bytes);

} // namespace shale::exercise
