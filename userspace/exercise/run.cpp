// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/run.hpp"

#include "exercise/generator.hpp"

namespace shale::exercise {

namespace {

constexpr size_t looks_interval = 100;

class Running {
public:
    Running(const Case& begin, const OpenSite& open)
        : site_(open(begin)), player_(*site_), generator_(begin.seed, player_.model()), outcome_{.played = begin} {}

    Outcome run(size_t count, const std::function<void()>& tick) {
        go(count, tick);
        outcome_.tolerated = player_.tolerated();
        return std::move(outcome_);
    }

private:
    void go(size_t count, const std::function<void()>& tick) {
        if (is_found(player_.compare_all(), {.at_end = true}))
            return;
        for (size_t made = 1; made <= count; ++made) {
            tick();
            outcome_.played.steps.push_back(generator_.next());
            if (is_found(player_.step(outcome_.played.steps.back()), {}))
                return;
            if ((made % looks_interval == 0 || made == count) && is_found(player_.compare_all(), {.at_end = true}))
                return;
        }
        is_found(judge_layers(*site_), {.at_layers = true});
    }

    bool is_found(const std::optional<Difference>& difference, const Looks& looks) {
        if (!difference)
            return false;
        outcome_.failure = Failure{outcome_.played.steps.size(), *difference};
        outcome_.looks = looks;
        return true;
    }

    const std::unique_ptr<Site> site_;
    Player player_;
    Generator generator_;
    Outcome outcome_;
};

} // namespace

Outcome run(const Case& begin, size_t count, const OpenSite& open, const std::function<void()>& tick) {
    return Running(begin, open).run(count, tick);
}

} // namespace shale::exercise
