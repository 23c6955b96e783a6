// SPDX-License-Identifier: GPL-2.0-or-later
//
// Operations that open files by name, and read and change what is in them.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "describe.hpp"
#include "open_file.hpp"
#include "operation.hpp"
#include "values.hpp"
#include "tolerance.hpp"

namespace shale::twins {

namespace {

/// A pipe or a device would answer for itself, not for the tree.
bool is_file(int fd) {
    struct stat st {};
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

std::string write_to(int fd, const std::string& data) {
    if (!is_file(fd))
        return "no file";
    const ssize_t size = write(fd, data.data(), data.size());
    return size < 0 ? error_name(errno) : std::to_string(size);
}

Operation create(Choices& choose) {
    const std::string path = choose.place(Wish::absent);
    const mode_t mode = choose.dice.chance(60) ? 0666 : random_mode(choose.dice);
    const std::string data = random_data(choose.dice);
    return {words("create", path, octal(mode), describe_bytes(data)), {path}, [=](Side&) {
                const UniqueFd fd = open_file(path, O_CREAT | O_EXCL | O_WRONLY, mode);
                return fd ? write_to(fd.get(), data) : error_name(errno);
            }};
}

Operation open_in_some_way(Choices& choose) {
    static constexpr int accesses[] = {O_RDONLY, O_WRONLY, O_RDWR};
    static constexpr int extras[] = {O_CREAT,     O_CREAT,    O_EXCL, O_TRUNC, O_APPEND,
                                     O_DIRECTORY, O_NOFOLLOW, O_PATH, O_SYNC};
    const std::string path = choose.place(choose.dice.chance(40) ? Wish::absent : Wish::anything);
    int flags = choose.dice.one_of(accesses);
    for (unsigned number = choose.dice.pick(4); number > 0; --number)
        flags |= choose.dice.one_of(extras);
    if (!(flags & O_CREAT))
        flags &= ~O_EXCL; // without O_CREAT it is for block devices alone
    const mode_t mode = random_mode(choose.dice);
    return {words("open", path, open_flags_text(flags), octal(mode)), {path}, [=](Side&) {
                const UniqueFd fd = open_file(path, flags, mode);
                struct stat st {};
                if (!fd || fstat(fd.get(), &st) != 0)
                    return error_name(errno);
                return describe(st, Times::recent_ones_alike);
            }};
}

Operation overwrite(Choices& choose) {
    static constexpr off_t offsets[] = {0, 2, 4094, 20000};
    const std::string path = choose.place(Wish::file), data = random_data(choose.dice);
    const off_t offset = choose.dice.one_of(offsets);
    return {words("write", path, std::to_string(offset), describe_bytes(data)), {path}, [=](Side&) {
                const UniqueFd fd = open_file(path, O_WRONLY);
                if (fd && is_file(fd.get()))
                    lseek(fd.get(), offset, SEEK_SET);
                return fd ? write_to(fd.get(), data) : error_name(errno);
            }};
}

Operation append(Choices& choose) {
    const std::string path = choose.place(Wish::file), data = random_data(choose.dice);
    return {words("append", path, describe_bytes(data)), {path}, [=](Side&) {
                const UniqueFd fd = open_file(path, O_WRONLY | O_APPEND);
                return fd ? write_to(fd.get(), data) : error_name(errno);
            }};
}

/// Through a shared mapping.
std::string write_mapped(int fd, char byte) {
    struct stat st {};
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return "no file with content";
    void* const memory = mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return error_name(errno);
    *static_cast<volatile char*>(memory) = byte;
    const std::string result = answer(msync(memory, 1, MS_SYNC));
    munmap(memory, 1);
    return result;
}

Operation overwrite_mapped(Choices& choose) {
    const std::string path = choose.place(Wish::file);
    const char byte = static_cast<char>('A' + choose.dice.pick(26));
    return {words("write-mapped", path, std::string(1, byte)), {path}, [=](Side&) {
                const UniqueFd fd = open_file(path, O_RDWR);
                return fd ? write_mapped(fd.get(), byte) : error_name(errno);
            }};
}

Operation cut(Choices& choose) {
    static constexpr off_t sizes[] = {0, 2, 4000, 8000};
    const std::string path = choose.place(Wish::file);
    const off_t size = choose.dice.one_of(sizes);
    return {words("truncate", path, std::to_string(size)), {path}, [=](Side&) {
                return answer(truncate(path.c_str(), size));
            }};
}

/// What each caller of copy_file_range(2) does where it says EXDEV.
ssize_t copy_plainly(int source, int target) {
    char buffer[3000];
    const ssize_t size = read(source, buffer, sizeof(buffer));
    count(Tolerance::copy_between_file_systems);
    return size > 0 ? write(target, buffer, static_cast<size_t>(size)) : size;
}

Operation copy(Choices& choose) {
    const std::string from = choose.place(Wish::file), to = choose.place(Wish::file);
    return {words("copy_file_range", from, to), {from, to}, [=](Side&) {
                const UniqueFd source = open_file(from, O_RDONLY);
                if (!source)
                    return error_name(errno);
                const UniqueFd target = open_file(to, O_WRONLY);
                if (!target)
                    return error_name(errno);
                ssize_t size =
                    copy_file_range(source.get(), nullptr, target.get(), nullptr, 3000, 0);
                if (size < 0 && errno == EXDEV)
                    size = copy_plainly(source.get(), target.get());
                return size < 0 ? error_name(errno) : std::to_string(size);
            }};
}

Operation read_all(Choices& choose) {
    const std::string path = choose.place(Wish::file);
    return {words("read", path), {path}, [=](Side&) {
                const UniqueFd fd = open_file(path, O_RDONLY);
                if (!fd)
                    return error_name(errno);
                return is_file(fd.get()) ? describe_content(fd.get()) : "no file";
            }};
}

/// Not an operation on a name at all: what is cached goes, so that it is looked up anew.
Operation drop_caches(Choices& choose) {
    const std::string what = choose.dice.chance(50) ? "2" : "3";
    return {words("drop_caches", what), {}, [=](Side&) {
                const UniqueFd fd(open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC));
                return fd ? answer(write(fd.get(), what.data(), what.size())) : error_name(errno);
            }};
}

constexpr Weighted table[] = {
    {35, create}, {30, open_in_some_way}, {12, overwrite},
    {12, append}, {5, overwrite_mapped},  {10, cut},
    {4, copy},    {8, read_all},          {1, drop_caches},
};

} // namespace

std::span<const Weighted> content_operations() {
    return table;
}

} // namespace shale::twins
