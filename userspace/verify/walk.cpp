// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify/walk.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "verify/directory.hpp"
#include "verify/judge.hpp"

namespace shale::verify {

namespace {

using SharedDirectory = std::shared_ptr<const Directory>;

/// Names of one directory that are judged together; or, with `descend`, the one directory among them to go into.
struct Task {
    SharedDirectory directory;
    std::vector<Entry> entries;
    bool descend = false;
};

/// So many names are worth a trip to the queue, and leave work for all threads even in a small tree.
constexpr size_t batch = 64;

/// The last that was put in comes out first, so that a directory is done before its siblings begin: what waits is
/// bounded by the depth of the tree and the width of the directories on the way, and so are open descriptors.
class Queue {
public:
    void put(std::vector<Task> tasks) {
        const std::lock_guard guard(lock_);
        for (Task& task : tasks)
            tasks_.push_back(std::move(task));
        changed_.notify_all();
    }

    /// False at the end: nothing is left, and nobody works who could put more in; or it was stopped.
    bool take(Task& task) {
        std::unique_lock guard(lock_);
        changed_.wait(guard, [&] { return stopped_ || !tasks_.empty() || busy_ == 0; });
        if (stopped_ || tasks_.empty())
            return false;
        task = std::move(tasks_.back());
        tasks_.pop_back();
        busy_++;
        return true;
    }

    /// A task that was taken is done.
    void done() {
        const std::lock_guard guard(lock_);
        if (--busy_ == 0)
            changed_.notify_all();
    }

    void stop() {
        const std::lock_guard guard(lock_);
        stopped_ = true;
        changed_.notify_all();
    }

private:
    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<Task> tasks_;
    unsigned busy_ = 0;
    bool stopped_ = false;
};

class Verification {
public:
    Verification(const Subject& subject, const Options& options, Observer& observer)
        : subject_(subject), options_(options), observer_(observer),
          device_(stat_of(subject.shown->fd(), subject.shown->path()).st_dev) {}

    Totals run() {
        begin();
        std::vector<std::jthread> threads;
        for (unsigned job = 0; job < std::max(1U, options_.jobs); ++job)
            threads.emplace_back([this] { work(); });
        watch();
        threads.clear();
        if (failure_)
            std::rethrow_exception(failure_);
        if (cancelled_)
            throw Cancelled(subject_.shown->path());
        observer_.so_far(totals_);
        return totals_;
    }

private:
    /// The object of the model at the place that is shown, and the first tasks.
    void begin() {
        tree::Object object = subject_.model.root();
        std::string path;
        for (size_t from = 1; from < subject_.inside.size();) {
            const size_t slash = std::min(subject_.inside.find('/', from), subject_.inside.size());
            const std::string name = subject_.inside.substr(from, slash - from);
            auto below = subject_.model.look_up(object, name);
            path += "/" + name;
            if (!below || !below->is_directory())
                throw Error(subject_.shown->path(), "its layers have no directory " + path,
                            "verify the whole mount to see why");
            object = *std::move(below);
            from = slash + 1;
        }
        UniqueFd shown = open_at(subject_.shown->fd(), ".", O_RDONLY | O_DIRECTORY);
        const std::atomic<bool> never = false;
        Judge judge(subject_, false, device_, groups_, never);
        report(judge.judge_top(object, shown.get(), path.empty() ? "/" : path));
        enter(std::make_shared<const Directory>(path, std::move(object), std::move(shown)));
    }

    void work() {
        Judge judge(subject_, options_.content, device_, groups_, stop_);
        Task task;
        while (queue_.take(task)) {
            try {
                if (task.descend)
                    descend(task);
                else
                    judge_batch(judge, task);
            } catch (...) {
                const std::lock_guard guard(lock_);
                failure_ = std::current_exception();
                stop_all();
            }
            task = {};
            queue_.done();
        }
        const std::lock_guard guard(lock_);
        finished_++;
        finished_changed_.notify_all();
    }

