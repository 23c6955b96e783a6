// SPDX-License-Identifier: GPL-2.0-or-later
//
// Direct I/O at random places of a file that is there already, by one writer or by several at once.
#include <cstdlib>
#include <exception>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "case.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

constexpr size_t page = 4096;
constexpr unsigned pages = 1024, writes = 32;

using Memory = std::unique_ptr<char, decltype(&std::free)>;

Memory aligned_page() {
    Memory memory(static_cast<char*>(std::aligned_alloc(page, page)), std::free);
    std::fill_n(memory.get(), page, 'd');
    return memory;
}

void fill(const std::string&) {}

void write_some(const std::string& path, unsigned seed, unsigned count) {
    const UniqueFd fd = open_file(path, O_WRONLY | O_DIRECT);
    const Memory memory = aligned_page();
    std::minstd_rand random(seed);
    for (unsigned i = 0; i < count; ++i) {
        const auto at = static_cast<off_t>(random() % pages * page);
        require(pwrite(fd.get(), memory.get(), page, at) == page, "pwrite");
    }
}

/// All of them together make the same number of requests, however many they are.
void write_by(const std::string& path, unsigned seed, unsigned writers) {
    std::vector<std::thread> threads;
    std::vector<std::exception_ptr> failures(writers);
    for (unsigned i = 0; i < writers; ++i)
        threads.emplace_back([&, i] {
            try {
                write_some(path, seed * writers + i, writes / writers);
            } catch (...) {
                failures[i] = std::current_exception();
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    for (const std::exception_ptr& failure : failures)
        if (failure)
            std::rethrow_exception(failure);
}

template <unsigned writers> Operation write_at_once(const std::string& root) {
    make_file(root + "/upper", pages * page);
    return [path = root + "/upper"](unsigned number) { write_by(path, number, writers); };
}

constexpr Case table[] = {
    {"O_DIRECT write of 4 KiB, 1 writer", fill, write_at_once<1>, 0, writes},
    {"O_DIRECT write of 4 KiB, 2 writers", fill, write_at_once<2>, 0, writes, Case::On::all,
     Case::By::time},
};

} // namespace

std::span<const Case> request_cases() {
    return table;
}

} // namespace shale::bench
