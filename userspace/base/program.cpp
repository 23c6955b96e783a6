// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/program.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"

namespace shale {

namespace {

struct FileActions {
    FileActions() { posix_spawn_file_actions_init(&actions); }
    ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;

    posix_spawn_file_actions_t actions;
};

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (const std::string& word : words)
        pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

} // namespace

pid_t start_program(const std::vector<std::string>& words, int output, const std::vector<std::string>* environment) {
    FileActions files;
    posix_spawn_file_actions_addopen(&files.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files.actions, output, STDOUT_FILENO);
    pid_t child = 0;
    if (const int code = posix_spawnp(&child, words[0].c_str(), &files.actions, nullptr, pointers_to(words).data(),
                                      environment ? pointers_to(*environment).data() : environ);
        code != 0)
        throw Error::from_errno(words[0], code);
    return child;
}

int run_program(const std::vector<std::string>& words, int output, Progress& progress) {
    const pid_t child = start_program(words, output);
    bool is_ended_by_us = false;
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0) {
        if (!is_ended_by_us && progress.cancelled()) {
            kill(child, SIGTERM);
            is_ended_by_us = true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (is_ended_by_us)
        throw Cancelled(words[0]);
    if (ended < 0)
        throw Error::from_errno(words[0] + ": how it ended", errno);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace shale
