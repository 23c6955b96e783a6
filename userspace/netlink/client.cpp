// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/client.hpp"

#include <linux/shale.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
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

} // namespace

Client Client::open() {
    Socket socket{nl_socket_alloc()};
    if (!socket)
        throw std::bad_alloc();
    nl_socket_disable_auto_ack(socket.get());
    check(genl_connect(socket.get()), "cannot connect to the kernel");

    const int family = genl_ctrl_resolve(socket.get(), SHALE_FAMILY_NAME);
    if (family == -NLE_OBJ_NOTFOUND)
        throw Error("module shale", "not loaded into the running kernel",
                    "as root, run: modprobe shale");
    check(family, "cannot look up the family shale");

    check(nl_socket_set_buffer_size(socket.get(), receive_buffer, send_buffer),
          "cannot enlarge the buffers");
    nl_socket_enable_msg_peek(socket.get());
    enable(socket.get(), NETLINK_EXT_ACK);
    enable(socket.get(), NETLINK_CAP_ACK);
    return {std::move(socket), static_cast<std::uint16_t>(family)};
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
    exchange(encode_new(family_, stack), [&pending](const nlmsghdr* message) {
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
        MountAssembler assembler;
        bool interrupted = false;
        try {
            interrupted =
                exchange(encode_get_all(family_), [&](const nlmsghdr* m) { assembler.add(m); });
        } catch (const Refused& refused) {
            throw untold(refused);
        }
        if (!interrupted || attempt == attempts)
            return std::move(assembler).finish();
    }
}

MountRecord Client::mount_of(int fd) {
    MountAssembler assembler;
    try {
        exchange(encode_get_by_fd(family_, fd), [&](const nlmsghdr* m) { assembler.add(m); });
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
