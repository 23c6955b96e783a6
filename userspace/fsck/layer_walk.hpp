// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One layer, looked through name by name, with what the layers below it have.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fsck/marks_of.hpp"
#include "fsck/sink.hpp"
#include "fsck/subject.hpp"
#include "tree/origin.hpp"

namespace shale::fsck {

/// What the walk through an upper and the look through its index have to tell each other.
struct UpperFacts {
    std::set<tree::Identity> indexed; ///< files of the index, known before the walk
    std::set<tree::Identity> named{}; ///< those of them that a name of the upper leads to
    bool wants_directories = false;   ///< the index has some
    std::map<tree::Identity, std::string> directories{}; ///< of the upper, with their origins
};

class LayerWalk {
public:
    /// @p layer: its index in @p subject. @p facts: null where it is no upper.
    LayerWalk(const Subject& subject, std::size_t layer, UpperFacts* facts, Sink& sink);

    void run();

private:
    /// One object of the layer.
    struct Thing {
        const tree::Object& parent; ///< the directory that it is in, merged
        std::string name;
        std::string path;
        struct stat st {};
        Marks marks{};
    };

    void directory(const std::string& path, const tree::Object& merged, const Marks& marks);
    /// Whether it is a copy whose inode number is its origin's.
    bool object(const tree::Object& parent, const std::string& name, const std::string& path);
    void root_marks(const Marks& marks);

    void whiteout(const Thing& thing);
    void subdirectory(const Thing& thing);
    void file(const Thing& thing);
    void opaque(const Thing& thing);
    void common_marks(const Marks& marks, const std::string& path, mode_t mode);
    void upper_marks(const Thing& thing);
    bool origin(const Thing& thing);

    tree::Object merged(const Thing& thing) const;
    void redirect(const Thing& thing, const std::string& value, const tree::Object& merged);
    bool is_shown_at_source(const Thing& thing, const ondisk::Redirect& redirect, const tree::Object& merged) const;
    void metacopy(const Thing& thing);
    bool is_below(const Thing& thing) const;

    bool knows_below() const { return subject_.knows_below(); }
    bool follows() const { return subject_.prefix == ondisk::Prefix::trusted; }
    void found(const Kind& kind, const std::string& path, const std::string& detail, std::vector<Step> steps = {});
    Step setting(const std::string& path, ondisk::Mark mark, const std::string& value) const;
    std::vector<Step> removing(const std::string& path, ondisk::Mark mark) const;
    const std::string& base() const { return subject_.layers[layer_]->path(); }

    const Subject& subject_;
    const std::size_t layer_;
    UpperFacts* const facts_;
    Sink& sink_;
    const tree::Union model_; ///< of this layer and those below
    std::optional<tree::Origins> origins_{};
    unsigned depth_ = 0;
    std::vector<tree::Identity> ancestors_{}; ///< the lower parts of the directories on the way
    std::map<tree::Identity, std::string> redirected_{}; ///< lower directories that redirects led to
    uint64_t others_ = 0; ///< objects with marks of the other prefix
    std::string first_other_{};
};

} // namespace shale::fsck
