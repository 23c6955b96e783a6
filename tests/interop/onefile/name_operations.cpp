// SPDX-License-Identifier: GPL-2.0-or-later
//
// Names and attributes: what copies a file up, with its data or without.
#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "operation.hpp"

namespace shale::onefile {

namespace {

void say(Session& session, const Subject& subject) {
    session.journal.say("%u", static_cast<unsigned>(&subject - session.subjects.data()));
}

void attributes_changed(Session& session, Subject& subject) {
    if (session.copies_data_with_attributes())
        subject.copied = true;
}

bool change_attributes(Session& session) {
    static constexpr mode_t modes[] = {0644, 0600, 0755, 0444, 04755};
    Subject& subject = session.pick_subject();
    if (subject.names.empty())
        return false;
    const unsigned way = session.dice.pick(4);
    const mode_t mode = session.dice.one_of(modes);
    say(session, subject);
    session.journal.say("way %u", way);
    const long result = session.both_paths(subject, [&](const char* path) -> long {
        switch (way) {
        case 0: return chmod(path, mode);
        case 1: return chown(path, 1 + mode, mode);
        case 2: return setxattr(path, "user.onefile", &mode, sizeof mode, 0);
        default: return utimensat(AT_FDCWD, path, nullptr, 0);
        }
    });
    if (result == 0)
        attributes_changed(session, subject);
    return true;
}

bool change_attributes_of_open(Session& session) {
    Handle* const handle = session.pick_handle(Session::Wish::any);
    if (!handle || session.subject_of(*handle).names.empty())
        return false;
    const mode_t mode = session.dice.chance(50) ? 0640 : 0660;
    say(session, session.subject_of(*handle));
    if (session.both(*handle, [&](int fd) { return fchmod(fd, mode); }) == 0)
        attributes_changed(session, session.subject_of(*handle));
    return true;
}

std::string free_name(Session& session, const Subject& subject) {
    const auto is_taken = [&](const std::string& name) {
        return access((session.stack.twin() + "/" + name).c_str(), F_OK) == 0;
    };
    for (unsigned number = 0;; ++number) {
        const std::string name = subject.names[0].substr(0, 1) + "." + std::to_string(number);
        if (!is_taken(name))
            return name;
    }
}

bool link_it(Session& session) {
    Subject& subject = session.pick_subject();
    if (subject.names.empty() || subject.names.size() > 3)
        return false;
    const std::string name = free_name(session, subject);
    say(session, subject);
    const long ours =
        answer(link(session.path(subject).c_str(), (session.stack.merged() + "/" + name).c_str()));
    if (session.agreed(ours, answer(link(session.twin_path(subject).c_str(),
                                         (session.stack.twin() + "/" + name).c_str()))) < 0)
        return true;
    attributes_changed(session, subject);
    subject.names.insert(subject.names.begin(), name);
    return true;
}

bool rename_it(Session& session) {
    Subject& subject = session.pick_subject();
    if (subject.names.empty())
        return false;
    const std::string name = free_name(session, subject);
    say(session, subject);
    const long ours = answer(
        rename(session.path(subject).c_str(), (session.stack.merged() + "/" + name).c_str()));
    if (session.agreed(ours, answer(rename(session.twin_path(subject).c_str(),
                                           (session.stack.twin() + "/" + name).c_str()))) < 0)
        return true;
    attributes_changed(session, subject);
    subject.names[0] = name;
    return true;
}

bool use_other_name(Session& session) {
    Subject& subject = session.pick_subject();
    if (subject.names.size() < 2)
        return false;
    std::rotate(subject.names.begin(), subject.names.begin() + 1, subject.names.end());
    say(session, subject);
    session.journal.say("%s", subject.names[0].c_str());
    return true;
}

/// The last name only rarely: much can't be done without.
bool unlink_it(Session& session) {
    Subject& subject = session.pick_subject();
    if (subject.names.empty() || (subject.names.size() == 1 && !session.dice.chance(10)))
        return false;
    say(session, subject);
    session.journal.say("%s", subject.names[0].c_str());
    if (session.both_paths(subject, [](const char* path) { return unlink(path); }) < 0)
        return true;
    subject.names.erase(subject.names.begin());
    if (!subject.names.empty())
        attributes_changed(session, subject); // the index counts them
    /* Where its data is from now on, can't be told. */
    if (subject.names.empty() && !subject.copied) {
        const auto number = static_cast<unsigned>(&subject - session.subjects.data());
        std::erase_if(session.mappings,
                      [&](const auto& mapping) { return mapping->subject == number; });
    }
    return true;
}

constexpr Operation table[] = {
    {"attributes", 3, Effect::attributes, change_attributes},
    {"fchmod", 2, Effect::attributes, change_attributes_of_open},
    {"link", 2, Effect::attributes, link_it},
    {"rename", 2, Effect::attributes, rename_it},
    {"other-name", 2, Effect::none, use_other_name},
    {"unlink", 2, Effect::attributes, unlink_it},
};

} // namespace

std::span<const Operation> name_operations() {
    return table;
}

} // namespace shale::onefile
