// SPDX-License-Identifier: GPL-2.0-or-later
#include "block.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace shale::powercut {

namespace {

constexpr size_t head_size = 64;
constexpr const char* head_format = "power cut: file %u, version %u, block %u\n";

} // namespace

Block make_block(const Label& label) {
    Block block{};
    std::snprintf(block.data(), head_size, head_format, label.file, label.version, label.index);
    uint64_t word = ((uint64_t{label.file} << 32 | label.version) ^ uint64_t{label.index} << 20) | 1;
    for (size_t at = head_size; at < block.size(); at += sizeof word) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        std::memcpy(block.data() + at, &word, sizeof word);
    }
    return block;
}

std::optional<Label> label_of(const Block& block) {
    char head[head_size + 1] = "";
    Label label{};
    std::memcpy(head, block.data(), head_size);
    if (std::sscanf(head, head_format, &label.file, &label.version, &label.index) != 3 || block != make_block(label))
        return {};
    return label;
}

bool is_zero(const Block& block) {
    return std::all_of(block.begin(), block.end(), [](char byte) { return byte == 0; });
}

} // namespace shale::powercut
