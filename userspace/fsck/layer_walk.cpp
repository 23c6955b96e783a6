// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/layer_walk.hpp"

#include <algorithm>
#include <memory>

#include <fcntl.h>
#include <linux/shale_ondisk.h>
#include <sys/stat.h>

#include "base/at.hpp"
#include "base/names_in.hpp"

namespace shale::fsck {

using ondisk::Mark;
using tree::Object;

namespace {

tree::Union model_of(const Subject& subject, std::size_t layer) {
    const auto first = subject.layers.begin() + static_cast<std::ptrdiff_t>(layer);
    return tree::Union({first, subject.layers.end()}, subject.prefix, subject.data_layers);
}

/// The top-most lower part of a merged directory.
std::optional<tree::Identity> lower_part(const Object& merged) {
    if (merged.parts.size() < 2)
        return std::nullopt;
    return tree::identity_of(stat_of(merged.parts[1].directory->get(), "lower directory"));
}

bool has_part(const Object& merged, const tree::Identity& part) {
    return std::any_of(merged.parts.begin(), merged.parts.end(), [&](const tree::Part& each) {
        return tree::identity_of(stat_of(each.directory->get(), "directory")) == part;
    });
}

/// Of a version, or with flags, that came later: whoever writes these can read them.
bool is_newer_origin(const std::string& value) {
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(value[at]); };
    return value.size() > sizeof(struct shale_origin) && byte(1) == SHALE_ORIGIN_MAGIC && byte(2) == value.size() &&
           (byte(0) > SHALE_ORIGIN_VERSION || (byte(3) & ~SHALE_ORIGIN_FLAGS) != 0);
}

} // namespace

LayerWalk::LayerWalk(const Subject& subject, std::size_t layer, UpperFacts* facts, Sink& sink)
    : subject_(subject), layer_(layer), facts_(facts), sink_(sink), model_(model_of(subject, layer)) {
    if (facts_ && subject.knows_below())
        origins_.emplace(subject.layers, 1);
}

void LayerWalk::run() {
    const Object root = model_.root();
    const Marks marks = marks_of(XattrTarget(root.parts.front().directory->get(), "."), subject_.prefix);
    root_marks(marks);
    if (const auto below = lower_part(root))
        ancestors_.push_back(*below);
    directory("", root, marks);
    if (others_ > 0)
        found(kinds::other_prefix, first_other_,
              (others_ == 1 ? "one object carries" : std::to_string(others_) + " objects carry, this first,") +
                  std::string(" marks that mounts ") + (follows() ? "without" : "with") + " userxattr do not heed");
}

void LayerWalk::found(const Kind& kind, const std::string& path, const std::string& detail, std::vector<Step> steps) {
    const bool in_lower = layer_ > 0;
    if (in_lower)
        steps.clear();
    sink_.add({&kind, base(), path, detail, std::move(steps), in_lower});
}

Step LayerWalk::setting(const std::string& path, Mark mark, const std::string& value) const {
    return {Step::Action::set_mark, base(), path, ondisk::xattr_name(subject_.prefix, mark), value};
}

std::vector<Step> LayerWalk::removing(const std::string& path, Mark mark) const {
    return {{Step::Action::remove_mark, base(), path, ondisk::xattr_name(subject_.prefix, mark), ""}};
}

/// All that is in a directory, and then what that says of its marks.
void LayerWalk::directory(const std::string& path, const Object& merged, const Marks& marks) {
    bool holds_copies = false;
    for (const std::string& name : names_in(merged.parts.front().directory->get()))
        holds_copies |= object(merged, name, path.empty() ? name : path + "/" + name);
    if (!facts_)
        return;
    const std::string* impure = marks.find(Mark::impure);
    if (impure && *impure != "y")
        found(kinds::impure_invalid, path, "the mark impure says " + shown_value(*impure),
              {setting(path, Mark::impure, "y")});
    else if (!impure && holds_copies)
        found(kinds::impure_missing, path, "holds copies of lower objects, and has no mark impure",
              {setting(path, Mark::impure, "y")});
    else if (impure && !holds_copies && origins_ && !path.empty())
        found(kinds::impure_needless, path, "is marked impure, and holds no copy that is known as one");
}

