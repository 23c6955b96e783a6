// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/trace.hpp"

#include <cerrno>
#include <sstream>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/join.hpp"

namespace shale::tree {

namespace {

using ondisk::Mark;

std::vector<std::string> components_of(const std::string& path) {
    std::vector<std::string> components;
    std::istringstream stream(path);
    for (std::string component; std::getline(stream, component, '/');) {
        if (!component.empty() && component != ".")
            components.push_back(component);
    }
    return components;
}

/// Goes through the layers one after another, and keeps what the upper ones mean for those below.
class Tracer {
public:
    Tracer(const Union& tree, const std::string& path, std::size_t data_layers)
        : tree_(tree), first_data_layer_(tree.layers().size() - data_layers),
          path_(components_of(path)) {}

    Trace run() && {
        for (std::size_t layer = 0; layer < tree_.layers().size(); ++layer) {
            if (layer < first_data_layer_ || (wants_data_ && !trace_.hider))
                ask(layer);
        }
        return std::move(trace_);
    }

private:
    void ask(std::size_t layer) {
        // Of this layer; they hold for those below it.
        std::vector<std::string> next = path_;
        std::optional<Hider> hider;

        const auto& root = tree_.layers()[layer];
        Directory in{root, &root->descriptor()};
        if (path_.empty()) {
            Sighting sighting;
            sighting.layer = layer;
            sighting.st = stat_of(root->fd(), root->path());
            trace_.sightings.push_back(std::move(sighting));
            return;
        }
        for (std::size_t depth = 0; depth < path_.size(); ++depth) {
            const bool last = depth + 1 == path_.size();
            const Place place{layer, in, path_[depth]};
            const auto st = look_at(place);
            if (!st)
                break;
            if (is_whiteout(place, *st)) {
                hider = Hider{layer, path_to(depth), HiddenBy::whiteout};
                if (last)
                    note(place, *st, depth).whiteout = true;
                break;
            }
            if (last) {
                take(note(place, *st, depth), next, hider);
            } else if (!S_ISDIR(st->st_mode)) {
                hider = Hider{layer, path_to(depth), HiddenBy::no_merger};
                break;
            } else {
                follow(place, depth, next, hider);
                in = std::make_shared<const UniqueFd>(
                    open_at(in->get(), path_[depth], O_PATH | O_DIRECTORY | O_NOFOLLOW));
            }
        }
        // What is hidden itself hides nothing, and leads nowhere.
        if (trace_.hider)
            return;
        trace_.hider = std::move(hider);
        path_ = std::move(next);
    }

    std::optional<struct stat> look_at(const Place& place) const {
        struct stat st {};
        if (fstatat(place.parent->get(), place.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0)
            return st;
        if (errno == ENOENT || errno == ENAMETOOLONG)
            return std::nullopt;
        throw Error::from_errno(tree_.layers()[place.layer]->path() + ": " + place.name, errno);
    }

    std::optional<std::string> mark(const Place& place, Mark mark) const {
        return place.xattrs().get(ondisk::xattr_name(tree_.prefix(), mark));
    }

    bool is_whiteout(const Place& place, const struct stat& st) const {
        return ondisk::is_whiteout_device(st.st_mode, st.st_rdev) ||
               (ondisk::may_be_xattr_whiteout(st.st_mode, st.st_size) && mark(place, Mark::whiteout));
    }

    /// The path that the current layer was asked for, as far as @p depth.
    std::string path_to(std::size_t depth) const {
        return join({path_.begin(), path_.begin() + static_cast<std::ptrdiff_t>(depth) + 1}, "/");
    }

    Sighting& note(const Place& place, const struct stat& st, std::size_t depth) {
        Sighting sighting;
        sighting.layer = place.layer;
        sighting.path = path_to(depth);
        sighting.st = st;
        sighting.hider = trace_.hider;
        sighting.origin = mark(place, Mark::origin).has_value();
        sighting.redirect = mark(place, Mark::redirect);
        sighting.metacopy = S_ISREG(st.st_mode) && mark(place, Mark::metacopy);
        sighting.opaque =
            S_ISDIR(st.st_mode) && ondisk::decode_opaque(mark(place, Mark::opaque).value_or("")) ==
                                       ondisk::Opaque::yes;
        trace_.sightings.push_back(std::move(sighting));
        return trace_.sightings.back();
    }

    /// An object at the end of the path.
    void take(Sighting& sighting, std::vector<std::string>& next, std::optional<Hider>& hider) {
        if (trace_.hider)
            return;
        const bool directory = S_ISDIR(sighting.st.st_mode);
        if (!first_is_directory_)
            first_is_directory_ = directory;
        else if (*first_is_directory_ != directory)
            sighting.hider = Hider{first_layer_, first_path_, HiddenBy::object};
        if (first_path_.empty()) {
            first_layer_ = sighting.layer;
            first_path_ = sighting.path;
        }
        const Hider itself{sighting.layer, sighting.path,
                           directory && sighting.opaque ? HiddenBy::opaque : HiddenBy::object};
        if (sighting.hider || (directory ? sighting.opaque : !sighting.metacopy))
            hider = sighting.hider ? sighting.hider : itself;
        if (sighting.hider || !sighting.redirect)
            return;
        if (directory ? sighting.opaque : !sighting.metacopy)
            return;
        if (!directory)
            wants_data_ = sighting.redirect->starts_with('/');
        redirect(*sighting.redirect, sighting, path_.size() - 1, next, hider);
    }

    /// A directory on the way.
    void follow(const Place& place, std::size_t depth, std::vector<std::string>& next,
                std::optional<Hider>& hider) {
        if (ondisk::decode_opaque(mark(place, Mark::opaque).value_or("")) == ondisk::Opaque::yes)
            hider = Hider{place.layer, path_to(depth), HiddenBy::opaque};
        else if (const auto value = mark(place, Mark::redirect)) {
            Sighting sighting;
            sighting.layer = place.layer;
            sighting.path = path_to(depth);
            redirect(*value, sighting, depth, next, hider);
        }
    }

    void redirect(const std::string& value, const Sighting& at, std::size_t depth,
                  std::vector<std::string>& next, std::optional<Hider>& hider) const {
        const auto target = ondisk::decode_redirect(value);
        if (!target)
            throw Error(tree_.layers()[at.layer]->path() + "/" + at.path,
                        "its redirect \"" + value + "\" is not valid");
        // What follows in the path stays; a relative redirect keeps what precedes it as well.
        const auto rest = next.end() - static_cast<std::ptrdiff_t>(path_.size() - depth - 1);
        std::vector<std::string> renamed;
        if (!target->absolute)
            renamed.assign(next.begin(), rest - 1);
        renamed.insert(renamed.end(), target->components.begin(), target->components.end());
        renamed.insert(renamed.end(), rest, next.end());
        next = std::move(renamed);
        if (target->absolute)
            hider.reset(); // an opaque directory on the way does not concern the new path
    }

    const Union& tree_;
    const std::size_t first_data_layer_;
    bool wants_data_ = false; ///< of a copy that says where they lie in a layer of data
    std::vector<std::string> path_; ///< what the next layer is asked for
    std::optional<bool> first_is_directory_;
    std::size_t first_layer_ = 0;
    std::string first_path_;
    Trace trace_;
};

} // namespace

Trace trace(const Union& tree, const std::string& path, std::size_t data_layers) {
    return Tracer(tree, path, data_layers).run();
}

} // namespace shale::tree
