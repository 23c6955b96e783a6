// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ondisk/marks.hpp"
#include "tree/object.hpp"
#include "tree/union.hpp"

namespace shale::tree {

/// One look-up on its way down through the layers.
///
/// From the top: the first layer that has the name decides what the object is. A directory goes on
/// merging with directories of the same name below, until an opaque one, a whiteout or anything
/// else that is no directory. A redirect changes the name that is asked for further down. A
/// metacopy file goes on until the file that holds its content.
class Search {
public:
    Search(const Union& tree, std::string name, Union::Opening opening);

    /// Asks one part of the parent directory.
    void ask(const Part& base);
    /// Asks a layer of data for the content. Marks mean nothing there.
    void ask_for_data(const Part& root);

    /// Whether the layers below have no more say.
    bool done() const { return done_; }
    /// Whether it goes on from the roots of the layers instead of from the parts of the parent.
    bool from_roots() const { return from_roots_; }
    /// Whether it goes on under another name than it began with.
    bool redirected() const { return redirected_; }
    /// Whether a file was found that leaves its content to a layer of data, by an absolute redirect.
    bool wants_data() const { return wants_data_ && from_roots_ && !done_; }

    /// What was found; nothing if the name is absent or hidden. Throws Damaged for a metacopy file
    /// whose content is in no layer.
    std::optional<Object> finish() &&;

private:
    struct Found {
        struct stat st;
        Place place;
    };
    std::optional<Found> step(const Directory& in, std::size_t layer, const std::string& name);
    Directory enter(Found& found, std::size_t depth, std::vector<std::string>& next);
    void follow_redirect(const Place& place, std::size_t depth, std::vector<std::string>& next);
    By way(const Part& base) const;
    void note_below(const struct stat& st);
    void take_directory(Found found, Directory directory, By by);
    void take_file(Found found, By by, std::vector<std::string>& next);
    std::string shown(const Place& place) const;
    std::optional<std::string> mark(const Place& place, ondisk::Mark mark) const;

    const Union& tree_;
    const Union::Opening opening_;
    std::vector<std::string> path_; ///< what the next layer is asked for
    std::optional<Object> object_;
    bool wants_data_ = false; ///< a metacopy file was found, its content not yet
    bool done_ = false;
    bool from_roots_ = false;
    bool redirected_ = false;
    bool redirected_before_ = false; ///< the layer that is being asked
};

} // namespace shale::tree
