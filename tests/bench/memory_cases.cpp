// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the kernel keeps of what was looked for, in memory: the union's own, and the layers'.
#include <fstream>

#include "case.hpp"
#include "merged_directory.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

using namespace merged_directory;

/// What earlier samples have left in the layers' caches is not to be found there.
void forget_names() {
    std::ofstream("/proc/sys/vm/drop_caches") << 2;
}

Operation missing_name(const std::string& root) {
    forget_names();
    probe_for_a_while(root);
    return [root](unsigned i) { expect_no(root, "missing" + std::to_string(i)); };
}

Operation file(const std::string& root) {
    forget_names();
    probe_for_a_while(root);
    return [root](unsigned i) { stat_file(file_in(root, i)); };
}

Operation listed_name(const std::string& root) {
    forget_names();
    return [root](unsigned) { list(root, files); };
}

constexpr Case memory(const char* name, Operation (*prepare)(const std::string&), unsigned count, unsigned parts) {
    Case one{name, nullptr, prepare, count, parts};
    one.fill_layer = fill_layer<files>;
    one.layers = depths;
    one.on = Case::On::unions;
    one.by = Case::By::instructions;
    one.rounds = 2;
    one.unit = Case::Unit::bytes;
    return one;
}

constexpr Case table[] = {
    memory("a missing name", missing_name, 1000, 1),
    memory("a file", file, files, 1),
    memory("a name that was listed", listed_name, 1, files),
};

} // namespace

std::span<const Case> memory_cases() {
    return table;
}

} // namespace shale::bench
