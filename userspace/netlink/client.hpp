// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The kernel module as user space sees it: describe a stack, list the mounts, ask and steer them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "netlink/connection.hpp"
#include "netlink/counters_record.hpp"
#include "netlink/exchange.hpp"
#include "netlink/family.hpp"
#include "netlink/message.hpp"
#include "netlink/mount_record.hpp"
#include "netlink/object_record.hpp"

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

    /// What happened in all mounts that the caller may see, layers aside. Throws shale::Error.
    std::vector<CountersRecord> counters();

    /// What happened in the mount `id`, each layer included. Throws shale::Error.
    CountersRecord counters_of(std::uint64_t id);

    /// Where the object of a mount that is open as `fd` (O_PATH will do) lies. Throws Refused, or
    /// shale::Error.
    ObjectRecord query(int fd);

    /// Which mounts have the directory open as `fd` (O_PATH will do) as a layer. Throws Refused,
    /// or shale::Error.
    std::vector<LayerUse> in_use(int fd);

    /// Changes all of it of the mount `id`, or nothing. Throws Refused with the attribute at
    /// fault, or shale::Error.
    void set(std::uint64_t id, const Changes& changes);

    /// Keeps the writable layer of the mount `id` from changing, until the answer is closed or the time (in ms; SHALE_MAX_QUIESCE if none is given) is over; read(2) of
    /// it says which. Throws Refused, with EBUSY if changes don't come to an end or a file is
    /// mapped to be written (Refused::path then), or shale::Error.
    UniqueFd quiesce(std::uint64_t id, std::optional<std::uint32_t> timeout = std::nullopt);

private:
    Client(Socket socket, Family family)
        : socket_(std::move(socket)), family_(std::move(family)) {}

    /// Sends `request` and hands what comes back to `handler`; whether the list was interrupted.
    bool exchange(const Message& request, Exchange::Handler handler);

    /// What an assembler makes of the answer; asks again where mounts came and went meanwhile.
    template <typename Assembler>
    auto list(const std::function<Message()>& request, const std::function<Assembler()>& start);

    Socket socket_;
    Family family_;
};

} // namespace shale::netlink
