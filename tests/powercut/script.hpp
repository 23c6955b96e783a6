// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <set>

#include "base/dice.hpp"
#include "operation.hpp"
#include "tree.hpp"

namespace shale::powercut {

/// All that a hand ever does, one operation after the other, without an end. It follows from the seed alone:
/// who checks, makes it a second time, and needs no more than the number of the last operation.
class Script {
public:
    Script(unsigned seed, unsigned hand, bool linked);

    /// The next operation, made in the tree.
    Operation next();

    /// What there is after the operations so far.
    const Tree& tree() const { return tree_; }

private:
    void plan();
    void plan_overwrite();
    void plan_append();
    void plan_rewrite();
    void plan_chmod();
    void plan_create();
    void plan_replace();
    void plan_rename_file();
    void plan_rename_directory();
    void plan_exchange();
    void plan_link();
    void plan_unlink();
    void plan_directory();
    void plan_removal();
    void plan_hold();
    void maybe_sync(const std::string& path, unsigned percent);
    void maybe_sync_directory(const std::string& path, unsigned percent);

    void add(Operation operation) { planned_.push_back(std::move(operation)); }
    void apply(Operation& operation);

    std::vector<std::string> files() const;
    std::vector<std::string> directories() const;
    std::string some_file();
    std::string new_name();

    Tree tree_;
    Dice dice_;
    unsigned hand_, nr_done_ = 0;
    std::string room_;
    std::deque<Operation> planned_;
    std::set<unsigned> held_;
    unsigned next_file_, next_name_ = 0;
};

} // namespace shale::powercut
