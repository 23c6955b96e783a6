// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify/directory.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>

#include "base/at.hpp"

namespace shale::verify {

std::vector<Listed> read_listing(int fd) {
    std::vector<Listed> listing;
    for (ListedName& listed : listing_of(open_at(fd, ".", O_RDONLY | O_DIRECTORY)))
        listing.push_back({std::move(listed)});

    std::sort(listing.begin(), listing.end());
    auto last = listing.begin();
    for (auto at = listing.begin(); at != listing.end(); ++at) {
        if (at == last)
            continue;
        if (at->name == last->name)
            last->times++;
        else if (++last != at)
            *last = std::move(*at);
    }
    if (!listing.empty())
        listing.erase(last + 1, listing.end());
    return listing;
}

std::vector<Entry> Directory::entries(const tree::Union& model) const {
    auto expected = model.list(object_);
    auto seen = read_listing(shown());

    std::vector<Entry> entries;
    entries.reserve(std::max(expected.size(), seen.size()));
    auto listed = seen.begin();
    while (!expected.empty() || listed != seen.end()) {
        const bool from_model = !expected.empty() && (listed == seen.end() || expected.begin()->first <= listed->name);
        Entry entry;
        if (from_model) {
            auto node = expected.extract(expected.begin());
            entry.name = std::move(node.key());
            entry.holders = std::move(node.mapped());
        } else {
            entry.name = listed->name;
        }
        if (listed != seen.end() && listed->name == entry.name)
            entry.listed = std::move(*listed++);
        entries.push_back(std::move(entry));
    }
    return entries;
}

Entry Directory::again(const Entry& entry, const tree::Union& model) const {
    std::call_once(read_again_, [&] { entries_again_ = entries(model); });
    const auto found = std::lower_bound(entries_again_.begin(), entries_again_.end(), entry.name,
                                        [](const Entry& one, const std::string& name) { return one.name < name; });
    if (found != entries_again_.end() && found->name == entry.name)
        return *found;
    return {entry.name, {}, std::nullopt};
}

} // namespace shale::verify
