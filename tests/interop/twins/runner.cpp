// SPDX-License-Identifier: GPL-2.0-or-later
#include "runner.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "tolerance.hpp"

namespace shale::twins {

namespace {

constexpr size_t shown_differences = 4;
constexpr size_t shown_history = 20;
constexpr size_t followed_paths = 50;

Side open_side(const std::string& path) {
    Side side;
    side.root = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    return side;
}

void enter(const Side& side) {
    if (fchdir(side.root.get()) != 0)
        throw Error::from_errno("the root of a tree", errno);
}

bool is_below(const std::string& path, const std::string& directory) {
    return directory == "." || path == directory || path.starts_with(directory + "/");
}

bool is_related(const std::string& one, const std::string& other) {
    return is_below(one, other) || is_below(other, one);
}

} // namespace

bool Comparison::run(const Snapshot& one, const Snapshot& other) {
    for (const auto& [path, seen] : one)
        if (!other.contains(path) || other.at(path) != seen)
            differing_.push_back(path);
    for (const auto& [path, seen] : other)
        if (!one.contains(path))
            differing_.push_back(path);
    for (size_t i = 0; i < differing_.size() && i < shown_differences; ++i)
        print(differing_[i], one, other);
    if (differing_.size() > shown_differences)
        std::printf("and %zu more names\n", differing_.size() - shown_differences);
    return differing_.empty();
}

void Comparison::print(const std::string& path, const Snapshot& one, const Snapshot& other) {
    const auto seen_in = [&](const Snapshot& tree) {
        const auto found = tree.find(path);
        return found == tree.end() ? "absent" : found->second.c_str();
    };
    std::printf("%s\n  tree: %s\n  twin: %s\n", path.c_str(), seen_in(one), seen_in(other));
}

Runner::Runner(unsigned seed, const View& view, const std::string& tree, const std::string& twin)
    : seed_(seed), view_(view), tree_(open_side(tree)), twin_(open_side(twin)),
      generator_(seed, view.identities, tree_, twin_) {}

Runner::Result Runner::run(unsigned count, unsigned interval) {
    if (!compare_trees())
        return Result::differ;
    for (unsigned number = 1; number <= count; ++number) {
        if (const Result result = step(number); result != Result::same)
            return result;
        if ((number % interval == 0 || number == count) && !compare_trees())
            return Result::differ;
    }
    return Result::same;
}

Runner::Result Runner::step(unsigned number) {
    const Operation operation = generator_.next();
    const std::string answer = make(tree_, operation);
    history_.push_back(
        {number, operation.text + ", " + operation.caller.text(), answer, operation.paths});
    if (verbose_)
        std::printf("%u %s: %s\n", number, history_.back().text.c_str(), answer.c_str());
    if (is_left_out(operation, answer))
        return Result::same;

    const std::string other = make(twin_, operation);
    ++made_;
    if (answer == other)
        return Result::same;
    if (is_tolerated(operation, tree_, answer, other)) {
        tree_.held[static_cast<size_t>(operation.slot)].reset();
        twin_.held[static_cast<size_t>(operation.slot)].reset();
        return Result::same;
    }
    if (do_trees_part(operation, twin_, answer, other))
        return Result::parted;
    std::printf("operation %u of seed %u differs: %s\n  tree: %s\n  twin: %s\n", number, seed_,
                history_.back().text.c_str(), answer.c_str(), other.c_str());
    history_.pop_back();
    print_history(operation.paths);
    return Result::differ;
}

bool Runner::is_left_out(const Operation& operation, const std::string& answer) const {
    return !left_out_.empty() && !is_error(answer) && operation.text.starts_with(left_out_);
}

std::string Runner::make(Side& side, const Operation& operation) {
    enter(side);
    const AsCaller as(operation.caller);
    return operation.run(side);
}

Snapshot Runner::snapshot_of(const Side& side) const {
    enter(side);
    return take_snapshot(view_);
}

bool Runner::compare_trees() {
    const Snapshot tree = snapshot_of(tree_);
    Comparison comparison;
    if (!comparison.run(tree, snapshot_of(twin_))) {
        std::printf("the trees of seed %u differ after operation %zu\n", seed_, history_.size());
        print_history(comparison.differing());
        return false;
    }
    std::vector<std::string> existing;
    for (const auto& [path, seen] : tree)
        existing.push_back(path);
    generator_.set_existing(std::move(existing));
    return true;
}

/// What was refused higher up, is of no interest.
bool Runner::Record::concerns(const std::vector<std::string>& others) const {
    for (const std::string& path : paths)
        for (const std::string& other : others)
            if (is_error(answer) ? path == other : is_related(path, other))
                return true;
    return false;
}

void Runner::Record::add_former_places(std::vector<std::string>& others) const {
    if (paths.size() != 2 || is_error(answer))
        return;
    const size_t known = others.size();
    for (size_t i = 0; i < known && others.size() < followed_paths; ++i) {
        const std::string path = others[i]; // a copy: the vector grows
        if (is_below(path, paths[1]))
            others.push_back(paths[0] + path.substr(paths[1].size()));
        else if (is_below(path, paths[0]))
            others.push_back(paths[1] + path.substr(paths[0].size()));
    }
}

void Runner::print_history(std::vector<std::string> paths) const {
    std::vector<const Record*> related;
    for (auto record = history_.rbegin();
         record != history_.rend() && related.size() < shown_history; ++record) {
        if (!record->concerns(paths))
            continue;
        related.push_back(&*record);
        record->add_former_places(paths);
    }
    std::printf("before it, on the same objects:\n");
    for (auto record = related.rbegin(); record != related.rend(); ++record)
        std::printf("  %u %s: %s\n", (*record)->number, (*record)->text.c_str(),
                    (*record)->answer.c_str());
}

} // namespace shale::twins
