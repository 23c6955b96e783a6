// SPDX-License-Identifier: GPL-2.0-or-later
#include "merged_directory.hpp"

#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include <dirent.h>
#include <sys/stat.h>

namespace shale::bench::merged_directory {

std::string path(const std::string& root) {
    return root + "/dir";
}

std::string file_in(const std::string& root, unsigned number) {
    return path(root) + "/file" + std::to_string(number);
}

void expect_no(const std::string& root, const std::string& name) {
    struct stat st {};
    require(stat((path(root) + "/" + name).c_str(), &st) != 0 && errno == ENOENT, "stat of what is not there");
}

void probe_for_a_while(const std::string& root) {
    for (unsigned i = 0; i < 600; ++i)
        expect_no(root, "probed" + std::to_string(i));
    std::this_thread::sleep_for(std::chrono::seconds(3));
    expect_no(root, "probed");
}

void list(const std::string& root, unsigned count) {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(path(root).c_str()), closedir);
    unsigned seen = 0;
    require(dir != nullptr, "opendir");
    while (readdir(dir.get()))
        ++seen;
    errno = 0;
    require(seen >= count, "readdir of all names");
}

} // namespace shale::bench::merged_directory
