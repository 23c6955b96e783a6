// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/event_stream.hpp"

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/error.hpp"

namespace shale::netlink {

namespace {

/// For what is sent while the reader is busy; some 20,000 events. More than the administrator's
/// limit needs CAP_NET_ADMIN, without which the limit has to do.
constexpr int receive_buffer = 16 * 1024 * 1024;

/// An event has two paths at most, of a page each.
constexpr std::size_t largest_datagram = 32 * 1024;

void enlarge_buffer(int fd) {
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof(receive_buffer)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
}

int group_number(nl_sock* socket, const std::string& family, const std::string& group) {
    const int number = genl_ctrl_resolve_grp(socket, family.c_str(), group.c_str());
    if (number == -NLE_OBJ_NOTFOUND)
        throw Error("events", "the module has no group \"" + group + "\"",
                    "the tools and the module are of different versions: install matching ones");
    check(number, "cannot look up the group \"" + group + "\"");
    return number;
}

void join(nl_sock* socket, int group, const std::string& name) {
    const int fd = nl_socket_get_fd(socket);
    if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
        return;
    if (errno == EPERM)
        throw Error::from_errno("events", EPERM, "only root may listen: run it with sudo");
    throw Error::from_errno("group " + name, errno);
}

} // namespace

EventStream EventStream::open(const std::set<std::string>& groups) {
    Socket socket = connect();
    const auto family = resolve_family(socket.get());
    if (!family)
        fail_as_not_loaded();

    // All are looked up before the first is joined: from then on events come between answers.
    std::vector<std::pair<int, std::string>> joined;
    for (const std::string& group : groups)
        joined.emplace_back(group_number(socket.get(), family->name, group), group);
    joined.emplace_back(group_number(socket.get(), "nlctrl", "notify"), "notify");

    enlarge_buffer(nl_socket_get_fd(socket.get()));
    for (const auto& [number, name] : joined)
        join(socket.get(), number, name);
    return {std::move(socket), family->number};
}

int EventStream::fd() const noexcept {
    return nl_socket_get_fd(socket_.get());
}

std::optional<Notice> EventStream::next() {
    for (;;) {
        if (auto notice = reader_.next())
            return notice;
        alignas(nlmsghdr) std::array<char, largest_datagram> buffer;
        sockaddr_nl sender{};
        socklen_t sender_size = sizeof(sender);
        const ssize_t size =
            recvfrom(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC,
                     reinterpret_cast<sockaddr*>(&sender), &sender_size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return std::nullopt;
        if (size < 0 && errno != ENOBUFS)
            throw Error::from_errno("events", errno);
        if (size < 0 || static_cast<std::size_t>(size) > buffer.size())
            reader_.overrun();
        else if (sender.nl_pid == 0)
            reader_.feed(buffer.data(), static_cast<std::size_t>(size));
    }
}

} // namespace shale::netlink
