// SPDX-License-Identifier: GPL-2.0-or-later
#include "replay.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <set>

#include <endian.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::powercut {

namespace {

/// The log's form is told by the kernel's Documentation/admin-guide/device-mapper/log-writes.rst; all numbers are
/// little-endian. The first sector is the Head; then comes an Entry with each a sector of its own, and its data.
struct Head {
    uint64_t magic, version, nr_entries;
    uint32_t sector_size;
};
constexpr uint64_t log_magic = 0x6a736677736872, log_version = 1;

struct Entry {
    uint64_t sector, nr_sectors, flags, data_length;
};
enum : uint64_t { flush = 1, forced = 2, discard = 4, mark = 8 };

struct Logged {
    Entry entry;
    std::string text; ///< of a mark
    uint64_t data;    ///< where it is in the log
};

void read_all_at(int fd, void* data, size_t size, uint64_t offset, const std::string& shown) {
    if (::pread(fd, data, size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size))
        throw Error(shown, "ends too early, or cannot be read");
}

class Log {
public:
    explicit Log(const std::string& path) : path_(path), fd_(open_at(AT_FDCWD, path, O_RDONLY)) {
        Head head{};
        read_all_at(fd_.get(), &head, sizeof head, 0, path);
        sector_size_ = le32toh(head.sector_size);
        if (le64toh(head.magic) != log_magic || le64toh(head.version) != log_version || sector_size_ < 512)
            throw Error(path, "is no log of dm-log-writes");
        uint64_t at = sector_size_;
        for (uint64_t i = 0; i < le64toh(head.nr_entries); ++i)
            at = read_entry(at);
    }

    const std::vector<Logged>& entries() const { return entries_; }

    void apply(const Logged& logged, int image) const {
        if (logged.entry.flags & mark || !logged.entry.nr_sectors)
            return;
        if (logged.entry.flags & discard)
            throw Error(path_, "a discard, which is not known here");
        std::vector<char> data(logged.entry.nr_sectors * sector_size_);
        read_all_at(fd_.get(), data.data(), data.size(), logged.data, path_);
        write_all_at(image, data.data(), data.size(), logged.entry.sector * sector_size_, "the image");
    }

private:
    /// Returns where the next one is.
    uint64_t read_entry(uint64_t at) {
        std::vector<char> sector(sector_size_);
        read_all_at(fd_.get(), sector.data(), sector.size(), at, path_);
        Logged logged{};
        std::copy_n(sector.data(), sizeof logged.entry, reinterpret_cast<char*>(&logged.entry));
        Entry& entry = logged.entry;
        for (uint64_t* number : {&entry.sector, &entry.nr_sectors, &entry.flags, &entry.data_length})
            *number = le64toh(*number);
        if (logged.entry.flags & mark)
            logged.text.assign(sector.data() + sizeof logged.entry,
                               std::min<uint64_t>(logged.entry.data_length, sector_size_ - sizeof logged.entry));
        logged.data = at + sector_size_;
        entries_.push_back(logged);
        return logged.data + (logged.entry.flags & discard ? 0 : logged.entry.nr_sectors * sector_size_);
    }

    std::string path_;
    UniqueFd fd_;
    uint64_t sector_size_;
    std::vector<Logged> entries_;
};

bool is_flush(const Logged& logged) {
    return logged.entry.flags & flush;
}

/// The device makes one of its own in the end.
bool is_promise(const Logged& logged) {
    return logged.entry.flags & mark && logged.text.find(':') != logged.text.npos;
}

/// Up to @p count entries of a kind, spread evenly, and the last one among them.
std::set<size_t> stops(const std::vector<Logged>& entries, bool (*is_one)(const Logged&), size_t count) {
    std::vector<size_t> all;
    for (size_t i = 0; i < entries.size(); ++i)
        if (is_one(entries[i]))
            all.push_back(i);
    count = std::min(count, all.size());
    std::set<size_t> chosen;
    for (size_t i = 1; i <= count; ++i)
        chosen.insert(all[all.size() * i / count - 1]);
    return chosen;
}

/// A promise is "HAND:NUMBER", maybe with a NUL at its end.
std::string journal_line(const std::string& text) {
    std::string line = text.substr(0, text.find('\0'));
    std::replace(line.begin(), line.end(), ':', ' ');
    return line + "\n";
}

bool run(std::vector<std::string> command) {
    std::vector<char*> arguments;
    for (std::string& word : command)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    int status = 0;
    if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
        throw Error(command[0], "cannot be run");
    if (waitpid(child, &status, 0) < 0)
        throw Error::from_errno(command[0], errno);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

bool replay(const std::string& log_path, const std::string& image_path, unsigned count, const std::string& journal_path,
            const std::vector<std::string>& command) {
    const Log log(log_path);
    const UniqueFd image = open_at(AT_FDCWD, image_path, O_WRONLY);
    const std::set<size_t> marks = stops(log.entries(), is_promise, count),
                          flushes = stops(log.entries(), is_flush, count);
    std::string journal;
    unsigned nr_flushes = 0, nr_marks = 0;
    bool good = true;

    for (size_t i = 0; i < log.entries().size(); ++i) {
        const Logged& logged = log.entries()[i];
        log.apply(logged, image.get());
        nr_flushes += is_flush(logged);
        if (is_promise(logged)) {
            journal += journal_line(logged.text);
            ++nr_marks;
        }
        if (!marks.contains(i) && !flushes.contains(i))
            continue;
        std::ofstream(journal_path) << journal;
        std::vector<std::string> words = command;
        words.push_back(marks.contains(i) ? "mark" : "flush");
        words.push_back(std::to_string(i));
        good &= run(words);
    }
    if (marks.size() < count)
        throw Error(log_path, "has no more than " + std::to_string(marks.size()) + " marks");
    std::printf("%zu entries with %u flushes and %u marks; stopped at %zu marks and %zu flushes\n",
                log.entries().size(), nr_flushes, nr_marks, marks.size(), flushes.size());
    return good;
}

} // namespace shale::powercut
