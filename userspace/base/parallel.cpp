// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/parallel.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace shale {

namespace {

class Parallel {
public:
    Parallel(size_t count, const std::function<void(size_t, const std::atomic<bool>&)>& work)
        : count_(count), work_(work) {}

    void run(unsigned jobs, const std::function<void()>& tick) {
        std::vector<std::jthread> threads;
        try {
            for (unsigned job = 0; job < jobs; ++job)
                threads.emplace_back([this] { work(); });
            watch(jobs, tick);
        } catch (...) {
            stop_ = true; // and then the threads are waited for
            throw;
        }
        threads.clear();
        if (failure_)
            std::rethrow_exception(failure_);
    }

private:
    void work() {
        try {
            for (size_t index = next_++; index < count_ && !stop_; index = next_++)
                work_(index, stop_);
        } catch (...) {
            const std::lock_guard guard(lock_);
            failure_ = std::current_exception();
            stop_ = true;
        }
        const std::lock_guard guard(lock_);
        finished_++;
        changed_.notify_all();
    }

    void watch(unsigned jobs, const std::function<void()>& tick) {
        std::unique_lock guard(lock_);
        while (!changed_.wait_for(guard, std::chrono::milliseconds(100), [&] { return finished_ == jobs; })) {
            guard.unlock();
            tick();
            guard.lock();
        }
    }

    const size_t count_;
    const std::function<void(size_t, const std::atomic<bool>&)>& work_;
    std::atomic<size_t> next_ = 0;
    std::atomic<bool> stop_ = false;
    std::mutex lock_; ///< for what follows
    std::condition_variable changed_;
    unsigned finished_ = 0;
    std::exception_ptr failure_;
};

} // namespace

void in_parallel(size_t count, unsigned jobs,
                 const std::function<void(size_t, const std::atomic<bool>& stop)>& work,
                 const std::function<void()>& tick) {
    const auto most = static_cast<unsigned>(std::min<size_t>(count, std::max(1U, jobs)));
    if (count > 0)
        Parallel(count, work).run(most, tick);
    tick();
}

unsigned default_jobs() {
    return std::max(1U, std::thread::hardware_concurrency());
}

} // namespace shale
