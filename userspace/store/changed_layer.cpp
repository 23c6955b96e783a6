// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/changed_layer.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "ondisk/xattr_names.hpp"
#include "oci/file_extents.hpp"
#include "store/attributes.hpp"
#include "tree/attributes.hpp"
#include "tree/comparison.hpp"

namespace shale {

namespace {

using tree::Identity;
using tree::same_time;

Identity identity_of(const tree::Object& object) {
    return tree::identity_of(object.st);
}

/// A file that has, or had, more names than one.
bool is_linked(const tree::Object& object) {
    return !object.is_directory() && object.st.st_nlink > 1;
}

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string last_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

/// A name that a layer gives to what hides another.
bool is_whiteout_name(const std::string& name) {
    return name.starts_with(".wh.");
}

bool has_whiteout_name(const std::string& path) {
    return is_whiteout_name(path) || path.find("/.wh.") != std::string::npos;
}

/// Programs write other names of attributes into a tar in one way, and read them in another.
bool has_plain_name(const std::string& xattr) {
    return std::all_of(xattr.begin(), xattr.end(),
                       [](unsigned char c) { return c > ' ' && c < 0x7f && c != '%' && c != '='; });
}

class ChangedLayer {
public:
    ChangedLayer(const tree::Union& before, const tree::Union& after, size_t changed, std::optional<int64_t> latest,
                 oci::LayerWriter& writer, Omissions& omissions, Progress& progress)
        : before_(before), after_(after), changed_(changed), latest_(latest), writer_(writer),
          omissions_(omissions), progress_(progress) {}

    void write() {
        find_links();
        tree::compare(before_, after_, [&](const tree::Pair& pair) { return visit(pair); });
        directories_.clear();
        written_ = 0;
        write_names_elsewhere();
    }

private:
    void find_links() {
        tree::compare(before_, after_, [&](const tree::Pair& pair) {
            if (is_whiteout_name(last_of(pair.path)))
                return tree::Descend::no;
            if (pair.after && is_linked(*pair.after) && looks_changed(pair)) {
                if (is_in_changed(*pair.after))
                    changed_links_.insert(identity_of(*pair.after));
                else
                    names_elsewhere_.emplace(identity_of(*pair.after), pair.after->st.st_nlink).first->second--;
            }
            return below(pair);
        });
    }

    bool is_in_changed(const tree::Object& object) const { return object.place.layer < changed_; }

    static tree::Descend below(const tree::Pair& pair) {
        return pair.merged ? tree::Descend::compare : tree::Descend::as_new;
    }

    /// A lower file that is in a renamed directory is written; its names that are in no changed place have to
    /// be links of it then. Where it may have some, all of the tree is looked through.
    void write_names_elsewhere() {
        std::erase_if(names_elsewhere_, [](const auto& file) { return file.second == 0; });
        if (names_elsewhere_.empty())
            return;
        std::vector<std::string> paths;
        tree::walk(after_, [&](const std::string& path, const tree::Object& object) {
            if (is_linked(object) && names_elsewhere_.contains(identity_of(object)) &&
                !written_links_.contains(path.substr(1)) && !has_whiteout_name(path))
                paths.push_back(path.substr(1));
        });
        for (const std::string& path : paths)
            write_again(path);
    }

    /// Something unchanged, with the directories on the way that were not written yet.
    void write_again(const std::string& path) {
        tree::Object object = after_.root();
        for (size_t end = 0; end < path.size();) {
            const size_t begin = end == 0 ? 0 : end + 1;
            const std::string directory = path.substr(0, end);
            if (written_directories_.insert(directory).second)
                writer_.add(directory, describe(directory, object));
            end = std::min(path.find('/', begin), path.size());
            object = after_.look_up(object, path.substr(begin, end - begin)).value();
        }
        write_object(path, object);
    }

    bool looks_changed(const tree::Pair& pair) const {
        return !pair.before ||
               (!pair.same && !tree::look_alike(before_, *pair.before, after_, *pair.after));
    }

    bool has_changed(const tree::Pair& pair) const {
        if (is_linked(*pair.after) && is_in_changed(*pair.after))
            return changed_links_.contains(identity_of(*pair.after));
        return looks_changed(pair);
    }

    tree::Descend visit(const tree::Pair& pair) {
        const std::string path = pair.path.substr(1);
        if (progress_.cancelled())
            throw Cancelled("layer");
        forget_directories_beside(path);
        if (pair.same && !pair.after->is_directory())
            return tree::Descend::no;
        if (!pair.after || is_left_out(path, *pair.after)) {
            if (pair.before)
                hide(path);
            return tree::Descend::no;
        }
        if (pair.after->is_directory())
            return visit_directory(path, pair);
        if (has_changed(pair))
            write_object(path, *pair.after);
        return tree::Descend::no;
    }

    tree::Descend visit_directory(const std::string& path, const tree::Pair& pair) {
        directories_.emplace_back(path, describe(path, *pair.after));
        if (pair.merged) {
            if (looks_changed(pair) || (!pair.same && !same_time(pair.before->st.st_mtim, pair.after->st.st_mtim)))
                write_directories();
            return below(pair);
        }
        write_directories();
        if (pair.before && pair.before->is_directory())
            writer_.opaque(path, time_of_marks());
        return below(pair);
    }

    /// Keeps those above @p path: it may turn out that they have something changed in them.
    void forget_directories_beside(const std::string& path) {
        const auto is_above = [&](const std::string& directory) {
            return directory.empty() ? !path.empty() : path.starts_with(directory + "/");
        };
        while (!directories_.empty() && !is_above(directories_.back().first))
            directories_.pop_back();
        written_ = std::min(written_, directories_.size());
    }

