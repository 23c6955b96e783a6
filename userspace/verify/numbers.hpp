// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "verify/expectation.hpp"
#include "verify/finding.hpp"
#include "verify/subject.hpp"

namespace shale::verify {

/// The inode number that the rules give an object; nothing where what is on disk leaves it open, as with a
/// copy whose origin can't be followed: a live mount may remember more.
std::optional<ino_t> expected_number(const Subject& subject, const Expectation& expectation, bool is_root);

/// How many links the rules give it.
nlink_t expected_links(const Subject& subject, const Expectation& expectation);

/// Holds the numbers in @p seen against the rules. @p device: of the mount.
void judge_numbers(const Subject& subject, std::optional<ino_t> number, const struct stat& seen, dev_t device,
                   const std::string& path, Findings& findings);

void judge_links(const Subject& subject, const Expectation& expectation, const struct stat& seen,
                 const std::string& path, Findings& findings);

/// @p listed against what stat(2) says of the same name.
void judge_listed(const Subject& subject, const Listed& listed, const struct stat& seen, const std::string& path,
                  Findings& findings);

/// All files with several links that were met. For many threads.
class LinkGroups {
public:
    /// Notes that @p path, which is @p real in its layer, was seen as @p seen.
    void judge(const struct stat& real, const struct stat& seen, const std::string& path, Findings& findings);

private:
    struct Partner {
        tree::Identity identity;
        std::string path; ///< the first one that was met
    };

    std::mutex lock_;
    std::map<tree::Identity, Partner> by_real_;
    std::map<tree::Identity, Partner> by_seen_;
};

} // namespace shale::verify
