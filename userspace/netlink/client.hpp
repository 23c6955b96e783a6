// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The kernel module as user space sees it: describe a stack, list the mounts.
#pragma once

#include <netlink/netlink.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "netlink/exchange.hpp"
#include "netlink/family.hpp"
#include "netlink/message.hpp"
#include "netlink/mount_record.hpp"

namespace shale::netlink {

/// A connection to the module. Not to be shared between threads.
class Client {
public:
    /// Connects. Throws shale::Error, which says how to load the module if it is not loaded.
    static Client open();

    /// Connects, or returns nothing if the module is not loaded. Throws shale::Error.
    static std::optional<Client> open_if_loaded();

    /// The type of the module's mounts: "shale", or "overlay" where it goes by that name.
    const std::string& file_system() const noexcept { return family_.name; }

    /// Describes a stack to the kernel, which resolves the layers with the caller's rights and
    /// makes private mounts of them. The descriptors in `stack` may be closed afterwards; closing
    /// the answer drops the stack. Throws Refused with the attribute at fault, or shale::Error.
    UniqueFd new_stack(const StackDescription& stack);

    /// All mounts the caller may see, in the order they were made. Throws shale::Error.
    std::vector<MountRecord> mounts();

    /// The mount that the object open as `fd` (O_PATH will do) belongs to. Throws
    /// shale::Error, also if it belongs to none.
    MountRecord mount_of(int fd);

private:
    struct FreeSocket {
        void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
    };
    using Socket = std::unique_ptr<nl_sock, FreeSocket>;

    Client(Socket socket, Family family)
        : socket_(std::move(socket)), family_(std::move(family)) {}

    static std::optional<Family> resolve_family(nl_sock* socket);

    /// Sends `request` and hands what comes back to `handler`; whether the list was interrupted.
    bool exchange(const Message& request, Exchange::Handler handler);

    Socket socket_;
    Family family_;
};

} // namespace shale::netlink
