// SPDX-License-Identifier: LGPL-2.1-or-later
#include "selftest/base_checks.hpp"

#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/copy_file.hpp"
#include "base/error.hpp"
#include "base/xattr.hpp"

namespace shale::selftest {

namespace {

/// A name in the scratch directory that goes when the object does, whatever it has become.
class Name {
public:
    Name(int dir, std::string name) : dir_(dir), name_(std::move(name)) {}
    ~Name() {
        unlinkat(dir_, name_.c_str(), 0);
        unlinkat(dir_, name_.c_str(), AT_REMOVEDIR);
    }
    Name(const Name&) = delete;
    Name& operator=(const Name&) = delete;

    const char* text() const { return name_.c_str(); }

private:
    const int dir_;
    const std::string name_;
};

UniqueFd make_file(int dir, const Name& name) {
    return open_at(dir, name.text(), O_RDWR | O_CREAT | O_EXCL, 0600);
}

bool can_set(int fd, const std::string& name) {
    return XattrTarget(fd).set(name, "y") == 0;
}

bool makes_devices(int dir) {
    const Name whiteout(dir, "whiteout");
    return mknodat(dir, whiteout.text(), S_IFCHR, makedev(0, 0)) == 0;
}

bool tells_types(int dir) {
    const Name name(dir, "file");
    make_file(dir, name);
    alignas(dirent64) char entries[4096];
    const auto size = getdents64(open_at(dir, ".", O_RDONLY | O_DIRECTORY).get(), entries, sizeof(entries));
    for (ssize_t at = 0; at < size;) {
        const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
        if (std::strcmp(entry->d_name, name.text()) == 0)
            return entry->d_type == DT_REG;
        at += entry->d_reclen;
    }
    return false;
}

bool renames(int dir, unsigned flags) {
    const Name from(dir, "from"), to(dir, "to");
    make_file(dir, from);
    if (flags & RENAME_EXCHANGE)
        make_file(dir, to);
    return renameat2(dir, from.text(), dir, to.text(), flags) == 0;
}

bool exchanges(int dir) {
    return renames(dir, RENAME_EXCHANGE);
}

bool leaves_whiteouts(int dir) {
    return renames(dir, RENAME_WHITEOUT);
}

bool has_unnamed_files(int dir) {
    const UniqueFd fd(openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    return fd.get() >= 0;
}

bool keeps_trusted_xattrs(int dir) {
    const Name name(dir, "file");
    return can_set(make_file(dir, name).get(), "trusted.overlay.origin");
}

bool keeps_user_xattrs(int dir) {
    const Name name(dir, "file");
    return can_set(make_file(dir, name).get(), "user.overlay.origin");
}

bool keeps_acls(int dir) {
    const Name name(dir, "file");
    const UniqueFd fd = make_file(dir, name);
    /* user::rw-, user:0:r--, group::r--, mask::r--, other::---, little-endian behind the version */
    static constexpr unsigned char acl[] = {2, 0, 0, 0,
                                            1, 0, 6, 0, 255, 255, 255, 255,
                                            2, 0, 4, 0, 0, 0, 0, 0,
                                            4, 0, 4, 0, 255, 255, 255, 255,
                                            16, 0, 4, 0, 255, 255, 255, 255,
                                            32, 0, 0, 0, 255, 255, 255, 255};
    return XattrTarget(fd.get()).set("system.posix_acl_access",
                                     std::string(reinterpret_cast<const char*>(acl), sizeof(acl))) == 0;
}

bool gives_handles_in(int dir) {
    const Name name(dir, "file");
    make_file(dir, name);
    alignas(file_handle) unsigned char handle[sizeof(file_handle) + MAX_HANDLE_SZ]{};
    auto* head = reinterpret_cast<file_handle*>(handle);
    head->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    return name_to_handle_at(dir, name.text(), head, &mount, 0) == 0;
}

bool shares_blocks(int dir) {
    const Name from(dir, "from"), to(dir, "to");
    const UniqueFd source = make_file(dir, from);
    write_all_at(source.get(), "data", 4, 0, from.text());
    return clone_file(source.get(), make_file(dir, to).get());
}

bool reads_directly(int dir) {
    const Name name(dir, "file");
    make_file(dir, name);
    const UniqueFd fd(openat(dir, name.text(), O_RDWR | O_DIRECT | O_CLOEXEC));
    return fd.get() >= 0;
}

bool has_verity(int dir) {
    const Name name(dir, "file");
    make_file(dir, name);
    const UniqueFd fd = open_at(dir, name.text(), O_RDONLY);
    alignas(fsverity_digest) unsigned char digest[sizeof(fsverity_digest) + 64]{};
    reinterpret_cast<fsverity_digest*>(digest)->digest_size = 64;
    return ioctl(fd.get(), FS_IOC_MEASURE_VERITY, digest) == 0 || errno == ENODATA;
}

constexpr struct {
    const char* name;
    bool (*works)(int dir);
    const char* cost;
} checks[] = {
    {"types of names in directories (d_type)", tells_types, "listings have to look at each name"},
    {"whiteouts (devices 0:0)", makes_devices, "what lower layers have cannot be removed"},
    {"RENAME_EXCHANGE", exchanges, "lower directories cannot be removed"},
    {"RENAME_WHITEOUT", leaves_whiteouts, "what lower layers have cannot be moved"},
    {"extended attributes trusted.*", keeps_trusted_xattrs,
     "marks need userxattr: no redirects, so that lower directories are moved by copying; no copies without data"},
    {"extended attributes user.*", keeps_user_xattrs, "no userxattr, which mounts in user namespaces need"},
    {"ACLs", keeps_acls, "there are none on the union, either"},
    {"file handles", gives_handles_in, "copies get new inode numbers when mounted again; no index, no NFS export"},
    {"unnamed files (O_TMPFILE)", has_unnamed_files, "it is refused on the union, too"},
    {"shared blocks (reflink)", shares_blocks, "the first write to a lower file copies all of its data"},
    {"direct I/O (O_DIRECT)", reads_directly, "it is refused on the union, too"},
    {"fs-verity", has_verity, "no verity=on, which proves what copies without data lead to"},
};

} // namespace

bool can_mark_as_trusted(const std::string& dir) {
    return keeps_trusted_xattrs(open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY).get());
}

bool gives_handles(const std::string& dir) {
    return gives_handles_in(open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY).get());
}

void check_base(const std::string& dir, const Report& report) {
    const UniqueFd fd = open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY);
    for (const auto& check : checks) {
        if (check.works(fd.get()))
            report({check.name, Verdict::works});
        else
            report({check.name, Verdict::lacks, check.cost});
    }
}

} // namespace shale::selftest
