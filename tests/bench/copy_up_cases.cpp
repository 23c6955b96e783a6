// SPDX-License-Identifier: GPL-2.0-or-later
//
// The first change of a file of the lower layer.
#include <fcntl.h>
#include <sys/stat.h>

#include "case.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

template <size_t size, unsigned count> void fill(const std::string& dir) {
    make_files(dir, count, size);
}

void fill_sparse(const std::string& dir) {
    make_sparse_file(dir + "/0");
}

Operation open_to_write(const std::string& root) {
    return [root](unsigned number) { open_file(root + "/" + std::to_string(number), O_WRONLY); };
}

Operation change_mode(const std::string& root) {
    return [root](unsigned number) {
        require(chmod((root + "/" + std::to_string(number)).c_str(), 0600) == 0, "chmod");
    };
}

constexpr unsigned some = 32, few = 8;
constexpr size_t kibibyte = 1 << 10, mebibyte = 1 << 20;
constexpr auto on = Case::On::unions;

constexpr Case table[] = {
    {"copy-up of 4 KiB", fill<4 * kibibyte, some>, open_to_write, some, 1, on},
    {"copy-up of 1 MiB", fill<mebibyte, few>, open_to_write, few, 1, on},
    {"copy-up of 256 MiB", fill<256 * mebibyte, 1>, open_to_write, 1, 1, on},
    {"copy-up of sparse 10 GiB", fill_sparse, open_to_write, 1, 1, on},
    {"copy-up without data", fill<mebibyte, few>, change_mode, few, 1, on},
};

} // namespace

std::span<const Case> copy_up_cases() {
    return table;
}

} // namespace shale::bench
