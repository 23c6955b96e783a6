// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/image_files.hpp"

#include <cerrno>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/names_in.hpp"
#include "oci/blob_directory.hpp"
#include "oci/json.hpp"

namespace shale {

namespace {

constexpr uint64_t version = 1;
const std::string mark = ".unsettled-";

/// Names of images have slashes and what not.
std::string file_of(const std::string& image) {
    return Digest::of(image).hex() + ".json";
}

std::string own_mark() {
    return mark + std::to_string(getpid());
}

std::string text_or_empty(const Digest& digest) {
    return digest.empty() ? "" : digest.text();
}

/// On the disk, whole, when the name is there. @p shown is the directory.
void put_file(int directory, const std::string& name, const std::string& content, const std::string& shown) {
    const std::string temporary = ".new-" + std::to_string(getpid());
    const UniqueFd file = open_at(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    write_all_at(file.get(), content.data(), content.size(), 0, shown + "/" + name);
    if (fsync(file.get()) != 0)
        throw Error::from_errno(shown + "/" + name, errno);
    rename_at(directory, temporary, directory, name);
}

std::string read_file_at(int directory, const std::string& name, const std::string& shown) {
    const UniqueFd file = try_open_beneath(directory, name, O_RDONLY | O_NONBLOCK);
    if (!file)
        throw Error::from_errno(shown, errno);
    const struct stat st = stat_of(file.get(), shown);
    // A config is no larger than the blob that it was.
    if (!S_ISREG(st.st_mode) || static_cast<uint64_t>(st.st_size) > 4 * oci::small_file_limit)
        throw Error(shown, "is nothing that the store has written");
    return oci::read_whole(file.get(), static_cast<uint64_t>(st.st_size), shown);
}

void check_version(const oci::JsonFile& file) {
    if (file.number("version") > version)
        throw Error(file.shown(), "written by a newer shale", "use that one");
}

} // namespace

ImageFiles::ImageFiles(int root, const std::string& shown)
    : fd_(open_at(root, "images", O_RDONLY | O_DIRECTORY)), shown_(shown + "/images") {}

void ImageFiles::put(const std::string& file, const std::string& content) {
    put_file(fd_.get(), file, content, shown_);
}

void ImageFiles::write(const ImageRecord& image) {
    oci::Json layers = oci::Json::array();
    for (const LayerRecord& layer : image.layers)
        layers.push_back({{"chain_id", layer.chain_id.text()},
                          {"diff_id", layer.diff_id.text()},
                          {"blob", layer.blob.text()},
                          {"size", layer.size},
                          {"tree", text_or_empty(layer.tree)}});
    const oci::Json document = {{"version", version},
                                {"name", image.name},
                                {"manifest", image.manifest_digest.text()},
                                {"media_type", image.media_type},
                                {"config_digest", image.config_digest.text()},
                                {"config", image.config},
                                {"imported", image.imported},
                                {"layers", layers}};
    put(file_of(image.name), document.dump());
}

void ImageFiles::remove(const std::string& name) {
    if (unlinkat(fd_.get(), file_of(name).c_str(), 0) != 0 && errno != ENOENT)
        throw Error::from_errno(shown_ + "/" + file_of(name), errno);
}

ImageRecord ImageFiles::read(const std::string& name) const {
    const std::string shown = shown_ + "/" + name;
    const oci::JsonFile file(read_file_at(fd_.get(), name, shown), shown);
    check_version(file);
    ImageRecord image;
    image.name = file.string("name");
    if (file_of(image.name) != name)
        throw Error(shown, "is called otherwise than its image");
    image.manifest_digest = Digest::parse(file.string("manifest"), shown);
    image.media_type = file.string("media_type");
    image.config_digest = Digest::parse(file.string("config_digest"), shown);
    image.config = file.string("config");
    image.imported = static_cast<int64_t>(file.number("imported"));
    for (const oci::JsonFile& entry : file.objects("layers")) {
        LayerRecord layer;
        layer.chain_id = Digest::parse(entry.string("chain_id"), shown);
        layer.diff_id = Digest::parse(entry.string("diff_id"), shown);
        layer.blob = Digest::parse(entry.string("blob"), shown);
        layer.size = entry.number("size");
        if (const std::string tree = entry.string("tree"); !tree.empty())
            layer.tree = Digest::parse(tree, shown);
        image.size += layer.size;
        image.layers.push_back(std::move(layer));
    }
    return image;
}

std::vector<ImageRecord> ImageFiles::read_all(std::vector<std::string>& problems) const {
    std::vector<ImageRecord> images;
    for (const std::string& name : names_in(fd_.get())) {
        if (name.starts_with('.'))
            continue;
        try {
            images.push_back(read(name));
        } catch (const Error& error) {
            problems.emplace_back(error.what());
        }
    }
    return images;
}

void ImageFiles::begin(const std::set<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += name + "\n";
    put(own_mark(), text);
    sync();
}

void ImageFiles::sync() const {
    if (fsync(fd_.get()) != 0)
        throw Error::from_errno(shown_, errno);
}

void ImageFiles::settle() {
    unlinkat(fd_.get(), own_mark().c_str(), 0);
}

std::vector<std::string> ImageFiles::marks() const {
    std::vector<std::string> marks;
    for (const std::string& name : names_in(fd_.get())) {
        if (name.starts_with(mark))
            marks.push_back(name);
    }
    return marks;
}

std::set<std::string> ImageFiles::unsettled() const {
    std::set<std::string> names;
    for (const std::string& file : marks()) {
        try {
            std::istringstream lines(read_file_at(fd_.get(), file, shown_ + "/" + file));
            for (std::string name; std::getline(lines, name);)
                names.insert(name);
        } catch (const Error& error) {
            if (error.code() != ENOENT) // whoever left it has just come to its end
                throw;
        }
    }
    return names;
}

void ImageFiles::settle_all() {
    for (const std::string& file : marks())
        unlinkat(fd_.get(), file.c_str(), 0);
}

void write_snapshot_file(int own, const SnapshotRecord& snapshot, const Digest& manifest) {
    oci::Json document = {
        {"version", version}, {"name", snapshot.name}, {"image", snapshot.image},
        {"manifest", manifest.text()}, {"created", snapshot.created}};
    if (snapshot.is_view)
        document["kind"] = "view";
    put_file(own, snapshot_file, document.dump(), snapshot.name);
}

SnapshotRecord read_snapshot_file(int own, const std::string& name, const std::string& shown, Digest& manifest) {
    const std::string path = shown + "/" + snapshot_file;
    const oci::JsonFile file(read_file_at(own, snapshot_file, path), path);
    check_version(file);
    if (file.string("name") != name)
        throw Error(path, "is of another writable layer, '" + file.string("name") + "'");
    SnapshotRecord snapshot;
    snapshot.name = name;
    snapshot.image = file.string("image");
    manifest = Digest::parse(file.string("manifest"), path);
    snapshot.created = static_cast<int64_t>(file.number("created"));
    snapshot.is_view = file.string_or("kind", "") == "view";
    return snapshot;
}

} // namespace shale
