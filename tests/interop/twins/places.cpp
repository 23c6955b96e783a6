// SPDX-License-Identifier: GPL-2.0-or-later
#include "places.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace shale::twins {

namespace {

constexpr const char* names[] = {"a", "b", "c", "d", "e", "f"}; // those of the model's layers
constexpr size_t remembered = 24;

std::string anywhere(Dice& dice) {
    std::string path = dice.one_of(names);
    for (unsigned depth = dice.pick(3); depth > 0; --depth)
        path += std::string("/") + dice.one_of(names);
    return path;
}

/// A name next to @p path, or below it.
std::string near(Dice& dice, const std::string& path) {
    const std::string directory = dice.chance(40) ? path : parent_of(path);
    const std::string name = dice.one_of(names);
    return directory == "." ? name : directory + "/" + name;
}

} // namespace

std::string parent_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string Places::choose(Dice& dice) const {
    const unsigned way = dice.pick(100);
    if (way < 30 && !recent_.empty())
        return dice.one_of(recent_);
    if (way < 65)
        return dice.one_of(existing_);
    return way < 85 ? near(dice, dice.one_of(existing_)) : anywhere(dice);
}

unsigned Places::type_of(const std::string& path) const {
    unsigned type = 0;
    for (const int root : roots_) {
        struct stat st {};
        type = fstatat(root, path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & S_IFMT : 0;
    }
    return type;
}

bool Places::is_true(Wish wish, const std::string& path) const {
    const unsigned type = type_of(path);
    switch (wish) {
    case Wish::anything: return type != 0;
    case Wish::file: return type == S_IFREG;
    case Wish::directory: return type == S_IFDIR;
    case Wish::absent: return type == 0 && type_of(parent_of(path)) == S_IFDIR;
    }
    return true;
}

std::string Places::pick(Dice& dice, Wish wish) {
    const unsigned tries = dice.chance(20) ? 0 : 6;
    std::string path = choose(dice);
    for (unsigned i = 0; i < tries && !is_true(wish, path); ++i)
        path = choose(dice);
    recent_.push_back(path);
    if (recent_.size() > remembered)
        recent_.pop_front();
    return path;
}

} // namespace shale::twins
