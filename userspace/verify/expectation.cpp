// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify/expectation.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "ondisk/marks.hpp"
#include "tree/trace.hpp"

namespace shale::verify {

namespace {

/// The rule by which @p object is there at all.
Rule rule_of_presence(const Directory& directory, const tree::Object& object) {
    switch (object.by) {
    case tree::By::relative_redirect:
        return rules::relative_redirect;
    case tree::By::absolute_redirect:
        return rules::absolute_redirect;
    case tree::By::name:
        break;
    }
    const bool of_top_part = object.place.layer == directory.object().parts.front().layer;
    return of_top_part ? rules::first_layer_decides : rules::directories_merge;
}

bool leaves_data_below(const tree::Object& object) {
    return S_ISREG(object.st.st_mode) &&
           (object.data.layer != object.place.layer || object.data.name != object.place.name);
}

/// A lower file of several names that was copied up is found in the index under each of them.
void look_into_index(const Subject& subject, Expectation& expectation, tree::Union::Opening opening) {
    tree::Object& object = *expectation.object;
    if (!subject.index || object.is_directory())
        return;
    if (object.place.layer == 0) {
        expectation.indexed = subject.index->of_copy(object.st);
        return;
    }
    if (object.st.st_nlink == 1 && !subject.every_copy_is_indexed)
        return;
    const auto* entry = subject.index->copied_from(object.st);
    if (!entry)
        return;
    expectation.indexed = entry;
    const auto st = stat_at(subject.index->directory()->get(), entry->name);
    if (!st)
        return;
    object.next_below = object.st;
    object.st = *st;
    object.place = {0, subject.index->directory(), entry->name};
    if (!S_ISREG(st->st_mode))
        return;
    if (opening == tree::Union::Opening::yes)
        object.place.file = std::make_shared<const UniqueFd>(
            open_at(object.place.parent->get(), entry->name, O_RDONLY | O_NOFOLLOW));
    if (!object.place.xattrs().get(ondisk::xattr_name(subject.model.prefix(), ondisk::Mark::metacopy)))
        object.data = object.place;
}

Expectation error(Rule rule, std::string reason) {
    Expectation expectation;
    expectation.kind = Expectation::Kind::error;
    expectation.rule = rule;
    expectation.reason = std::move(reason);
    return expectation;
}

} // namespace

Expectation expect(const Subject& subject, const Directory& directory, const Entry& entry,
                   tree::Union::Opening opening) {
    Expectation expectation;
    try {
        expectation.object = subject.model.look_up(directory.object(), entry.name, &entry.holders, opening);
    } catch (const tree::Damaged& damaged) {
        return error(damaged.kind() == tree::Damaged::Kind::redirect ? rules::invalid_redirect : rules::missing_data,
                     damaged.what());
    }
    if (!expectation.object)
        return expectation;
    if (!subject.follows_redirects && expectation.object->by_own_redirect)
        return error(rules::refused_redirect, "Operation not permitted, for it is redirected");
    if (!subject.follows_metacopies && leaves_data_below(*expectation.object))
        return error(rules::refused_metacopy, "Operation not permitted, for it is a copy without data");
    expectation.kind = Expectation::Kind::object;
    expectation.rule = rule_of_presence(directory, *expectation.object);
    look_into_index(subject, expectation, opening);
    return expectation;
}

Absence explain_absence(const Subject& subject, const std::string& path) {
    const auto& layers = subject.model.layers();
    for (std::size_t layer = layers.size() - subject.model.data_layers(); layer < layers.size(); ++layer) {
        if (try_open_beneath(layers[layer]->fd(), path.substr(1), O_PATH | O_NOFOLLOW))
            return {rules::data_layers_have_no_names, "it is in " + layers[layer]->path() + ", a layer of data"};
    }
    std::optional<tree::Hider> hider;
    try {
        hider = tree::trace(subject.model, path, subject.model.data_layers()).hider;
    } catch (const Error&) {
        // Then nothing better is known than that it is not there.
    }
    if (!hider)
        return {rules::nothing_else, "it is in no layer"};
    const std::string where = layers[hider->layer]->path() + "/" + hider->path;
    switch (hider->how) {
    case tree::HiddenBy::whiteout: {
        const UniqueFd mark = try_open_beneath(layers[hider->layer]->fd(), hider->path, O_PATH | O_NOFOLLOW);
        const bool is_file = mark && S_ISREG(stat_of(mark.get(), where).st_mode);
        return {is_file ? rules::whiteout_file : rules::whiteout, "hidden by the whiteout " + where};
    }
    case tree::HiddenBy::opaque:
        return {rules::opaque, "hidden by the opaque directory " + where};
    case tree::HiddenBy::object:
    case tree::HiddenBy::no_merger:
        break;
    }
    return {rules::non_directory_hides, "hidden by " + where};
}

} // namespace shale::verify
