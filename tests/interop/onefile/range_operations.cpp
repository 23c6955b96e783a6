// SPDX-License-Identifier: GPL-2.0-or-later
//
// Ranges of files: allocated, punched, moved, copied and shared.
#include <algorithm>
#include <vector>

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "buffer.hpp"
#include "operation.hpp"
#include "tolerance.hpp"

namespace shale::onefile {

namespace {

using Wish = Session::Wish;

struct Place {
    off_t at, length;
};

/// Mostly in units of blocks, which is what most of these want.
Place pick_place(Session& session, const Subject& subject) {
    Place place{session.pick_offset(subject), static_cast<off_t>(session.pick_length())};
    if (session.dice.chance(75)) {
        constexpr off_t unit = Buffer::page;
        place.at = place.at / unit * unit;
        place.length = std::max(place.length / unit, off_t{1}) * unit;
    }
    return place;
}

/// What it does to the content when it works.
void allocated(Content& content, int mode, Place place) {
    const off_t stop = place.at + place.length;
    if (mode & FALLOC_FL_COLLAPSE_RANGE)
        return content.collapse(place.at, place.length);
    if (mode & FALLOC_FL_INSERT_RANGE)
        return content.insert(place.at, place.length);
    if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        content.zero(place.at, place.length);
    if (!(mode & FALLOC_FL_KEEP_SIZE))
        content.grow(stop);
}

bool allocate(Session& session) {
    static constexpr int modes[] = {0,
                                    FALLOC_FL_KEEP_SIZE,
                                    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                    FALLOC_FL_PUNCH_HOLE,
                                    FALLOC_FL_ZERO_RANGE,
                                    FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
                                    FALLOC_FL_COLLAPSE_RANGE,
                                    FALLOC_FL_COLLAPSE_RANGE,
                                    FALLOC_FL_INSERT_RANGE,
                                    FALLOC_FL_INSERT_RANGE,
                                    FALLOC_FL_UNSHARE_RANGE,
                                    FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE,
                                    FALLOC_FL_INSERT_RANGE | FALLOC_FL_PUNCH_HOLE,
                                    0x4000};
    Handle* const handle = session.pick_handle(Wish::writable);
    if (!handle)
        return false;
    Subject& subject = session.subject_of(*handle);
    const int mode = session.dice.one_of(modes);
    const Place place = pick_place(session, subject);
    if ((mode & FALLOC_FL_INSERT_RANGE) && subject.content.end() > 2 * session.limit)
        return false;
    session.journal.say("%u mode 0x%x %lld+%lld", handle->subject, static_cast<unsigned>(mode),
                        static_cast<long long>(place.at), static_cast<long long>(place.length));
    const bool by_uring = session.uring && session.dice.chance(15);
    const long result = session.both(*handle, [&](int fd) -> long {
        if (!by_uring)
            return fallocate(fd, mode, place.at, place.length);
        io_uring_sqe entry{};
        entry.opcode = IORING_OP_FALLOCATE;
        entry.fd = fd;
        entry.len = static_cast<unsigned>(mode);
        entry.off = static_cast<unsigned long long>(place.at);
        entry.addr = static_cast<unsigned long long>(place.length);
        const long done = session.uring->run(entry);
        return done < 0 ? (errno = static_cast<int>(-done), -1) : done;
    });
    if (result == 0)
        session.expect(subject, [&](Content& content) { allocated(content, mode, place); });
    return true;
}

/// A source and a target, of the same file or of two.
struct Ends {
    Handle *from, *to;
    Place source;
    off_t target;
};

bool pick_ends(Session& session, Ends& ends) {
    ends.from = session.pick_handle(Wish::readable);
    ends.to = session.pick_handle(Wish::writable);
    if (!ends.from || !ends.to)
        return false;
    ends.source = pick_place(session, session.subject_of(*ends.from));
    ends.target = session.pick_offset(session.subject_of(*ends.to));
    if (session.dice.chance(85))
        ends.target = ends.target / Buffer::page * Buffer::page;
    session.journal.say(
        "%u %s %lld+%lld to %u %s %lld", ends.from->subject, flags_text(ends.from->flags).c_str(),
        static_cast<long long>(ends.source.at), static_cast<long long>(ends.source.length),
        ends.to->subject, flags_text(ends.to->flags).c_str(), static_cast<long long>(ends.target));
    return true;
}

/// As on_both_sides(), for what not each base can do. One that can't says so before it looks at the
/// arguments, a mount after it; each refuses, or answers @p nothing. And nothing is shared between
/// file systems.
template <class Call>
long if_supported(Session& session, const Ends& ends, Call call, long nothing = -1) {
    const long ours = answer(call(ends.from->file.get(), ends.to->file.get()));
    if (ours == -EXDEV && session.is_elsewhere(session.subject_of(*ends.from))) {
        session.journal.answer(ours);
        return ours;
    }
    const long theirs = answer(call(ends.from->twin.get(), ends.to->twin.get()));
    return session.agreed(ours,
                          theirs == -EOPNOTSUPP && (ours < 0 || ours == nothing) ? ours : theirs);
}

/// @p call gets both descriptors of a side.
template <class Call> long on_both_sides(Session& session, const Ends& ends, Call call) {
    const long ours = answer(call(ends.from->file.get(), ends.to->file.get()));
    return session.agreed(ours, answer(call(ends.from->twin.get(), ends.to->twin.get())));
}

void copied(Session& session, const Ends& ends, size_t count) {
    const std::string data(session.subject_of(*ends.from).content.read(ends.source.at, count));
    if (data.size() != count)
        throw Difference("more was copied than there is");
    session.expect(session.subject_of(*ends.to),
                   [&](Content& content) { content.write(ends.target, data); });
}

/// Between file systems: how much is copied at once, and whether direct I/O can do it, is not what
/// it is within one (a clone is as short as it wants to be), so that the twin gets by other means
/// what was copied.
long copy_from_elsewhere(Session& session, const Ends& ends) {
    off_t in = ends.source.at, out = ends.target;
    const long count = answer(copy_file_range(ends.from->file.get(), &in, ends.to->file.get(), &out,
                                              static_cast<size_t>(ends.source.length), 0));
    session.journal.answer(count);
    if (count <= 0)
        return count;
    const std::string data(
        session.subject_of(*ends.from).content.read(ends.source.at, static_cast<size_t>(count)));
    const std::string twin = "/proc/self/fd/" + std::to_string(ends.to->twin.get());
    write_all_at(open_at(AT_FDCWD, twin, O_WRONLY).get(), data.data(), data.size(),
                 static_cast<uint64_t>(ends.target), twin);
    return count;
}

bool copy(Session& session) {
    Ends ends;
    if (!pick_ends(session, ends))
        return false;
    if (session.is_elsewhere(session.subject_of(*ends.from))) {
        const long count = copy_from_elsewhere(session, ends);
        if (count > 0)
            copied(session, ends, static_cast<size_t>(count));
        return true;
    }
    const long count = on_both_sides(session, ends, [&](int from, int to) {
        off_t in = ends.source.at, out = ends.target;
        const ssize_t done =
            copy_file_range(from, &in, to, &out, static_cast<size_t>(ends.source.length), 0);
        if (done > 0 && (in != ends.source.at + done || out != ends.target + done))
            throw Difference("the offsets were moved by another length");
        return done;
    });
    if (count > 0)
        copied(session, ends, static_cast<size_t>(count));
    return true;
}

bool clone(Session& session) {
    Ends ends;
    if (!pick_ends(session, ends))
        return false;
    const off_t end = session.subject_of(*ends.from).content.end();
    if (session.dice.chance(25)) // the last block may be a part of one
        ends.source.length = std::max<off_t>(end - ends.source.at, 0);
    session.journal.say("%lld", static_cast<long long>(ends.source.length));
    const long result = if_supported(session, ends, [&](int from, int to) {
        const file_clone_range range{from, static_cast<__u64>(ends.source.at),
                                     static_cast<__u64>(ends.source.length),
                                     static_cast<__u64>(ends.target)};
        return ioctl(to, FICLONERANGE, &range);
    });
    if (result == 0) {
        const off_t length = ends.source.length ? ends.source.length : end - ends.source.at;
        copied(session, ends, static_cast<size_t>(std::max<off_t>(length, 0)));
    }
    return true;
}

bool clone_all(Session& session) {
    Ends ends;
    if (!pick_ends(session, ends))
        return false;
    const long result =
        if_supported(session, ends, [](int from, int to) { return ioctl(to, FICLONE, from); });
    if (result == 0) {
        ends.source.at = ends.target = 0;
        copied(session, ends, session.subject_of(*ends.from).content.size());
    }
    return true;
}

/// Changes no content, so that nothing is expected; and a lower file is left alone.
bool deduplicate(Session& session) {
    Ends ends;
    if (!pick_ends(session, ends))
        return false;
    if (session.dice.chance(40))
        ends.target = ends.source.at;
    if (!session.subject_of(*ends.to).copied)
        return false;
    const long result = if_supported(
        session, ends,
        [&](int from, int to) -> long {
            std::vector<char> memory(sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info));
            auto& range = *reinterpret_cast<file_dedupe_range*>(memory.data());
            range.src_offset = static_cast<__u64>(ends.source.at);
            range.src_length = static_cast<__u64>(ends.source.length);
            range.dest_count = 1;
            range.info[0].dest_fd = to;
            range.info[0].dest_offset = static_cast<__u64>(ends.target);
            if (ioctl(from, FIDEDUPERANGE, &range) != 0)
                return -1;
            if (range.info[0].status < 0) {
                errno = -range.info[0].status;
                return -1;
            }
            return range.info[0].status ? 0 : static_cast<long>(range.info[0].bytes_deduped);
        },
        0);
    session.journal.say(result > 0 ? "the same" : "others");
    return true;
}

constexpr Operation table[] = {
    {"fallocate", 18, Effect::content, allocate}, {"copy_file_range", 9, Effect::content, copy},
    {"clone-range", 6, Effect::content, clone},   {"clone", 1, Effect::content, clone_all},
    {"dedupe", 4, Effect::content, deduplicate},
};

} // namespace

std::span<const Operation> range_operations() {
    return table;
}

} // namespace shale::onefile
