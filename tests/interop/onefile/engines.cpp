// SPDX-License-Identifier: GPL-2.0-or-later
#include "engines.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.hpp"

namespace shale::onefile {

namespace {

void must(long value, const char* what) {
    if (value < 0)
        throw Error::from_errno(what, errno);
}

} // namespace

Aio::Aio() {
    must(syscall(SYS_io_setup, 8, &context_), "io_setup");
}

Aio::~Aio() {
    syscall(SYS_io_destroy, context_);
}

/// What could not be submitted says so at once.
void Aio::run(std::span<Request> requests) {
    std::vector<iocb> blocks(requests.size());
    std::vector<io_event> events(requests.size());
    long submitted = 0;
    for (size_t i = 0; i < requests.size(); ++i) {
        Request& request = requests[i];
        iocb& block = blocks[i];
        block.aio_fildes = static_cast<unsigned>(request.fd);
        block.aio_lio_opcode = request.write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
        block.aio_buf = reinterpret_cast<unsigned long>(request.data);
        block.aio_nbytes = request.size;
        block.aio_offset = request.at;
        block.aio_data = i;
        iocb* list[] = {&block};
        if (syscall(SYS_io_submit, context_, 1, list) == 1)
            ++submitted;
        else
            request.result = -errno;
    }
    if (submitted)
        must(syscall(SYS_io_getevents, context_, submitted, submitted, events.data(), nullptr),
             "io_getevents");
    for (long i = 0; i < submitted; ++i)
        requests[events[static_cast<size_t>(i)].data].result =
            static_cast<long>(events[static_cast<size_t>(i)].res);
}

long Aio::sync(int fd, bool data_only) {
    iocb block{};
    io_event event{};
    iocb* list[] = {&block};
    block.aio_fildes = static_cast<unsigned>(fd);
    block.aio_lio_opcode = data_only ? IOCB_CMD_FDSYNC : IOCB_CMD_FSYNC;
    if (syscall(SYS_io_submit, context_, 1, list) != 1)
        return -errno;
    must(syscall(SYS_io_getevents, context_, 1, 1, &event, nullptr), "io_getevents");
    return static_cast<long>(event.res);
}

std::unique_ptr<Uring> Uring::make() {
    io_uring_params params{};
    const long fd = syscall(SYS_io_uring_setup, entries, &params);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return nullptr;
    must(fd, "io_uring_setup");
    std::unique_ptr<Uring> ring(new Uring(static_cast<int>(fd)));
    if (!ring->map(params))
        throw Error::from_errno("io_uring", errno);
    return ring;
}

/// Both rings lie in one mapping since Linux 5.4.
bool Uring::map(const io_uring_params& params) {
    rings_size_ = std::max(params.sq_off.array + params.sq_entries * sizeof(unsigned),
                           params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    queue_size_ = params.sq_entries * sizeof(io_uring_sqe);
    rings_ = mmap(nullptr, rings_size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                  IORING_OFF_SQ_RING);
    queue_ = mmap(nullptr, queue_size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                  IORING_OFF_SQES);
    if (rings_ == MAP_FAILED || queue_ == MAP_FAILED)
        return false;
    const auto word = [this](unsigned offset) {
        return reinterpret_cast<unsigned*>(static_cast<char*>(rings_) + offset);
    };
    sq_tail_ = word(params.sq_off.tail);
    sq_mask_ = word(params.sq_off.ring_mask);
    sq_array_ = word(params.sq_off.array);
    cq_head_ = word(params.cq_off.head);
    cq_tail_ = word(params.cq_off.tail);
    cq_mask_ = word(params.cq_off.ring_mask);
    cqes_ = reinterpret_cast<io_uring_cqe*>(static_cast<char*>(rings_) + params.cq_off.cqes);
    return true;
}

Uring::~Uring() {
    if (rings_ && rings_ != MAP_FAILED)
        munmap(rings_, rings_size_);
    if (queue_ && queue_ != MAP_FAILED)
        munmap(queue_, queue_size_);
    close(fd_);
}

void Uring::put(const io_uring_sqe& entry) {
    const unsigned tail = *sq_tail_, index = tail & *sq_mask_;
    static_cast<io_uring_sqe*>(queue_)[index] = entry;
    sq_array_[index] = index;
    __atomic_store_n(sq_tail_, tail + 1, __ATOMIC_RELEASE);
}

void Uring::submit(unsigned count) {
    long done;
    do
        done = syscall(SYS_io_uring_enter, fd_, count, count, IORING_ENTER_GETEVENTS, nullptr, 0);
    while (done < 0 && errno == EINTR);
    must(done, "io_uring_enter");
}

io_uring_cqe Uring::take() {
    while (__atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE) == *cq_head_)
        must(syscall(SYS_io_uring_enter, fd_, 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0),
             "io_uring_enter");
    const io_uring_cqe completion = cqes_[*cq_head_ & *cq_mask_];
    __atomic_store_n(cq_head_, *cq_head_ + 1, __ATOMIC_RELEASE);
    return completion;
}

void Uring::run(std::span<Request> requests, unsigned char flags) {
    for (size_t i = 0; i < requests.size(); ++i) {
        io_uring_sqe entry{};
        entry.opcode = requests[i].write ? IORING_OP_WRITE : IORING_OP_READ;
        entry.flags = flags;
        entry.fd = requests[i].fd;
        entry.addr = reinterpret_cast<unsigned long>(requests[i].data);
        entry.len = static_cast<unsigned>(requests[i].size);
        entry.off = static_cast<unsigned long long>(requests[i].at);
        entry.user_data = i;
        put(entry);
    }
    submit(static_cast<unsigned>(requests.size()));
    for (size_t i = 0; i < requests.size(); ++i) {
        const io_uring_cqe completion = take();
        requests[completion.user_data].result = completion.res;
    }
}

long Uring::run(const io_uring_sqe& entry) {
    put(entry);
    submit(1);
    return take().res;
}

} // namespace shale::onefile
