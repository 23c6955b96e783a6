// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/journal.hpp"

#include <cerrno>
#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "fsck/marks_of.hpp"

namespace shale::fsck {

namespace {

using Json = nlohmann::json;

std::string now() {
    const std::time_t seconds = std::time(nullptr);
    struct tm parts {};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof(text), "%FT%TZ", &parts);
    return text;
}

const char* name_of(Step::Action action) {
    switch (action) {
    case Step::Action::set_mark:
        return "set";
    case Step::Action::remove_mark:
        return "remove-mark";
    case Step::Action::remove_file:
        return "remove-file";
    case Step::Action::remove_directory:
        return "remove-directory";
    }
    return "";
}

/// All there is to tell of an object that is to be removed, but what it holds.
Json description(int parent, const std::string& name) {
    const auto st = stat_at(parent, name);
    if (!st)
        return {};
    Json attributes = Json::object();
    const XattrTarget object(parent, name);
    for (const std::string& attribute : object.names()) {
        if (const auto value = object.get(attribute))
            attributes[attribute] = hex(*value);
    }
    return {{"mode", st->st_mode},   {"uid", st->st_uid},   {"gid", st->st_gid},
            {"size", st->st_size},   {"nlink", st->st_nlink}, {"ino", st->st_ino},
            {"rdev", st->st_rdev},   {"mtime", st->st_mtim.tv_sec}, {"attributes", attributes}};
}

/// A path may hold bytes that are no text, and nobody could undo anything without knowing them.
void put_path(Json& line, const std::string& path) {
    line["path"] = path;
    try {
        line.dump();
    } catch (const Json::exception&) {
        line["path_bytes"] = hex(path);
    }
}

Json value_before(int parent, const std::string& name, const std::string& attribute) {
    const auto value = XattrTarget(parent, name).get(attribute);
    return value ? Json(hex(*value)) : Json();
}

} // namespace

Journal::Journal(const std::string& path)
    : path_(path), fd_(open_at(AT_FDCWD, path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0600)) {
    if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0)
        throw errno == EWOULDBLOCK ? Error(path, "another fsck is writing to this journal", "wait for it")
                                   : Error::from_errno(path, errno);
    const struct stat st = stat_of(fd_.get(), path);
    char last = '\n';
    // A crash may have cut off the last line.
    if (st.st_size > 0 && pread(fd_.get(), &last, 1, st.st_size - 1) == 1 && last != '\n')
        append("");
    const std::string directory = std::filesystem::path(path).parent_path();
    if (fsync(open_at(AT_FDCWD, directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY).get()) != 0)
        throw Error::from_errno(path, errno);
}

void Journal::note(const Finding& finding, const Step& step, int parent, const std::string& name) {
    Json line = {{"time", now()},
                 {"kind", finding.kind->name},
                 {"rule", finding.kind->rule},
                 {"base", step.base},
                 {"action", name_of(step.action)}};
    put_path(line, step.path);
    if (step.attribute.empty()) {
        line["before"] = description(parent, name);
    } else {
        line["attribute"] = step.attribute;
        line["before"] = value_before(parent, name, step.attribute);
        line["after"] = step.action == Step::Action::set_mark ? Json(hex(step.value)) : Json();
    }
    append(line.dump(-1, ' ', true, Json::error_handler_t::replace));
}

void Journal::append(std::string line) {
    line += '\n';
    for (std::size_t at = 0; at < line.size();) {
        const ssize_t written = write(fd_.get(), line.data() + at, line.size() - at);
        if (written < 0 && errno != EINTR)
            throw Error::from_errno(path_, errno, "nothing was changed that is not in it");
        at += written > 0 ? static_cast<std::size_t>(written) : 0;
    }
    if (fsync(fd_.get()) != 0)
        throw Error::from_errno(path_, errno, "nothing was changed that is not in it");
}

} // namespace shale::fsck
