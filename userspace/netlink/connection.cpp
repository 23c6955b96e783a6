// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/connection.hpp"

#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>

#include <new>

#include "base/error.hpp"

namespace shale::netlink {

namespace {

/// All families of the kernel.
class FamilyList {
public:
    explicit FamilyList(nl_sock* socket) {
        nl_cache* list = nullptr;
        check(genl_ctrl_alloc_cache(socket, &list), "cannot list the families of the kernel");
        list_.reset(list);
    }

    std::optional<std::uint16_t> number(const std::string& name) const {
        genl_family* const family = genl_ctrl_search_by_name(list_.get(), name.c_str());
        if (!family)
            return std::nullopt;
        const auto number = static_cast<std::uint16_t>(genl_family_get_id(family));
        genl_family_put(family);
        return number;
    }

private:
    struct FreeCache {
        void operator()(nl_cache* cache) const noexcept { nl_cache_free(cache); }
    };
    std::unique_ptr<nl_cache, FreeCache> list_;
};

std::optional<std::uint16_t> number_by_name(nl_sock* socket, const std::string& name) {
    const int number = genl_ctrl_resolve(socket, name.c_str());
    if (number == -NLE_OBJ_NOTFOUND)
        return std::nullopt;
    check(number, "cannot look up the family of the module");
    return static_cast<std::uint16_t>(number);
}

} // namespace

void check(int result, const std::string& doing) {
    if (result < 0)
        throw Error("netlink", doing + ": " + nl_geterror(result));
}

Socket connect() {
    Socket socket{nl_socket_alloc()};
    if (!socket)
        throw std::bad_alloc();
    nl_socket_disable_auto_ack(socket.get());
    check(genl_connect(socket.get()), "cannot connect to the kernel");
    return socket;
}

std::optional<Family> resolve_family(nl_sock* socket) {
    // A list of what there is comes first: asked for a family by name, the kernel loads the module
    // that has it, and one that is loaded under its other name is meant rather than that.
    const FamilyList list(socket);
    if (auto loaded = find_family([&](const std::string& name) { return list.number(name); }))
        return loaded;
    return find_family([&](const std::string& name) { return number_by_name(socket, name); });
}

void fail_as_not_loaded() {
    throw Error("module shale", "not loaded into the running kernel",
                "as root, run: modprobe shale");
}

} // namespace shale::netlink
