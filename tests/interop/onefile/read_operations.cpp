// SPDX-License-Identifier: GPL-2.0-or-later
//
// All that reads, or changes nothing.
#include <algorithm>
#include <vector>

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "buffer.hpp"
#include "operation.hpp"
#include "pipe.hpp"
#include "tolerance.hpp"

namespace shale::onefile {

namespace {

using Wish = Session::Wish;
using Range = Session::Range;

/// What a read of a file may give at most.
size_t expected(const Subject& subject, const Range& range) {
    return subject.content.read(range.at, range.length).size();
}

/// Buffers for both, and the check of what came into them.
struct Pair {
    explicit Pair(const Range& range)
        : ours(range.length, range.shift), theirs(range.length, range.shift) {}
    Buffer ours, theirs;

    void check(const Session& session, const Subject& subject, off_t at, long count) const {
        if (count > 0)
            session.check_read(subject, at, ours.view(static_cast<size_t>(count)),
                               theirs.view(static_cast<size_t>(count)));
    }
    /// That nothing is missing, either.
    void check_all(const Session& session, const Subject& subject, const Range& range,
                   long count) const {
        check(session, subject, range.at, count);
        if (count >= 0 && static_cast<size_t>(count) != expected(subject, range))
            throw Difference("too little was read");
    }
};

void say(Session& session, const Handle& handle, const Range& range) {
    session.journal.say("%u %s %lld+%zu", handle.subject, flags_text(handle.flags).c_str(),
                        static_cast<long long>(range.at), range.length);
}

bool read_at(Session& session) {
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    const Range range = session.pick_range(*handle);
    const Pair pair(range);
    say(session, *handle, range);
    const long ours = answer(pread(handle->file.get(), pair.ours.data(), range.length, range.at));
    const long count = session.agreed(
        ours, answer(pread(handle->twin.get(), pair.theirs.data(), range.length, range.at)));
    pair.check_all(session, session.subject_of(*handle), range, count);
    return true;
}

/// From and to the position.
bool read_on(Session& session) {
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    Range range = session.pick_range(*handle);
    if (session.dice.chance(50)) {
        session.both(*handle, [&](int fd) { return lseek(fd, range.at, SEEK_SET); });
        handle->position = range.at;
    }
    range.at = handle->position;
    const Pair pair(range);
    say(session, *handle, range);
    const long ours = answer(read(handle->file.get(), pair.ours.data(), range.length));
    const long count =
        session.agreed(ours, answer(read(handle->twin.get(), pair.theirs.data(), range.length)));
    pair.check_all(session, session.subject_of(*handle), range, count);
    handle->position += std::max(count, 0L);
    if (session.both(*handle, [](int fd) { return lseek(fd, 0, SEEK_CUR); }) != handle->position)
        throw Difference("the position is another one");
    return true;
}

/// In two pieces, with flags.
bool read_vector(Session& session) {
    static constexpr int all_flags[] = {0, 0, RWF_HIPRI, RWF_DSYNC, 0x10000};
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    const Range range = session.pick_range(*handle);
    const int flags = session.dice.one_of(all_flags);
    const size_t first = handle->direct()
                             ? range.length / 2 / Buffer::page * Buffer::page
                             : session.dice.pick(static_cast<unsigned>(range.length) + 1);
    const Pair pair(range);
    const auto call = [&](int fd, const Buffer& buffer) {
        const iovec pieces[] = {{buffer.data(), first},
                                {buffer.data() + first, range.length - first}};
        return preadv2(fd, pieces, 2, range.at, flags);
    };
    say(session, *handle, range);
    session.journal.say("flags 0x%x", static_cast<unsigned>(flags));
    const long ours = answer(call(handle->file.get(), pair.ours));
    const long count = session.agreed(ours, answer(call(handle->twin.get(), pair.theirs)));
    pair.check_all(session, session.subject_of(*handle), range, count);
    return true;
}

/// What comes without waiting depends on what is cached, but it has to be right.
bool read_without_waiting(Session& session) {
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    const Range range = session.pick_range(*handle);
    const Pair pair(range);
    const auto call = [&](int fd, const Buffer& buffer) {
        const iovec piece{buffer.data(), range.length};
        return answer(preadv2(fd, &piece, 1, range.at, RWF_NOWAIT));
    };
    say(session, *handle, range);
    const long ours = call(handle->file.get(), pair.ours);
    const long theirs = call(handle->twin.get(), pair.theirs);
    session.journal.answer(ours);
    check_nowait(ours, theirs);
    const Content& content = session.subject_of(*handle).content;
    if (ours > 0) {
        const std::string difference =
            content.difference(range.at, pair.ours.view(static_cast<size_t>(ours)));
        if (!difference.empty())
            throw Difference("the file: " + difference);
    }
    return true;
}

/// Several at once.
template <class Run> bool read_by(Session& session, Run run) {
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    const unsigned number = 1 + session.dice.pick(4);
    std::vector<Range> ranges;
    std::vector<Pair> pairs;
    std::vector<Request> ours, theirs;
    for (unsigned i = 0; i < number; ++i) {
        const Range range = ranges.emplace_back(session.pick_range(*handle));
        const Pair& pair = pairs.emplace_back(range);
        ours.push_back({handle->file.get(), false, pair.ours.data(), range.length, range.at});
        theirs.push_back({handle->twin.get(), false, pair.theirs.data(), range.length, range.at});
        say(session, *handle, range);
    }
    run(ours);
    run(theirs);
    for (unsigned i = 0; i < number; ++i) {
        const long count = session.agreed(ours[i].result, theirs[i].result);
        pairs[i].check_all(session, session.subject_of(*handle), ranges[i], count);
    }
    return true;
}

bool read_aio(Session& session) {
    return read_by(session, [&](auto& requests) { session.aio.run(requests); });
}

bool read_uring(Session& session) {
    const unsigned char flags = session.dice.chance(30) ? IOSQE_ASYNC : 0;
    return session.uring &&
           read_by(session, [&](auto& requests) { session.uring->run(requests, flags); });
}

/// Through a pipe, by splice(2) or sendfile(2).
bool read_spliced(Session& session) {
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    const Range range = session.pick_range(*handle);
    const bool by_sendfile = session.dice.chance(40);
    const Pair pair(range);
    const auto call = [&](int fd, const Buffer& buffer) -> long {
        const Pipe pipe;
        off_t at = range.at;
        const long count =
            answer(by_sendfile ? sendfile(pipe.in(), fd, &at, std::min(range.length, Pipe::room))
                               : splice(fd, &at, pipe.in(), nullptr, range.length, 0));
        if (count > 0 &&
            (read(pipe.out(), buffer.data(), buffer.size()) != count || at != range.at + count))
            throw Difference("another length is in the pipe");
        return count;
    };
    say(session, *handle, range);
    session.journal.say(by_sendfile ? "sendfile" : "splice");
    const long ours = call(handle->file.get(), pair.ours);
    const long count = session.agreed(ours, call(handle->twin.get(), pair.theirs));
    pair.check(session, session.subject_of(*handle), range.at, count);
    if (count == 0 && expected(session.subject_of(*handle), range) > 0)
        throw Difference("nothing was read");
    return true;
}

bool read_all(Session& session) {
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    session.journal.say("%u %s", handle->subject, flags_text(handle->flags).c_str());
    session.check_content(*handle);
    return true;
}

bool seek(Session& session) {
    static constexpr int ways[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    Handle* const handle = session.pick_handle(Wish::any);
    if (!handle)
        return false;
    const int whence = session.dice.one_of(ways);
    const off_t offset = session.pick_offset(session.subject_of(*handle)) - session.dice.pick(5000);
    session.journal.say("%u whence %d %lld", handle->subject, whence,
                        static_cast<long long>(offset));
    const long result = session.both(*handle, [&](int fd) { return lseek(fd, offset, whence); });
    if (result >= 0)
        handle->position = result;
    return true;
}

/// Where data and holes are, is the file system's to choose; but all that is not zero is data.
bool seek_data(Session& session) {
    Handle* const handle = session.pick_handle(Wish::any);
    if (!handle)
        return false;
    const Content& content = session.subject_of(*handle).content;
    const bool hole = session.dice.chance(50);
    const off_t at = session.pick_offset(session.subject_of(*handle));
    session.journal.say("%u %s %lld", handle->subject, hole ? "hole" : "data",
                        static_cast<long long>(at));
    for (const UniqueFd* fd : {&handle->file, &handle->twin}) {
        const long found = answer(lseek(fd->get(), at, hole ? SEEK_HOLE : SEEK_DATA));
        session.journal.answer(found);
        lseek(fd->get(), handle->position, SEEK_SET);
        const bool past_end = at >= content.end();
        if (past_end ? found != -ENXIO
            : hole   ? found < at || found > content.end()
                     : found != -ENXIO && found < at)
            throw Difference("there can't be any");
        if (!hole && !past_end && content.has_data(at, found == -ENXIO ? content.end() : found))
            throw Difference("data was left out");
    }
    return true;
}

bool fiemap_covers(const Content& content, const fiemap& map) {
    off_t known = 0;
    for (unsigned i = 0; i < map.fm_mapped_extents; ++i) {
        const fiemap_extent& extent = map.fm_extents[i];
        const auto begin = static_cast<off_t>(extent.fe_logical);
        if (content.has_data(known, std::max(begin, known)))
            return false;
        known = begin + static_cast<off_t>(extent.fe_length);
        if (extent.fe_flags & FIEMAP_EXTENT_LAST)
            break;
    }
    const bool is_complete = map.fm_mapped_extents < map.fm_extent_count;
    return !is_complete || known >= content.end() || !content.has_data(known, content.end());
}

bool map_extents(Session& session) {
    static constexpr unsigned most = 400;
    Handle* const handle = session.pick_handle(Wish::any);
    if (!handle)
        return false;
    session.journal.say("%u", handle->subject);
    std::vector<char> memory(sizeof(fiemap) + most * sizeof(fiemap_extent));
    fiemap& map = *reinterpret_cast<fiemap*>(memory.data());
    session.both(*handle, [&](int fd) {
        map = {};
        map.fm_length = FIEMAP_MAX_OFFSET;
        map.fm_flags = FIEMAP_FLAG_SYNC;
        map.fm_extent_count = most;
        const int result = ioctl(fd, FS_IOC_FIEMAP, &map);
        if (result == 0 && !fiemap_covers(session.subject_of(*handle).content, map))
            throw Difference("data lies in no extent");
        return result;
    });
    return true;
}

bool advise(Session& session) {
    static constexpr int advices[] = {POSIX_FADV_NORMAL,
                                      POSIX_FADV_RANDOM,
                                      POSIX_FADV_SEQUENTIAL,
                                      POSIX_FADV_WILLNEED,
                                      POSIX_FADV_DONTNEED,
                                      POSIX_FADV_NOREUSE,
                                      77};
    Handle* const handle = session.pick_handle(Wish::any);
    if (!handle)
        return false;
    const Range range = session.pick_range(*handle);
    const int advice = session.dice.one_of(advices);
    say(session, *handle, range);
    session.journal.say("advice %d", advice);
    session.both(*handle, [&](int fd) {
        errno = posix_fadvise(fd, range.at, static_cast<off_t>(range.length), advice);
        return errno ? -1 : 0;
    });
    return true;
}

bool read_ahead(Session& session) {
    Handle* const handle = session.pick_handle(Wish::any);
    if (!handle)
        return false;
    const Range range = session.pick_range(*handle);
    say(session, *handle, range);
    session.both(*handle, [&](int fd) { return readahead(fd, range.at, range.length); });
    return true;
}

bool sync(Session& session) {
    Handle* const handle = session.pick_handle(Wish::any);
    if (!handle)
        return false;
    const unsigned way = session.dice.pick(session.uring ? 7 : 6);
    const Range range = session.pick_range(*handle);
    say(session, *handle, range);
    session.journal.say("way %u", way);
    session.both(*handle, [&](int fd) -> long {
        const auto by = [](long result) {
            return result < 0 ? (errno = static_cast<int>(-result), -1) : result;
        };
        switch (way) {
        case 0: return fsync(fd);
        case 1: return fdatasync(fd);
        case 2:
            return sync_file_range(fd, range.at, static_cast<off_t>(range.length),
                                   SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                       SYNC_FILE_RANGE_WAIT_AFTER);
        case 3: return syncfs(fd);
        case 4: return by(session.aio.sync(fd, false));
        case 5: return by(session.aio.sync(fd, true));
        default: {
            io_uring_sqe entry{};
            entry.opcode = IORING_OP_FSYNC;
            entry.fd = fd;
            return by(session.uring->run(entry));
        }
        }
    });
    return true;
}

constexpr Operation table[] = {
    {"pread", 12, Effect::none, read_at},
    {"read", 8, Effect::none, read_on},
    {"preadv2", 6, Effect::none, read_vector},
    {"pread-nowait", 4, Effect::none, read_without_waiting},
    {"aio-read", 5, Effect::none, read_aio},
    {"uring-read", 5, Effect::none, read_uring},
    {"splice-read", 6, Effect::none, read_spliced},
    {"read-all", 6, Effect::none, read_all},
    {"lseek", 3, Effect::none, seek},
    {"seek-data", 5, Effect::none, seek_data},
    {"fiemap", 3, Effect::none, map_extents},
    {"fadvise", 4, Effect::none, advise},
    {"readahead", 2, Effect::none, read_ahead},
    {"sync", 3, Effect::none, sync},
};

} // namespace

std::span<const Operation> read_operations() {
    return table;
}

} // namespace shale::onefile
