// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/repair.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/xattr.hpp"
#include "fsck/journal.hpp"

namespace shale::fsck {

namespace {

/// The directory @p path, through a mount of its own, so that nothing can be mounted below it.
UniqueFd open_base(const std::string& path) {
    UniqueFd mount(open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    return mount ? std::move(mount) : open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY);
}

/// Where a step is done.
struct Place {
    UniqueFd parent;
    std::string name;
};

class Worker {
public:
    Worker(const Subject& subject, const RepairOptions& options, Observer& observer)
        : journal_(options.journal), observer_(observer) {
        bases_.emplace(subject.layers.front()->path(), open_base(subject.layers.front()->path()));
        if (subject.work)
            bases_.emplace(*subject.work, open_base(*subject.work));
    }

    void put_right(const Finding& finding) {
        for (const Step& step : finding.steps) {
            if (observer_.cancelled())
                throw Cancelled("fsck");
            do_step(finding, step);
        }
    }

    void settle() const {
        for (const auto& [path, base] : bases_) {
            const UniqueFd fd = open_at(base.get(), ".", O_RDONLY | O_DIRECTORY);
            if (syncfs(fd.get()) != 0)
                throw Error::from_errno(path, errno);
        }
    }

private:
    Place place_of(const Step& step) const {
        // One name after the other: a path may be longer than the kernel takes at once.
        UniqueFd at = open_at(bases_.at(step.base).get(), ".", O_PATH | O_DIRECTORY);
        if (step.path.empty())
            return {std::move(at), "."};
        std::size_t begin = 0;
        for (auto slash = step.path.find('/'); slash != std::string::npos; slash = step.path.find('/', begin)) {
            at = try_open_beneath(at.get(), step.path.substr(begin, slash - begin), O_PATH | O_DIRECTORY);
            if (!at)
                throw Error::from_errno(step.base + "/" + step.path.substr(0, slash), errno);
            begin = slash + 1;
        }
        return {std::move(at), step.path.substr(begin)};
    }

    static bool is_done(const Step& step, const Place& place) {
        const XattrTarget object(place.parent.get(), place.name);
        switch (step.action) {
        case Step::Action::set_mark:
            return object.get(step.attribute) == step.value;
        case Step::Action::remove_mark:
            return !object.get(step.attribute);
        case Step::Action::remove_file:
        case Step::Action::remove_directory:
            break;
        }
        return !stat_at(place.parent.get(), place.name);
    }

    static int change(const Step& step, const Place& place) {
        const XattrTarget object(place.parent.get(), place.name);
        switch (step.action) {
        case Step::Action::set_mark:
            return object.set(step.attribute, step.value);
        case Step::Action::remove_mark:
            return object.remove(step.attribute);
        case Step::Action::remove_file:
        case Step::Action::remove_directory:
            break;
        }
        const int how = step.action == Step::Action::remove_directory ? AT_REMOVEDIR : 0;
        return unlinkat(place.parent.get(), place.name.c_str(), how) == 0 ? 0 : errno;
    }

    void do_step(const Finding& finding, const Step& step) {
        const Place place = place_of(step);
        if (is_done(step, place))
            return;
        journal_.note(finding, step, place.parent.get(), place.name);
        observer_.doing(step);
        if (const int error = change(step, place); error != 0)
            throw Error::from_errno(step.path.empty() ? step.base : step.base + "/" + step.path, error,
                                    "the journal has what was done before");
    }

    std::map<std::string, UniqueFd> bases_;
    Journal journal_;
    Observer& observer_;
};

} // namespace

std::string journal_in(const std::string& work) {
    return work + "/fsck.journal";
}

bool is_repaired(const Finding& finding, const RepairOptions& options) {
    if (finding.in_lower || finding.steps.empty())
        return false;
    return finding.kind->severity == Class::repairable ||
           (options.accept_volatile && finding.kind == &kinds::volatile_mark);
}

Repair repair(const Subject& subject, const RepairOptions& options, Observer& observer) {
    constexpr int most_rounds = 10; // what one step lays bare is found by the next round
    Repair repair;
    std::optional<Worker> worker;
    for (int round = 0;; ++round) {
        repair.left = check(subject, observer);
        Findings& findings = repair.left.findings;
        const auto wanted = std::stable_partition(findings.begin(), findings.end(), [&](const Finding& finding) {
            return !is_repaired(finding, options);
        });
        if (wanted == findings.end() || round == most_rounds)
            break;
        if (!worker)
            worker.emplace(subject, options, observer);
        for (auto finding = wanted; finding != findings.end(); ++finding) {
            // What it warns of is to be over before it is gone.
            if (finding->kind == &kinds::volatile_mark)
                worker->settle();
            worker->put_right(*finding);
            repair.done.push_back(std::move(*finding));
        }
    }
    if (worker)
        worker->settle();
    return repair;
}

} // namespace shale::fsck
