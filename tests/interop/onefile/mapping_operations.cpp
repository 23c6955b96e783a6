// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mappings. Nothing beyond the end of a file is touched: reading there would be a signal, and what
// is written behind the end in its last page belongs to nobody.
#include <algorithm>

#include <sys/mman.h>

#include "buffer.hpp"
#include "operation.hpp"
#include "tolerance.hpp"

namespace shale::onefile {

namespace {

using Wish = Session::Wish;
constexpr off_t page = Buffer::page;

/// What of a mapping is in the file.
size_t accessible(const Mapping& mapping, const Content& content) {
    return content.read(mapping.at, mapping.length).size();
}

Mapping* pick_mapping(Session& session, bool writable) {
    if (session.mappings.empty())
        return nullptr;
    const size_t first = session.dice.pick(static_cast<unsigned>(session.mappings.size()));
    for (size_t i = 0; i < session.mappings.size(); ++i) {
        Mapping& mapping = *session.mappings[(first + i) % session.mappings.size()];
        if (!writable || mapping.writable)
            return &mapping;
    }
    return nullptr;
}

void say(Session& session, const Mapping& mapping) {
    session.journal.say("%u %s %lld+%zu", mapping.subject,
                        mapping.writable   ? "writable"
                        : mapping.of_lower ? "of the lower"
                                           : "readable",
                        static_cast<long long>(mapping.at), mapping.length);
}

bool map(Session& session) {
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    Subject& subject = session.subject_of(*handle);
    const off_t at = session.pick_offset(subject) / page * page;
    const size_t length = (session.pick_length() / page + 1) * page;
    auto mapping = std::make_unique<Mapping>(
        handle->subject, at, length, handle->writable() && handle->readable(), !subject.copied);
    const int protection = PROT_READ | (mapping->writable ? PROT_WRITE : 0);
    const int flags = MAP_SHARED | (session.dice.chance(10) ? MAP_POPULATE : 0);
    const auto make = [&](int fd, char*& memory) -> long {
        void* const made = mmap(nullptr, length, protection, flags, fd, at);
        if (made == MAP_FAILED)
            return -errno;
        memory = static_cast<char*>(made);
        return 0;
    };
    say(session, *mapping);
    const long ours = make(handle->file.get(), mapping->file);
    if (session.agreed(ours, make(handle->twin.get(), mapping->twin)) < 0)
        return true;
    if (session.mappings.size() == Session::most_mappings)
        session.mappings.erase(session.mappings.begin() +
                               session.dice.pick(Session::most_mappings));
    session.mappings.push_back(std::move(mapping));
    return true;
}

/// One of the lower's data goes on showing that, which never changes.
bool read_mapped(Session& session) {
    const Mapping* const mapping = pick_mapping(session, false);
    if (!mapping)
        return false;
    const Subject& subject = session.subjects[mapping->subject];
    say(session, *mapping);
    if (mapping->of_lower && subject.copied) {
        const size_t size = accessible(*mapping, subject.original);
        const std::string difference =
            subject.original.difference(mapping->at, {mapping->file, size});
        if (!difference.empty())
            throw Difference("the old mapping: " + difference);
    } else {
        const size_t size = accessible(*mapping, subject.content);
        session.check_read(subject, mapping->at, {mapping->file, size}, {mapping->twin, size});
    }
    return true;
}

bool write_mapped(Session& session) {
    const Mapping* const mapping = pick_mapping(session, true);
    if (!mapping)
        return false;
    Subject& subject = session.subjects[mapping->subject];
    const size_t room = accessible(*mapping, subject.content);
    if (room == 0)
        return false;
    const size_t from = session.dice.pick(static_cast<unsigned>(room));
    const std::string data = session.pick_data(std::min(session.pick_length(), room - from));
    say(session, *mapping);
    session.journal.say("at %zu+%zu", from, data.size());
    for (char* memory : {mapping->file, mapping->twin})
        std::copy(data.begin(), data.end(), memory + from);
    session.expect(subject, [&](Content& content) {
        content.write(mapping->at + static_cast<off_t>(from), data);
    });
    return true;
}

bool sync_mapped(Session& session) {
    static constexpr int ways[] = {MS_SYNC, MS_ASYNC, MS_SYNC | MS_INVALIDATE};
    const Mapping* const mapping = pick_mapping(session, false);
    if (!mapping)
        return false;
    const int way = session.dice.one_of(ways);
    say(session, *mapping);
    const long ours = answer(msync(mapping->file, mapping->length, way));
    session.agreed(ours, answer(msync(mapping->twin, mapping->length, way)));
    return true;
}

bool advise_mapped(Session& session) {
    static constexpr int advices[] = {MADV_DONTNEED, MADV_WILLNEED, MADV_RANDOM, MADV_SEQUENTIAL,
                                      MADV_FREE,     MADV_COLD,     MADV_PAGEOUT};
    const Mapping* const mapping = pick_mapping(session, false);
    if (!mapping)
        return false;
    const int advice = session.dice.one_of(advices);
    say(session, *mapping);
    session.journal.say("advice %d", advice);
    const long ours = answer(madvise(mapping->file, mapping->length, advice));
    session.agreed(ours, answer(madvise(mapping->twin, mapping->length, advice)));
    return true;
}

/// Shows the file, and what is written there stays there.
bool map_privately(Session& session) {
    Handle* const handle = session.pick_handle(Wish::readable);
    if (!handle)
        return false;
    const Subject& subject = session.subject_of(*handle);
    const off_t at = session.pick_offset(subject) / page * page;
    Mapping mapping(handle->subject, at, (session.pick_length() / page + 1) * page, true,
                    !subject.copied);
    say(session, mapping);
    const auto make = [&](int fd, char*& memory) -> long {
        void* const made =
            mmap(nullptr, mapping.length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, at);
        if (made == MAP_FAILED)
            return -errno;
        memory = static_cast<char*>(made);
        return 0;
    };
    const long ours = make(handle->file.get(), mapping.file);
    if (session.agreed(ours, make(handle->twin.get(), mapping.twin)) < 0)
        return true;
    const size_t size = accessible(mapping, subject.content);
    session.check_read(subject, at, {mapping.file, size}, {mapping.twin, size});
    for (char* memory : {mapping.file, mapping.twin})
        for (size_t i = 0; i < size; i += 9000)
            memory[i] = static_cast<char>(memory[i] + 1);
    session.check_content(*handle);
    return true;
}

bool unmap(Session& session) {
    if (session.mappings.empty())
        return false;
    const unsigned number = session.dice.pick(static_cast<unsigned>(session.mappings.size()));
    say(session, *session.mappings[number]);
    session.mappings.erase(session.mappings.begin() + number);
    return true;
}

constexpr Operation table[] = {
    {"mmap", 8, Effect::none, map},
    {"map-read", 12, Effect::none, read_mapped},
    {"map-write", 12, Effect::content, write_mapped},
    {"msync", 4, Effect::none, sync_mapped},
    {"madvise", 3, Effect::none, advise_mapped},
    {"map-private", 4, Effect::none, map_privately},
    {"munmap", 3, Effect::none, unmap},
};

} // namespace

std::span<const Operation> mapping_operations() {
    return table;
}

} // namespace shale::onefile
