// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/shrink.hpp"

#include <algorithm>
#include <utility>

#include <linux/fs.h>

#include "base/error.hpp"

namespace shale::exercise {

namespace {

class Shrinker {
public:
    Shrinker(const Found& found, const Looks& looks, const OpenSite& open,
             const std::function<bool(const Shrinking&)>& tick)
        : best_(found), looks_(looks), open_(open), tick_(tick) {
        best_.played.steps.resize(std::min(best_.played.steps.size(), best_.failure.step));
    }

    Found run() {
        leave_away();
        while (take_short_cuts())
            leave_away();
        simplify();
        leave_away();
        return best_;
    }

private:
    size_t size() const { return best_.played.layers.size() + best_.played.steps.size(); }

    /// Keeps @p candidate if the same kind of difference comes out.
    bool take(Case candidate) {
        is_stopped_ = is_stopped_ || !tick_({size(), ++replays_});
        if (is_stopped_)
            return false;
        std::optional<Failure> failure;
        try {
            failure = play(candidate, looks_, open_);
        } catch (const Cancelled&) {
            throw;
        } catch (const Error&) {
            return false; // layers that make no union any more
        }
        if (!failure || failure->difference.aspect != best_.failure.difference.aspect)
            return false;
        candidate.steps.resize(failure->step);
        best_ = {std::move(candidate), *failure};
        return true;
    }

    /// The operations in the order in which they are made, without some from @p begin on.
    Case without(size_t begin, size_t count) const {
        Case candidate = best_.played;
        const auto cut = [&](std::vector<Operation>& list, size_t first) {
            const size_t from = std::clamp(begin, first, first + list.size()) - first;
            const size_t to = std::clamp(begin + count, first, first + list.size()) - first;
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(from),
                       list.begin() + static_cast<std::ptrdiff_t>(to));
        };
        const size_t layers = candidate.layers.size();
        cut(candidate.layers, 0);
        cut(candidate.steps, layers);
        return candidate;
    }

    bool leave_away(size_t count) {
        bool is_shorter = false;
        for (size_t begin = 0; begin < size() && !is_stopped_;) {
            if (take(without(begin, count)))
                is_shorter = true;
            else
                begin += count;
        }
        return is_shorter;
    }

    void leave_away() {
        for (size_t count = std::max<size_t>(1, size() / 2); count > 1; count /= 2)
            leave_away(count);
        while (leave_away(1) && !is_stopped_)
            ;
        drop_layers();
    }

    /// Where things were only moved to be somewhere else, later steps can find them where they were.
    bool take_short_cuts() {
        bool is_shorter = false;
        for (size_t i = 0; i < best_.played.steps.size() && !is_stopped_;) {
            if (take(without_detour(i)))
                is_shorter = true;
            else
                ++i;
        }
        return is_shorter;
    }

    /// Without step @p index, as if its names had always been others.
    Case without_detour(size_t index) const {
        Case candidate = best_.played;
        const Operation gone = candidate.steps[index];
        candidate.steps.erase(candidate.steps.begin() + static_cast<std::ptrdiff_t>(index));
        for (size_t i = index; i < candidate.steps.size(); ++i) {
            for (std::string* path : {&candidate.steps[i].path, &candidate.steps[i].other})
                *path = renamed(*path, gone);
        }
        return candidate;
    }

    static std::string renamed(const std::string& path, const Operation& gone) {
        switch (gone.kind) {
        case Kind::rename:
        case Kind::link:
            if (const auto below = rest_of(path, gone.other))
                return gone.path + *below;
            if (const auto below = rest_of(path, gone.path); below && gone.flags == RENAME_EXCHANGE)
                return gone.other + *below;
            return path;
        case Kind::make_directory:
            if (const auto below = rest_of(path, gone.path); below && !below->empty())
                return join_path(parent_of(gone.path), below->substr(1));
            return path;
        default: return path;
        }
    }

    /// What of @p path is behind @p directory, "" or with a slash at its begin; nothing if it leads elsewhere.
    static std::optional<std::string> rest_of(const std::string& path, const std::string& directory) {
        if (path != directory && !path.starts_with(directory + "/"))
            return std::nullopt;
        return path.substr(directory.size());
    }

    /// The lowest, where nothing is in them.
    void drop_layers() {
        for (Case candidate = best_.played; candidate.lowers > 1; candidate = best_.played) {
            const std::string lowest = "lower" + std::to_string(candidate.lowers) + "/";
            const auto is_in_it = [&](const Operation& operation) {
                return (operation.path + "/").starts_with(lowest);
            };
            --candidate.lowers;
            if (std::any_of(candidate.layers.begin(), candidate.layers.end(), is_in_it) || !take(candidate))
                return;
        }
    }

    void simplify() {
        for (size_t i = 0; i < best_.played.layers.size(); ++i)
            simplify([i](Case& candidate) -> Operation& { return candidate.layers[i]; });
        for (size_t i = 0; i < best_.played.steps.size(); ++i)
            simplify([i](Case& candidate) -> Operation& { return candidate.steps[i]; });
    }

    /// Each in turn, where it leaves the operation another.
    void simplify(const std::function<Operation&(Case&)>& which) {
        static constexpr bool (*ways[])(Operation&) = {make_named, make_empty, shorten, move_to_begin};
        for (const auto way : ways) {
            Case candidate = best_.played;
            if (way(which(candidate)))
                take(std::move(candidate));
        }
    }

    static bool make_named(Operation& operation) {
        return std::exchange(operation.kind, operation.kind == Kind::unnamed ? Kind::create : operation.kind) ==
               Kind::unnamed;
    }

    static bool make_empty(Operation& operation) {
        return operation.kind == Kind::create && !std::exchange(operation.value, "").empty();
    }

    static bool shorten(Operation& operation) {
        const bool is_long = operation.value.size() > 1;
        if (is_long)
            operation.value.resize(1);
        return is_long;
    }

    static bool move_to_begin(Operation& operation) {
        return std::exchange(operation.offset, 0) > 0;
    }

    Found best_;
    const Looks looks_;
    const OpenSite& open_;
    const std::function<bool(const Shrinking&)>& tick_;
    size_t replays_ = 0;
    bool is_stopped_ = false;
};

} // namespace

Found shrink(const Found& found, const Looks& looks, const OpenSite& open,
             const std::function<bool(const Shrinking&)>& tick) {
    return Shrinker(found, looks, open, tick).run();
}

} // namespace shale::exercise
