// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/changes.hpp"

#include <algorithm>
#include <set>

#include "base/at.hpp"
#include "tree/attributes.hpp"

namespace shale::tree {

namespace {

class Comparison {
public:
    Comparison(const Union& before, const Union& after) : before_(before), after_(after) {}

    std::vector<Change> run() && {
        const Object before = before_.root();
        const Object after = after_.root();
        compare(before, after, "");
        std::sort(changes_.begin(), changes_.end(),
                  [](const Change& one, const Change& other) { return one.path < other.path; });
        return std::move(changes_);
    }

private:
    void note(Kind kind, const std::string& path) {
        changes_.push_back({kind, path.empty() ? "/" : path});
    }

    /// Both trees show something at @p path.
    void compare(const Object& before, const Object& after, const std::string& path) {
        if (!same_place(before, after) && !look_alike(before_, before, after_, after))
            note(Kind::changed, path);
        if (before.is_directory() && after.is_directory())
            compare_below(before, after, path);
        else
            add_below(after, path);
    }

    void compare_below(const Object& before, const Object& after, const std::string& path) {
        const std::size_t common = common_tail(before, after);
        const bool only_on_top = common == before.parts.size();
        if (only_on_top && common == after.parts.size())
            return;

        const auto old_names = before_.list(before);
        const auto new_names = after_.list(after);
        std::set<std::string> names;
        for (const auto& [name, holders] : new_names) {
            // Where the old directory lies whole below the new one, the parts above make the
            // difference.
            if (!only_on_top || holders.front() < after.parts.size() - common)
                names.insert(name);
        }
        if (!only_on_top) {
            for (const auto& [name, holders] : old_names)
                names.insert(name);
        }
        for (const std::string& name : names)
            compare_name(find(before_, before, old_names, name),
                         find(after_, after, new_names, name), path + "/" + name);
    }

    void compare_name(const std::optional<Object>& before, const std::optional<Object>& after,
                      const std::string& path) {
        if (before && after) {
            compare(*before, *after, path);
        } else if (before) {
            note(Kind::deleted, path);
        } else if (after) {
            note(Kind::added, path);
            add_below(*after, path);
        }
    }

    void add_below(const Object& directory, const std::string& path) {
        if (!directory.is_directory())
            return;
        for (const auto& [name, holders] : after_.list(directory)) {
            if (const auto child = after_.look_up(directory, name, &holders)) {
                note(Kind::added, path + "/" + name);
                add_below(*child, path + "/" + name);
            }
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

    /// Whether both are the same object of the same layer.
    bool same_place(const Object& before, const Object& after) const {
        return same_layer(before.place.layer, after.place.layer) &&
               before.st.st_ino == after.st.st_ino && before.st.st_dev == after.st.st_dev;
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
            const struct stat left = stat_of(one->directory->get(), "directory");
            const struct stat right = stat_of(other->directory->get(), "directory");
            if (left.st_ino != right.st_ino || left.st_dev != right.st_dev)
                break;
        }
        return common;
    }

    const Union& before_;
    const Union& after_;
    std::vector<Change> changes_;
};

} // namespace

std::vector<Change> changes(const Union& before, const Union& after) {
    return Comparison(before, after).run();
}

} // namespace shale::tree
