// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done to an open file, whose data is in the page cache.
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "case.hpp"
#include "sample_files.hpp"

namespace shale::bench {

namespace {

constexpr size_t page = 4096, mebibyte = 1 << 20;

/// A descriptor that an operation shares with its copies.
using SharedFd = std::shared_ptr<UniqueFd>;

SharedFd share(UniqueFd fd) {
    return std::make_shared<UniqueFd>(std::move(fd));
}

void fill(const std::string& dir) {
    make_file(dir + "/lower", mebibyte);
}

SharedFd open_lower(const std::string& root) {
    return share(open_file(root + "/lower", O_RDONLY));
}

SharedFd open_upper(const std::string& root) {
    make_file(root + "/upper", mebibyte);
    return share(open_file(root + "/upper", O_RDWR));
}

Operation read_pieces(const SharedFd& fd, size_t size) {
    return [fd, size, memory = std::vector<char>(size)](unsigned number) mutable {
        const auto at = static_cast<off_t>(number * size % mebibyte);
        require(pread(fd->get(), memory.data(), size, at) == static_cast<ssize_t>(size), "pread");
    };
}

Operation write_pieces(const SharedFd& fd, size_t size) {
    return [fd, size, memory = std::vector<char>(size, 'y')](unsigned number) {
        const auto at = static_cast<off_t>(number * size % mebibyte);
        require(pwrite(fd->get(), memory.data(), size, at) == static_cast<ssize_t>(size), "pwrite");
    };
}

Operation read_page_lower(const std::string& root) {
    return read_pieces(open_lower(root), page);
}

Operation read_page_upper(const std::string& root) {
    return read_pieces(open_upper(root), page);
}

Operation write_page(const std::string& root) {
    return write_pieces(open_upper(root), page);
}

Operation read_mebibyte_lower(const std::string& root) {
    return read_pieces(open_lower(root), mebibyte);
}

Operation write_mebibyte(const std::string& root) {
    return write_pieces(open_upper(root), mebibyte);
}

/// Maps all of it, and touches each page by itself.
Operation fault(const SharedFd& fd, int protection) {
    return [fd, protection](unsigned) {
        void* const memory = mmap(nullptr, mebibyte, protection, MAP_SHARED, fd->get(), 0);
        require(memory != MAP_FAILED, "mmap");
        madvise(memory, mebibyte, MADV_RANDOM);
        for (size_t at = 0; at < mebibyte; at += page) {
            volatile char* const byte = static_cast<char*>(memory) + at;
            if (protection & PROT_WRITE)
                *byte = 'z';
            else
                static_cast<void>(*byte);
        }
        munmap(memory, mebibyte);
    };
}

Operation fault_to_read(const std::string& root) {
    return fault(open_lower(root), PROT_READ);
}

Operation fault_to_write(const std::string& root) {
    return fault(open_upper(root), PROT_READ | PROT_WRITE);
}

Operation sync_page(const std::string& root) {
    return [write = write_page(root), fd = open_upper(root)](unsigned number) {
        write(number);
        require(fsync(fd->get()) == 0, "fsync");
    };
}

Operation sync_nothing(const std::string& root) {
    return [fd = open_lower(root)](unsigned) { require(fsync(fd->get()) == 0, "fsync"); };
}

constexpr unsigned pages = mebibyte / page;

constexpr Case table[] = {
    {"read 4 KiB, lower", fill, read_page_lower},
    {"read 4 KiB, upper", fill, read_page_upper},
    {"write 4 KiB", fill, write_page},
    {"read 1 MiB, lower", fill, read_mebibyte_lower},
    {"write 1 MiB", fill, write_mebibyte},
    {"fault of a page to read, lower", fill, fault_to_read, 0, pages},
    {"fault of a page to write", fill, fault_to_write, 0, pages},
    {"write 4 KiB and fsync", fill, sync_page},
    {"fsync of nothing, lower", fill, sync_nothing},
};

} // namespace

std::span<const Case> file_cases() {
    return table;
}

} // namespace shale::bench
