// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/search.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale::tree {

using ondisk::Mark;

namespace {

/// What there is under @p name in the directory @p in; nothing where there is none.
std::optional<struct stat> look_at(const Directory& in, const std::string& name, const std::string& shown) {
    struct stat st {};
    if (fstatat(in->get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0)
        return st;
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
        return std::nullopt;
    throw Error::from_errno(shown, errno);
}

/// The regular file @p name, open; nothing where it can't be, so that errors come when it is read.
std::shared_ptr<const UniqueFd> open_file(const Directory& in, const std::string& name) {
    UniqueFd fd(openat(in->get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    return fd ? std::make_shared<const UniqueFd>(std::move(fd)) : nullptr;
}

} // namespace

Search::Search(const Union& tree, std::string name, Union::Opening opening)
    : tree_(tree), opening_(opening), path_{std::move(name)} {}

std::optional<std::string> Search::mark(const Place& place, Mark mark) const {
    return place.xattrs().get(ondisk::xattr_name(tree_.prefix(), mark));
}

/// The object called @p name in one layer; a whiteout ends the search, as it hides what is below.
std::optional<Search::Found> Search::step(const Directory& in, std::size_t layer,
                                          const std::string& name) {
    const auto st = look_at(in, name, tree_.layers()[layer]->path() + ": " + name);
    if (!st)
        return std::nullopt;
    Found found{*st, {layer, in, name}};
    if (opening_ == Union::Opening::yes && S_ISREG(st->st_mode))
        found.place.file = open_file(in, name);
    if (ondisk::is_whiteout_device(st->st_mode, st->st_rdev) ||
        (ondisk::may_be_xattr_whiteout(st->st_mode, st->st_size) &&
         mark(found.place, Mark::whiteout))) {
        done_ = true;
        return std::nullopt;
    }
    return found;
}

std::string Search::shown(const Place& place) const {
    return tree_.layers()[place.layer]->path() + ": " + place.name;
}

/// Opens a directory on the way and heeds its marks. @p depth is its place in path_; @p next is
/// what the layers below will be asked for.
Directory Search::enter(Found& found, std::size_t depth, std::vector<std::string>& next) {
    const int how = opening_ == Union::Opening::yes ? O_RDONLY : O_PATH;
    auto directory = std::make_shared<const UniqueFd>(
        open_at(found.place.parent->get(), found.place.name, how | O_DIRECTORY | O_NOFOLLOW));
    if (how == O_RDONLY)
        found.place.file = directory;
    if (ondisk::decode_opaque(mark(found.place, Mark::opaque).value_or("")) == ondisk::Opaque::yes)
        done_ = true;
    else
        follow_redirect(found.place, depth, next);
    return directory;
}

void Search::follow_redirect(const Place& place, std::size_t depth,
                             std::vector<std::string>& next) {
    const auto value = mark(place, Mark::redirect);
    if (!value)
        return;
    const auto redirect = ondisk::decode_redirect(*value);
    if (!redirect)
        throw Damaged(Damaged::Kind::redirect, shown(place), "its redirect \"" + *value + "\" is not valid");

    // What follows in the path stays; a relative redirect keeps what precedes it as well.
    const auto rest = next.end() - static_cast<std::ptrdiff_t>(path_.size() - depth - 1);
    std::vector<std::string> renamed;
    if (!redirect->absolute)
        renamed.assign(next.begin(), rest - 1);
    renamed.insert(renamed.end(), redirect->components.begin(), redirect->components.end());
    renamed.insert(renamed.end(), rest, next.end());
    next = std::move(renamed);
    redirected_ = true;
    if (redirect->absolute) {
        from_roots_ = true;
        done_ = false; // an opaque directory on the way does not concern the new path
    }
}

void Search::ask(const Part& base) {
    Directory in = base.directory;
    // Before a redirect that is met here, which concerns the layers below.
    const By by = way(base);
    redirected_before_ = redirected_;
    std::vector<std::string> next = path_;
    for (std::size_t depth = 0; depth < path_.size(); ++depth) {
        const bool last = depth + 1 == path_.size();
        auto found = step(in, base.layer, path_[depth]);
        if (!found)
            break;
        if (last && wants_data_ && !S_ISREG(found->st.st_mode)) {
            done_ = true;
        } else if (S_ISDIR(found->st.st_mode)) {
            in = enter(*found, depth, next);
            if (last)
                take_directory(std::move(*found), in, by);
        } else if (!last || (object_ && object_->is_directory())) {
            done_ = true; // hidden by, or not reachable through, a directory
            break;
        } else {
            take_file(std::move(*found), by, next);
        }
    }
    path_ = std::move(next);
}

void Search::ask_for_data(const Part& root) {
    Directory in = root.directory;
    for (std::size_t depth = 0; depth + 1 < path_.size(); ++depth) {
        UniqueFd below(openat(in->get(), path_[depth].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!below)
            return;
        in = std::make_shared<const UniqueFd>(std::move(below));
    }
    const Place place{root.layer, in, path_.back()};
    const auto st = look_at(in, place.name, shown(place));
    if (!st || !S_ISREG(st->st_mode))
        return;
    object_->data = place;
    redirected_before_ = true;
    note_below(*st);
    if (opening_ == Union::Opening::yes)
        object_->data.file = open_file(in, place.name);
    wants_data_ = false;
    done_ = true;
}

void Search::note_below(const struct stat& st) {
    if (!object_->next_below)
        object_->next_below = st;
    object_->by_own_redirect |= redirected_before_;
}

By Search::way(const Part& base) const {
    if (from_roots_)
        return By::absolute_redirect;
    return redirected_ ? std::max(base.by, By::relative_redirect) : base.by;
}

void Search::take_directory(Found found, Directory directory, By by) {
    const std::size_t layer = found.place.layer;
    if (!object_)
        object_ = Object{found.st, std::move(found.place), {}, {}, by};
    else
        object_->by_own_redirect |= redirected_before_;
    object_->parts.push_back({layer, std::move(directory), by});
}

void Search::take_file(Found found, By by, std::vector<std::string>& next) {
    if (!object_)
        object_ = Object{found.st, found.place, {}, {}, by};
    else
        note_below(found.st);
    object_->data = found.place;
    wants_data_ = S_ISREG(found.st.st_mode) && mark(found.place, Mark::metacopy);
    if (wants_data_)
        follow_redirect(found.place, path_.size() - 1, next);
    else
        done_ = true;
}

std::optional<Object> Search::finish() && {
    if (wants_data_)
        throw Damaged(Damaged::Kind::data, shown(object_->place),
                    "a file without content (metacopy), and no layer below has the content");
    return std::move(object_);
}

} // namespace shale::tree
