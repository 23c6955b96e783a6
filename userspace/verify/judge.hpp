// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "verify/content.hpp"
#include "verify/directory.hpp"
#include "verify/finding.hpp"
#include "verify/numbers.hpp"
#include "verify/subject.hpp"

namespace shale::verify {

/// Holds names of a mount against the model, one at a time. One for each thread.
class Judge {
public:
    /// @p device: st_dev of the mount.
    Judge(const Subject& subject, bool with_content, dev_t device, LinkGroups& groups, const std::atomic<bool>& stop);

    /// What a name came to.
    struct Verdict {
        Findings findings;
        bool is_directory = false; ///< both have a directory there, which can be gone through
    };

    /// Judges @p entry of @p directory; what differs is looked at once more, as it may have been changed between two
    /// looks. Throws Error where it can't be judged: a layer can't be read.
    Verdict judge(const Directory& directory, const Entry& entry);

    /// The same without a second look.
    Findings judge_once(const Directory& directory, const Entry& entry);

    /// Judges the directory that it all begins with. @p shown: open.
    Findings judge_top(const tree::Object& object, int shown, const std::string& path);

    uint64_t take_bytes() { return comparison_.take_bytes(); }

private:
    class Case;
    Verdict look(const Directory& directory, const Entry& entry);

    const Subject& subject_;
    const bool with_content_;
    const dev_t device_;
    LinkGroups& groups_;
    Comparison comparison_;
};

} // namespace shale::verify
