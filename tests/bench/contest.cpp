// SPDX-License-Identifier: GPL-2.0-or-later
#include "contest.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <functional>
#include <utility>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/remove_tree.hpp"

namespace shale::bench {

namespace {

double now() {
    struct timespec time {};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// What the kernel keeps for itself, in bytes: slabs, and what it has mapped of single pages.
double kernel_memory() {
    std::ofstream("/proc/sys/vm/stat_refresh") << 1; // each processor's own counts are added
    std::ifstream meminfo("/proc/meminfo");
    double sum = 0;
    for (std::string line; std::getline(meminfo, line);)
        for (const std::string name : {"Slab:", "VmallocUsed:"})
            if (line.starts_with(name))
                sum += std::stod(line.substr(name.size())) * 1024;
    return sum;
}

double growth(double (*read)(), const std::function<void()>& work) {
    const double before = read();
    work();
    return read() - before;
}

} // namespace

Contest::Contest(Rules rules, std::string place, std::vector<std::unique_ptr<Side>> sides)
    : rules_(rules), place_(std::move(place)), sides_(std::move(sides)) {
}

/// Each begins with nothing but the lower layers. What uses up nothing is done once before it counts.
double Contest::take_sample(const Case& one, Side& side, unsigned count) const {
    const double mounting = growth(now, [&] { side.begin(lowers_); });
    double sample = mounting;
    if (one.prepare) {
        if (!side.is_union())
            one.fill(side.root());
        const Operation operation = one.prepare(side.root());
        if (!one.count)
            operation(0);
        sample = growth(one.unit == Case::Unit::bytes ? kernel_memory : now, [&] {
            for (unsigned i = 0; i < count; ++i)
                operation(i);
        });
    }
    side.end();
    return sample / count / one.parts;
}

unsigned Contest::suitable_count(const Case& one, Side& side) const {
    constexpr double most = 100000;
    if (one.count)
        return one.count;
    const double time = take_sample(one, side, 4) * one.parts;
    return static_cast<unsigned>(std::clamp(rules_.sample / time, 1.0, most));
}

void Contest::fill(const Case& one, unsigned layers) {
    if (filled_by_ && lowers_.size() == layers && filled_by_->fill == one.fill &&
        filled_by_->fill_layer == one.fill_layer)
        return;
    filled_by_ = nullptr;
    lowers_.clear();
    remove_tree(AT_FDCWD, place_ + "/lower");
    for (unsigned i = 0; i < layers; ++i) {
        lowers_.push_back(place_ + "/lower/" + std::to_string(i));
        make_directories(lowers_.back(), 0755);
        if (one.fill_layer)
            one.fill_layer(lowers_.back(), i, layers);
        else
            one.fill(lowers_.back());
    }
    filled_by_ = &one;
}

/// The first round, which finds caches cold, does not count; each begins with another side.
std::vector<Result> Contest::run(const Case& one, unsigned layers) {
    fill(one, layers);
    std::vector<Side*> order;
    std::vector<Result> results;
    for (const auto& side : sides_)
        if (side->is_union() ? layers <= side->most_layers() : one.on == Case::On::all) {
            order.push_back(side.get());
            results.push_back({side->name(), {}});
        }
    const unsigned count = suitable_count(one, *order.back());
    const unsigned rounds = one.rounds ? std::min(one.rounds, rules_.rounds) : rules_.rounds;
    for (unsigned round = 0; round <= rounds; ++round)
        for (size_t i = 0; i < order.size(); ++i) {
            const size_t turn = (i + round) % order.size();
            const double sample = take_sample(one, *order[turn], count);
            if (round)
                results[turn].samples.push_back(sample);
        }
    return results;
}

} // namespace shale::bench
