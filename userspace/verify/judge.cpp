// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify/judge.hpp"

#include <cerrno>
#include <cstring>
#include <map>

#include <fcntl.h>
#include <limits.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/stat_text.hpp"
#include "ondisk/xattr_names.hpp"
#include "tree/attributes.hpp"
#include "verify/expectation.hpp"

namespace shale::verify {

namespace {

using Xattrs = std::map<std::string, std::string>;
using tree::same_time;

std::string error_text(int code) {
    return std::strerror(code);
}

std::string owner_text(const struct stat& st) {
    return "owner " + std::to_string(st.st_uid) + ":" + std::to_string(st.st_gid);
}

std::string device_text(const struct stat& st) {
    return "device " + std::to_string(major(st.st_rdev)) + ":" + std::to_string(minor(st.st_rdev));
}

/// A value, short enough for a line: text as it is, other bytes in hexadecimal digits.
std::string value_text(const std::string& value) {
    constexpr size_t most = 32;
    const std::string_view begin = std::string_view(value).substr(0, most);
    std::string text;
    bool is_text = true;
    for (const char c : begin)
        is_text &= c >= ' ' && c <= '~';
    if (is_text) {
        text = "\"" + std::string(begin) + "\"";
    } else {
        for (const char c : begin) {
            char digits[3];
            std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
            text += digits;
        }
    }
    return value.size() > most ? text + "… (" + std::to_string(value.size()) + " bytes)" : text;
}

/// Labels are given out by the security module, which may have its own for a mount.
bool is_label(const std::string& name) {
    return name == "security.selinux" || name.starts_with("security.SMACK64");
}

Xattrs read_xattrs(const XattrTarget& target) {
    Xattrs xattrs;
    for (const std::string& name : target.names()) {
        if (auto value = target.get(name))
            xattrs.emplace(name, *std::move(value));
    }
    return xattrs;
}

std::string read_target(int directory, const std::string& name) {
    char buffer[PATH_MAX];
    const ssize_t size = readlinkat(directory, name.c_str(), buffer, sizeof buffer);
    return size < 0 ? error_text(errno) : std::string(buffer, static_cast<size_t>(size));
}

} // namespace

/// One look at one name.
class Judge::Case {
public:
    Case(Judge& judge, std::string path, int directory, const std::string& name)
        : judge_(judge), path_(std::move(path)), directory_(directory), name_(name) {}

    Findings findings;
    bool is_directory = false;

