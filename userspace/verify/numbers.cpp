// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify/numbers.hpp"

#include <dirent.h>
#include <sys/sysmacros.h>

#include "base/at.hpp"
#include "ondisk/marks.hpp"

namespace shale::verify {

namespace {

/// Of a number that is the layer's own with xino; some of those above them say which file system it is.
constexpr unsigned common_bits = 48;

std::string device_text(dev_t device) {
    return "st_dev " + std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

std::string number_text(const char* name, ino_t number) {
    return std::string(name) + " " + std::to_string(number);
}

/// What a copy in the upper was copied from: nothing, if from nothing. `known` is whether that is sure.
struct Source {
    std::optional<struct stat> lower;
    bool known = true;
};

Source source_of_file(const Subject& subject, const tree::Object& object) {
    if (object.next_below)
        return {object.next_below};
    const auto record = object.place.xattrs().get(ondisk::xattr_name(subject.model.prefix(), ondisk::Mark::origin));
    if (!record)
        return {};
    auto lower = subject.origins ? subject.origins->follow(*record) : std::nullopt;
    const bool found = lower.has_value();
    return {std::move(lower), found};
}

} // namespace

std::optional<ino_t> expected_number(const Subject& subject, const Expectation& expectation, bool is_root) {
    const tree::Object& object = *expectation.object;
    const ino_t own = object.st.st_ino;
    if (!subject.has_upper || object.place.layer != 0 || is_root)
        return own;
    if (expectation.indexed)
        return expectation.indexed->lower.st_ino;
    if (object.is_directory()) {
        if (object.parts.size() == 1)
            return own;
        if (subject.every_copy_is_indexed)
            return std::nullopt; // its own, if the index has it not
        return stat_of(object.parts[1].directory->get(), "directory").st_ino;
    }
    const Source source = source_of_file(subject, object);
    if (!source.known)
        return std::nullopt;
    if (!source.lower || (source.lower->st_mode & S_IFMT) != (object.st.st_mode & S_IFMT) ||
        source.lower->st_nlink != 1 || subject.every_copy_is_indexed)
        return own;
    return source.lower->st_ino;
}

void judge_numbers(const Subject& subject, std::optional<ino_t> number, const struct stat& seen, dev_t device,
                   const std::string& path, Findings& findings) {
    const bool is_directory = S_ISDIR(seen.st_mode);
    const bool fits = !number || *number >> common_bits == 0;
    const bool is_unique = subject.numbers == Numbers::one_file_system ||
                           (subject.numbers == Numbers::with_layer && fits);
    if ((is_directory || is_unique) && seen.st_dev != device)
        findings.push_back({path, rules::device_of_mount, device_text(device), device_text(seen.st_dev)});
    const bool is_free = is_directory && (subject.numbers == Numbers::apart || subject.numbers == Numbers::unknown);
    if (!number || is_free)
        return;
    if (subject.numbers == Numbers::with_layer || subject.numbers == Numbers::unknown) {
        const ino_t low = seen.st_ino & ((ino_t(1) << common_bits) - 1);
        if (fits && low != *number)
            findings.push_back({path, rules::number_with_layer, number_text("st_ino with", *number),
                                number_text("st_ino", seen.st_ino)});
    } else if (seen.st_ino != *number) {
        findings.push_back({path, rules::number, number_text("st_ino", *number), number_text("st_ino", seen.st_ino)});
    }
}

nlink_t expected_links(const Subject& subject, const Expectation& expectation) {
    const tree::Object& object = *expectation.object;
    if (object.is_directory() && object.parts.size() > 1)
        return 1;
    if (!expectation.indexed)
        return object.st.st_nlink;
    tree::Index::Entry now = *expectation.indexed;
    now.upper = object.st;
    const auto mark = object.place.xattrs().get(ondisk::xattr_name(subject.model.prefix(), ondisk::Mark::nlink));
    return tree::Index::links(now, mark.value_or("")).value_or(object.st.st_nlink);
}

void judge_links(const Subject& subject, const Expectation& expectation, const struct stat& seen,
                 const std::string& path, Findings& findings) {
    const nlink_t links = expected_links(subject, expectation);
    if (seen.st_nlink == links)
        return;
    const Rule rule = expectation.object->is_directory() ? rules::directory_links
                      : expectation.indexed              ? rules::indexed_links
                                                         : rules::links;
    findings.push_back({path, rule, "st_nlink " + std::to_string(links), "st_nlink " + std::to_string(seen.st_nlink)});
}

void judge_listed(const Subject& subject, const Listed& listed, const struct stat& seen, const std::string& path,
                  Findings& findings) {
    if (listed.type != DT_UNKNOWN && listed.type != IFTODT(seen.st_mode))
        findings.push_back({path, rules::listed_type, "d_type " + std::to_string(IFTODT(seen.st_mode)),
                            "d_type " + std::to_string(listed.type)});
    const bool may_differ = subject.numbers == Numbers::apart || subject.numbers == Numbers::unknown ||
                            (subject.is_overlayfs && !S_ISDIR(seen.st_mode) && seen.st_nlink > 1);
    if (!may_differ && listed.number != seen.st_ino)
        findings.push_back({path, rules::listed_number, number_text("d_ino", seen.st_ino),
                            number_text("d_ino", listed.number)});
}

void LinkGroups::judge(const struct stat& real, const struct stat& seen, const std::string& path,
                       Findings& findings) {
    const tree::Identity of_real = tree::identity_of(real);
    const tree::Identity of_seen = tree::identity_of(seen);
    const std::lock_guard guard(lock_);
    const Partner& first = by_real_.try_emplace(of_real, Partner{of_seen, path}).first->second;
    if (first.identity != of_seen) {
        findings.push_back({path, rules::one_number_one_file,
                            "the number of " + first.path + ", " + std::to_string(first.identity.second),
                            number_text("st_ino", of_seen.second)});
        return;
    }
    const Partner& other = by_seen_.try_emplace(of_seen, Partner{of_real, path}).first->second;
    if (other.identity != of_real)
        findings.push_back({path, rules::one_number_one_file, "another number than " + other.path + ", another file",
                            number_text("st_ino", of_seen.second)});
}

} // namespace shale::verify
