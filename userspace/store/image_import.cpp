// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/image_import.hpp"

#include <filesystem>

#include <fcntl.h>

#include "base/at.hpp"
#include "oci/image_archive.hpp"
#include "oci/manifest.hpp"
#include "oci/stream_source.hpp"
#include "store/image_intake.hpp"
#include "store/names.hpp"
#include "store/use_lock.hpp"
#include "store/workplace.hpp"

namespace shale {

namespace {

std::string name_of_directory(const std::string& path) {
    return std::filesystem::weakly_canonical(path).filename();
}

/// "dir/debian.tar.gz" is "debian"; what has no such name, as a pipe, has none.
std::string name_of_archive(const std::string& shown) {
    std::string name = std::filesystem::path(shown).filename();
    for (const std::string end : {".gz", ".zst", ".tgz", ".tar"}) {
        if (name.ends_with(end))
            name.resize(name.size() - end.size());
    }
    return name;
}

/// @p otherwise is what an image without a tag is called, where @p name says nothing.
ImageRecord import_from(const oci::Layout& layout, BlobOwner owner, const std::string& tag,
                        const std::string& name, const std::string& otherwise,
                        const ImportTarget& store, const Workplace& work, Progress& progress) {
    const UseLock layers_stay = UseLock::shared(store.fd, "layers");
    oci::Manifest manifest = oci::read_manifest(layout, tag);
    const std::string own = manifest.tag.empty() ? otherwise : manifest.tag;
    const std::string chosen = name.empty() ? own : name;
    check_image_name(chosen);
    return take_in(std::move(manifest), layout.blobs(), owner, chosen, store, work, progress);
}

} // namespace

// The workplace comes first, so that even an import that comes to nothing cleans up after a crashed one.

ImageRecord import_image(const std::string& path, const std::string& tag, const std::string& name,
                         const ImportTarget& store, Progress& progress) {
    const Workplace work(store.fd);
    const oci::Layout layout(path);
    return import_from(layout, BlobOwner::others, tag, name, name_of_directory(path), store, work, progress);
}

ImageRecord import_archive(int fd, const std::string& shown, const std::string& tag,
                           const std::string& name, const ImportTarget& store, Progress& progress) {
    const Workplace work(store.fd);
    const UniqueFd unpacked = work.make("archive");
    const struct stat st = stat_of(fd, shown);
    progress.begin_archive(S_ISREG(st.st_mode) ? static_cast<uint64_t>(st.st_size) : 0);
    oci::StreamSource stream(fd, shown, progress);
    const oci::Layout layout = oci::read_image_archive(stream, unpacked.get(), shown, progress);
    const std::string otherwise = S_ISREG(st.st_mode) ? name_of_archive(shown) : "";
    return import_from(layout, BlobOwner::us, tag, name, otherwise, store, work, progress);
}

} // namespace shale
