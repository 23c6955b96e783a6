// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/exercise_sites.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/join.hpp"
#include "base/temporary_directory.hpp"
#include "base/xattr.hpp"
#include "commands/scratch_mount.hpp"
#include "commands/subject.hpp"
#include "commands/target.hpp"
#include "exercise/calls.hpp"
#include "exercise/first_tree.hpp"
#include "exercise/unchanged.hpp"
#include "mounting/options.hpp"
#include "mounting/unmount.hpp"
#include "selftest/base_checks.hpp"
#include "tree/layer.hpp"
#include "verify/walk.hpp"

namespace shale {

namespace {

constexpr const char* prefix = "shale-exercise.";

UniqueFd open_directory(const std::string& path) {
    return open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
}

/// What is made in a directory gets its default ACL, which the model knows nothing of.
void drop_default_acl(const std::string& path) {
    XattrTarget(AT_FDCWD, path).remove("system.posix_acl_default");
}

std::optional<exercise::Difference> judge_by_verify(const std::string& path, const Globals& globals) {
    KeptFindings findings;
    verify::verify(subject_of(path, globals), {true, 1}, findings);
    if (findings.text().empty())
        return std::nullopt;
    return exercise::Difference{".", "verify", "as the layers say", findings.text()};
}

/// A directory with the layers of a case, and the mount of them.
class ScratchSite : public exercise::Site {
public:
    ScratchSite(const ScratchPlace& place, const exercise::Case& played)
        : place_(place), played_(played), scratch_(place.directory, prefix) {
        drop_default_acl(scratch_.path());
        for (const char* name : {"upper", "work", "m"})
            make_directory_at(AT_FDCWD, at(name), 0755);
        make_lowers();
        set_traits();
        mount();
    }

    ~ScratchSite() override {
        root_.reset();
        umount2(at("m").c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    }

    int root() const override { return root_.get(); }
    const exercise::Traits& traits() const override { return traits_; }
    /// The upper has the root's attributes, and nothing else yet.
    exercise::NodePtr first_tree() override {
        auto layers = lowers();
        layers.insert(layers.begin(), at("upper"));
        return exercise::tree_of(tree::Union(tree::open_layers(layers)));
    }

    void remount() override {
        root_.reset();
        mounting::unmount(mounted_on(at("m")).value(), false);
        mount();
    }

    std::optional<exercise::Difference> judge_layers() override {
        if (auto difference = judge_by_verify(at("m"), place_.globals))
            return difference;
        return exercise::compare(before_, statuses());
    }

private:
    std::string at(const std::string& name) const { return scratch_.path() + "/" + name; }

    std::vector<std::string> lowers() const {
        std::vector<std::string> paths;
        for (unsigned number = 1; number <= played_.lowers; ++number)
            paths.push_back(at("lower" + std::to_string(number)));
        return paths;
    }

    /// What is refused belongs to what was left away, in a case that is being shrunk; then it makes no difference.
    void make_lowers() {
        for (const std::string& lower : lowers())
            make_directory_at(AT_FDCWD, lower, 0755);
        const UniqueFd directory = open_directory(scratch_.path());
        for (const exercise::Operation& operation : played_.layers)
            exercise::call(directory.get(), operation);
        before_ = statuses();
    }

    exercise::Statuses statuses() const {
        exercise::Statuses statuses;
        for (const std::string& lower : lowers())
            exercise::add_statuses(lower, statuses);
        return statuses;
    }

    void mount() {
        const std::string data = join(played_.options, ",") + ",lowerdir=" + mounting::escaped(lowers()) +
                                 ",upperdir=" + mounting::escaped(at("upper")) +
                                 ",workdir=" + mounting::escaped(at("work"));
        if (::mount("shale-exercise", at("m").c_str(), place_.type.c_str(), MS_NODEV, data.c_str()) < 0)
            throw Error::from_errno("a mount of " + place_.type + " with " + data, errno,
                                    "dmesg says more; --scratch names a directory on another file system");
        root_ = open_directory(at("m"));
    }

    void set_traits() {
        traits_.renames_lower_directories = exercise::has(played_.options, "redirect_dir=on");
        traits_.is_overlayfs = place_.is_overlayfs;
        traits_.has_devices = true;
        traits_.has_remounts = true;
        traits_.lists_numbers = true;
        traits_.has_escaped_marks = place_.abilities.has_escaped_marks;
    }

    const ScratchPlace place_;
    const exercise::Case played_;
    const TemporaryDirectory scratch_;
    exercise::Statuses before_;
    exercise::Traits traits_;
    UniqueFd root_;
};

/// A new directory in a mount that others use.
class TargetSite : public exercise::Site {
public:
    explicit TargetSite(const TargetPlace& place) : place_(place), directory_(place.directory(), prefix) {
        drop_default_acl(directory_.path());
        root_ = open_directory(directory_.path());
        traits_.is_overlayfs = place.is_overlayfs();
    }

    int root() const override { return root_.get(); }
    const exercise::Traits& traits() const override { return traits_; }
    exercise::NodePtr first_tree() override { return exercise::tree_of_empty(root_.get()); }
    std::optional<exercise::Difference> judge_layers() override {
        return judge_by_verify(directory_.path(), place_.globals());
    }

private:
    const TargetPlace& place_;
    const TemporaryDirectory directory_;
    exercise::Traits traits_;
    UniqueFd root_;
};

} // namespace

bool has_handles_for_layers(const std::string& directory) {
    const TemporaryDirectory scratch(directory, prefix);
    if (!selftest::can_mark_as_trusted(scratch.path()))
        throw Error(scratch.path(), "the marks of layers can't be set here",
                    "run it as root, and name a directory on a file system for layers: --scratch DIR");
    return selftest::gives_handles(scratch.path());
}

std::unique_ptr<exercise::Site> open_scratch(const ScratchPlace& place, const exercise::Case& played) {
    return std::make_unique<ScratchSite>(place, played);
}

TargetPlace::TargetPlace(const std::string& target, const Globals& globals) : globals_(globals) {
    const verify::Subject subject = subject_of(target, globals);
    if (!subject.has_upper)
        throw Error(target, "is read-only: no writable layer", "without TARGET, mounts are made for it");
    directory_ = subject.shown->path();
    is_overlayfs_ = subject.is_overlayfs;
}

std::unique_ptr<exercise::Site> open_in(const TargetPlace& place) {
    return std::make_unique<TargetSite>(place);
}

} // namespace shale
