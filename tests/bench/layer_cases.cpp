// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done in a directory that many layers have: ten thousand files, spread over all of them.
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/at.hpp"
#include "case.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

constexpr unsigned files = 10000;
constexpr std::array<unsigned, 6> depths = {1, 2, 8, 32, 128, 500};

std::string file_in(const std::string& root, unsigned number) {
    return root + "/dir/file" + std::to_string(number);
}

/// File i is in layer i modulo the number of layers.
void fill_layer(const std::string& dir, unsigned layer, unsigned layers) {
    make_directories(dir + "/dir", 0755);
    for (unsigned i = layer; i < files; i += layers)
        open_file(file_in(dir, i), O_WRONLY | O_CREAT);
}

void expect_no(const std::string& path) {
    struct stat st {};
    require(stat(path.c_str(), &st) != 0 && errno == ENOENT, "stat of what is not there");
}

/// What a build does all day, and time for what happens in the background then.
void probe_for_a_while(const std::string& root) {
    for (unsigned i = 0; i < 600; ++i)
        expect_no(root + "/dir/probed" + std::to_string(i));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
}

Operation missing_name(const std::string& root) {
    probe_for_a_while(root);
    return [root](unsigned i) { expect_no(root + "/dir/missing" + std::to_string(i)); };
}

Operation first_stat(const std::string& root) {
    probe_for_a_while(root);
    return [root](unsigned i) { stat_file(file_in(root, i * 7)); };
}

Operation stat_again(const std::string& root) {
    probe_for_a_while(root);
    return [path = file_in(root, 0)](unsigned) { stat_file(path); };
}

Operation create_and_remove(const std::string& root) {
    probe_for_a_while(root);
    return [root](unsigned i) {
        const std::string path = root + "/dir/new" + std::to_string(i);
        open_file(path, O_WRONLY | O_CREAT | O_EXCL);
        require(unlink(path.c_str()) == 0, "unlink");
    };
}

void list(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(path.c_str()), closedir);
    unsigned count = 0;
    require(dir != nullptr, "opendir");
    while (readdir(dir.get()))
        ++count;
    errno = 0;
    require(count >= files, "readdir of all names");
}

Operation list_first(const std::string& root) {
    return [root](unsigned) { list(root + "/dir"); };
}

Operation list_again(const std::string& root) {
    list(root + "/dir");
    return list_first(root);
}

constexpr Case layered(const char* name, Operation (*prepare)(const std::string&), unsigned count) {
    Case one{name, nullptr, prepare, count};
    one.fill_layer = fill_layer;
    one.layers = depths;
    one.on = Case::On::unions;
    one.by = Case::By::instructions;
    one.rounds = 2;
    return one;
}

constexpr Case table[] = {
    layered("missing name", missing_name, 200),
    layered("first stat of a file", first_stat, 200),
    layered("stat of a file again", stat_again, 200),
    layered("create and remove", create_and_remove, 200),
    layered("first listing of 10,000 names", list_first, 1),
    layered("listing again", list_again, 1),
};

} // namespace

std::span<const Case> layer_cases() {
    return table;
}

} // namespace shale::bench
