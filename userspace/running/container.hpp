// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <csignal>
#include <functional>
#include <string>

#include <sys/types.h>

#include "base/fd.hpp"
#include "running/image_command.hpp"

namespace shale::running {

/// Statuses as docker's for what could not be run.
enum Status { not_started = 125, not_executable = 126, not_found = 127 };

/// While it lives, signals wait that are to be passed on, or that tell of a child's end.
class SignalsHeld {
public:
    SignalsHeld();
    ~SignalsHeld();
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;

    const sigset_t& held() const { return held_; }
    const sigset_t& before() const { return before_; }

private:
    sigset_t held_;
    sigset_t before_;
};

/// A command that runs on a root file system of its own, in namespaces of its own. When its first process ends, all of
/// it does, and what it has mounted with it.
class Container {
public:
    struct Plan {
        Command command;
        std::string host_name;
        std::string root;            ///< directory where mount() mounts it
        std::function<void()> mount; ///< called in the new mount namespace; throws Error
    };

    /// Starts it, and returns when all is mounted. Throws Error. @p signals outlives the object.
    Container(const Plan& plan, const SignalsHeld& signals);
    /// Kills it, unless it has ended.
    ~Container();
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;

    struct Outcome {
        int status = 0;      ///< its exit status: 128 and the signal's number, where one killed it
        std::string message; ///< why the command could not be run; then it is a Status
    };

    /// Passes signals on until it ends.
    Outcome wait();

private:
    std::string read_message();

    const SignalsHeld& signals_;
    pid_t pid_ = -1; ///< of the first process, seen from here
    UniqueFd pipe_;  ///< tells what becomes of the start
};

} // namespace shale::running
