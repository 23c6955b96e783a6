// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/client.hpp"

#include <linux/shale.h>
#include <netlink/errno.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "netlink/attributes.hpp"
#include "netlink/refused.hpp"

namespace shale::netlink {

namespace {

/// Room for a request of SHALE_MAX_LOWER layers and its bookkeeping in the kernel.
constexpr int send_buffer = 256 * 1024;
/// Room for what a list sends ahead of its reader.
constexpr int receive_buffer = 1024 * 1024;

/// How often a list is asked for again because mounts came and went meanwhile.
constexpr int attempts = 8;

/// What a refusal to tell about mounts means to a person.
Error untold(const Refused& refused) {
    std::string way_out;
    if (refused.error() == EPERM)
        way_out = "only root may ask: run it with sudo";
    return {"mounts", refused.what(), way_out};
}

Error of_other_version(const std::string& reason) {
    return {"netlink", reason,
            "the tools and the module are of different versions: install matching ones"};
}

void enable(nl_sock* socket, int option) {
    const int on = 1;
    if (setsockopt(nl_socket_get_fd(socket), SOL_NETLINK, option, &on, sizeof(on)) < 0)
        throw Error::from_errno("netlink", errno);
}

} // namespace

Client Client::open() {
    if (auto client = open_if_loaded())
        return *std::move(client);
    fail_as_not_loaded();
}

std::optional<Client> Client::open_if_loaded() {
    Socket socket = connect();
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
                throw Error("netlink", "the kernel closed the connection");
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
        throw of_other_version("the kernel accepted the stack but gave no descriptor of it");
    return pending;
}

template <typename Assembler>
auto Client::list(const std::function<Message()>& request, const std::function<Assembler()>& start) {
    for (int attempt = 0;; ++attempt) {
        Assembler assembler = start();
        bool interrupted = false;
        try {
            interrupted = exchange(request(), [&](const nlmsghdr* m) { assembler.add(m); });
        } catch (const Refused& refused) {
            throw untold(refused);
        }
        if (!interrupted || attempt == attempts)
            return std::move(assembler).finish();
    }
}

std::vector<MountRecord> Client::mounts() {
    return list<MountAssembler>([this] { return encode_get_all(family_.number); },
                                [this] { return MountAssembler(file_system()); });
}

MountRecord Client::mount_of(int fd) {
    auto found = list<MountAssembler>([&] { return encode_get_by_fd(family_.number, fd); },
                                      [this] { return MountAssembler(file_system()); });
    if (found.size() != 1)
        throw of_other_version("the kernel described " + std::to_string(found.size()) +
                               " mounts instead of one");
    return std::move(found.front());
}

std::vector<CountersRecord> Client::counters() {
    return list<CountersAssembler>([this] { return encode_counters_of_all(family_.number); },
                                   [] { return CountersAssembler(); });
}

CountersRecord Client::counters_of(std::uint64_t id) {
    auto found = list<CountersAssembler>([&] { return encode_counters_by_id(family_.number, id); },
                                         [] { return CountersAssembler(); });
    if (found.size() != 1)
        throw of_other_version("the kernel counted for " + std::to_string(found.size()) +
                               " mounts instead of one");
    return std::move(found.front());
}

ObjectRecord Client::query(int fd) {
    std::optional<ObjectRecord> object;
    exchange(encode_query(family_.number, fd),
             [&](const nlmsghdr* message) { object = decode_object(message); });
    if (!object)
        throw of_other_version("the kernel has no answer to where an object lies");
    return *std::move(object);
}

std::vector<LayerUse> Client::in_use(int fd) {
    std::vector<LayerUse> uses;
    exchange(encode_in_use(family_.number, fd),
             [&](const nlmsghdr* message) { uses.push_back(decode_layer_use(message)); });
    return uses;
}

void Client::set(std::uint64_t id, const Changes& changes) {
    exchange(encode_set(family_.number, id, changes), [](const nlmsghdr*) {});
}

UniqueFd Client::quiesce(std::uint64_t id, std::optional<std::uint32_t> timeout) {
    UniqueFd hold;
    std::optional<std::string> path;
    try {
        exchange(encode_quiesce(family_.number, id, timeout), [&](const nlmsghdr* message) {
            for_each_attribute(message, [&](const nlattr* attribute) {
                if (nla_type(attribute) == SHALE_A_QUIESCE_HOLD)
                    hold = UniqueFd(static_cast<int>(u32(attribute)));
                else if (nla_type(attribute) == SHALE_A_QUIESCE_PATH)
                    path = text(attribute);
            });
        });
    } catch (Refused& refused) {
        refused.path = std::move(path);
        throw;
    }
    if (!hold)
        throw of_other_version("the kernel holds the writable layer but gave no descriptor of that");
    return hold;
}

} // namespace shale::netlink