void LayerWalk::root_marks(const Marks& marks) {
    sink_.count();
    common_marks(marks, "", S_IFDIR);
    if (const auto* value = marks.find(Mark::opaque)) {
        if (ondisk::decode_opaque(*value) == ondisk::Opaque::yes)
            found(kinds::opaque_needless, "", "the root of a layer is opaque, which means nothing");
        else if (ondisk::decode_opaque(*value) == ondisk::Opaque::no)
            found(kinds::opaque_invalid, "", "the mark opaque says " + shown_value(*value), removing("", Mark::opaque));
    }
    if (marks.find(Mark::redirect))
        found(kinds::redirect_unused, "", "the root of a layer has a redirect, which means nothing");
    if (!facts_)
        return;
    if (const auto* uuid = marks.find(Mark::uuid); uuid && uuid->size() != 16)
        found(kinds::uuid_malformed, "", "the mark uuid says " + shown_value(*uuid) + " and not 16 bytes",
              removing("", Mark::uuid));
    const auto* origin = marks.find(Mark::origin);
    if (origin && !origin->empty() && !is_valid_origin(*origin) && !is_newer_origin(*origin))
        found(kinds::origin_malformed, "", "the mark origin says " + shown_value(*origin), removing("", Mark::origin));
}

bool LayerWalk::object(const Object& parent, const std::string& name, const std::string& path) {
    const int in = parent.parts.front().directory->get();
    const auto st = stat_at(in, name);
    if (!st)
        return false; // removed meanwhile
    sink_.count();
    Thing thing{parent, name, path, *st};
    if (ondisk::is_whiteout_device(st->st_mode, st->st_rdev)) {
        whiteout(thing);
        return false;
    }
    thing.marks = marks_of(XattrTarget(in, name), subject_.prefix);
    common_marks(thing.marks, path, st->st_mode);
    bool is_copy = false;
    if (facts_) {
        if (facts_->indexed.contains(tree::identity_of(*st)))
            facts_->named.insert(tree::identity_of(*st));
        upper_marks(thing);
        is_copy = origin(thing);
    }
    if (S_ISDIR(st->st_mode))
        subdirectory(thing);
    else
        file(thing);
    return is_copy;
}

/// Marks that mean the same on anything, or nothing on most.
void LayerWalk::common_marks(const Marks& marks, const std::string& path, mode_t mode) {
    if (marks.has_other_prefix && others_++ == 0)
        first_other_ = path;
    for (const std::string& name : marks.unknown)
        found(kinds::mark_unknown, path, "carries " + name + ", which is not known");
    if (marks.find(Mark::metacopy) && !S_ISREG(mode))
        found(kinds::metacopy_misplaced, path, "has the mark metacopy, and is no regular file",
              removing(path, Mark::metacopy));
    if (marks.find(Mark::opaque) && !S_ISDIR(mode))
        found(kinds::opaque_misplaced, path, "has the mark opaque, and is no directory", removing(path, Mark::opaque));
}

/// What only mounts write, on anything but the root.
void LayerWalk::upper_marks(const Thing& thing) {
    const mode_t mode = thing.st.st_mode;
    if (thing.marks.find(Mark::impure) && !S_ISDIR(mode))
        found(kinds::impure_misplaced, thing.path, "has the mark impure, and is no directory",
              removing(thing.path, Mark::impure));
    if (thing.marks.find(Mark::uuid))
        found(kinds::uuid_misplaced, thing.path, "has the mark uuid, which the root of an upper has",
              removing(thing.path, Mark::uuid));
    if (thing.marks.find(Mark::upper))
        found(kinds::mark_unused, thing.path, "has the mark upper, which entries of an index have");
    if (thing.marks.find(Mark::nlink) && !facts_->indexed.contains(tree::identity_of(thing.st)))
        found(kinds::mark_unused, thing.path, "has the mark nlink, and is not in the index");
    const auto* protection = thing.marks.find(Mark::protattr);
    if (protection && !S_ISREG(mode) && !S_ISDIR(mode))
        found(kinds::protattr_misplaced, thing.path, "has the mark protattr, and can have no such flags",
              removing(thing.path, Mark::protattr));
    else if (protection && shale_protattr_decode(protection->data(), protection->size()) < 0)
        found(kinds::protattr_malformed, thing.path, "the mark protattr says " + shown_value(*protection),
              removing(thing.path, Mark::protattr));
}

