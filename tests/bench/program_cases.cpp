// SPDX-License-Identifier: GPL-2.0-or-later
//
// What whole programs do in trees of many files.
#include <array>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>

#include "base/at.hpp"
#include "case.hpp"
#include "programs.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

constexpr std::array<unsigned, 2> one_or_sixty = {1, 60};

/// Twenty thousand files in a thousand directories, each of which some three layers have.
void fill_tree(const std::string& dir, unsigned layer, unsigned layers) {
    constexpr unsigned directories = 1000, files = 20;
    for (unsigned i = 0; i < directories; ++i)
        for (unsigned file = 0; file < files; ++file) {
            if ((i + file % 3) % layers != layer)
                continue;
            const std::string in =
                dir + "/tree/" + std::to_string(i / 100) + "/" + std::to_string(i / 10 % 10) + "/" + std::to_string(i % 10);
            make_directories(in, 0755);
            open_file(in + "/file" + std::to_string(file), O_WRONLY | O_CREAT);
        }
}

Operation find(const std::string& root) {
    return [root](unsigned) { run_quietly({"find", root + "/tree", "-name", "nothing"}); };
}

Operation find_again(const std::string& root) {
    find(root)(0);
    return find(root);
}

Operation disk_usage(const std::string& root) {
    return [root](unsigned) { run_quietly({"du", "-s", root + "/tree"}); };
}

Operation disk_usage_again(const std::string& root) {
    disk_usage(root)(0);
    return disk_usage(root);
}

/// What the programs that need it are to find instead of the user's own.
std::vector<std::string> environment() {
    return {"PATH=/usr/bin:/bin", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "PYTHONDONTWRITEBYTECODE=1"};
}

void git(const std::string& dir, std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", dir, "-c", "safe.directory=*", "-c", "user.name=x", "-c", "user.email=x@y"});
    run_quietly(words, environment());
}

/// A repository of five thousand files.
void fill_repository(const std::string& dir) {
    const std::string repository = dir + "/repository";
    for (unsigned i = 0; i < 100; ++i) {
        const std::string in = repository + "/" + std::to_string(i / 10) + "/" + std::to_string(i % 10);
        make_directories(in, 0755);
        for (unsigned number = 0; number < 50; ++number) {
            const std::string file = in + "/file" + std::to_string(number), text = file.substr(dir.size());
            write_all_at(open_file(file, O_WRONLY | O_CREAT).get(), text.data(), text.size(), 0, file);
        }
    }
    git(repository, {"init", "-q"});
    git(repository, {"add", "."});
    git(repository, {"commit", "-q", "-m", "all"});
}

/// The first one notes what the files are like in the union.
Operation git_status(const std::string& root) {
    const auto status = [root](unsigned) { git(root + "/repository", {"status", "--porcelain"}); };
    status(0);
    return status;
}

std::string python_library() {
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib"))
        if (entry.path().filename().string().starts_with("python3."))
            return entry.path();
    throw std::runtime_error("/usr/lib: no library of Python 3 in it");
}

/// Python's own library, each file in another layer. What is compiled knows by their times what it was compiled from.
void fill_library(const std::string& dir, unsigned layer, unsigned layers) {
    namespace fs = std::filesystem;
    const fs::path from = python_library();
    unsigned number = 0;
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        const std::string extension = entry.path().extension();
        if (!entry.is_regular_file() || (extension != ".py" && extension != ".pyc") || number++ % layers != layer)
            continue;
        const fs::path to = fs::path(dir) / "library" / entry.path().lexically_relative(from);
        fs::create_directories(to.parent_path());
        fs::copy_file(entry.path(), to);
        fs::last_write_time(to, entry.last_write_time());
    }
}

Operation import_modules(const std::string& root) {
    return [root](unsigned) {
        auto variables = environment();
        variables.push_back("PYTHONPATH=" + root + "/library");
        run_quietly({"python3", "-S", "-c",
                     "import argparse, asyncio, csv, decimal, difflib, email.message, http.client, json, logging.config, "
                     "pathlib, sqlite3, statistics, tarfile, unittest, urllib.request, xml.dom.minidom, zipfile"},
                    variables);
    };
}

constexpr Case program(const char* name, Operation (*prepare)(const std::string&)) {
    Case one{name, nullptr, prepare, 1};
    one.on = Case::On::unions;
    one.by = Case::By::instructions;
    one.rounds = 2;
    return one;
}

constexpr Case program(const char* name, Operation (*prepare)(const std::string&),
                       void (*fill_layer)(const std::string&, unsigned, unsigned)) {
    Case one = program(name, prepare);
    one.fill_layer = fill_layer;
    one.layers = one_or_sixty;
    return one;
}

constexpr Case program(const char* name, Operation (*prepare)(const std::string&), void (*fill)(const std::string&)) {
    Case one = program(name, prepare);
    one.fill = fill;
    return one;
}

constexpr Case table[] = {
    program("find in 20,000 files", find, fill_tree),
    program("find again", find_again, fill_tree),
    program("du of 20,000 files", disk_usage, fill_tree),
    program("du again", disk_usage_again, fill_tree),
    program("python3 importing 16 modules and what they need", import_modules, fill_library),
    program("git status of 5,000 files", git_status, fill_repository),
};

} // namespace

std::span<const Case> program_cases() {
    return table;
}

} // namespace shale::bench
