// SPDX-License-Identifier: GPL-2.0-or-later
// Lists the mounts, and how much each has copied up. Needs libshale.
#include <exception>
#include <iostream>

#include <shale/netlink/client.hpp>

int main() try {
    auto client = shale::netlink::Client::open();
    for (const auto& mount : client.mounts())
        std::cout << mount.id << " " << mount.source << "\n";
    for (const auto& counters : client.counters())
        std::cerr << counters.id << ": " << counters.copy_up_bytes << " bytes copied up\n";
    return 0;
} catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
}
