// SPDX-License-Identifier: GPL-2.0-or-later
#include "runner.hpp"

#include <cstdio>
#include <vector>

#include <fcntl.h>

#include "operation.hpp"

namespace shale::onefile {

namespace {

/// Picks operations by their weights.
class Generator {
public:
    Generator() {
        for (const auto& kinds : {read_operations(), write_operations(), range_operations(),
                                  mapping_operations(), open_operations(), name_operations()})
            for (const Operation& kind : kinds) {
                kinds_.push_back(kind);
                weight_ += kind.weight;
            }
    }

    const Operation& next(Dice& dice) const {
        unsigned left = dice.pick(weight_);
        auto kind = kinds_.begin();
        for (; left >= kind->weight; ++kind)
            left -= kind->weight;
        return *kind;
    }

private:
    std::vector<Operation> kinds_;
    unsigned weight_ = 0;
};

void step(Session& session, const Generator& generator) {
    for (;;) {
        const Operation& operation = generator.next(session.dice);
        if (operation.effect > session.allowed)
            continue;
        session.journal.begin(operation.name);
        if (operation.run(session))
            break;
    }
    if (!session.handles.empty())
        session.check_attributes(session.handles[session.journal.made() % session.handles.size()]);
    session.journal.end();
}

/// At first the lower's files are read only; then, sometimes, only their attributes are changed.
void live(Session& session, const Generator& generator) {
    struct {
        Effect allowed;
        unsigned steps;
    } const stages[] = {{Effect::none, session.dice.pick(25)},
                        {Effect::attributes, session.dice.chance(50) ? session.dice.pick(15) : 0},
                        {Effect::content, 40 + session.dice.pick(200)}};
    for (const auto& stage : stages) {
        session.allowed = stage.allowed;
        for (unsigned i = 0; i < stage.steps; ++i)
            step(session, generator);
    }
    session.finish();
}

} // namespace

bool run(const Task& task, Journal& journal) {
    const Generator generator;
    Aio aio;
    const auto uring = Uring::make();
    for (unsigned number = task.first_session; journal.made() < task.operations; ++number) {
        journal.begin_session(number);
        try {
            Session session(task.seed * 100000 + number, task.setting, task.direct, journal, aio,
                            uring.get());
            live(session, generator);
        } catch (const Difference& difference) {
            journal.print_last();
            std::printf("difference: %s\n", difference.what());
            return false;
        }
    }
    return true;
}

} // namespace shale::onefile
