// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree_store.hpp"

#include <cerrno>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/parallel.hpp"
#include "oci/blob_directory.hpp"

namespace shale {

TreeStore::TreeStore(int root, const std::string& shown)
    : fd_(open_at(root, "trees", O_RDONLY | O_DIRECTORY)), shown_(shown + "/trees/") {}

Digest TreeStore::record(int layer, const std::string& shown, const ContentDigests& known, int staging,
                         Progress& progress) const {
    TreeReading reading;
    reading.known = &known;
    reading.jobs = default_jobs();
    reading.advance = [&](uint64_t) {
        if (progress.cancelled())
            throw Cancelled(shown);
    };
    const std::string text = text_of(read_tree(layer, shown, reading));
    const Digest digest = Digest::of(text);
    // Two layers of an image may hold the same.
    const UniqueFd file = open_at(staging, digest.hex(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0444);
    write_all_at(file.get(), text.data(), text.size(), 0, shown_ + digest.hex());
    return digest;
}

LayerTree TreeStore::read(const Digest& tree) const {
    const std::string shown = shown_ + tree.hex();
    const UniqueFd fd = try_open_beneath(fd_.get(), tree.hex(), O_RDONLY | O_NONBLOCK);
    if (!fd)
        throw Error::from_errno(shown, errno);
    const struct stat st = stat_of(fd.get(), shown);
    const std::string text = oci::read_whole(fd.get(), static_cast<uint64_t>(st.st_size), shown);
    if (Digest::of(text) != tree)
        throw Error(shown, "has another digest");
    return parse_tree(text, shown);
}

} // namespace shale
