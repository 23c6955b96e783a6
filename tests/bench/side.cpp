// SPDX-License-Identifier: GPL-2.0-or-later
#include "side.hpp"

#include <cerrno>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/mount.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/remove_tree.hpp"
#include "mounting/fs_context.hpp"
#include "unmount.hpp"

namespace shale::bench {

Side::Side(std::string name, std::string type, std::string options, const std::string& place)
    : name_(std::move(name)), type_(std::move(type)), options_(std::move(options)),
      place_(place + "/side") {}

Side::~Side() {
    if (begun_ && is_union())
        umount2(root().c_str(), MNT_DETACH);
}

void Side::begin(const std::vector<std::string>& lowers) {
    make_directories(root(), 0755);
    if (is_union())
        mount_layers(lowers);
    begun_ = true;
}

/// mount(2) has room for a page of options, which is one layer, or some.
void Side::mount_layers(const std::vector<std::string>& lowers) const {
    const std::string upper = place_ + "/upper", work = place_ + "/work";
    make_directories(upper, 0755);
    make_directories(work, 0755);
    if (lowers.size() == 1) {
        const std::string all =
            options_ + ",lowerdir=" + lowers[0] + ",upperdir=" + upper + ",workdir=" + work;
        if (mount(name_.c_str(), root().c_str(), type_.c_str(), 0, all.c_str()) != 0)
            throw Error::from_errno("mount of " + type_ + " with " + all, errno);
        return;
    }
    mounting::FsContext context(type_);
    for (const std::string& lower : lowers)
        context.set_string("lowerdir+", lower);
    context.set_string("upperdir", upper);
    context.set_string("workdir", work);
    std::istringstream options(options_);
    for (std::string option; std::getline(options, option, ',');)
        context.set_string(option.substr(0, option.find('=')), option.substr(option.find('=') + 1));
    context.create();
    const UniqueFd mounted = context.mount(0);
    if (move_mount(mounted.get(), "", AT_FDCWD, root().c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
        throw Error::from_errno("mounting at " + root(), errno);
}

void Side::end() {
    if (is_union())
        unmount_patiently(root());
    begun_ = false;
    remove_tree(AT_FDCWD, place_);
}

} // namespace shale::bench
