// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tree/measure.hpp"

#include <cerrno>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/names_in.hpp"
#include "base/xattr.hpp"
#include "ondisk/marks.hpp"
#include "tree/union.hpp"

namespace shale::tree {

namespace {

class Measurement {
public:
    Measurement(const std::function<void(const Size&)>& so_far, SharedFiles* shared)
        : so_far_(so_far), shared_(shared) {}

    Size run(const Layer& layer) && {
        count_opaque(layer.fd(), ".");
        walk(layer.fd());
        for (const auto& [identity, file] : linked_) {
            if (file.names_elsewhere == 0)
                continue;
            size_.shared_files++;
            size_.shared_bytes += file.bytes;
            if (shared_)
                shared_->emplace(identity, file.bytes);
        }
        return size_;
    }

private:
    void walk(int directory) {
        size_.directories++;
        for (const std::string& name : names_in(directory)) {
            struct stat st {};
            if (fstatat(directory, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
                if (errno == ENOENT)
                    continue;
                throw Error::from_errno(name, errno);
            }
            if (S_ISDIR(st.st_mode))
                enter(directory, name, st);
            else
                count(st);
        }
        so_far_(size_);
    }

    void enter(int parent, const std::string& name, const struct stat& st) {
        const UniqueFd directory(
            openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory) {
            if (errno == ENOENT || errno == ENOTDIR)
                return;
            throw Error::from_errno(name, errno);
        }
        size_.bytes += bytes_of(st);
        count_opaque(parent, name);
        walk(directory.get());
    }

    void count_opaque(int parent, const std::string& name) {
        const auto mark = XattrTarget(parent, name).get(opaque_);
        size_.opaque += ondisk::decode_opaque(mark.value_or("")) == ondisk::Opaque::yes;
    }

    void count(const struct stat& st) {
        if (ondisk::is_whiteout_device(st.st_mode, st.st_rdev)) {
            size_.whiteouts++;
            return;
        }
        if (st.st_nlink > 1) {
            const auto [file, is_new] = linked_.try_emplace(identity_of(st), Linked{st.st_nlink, bytes_of(st)});
            file->second.names_elsewhere--;
            if (!is_new)
                return;
        }
        size_.files++;
        size_.bytes += bytes_of(st);
    }

    static uint64_t bytes_of(const struct stat& st) { return 512 * static_cast<uint64_t>(st.st_blocks); }

    struct Linked {
        nlink_t names_elsewhere; ///< that were not met yet
        uint64_t bytes;
    };

    const std::function<void(const Size&)>& so_far_;
    SharedFiles* const shared_;
    const std::string opaque_ = ondisk::xattr_name(ondisk::Prefix::trusted, ondisk::Mark::opaque);
    std::map<Identity, Linked> linked_;
    Size size_;
};

} // namespace

Size measure(const Layer& layer, const std::function<void(const Size& so_far)>& so_far, SharedFiles* shared) {
    return Measurement(so_far, shared).run(layer);
}

Size measure(const Layer& layer, Progress& progress, SharedFiles* shared) {
    uint64_t before = 0;
    const auto tell = [&](const Size& so_far) {
        progress.advance(so_far.bytes - before);
        before = so_far.bytes;
        if (progress.cancelled())
            throw Cancelled(layer.path());
    };
    return measure(layer, tell, shared);
}

} // namespace shale::tree
