// SPDX-License-Identifier: LGPL-2.1-or-later
#include "netlink/exchange.hpp"

#include <netlink/msg.h>

#include "netlink/refused.hpp"

namespace shale::netlink {

Exchange::Exchange(std::uint32_t sequence, Handler handler)
    : sequence_(sequence), handler_(std::move(handler)) {}

bool Exchange::feed(const void* datagram, std::size_t size) {
    auto* message = static_cast<nlmsghdr*>(const_cast<void*>(datagram));
    for (auto rest = static_cast<int>(size); nlmsg_ok(message, rest);
         message = nlmsg_next(message, &rest)) {
        if (message->nlmsg_seq != sequence_)
            continue;
        interrupted_ |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
            if (auto refusal = decode_refusal(message))
                throw *std::move(refusal);
            return true;
        }
        if (message->nlmsg_type >= NLMSG_MIN_TYPE)
            handler_(message);
    }
    return false;
}

} // namespace shale::netlink
