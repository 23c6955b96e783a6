// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/comparison.hpp"

#include <optional>
#include <set>

#include "base/at.hpp"

namespace shale::tree {

namespace {

class Comparison {
public:
    Comparison(const Union& before, const Union& after, const Visit& visit)
        : before_(before), after_(after), visit_(visit) {}

    void run() {
        const Object before = before_.root();
        const Object after = after_.root();
        meet(&before, &after, "");
    }

private:
    void meet(const Object* before, const Object* after, const std::string& path) {
        Pair pair{path.empty() ? "/" : path, before, after, false, false};
        pair.same = before && after && same_place(*before, *after);
        const std::size_t common = pair.both_directories() ? common_tail(*before, *after) : 0;
        pair.merged = pair.both_directories() && common == before->parts.size();
        const Descend descend = visit_(pair);
        if (descend == Descend::no || !after || !after->is_directory())
            return;
        if (descend == Descend::as_new || !pair.both_directories())
            meet_all_below(*after, path);
        else if (!pair.merged || common < after->parts.size())
            compare_below(pair, after->parts.size() - common, path);
    }

    /// @p on_top counts the parts that only the new directory has.
    void compare_below(const Pair& pair, std::size_t on_top, const std::string& path) {
        const auto old_names = before_.list(*pair.before);
        const auto new_names = after_.list(*pair.after);
        std::set<std::string> names;
        for (const auto& [name, holders] : new_names) {
            // Where the old directory lies whole below the new one, the parts above make the
            // difference.
            if (!pair.merged || holders.front() < on_top)
                names.insert(name);
        }
        if (!pair.merged) {
            for (const auto& [name, holders] : old_names)
                names.insert(name);
        }
        for (const std::string& name : names) {
            const auto before = find(before_, *pair.before, old_names, name);
            const auto after = find(after_, *pair.after, new_names, name);
            if (before || after)
                meet(before ? &*before : nullptr, after ? &*after : nullptr, path + "/" + name);
        }
    }

    void meet_all_below(const Object& directory, const std::string& path) {
        for (const auto& [name, holders] : after_.list(directory)) {
            if (const auto child = after_.look_up(directory, name, &holders))
                meet(nullptr, &*child, path + "/" + name);
        }
    }

    static std::optional<Object> find(const Union& tree, const Object& directory,
                                      const Union::Listing& listing, const std::string& name) {
        const auto at = listing.find(name);
        if (at == listing.end())
            return std::nullopt;
        return tree.look_up(directory, name, &at->second);
    }

    bool same_layer(std::size_t before, std::size_t after) const {
        return before_.layers()[before] == after_.layers()[after];
    }

    bool same_place(const Object& before, const Object& after) const {
        return same_layer(before.place.layer, after.place.layer) && identity_of(before.st) == identity_of(after.st);
    }

    /// How many parts, counted from the lowest, two directories have in common.
    std::size_t common_tail(const Object& before, const Object& after) const {
        std::size_t common = 0;
        auto one = before.parts.rbegin();
        auto other = after.parts.rbegin();
        for (; one != before.parts.rend() && other != after.parts.rend();
             ++one, ++other, ++common) {
            if (!same_layer(one->layer, other->layer))
                break;
            if (identity_of(stat_of(one->directory->get(), "directory")) !=
                identity_of(stat_of(other->directory->get(), "directory")))
                break;
        }
        return common;
    }

    const Union& before_;
    const Union& after_;
    const Visit& visit_;
};

} // namespace

void compare(const Union& before, const Union& after, const Visit& visit) {
    Comparison(before, after, visit).run();
}

} // namespace shale::tree
