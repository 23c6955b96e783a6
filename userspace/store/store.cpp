// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/store.hpp"

#include <cerrno>
#include <filesystem>
#include <set>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/stream.hpp"
#include "base/xattr.hpp"
#include "ondisk/marks.hpp"
#include "store/blob_store.hpp"
#include "store/image_export.hpp"
#include "store/image_import.hpp"
#include "store/names.hpp"
#include "store/tree_store.hpp"

namespace shale {

namespace {

UniqueFd make_and_open(const std::string& root) {
    make_directories(root, 0700);
    UniqueFd fd = open_at(AT_FDCWD, root, O_RDONLY | O_DIRECTORY);
    // 0700 each, because ROOT may have been there before with a mode of its own: layers hold
    // set-uid programs of any age and must not be reachable by others.
    for (const char* name : {"blobs", "blobs/sha256", "images", "layers", "snapshots", "staging", "trees"}) {
        if (mkdirat(fd.get(), name, 0700) != 0 && errno != EEXIST)
            throw Error::from_errno(root + "/" + name, errno);
    }
    return fd;
}

} // namespace

Store Store::open(const std::string& root) {
    Root found = open_root(root);
    return Store(std::move(found.path), std::move(found.fd));
}

Store::Root Store::open_root(const std::string& root) {
    if (root.empty())
        throw Error("store", "no directory given", "give one with --root");
    const std::string absolute = std::filesystem::absolute(root).lexically_normal();
    try {
        UniqueFd fd = make_and_open(absolute);
        // As mount tables name it.
        return {std::filesystem::canonical(absolute), std::move(fd)};
    } catch (const Error& error) {
        if (error.code() != EACCES && error.code() != EPERM)
            throw;
        throw Error::from_errno(absolute, error.code(),
                                "run as root, or choose another store with --root");
    }
}

Store::Store(std::string root, UniqueFd fd)
    : root_(std::move(root)), fd_(std::move(fd)), catalog_(fd_.get(), root_) {}

ImageRecord Store::import_layout(const std::string& path, const std::string& tag,
                                 const std::string& name, Progress& progress) {
    return import_image(path, tag, name, {root_, fd_.get(), catalog_}, progress);
}

ImageRecord Store::import_archive(int fd, const std::string& shown, const std::string& tag,
                                  const std::string& name, Progress& progress) {
    return shale::import_archive(fd, shown, tag, name, {root_, fd_.get(), catalog_}, progress);
}

namespace {

void write_image(ImageExport& image, const std::string& tag, ExportFormat format,
                 ImageOutput& output) {
    if (format == ExportFormat::docker_archive)
        image.write_docker_archive(tag, output);
    else
        image.write_layout(tag, output);
}

} // namespace

void Store::export_image(const std::string& name, const std::string& tag, ExportFormat format,
                         const std::string& path, Progress& progress) {
    const UseLock blobs_stay = hold();
    const ImageRecord record = image(name);
    const BlobStore blobs(fd_.get(), root_);
    ImageExport image(record, blobs, progress);
    std::unique_ptr<ImageOutput> output;
    if (format == ExportFormat::oci_directory)
        output = std::make_unique<DirectoryOutput>(path);
    else
        output = std::make_unique<FileOutput>(path);
    write_image(image, tag.empty() ? name : tag, format, *output);
}

void Store::export_image(const std::string& name, const std::string& tag, ExportFormat format,
                         int fd, Progress& progress) {
    const UseLock blobs_stay = hold();
    const ImageRecord record = image(name);
    const BlobStore blobs(fd_.get(), root_);
    ImageExport image(record, blobs, progress);
    const std::string shown = "standard output";
    TarOutput output(
        [&](std::span<const std::byte> bytes) {
            write_stream(fd, bytes.data(), bytes.size(), shown, progress);
        },
        shown);
    write_image(image, tag.empty() ? name : tag, format, output);
}

std::vector<ImageRecord> Store::images() {
    return catalog_.images();
}

ImageRecord Store::image(const std::string& name) {
    if (std::optional<ImageRecord> image = catalog_.image(name))
        return std::move(*image);
    throw Error("image '" + name + "'", "not in the store " + root_,
                "'shale image ls' lists what is there, 'shale image import' adds one");
}

ImageRecord Store::tag_image(const std::string& name, const std::string& other) {
    check_image_name(other);
    Transaction transaction = catalog_.begin();
    ImageRecord image = this->image(name);
    image.name = other;
    if (const auto snapshot = catalog_.snapshot_in_the_way(image))
        throw Error("image '" + other + "'",
                    "is another image, which carries the " + called(*snapshot),
                    "choose another name");
    catalog_.put_image(image);
    transaction.commit();
    return image;
}

void Store::remove_images(const std::vector<std::string>& names) {
    Transaction transaction = catalog_.begin();
    for (const std::string& name : names) {
        image(name); // throws where there is none
        if (const auto snapshot = catalog_.snapshot_of(name))
            throw Error("image '" + name + "'", "carries the " + called(*snapshot),
                        std::string("remove that first") + (snapshot->is_view ? "" : ", with all changes in it") +
                            ": 'shale snapshot rm " + snapshot->name + "'");
        catalog_.remove_image(name);
    }
    transaction.commit();
}

StoreTotals Store::verify_images(const std::vector<std::string>& names, unsigned jobs, StoreObserver& observer,
                                 Progress& progress) {
    const UseLock all_stays = hold();
    std::vector<ImageRecord> images;
    for (const std::string& name : std::set<std::string>(names.begin(), names.end()))
        images.push_back(image(name));
    if (names.empty())
        images = this->images();
    const BlobStore blobs(fd_.get(), root_);
    const TreeStore trees(fd_.get(), root_);
    return shale::verify_images({images, root_, blobs, trees, jobs}, observer, progress);
}

std::string Store::path_of_layer(const Digest& chain_id) const {
    return root_ + "/layers/" + chain_id.hex();
}

std::string Store::layer_path(const LayerRecord& layer) const {
    return path_of_layer(layer.chain_id);
}

std::vector<std::string> Store::layer_paths(const ImageRecord& image) const {
    const std::string opaque = ondisk::xattr_name(ondisk::Prefix::trusted, ondisk::Mark::opaque);
    std::vector<std::string> paths;
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer) {
        paths.push_back(layer_path(*layer));
        const std::optional<std::string> mark = XattrTarget(AT_FDCWD, paths.back()).get(opaque);
        if (ondisk::decode_opaque(mark.value_or("")) == ondisk::Opaque::yes)
            break;
    }
    return paths;
}

} // namespace shale
