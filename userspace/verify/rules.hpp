// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <string_view>

namespace shale::verify {

/// A rule of docs/semantics.md, by its number there.
struct Rule {
    std::string_view number;
    std::string_view summary; ///< in a few words, for people

    bool operator==(const Rule& other) const { return number == other.number; }
};

namespace rules {

inline constexpr Rule first_layer_decides{"1.1", "the first layer that has a name decides what it is"};
inline constexpr Rule nothing_else{"1.2", "what no layer has is not there"};
inline constexpr Rule non_directory_hides{"1.3", "what is no directory, or meets one, hides what is below"};
inline constexpr Rule data_layers_have_no_names{"1.4", "layers of data have no names"};
inline constexpr Rule directories_merge{"2.1", "directories of one name merge"};
inline constexpr Rule whiteout{"3.1", "a whiteout hides the name below, and is not shown"};
inline constexpr Rule whiteout_file{"3.2", "so does an empty file that is marked as one"};
inline constexpr Rule opaque{"3.3", "an opaque directory hides those below"};
inline constexpr Rule relative_redirect{"4.1", "a relative redirect gives another name for the layers below"};
inline constexpr Rule absolute_redirect{"4.2", "an absolute redirect gives a path for the layers below"};
inline constexpr Rule refused_redirect{"4.3", "a redirect that is not followed makes the name EPERM"};
inline constexpr Rule invalid_redirect{"4.4", "a redirect that is not valid makes the name an error"};
inline constexpr Rule data_below{"5.1", "a copy without data has those of the first file below that has some"};
inline constexpr Rule data_layer{"5.2", "an absolute redirect leads into layers of data as well"};
inline constexpr Rule refused_metacopy{"5.3", "a copy without data that is not followed makes the name EPERM"};
inline constexpr Rule missing_data{"5.4", "a copy whose data is nowhere is an error"};
inline constexpr Rule type{"6.1", "the type is that of the object that decides"};
inline constexpr Rule mode{"6.2", "so is the mode"};
inline constexpr Rule owner{"6.3", "so are owner and group"};
inline constexpr Rule size{"6.4", "so is the size"};
inline constexpr Rule times{"6.5", "so are the times of modification and change"};
inline constexpr Rule device{"6.6", "so is the device number"};
inline constexpr Rule target{"6.7", "so is the target of a symbolic link"};
inline constexpr Rule xattrs{"7.1", "extended attributes are those of the object that decides, and no others"};
inline constexpr Rule marks_hidden{"7.2", "the mount's own marks are not shown"};
inline constexpr Rule escaped_marks{"7.3", "marks of a nested mount are shown without one level"};
inline constexpr Rule links{"8.1", "links of a file are counted by its layer"};
inline constexpr Rule indexed_links{"8.2", "links of a file in the index are counted by its mark"};
inline constexpr Rule directory_links{"8.3", "a merged directory has one link, another those of its layer"};
inline constexpr Rule device_of_mount{"9.1", "directories, and all where numbers are unique, have the mount's st_dev"};
inline constexpr Rule number{"9.2", "st_ino is that of the origin, else of the object that decides"};
inline constexpr Rule number_with_layer{"9.3", "with xino the number's low bits are those"};
inline constexpr Rule listed_number{"9.4", "d_ino is st_ino"};
inline constexpr Rule one_number_one_file{"9.5", "names have one number if they are of one file, and only then"};
inline constexpr Rule listed{"10.1", "what can be looked up is listed, once"};
inline constexpr Rule listed_exists{"10.2", "what is listed can be looked up"};
inline constexpr Rule listed_type{"10.3", "d_type is the type of the object"};
inline constexpr Rule content{"11.1", "the content is that of the object that has the data"};

} // namespace rules

/// All of them, in order.
inline constexpr std::array all_rules = {
    rules::first_layer_decides, rules::nothing_else, rules::non_directory_hides,
    rules::data_layers_have_no_names, rules::directories_merge, rules::whiteout,
    rules::whiteout_file, rules::opaque, rules::relative_redirect,
    rules::absolute_redirect, rules::refused_redirect, rules::invalid_redirect,
    rules::data_below, rules::data_layer, rules::refused_metacopy,
    rules::missing_data, rules::type, rules::mode,
    rules::owner, rules::size, rules::times,
    rules::device, rules::target, rules::xattrs,
    rules::marks_hidden, rules::escaped_marks, rules::links,
    rules::indexed_links, rules::directory_links, rules::device_of_mount,
    rules::number, rules::number_with_layer, rules::listed_number,
    rules::one_number_one_file, rules::listed, rules::listed_exists,
    rules::listed_type, rules::content,
};

} // namespace shale::verify
