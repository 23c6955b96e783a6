// SPDX-License-Identifier: GPL-2.0-or-later
//
// All that writes bytes through a descriptor, and changes the size.
#include <algorithm>
#include <csignal>
#include <vector>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.hpp"
#include "buffer.hpp"
#include "operation.hpp"
#include "pipe.hpp"
#include "tolerance.hpp"

namespace shale::onefile {

namespace {

using Wish = Session::Wish;
using Range = Session::Range;

/// A write that is about to happen.
struct Plan {
    Handle* handle;
    Subject* subject;
    Range range;
    std::string data;
    bool appends;

    off_t place() const { return appends ? subject->content.end() : range.at; }
};

bool is_too_large(const Session& session, const Subject& subject) {
    return subject.content.end() > 2 * session.limit;
}

/// Where XFS would have to write a part of a sector, it does or it doesn't, depending on whether
/// the file has ever shared a block; and what it appends to a part of a shared block may take the
/// place of that part. It also minds the position of who appends, which Shale does not hand on.
bool is_moody(const Session& session, const Plan& plan) {
    return session.stack.is_on_xfs() && plan.handle->direct() &&
           ((plan.appends && (plan.place() % Buffer::page || plan.range.at % Buffer::page)) ||
            plan.range.shift % 512);
}

/// Nothing, when there is no descriptor to write to.
std::vector<Plan> plan_writes(Session& session, unsigned number, bool appends = false) {
    std::vector<Plan> plans;
    Handle* const handle = session.pick_handle(Wish::writable);
    if (!handle)
        return plans;
    Subject& subject = session.subject_of(*handle);
    appends |= handle->appends();
    if (appends && is_too_large(session, subject))
        return plans;
    session.journal.say("%u %s", handle->subject, flags_text(handle->flags).c_str());
    for (unsigned i = 0; i < number; ++i) {
        const Range range = session.pick_range(*handle);
        plans.push_back({handle, &subject, range, session.pick_data(range.length), appends});
        session.journal.say("%lld+%zu", static_cast<long long>(range.at), range.length);
    }
    if (std::any_of(plans.begin(), plans.end(),
                    [&](const Plan& plan) { return is_moody(session, plan); }))
        plans.clear();
    return plans;
}

void written(Session& session, const Plan& plan, off_t place, long count) {
    if (count > 0)
        session.expect(*plan.subject, [&](Content& content) {
            content.write(place, std::string_view(plan.data).substr(0, static_cast<size_t>(count)));
        });
}

/// @p call writes the plan's data to one of both.
template <class Call> bool write_once(Session& session, const Plan& plan, Call call) {
    const Buffer buffer(plan.data, plan.range.shift);
    const off_t place = plan.place();
    const long count = session.both(*plan.handle, [&](int fd) { return call(fd, buffer); });
    written(session, plan, place, count);
    return true;
}

bool write_at(Session& session) {
    const auto plans = plan_writes(session, 1);
    return !plans.empty() && write_once(session, plans[0], [&](int fd, const Buffer& buffer) {
        return pwrite(fd, buffer.data(), buffer.size(), plans[0].range.at);
    });
}

bool write_on(Session& session) {
    auto plans = plan_writes(session, 1);
    if (plans.empty())
        return false;
    Plan& plan = plans[0];
    if (session.dice.chance(60)) {
        session.both(*plan.handle, [&](int fd) { return lseek(fd, plan.range.at, SEEK_SET); });
        plan.handle->position = plan.range.at;
    }
    if (plan.handle->position > session.limit * 2)
        return false;
    plan.range.at = plan.handle->position;
    if (is_moody(session, plan))
        return false;
    const off_t place = plan.place();
    const Buffer buffer(plan.data, plan.range.shift);
    const long count =
        session.both(*plan.handle, [&](int fd) { return write(fd, buffer.data(), buffer.size()); });
    written(session, plan, place, count);
    plan.handle->position =
        session.both(*plan.handle, [](int fd) { return lseek(fd, 0, SEEK_CUR); });
    if (count > 0 && plan.handle->position != place + count)
        throw Difference("the position is another one");
    return true;
}

bool write_vector(Session& session) {
    static constexpr int all_flags[] = {0,
                                        RWF_DSYNC,
                                        RWF_SYNC,
                                        RWF_APPEND,
                                        RWF_APPEND | RWF_DSYNC,
                                        RWF_HIPRI,
                                        0x20 /* RWF_NOAPPEND */,
                                        0x10000};
    const int flags = session.dice.one_of(all_flags);
    session.journal.say("flags 0x%x", static_cast<unsigned>(flags));
    auto plans = plan_writes(session, 1, flags & RWF_APPEND);
    if (plans.empty())
        return false;
    Plan& plan = plans[0];
    if (flags == 0x20)
        plan.appends = false;
    const size_t first = plan.data.size() / 2 / Buffer::page * Buffer::page;
    return write_once(session, plan, [&](int fd, const Buffer& buffer) {
        const iovec pieces[] = {{buffer.data(), first},
                                {buffer.data() + first, buffer.size() - first}};
        return pwritev2(fd, pieces, 2, plan.range.at, flags);
    });
}

/// What was not written at once, is written then.
bool write_without_waiting(Session& session) {
    const auto plans = plan_writes(session, 1);
    if (plans.empty() || plans[0].appends)
        return false;
    const Plan& plan = plans[0];
    const Buffer buffer(plan.data, plan.range.shift);
    const auto call = [&](int fd) {
        const iovec piece{buffer.data(), buffer.size()};
        return answer(pwritev2(fd, &piece, 1, plan.range.at, RWF_NOWAIT));
    };
    const long ours = call(plan.handle->file.get()), theirs = call(plan.handle->twin.get());
    session.journal.answer(ours);
    check_nowait(ours, theirs);
    if (std::max(ours, theirs) <= 0)
        return true;
    return write_once(session, plan, [&](int fd, const Buffer& all) {
        return pwrite(fd, all.data(), all.size(), plan.range.at);
    });
}

/// Several at once, each to a place of its own.
template <class Run> bool write_by(Session& session, Run run) {
    std::vector<Plan> plans = plan_writes(session, 1 + session.dice.pick(4));
    if (plans.empty())
        return false;
    off_t end = 0;
    std::sort(plans.begin(), plans.end(),
              [](const Plan& a, const Plan& b) { return a.range.at < b.range.at; });
    std::erase_if(plans, [&](const Plan& plan) {
        if (plan.range.at < end)
            return true;
        end = plan.range.at + static_cast<off_t>(plan.range.length);
        return false;
    });
    if (plans[0].appends)
        plans.erase(plans.begin() + 1, plans.end());
    std::vector<Buffer> buffers;
    std::vector<Request> ours, theirs;
    for (const Plan& plan : plans) {
        const Buffer& buffer = buffers.emplace_back(plan.data, plan.range.shift);
        ours.push_back(
            {plan.handle->file.get(), true, buffer.data(), buffer.size(), plan.range.at});
        theirs.push_back(
            {plan.handle->twin.get(), true, buffer.data(), buffer.size(), plan.range.at});
    }
    run(ours);
    run(theirs);
    for (size_t i = 0; i < plans.size(); ++i) {
        const off_t place = plans[i].place();
        written(session, plans[i], place, session.agreed(ours[i].result, theirs[i].result));
    }
    return true;
}

bool write_aio(Session& session) {
    return write_by(session, [&](auto& requests) { session.aio.run(requests); });
}

bool write_uring(Session& session) {
    const unsigned char flags = session.dice.chance(30) ? IOSQE_ASYNC : 0;
    return session.uring &&
           write_by(session, [&](auto& requests) { session.uring->run(requests, flags); });
}

/// From a pipe, at a place.
bool write_spliced(Session& session) {
    const auto plans = plan_writes(session, 1);
    if (plans.empty())
        return false;
    const Plan& plan = plans[0];
    return write_once(session, plan, [&](int fd, const Buffer& buffer) -> long {
        const Pipe pipe;
        const ssize_t filled = write(pipe.in(), buffer.data(), std::min(buffer.size(), Pipe::room));
        off_t at = plan.range.at;
        return splice(pipe.out(), nullptr, fd, &at,
                      static_cast<size_t>(std::max<ssize_t>(filled, 0)), SPLICE_F_NONBLOCK);
    });
}

/// From a file in memory, at the position.
bool write_sent(Session& session) {
    const auto plans = plan_writes(session, 1);
    if (plans.empty())
        return false;
    const Plan& plan = plans[0];
    session.both(*plan.handle, [&](int fd) { return lseek(fd, plan.range.at, SEEK_SET); });
    write_once(session, plan, [&](int fd, const Buffer& buffer) -> long {
        const UniqueFd memory(memfd_create("onefile", MFD_CLOEXEC));
        if (write(memory.get(), buffer.data(), buffer.size()) !=
            static_cast<ssize_t>(buffer.size()))
            throw Error::from_errno("memfd", errno);
        off_t at = 0;
        return sendfile(fd, memory.get(), &at, buffer.size());
    });
    plan.handle->position =
        session.both(*plan.handle, [](int fd) { return lseek(fd, 0, SEEK_CUR); });
    return true;
}

/// With a limit to the size of files, somewhere near.
bool write_limited(Session& session) {
    const auto plans = plan_writes(session, 1);
    if (plans.empty())
        return false;
    const Plan& plan = plans[0];
    const auto allowed = static_cast<rlim_t>(session.pick_offset(*plan.subject));
    session.journal.say("limit %lu", allowed);
    std::signal(SIGXFSZ, SIG_IGN);
    return write_once(session, plan, [&](int fd, const Buffer& buffer) {
        rlimit before{};
        getrlimit(RLIMIT_FSIZE, &before);
        const rlimit now{allowed, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &now);
        const ssize_t count = pwrite(fd, buffer.data(), buffer.size(), plan.range.at);
        const int error = errno;
        setrlimit(RLIMIT_FSIZE, &before);
        errno = error;
        return count;
    });
}

/// With a mapping of the same file as the source: it is faulted in while the file is written.
bool write_from_itself(Session& session) {
    constexpr off_t page = Buffer::page;
    auto plans = plan_writes(session, 1);
    if (plans.empty() || plans[0].handle->direct() || !plans[0].handle->readable())
        return false;
    Plan& plan = plans[0];
    const off_t pages = plan.subject->content.end() / page;
    if (pages < 2)
        return false;
    const off_t from = page * session.dice.pick(static_cast<unsigned>(pages));
    const auto length = std::min<size_t>(plan.data.size(), page);
    const off_t place = plan.place();
    if (place < from + page && from < place + static_cast<off_t>(length))
        return false; // what is written would depend on the order of copying
    plan.data = plan.subject->content.read(from, length);
    session.journal.say("from %lld", static_cast<long long>(from));
    return write_once(session, plan, [&](int fd, const Buffer&) -> long {
        void* const memory = mmap(nullptr, page, PROT_READ, MAP_SHARED, fd, from);
        if (memory == MAP_FAILED)
            return -1;
        const ssize_t count = pwrite(fd, memory, length, plan.range.at);
        const int error = errno;
        munmap(memory, page);
        errno = error;
        return count;
    });
}

/// Where no file can be so large, or arguments are wrong.
bool write_nowhere(Session& session) {
    static constexpr off_t places[] = {-1, -4096, 0x7fffffffffffffff, 0x7ffffffffffff000};
    Handle* const handle = session.pick_handle(Wish::any);
    if (!handle || handle->appends())
        return false;
    const off_t at = session.dice.one_of(places);
    const unsigned way = session.dice.pick(4);
    const Buffer buffer(2 * Buffer::page);
    session.journal.say("%u %s way %u %lld", handle->subject, flags_text(handle->flags).c_str(),
                        way, static_cast<long long>(at));
    const long result = session.both(*handle, [&](int fd) -> long {
        switch (way) {
        case 0: return pwrite(fd, buffer.data(), buffer.size(), at);
        case 1: return pread(fd, buffer.data(), buffer.size(), at);
        case 2: return fallocate(fd, FALLOC_FL_KEEP_SIZE, at, 2 * Buffer::page);
        default: return ftruncate(fd, std::min<off_t>(at, -1));
        }
    });
    if (result > 0)
        throw Difference("that can't be");
    return true;
}

bool change_size(Session& session) {
    Subject& subject = session.pick_subject();
    const off_t size = session.pick_offset(subject);
    session.journal.say("%u %lld", static_cast<unsigned>(&subject - session.subjects.data()),
                        static_cast<long long>(size));
    if (subject.names.empty())
        return false;
    const long result =
        session.both_paths(subject, [&](const char* path) { return truncate(path, size); });
    if (result < 0)
        return true;
    subject.copied = true;
    session.expect(subject, [&](Content& content) { content.resize(size); });
    return true;
}

bool change_size_of_open(Session& session) {
    Handle* const handle = session.pick_handle(Wish::writable);
    if (!handle)
        return false;
    Subject& subject = session.subject_of(*handle);
    const off_t size = session.pick_offset(subject);
    session.journal.say("%u %lld", handle->subject, static_cast<long long>(size));
    if (session.both(*handle, [&](int fd) { return ftruncate(fd, size); }) == 0)
        session.expect(subject, [&](Content& content) { content.resize(size); });
    return true;
}

constexpr Operation table[] = {
    {"pwrite", 14, Effect::content, write_at},
    {"write", 8, Effect::content, write_on},
    {"pwritev2", 8, Effect::content, write_vector},
    {"pwrite-nowait", 4, Effect::content, write_without_waiting},
    {"aio-write", 6, Effect::content, write_aio},
    {"uring-write", 6, Effect::content, write_uring},
    {"splice-write", 6, Effect::content, write_spliced},
    {"sendfile", 4, Effect::content, write_sent},
    {"limited-write", 2, Effect::content, write_limited},
    {"write-from-map", 3, Effect::content, write_from_itself},
    {"extremes", 2, Effect::content, write_nowhere},
    {"truncate", 5, Effect::content, change_size},
    {"ftruncate", 5, Effect::content, change_size_of_open},
};

} // namespace

std::span<const Operation> write_operations() {
    return table;
}

} // namespace shale::onefile
