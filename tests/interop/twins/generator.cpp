// SPDX-License-Identifier: GPL-2.0-or-later
#include "generator.hpp"

#include "values.hpp"

namespace shale::twins {

Generator::Generator(unsigned seed, bool identities, const Side& tree, const Side& twin)
    : choices_{Dice(seed), Places(tree.root.get(), twin.root.get()), tree} {
    for (const auto& kinds :
         {name_operations(), content_operations(), attribute_operations(), held_operations()})
        add_kinds(kinds);
    if (identities)
        add_kinds(identity_operations());
}

void Generator::add_kinds(std::span<const Weighted> kinds) {
    kinds_.insert(kinds_.end(), kinds.begin(), kinds.end());
    for (const Weighted& kind : kinds)
        weight_ += kind.weight;
}

Operation Generator::next() {
    Operation operation = pick_kind()(choices_);
    operation.caller = pick_caller();
    return operation;
}

MakeOperation Generator::pick_kind() {
    unsigned left = choices_.dice.pick(weight_);
    auto kind = kinds_.begin();
    for (; left >= kind->weight; ++kind)
        left -= kind->weight;
    return kind->make;
}

Caller Generator::pick_caller() {
    static constexpr mode_t umasks[] = {022, 022, 0, 077};
    return {choices_.dice.chance(15) ? user : 0, choices_.dice.one_of(umasks)};
}

} // namespace shale::twins
