// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/index_check.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <fcntl.h>
#include <linux/shale_ondisk.h>
#include <sys/stat.h>

#include "base/at.hpp"
#include "base/names_in.hpp"
#include "fsck/leftover.hpp"
#include "fsck/names_of_files.hpp"

namespace shale::fsck {

using ondisk::Mark;

namespace {

std::string path_of(const std::string& name) {
    return name.empty() ? SHALE_INDEX_DIR : SHALE_INDEX_DIR "/" + name;
}

/// The file system that a well-formed record is of.
std::string uuid_of(const std::string& record) {
    return record.substr(offsetof(struct shale_origin, uuid), sizeof(shale_origin::uuid));
}

/// Directories apart, and whiteouts, which stand for what was removed.
bool is_file(const struct stat& st) {
    return !S_ISDIR(st.st_mode) && !ondisk::is_whiteout_device(st.st_mode, st.st_rdev);
}

} // namespace

IndexCheck::IndexCheck(const Subject& subject, Sink& sink)
    : subject_(subject), sink_(sink), lower_(subject.layers, 1), upper_({subject.layers.front()}, 0) {
    if (!subject.work)
        return;
    const auto work = tree::Layer::open(*subject.work);
    index_ = try_open_beneath(work->fd(), SHALE_INDEX_DIR, O_RDONLY | O_DIRECTORY);
    if (!index_ && errno == ENOENT)
        return;
    if (!index_)
        throw Error::from_errno(base() + "/" SHALE_INDEX_DIR, errno);
    for (const std::string& name : names_in(index_.get())) {
        const auto st = stat_at(index_.get(), name);
        if (!st)
            continue;
        __u8 record[SHALE_INDEX_NAME_MAX];
        const auto size = shale_index_name_decode(name.data(), name.size(), record);
        entries_.push_back({name, {reinterpret_cast<const char*>(record), size}, *st});
        if (size && is_file(*st))
            facts_.indexed.insert(tree::identity_of(*st));
        facts_.wants_directories |= size && S_ISDIR(st->st_mode);
    }
}

void IndexCheck::found(const Kind& kind, const std::string& name, const std::string& detail, std::vector<Step> steps) {
    sink_.add({&kind, base(), path_of(name), detail, std::move(steps)});
}

std::optional<std::string> IndexCheck::mark(const std::string& name, Mark mark) const {
    return XattrTarget(index_.get(), name.empty() ? "." : name).get(ondisk::xattr_name(subject_.prefix, mark));
}

Step IndexCheck::setting(const std::string& name, Mark mark, const std::string& value) const {
    return {Step::Action::set_mark, base(), path_of(name), ondisk::xattr_name(subject_.prefix, mark), value};
}

std::vector<Step> IndexCheck::removing(const Entry& entry) const {
    const auto action = S_ISDIR(entry.st.st_mode) ? Step::Action::remove_directory : Step::Action::remove_file;
    return {{action, base(), path_of(entry.name), "", ""}};
}

bool IndexCheck::has_marks(ondisk::Prefix prefix) const {
    const auto has = [&](const std::string& name) {
        const XattrTarget object(index_.get(), name);
        return object.get(ondisk::xattr_name(prefix, Mark::upper)) || object.get(ondisk::xattr_name(prefix, Mark::origin));
    };
    return has(".") || std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return has(entry.name); });
}

bool IndexCheck::belongs() {
    const auto other = subject_.prefix == ondisk::Prefix::user ? ondisk::Prefix::trusted : ondisk::Prefix::user;
    if (!has_marks(subject_.prefix) && has_marks(other)) {
        found(kinds::index_foreign, "", std::string("was made by mounts ") +
                                            (other == ondisk::Prefix::user ? "with" : "without") + " userxattr");
        return false;
    }
    const auto leads_elsewhere = [](const tree::Origins::Lead& lead, const std::shared_ptr<const tree::Layer>& wanted) {
        return lead.object ? tree::identity_of(*lead.object) != tree::identity_of(stat_of(wanted->fd(), wanted->path()))
                           : lead.is_sure;
    };
    const auto of_index = mark("", Mark::upper);
    if (of_index && is_valid_origin(*of_index) &&
        leads_elsewhere(upper_.lead(*of_index, tree::Origins::Of::upper), subject_.layers.front())) {
        found(kinds::index_other_upper, "", "is not of this upper");
        return false;
    }
    const auto of_upper = XattrTarget(open_at(subject_.layers.front()->fd(), ".", O_RDONLY | O_DIRECTORY).get())
                              .get(ondisk::xattr_name(subject_.prefix, Mark::origin));
    if (of_upper && is_valid_origin(*of_upper) && subject_.knows_below() &&
        leads_elsewhere(lower_.lead(*of_upper, tree::Origins::Of::lower), subject_.layers[1])) {
        found(kinds::index_other_lowers, "", "was made for another top-most lower layer");
        return false;
    }
    if (of_upper && is_valid_origin(*of_upper) && lower_.follow(*of_upper))
        file_system_ = uuid_of(*of_upper);
    return true;
}

void IndexCheck::foreign(const Entry& entry, const std::string& detail) {
    found(kinds::index_foreign, entry.name, detail);
}

