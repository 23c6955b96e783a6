// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A socket to the kernel's generic netlink, and the module's family found through it.
#pragma once

#include <netlink/netlink.h>

#include <memory>
#include <optional>
#include <string>

#include "netlink/family.hpp"

namespace shale::netlink {

struct FreeSocket {
    void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
};

/// A socket of libnl.
using Socket = std::unique_ptr<nl_sock, FreeSocket>;

/// Connects. Throws shale::Error.
Socket connect();

/// The family of the module; nothing if it is not loaded. Throws shale::Error.
std::optional<Family> resolve_family(nl_sock* socket);

/// What to tell whoever needs the module where it is not loaded.
[[noreturn]] void fail_as_not_loaded();

/// Throws shale::Error with libnl's reason if `result` is a failure.
void check(int result, const std::string& doing);

} // namespace shale::netlink
