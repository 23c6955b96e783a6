// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/layers.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/dice.hpp"
#include "exercise/values.hpp"

namespace shale::exercise {

namespace {

constexpr unsigned deepest = 3;
constexpr unsigned most_layers = 3;

std::vector<std::string> choose_options(Dice& dice, const Abilities& abilities) {
    std::vector<std::string> options;
    const unsigned redirects = dice.pick(6);
    options.push_back(redirects < 4    ? "redirect_dir=on"
                      : redirects == 4 ? "redirect_dir=follow"
                                       : "redirect_dir=nofollow");
    // overlayfs makes copies without data only where it makes redirects.
    options.push_back(redirects < 4 && dice.chance(60) ? "metacopy=on" : "metacopy=off");
    options.push_back(abilities.has_index && dice.chance(60) ? "index=on" : "index=off");
    return options;
}

std::string name_of(const std::string& option) {
    return option.substr(0, option.find('='));
}

void set(std::vector<std::string>& options, const std::string& option) {
    std::erase_if(options, [&](const std::string& other) { return name_of(other) == name_of(option); });
    options.push_back(option);
}

/// What a case may have in its layers.
struct Features {
    bool redirects;
    bool metacopies;
    bool links; ///< without an index, names of one lower file part when one is written to (rule 8.4)
    bool escaped_marks;
    bool file_whiteouts;
};

/// Makes the operations that make one layer.
class Layer {
public:
    Layer(Dice& dice, const Features& features, std::string root, bool is_lowest)
        : dice_(dice), features_(features), root_(std::move(root)), is_lowest_(is_lowest) {}

    /// @p below has the plain files in the root of the layer below, with their sizes, and gets those of this one.
    std::vector<Operation> make(std::map<std::string, uint64_t>& below) {
        if (features_.metacopies)
            make_metacopies(below);
        below.clear();
        fill(root_, 0, false);
        for (const auto& [path, size] : files_) {
            if (path.find('/') == path.rfind('/'))
                below[last_name_of(path)] = size;
        }
        if (features_.links)
            make_links();
        // What is made in a directory changes its time.
        for (auto path = directories_.rbegin(); path != directories_.rend(); ++path)
            add({.kind = Kind::utimens, .path = *path, .time = past_time(dice_)});
        if (has_file_whiteouts_)
            add({.kind = Kind::set_xattr, .path = root_, .name = "trusted.overlay.opaque", .value = "x"});
        return std::move(operations_);
    }

private:
    void add(Operation operation) { operations_.push_back(std::move(operation)); }

    void mark(const std::string& path, const std::string& name, const std::string& value) {
        add({.kind = Kind::set_xattr, .path = path, .name = "trusted.overlay." + name, .value = value});
    }

    bool is_free(const std::string& path) const { return !taken_.contains(path); }

    void fill(const std::string& directory, unsigned depth, bool has_file_whiteouts) {
        for (const char* name : names) {
            const std::string path = join_path(directory, name);
            const unsigned kind = dice_.pick(100);
            if (!is_free(path) || kind < 35)
                continue;
            taken_.insert(path);
            if (kind < 60 && depth < deepest)
                make_subdirectory(directory, path, depth);
            else if (kind < 78)
                make_file(path);
            else if (kind < 83)
                add({.kind = Kind::make_symlink, .path = path, .other = dice_.one_of(names)});
            else if (kind < 94)
                hide(path, has_file_whiteouts);
            else
                make_node(path);
        }
    }

    void make_subdirectory(const std::string& directory, const std::string& path, unsigned depth) {
        add({.kind = Kind::make_directory, .path = path});
        directories_.push_back(path);
        decorate(path, true);
        bool has_file_whiteouts = false;
        if (dice_.chance(12)) {
            mark(path, "opaque", "y");
        } else if (features_.file_whiteouts && !is_lowest_ && dice_.chance(10)) {
            mark(path, "opaque", "x");
            has_file_whiteouts = has_file_whiteouts_ = true;
        } else if (features_.redirects && !is_lowest_ && dice_.chance(25)) {
            redirect(directory, path);
        }
        fill(path, depth + 1, has_file_whiteouts);
    }

    /// As a rename leaves it: where the directory came from stands a whiteout.
    void redirect(const std::string& directory, const std::string& path) {
        const std::string from = dice_.one_of(names);
        const bool is_absolute = dice_.chance(30);
        const std::string old = join_path(is_absolute ? root_ : directory, from);
        if (!is_free(old))
            return;
        taken_.insert(old);
        add({.kind = Kind::make_device, .path = old});
        mark(path, "redirect", is_absolute ? "/" + from : from);
    }

