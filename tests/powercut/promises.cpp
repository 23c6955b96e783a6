// SPDX-License-Identifier: GPL-2.0-or-later
#include "promises.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "layers.hpp"

namespace shale::powercut {

namespace {

class Output : public Promises {
public:
    explicit Output(std::string prefix) : prefix_(std::move(prefix)) {}

    /// One write, which a pipe takes as a whole.
    void made(unsigned hand, unsigned number) override {
        const std::string line = prefix_ + std::to_string(hand) + " " + std::to_string(number) + "\n";
        if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
            throw Error::from_errno("standard output", errno);
    }

private:
    std::string prefix_;
};

class Log : public Promises {
public:
    explicit Log(std::string device)
        : device_(std::move(device)), control_(open_at(AT_FDCWD, "/dev/mapper/control", O_RDWR)) {}

    void made(unsigned hand, unsigned number) override {
        struct {
            dm_ioctl header;
            uint64_t sector; // with the text, a struct dm_target_msg
            char text[64];
        } request{};
        request.header.version[0] = DM_VERSION_MAJOR;
        request.header.data_size = sizeof request;
        request.header.data_start = sizeof request.header;
        std::snprintf(request.header.name, sizeof request.header.name, "%s", device_.c_str());
        std::snprintf(request.text, sizeof request.text, "mark %u:%u", hand, number);
        if (ioctl(control_.get(), DM_TARGET_MSG, &request) != 0)
            throw Error::from_errno("mark in the log of " + device_, errno);
    }

private:
    std::string device_;
    UniqueFd control_;
};

} // namespace

std::unique_ptr<Promises> promises_on_output(const std::string& prefix) {
    return std::make_unique<Output>(prefix);
}

std::unique_ptr<Promises> promises_in_log(const std::string& device) {
    return std::make_unique<Log>(device);
}

std::vector<std::vector<unsigned>> read_promises(const std::string& path) {
    std::vector<std::vector<unsigned>> promises(nr_hands);
    std::ifstream file(path);
    if (!file)
        throw Error::from_errno(path, errno);
    for (std::string line; std::getline(file, line) && !file.eof();) {
        unsigned hand = 0, number = 0;
        if (std::sscanf(line.c_str(), "%u %u", &hand, &number) != 2 || hand >= nr_hands)
            throw Error(path, "not a promise: " + line);
        promises[hand].push_back(number);
    }
    return promises;
}

} // namespace shale::powercut