/// Whether what the object was copied from gives it its inode number.
bool LayerWalk::origin(const Thing& thing) {
    const auto* value = thing.marks.find(Mark::origin);
    if (!value)
        return false;
    const auto identity = tree::identity_of(thing.st);
    const bool is_directory = S_ISDIR(thing.st.st_mode);
    if (is_directory && facts_->wants_directories)
        facts_->directories.emplace(identity, *value);
    if (value->empty())
        return false; // copied, and nobody knows from where
    const bool is_indexed = facts_->indexed.contains(identity);
    if (is_newer_origin(*value))
        return false;
    if (!is_valid_origin(*value)) {
        if (!is_indexed && !(is_directory && facts_->wants_directories)) // the name in the index says more
            found(kinds::origin_malformed, thing.path, "the mark origin says " + shown_value(*value),
                  {setting(thing.path, Mark::origin, "")});
        return false;
    }
    if (!origins_)
        return false;
    const auto lead = origins_->lead(*value, tree::Origins::Of::lower);
    if (!lead.object) {
        if (lead.is_sure)
            found(kinds::origin_stale, thing.path, "what it was copied from is not there");
        return false;
    }
    if ((lead.object->st_mode ^ thing.st.st_mode) & S_IFMT) {
        found(kinds::origin_stale, thing.path, "what it was copied from is of another type");
        return false;
    }
    return is_directory || lead.object->st_nlink == 1 || is_indexed;
}

/// Whether the layers below show anything under this name, but for what the layer itself hides.
bool LayerWalk::is_below(const Thing& thing) const {
    Object below = thing.parent;
    below.parts.erase(below.parts.begin());
    if (below.parts.empty())
        return false;
    try {
        return model_.look_up(below, thing.name).has_value();
    } catch (const tree::Damaged&) {
        return true;
    }
}

void LayerWalk::whiteout(const Thing& thing) {
    if (knows_below() && !is_below(thing))
        found(kinds::whiteout_needless, thing.path, "a whiteout, and no layer below has the name");
}

/// The directory with what it merges with; without, where its marks can't be followed.
Object LayerWalk::merged(const Thing& thing) const {
    const auto* redirect = thing.marks.find(Mark::redirect);
    try {
        if (!redirect || follows()) {
            if (auto found = model_.look_up(thing.parent, thing.name); found && found->is_directory())
                return *std::move(found);
        }
    } catch (const tree::Damaged&) {
        // Of its own mark or of one below; each is found where it lies.
    }
    Object alone{thing.st, {0, thing.parent.parts.front().directory, thing.name}, {}, {}};
    alone.parts.push_back({0, std::make_shared<const UniqueFd>(open_at(alone.place.parent->get(), thing.name,
                                                                     O_PATH | O_DIRECTORY | O_NOFOLLOW))});
    return alone;
}

void LayerWalk::opaque(const Thing& thing) {
    const auto* value = thing.marks.find(Mark::opaque);
    if (!value)
        return;
    const auto meaning = ondisk::decode_opaque(*value);
    if (meaning == ondisk::Opaque::no)
        found(kinds::opaque_invalid, thing.path, "the mark opaque says " + shown_value(*value),
              removing(thing.path, Mark::opaque));
    else if (meaning == ondisk::Opaque::yes && knows_below() && !is_below(thing))
        found(kinds::opaque_needless, thing.path, "is opaque, and no layer below has the name");
}

void LayerWalk::subdirectory(const Thing& thing) {
    constexpr unsigned most_levels = 1000; // each takes stack and descriptors
    if (depth_ == most_levels)
        throw Error(base() + "/" + thing.path.substr(0, 100) + "...",
                    "lies in more than " + std::to_string(most_levels) + " directories, and is not looked through");
    opaque(thing);
    if (thing.marks.find(Mark::whiteout))
        found(kinds::mark_unused, thing.path, "has the mark whiteout, and is no empty file");
    const Object whole = merged(thing);
    if (const auto* value = thing.marks.find(Mark::redirect))
        redirect(thing, *value, whole);
    const auto below = lower_part(whole);
    if (below)
        ancestors_.push_back(*below);
    ++depth_;
    directory(thing.path, whole, thing.marks);
    --depth_;
    if (below)
        ancestors_.pop_back();
}

void LayerWalk::redirect(const Thing& thing, const std::string& value, const Object& merged) {
    const auto* opaque = thing.marks.find(Mark::opaque);
    const auto redirect = ondisk::decode_redirect(value);
    if (opaque && ondisk::decode_opaque(*opaque) == ondisk::Opaque::yes) {
        if (redirect)
            found(kinds::redirect_unused, thing.path, "has a redirect, and is opaque");
        else
            found(kinds::redirect_invalid_unused, thing.path,
                  "is opaque, and its redirect " + shown_value(value) + " is not valid",
                  removing(thing.path, Mark::redirect));
        return;
    }
    if (!redirect) {
        found(kinds::redirect_invalid, thing.path,
              "its redirect " + shown_value(value) + " is not valid: the name is an error");
        return;
    }
    if (!follows()) {
        found(kinds::redirect_refused, thing.path, "has a redirect, which mounts with userxattr refuse");
        return;
    }
    const auto below = lower_part(merged);
    if (!below) {
        if (knows_below())
            found(kinds::redirect_dangling, thing.path, "its redirect " + shown_value(value) + " leads to no directory");
        return;
    }
    if (std::find(ancestors_.begin(), ancestors_.end(), *below) != ancestors_.end()) {
        found(kinds::redirect_loop, thing.path,
              "its redirect " + shown_value(value) + " leads to what a directory above it is merged with");
        return;
    }
    const auto [other, is_first] = redirected_.emplace(*below, thing.path);
    if (!is_first)
        found(kinds::redirect_twice, thing.path,
              "its redirect " + shown_value(value) + " leads to where that of " + other->second + " does");
    else if (is_shown_at_source(thing, *redirect, merged))
        found(kinds::redirect_twice, thing.path,
              "its redirect " + shown_value(value) + " leads to what is also shown under its own name");
}

