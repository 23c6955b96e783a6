// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done in a directory that many layers have.
#include <array>
#include <chrono>
#include <span>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "case.hpp"
#include "merged_directory.hpp"
#include "programs.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

using namespace merged_directory;

Operation missing_name(const std::string& root) {
    probe_for_a_while(root);
    return [root](unsigned i) { expect_no(root, "missing" + std::to_string(i)); };
}

Operation missing_after_a_while(const std::string& root) {
    probe_for_a_while(root);
    std::this_thread::sleep_for(std::chrono::seconds(3));
    return [root](unsigned) { expect_no(root, "missing"); };
}

Operation first_stat(const std::string& root) {
    probe_for_a_while(root);
    return [root](unsigned i) { stat_file(file_in(root, i * 7)); };
}

Operation stat_again(const std::string& root) {
    probe_for_a_while(root);
    return [path = file_in(root, 0)](unsigned) { stat_file(path); };
}

std::string new_file(const std::string& root, unsigned number) {
    return path(root) + "/new" + std::to_string(number);
}

Operation create(const std::string& root) {
    probe_for_a_while(root);
    return [root](unsigned i) { open_file(new_file(root, i), O_WRONLY | O_CREAT | O_EXCL); };
}

constexpr unsigned some = 200;

Operation remove_created(const std::string& root) {
    const Operation create_one = create(root);
    for (unsigned i = 0; i < some; ++i)
        create_one(i);
    return [root](unsigned i) { require(unlink(new_file(root, i).c_str()) == 0, "unlink"); };
}

template <unsigned count> Operation list_first(const std::string& root) {
    return [root](unsigned) { list(root, count); };
}

template <unsigned count> Operation list_again(const std::string& root) {
    list(root, count);
    return list_first<count>(root);
}

Operation list_long(const std::string& root) {
    return [root](unsigned) { run_quietly({"ls", "-l", path(root)}); };
}

constexpr Case layered(const char* name, Operation (*prepare)(const std::string&), unsigned count) {
    Case one{name, nullptr, prepare, count};
    one.fill_layer = fill_layer<files>;
    one.layers = depths;
    one.on = Case::On::unions;
    one.by = Case::By::instructions;
    one.rounds = 2;
    return one;
}

constexpr std::array<unsigned, 2> few_or_most = {2, 500};

constexpr Case large(const char* name, Operation (*prepare)(const std::string&), unsigned count) {
    Case one = layered(name, prepare, count);
    one.fill_layer = fill_layer<many_files>;
    one.layers = few_or_most;
    return one;
}

constexpr Case table[] = {
    layered("missing name", missing_name, some),
    layered("missing name, after some seconds", missing_after_a_while, 1),
    layered("first stat of a file", first_stat, some),
    layered("stat of a file again", stat_again, some),
    layered("create a file", create, some),
    layered("remove it", remove_created, some),
    layered("first listing", list_first<files>, 1),
    layered("listing again", list_again<files>, 1),
    layered("mount", nullptr, 1),
};

/// With two layers alone: it looks a hundred thousand files up, and overlayfs asks each of 500 layers for each.
constexpr Case listed_long() {
    Case one = large("ls -l", list_long, 1);
    one.layers = std::span(few_or_most).first(1);
    return one;
}

constexpr Case large_table[] = {
    large("missing name", missing_name, some),
    large("first stat of a file", first_stat, some),
    large("stat of a file again", stat_again, some),
    large("create a file", create, some),
    large("remove it", remove_created, some),
    large("first listing", list_first<many_files>, 1),
    large("listing again", list_again<many_files>, 1),
    listed_long(),
};

} // namespace

std::span<const Case> layer_cases() {
    return table;
}

std::span<const Case> large_directory_cases() {
    return large_table;
}

} // namespace shale::bench
