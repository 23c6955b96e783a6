// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/client.hpp"

#include <linux/shale.h>
#include <netlink/attr.h>
#include <netlink/cache.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "netlink/refused.hpp"

namespace shale::netlink {

namespace {

/// Room for a request of SHALE_MAX_LOWER layers and its bookkeeping in the kernel.
constexpr int send_buffer = 256 * 1024;
/// Room for what a list sends ahead of its reader.
constexpr int receive_buffer = 1024 * 1024;

/// How often a list is asked for again because mounts came and went meanwhile.
constexpr int attempts = 8;

[[noreturn]] void fail(int error, const char* doing) {
    throw Error("netlink", std::string(doing) + ": " + nl_geterror(error));
}

void check(int result, const char* doing) {
    if (result < 0)
        fail(result, doing);
}

/// What a refusal to tell about mounts means to a person.
Error untold(const Refused& refused) {
    std::string way_out;
    if (refused.error() == EPERM)
        way_out = "only root may ask: run it with sudo";
    return {"mounts", refused.what(), way_out};
}

void enable(nl_sock* socket, int option) {
    const int on = 1;
    if (setsockopt(nl_socket_get_fd(socket), SOL_NETLINK, option, &on, sizeof(on)) < 0)
        throw Error::from_errno("netlink", errno);
}

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

Client Client::open() {
    if (auto client = open_if_loaded())
        return *std::move(client);
    throw Error("module shale", "not loaded into the running kernel",
                "as root, run: modprobe shale");
}

std::optional<Client> Client::open_if_loaded() {
    Socket socket{nl_socket_alloc()};
    if (!socket)
        throw std::bad_alloc();
    nl_socket_disable_auto_ack(socket.get());
    check(genl_connect(socket.get()), "cannot connect to the kernel");

    auto family = resolve_family(socket.get());
    if (!family)
        return std::nullopt;

    check(nl_socket_set_buffer_size(socket.get(), receive_buffer, send_buffer),
          "cannot enlarge the buffers");
    nl_socket_enable_msg_peek(socket.get());
    enable(socket.get(), NETLINK_EXT_ACK);
    enable(socket.get(), NETLINK_CAP_ACK);
    return Client(std::move(socket), *std::move(family));
}

std::optional<Family> Client::resolve_family(nl_sock* socket) {
    // A list of what there is comes first: asked for a family by name, the kernel loads the module
    // that has it, and one that is loaded under its other name is meant rather than that.
    const FamilyList list(socket);
    if (auto loaded = find_family([&](const std::string& name) { return list.number(name); }))
        return loaded;
    return find_family([&](const std::string& name) { return number_by_name(socket, name); });
}

bool Client::exchange(const Message& request, Exchange::Handler handler) {
    nl_complete_msg(socket_.get(), request.get());
    check(nl_send(socket_.get(), request.get()), "cannot send to the kernel");

    Exchange answer(nlmsg_hdr(request.get())->nlmsg_seq, std::move(handler));
    try {
        for (bool complete = false; !complete;) {
            sockaddr_nl sender{};
            unsigned char* bytes = nullptr;
            const int size = nl_recv(socket_.get(), &sender, &bytes, nullptr);
            const std::unique_ptr<unsigned char, decltype(&std::free)> owner{bytes, &std::free};
            if (size == -NLE_INTR)
                continue;
            check(size, "cannot receive from the kernel");
            if (size == 0)
                fail(-NLE_AGAIN, "the kernel closed the connection");
            if (sender.nl_pid == 0)
                complete = answer.feed(bytes, static_cast<std::size_t>(size));
        }
    } catch (Refused& refused) {
        if (refused.offset())
            refused.attribute = attribute_at(request.get(), *refused.offset());
        throw;
    }
    return answer.interrupted();
}

UniqueFd Client::new_stack(const StackDescription& stack) {
    UniqueFd pending;
    exchange(encode_new(family_.number, stack), [&pending](const nlmsghdr* message) {
        auto* const header = const_cast<nlmsghdr*>(message);
        if (const auto* answer = nlmsg_find_attr(header, GENL_HDRLEN, SHALE_A_STACK_STACK);
            answer && nla_len(answer) >= 4)
            pending = UniqueFd(nla_get_s32(const_cast<nlattr*>(answer)));
    });
    if (!pending)
        throw Error("netlink", "the kernel accepted the stack but gave no descriptor of it",
                    "the tools and the module are of different versions: install matching ones");
    return pending;
}

std::vector<MountRecord> Client::mounts() {
    for (int attempt = 0;; ++attempt) {
        MountAssembler assembler(file_system());
        bool interrupted = false;
        try {
            interrupted =
                exchange(encode_get_all(family_.number), [&](const nlmsghdr* m) { assembler.add(m); });
        } catch (const Refused& refused) {
            throw untold(refused);
        }
        if (!interrupted || attempt == attempts)
            return std::move(assembler).finish();
    }
}

MountRecord Client::mount_of(int fd) {
    MountAssembler assembler(file_system());
    try {
        exchange(encode_get_by_fd(family_.number, fd), [&](const nlmsghdr* m) { assembler.add(m); });
    } catch (const Refused& refused) {
        throw untold(refused);
    }
    auto found = std::move(assembler).finish();
    if (found.size() != 1)
        throw Error("netlink",
                    "the kernel described " + std::to_string(found.size()) +
                        " mounts instead of one",
                    "the tools and the module are of different versions: install matching ones");
    return std::move(found.front());
}

} // namespace shale::netlink
