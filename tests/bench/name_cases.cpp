// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done by name.
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "case.hpp"
#include "programs.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

constexpr size_t page = 4096;

void fill_file(const std::string& dir) {
    make_file(dir + "/lower", page);
}

void fill_link(const std::string& dir) {
    require(symlink("target/of/the/link", (dir + "/link").c_str()) == 0, "symlink");
}

/// The program lies beside this one.
void fill_program(const std::string& dir) {
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    std::filesystem::copy_file(self + "-nothing", dir + "/nothing");
}

std::string make_upper(const std::string& root) {
    const std::string path = root + "/upper";
    make_file(path, page);
    return path;
}

Operation open_and_close(const std::string& path) {
    return [path](unsigned) { open_file(path, O_RDONLY); };
}

Operation open_lower(const std::string& root) {
    return open_and_close(root + "/lower");
}

Operation open_upper(const std::string& root) {
    return open_and_close(make_upper(root));
}

Operation stat_of(const std::string& path) {
    return [path](unsigned) { stat_file(path); };
}

Operation stat_lower(const std::string& root) {
    return stat_of(root + "/lower");
}

Operation stat_upper(const std::string& root) {
    return stat_of(make_upper(root));
}

Operation read_link(const std::string& root) {
    return [path = root + "/link"](unsigned) {
        char target[64];
        require(readlink(path.c_str(), target, sizeof(target)) > 0, "readlink");
    };
}

Operation execute(const std::string& root) {
    return [path = root + "/nothing"](unsigned) { run_quietly({path}); };
}

std::string deep(const std::string& root) {
    std::string path = root;
    for (int i = 0; i < 10; ++i)
        path += "/directory" + std::to_string(i);
    return path;
}

void fill_deep(const std::string& dir) {
    make_directories(deep(dir), 0755);
    fill_file(deep(dir));
}

Operation stat_deep(const std::string& root) {
    return stat_of(deep(root) + "/lower");
}

constexpr Case table[] = {
    {"open and close, lower", fill_file, open_lower},
    {"open and close, upper", fill_file, open_upper},
    {"stat, lower", fill_file, stat_lower},
    {"stat, upper", fill_file, stat_upper},
    {"readlink, lower", fill_link, read_link},
    {"stat, ten directories deep", fill_deep, stat_deep},
    {"run a small program, lower", fill_program, execute},
};

} // namespace

std::span<const Case> name_cases() {
    return table;
}

} // namespace shale::bench
