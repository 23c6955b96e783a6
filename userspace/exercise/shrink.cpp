// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/shrink.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace shale::exercise {

namespace {

class Shrinker {
public:
    Shrinker(const Found& found, const Looks& looks, const OpenSite& open, const std::function<bool(const Shrinking&)>& tick)
        : best_(found), looks_(looks), open_(open), tick_(tick) {
        best_.played.steps.resize(std::min(best_.played.steps.size(), best_.failure.step));
    }

    Found run() {
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
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(from), list.begin() + static_cast<std::ptrdiff_t>(to));
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

    /// The lowest, where nothing is in them.
    void drop_layers() {
        for (Case candidate = best_.played; candidate.lowers > 1; candidate = best_.played) {
            const std::string lowest = "lower" + std::to_string(candidate.lowers) + "/";
            const auto is_in_it = [&](const Operation& operation) { return (operation.path + "/").starts_with(lowest); };
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

    void simplify(const std::function<Operation&(Case&)>& which) {
        Case candidate = best_.played;
        Operation& operation = which(candidate);
        if (operation.value.size() > 1) {
            operation.value.resize(1);
            take(candidate);
        }
        candidate = best_.played;
        if (which(candidate).offset > 0) {
            which(candidate).offset = 0;
            take(candidate);
        }
    }

    Found best_;
    const Looks looks_;
    const OpenSite& open_;
    const std::function<bool(const Shrinking&)>& tick_;
    size_t replays_ = 0;
    bool is_stopped_ = false;
};

} // namespace

Found shrink(const Found& found, const Looks& looks, const OpenSite& open, const std::function<bool(const Shrinking&)>& tick) {
    return Shrinker(found, looks, open, tick).run();
}

} // namespace shale::exercise
