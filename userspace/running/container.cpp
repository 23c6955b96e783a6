// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Three processes: the caller, who passes signals on and waits; the first one in the namespaces (init), who does the
// same and buries whom nobody else does; and the command. A pipe from the two to the caller says "mounted", and
// then what went wrong, if anything did; it closes when the command is running.
#include "running/container.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "running/check.hpp"
#include "running/root_directory.hpp"
#include "running/user.hpp"

namespace shale::running {

namespace {

constexpr int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
constexpr char mounted = '\1'; // no message begins with it

int status_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Waits for signals, and passes them on to @p child until that has ended; buries others who have. Returns its status.
int attend(pid_t child, const sigset_t& signals) {
    for (;;) {
        siginfo_t info{};
        const int signal = sigwaitinfo(&signals, &info);
        if (signal > 0 && signal != SIGCHLD) {
            // What the terminal sends, all get that sit at it.
            if (info.si_code != SI_KERNEL)
                kill(child, signal);
            continue;
        }
        int status = 0;
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
            if (ended == child)
                return status_of(status);
        }
    }
}

void write_text(int fd, const std::string& text) {
    [[maybe_unused]] const ssize_t written = write(fd, text.data(), text.size());
}

std::string text_of_file(const std::string& path) {
    // Of the image: a fifo or a device is not waited for.
    const UniqueFd fd = try_open_beneath(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
    struct stat st{};
    if (!fd || fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (16 << 20))
        return "";
    std::string text(static_cast<size_t>(st.st_size), '\0');
    const ssize_t got = read(fd.get(), text.data(), text.size());
    text.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return text;
}

void go_to(const std::string& directory) {
    for (size_t slash = directory.find('/', 1);; slash = directory.find('/', slash + 1)) {
        const std::string part = directory.substr(0, slash);
        if (mkdir(part.c_str(), 0755) != 0 && errno != EEXIST && errno != EISDIR)
            throw Error::from_errno("working directory " + directory, errno);
        if (slash == std::string::npos)
            break;
    }
    check(chdir(directory.c_str()), "working directory " + directory);
}

void become(const User& user) {
    check(setgroups(user.groups.size(), user.groups.data()), "groups");
    check(setgid(user.gid), "group " + std::to_string(user.gid));
    check(setuid(user.uid), "user " + std::to_string(user.uid));
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (std::string& text : texts)
        list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

/// In the last of the three processes. Returns only if it can't be run.
int execute(Command command, int pipe, const sigset_t& before) {
    try {
        umask(022);
        const User user = find_user(command.user, text_of_file("etc/passwd"), text_of_file("etc/group"));
        go_to(command.directory);
        if (!has_variable(command.environment, "HOME"))
            command.environment.push_back("HOME=" + user.home);
        become(user);
        sigprocmask(SIG_SETMASK, &before, nullptr);
        const std::vector<char*> arguments = pointers(command.arguments);
        const std::vector<char*> environment = pointers(command.environment);
        environ = const_cast<char**>(environment.data()); // execvpe() looks for PATH in ours
        execvpe(arguments[0], arguments.data(), environment.data());
        const int code = errno;
        write_text(pipe, command.arguments[0] + ": " + std::strerror(code));
        return code == ENOENT ? not_found : not_executable;
    } catch (const std::exception& error) {
        write_text(pipe, error.what());
        return not_started;
    }
}

/// In the first process of the namespaces.
int be_init(const Container::Plan& plan, int pipe, const SignalsHeld& signals) {
    try {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mounts of one's own");
        check(sethostname(plan.host_name.data(), plan.host_name.size()), "host name");
        plan.mount();
        // The variables of the caller are nobody's business in there, and /proc/1/environ shows this memory.
        for (char** variable = environ; *variable; ++variable)
            std::memset(*variable, 0, std::strlen(*variable));
        change_root(plan.root);
        furnish_root();
        // All that the caller had open: locks of the store would be held, and directories outside be within reach.
        check(dup2(pipe, STDERR_FILENO + 1) < 0, "pipe");
        pipe = STDERR_FILENO + 1;
        check(fcntl(pipe, F_SETFD, FD_CLOEXEC), "pipe");
        check(static_cast<int>(syscall(SYS_close_range, pipe + 1, ~0U, 0)), "files of the caller");
        write_text(pipe, std::string(1, mounted));
    } catch (const std::exception& error) {
        write_text(pipe, error.what());
        return not_started;
    }
    const pid_t child = fork();
    if (child == 0)
        _exit(execute(plan.command, pipe, signals.before()));
    if (child < 0) {
        write_text(pipe, std::string("a process: ") + std::strerror(errno));
        return not_started;
    }
    close(pipe);
    return attend(child, signals.held());
}

} // namespace

SignalsHeld::SignalsHeld() {
    sigemptyset(&held_);
    for (const int signal : passed_on)
        sigaddset(&held_, signal);
    sigaddset(&held_, SIGCHLD);
    sigprocmask(SIG_BLOCK, &held_, &before_);
}

SignalsHeld::~SignalsHeld() {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Container::Container(const Plan& plan, const SignalsHeld& signals) : signals_(signals) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        throw Error::from_errno("pipe", errno);
    pipe_ = UniqueFd(ends[0]);
    UniqueFd theirs(ends[1]);
    constexpr unsigned long namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
    // As fork(2) does: the one thread there is goes on in the copy.
    pid_ = static_cast<pid_t>(syscall(SYS_clone, namespaces | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (pid_ < 0)
        throw Error::from_errno("namespaces", errno, errno == EPERM ? "run as root" : "");
    if (pid_ == 0)
        _exit(be_init(plan, theirs.get(), signals));
    theirs.reset();
    char first = 0;
    if (read(pipe_.get(), &first, 1) == 1 && first == mounted)
        return;
    const std::string message = first == 0 ? "it ended at once" : first + read_message();
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
    throw Error("container", message);
}

Container::~Container() {
    if (pid_ < 0)
        return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

std::string Container::read_message() {
    std::string message;
    std::array<char, 4096> buffer;
    for (ssize_t got; (got = read(pipe_.get(), buffer.data(), buffer.size())) != 0;) {
        if (got < 0 && errno != EINTR)
            break;
        message.append(buffer.data(), got > 0 ? static_cast<size_t>(got) : 0);
    }
    return message;
}

Container::Outcome Container::wait() {
    Outcome outcome;
    outcome.message = read_message(); // to its end, which is when the command runs
    outcome.status = attend(pid_, signals_.held());
    pid_ = -1;
    return outcome;
}

} // namespace shale::running