    void make_file(const std::string& path) {
        const std::string bytes = random_bytes(dice_);
        uint64_t size = bytes.size();
        add({.kind = Kind::create, .path = path, .value = bytes});
        if (dice_.chance(10)) {
            size += 70000; // a hole
            add({.kind = Kind::truncate, .path = path, .size = size});
        }
        decorate(path, true);
        add({.kind = Kind::utimens, .path = path, .time = past_time(dice_)});
        files_[path] = size;
    }

    void make_node(const std::string& path) {
        if (dice_.chance(50))
            add({.kind = Kind::make_fifo, .path = path});
        else
            add({.kind = Kind::make_device, .path = path, .device = makedev(1, 3)});
        decorate(path, false);
    }

    void hide(const std::string& path, bool by_file) {
        if (!by_file) {
            add({.kind = Kind::make_device, .path = path});
            return;
        }
        add({.kind = Kind::create, .path = path});
        mark(path, "whiteout", "y");
    }

    void decorate(const std::string& path, bool has_user_xattrs) {
        if (dice_.chance(25))
            add({.kind = Kind::chown, .path = path, .uid = random_id(dice_), .gid = random_id(dice_)});
        if (dice_.chance(25))
            add({.kind = Kind::chmod, .path = path, .mode = random_mode(dice_)});
        if (dice_.chance(15))
            add({.kind = Kind::set_xattr, .path = path, .name = "trusted.a", .value = "lower"});
        if (has_user_xattrs && dice_.chance(15))
            add({.kind = Kind::set_xattr, .path = path, .name = "user.a", .value = "lower"});
        if (features_.escaped_marks && dice_.chance(8))
            mark(path, "overlay.opaque", "y"); // of a mount within this one
    }

    /// As chmod(2) of a file of the layer below leaves it, or that and a rename.
    void make_metacopies(const std::map<std::string, uint64_t>& below) {
        for (const auto& [name, size] : below) {
            if (!dice_.chance(40))
                continue;
            const std::string old = join_path(root_, name);
            const std::string renamed = join_path(root_, dice_.one_of(names));
            const bool is_renamed = dice_.chance(40) && is_free(renamed) && is_free(old) && renamed != old;
            if (!is_renamed && !is_free(old))
                continue;
            const std::string& path = is_renamed ? renamed : old;
            taken_.insert(path);
            add({.kind = Kind::create, .path = path});
            add({.kind = Kind::truncate, .path = path, .size = size});
            mark(path, "metacopy", "");
            if (is_renamed) {
                taken_.insert(old);
                add({.kind = Kind::make_device, .path = old});
                mark(path, "redirect", "/" + name);
            }
        }
    }

    void make_links() {
        if (directories_.empty())
            return;
        for (const auto& [path, size] : files_) {
            if (!dice_.chance(25))
                continue;
            const std::string name = join_path(dice_.one_of(directories_), dice_.one_of(names));
            if (is_free(name)) {
                taken_.insert(name);
                add({.kind = Kind::link, .path = path, .other = name});
            }
        }
    }

    Dice& dice_;
    const Features features_;
    const std::string root_;
    const bool is_lowest_;
    bool has_file_whiteouts_ = false;
    std::vector<Operation> operations_;
    std::set<std::string> taken_;
    std::map<std::string, uint64_t> files_; ///< with data of their own, and their sizes
    std::vector<std::string> directories_;
};

} // namespace

bool has(const std::vector<std::string>& options, const std::string& option) {
    return std::find(options.begin(), options.end(), option) != options.end();
}

Case make_case(unsigned seed, const Abilities& abilities, const std::vector<std::string>& options) {
    Dice dice(seed);
    Case made{.seed = seed, .options = choose_options(dice, abilities)};
    for (const std::string& option : options)
        set(made.options, option);
    const Features features{!has(made.options, "redirect_dir=nofollow"), has(made.options, "metacopy=on"),
                            has(made.options, "index=on"), abilities.has_escaped_marks, abilities.has_file_whiteouts};
    made.lowers = 1 + dice.pick(most_layers);
    std::map<std::string, uint64_t> below;
    for (unsigned number = made.lowers; number > 0; --number) {
        Layer layer(dice, features, "lower" + std::to_string(number), number == made.lowers);
        for (Operation& operation : layer.make(below))
            made.layers.push_back(std::move(operation));
    }
    return made;
}

} // namespace shale::exercise
