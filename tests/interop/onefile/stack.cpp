// SPDX-License-Identifier: GPL-2.0-or-later
#include "stack.hpp"

#include <cerrno>

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/remove_tree.hpp"
#include "unmount.hpp"

namespace shale::onefile {

Stack::Stack(const Setting& setting)
    : setting_(setting), above_(setting.base + "/onefile.above"),
      below_(setting.lower + "/onefile.below") {
    for (const std::string& path : {merged(), twin(), upper(), above_ + "/work", lower(), data()})
        make_directories(path, 0755);
    struct statfs fs {};
    statfs(above_.c_str(), &fs);
    on_xfs_ = fs.f_type == XFS_SUPER_MAGIC;
    on_two_ = stat_at(AT_FDCWD, above_)->st_dev != stat_at(AT_FDCWD, below_)->st_dev;
}

Stack::~Stack() {
    if (mounted_)
        umount2(merged().c_str(), MNT_DETACH);
    for (const std::string& path : {above_, below_}) {
        try {
            remove_tree(AT_FDCWD, path);
        } catch (const Error&) {
            // it is in the way of the next one, which says so
        }
    }
}

void Stack::mount(const std::string& options, bool with_data) {
    std::string all = "lowerdir=" + lower() + (with_data ? "::" + data() : "") +
                      ",upperdir=" + upper() + ",workdir=" + above_ + "/work";
    for (const std::string& more : {options, setting_.options})
        if (!more.empty())
            all += "," + more;
    if (::mount("onefile", merged().c_str(), setting_.type.c_str(), 0, all.c_str()) != 0)
        throw Error::from_errno("mount with " + all, errno);
    mounted_ = true;
}

void Stack::unmount() {
    unmount_patiently(merged());
    mounted_ = false;
}

} // namespace shale::onefile