void IndexCheck::run() {
    if (!index_ || !belongs())
        return;
    std::vector<File> files;
    for (const Entry& entry : entries_) {
        if (entry.name.starts_with('#')) {
            if (!subject_.is_live)
                judge_leftover(base(), index_.get(), entry.name, path_of(entry.name), sink_);
            continue;
        }
        sink_.count();
        if (entry.record.empty())
            foreign(entry, "is not named after an origin");
        else if (S_ISDIR(entry.st.st_mode))
            directory(entry);
        else if (is_file(entry.st) && subject_.knows_below())
            file(entry, files);
    }
    if (!files.empty())
        count_links(files);
}

/// The entry of a directory is an empty one, whose mark `upper` leads to the copy.
void IndexCheck::directory(const Entry& entry) {
    const UniqueFd inside = open_at(index_.get(), entry.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!names_in(inside.get()).empty()) {
        foreign(entry, "the entry of a directory, and not empty");
        return;
    }
    const auto upper = mark(entry.name, Mark::upper);
    if (!upper || !is_valid_origin(*upper)) {
        found(kinds::index_directory_stale, entry.name, "no mark leads to the directory that it is of", removing(entry));
        return;
    }
    const auto lead = upper_.lead(*upper, tree::Origins::Of::upper);
    if (!lead.object && !lead.is_sure)
        return;
    const auto directory = lead.object ? facts_.directories.find(tree::identity_of(*lead.object)) : facts_.directories.end();
    if (directory == facts_.directories.end())
        found(kinds::index_directory_stale, entry.name, "the directory that it is of is not in the upper", removing(entry));
    else if (!is_valid_origin(directory->second))
        foreign(entry, "the directory that it is of does not tell what it was copied from");
    else if (directory->second != entry.record)
        found(kinds::index_directory_stale, entry.name, "the directory that it is of was copied from another",
              removing(entry));
}

void IndexCheck::file(const Entry& entry, std::vector<File>& files) {
    // Another link may be in the work directory, or a name that no layer named here has.
    const bool has_other_names = facts_.named.contains(tree::identity_of(entry.st));
    const auto lost = [&](const std::string& why) {
        if (has_other_names)
            found(kinds::index_stale, entry.name, why, removing(entry));
        else
            found(kinds::index_last_copy, entry.name, why + ", and the file has no other name");
    };
    const auto lead = lower_.lead(entry.record, tree::Origins::Of::lower);
    if (!lead.object) {
        // Of a file system that no layer here is on: who named the layers may have left one out.
        if (lead.is_sure && file_system_ == uuid_of(entry.record))
            lost("what it was copied from is not there");
        return;
    }
    if ((lead.object->st_mode ^ entry.st.st_mode) & S_IFMT) {
        found(kinds::index_type, entry.name, "is of another type than what it was copied from");
        return;
    }
    const auto origin = mark(entry.name, Mark::origin);
    if (!origin || !is_valid_origin(*origin)) {
        found(kinds::index_origin, entry.name, "the copy has no mark that tells its origin",
              {setting(entry.name, Mark::origin, entry.record)});
    } else if (*origin != entry.record) {
        lost("its name tells of another origin than its mark");
        return;
    }
    files.push_back({entry, *lead.object});
}

void IndexCheck::count_links(const std::vector<File>& files) {
    std::map<tree::Identity, uint64_t> wanted;
    for (const File& file : files) {
        wanted[tree::identity_of(file.entry.st)] = 0;
        wanted[tree::identity_of(file.lower)] = 0;
    }
    const auto names = count_names(subject_, std::move(wanted), sink_);
    for (const File& file : files)
        links(file, names.count.at(tree::identity_of(file.entry.st)) + names.count.at(tree::identity_of(file.lower)),
              names.is_complete);
}

/// The mark says how many names the union has. Who believes in too few drops the copy while names still lead to it.
void IndexCheck::links(const File& file, uint64_t names, bool is_complete) {
    const auto difference = static_cast<int64_t>(names) - static_cast<int64_t>(file.entry.st.st_nlink);
    const std::string right = (difference < 0 ? "U-" : "U+") + std::to_string(std::abs(difference));
    const std::vector<Step> repair{setting(file.entry.name, Mark::nlink, right)};
    const auto value = mark(file.entry.name, Mark::nlink);
    const std::string there = "and there are " + std::to_string(names);
    struct shale_nlink decoded {};
    if (!value || !shale_nlink_decode(value->data(), value->size(), &decoded)) {
        found(kinds::nlink_malformed, file.entry.name,
              (value ? "the mark nlink says " + shown_value(*value) : "there is no mark nlink") +
                  (is_complete ? "" : "; how many names there are can't be told before the rest is in order"),
              is_complete && names > 0 ? repair : std::vector<Step>()); // without names nothing would keep the copy
        return;
    }
    const auto said = static_cast<int64_t>(decoded.of_upper ? file.entry.st.st_nlink : file.lower.st_nlink) + decoded.diff;
    if (said < static_cast<int64_t>(names))
        found(kinds::nlink_low, file.entry.name, "the mark nlink tells of " + std::to_string(said) + " names, " + there,
              repair);
    else if (is_complete && names == 0 && said <= 0 && file.entry.st.st_nlink == 1)
        found(kinds::index_orphan, file.entry.name, "no name leads to it any more", removing(file.entry));
    else if (is_complete && said > static_cast<int64_t>(names))
        found(kinds::nlink_high, file.entry.name, "the mark nlink tells of " + std::to_string(said) + " names, " + there);
}

} // namespace shale::fsck
