// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/stack.hpp"

#include <cerrno>

#include <fcntl.h>
#include <linux/shale.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.hpp"
#include "mounting/fs_context.hpp"
#include "netlink/client.hpp"

namespace shale::mounting {

namespace {

constexpr const char* lower_layer = "lower layer ";
constexpr const char* data_layer = "data layer ";
constexpr const char* upper_layer = "upper layer ";
constexpr const char* work_directory = "work directory ";

UniqueFd open_directory(const std::string& role, const std::string& path) {
    UniqueFd fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (fd)
        return fd;
    switch (errno) {
    case ENOTDIR: {
        struct stat st {};
        if (stat(path.c_str(), &st) == 0)
            throw Error(role + path, "is not a directory", "give a directory");
        throw Error::from_errno(role + path, ENOTDIR, "check the path");
    }
    case ENOENT:
        throw Error::from_errno(role + path, ENOENT, "check the path, or create it with mkdir");
    case EMFILE:
        throw Error::from_errno(role + path, EMFILE,
                                "raise the hard limit of open files (ulimit -Hn)");
    default:
        throw Error::from_errno(role + path, errno);
    }
}

/// The layers of a stack, open.
struct OpenStack {
    std::vector<UniqueFd> lowers;
    std::vector<UniqueFd> data;
    UniqueFd upper;
    UniqueFd work;

    explicit OpenStack(const Stack& stack) {
        for (const std::string& lower : stack.lowers)
            lowers.push_back(open_directory(lower_layer, lower));
        for (const std::string& layer : stack.data)
            data.push_back(open_directory(data_layer, layer));
        if (stack.upper)
            upper = open_directory(upper_layer, *stack.upper);
        if (stack.work)
            work = open_directory(work_directory, *stack.work);
    }

    netlink::StackDescription description() const {
        netlink::StackDescription description;
        for (const UniqueFd& lower : lowers)
            description.lowers.push_back(lower.get());
        for (const UniqueFd& layer : data)
            description.data.push_back(layer.get());
        if (upper)
            description.upper = upper.get();
        if (work)
            description.work = work.get();
        return description;
    }
};

/// A stack that the kernel knows and nobody has mounted yet.
struct PendingStack {
    UniqueFd fd;
    std::string file_system; ///< the type that takes it
};

PendingStack describe(const Stack& stack) {
    const OpenStack layers(stack);
    auto client = netlink::Client::open();
    try {
        return {client.new_stack(layers.description()), client.file_system()};
    } catch (const netlink::Refused& refused) {
        throw explain(refused, stack);
    }
}

void set_option(FsContext& context, const std::string& option) {
    const auto equals = option.find('=');
    if (equals == std::string::npos)
        context.set_flag(option);
    else
        context.set_string(option.substr(0, equals), option.substr(equals + 1));
}

/// The layer that @p at points to, as messages call it.
std::string culprit(const netlink::AttributePosition& at, const Stack& stack) {
    switch (at.type) {
    case SHALE_A_STACK_LOWER:
        return at.index < stack.lowers.size() ? lower_layer + stack.lowers[at.index] : "";
    case SHALE_A_STACK_DATA:
        return at.index < stack.data.size() ? data_layer + stack.data[at.index] : "";
    case SHALE_A_STACK_UPPER:
        return stack.upper ? upper_layer + *stack.upper : "";
    case SHALE_A_STACK_WORK:
        return stack.work ? work_directory + *stack.work : "";
    default:
        return "";
    }
}

std::string way_out(int code, bool work) {
    switch (code) {
    case EPERM:
        return "mounting needs root: run it with sudo";
    case EBUSY:
        return "each mount needs an upper and a work directory of its own: \"shale mounts\" shows "
               "who has them, \"shale umount\" frees them";
    case ELOOP:
        return "give directories that are different from each other and not inside one another";
    case EXDEV:
        return "put the work directory beside the upper layer, on the same mount";
    case EROFS:
        return "choose an upper layer on a file system that is mounted writable, or none";
    case EINVAL:
        return work ? "give an empty directory beside the upper layer, on the same mount, neither "
                      "inside the other"
                    : "";
    case EMFILE:
    case ENFILE:
        return "close files, or raise the limits of open files (ulimit -Hn, fs.file-max)";
    default:
        return "";
    }
}

} // namespace

Error explain(const netlink::Refused& refused, const Stack& stack) {
    std::string thing = refused.attribute ? culprit(*refused.attribute, stack) : "";
    const bool work = refused.attribute && refused.attribute->type == SHALE_A_STACK_WORK;
    if (thing.empty())
        thing = "stack of layers";
    return {thing, refused.what(), way_out(refused.error(), work)};
}

void mount_stack(const Stack& stack, const std::string& target) {
    const UniqueFd directory = open_directory("mount point ", target);
    const PendingStack pending = describe(stack);
    const bool read_only = stack.read_only || !stack.upper;

    FsContext context(pending.file_system);
    context.set_string("source", stack.source);
    for (const std::string& option : stack.options)
        set_option(context, option);
    if (read_only)
        context.set_flag("ro");
    context.set_fd("stack", pending.fd.get());
    context.create();
    const UniqueFd mount = context.mount(stack.attributes | (read_only ? MOUNT_ATTR_RDONLY : 0));
    if (move_mount(mount.get(), "", directory.get(), "",
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        throw Error::from_errno("mount point " + target, errno);
}

} // namespace shale::mounting
