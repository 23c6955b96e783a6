// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Everything that can be wrong with layers on disk. docs/fsck.md has the same table.
#pragma once

#include <array>
#include <string_view>

namespace shale::fsck {

enum class Class {
    harmless,   ///< no mount shows a difference
    repairable, ///< one way to put it right, and nothing is lost by it
    needs_you,  ///< more than one way, or data may be lost: nobody but its owner can decide
};

/// One kind of what is found.
struct Kind {
    std::string_view name; ///< stays, for programs
    Class severity;
    std::string_view rule;    ///< of docs/semantics.md, by its number
    std::string_view way_out; ///< what repairs it, or what one can do
};

namespace kinds {

// Nothing that a mount shows comes of these.
inline constexpr Kind whiteout_needless{"whiteout-needless", Class::harmless, "12.2", "may be removed"};
inline constexpr Kind opaque_needless{"opaque-needless", Class::harmless, "3.3", "the mark may be removed"};
inline constexpr Kind redirect_unused{"redirect-unused", Class::harmless, "4.1", "the mark may be removed"};
inline constexpr Kind origin_stale{"origin-stale", Class::harmless, "9.2",
                                   "the object gets an inode number of its own"};
inline constexpr Kind impure_needless{"impure-needless", Class::harmless, "12.3", "the mark may be removed"};
inline constexpr Kind mark_unused{"mark-unused", Class::harmless, "7.2", "the mark may be removed"};
inline constexpr Kind mark_unknown{"mark-unknown", Class::harmless, "7.2",
                                   "no mount shows it; keep it if something newer wrote it"};
inline constexpr Kind other_prefix{"other-prefix", Class::harmless, "7.2",
                                   "mount, and check, with userxattr as the layer was written, or without"};
inline constexpr Kind whiteout_shared{"whiteout-shared", Class::harmless, "12.4", "the next mount removes it"};
inline constexpr Kind nlink_high{"nlink-high", Class::harmless, "8.2",
                                 "names may lie outside the layers; else the entry stays after the last name is gone"};

// One step, and all is as it should be.
inline constexpr Kind opaque_invalid{"opaque-invalid", Class::repairable, "3.3", "the mark is removed"};
inline constexpr Kind opaque_misplaced{"opaque-misplaced", Class::repairable, "3.3", "the mark is removed"};
inline constexpr Kind redirect_invalid_unused{"redirect-invalid-unused", Class::repairable, "4.4",
                                              "the mark is removed"};
inline constexpr Kind metacopy_misplaced{"metacopy-misplaced", Class::repairable, "5.1", "the mark is removed"};
inline constexpr Kind origin_malformed{"origin-malformed", Class::repairable, "12.3",
                                       "the mark says from now on that the origin is not known"};
inline constexpr Kind impure_missing{"impure-missing", Class::repairable, "12.3", "the mark is set"};
inline constexpr Kind impure_invalid{"impure-invalid", Class::repairable, "12.3", "the mark is set to \"y\""};
inline constexpr Kind impure_misplaced{"impure-misplaced", Class::repairable, "12.3", "the mark is removed"};
inline constexpr Kind nlink_malformed{"nlink-malformed", Class::repairable, "8.2",
                                      "the mark is set to the number of names that are there"};
inline constexpr Kind nlink_low{"nlink-low", Class::repairable, "8.2",
                                "the mark is set to the number of names that are there"};
inline constexpr Kind index_origin{"index-origin", Class::repairable, "12.5",
                                   "the copy gets the origin that its entry is named after"};
inline constexpr Kind index_stale{"index-stale", Class::repairable, "12.5",
                                  "the entry is removed; the file has other names"};
inline constexpr Kind index_orphan{"index-orphan", Class::repairable, "12.5",
                                   "the entry is removed, as the next mount would"};
inline constexpr Kind index_directory_stale{"index-directory-stale", Class::repairable, "12.5",
                                            "the entry is removed; it is empty"};
inline constexpr Kind work_leftover{"work-leftover", Class::repairable, "12.4",
                                    "it is removed, as the next mount would"};
inline constexpr Kind protattr_malformed{"protattr-malformed", Class::repairable, "12.6", "the mark is removed"};
inline constexpr Kind protattr_misplaced{"protattr-misplaced", Class::repairable, "12.6", "the mark is removed"};
inline constexpr Kind uuid_malformed{"uuid-malformed", Class::repairable, "12.8", "the mark is removed"};
inline constexpr Kind uuid_misplaced{"uuid-misplaced", Class::repairable, "12.8", "the mark is removed"};

// Only who knows what was meant can tell what to do.
inline constexpr Kind whiteout_file_misplaced{
    "whiteout-file-misplaced", Class::needs_you, "3.2",
    "if the name is to be hidden, give its directory opaque=x in a lower layer, or replace it by a character device "
    "0:0; if it is an empty file, remove the mark"};
inline constexpr Kind redirect_invalid{"redirect-invalid", Class::needs_you, "4.4",
                                       "set the mark to where the lower directory or file is, or remove it"};
inline constexpr Kind redirect_dangling{"redirect-dangling", Class::needs_you, "4.2",
                                        "name all lower layers, in their order; if one has changed, bring it back"};
inline constexpr Kind redirect_loop{"redirect-loop", Class::needs_you, "4.2",
                                    "remove the mark, or set it to where the lower directory is"};
inline constexpr Kind redirect_twice{"redirect-twice", Class::needs_you, "4.2",
                                     "hide one of the two, by a whiteout or the mark opaque, or remove the redirect"};
inline constexpr Kind redirect_refused{"redirect-refused", Class::needs_you, "4.3",
                                       "move what is in it to a new directory, and remove it"};
inline constexpr Kind metacopy_no_data{"metacopy-no-data", Class::needs_you, "5.4",
                                       "name all lower layers and those of data; if one has changed, bring it back"};
inline constexpr Kind metacopy_malformed{"metacopy-malformed", Class::needs_you, "5.5",
                                         "an empty mark takes what is below without comparing digests: if you trust it"};
inline constexpr Kind metacopy_size{"metacopy-size", Class::needs_you, "6.4",
                                    "name all lower layers; if one has changed, bring it back"};
inline constexpr Kind metacopy_refused{"metacopy-refused", Class::needs_you, "5.3",
                                       "bring the whole file back, or remove it"};
inline constexpr Kind index_foreign{"index-foreign", Class::needs_you, "12.5",
                                    "move it out of the index; mounts with index=on are refused meanwhile"};
inline constexpr Kind index_last_copy{"index-last-copy", Class::needs_you, "12.5",
                                      "save it before a mount with index=on, which removes it"};
inline constexpr Kind index_type{"index-type", Class::needs_you, "12.5", "move it out of the index"};
inline constexpr Kind index_other_upper{"index-other-upper", Class::needs_you, "12.5",
                                        "mount with index=off, or remove the index if no name is found by it alone"};
inline constexpr Kind index_other_lowers{"index-other-lowers", Class::needs_you, "12.5",
                                         "name the lower layers as they were mounted; if they were moved or copied, "
                                         "mount with index=off, or remove the index"};
inline constexpr Kind work_foreign{"work-foreign", Class::needs_you, "12.4",
                                   "save it before the next mount, which removes it"};
inline constexpr Kind volatile_mark{"volatile", Class::needs_you, "12.7",
                                    "after a crash files may be empty or old: to use them as they are, "
                                    "--accept-volatile"};
inline constexpr Kind incompat_unknown{"incompat-unknown", Class::needs_you, "12.7",
                                       "mount it with what knows this feature"};

} // namespace kinds

/// All of them, by class.
inline constexpr std::array all_kinds = {
    kinds::whiteout_needless, kinds::opaque_needless, kinds::redirect_unused,
    kinds::origin_stale, kinds::impure_needless, kinds::mark_unused,
    kinds::mark_unknown, kinds::other_prefix, kinds::whiteout_shared,
    kinds::nlink_high, kinds::opaque_invalid, kinds::opaque_misplaced,
    kinds::redirect_invalid_unused, kinds::metacopy_misplaced, kinds::origin_malformed,
    kinds::impure_missing, kinds::impure_invalid, kinds::impure_misplaced,
    kinds::nlink_malformed, kinds::nlink_low, kinds::index_origin,
    kinds::index_stale, kinds::index_orphan, kinds::index_directory_stale,
    kinds::work_leftover, kinds::protattr_malformed, kinds::protattr_misplaced,
    kinds::uuid_malformed, kinds::uuid_misplaced, kinds::whiteout_file_misplaced,
    kinds::redirect_invalid, kinds::redirect_dangling, kinds::redirect_loop,
    kinds::redirect_twice, kinds::redirect_refused, kinds::metacopy_no_data,
    kinds::metacopy_malformed, kinds::metacopy_size, kinds::metacopy_refused,
    kinds::index_foreign, kinds::index_last_copy, kinds::index_type,
    kinds::index_other_upper, kinds::index_other_lowers, kinds::work_foreign,
    kinds::volatile_mark, kinds::incompat_unknown,
};

} // namespace shale::fsck
