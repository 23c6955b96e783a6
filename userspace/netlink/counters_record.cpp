// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/counters_record.hpp"

#include <linux/shale.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "netlink/attributes.hpp"

namespace shale::netlink {

namespace {

/// The number that an attribute of the mount itself stands for.
std::uint64_t CountersRecord::*counter_of(int type) {
    switch (type) {
    case SHALE_A_COUNTERS_COPY_UPS:
        return &CountersRecord::copy_ups;
    case SHALE_A_COUNTERS_COPY_UP_BYTES:
        return &CountersRecord::copy_up_bytes;
    case SHALE_A_COUNTERS_WHITEOUTS:
        return &CountersRecord::whiteouts;
    case SHALE_A_COUNTERS_REDIRECTS:
        return &CountersRecord::redirects;
    case SHALE_A_COUNTERS_LOOK_UPS:
        return &CountersRecord::look_ups;
    case SHALE_A_COUNTERS_PROBES:
        return &CountersRecord::probes;
    case SHALE_A_COUNTERS_PROBES_SAVED:
        return &CountersRecord::probes_saved;
    case SHALE_A_COUNTERS_LISTINGS:
        return &CountersRecord::listings;
    case SHALE_A_COUNTERS_LISTED_NAMES:
        return &CountersRecord::listed_names;
    case SHALE_A_COUNTERS_LISTING_BYTES:
        return &CountersRecord::listing_bytes;
    case SHALE_A_COUNTERS_REOPENS:
        return &CountersRecord::reopens;
    case SHALE_A_COUNTERS_EVENTS:
        return &CountersRecord::events;
    case SHALE_A_COUNTERS_EVENTS_DROPPED:
        return &CountersRecord::events_dropped;
    default: // a newer kernel may tell more
        return nullptr;
    }
}

LayerCounters decode_layer(const nlattr* nest) {
    LayerCounters layer;
    std::optional<std::uint32_t> index;
    for_each_nested(nest, [&](const nlattr* attribute) {
        switch (nla_type(attribute)) {
        case SHALE_A_LAYER_COUNTERS_LOWER:
            index = u32(attribute);
            break;
        case SHALE_A_LAYER_COUNTERS_COPY_UPS:
            layer.copy_ups = number(attribute);
            break;
        case SHALE_A_LAYER_COUNTERS_COPY_UP_BYTES:
            layer.copy_up_bytes = number(attribute);
            break;
        case SHALE_A_LAYER_COUNTERS_LOOK_UPS:
            layer.look_ups = number(attribute);
            break;
        default:
            break;
        }
    });
    if (!index)
        throw std::runtime_error("the kernel counted for a layer without saying for which");
    layer.lower = *index;
    return layer;
}

void add_error(CountersRecord& record, const nlattr* nest) {
    std::optional<std::uint32_t> code;
    std::uint64_t count = 0;
    for_each_nested(nest, [&](const nlattr* attribute) {
        if (nla_type(attribute) == SHALE_A_ERROR_COUNTER_ERRNO)
            code = u32(attribute);
        else if (nla_type(attribute) == SHALE_A_ERROR_COUNTER_COUNT)
            count = number(attribute);
    });
    if (!code)
        throw std::runtime_error("the kernel counted errors without saying which");
    record.errors[*code] += count;
}

} // namespace

void CountersAssembler::add(const nlmsghdr* message) {
    std::optional<std::uint64_t> id;
    for_each_attribute(message, [&](const nlattr* attribute) {
        if (nla_type(attribute) == SHALE_A_COUNTERS_ID)
            id = number(attribute);
    });
    if (!id)
        throw std::runtime_error("the kernel counted for a mount without its id");

    auto& [record, told] = mounts_[*id];
    record.id = *id;
    for_each_attribute(message, [&record = record, &told = told](const nlattr* attribute) {
        const int type = nla_type(attribute);
        if (const auto counter = counter_of(type)) {
            record.*counter = number(attribute);
            told = true;
        } else if (type == SHALE_A_COUNTERS_ERROR) {
            add_error(record, attribute);
        } else if (type == SHALE_A_COUNTERS_LAYER) {
            const auto layer = decode_layer(attribute);
            if (layer.lower != record.layers.size())
                throw std::runtime_error("the kernel left out the counters of layers of mount " +
                                         std::to_string(record.id));
            record.layers.push_back(layer);
        }
    });
}

std::vector<CountersRecord> CountersAssembler::finish() && {
    std::vector<CountersRecord> complete;
    for (auto& [id, pending] : mounts_) {
        if (pending.told)
            complete.push_back(std::move(pending.record));
    }
    mounts_.clear();
    return complete;
}

} // namespace shale::netlink