    void judge_batch(Judge& judge, Task& task) {
        std::vector<Task> below;
        for (Entry& entry : task.entries) {
            if (stop_)
                return;
            const std::string path = task.directory->path() + "/" + entry.name;
            const auto verdict = attempt(path, [&] { return judge.judge(*task.directory, entry); });
            if (!verdict)
                continue;
            report(verdict->findings);
            if (verdict->is_directory)
                below.push_back({task.directory, {std::move(entry)}, true});
        }
        count([&](Totals& totals) {
            totals.names += task.entries.size();
            totals.bytes += judge.take_bytes();
        });
        queue_.put(std::move(below));
    }

    /// Opened no earlier than its turn has come, and looked up again for that: a queue of open directories could grow
    /// beyond what a process may have.
    void descend(const Task& task) {
        const Entry& entry = task.entries.front();
        const std::string path = task.directory->path() + "/" + entry.name;
        attempt(path, [&] {
            auto object = subject_.model.look_up(task.directory->object(), entry.name, &entry.holders);
            UniqueFd shown(openat(task.directory->shown(), entry.name.c_str(),
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!shown)
                report({{path, rules::listed_exists, "a directory that can be opened", std::strerror(errno)}});
            else if (object && object->is_directory())
                enter(std::make_shared<const Directory>(path, *std::move(object), std::move(shown)));
            return true;
        });
    }

    void enter(const SharedDirectory& directory) {
        count([](Totals& totals) { totals.directories++; });
        std::vector<Entry> entries = directory->entries(subject_.model);
        std::vector<Task> tasks;
        for (size_t begin = 0; begin < entries.size(); begin += batch) {
            const auto first = entries.begin() + static_cast<std::ptrdiff_t>(begin);
            const auto last = entries.begin() + static_cast<std::ptrdiff_t>(std::min(begin + batch, entries.size()));
            tasks.push_back({directory, {std::make_move_iterator(first), std::make_move_iterator(last)}});
        }
        queue_.put(std::move(tasks));
    }

    /// What @p action returns; nothing where a layer can't be read, which is told.
    template <typename Action>
    auto attempt(const std::string& path, Action action) -> std::optional<decltype(action())> {
        try {
            return action();
        } catch (const Error& error) {
            const std::lock_guard guard(lock_);
            totals_.unjudged++;
            observer_.not_judged(path, error.what());
            return std::nullopt;
        }
    }

    void report(const Findings& findings) {
        if (findings.empty())
            return;
        const std::lock_guard guard(lock_);
        for (const Finding& finding : findings) {
            totals_.findings++;
            observer_.found(finding);
        }
    }

    template <typename Change> void count(Change change) {
        const std::lock_guard guard(lock_);
        change(totals_);
    }

    /// With the lock.
    void stop_all() {
        stop_ = true;
        queue_.stop();
    }

    /// Until all threads are through.
    void watch() {
        std::unique_lock guard(lock_);
        const auto all = std::max(1U, options_.jobs);
        while (!finished_changed_.wait_for(guard, std::chrono::milliseconds(100), [&] { return finished_ == all; })) {
            observer_.so_far(totals_);
            if (observer_.cancelled()) {
                cancelled_ = true;
                stop_all();
            }
        }
    }

    const Subject& subject_;
    const Options& options_;
    Observer& observer_;
    const dev_t device_;
    LinkGroups groups_;
    Queue queue_;
    std::atomic<bool> stop_ = false;

    std::mutex lock_; ///< for what follows, and the observer
    std::condition_variable finished_changed_;
    unsigned finished_ = 0;
    bool cancelled_ = false;
    Totals totals_;
    std::exception_ptr failure_;
};

} // namespace

Totals verify(const Subject& subject, const Options& options, Observer& observer) {
    return Verification(subject, options, observer).run();
}

} // namespace shale::verify