    void judge_entry(const Directory& directory, const Entry& entry) {
        const auto opening = judge_.with_content_ ? tree::Union::Opening::yes : tree::Union::Opening::no;
        expectation_ = expect(subject(), directory, entry, opening);
        const int error = fstatat(directory_, name_.c_str(), &seen_, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
        switch (expectation_.kind) {
        case Expectation::Kind::absent:
            return judge_absent(directory, entry, error);
        case Expectation::Kind::error:
            return judge_error(error);
        case Expectation::Kind::object:
            break;
        }
        if (error)
            return find(expectation_.rule, describe(object()), error_text(error));
        if (!entry.listed)
            find(rules::listed, "listed", "not listed");
        else if (entry.listed->times > 1)
            find(rules::listed, "listed once", "listed " + std::to_string(entry.listed->times) + " times");
        else
            judge_listed(subject(), *entry.listed, seen_, path_, findings);
        judge_object();
    }

    void judge_directory(tree::Object object, int shown) {
        expectation_.object = std::move(object);
        seen_ = stat_of(shown, path_);
        open_ = shown;
        judge_attributes();
        judge_xattrs();
    }

private:
    const Subject& subject() const { return judge_.subject_; }
    const tree::Object& object() const { return *expectation_.object; }

    void find(const Rule& rule, std::string expected, std::string seen) {
        findings.push_back({path_, rule, std::move(expected), std::move(seen)});
    }

    std::string describe(const tree::Object& object) const {
        return std::string(type_text(object.st.st_mode)) + " of " + subject().model.layers()[object.place.layer]->path();
    }

    void judge_absent(const Directory& directory, const Entry& entry, int error) {
        if (error == ENOENT) {
            // The one exception, in docs/differences.md.
            const bool may_be_listed = subject().is_overlayfs && directory.object().parts.size() == 1;
            if (entry.listed && !may_be_listed)
                find(rules::listed_exists, "not listed", "listed, but " + error_text(error));
            return;
        }
        const Absence absence = explain_absence(subject(), path_);
        find(absence.rule, "nothing: " + absence.reason, error ? error_text(error) : type_text(seen_.st_mode));
    }

    void judge_error(int error) {
        if (error && error != ENOENT)
            return;
        // Data may be looked for no earlier than a file is opened.
        if (!error && S_ISREG(seen_.st_mode) && expectation_.rule == rules::missing_data && !open_shown())
            return;
        find(expectation_.rule, "an error: " + expectation_.reason, error ? error_text(error) : type_text(seen_.st_mode));
    }

    UniqueFd open_shown() const {
        UniqueFd fd(openat(directory_, name_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!fd && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
            throw Error::from_errno(path_, errno); // of this process, and not the mount's
        return fd;
    }

    void judge_object() {
        const mode_t type = object().st.st_mode & S_IFMT;
        if ((seen_.st_mode & S_IFMT) != type)
            return find(rules::type, describe(object()), type_text(seen_.st_mode));
        is_directory = type == S_IFDIR;
        if (type == S_IFREG && judge_.with_content_) {
            file_ = open_shown();
            if (!file_)
                find(rules::content, "can be opened", error_text(errno));
            open_ = file_.get();
        }
        judge_attributes();
        judge_xattrs();
        if (type == S_IFLNK)
            judge_target();
        if (file_ && seen_.st_size == object().st.st_size)
            judge_content();
    }

    void judge_attributes() {
        const struct stat& real = object().st;
        const bool is_device = S_ISCHR(real.st_mode) || S_ISBLK(real.st_mode);
        if ((seen_.st_mode & 07777) != (real.st_mode & 07777))
            find(rules::mode, "mode " + mode_text(real.st_mode), "mode " + mode_text(seen_.st_mode));
        if (seen_.st_uid != real.st_uid || seen_.st_gid != real.st_gid)
            find(rules::owner, owner_text(real), owner_text(seen_));
        if ((S_ISREG(real.st_mode) || S_ISLNK(real.st_mode)) && seen_.st_size != real.st_size)
            find(rules::size, "size " + std::to_string(real.st_size), "size " + std::to_string(seen_.st_size));
        if (!same_time(seen_.st_mtim, real.st_mtim))
            find(rules::times, "mtime " + time_text(real.st_mtim), "mtime " + time_text(seen_.st_mtim));
        else if (!same_time(seen_.st_ctim, real.st_ctim))
            find(rules::times, "ctime " + time_text(real.st_ctim), "ctime " + time_text(seen_.st_ctim));
        if (is_device && seen_.st_rdev != real.st_rdev)
            find(rules::device, device_text(real), device_text(seen_));
        judge_links(subject(), expectation_, seen_, path_, findings);
        judge_numbers(subject(), expected_number(subject(), expectation_, path_ == "/"), seen_, judge_.device_, path_,
                      findings);
        if (!S_ISDIR(real.st_mode) && (real.st_nlink > 1 || seen_.st_nlink > 1))
            judge_.groups_.judge(real, seen_, path_, findings);
    }

    void judge_xattrs() {
        const auto prefix = subject().model.prefix();
        const std::string_view own = ondisk::mark_prefix(prefix);
        const Xattrs expected = tree::shown_xattrs(subject().model, object());
        const Xattrs seen = read_xattrs(open_ >= 0 ? XattrTarget(open_) : XattrTarget(directory_, name_));
        for (const auto& [name, value] : expected) {
            const auto found = seen.find(name);
            if (is_label(name) || (found != seen.end() && found->second == value))
                continue;
            find(name.starts_with(own) ? rules::escaped_marks : rules::xattrs, name + "=" + value_text(value),
                 found == seen.end() ? "no " + name : name + "=" + value_text(found->second));
        }
        for (const auto& [name, value] : seen) {
            if (!is_label(name) && !expected.contains(name))
                find(name.starts_with(own) ? rules::marks_hidden : rules::xattrs, "no " + name,
                     name + "=" + value_text(value));
        }
    }

    void judge_target() {
        const std::string expected = tree::link_target(object());
        const std::string seen = read_target(directory_, name_);
        if (seen != expected)
            find(rules::target, "-> " + expected, "-> " + seen);
    }

    void judge_content() {
        const tree::Place& data = object().data;
        const std::string real_path = subject().model.layers()[data.layer]->path() + ": " + data.name;
        UniqueFd opened;
        if (!data.file)
            opened = tree::open_content(object());
        std::optional<uint64_t> differs;
        try {
            differs = judge_.comparison_.first_difference(static_cast<uint64_t>(seen_.st_size),
                                                          file_.get(), path_, data.file ? data.file->get() : opened.get(), real_path);
        } catch (const Error& error) {
            return find(rules::content, "can be read, as in its layer", error.what());
        }
        if (differs)
            find(rule_of_content(data), "the content of " + real_path,
                 "another from byte " + std::to_string(*differs) + " on");
    }

    Rule rule_of_content(const tree::Place& data) const {
        const auto& layers = subject().model.layers();
        if (data.layer >= layers.size() - subject().model.data_layers())
            return rules::data_layer;
        const bool is_own = data.layer == object().place.layer && data.name == object().place.name;
        return is_own ? rules::content : rules::data_below;
    }

    Judge& judge_;
    const std::string path_;
    const int directory_;
    const std::string& name_;
    Expectation expectation_;
    struct stat seen_ {};
    UniqueFd file_; ///< of the mount
    int open_ = -1; ///< what of the mount attributes are read from
};

Judge::Judge(const Subject& subject, bool with_content, dev_t device, LinkGroups& groups,
             const std::atomic<bool>& stop)
    : subject_(subject), with_content_(with_content), device_(device), groups_(groups), comparison_(stop) {}

Judge::Verdict Judge::look(const Directory& directory, const Entry& entry) {
    Case one(*this, directory.path() + "/" + entry.name, directory.shown(), entry.name);
    one.judge_entry(directory, entry);
    return {std::move(one.findings), one.is_directory};
}

Judge::Verdict Judge::judge(const Directory& directory, const Entry& entry) {
    Verdict first = look(directory, entry);
    return first.findings.empty() ? first : look(directory, directory.again(entry, subject_.model));
}

Findings Judge::judge_once(const Directory& directory, const Entry& entry) {
    return look(directory, entry).findings;
}

Findings Judge::judge_top(const tree::Object& object, int shown, const std::string& path) {
    const std::string name = ".";
    Case only(*this, path, shown, name);
    only.judge_directory(object, shown);
    return std::move(only.findings);
}

} // namespace shale::verify
