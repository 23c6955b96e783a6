// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/types.h>

#include "base/dice.hpp"
#include "base/fd.hpp"
#include "content.hpp"
#include "engines.hpp"
#include "journal.hpp"
#include "stack.hpp"

namespace shale::onefile {

/// What was found.
struct Difference : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A file in the mount, and its twin of the same name beside the mount.
struct Subject {
    std::vector<std::string> names; ///< none when it was removed
    Content content;                ///< what both have to hold
    Content original;               ///< what the lower layer holds
    bool copied = false;            ///< whether the upper has its data, as far as can be told
    bool links_count = true;        ///< whether its names are counted as those of the twin
};

/// The two of them, open in the same way.
struct Handle {
    unsigned subject;
    int flags;
    UniqueFd file, twin;
    off_t position = 0;

    bool readable() const { return (flags & O_ACCMODE) != O_WRONLY; }
    bool writable() const { return (flags & O_ACCMODE) != O_RDONLY; }
    bool direct() const { return flags & O_DIRECT; }
    bool appends() const { return flags & O_APPEND; }
};

/// A shared mapping of each.
struct Mapping {
    Mapping(unsigned of, off_t from, size_t size, bool is_writable, bool is_of_lower)
        : subject(of), at(from), length(size), writable(is_writable), of_lower(is_of_lower) {}
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    unsigned subject;
    off_t at;
    size_t length;
    bool writable;
    bool of_lower; ///< made before the data was copied up
    char *file = nullptr, *twin = nullptr;
};

/// How far an operation may go.
enum class Effect { none, attributes, content };

/// Both answers of a system call: its value, or an errno as a negative number.
inline long answer(long value) {
    return value < 0 ? -errno : value;
}

/// What lives through one random sequence: the mount, its files, and all that has them open.
class Session {
public:
    static constexpr unsigned subject_count = 2;
    static constexpr size_t most_handles = 8, most_mappings = 4;

    Session(unsigned seed, const Setting& setting, bool direct, Journal& journal, Aio& aio,
            Uring* uring);

    /// @name Choices
    /// @{
    Dice dice;
    off_t limit; ///< no file is larger
    bool direct; ///< whether descriptors for direct I/O are opened
    Effect allowed = Effect::none;

    off_t pick_offset(const Subject& subject);
    size_t pick_length();
    std::string pick_data(size_t size);
    /// A place for a transfer; mostly as direct I/O wants it where @p handle does that.
    struct Range {
        off_t at;
        size_t length;
        size_t shift; ///< of the memory
    };
    Range pick_range(const Handle& handle);
    enum class Wish { any, readable, writable };
    /// One that is open so, mostly; nothing if there is none.
    Handle* pick_handle(Wish wish);
    Subject& pick_subject() { return subjects[dice.pick(subject_count)]; }
    /// @}

    Journal& journal;
    Aio& aio;
    Uring* uring; ///< not on each kernel

    Stack stack;
    std::array<Subject, subject_count> subjects;
    std::vector<Handle> handles;
    std::vector<std::unique_ptr<Mapping>> mappings;

    Subject& subject_of(const Handle& handle) { return subjects[handle.subject]; }
    /// Without metacopy.
    bool copies_data_with_attributes() const;
    std::string path(const Subject& subject) const;
    std::string twin_path(const Subject& subject) const;

    /// Whether the data is still in a lower layer of another file system than the upper's.
    bool is_elsewhere(const Subject& subject) const { return !subject.copied && stack.is_on_two(); }

    /// Makes a call on the file, then on its twin, and compares the answers.
    template <class Call> long both(const Handle& handle, Call call) {
        const long ours = answer(call(handle.file.get()));
        return agreed(ours, answer(call(handle.twin.get())));
    }
    template <class Call> long both_paths(const Subject& subject, Call call) {
        const long ours = answer(call(path(subject).c_str()));
        return agreed(ours, answer(call(twin_path(subject).c_str())));
    }
    long agreed(long ours, long theirs);

    /// Changes what is expected of a file.
    template <class Change> void expect(Subject& subject, Change change) {
        if (!journal.is_left_out())
            change(subject.content);
    }

    /// What was read from both. @p length is what must have come, if it is known.
    void check_read(const Subject& subject, off_t at, std::string_view ours,
                    std::string_view theirs) const;
    /// All of a file.
    void check_content(const Handle& handle);
    void check_attributes(const Handle& handle);
    void check_everything();
    /// That the layers below are as they were, and the upper has what is expected.
    void check_layers() const;

    bool open(unsigned subject, int flags);
    void close_all();
    void remount();
    void finish();

private:
    void make_subject(unsigned number);
    void fill_subject(Subject& subject, const UniqueFd& file, const UniqueFd& twin,
                      const std::string& place);
    void make_data_only(const Subject& subject) const;

    std::string mount_options_;
    bool data_only_ = false;
};

} // namespace shale::onefile
