// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/player.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

#include <linux/fs.h>

#include "base/error.hpp"
#include "exercise/lookup.hpp"

namespace shale::exercise {

namespace {

timespec now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return time;
}

/// What file systems take for now follows the clock by ticks, and now and then by more than one.
timespec now_for_file_systems() {
    constexpr long slack = 20'000'000;
    timespec time = now(CLOCK_REALTIME_COARSE);
    time.tv_nsec -= slack;
    if (time.tv_nsec < 0) {
        time.tv_nsec += 1'000'000'000;
        --time.tv_sec;
    }
    return time;
}

bool has(const std::vector<int>& errors, int error) {
    return std::find(errors.begin(), errors.end(), error) != errors.end();
}

std::string expected_text(const Plan& plan) {
    if (plan.errors.empty())
        return "ok";
    std::string text;
    for (const int error : std::set<int>(plan.errors.begin(), plan.errors.end()))
        text += (text.empty() ? "" : " or ") + answer_text(error);
    return text;
}

} // namespace

std::optional<Difference> Player::step(const Operation& operation) {
    if (operation.kind == Kind::remount)
        return found_or_thrown(".", "remount", [&] {
            site_.remount();
            return compare_all();
        });
    const Plan plan = model_.plan(operation);
    step_.begin = now_for_file_systems();
    const int answer = site_.make(operation);
    step_.end = now(CLOCK_REALTIME);
    if (auto difference = judge(operation, plan, answer))
        return difference;
    return compare_touched(plan);
}

std::optional<Difference> Player::judge(const Operation& operation, const Plan& plan, int answer) {
    if (answer == 0 && plan.errors.empty()) {
        plan.commit();
        return std::nullopt;
    }
    if (answer == ENOTEMPTY && operation.kind == Kind::rename && model_.traits().is_overlayfs)
        expect_other_times(operation);
    if (has(plan.errors, answer) || has(plan.excuses, answer) || is_tolerated(operation, plan, answer))
        return std::nullopt;
    return Difference{operation.path, "answer of " + std::string(name_of(operation.kind)), expected_text(plan),
                      answer_text(answer)};
}

bool Player::is_tolerated(const Operation& operation, const Plan& plan, int answer) {
    const bool removes_directory = operation.kind == Kind::rmdir || operation.kind == Kind::rename;
    if (!model_.traits().is_overlayfs || !removes_directory || answer != ENOTEMPTY || !plan.errors.empty())
        return false;
    ++tolerated_[Tolerance::whiteouts_of_nothing];
    return true;
}

void Player::expect_other_times(const Operation& operation) {
    for (const std::string& path : {operation.path, operation.other}) {
        const Spot spot = look_up(model_.root(), path, Last::as_it_is);
        if (spot.directory)
            spot.directory->modified_now = Changed::perhaps;
        if (spot.node)
            spot.node->modified_now = Changed::perhaps;
    }
    ++tolerated_[Tolerance::time_of_refused_rename];
}

std::optional<Difference> Player::compare_touched(const Plan& plan) {
    std::set<std::string> paths;
    for (const std::string& path : plan.touched) {
        paths.insert(path);
        paths.insert(parent_of(path));
    }
    Comparison comparison(model_, site_.root(), step_, tolerated_);
    for (const std::string& path : paths) {
        // What was moved away, or stands below what was, is looked at where it went.
        if (auto difference = comparison.name(path))
            return difference;
    }
    return std::nullopt;
}

std::optional<Difference> Player::compare_all() {
    return Comparison(model_, site_.root(), step_, tolerated_).everything();
}

std::optional<Difference> judge_layers(Site& site) {
    return found_or_thrown(".", "layers", [&] { return site.judge_layers(); });
}

std::optional<Failure> play(const Case& played, const Looks& looks, const OpenSite& open) {
    const auto site = open(played);
    Player player(*site);
    for (size_t i = 0; i < played.steps.size(); ++i) {
        if (auto difference = player.step(played.steps[i]))
            return Failure{i + 1, *difference};
    }
    if (looks.at_end) {
        if (auto difference = player.compare_all())
            return Failure{played.steps.size(), *difference};
    }
    if (looks.at_layers) {
        if (auto difference = judge_layers(*site))
            return Failure{played.steps.size(), *difference};
    }
    return std::nullopt;
}

} // namespace shale::exercise
