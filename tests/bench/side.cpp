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

Side::Side(std::string name, const std::string& place) : name_(std::move(name)), place_(place + "/side") {}

Side::~Side() {
    if (begun_)
        umount2(root().c_str(), MNT_DETACH);
}

void Side::begin(const std::vector<std::string>& lowers) {
    make_directories(root(), 0755);
    if (is_union()) {
        make_directories(upper(), 0755);
        make_directories(work(), 0755);
        mount_layers(lowers);
        begun_ = true;
    }
}

void Side::end() {
    if (begun_)
        unmount_patiently(root());
    begun_ = false;
    remove_tree(AT_FDCWD, place_);
}

KernelUnion::KernelUnion(std::string name, const std::string& place, std::string type, std::string options,
                         unsigned most_layers)
    : Side(std::move(name), place), type_(std::move(type)), options_(std::move(options)),
      most_layers_(most_layers) {}

void KernelUnion::mount_layers(const std::vector<std::string>& lowers) const {
    mounting::FsContext context(type_);
    for (const std::string& lower : lowers)
        context.set_string("lowerdir+", lower);
    context.set_string("upperdir", upper());
    context.set_string("workdir", work());
    std::istringstream options(options_);
    for (std::string option; std::getline(options, option, ',');)
        context.set_string(option.substr(0, option.find('=')), option.substr(option.find('=') + 1));
    context.create();
    const UniqueFd mounted = context.mount(0);
    if (move_mount(mounted.get(), "", AT_FDCWD, root().c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
        throw Error::from_errno("mounting at " + root(), errno);
}

} // namespace shale::bench
