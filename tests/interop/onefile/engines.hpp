// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <span>

#include <linux/io_uring.h>
#include <sys/types.h>

namespace shale::onefile {

/// A request that somebody else carries out.
struct Request {
    int fd;
    bool write;
    void* data;
    size_t size;
    off_t at;
    long result = 0; ///< an errno as a negative number
};

/// The kernel's older interface for asynchronous I/O, io_submit(2).
class Aio {
public:
    Aio();
    ~Aio();
    Aio(const Aio&) = delete;
    Aio& operator=(const Aio&) = delete;

    /// Submits all at once, and waits until all are complete.
    void run(std::span<Request> requests);
    long sync(int fd, bool data_only);

private:
    unsigned long context_ = 0;
};

/// A ring of io_uring, without the library: what is done here needs little of it.
class Uring {
public:
    /// Nothing on a kernel without.
    static std::unique_ptr<Uring> make();
    ~Uring();
    Uring(const Uring&) = delete;
    Uring& operator=(const Uring&) = delete;

    /// As Aio::run(); @p flags are IOSQE_*.
    void run(std::span<Request> requests, unsigned char flags);
    /// One entry, whatever it is.
    long run(const io_uring_sqe& entry);

    static constexpr unsigned entries = 8;

private:
    explicit Uring(int fd) : fd_(fd) {}
    bool map(const io_uring_params& params);
    void put(const io_uring_sqe& entry);
    void submit(unsigned count);
    io_uring_cqe take();

    int fd_;
    void *rings_ = nullptr, *queue_ = nullptr;
    size_t rings_size_ = 0, queue_size_ = 0;
    unsigned *sq_tail_ = nullptr, *sq_mask_ = nullptr, *sq_array_ = nullptr;
    unsigned *cq_head_ = nullptr, *cq_tail_ = nullptr, *cq_mask_ = nullptr;
    io_uring_cqe* cqes_ = nullptr;
};

} // namespace shale::onefile
