// SPDX-License-Identifier: GPL-2.0-or-later
#include "history.hpp"

#include <algorithm>
#include <set>

#include "layers.hpp"

namespace shale::powercut {

namespace {

/// How many operations may have been made after the last promise that was heard of.
constexpr unsigned most_unheard = 300;

bool changes_names(Kind kind) {
    return kind <= Kind::exchange;
}

} // namespace

/// What the blocks of a file may be.
struct History::Bounds {
    std::vector<std::set<unsigned>> versions; ///< of each block that may be there
    unsigned least_blocks = 0;
    unsigned zeros_from = ~0U; ///< blocks before it must be whole
};

History::History(unsigned seed, unsigned hand, bool linked, const std::vector<unsigned>& promised) {
    Script script(seed, hand, linked);
    const std::set<unsigned> promises(promised.begin(), promised.end());
    const unsigned last = (promises.empty() ? 0 : *promises.rbegin()) + most_unheard;

    for (const Tree::Entry& entry : script.tree().entries())
        if (!entry.object->is_directory)
            data_[entry.object->file].blocks = entry.object->blocks;

    for (unsigned number = 1; number <= last; ++number) {
        const Operation operation = script.next();
        operations_.push_back(operation);
        if (changes_names(operation.kind) || operation.kind == Kind::chmod) {
            if (operation.kind != Kind::chmod)
                note_change(number, script, parent_of(operation.path));
            if (!operation.to.empty())
                note_change(number, script, parent_of(operation.to));
            // Of an exchange within a directory, xfs notes nothing in the files.
            if (operation.kind != Kind::exchange)
                for (const std::string& path : {operation.path, operation.to})
                    if (!path.empty() && script.tree().has(path))
                        note_change(number, script, path);
        }
        if (operation.kind == Kind::create)
            created_[operation.file] = number;
        if (operation.kind == Kind::write || operation.kind == Kind::truncate)
            note_write(number, operation);
        if (promises.contains(number))
            note_promise(number, script);
    }
}

void History::note_change(unsigned number, const Script& script, const std::string& path) {
    changed_[script.tree().at(path).get()] = number;
}

void History::note_write(unsigned number, const Operation& operation) {
    data_[operation.file].writes.push_back(
        {number, operation.version, operation.first, operation.count, operation.kind == Kind::truncate});
}

void History::note_promise(unsigned number, const Script& script) {
    const Operation& operation = operations_[number - 1];
    if (operation.kind == Kind::syncfs) {
        synced_all_ = first_ = number;
        return;
    }
    if (operation.kind != Kind::fsync_directory)
        synced_[operation.file] = number;
    unsigned needed = 0;
    if (operation.kind == Kind::fsync || operation.kind == Kind::fsync_directory) {
        if (const auto changed = changed_.find(script.tree().at(operation.path).get()); changed != changed_.end())
            needed = changed->second;
    } else if (const auto created = created_.find(operation.file); created != created_.end()) {
        needed = created->second;
    }
    first_ = std::max(first_, needed);
}

History::Bounds History::bounds_of(unsigned file) const {
    const auto known = data_.find(file);
    const Data data = known == data_.end() ? Data{} : known->second;
    const auto promise = synced_.find(file);
    const unsigned synced = std::max(synced_all_, promise == synced_.end() ? 0 : promise->second);
    Bounds bounds;
    unsigned blocks = data.blocks;
    bounds.versions.assign(blocks, {0});
    bounds.least_blocks = blocks;

    for (const Write& write : data.writes) {
        const bool is_old = write.number <= synced;
        const unsigned before = blocks;
        blocks = write.truncates ? 0 : std::max(blocks, write.first + write.count);
        if (bounds.versions.size() < blocks)
            bounds.versions.resize(blocks);
        if (is_old)
            bounds.versions.resize(blocks);
        for (unsigned i = write.first; i < write.first + write.count; ++i) {
            if (is_old)
                bounds.versions[i].clear();
            bounds.versions[i].insert(write.version);
        }
        bounds.least_blocks = is_old ? blocks : std::min(bounds.least_blocks, blocks);
        if (!is_old && blocks != before)
            bounds.zeros_from = std::min({bounds.zeros_from, blocks, before});
    }
    return bounds;
}

std::string History::judge_data(unsigned file, const Seen& seen) const {
    const Bounds bounds = bounds_of(file);
    const auto blocks = static_cast<unsigned>(seen.pieces.size());

    if (seen.size % block_size != 0 || blocks != seen.size / block_size)
        return "has " + std::to_string(seen.size) + " bytes, which nobody wrote";
    if (blocks < bounds.least_blocks || blocks > bounds.versions.size())
        return "has " + std::to_string(blocks) + " blocks instead of " + std::to_string(bounds.least_blocks) + " to " +
               std::to_string(bounds.versions.size());
    for (unsigned i = 0; i < blocks; ++i) {
        const std::string block = "block " + std::to_string(i) + " of " + std::to_string(blocks);
        const Label& label = seen.labels[i];
        if (seen.pieces[i] == Seen::Piece::torn)
            return block + " is torn";
        if (seen.pieces[i] == Seen::Piece::zero && i < bounds.zeros_from)
            return block + " is all zeros";
        if (seen.pieces[i] == Seen::Piece::zero)
            continue;
        if (label.file != file || label.index != i)
            return block + " is block " + std::to_string(label.index) + " of file " + std::to_string(label.file);
        if (!bounds.versions[i].contains(label.version))
            return block + " is of version " + std::to_string(label.version) + ", and " +
                   std::to_string(bounds.versions[i].empty() ? 0 : *bounds.versions[i].begin()) + " was promised";
    }
    return "";
}

} // namespace shale::powercut
