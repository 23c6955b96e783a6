// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The index in a work directory, entry by entry, held against the upper and the lower layers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fsck/layer_walk.hpp"
#include "fsck/sink.hpp"
#include "fsck/subject.hpp"
#include "tree/origin.hpp"

namespace shale::fsck {

class IndexCheck {
public:
    /// Reads what entries there are.
    IndexCheck(const Subject& subject, Sink& sink);

    /// What the walk through the upper has to know, and to note.
    UpperFacts& facts() { return facts_; }

    /// After that walk. With a layer alone, nothing but names is judged.
    void run();

private:
    struct Entry {
        std::string name;
        std::string record; ///< that the name stands for; empty where it stands for none
        struct stat st {};
    };
    /// A file that both have.
    struct File {
        const Entry& entry;
        struct stat lower {};
    };

    /// Whether the index is of this upper and these lower layers, as far as that can be told.
    bool belongs();
    /// Whether it, or any entry, carries marks of @p prefix.
    bool has_marks(ondisk::Prefix prefix) const;
    void directory(const Entry& entry);
    void file(const Entry& entry, std::vector<File>& files);
    void count_links(const std::vector<File>& files);
    void links(const File& file, uint64_t names, bool is_complete);
    void foreign(const Entry& entry, const std::string& detail);

    void found(const Kind& kind, const std::string& name, const std::string& detail, std::vector<Step> steps = {});
    std::optional<std::string> mark(const std::string& name, ondisk::Mark mark) const;
    Step setting(const std::string& name, ondisk::Mark mark, const std::string& value) const;
    std::vector<Step> removing(const Entry& entry) const;
    const std::string& base() const { return *subject_.work; }

    const Subject& subject_;
    Sink& sink_;
    UniqueFd index_; ///< empty where there is none
    std::vector<Entry> entries_;
    UpperFacts facts_;
    tree::Origins lower_, upper_;
    std::optional<std::string> file_system_{}; ///< uuid of that of the top-most lower layer, if it is surely there
};

} // namespace shale::fsck