    void write_directories() {
        for (; written_ < directories_.size(); ++written_) {
            writer_.add(directories_[written_].first, directories_[written_].second);
            written_directories_.insert(directories_[written_].first);
        }
    }

    void hide(const std::string& path) {
        write_directories();
        writer_.whiteout(parent_of(path), last_of(path), time_of_marks());
    }

    bool is_left_out(const std::string& path, const tree::Object& object) {
        if (S_ISSOCK(object.st.st_mode))
            omissions_.note(Omissions::Kind::socket, "/" + path + ": left out, as a layer holds no sockets");
        else if (is_whiteout_name(last_of(path)))
            omissions_.note(Omissions::Kind::whiteout_name,
                            "/" + path + ": left out, as in a layer such a name hides another");
        else
            return false;
        return true;
    }

    void write_object(const std::string& path, const tree::Object& object) {
        write_directories();
        oci::TarEntry entry = describe(path, object);
        if (is_linked(object)) {
            written_links_.insert(path);
            const auto [first, is_first] = links_.emplace(identity_of(object), path);
            entry.hard_link = !is_first;
            if (entry.hard_link) {
                entry.link = first->second;
                entry.xattrs.clear();
                entry.size = 0;
                return writer_.add(path, entry);
            }
        }
        if (S_ISREG(entry.mode))
            write_file(path, entry, object);
        else
            writer_.add(path, entry);
    }

    void write_file(const std::string& path, const oci::TarEntry& entry, const tree::Object& object) {
        const UniqueFd fd = tree::open_content(object);
        const std::vector<oci::Extent> extents = oci::file_extents(fd.get(), entry.size, entry.thing);
        writer_.begin_file(path, entry, extents);
        uint64_t offset = 0;
        for (const oci::Extent& extent : extents) {
            writer_.hole(extent.offset - offset);
            write_extent(fd.get(), extent, entry.thing);
            offset = extent.offset + extent.size;
        }
        writer_.hole(entry.size - offset);
    }

    void write_extent(int fd, const oci::Extent& extent, const std::string& thing) {
        if (lseek(fd, static_cast<off_t>(extent.offset), SEEK_SET) < 0)
            throw Error::from_errno(thing, errno);
        for (uint64_t left = extent.size; left > 0;) {
            if (progress_.cancelled())
                throw Cancelled(thing);
            const size_t want = static_cast<size_t>(std::min<uint64_t>(left, buffer_.size()));
            const size_t got = read_some(fd, buffer_.data(), want, thing);
            if (got == 0)
                throw Error(thing, "became shorter while it was read");
            writer_.content(std::as_bytes(std::span(buffer_.data(), got)));
            progress_.advance(got);
            left -= got;
        }
    }

    oci::TarEntry describe(const std::string& path, const tree::Object& object) {
        oci::TarEntry entry;
        entry.thing = "/" + path;
        entry.mode = object.st.st_mode;
        entry.uid = object.st.st_uid;
        entry.gid = object.st.st_gid;
        entry.device = object.st.st_rdev;
        entry.size = S_ISREG(entry.mode) ? static_cast<uint64_t>(object.st.st_size) : 0;
        entry.modified = not_too_late(object.st.st_mtim);
        if (S_ISLNK(entry.mode))
            entry.link = tree::link_target(object);
        for (const auto& [name, value] : tree::shown_xattrs(after_, object))
            add_xattr(entry, name, value);
        return entry;
    }

    void add_xattr(oci::TarEntry& entry, const std::string& name, const std::string& value) {
        if (ondisk::is_private_to_any(name))
            omissions_.note(Omissions::Kind::overlay_xattr, entry.thing + ": dropped attribute " + name +
                                                                ", which only a mount may set");
        else if (!has_plain_name(name))
            omissions_.note(Omissions::Kind::xattr_name,
                            entry.thing + ": dropped attribute '" + name + "', whose name a tar does not keep");
        else if (!is_of_this_machine(name))
            entry.xattrs.emplace_back(name, value);
    }

    struct timespec not_too_late(const struct timespec& time) const {
        if (latest_ && time.tv_sec >= *latest_)
            return {static_cast<time_t>(*latest_), 0};
        if (time.tv_sec < 0) // programs read fractions before 1970 in two ways
            return {time.tv_sec, 0};
        return time;
    }

    /// Nobody sees it: the same for the same tree.
    struct timespec time_of_marks() const { return {static_cast<time_t>(latest_.value_or(0)), 0}; }

    const tree::Union& before_;
    const tree::Union& after_;
    const size_t changed_; ///< so many layers of it, the top-most, are on top of the others
    const std::optional<int64_t> latest_;
    oci::LayerWriter& writer_;
    Omissions& omissions_;
    Progress& progress_;
    std::set<Identity> changed_links_;       ///< of the changed layers
    std::map<Identity, nlink_t> names_elsewhere_; ///< of lower files: how many are in no changed place
    std::map<Identity, std::string> links_;  ///< the first name that was written
    std::set<std::string> written_links_; ///< all such names
    std::set<std::string> written_directories_;
    /// The directory that is looked through and those above it, the root first.
    std::vector<std::pair<std::string, oci::TarEntry>> directories_;
    size_t written_ = 0; ///< so many of them
    std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

} // namespace

void write_changed_layer(const tree::Union& before, const tree::Union& after, size_t changed,
                         std::optional<int64_t> latest, oci::LayerWriter& writer, Omissions& omissions,
                         Progress& progress) {
    ChangedLayer(before, after, changed, latest, writer, omissions, progress).write();
}

} // namespace shale
