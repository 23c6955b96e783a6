// SPDX-License-Identifier: GPL-2.0-or-later
#include "programs.hpp"

#include <cerrno>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (const std::string& word : words)
        pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

} // namespace

void run_quietly(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
    const UniqueFd null = open_file("/dev/null", O_RDWR);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, null.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, null.get(), STDOUT_FILENO);
    pid_t child = 0;
    const int code = posix_spawnp(&child, words[0].c_str(), &files, nullptr, pointers_to(words).data(),
                                  pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&files);
    if (code != 0)
        throw Error::from_errno(words[0], code);
    int status = 0;
    require(waitpid(child, &status, 0) == child, "waitpid");
    if (status != 0)
        throw Error(words[0], "it ended with status " + std::to_string(WEXITSTATUS(status)));
}

} // namespace shale::bench
