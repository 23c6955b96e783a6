// SPDX-License-Identifier: GPL-2.0-or-later
//
// mount.shale: what mount(8) starts for file systems of type shale.
#include <cerrno>
#include <exception>
#include <iostream>
#include <new>

#include <fcntl.h>
#include <linux/shale.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/descriptor_limit.hpp"
#include "base/error.hpp"
#include "mounting/helper_request.hpp"
#include "mounting/options.hpp"

namespace {

using shale::Error;
using shale::mounting::HelperRequest;
using shale::mounting::Options;

/// As mount(8) lists them.
enum Status { fine = 0, misused = 1, system_error = 2, failed = 32 };

/// mount(2) takes one page of options, the null byte included.
bool fits_one_page(const std::string& data) {
    return data.size() < static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Layers are looked up there, and the mount appears there.
void enter_name_space(const std::string& name) {
    const bool process = name.find_first_not_of("0123456789") == std::string::npos;
    const std::string path = process ? "/proc/" + name + "/ns/mnt" : name;
    const shale::UniqueFd fd = shale::open_at(AT_FDCWD, path, O_RDONLY);
    if (setns(fd.get(), CLONE_NEWNS) != 0)
        throw Error::from_errno("mount namespace " + name, errno);
}

std::string way_out(int code) {
    switch (code) {
    case EPERM:
        return "mounting needs root";
    case ENODEV:
        return "the module is not installed for the running kernel: \"modprobe shale\" says more";
    default:
        return "the kernel's log says why: \"dmesg | tail\" shows it";
    }
}

/// Both the mount point and a layer may be what is missing; of layers the kernel's log tells.
void check_mount_point(const std::string& target) {
    if (access(target.c_str(), F_OK) != 0)
        throw Error::from_errno("mount point " + target, errno,
                                "check the path, or create it with mkdir");
}

void call_mount(const HelperRequest& request, unsigned long flags, const char* data) {
    check_mount_point(request.target);
    if (mount(request.source.c_str(), request.target.c_str(), SHALE_FAMILY_NAME, flags, data) != 0)
        throw Error::from_errno(request.target, errno, way_out(errno));
}

void run(const HelperRequest& request) {
    if (request.type != SHALE_FAMILY_NAME)
        throw shale::mounting::Misuse("-t " + request.type, "this helper mounts no such type");
    const Options options = shale::mounting::parse_options(request.options);
    const std::string data = options.data();
    const bool remount = options.flags & MS_REMOUNT;
    const bool by_descriptor = !remount && !fits_one_page(data);
    if (request.verbose)
        std::cout << "mount.shale: " << request.target << ": "
                  << (remount         ? "remounting with other flags"
                      : by_descriptor ? "mounting, layers by descriptor"
                                      : "mounting")
                  << std::endl;
    if (!request.name_space.empty())
        enter_name_space(request.name_space);
    if (by_descriptor) {
        shale::raise_descriptor_limit();
        const auto stack = shale::mounting::stack_of(options, request.source);
        if (!request.fake)
            shale::mounting::mount_stack(stack, request.target);
    } else if (!request.fake) {
        // The layers of a mount can't change, so a remount takes flags only.
        call_mount(request, options.flags, remount ? nullptr : data.c_str());
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        const auto request = shale::mounting::parse_helper_arguments({argv + 1, argv + argc});
        if (request.help)
            std::cout << shale::mounting::helper_usage << "\n";
        else
            run(request);
        return fine;
    } catch (const shale::mounting::Misuse& error) {
        std::cerr << "mount.shale: " << error.what() << "\n";
        return misused;
    } catch (const Error& error) {
        std::cerr << "mount.shale: " << error.what() << "\n";
        return failed;
    } catch (const std::exception& error) {
        std::cerr << "mount.shale: " << error.what() << "\n";
        return system_error;
    }
}
