// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "store/dedup.hpp"
#include "store/listed_layers.hpp"
#include "tree/union.hpp"

namespace shale {

/// Makes one file of those that are the same in several layers.
///
/// A name in a layer never comes to be another file's while the layer has its name in the store: that would change the
/// times of directories, and a crash would leave the layer half way. Instead a layer is made anew beside it, of links of
/// its own files but for those that are to be others', and takes its place.
class LinkedFiles {
public:
    /// At least one layer. All arguments outlive the object.
    LinkedFiles(const std::vector<ListedLayer>& layers, Dedup& dedup, Progress& progress);

    /// Layer @p index takes no part: neither is it made anew, nor do its files come to have more names.
    void exclude(size_t index);
    /// Compares the files that the lists say are the same, and decides which are to be others'.
    void compare(bool only_look);
    /// Indices of the layers with such files.
    std::vector<size_t> layers() const;
    /// Makes layer @p index anew in the open directory @p staging, under its name. False: not all links can be made;
    /// what is there then is of no use.
    bool make(size_t index, int staging);
    size_t count() const { return layers_.size(); }
    /// Whether it is the directory that was looked at, if it was.
    bool is_still_there(size_t index) const;
    const Digest& chain_id(size_t index) const { return layers_[index].chain_id; }
    /// It has taken its place.
    void made(size_t index);

private:
    struct Twin {
        FileIndex kept; ///< which is to be in its place
        uint64_t bytes = 0; ///< that are free then
    };
    using Twins = std::map<std::string, Twin>; ///< by path

    const std::string& path_of(const FileIndex& file) const;
    std::optional<tree::Object> find(const FileIndex& file) const;
    void compare_group(const std::vector<FileIndex>& group, bool only_look);
    bool look_alike(const tree::Object& kept, const tree::Object& twin) const;
    bool link_twin(Twins& twins, const std::string& path, int to, const std::string& name) const;

    const std::vector<ListedLayer>& layers_;
    Dedup& dedup_;
    Progress& progress_;
    std::vector<UniqueFd> open_; ///< by layer; empty: it takes no part
    const tree::Union any_;      ///< for whoever wants to know of what kind the marks are
    std::map<size_t, Twins> twins_;
    std::set<tree::Identity> counted_; ///< files that go with their last name
};

} // namespace shale
