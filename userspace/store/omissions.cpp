// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/omissions.hpp"

namespace shale {

void Omissions::note(Kind kind, const std::string& what) {
    Seen& seen = seen_[kind];
    if (seen.count++ == 0)
        seen.first = what;
}

void Omissions::report(Progress& progress) const {
    for (const auto& [kind, seen] : seen_) {
        const size_t more = seen.count - 1;
        progress.warn(seen.first +
                      (more > 0 ? " (and " + std::to_string(more) + " more of this kind)" : ""));
    }
}

} // namespace shale
