// SPDX-License-Identifier: GPL-2.0-or-later
//
// Descriptors come and go, and so do caches and the mount itself.
#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "operation.hpp"
#include "tolerance.hpp"

namespace shale::onefile {

namespace {

bool open_with(Session& session, int flags) {
    static constexpr int extras[] = {O_NOATIME, O_SYNC, O_DSYNC, O_CREAT, O_CLOEXEC};
    const unsigned number = session.dice.pick(Session::subject_count);
    if (session.direct && session.dice.chance(60))
        flags |= O_DIRECT;
    if (session.dice.chance(20))
        flags |= session.dice.one_of(extras);
    session.journal.say("%u %s", number, flags_text(flags).c_str());
    return session.open(number, flags);
}

bool open_to_read(Session& session) {
    return open_with(session, O_RDONLY);
}

bool open_to_write(Session& session) {
    static constexpr int ways[] = {
        O_RDWR, O_RDWR, O_RDWR, O_WRONLY, O_RDWR | O_APPEND, O_WRONLY | O_APPEND};
    const int flags = session.dice.one_of(ways);
    return open_with(session, flags | (session.dice.chance(6) ? O_TRUNC : 0));
}

bool close_one(Session& session) {
    if (session.handles.size() < 2)
        return false;
    const unsigned number = session.dice.pick(static_cast<unsigned>(session.handles.size()));
    session.journal.say("%u %s", session.handles[number].subject,
                        flags_text(session.handles[number].flags).c_str());
    session.handles.erase(session.handles.begin() + number);
    return true;
}

bool change_flags(Session& session) {
    static constexpr int changeable = O_APPEND | O_DIRECT | O_NOATIME;
    Handle* const handle = session.pick_handle(Session::Wish::any);
    if (!handle)
        return false;
    int flags = handle->flags & ~changeable;
    if (handle->writable() && session.dice.chance(40))
        flags |= O_APPEND;
    if (session.direct && session.dice.chance(50))
        flags |= O_DIRECT;
    session.journal.say("%u %s to %s", handle->subject, flags_text(handle->flags).c_str(),
                        flags_text(flags).c_str());
    if (session.both(*handle, [&](int fd) { return fcntl(fd, F_SETFL, flags & changeable); }) == 0)
        handle->flags = flags;
    return true;
}

bool drop_caches(Session& session) {
    static constexpr const char* ways[] = {"1", "2", "3", "3"};
    const char* const way = session.dice.one_of(ways);
    session.journal.say("%s", way);
    if (session.dice.chance(50))
        sync();
    write_all_at(open_at(AT_FDCWD, "/proc/sys/vm/drop_caches", O_WRONLY).get(), way, 1, 0,
                 "drop_caches");
    return true;
}

/// Nothing would bring back a file that has no name.
bool mount_again(Session& session) {
    if (std::any_of(session.subjects.begin(), session.subjects.end(),
                    [](const Subject& subject) { return subject.names.empty(); }))
        return false;
    session.remount();
    return true;
}

constexpr Operation table[] = {
    {"open-read", 10, Effect::none, open_to_read},
    {"open-write", 14, Effect::content, open_to_write},
    {"close", 7, Effect::none, close_one},
    {"fcntl", 4, Effect::none, change_flags},
    {"drop-caches", 1, Effect::none, drop_caches},
    {"remount", 1, Effect::none, mount_again},
};

} // namespace

std::span<const Operation> open_operations() {
    return table;
}

} // namespace shale::onefile
