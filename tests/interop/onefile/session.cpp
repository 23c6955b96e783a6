// SPDX-License-Identifier: GPL-2.0-or-later
#include "session.hpp"

#include <algorithm>
#include <cstdio>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/xattr.hpp"
#include "buffer.hpp"
#include "ondisk/marks.hpp"

namespace shale::onefile {

namespace {

constexpr const char* option_sets[] = {"metacopy=on,index=off", "metacopy=on,index=on",
                                       "metacopy=off,index=off", "metacopy=off,index=on"};

std::string mark_name(ondisk::Mark mark) {
    return ondisk::xattr_name(ondisk::Prefix::trusted, mark);
}

/// Reads all of a file, and says how it differs.
std::string difference_at(const std::string& path, const Content& content) {
    const UniqueFd fd = open_at(AT_FDCWD, path, O_RDONLY);
    const Buffer buffer(content.size() + 1);
    const size_t size = read_some(fd.get(), buffer.data(), buffer.size(), path);
    if (size < content.size())
        return "it ends at " + std::to_string(size);
    return content.difference(0, buffer.view(size));
}

void require(const std::string& what, const std::string& difference) {
    if (!difference.empty())
        throw Difference(what + ": " + difference);
}

} // namespace

Mapping::~Mapping() {
    for (char* memory : {file, twin})
        if (memory)
            munmap(memory, length);
}

Session::Session(unsigned seed, const Setting& setting, bool is_direct, Journal& its_journal,
                 Aio& its_aio, Uring* its_uring)
    : dice(seed), direct(is_direct), journal(its_journal), aio(its_aio), uring(its_uring),
      stack(setting) {
    static constexpr off_t limits[] = {16 << 10, 70000, 70000, 70000, 200000, 200000};
    limit = dice.chance(2) ? 9 << 20 : dice.chance(8) ? 1 << 20 : dice.one_of(limits);
    mount_options_ = std::string("redirect_dir=on,") + dice.one_of(option_sets);
    data_only_ = !copies_data_with_attributes() && dice.chance(15);
    for (unsigned number = 0; number < subject_count; ++number)
        make_subject(number);
    stack.mount(mount_options_, data_only_);
    journal.begin("mount");
    journal.say("%s%s, %lld and %lld bytes", mount_options_.c_str(),
                data_only_ ? ", data-only" : "", static_cast<long long>(subjects[0].content.end()),
                static_cast<long long>(subjects[1].content.end()));
    journal.end();
}

/// In the lower or, sometimes, in the upper, with holes; and the same beside the mount.
void Session::make_subject(unsigned number) {
    Subject& subject = subjects[number];
    const std::string name(1, static_cast<char>('a' + number));
    const bool in_lower = data_only_ || dice.chance(85);
    const std::string place = (!in_lower    ? stack.upper()
                               : data_only_ ? stack.data()
                                            : stack.lower()) +
                              "/" + name;
    subject.names = {name};
    subject.copied = !in_lower;
    const UniqueFd file = open_at(AT_FDCWD, place, O_RDWR | O_CREAT | O_EXCL, 0644);
    const UniqueFd twin = open_at(AT_FDCWD, twin_path(subject), O_RDWR | O_CREAT | O_EXCL, 0644);
    fill_subject(subject, file, twin, place);
    if (in_lower && data_only_)
        make_data_only(subject);
    else if (in_lower && dice.chance(25)) {
        /* Only with the index are they one file for good. */
        const bool indexed = mount_options_.find("index=on") != std::string::npos;
        subject.links_count = indexed;
        if (link(place.c_str(), (place + "2").c_str()) != 0 ||
            link(twin_path(subject).c_str(), (twin_path(subject) + "2").c_str()) != 0)
            throw Error::from_errno(place, errno);
        if (indexed)
            subject.names.push_back(name + "2");
    }
}

/// What comes of a copy-up shares its blocks with the lower file where it can, and so does the
/// twin: XFS is less strict about direct I/O to such files.
void Session::fill_subject(Subject& subject, const UniqueFd& file, const UniqueFd& twin,
                           const std::string& place) {
    const auto write_all = [&](const UniqueFd& fd, const std::string& data, off_t at) {
        write_all_at(fd.get(), data.data(), data.size(), static_cast<uint64_t>(at), place);
    };
    for (unsigned pieces = dice.pick(6); pieces > 0; --pieces) {
        const std::string data = pick_data(std::min<size_t>(pick_length() * 2, limit / 2));
        const off_t at = dice.pick(static_cast<unsigned>(limit / 2));
        write_all(file, data, at);
        write_all(twin, data, at);
        subject.content.write(at, data);
    }
    if (dice.chance(60)) {
        const off_t size = dice.pick(static_cast<unsigned>(limit));
        if (ftruncate(file.get(), size) != 0 || ftruncate(twin.get(), size) != 0)
            throw Error::from_errno(place, errno);
        subject.content.resize(size);
    }
    subject.original = subject.content;
    if (!subject.copied && ioctl(twin.get(), FICLONE, file.get()) != 0 && errno != EXDEV &&
        errno != EOPNOTSUPP)
        throw Error::from_errno("clone of " + place, errno);
}

/// What stands in the lower layer for a file in the data-only one.
void Session::make_data_only(const Subject& subject) const {
    const std::string place = stack.lower() + "/" + subject.names[0];
    const UniqueFd fd = open_at(AT_FDCWD, place, O_RDWR | O_CREAT | O_EXCL, 0644);
    const XattrTarget target(fd.get());
    if (ftruncate(fd.get(), subject.content.end()) != 0 ||
        target.set(mark_name(ondisk::Mark::metacopy), "") != 0 ||
        target.set(mark_name(ondisk::Mark::redirect), "/" + subject.names[0]) != 0)
        throw Error::from_errno(place, errno);
}

bool Session::copies_data_with_attributes() const {
    return mount_options_.find("metacopy=off") != std::string::npos;
}

std::string Session::path(const Subject& subject) const {
    return stack.merged() + "/" + subject.names[0];
}

std::string Session::twin_path(const Subject& subject) const {
    return stack.twin() + "/" + subject.names[0];
}

// Choices

off_t Session::pick_offset(const Subject& subject) {
    const auto below = [this](off_t most) {
        return static_cast<off_t>(dice.pick(static_cast<unsigned>(most) + 1));
    };
    constexpr off_t page = Buffer::page;
    const off_t end = subject.content.end();
    off_t at = 0;
    switch (dice.pick(7)) {
    case 0: break;
    case 1: at = below(limit); break;
    case 2: at = end - 3 + below(6); break;
    case 3: at = below(end / page) * page; break;
    case 4: at = below(end / page) * page - 2 + below(4); break;
    default: at = below(end); break;
    }
    return std::clamp<off_t>(at, 0, limit);
}

size_t Session::pick_length() {
    const auto most = static_cast<unsigned>(std::min<off_t>(limit, 128 << 10));
    switch (dice.pick(8)) {
    case 0: return dice.pick(4);
    case 1: return 1 + dice.pick(100);
    case 2: return Buffer::page - 1 + dice.pick(3);
    case 3: return Buffer::page * (1 + dice.pick(8));
    case 4: return 1 + dice.pick(most);
    default: return 1 + dice.pick(most / 4);
    }
}

std::string Session::pick_data(size_t size) {
    if (dice.chance(12))
        return std::string(size, '\0');
    std::string data(size, '\0');
    unsigned long state = 0x9e3779b97f4a7c15UL ^ dice.pick(1U << 31);
    for (char& byte : data) {
        state = state * 6364136223846793005UL + 1442695040888963407UL;
        byte = static_cast<char>(state >> 56);
    }
    return data;
}

Session::Range Session::pick_range(const Handle& handle) {
    Range range{pick_offset(subject_of(handle)), pick_length(), 0};
    if (!handle.direct()) {
        range.shift = dice.chance(20) ? dice.pick(64) : 0;
        return range;
    }
    if (dice.chance(8))
        return range;
    const off_t unit = dice.chance(70) ? Buffer::page : 512;
    range.at = range.at / unit * unit;
    range.length = (range.length + static_cast<size_t>(unit) - 1) / static_cast<size_t>(unit) *
                   static_cast<size_t>(unit);
    range.shift = dice.chance(4) ? dice.pick(8) * 4 : dice.chance(10) ? 512 : 0;
    return range;
}

Handle* Session::pick_handle(Wish wish) {
    if (handles.empty())
        return nullptr;
    if (dice.chance(3))
        return &handles[dice.pick(static_cast<unsigned>(handles.size()))];
    const unsigned first = dice.pick(static_cast<unsigned>(handles.size()));
    for (size_t i = 0; i < handles.size(); ++i) {
        Handle& handle = handles[(first + i) % handles.size()];
        if (wish == Wish::any || (wish == Wish::readable ? handle.readable() : handle.writable()))
            return &handle;
    }
    return nullptr;
}

// Comparing

long Session::agreed(long ours, long theirs) {
    journal.answer(ours);
    if (ours == theirs)
        return ours;
    journal.say("and the twin's");
    journal.answer(theirs);
    throw Difference("the answers differ");
}

void Session::check_read(const Subject& subject, off_t at, std::string_view ours,
                         std::string_view theirs) const {
    require("the file", subject.content.difference(at, ours));
    require("the twin", subject.content.difference(at, theirs));
}

void Session::check_content(const Handle& handle) {
    const Subject& subject = subject_of(handle);
    const size_t size = subject.content.size();
    const size_t room = (size / Buffer::page + 1) * Buffer::page;
    const Buffer ours(room), theirs(room);
    const long count = agreed(answer(pread(handle.file.get(), ours.data(), room, 0)),
                              answer(pread(handle.twin.get(), theirs.data(), room, 0)));
    if (count < 0)
        return; // not open for reading
    if (static_cast<size_t>(count) != size)
        throw Difference("so much was read, but it has " + std::to_string(size));
    check_read(subject, 0, ours.view(size), theirs.view(size));
}

void Session::check_attributes(const Handle& handle) {
    const Subject& subject = subject_of(handle);
    struct stat ours {
    }, theirs{};
    if (fstat(handle.file.get(), &ours) != 0 || fstat(handle.twin.get(), &theirs) != 0)
        throw Difference("fstat fails");
    if (ours.st_size != subject.content.end())
        throw Difference("fstat says " + std::to_string(ours.st_size) + " bytes instead of " +
                         std::to_string(subject.content.size()));
    if (theirs.st_size != ours.st_size)
        throw Difference("the twin has " + std::to_string(theirs.st_size) + " bytes");
    if (ours.st_mode != theirs.st_mode || ours.st_uid != theirs.st_uid)
        throw Difference("fstat says another mode or owner than the twin's");
    if (subject.links_count && ours.st_nlink != theirs.st_nlink)
        throw Difference("fstat says " + std::to_string(ours.st_nlink) + " names instead of " +
                         std::to_string(theirs.st_nlink));
    struct stat named {};
    if (!subject.names.empty() &&
        (stat(path(subject).c_str(), &named) != 0 || named.st_size != ours.st_size))
        throw Difference("stat by name says another size than fstat");
}

void Session::check_everything() {
    for (const Handle& handle : handles) {
        check_attributes(handle);
        if (handle.readable())
            check_content(handle);
    }
    for (const Subject& subject : subjects) {
        if (subject.names.empty())
            continue;
        require("the file by name", difference_at(path(subject), subject.content));
        require("the twin by name", difference_at(twin_path(subject), subject.content));
    }
}

void Session::check_layers() const {
    for (unsigned number = 0; number < subject_count; ++number) {
        const Subject& subject = subjects[number];
        const std::string name(1, static_cast<char>('a' + number));
        const std::string below = (data_only_ ? stack.data() : stack.lower()) + "/" + name;
        if (access(below.c_str(), F_OK) == 0)
            require("the lower layer", difference_at(below, subject.original));
        for (const std::string& its : subject.names) {
            const std::string above = stack.upper() + "/" + its;
            if (access(above.c_str(), F_OK) != 0)
                continue;
            const bool has_data =
                !XattrTarget(AT_FDCWD, above).get(mark_name(ondisk::Mark::metacopy));
            if (has_data)
                require("the upper layer", difference_at(above, subject.content));
            else if (subject.copied)
                throw Difference("the upper layer has no data");
        }
    }
}

// Descriptors

/// By name or, where there is none any more, from another descriptor.
bool Session::open(unsigned number, int flags) {
    Subject& subject = subjects[number];
    std::string ours, theirs;
    if (!subject.names.empty()) {
        ours = path(subject);
        theirs = twin_path(subject);
    }
    for (const Handle& handle : handles)
        if (handle.subject == number && (ours.empty() || dice.chance(5))) {
            ours = "/proc/self/fd/" + std::to_string(handle.file.get());
            theirs = "/proc/self/fd/" + std::to_string(handle.twin.get());
            flags &= ~O_CREAT;
            break;
        }
    if (ours.empty())
        return false;
    Handle handle{number, flags, UniqueFd(::open(ours.c_str(), flags | O_CLOEXEC)), {}};
    const long result = answer(handle.file.get());
    handle.twin.reset(::open(theirs.c_str(), flags | O_CLOEXEC));
    const long twins = answer(handle.twin.get());
    if (agreed(result < 0 ? result : 0, twins < 0 ? twins : 0) < 0)
        return true;
    if (handle.writable())
        subject.copied = true;
    if (flags & O_TRUNC)
        expect(subject, [](Content& content) { content.resize(0); });
    if (handles.size() == most_handles)
        handles.erase(handles.begin() + dice.pick(most_handles));
    handles.push_back(std::move(handle));
    return true;
}

void Session::close_all() {
    mappings.clear();
    handles.clear();
}

void Session::remount() {
    close_all();
    stack.unmount();
    stack.mount(mount_options_, data_only_);
}

void Session::finish() {
    journal.begin("finish");
    check_everything();
    close_all();
    stack.unmount();
    check_layers();
    stack.mount(mount_options_, data_only_);
    check_everything();
    stack.unmount();
    journal.end();
}

} // namespace shale::onefile
