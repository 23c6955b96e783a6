// SPDX-License-Identifier: GPL-2.0-or-later
#include "load.hpp"

#include <cerrno>
#include <exception>
#include <functional>
#include <map>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "block.hpp"
#include "layers.hpp"
#include "script.hpp"

namespace shale::powercut {

namespace {

void expect(const std::string& what, int result) {
    if (result != 0)
        throw Error::from_errno(what, errno);
}

/// Does what one script says.
class Hand {
public:
    Hand(const Load& load, std::string directory, unsigned number)
        : load_(load), directory_(std::move(directory)), script_(load.seed, number, load.linked) {}

    /// Returns whether something was promised.
    bool step() {
        const Operation operation = script_.next();
        const std::string path = directory_ + "/" + operation.path, to = directory_ + "/" + operation.to;
        switch (operation.kind) {
        case Kind::create: open_at(AT_FDCWD, path, O_CREAT | O_EXCL | O_WRONLY, operation.mode); break;
        case Kind::link: expect("link to " + to, ::link(path.c_str(), to.c_str())); break;
        case Kind::unlink: expect("unlink " + path, ::unlink(path.c_str())); break;
        case Kind::make_directory: make_directory_at(AT_FDCWD, path, operation.mode); break;
        case Kind::remove_directory: expect("rmdir " + path, ::rmdir(path.c_str())); break;
        case Kind::rename: expect("rename to " + to, ::rename(path.c_str(), to.c_str())); break;
        case Kind::exchange:
            expect("exchange with " + to, ::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE));
            break;
        case Kind::chmod: expect("chmod " + path, ::chmod(path.c_str(), operation.mode)); break;
        case Kind::write: write(operation, path); break;
        case Kind::truncate: open_at(AT_FDCWD, path, O_WRONLY | O_TRUNC); break;
        case Kind::hold: held_[operation.file] = open_at(AT_FDCWD, path, O_RDONLY); break;
        default: sync(operation, path); break;
        }
        return is_promise(operation);
    }

private:
    void write(const Operation& operation, const std::string& path) {
        const bool synchronous = operation.synchronous && !load_.lies;
        const UniqueFd fd = open_at(AT_FDCWD, path, O_WRONLY | (synchronous ? O_DSYNC : 0));
        std::string data;
        for (unsigned i = 0; i < operation.count; ++i) {
            const Block block = make_block({operation.file, operation.version, operation.first + i});
            data.append(block.data(), block.size());
        }
        write_all_at(fd.get(), data.data(), data.size(), uint64_t{operation.first} * block_size, path);
    }

    void sync(const Operation& operation, const std::string& path) {
        if (load_.lies)
            return;
        if (operation.kind == Kind::syncfs) {
            expect("syncfs", ::syncfs(open_at(AT_FDCWD, directory_, O_RDONLY).get()));
            return;
        }
        const bool for_reading = operation.for_reading || operation.kind == Kind::fsync_directory;
        UniqueFd fd;
        if (!operation.held)
            fd = open_at(AT_FDCWD, path, for_reading ? O_RDONLY : O_WRONLY);
        const int open = operation.held ? held_.at(operation.file).get() : fd.get();
        expect("fsync " + path, operation.kind == Kind::fdatasync ? ::fdatasync(open) : ::fsync(open));
    }

    const Load& load_;
    std::string directory_;
    Script script_;
    std::map<unsigned, UniqueFd> held_;
};

void work(const Load& load, const std::string& directory, unsigned number, Promises& promises) {
    Hand hand(load, directory, number);
    for (unsigned done = 1; load.operations == 0 || done <= load.operations; ++done)
        if (hand.step())
            promises.made(number, done);
}

} // namespace

void run_load(const Load& load, const std::string& directory, Promises& promises) {
    std::exception_ptr failures[nr_hands];
    std::vector<std::thread> threads;
    ::umask(0);
    for (unsigned number = 0; number < nr_hands; ++number) {
        threads.emplace_back([&, number] {
            try {
                work(load, directory, number, promises);
            } catch (...) {
                failures[number] = std::current_exception();
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    for (const std::exception_ptr& failure : failures)
        if (failure)
            std::rethrow_exception(failure);
}

} // namespace shale::powercut
