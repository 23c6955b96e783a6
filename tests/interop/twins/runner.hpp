// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "generator.hpp"
#include "operation.hpp"
#include "snapshot.hpp"

namespace shale::twins {

/// Compares what two trees show; prints the first names at which they differ.
class Comparison {
public:
    /// Whether they are the same.
    bool run(const Snapshot& one, const Snapshot& other);
    const std::vector<std::string>& differing() const { return differing_; }

private:
    void print(const std::string& path, const Snapshot& one, const Snapshot& other);

    std::vector<std::string> differing_;
};

/// Does the same things to two trees until they differ.
class Runner {
public:
    Runner(unsigned seed, const View& view, const std::string& tree, const std::string& twin);

    enum class Result {
        same,
        differ, ///< why, is printed
        parted, ///< by a difference that is tolerated, but cannot be undone
    };

    /// Makes @p count operations, and compares the whole trees before, after, and after every
    /// @p interval of them, as long as they are the same.
    Result run(unsigned count, unsigned interval);

    /// How many operations both trees have answered.
    unsigned made() const { return made_; }

    /// Leaves each operation that begins with @p text and is done in the tree, out of its twin: to
    /// see that this is found.
    void leave_out(const std::string& text) { left_out_ = text; }

    /// Prints each operation.
    void be_verbose() { verbose_ = true; }

private:
    struct Record {
        unsigned number;
        std::string text, answer;
        std::vector<std::string> paths;

        bool concerns(const std::vector<std::string>& others) const;
        /// Where what is at @p paths may have been before.
        void add_former_places(std::vector<std::string>& paths) const;
    };

    Result step(unsigned number);
    bool is_left_out(const Operation& operation, const std::string& answer) const;
    Snapshot snapshot_of(const Side& side) const;
    bool compare_trees();
    std::string make(Side& side, const Operation& operation);
    /// What was done before to what is now at @p paths, wherever it was then.
    void print_history(std::vector<std::string> paths) const;

    unsigned seed_;
    View view_;
    Side tree_, twin_;
    Generator generator_;
    std::vector<Record> history_;
    std::string left_out_;
    unsigned made_ = 0;
    bool verbose_ = false;
};

} // namespace shale::twins
