// SPDX-License-Identifier: GPL-2.0-or-later
#include "check.hpp"

#include <cstdio>
#include <filesystem>
#include <set>

#include "history.hpp"
#include "layers.hpp"
#include "promises.hpp"

namespace shale::powercut {

namespace {

constexpr size_t most_shown = 10;

using Differences = std::vector<std::string>;

/// Names, modes and which file is where. Length and content are judged apart.
Differences compare(const Tree& tree, const std::map<std::string, Seen>& seen) {
    Differences differences;
    const auto differ = [&differences](const std::string& path, const std::string& what) {
        differences.push_back(path + " " + what);
    };
    std::set<std::string> known;
    for (const auto& [path, entry] : tree.entries()) {
        const Object& object = *entry;
        known.insert(path);
        const auto found = seen.find(path);
        if (found == seen.end()) {
            differ(path, "is missing");
            continue;
        }
        const Seen& real = found->second;
        if (real.is_directory != object.is_directory)
            differ(path, object.is_directory ? "is no directory" : "is a directory");
        else if (real.mode != object.mode)
            differ(path, "has another mode");
        else if (!object.is_directory && real.names != object.names)
            differ(path, "has " + std::to_string(real.names) + " links instead of " + std::to_string(object.names));
        else if (!object.is_directory && real.file().value_or(object.file) != object.file)
            differ(path, "is file " + std::to_string(*real.file()) + " instead of " + std::to_string(object.file));
    }
    for (const auto& [path, real] : seen)
        if (!known.contains(path))
            differ(path, "is there");
    return differences;
}

void show(const Differences& differences) {
    for (size_t i = 0; i < differences.size() && i < most_shown; ++i)
        std::printf("%s\n", differences[i].c_str());
}

/// The hand's script, up to the operation after which it fits best.
struct Match {
    unsigned number = 0;
    Differences differences;
    std::map<std::string, unsigned> files;
};

Match find_match(unsigned seed, unsigned hand, bool linked, const History& history,
                 const std::map<std::string, Seen>& seen) {
    Script script(seed, hand, linked);
    Match best;
    bool first = true;
    for (unsigned number = 0; number <= history.last_possible(); ++number) {
        if (number > 0)
            script.next();
        if (number < history.first_possible())
            continue;
        Differences differences = compare(script.tree(), seen);
        if (!first && differences.size() >= best.differences.size())
            continue;
        first = false;
        best = {number, std::move(differences), {}};
        for (const Tree::Entry& entry : script.tree().entries())
            if (!entry.object->is_directory)
                best.files[entry.path] = entry.object->file;
        if (best.differences.empty())
            break;
    }
    return best;
}

bool check_hand(unsigned seed, unsigned hand, const Stack& stack, const std::vector<unsigned>& promised) {
    const History history(seed, hand, stack.linked, promised);
    const auto seen = look(stack.merged, place_of(hand), stack.linked ? "" : linked_name);
    const Match match = find_match(seed, hand, stack.linked, history, seen);
    bool good = match.differences.empty();

    show(match.differences);
    if (!good)
        std::printf("hand %u: no state from operation %u on; this is next to that after operation %u\n", hand,
                    history.first_possible(), match.number);
    for (const auto& [path, file] : match.files) {
        const auto found = seen.find(path);
        if (found == seen.end() || found->second.is_directory)
            continue;
        if (const std::string what = history.judge_data(file, found->second); !what.empty()) {
            std::printf("%s %s\n", path.c_str(), what.c_str());
            good = false;
        }
    }
    std::printf("hand %u: %zu promises, so that there must be what was after operation %u; it is %u; %zu names\n", hand,
                promised.size(), history.first_possible(), match.number, seen.size());
    return good;
}

/// Nobody writes to a layer.
bool check_layer(const std::string& layer, unsigned hand, const Tree& tree) {
    const auto seen = look(layer, place_of(hand), "");
    Differences differences = compare(tree, seen);
    for (const auto& [path, real] : seen) {
        if (real.is_directory || !tree.has(path))
            continue;
        bool same = real.size == uint64_t{tree.at(path)->blocks} * block_size;
        for (unsigned i = 0; same && i < real.pieces.size(); ++i)
            same = real.pieces[i] == Seen::Piece::whole && real.labels[i] == Label{tree.at(path)->file, 0, i};
        if (!same)
            differences.push_back(path + " is not as it was made");
    }
    if (!differences.empty())
        std::printf("%s has changed:\n", layer.c_str());
    show(differences);
    return differences.empty();
}

/// Overlayfs keeps a whiteout there, to make others of it by link(2).
bool check_work(const std::string& workdir) {
    bool good = true;
    for (const auto& entry : std::filesystem::directory_iterator(workdir + "/work")) {
        if (entry.is_character_file())
            continue;
        std::printf("left in the work directory: %s\n", entry.path().c_str());
        good = false;
    }
    return good;
}

} // namespace

bool check(unsigned seed, const Stack& stack, const std::string& journal) {
    const auto promises = read_promises(journal);
    bool good = check_work(stack.base + "/work");
    for (unsigned hand = 0; hand < nr_hands; ++hand) {
        good &= check_hand(seed, hand, stack, promises[hand]);
        good &= check_layer(stack.base + "/layers/top", hand, top_of(hand));
        good &= check_layer(stack.base + "/layers/low", hand, low_of(hand));
    }
    return good;
}

} // namespace shale::powercut