/// Whether what the redirect leads to is shown where the redirect says that it is, too.
bool LayerWalk::is_shown_at_source(const Thing& thing, const ondisk::Redirect& redirect, const Object& merged) const {
    std::optional<Object> at = redirect.absolute ? model_.root() : thing.parent;
    try {
        for (const std::string& component : redirect.components) {
            at = model_.look_up(*at, component);
            if (!at || !at->is_directory())
                return false;
        }
    } catch (const tree::Damaged&) {
        return false;
    }
    if (tree::identity_of(at->st) == tree::identity_of(thing.st))
        return false;
    return has_part(*at, *lower_part(merged));
}

void LayerWalk::file(const Thing& thing) {
    const auto* whiteout = thing.marks.find(Mark::whiteout);
    if (whiteout && ondisk::may_be_xattr_whiteout(thing.st.st_mode, thing.st.st_size)) {
        const auto opaque =
            XattrTarget(thing.parent.parts.front().directory->get(), ".").get(ondisk::xattr_name(subject_.prefix, Mark::opaque));
        if (facts_ || ondisk::decode_opaque(opaque.value_or("")) != ondisk::Opaque::xattr_whiteouts)
            found(kinds::whiteout_file_misplaced, thing.path,
                  facts_ ? "is marked as a whiteout, which files in an upper can't be"
                         : "is marked as a whiteout, in a directory without opaque=x");
        else if (knows_below() && !is_below(thing))
            found(kinds::whiteout_needless, thing.path, "a whiteout, and no layer below has the name");
        return;
    }
    if (whiteout)
        found(kinds::mark_unused, thing.path, "has the mark whiteout, and is no empty file");
    const auto* redirect = thing.marks.find(Mark::redirect);
    if (S_ISREG(thing.st.st_mode) && thing.marks.find(Mark::metacopy))
        metacopy(thing);
    else if (redirect && ondisk::decode_redirect(*redirect))
        found(kinds::redirect_unused, thing.path, "has a redirect, and all its data");
    else if (redirect)
        found(kinds::redirect_invalid_unused, thing.path,
              "has all its data, and its redirect " + shown_value(*redirect) + " is not valid",
              removing(thing.path, Mark::redirect));
}

void LayerWalk::metacopy(const Thing& thing) {
    if (!follows()) {
        found(kinds::metacopy_refused, thing.path, "a copy without data, which mounts with userxattr refuse");
        return;
    }
    const std::string& record = *thing.marks.find(Mark::metacopy);
    if (!shale_metacopy_valid(record.data(), record.size())) {
        found(kinds::metacopy_malformed, thing.path,
              "a copy without data whose mark says " + shown_value(record) + ": the name is an error");
        return;
    }
    const auto* redirect = thing.marks.find(Mark::redirect);
    if (redirect && !ondisk::decode_redirect(*redirect)) {
        found(kinds::redirect_invalid, thing.path,
              "its redirect " + shown_value(*redirect) + " is not valid: the name is an error");
        return;
    }
    if (!knows_below())
        return;
    try {
        const auto whole = model_.look_up(thing.parent, thing.name);
        const auto data = whole && whole->data.parent ? stat_at(whole->data.parent->get(), whole->data.name) : std::nullopt;
        if (data && data->st_size != thing.st.st_size)
            found(kinds::metacopy_size, thing.path,
                  "a copy of " + std::to_string(thing.st.st_size) + " bytes without data, and the data are " +
                      std::to_string(data->st_size) + " bytes");
    } catch (const tree::Damaged& damage) {
        if (damage.kind() == tree::Damaged::Kind::data)
            found(kinds::metacopy_no_data, thing.path, "a copy without data, and no layer below has them");
    }
}

} // namespace shale::fsck
