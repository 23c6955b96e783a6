// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of Store that makes one layer of several.
#include <algorithm>
#include <cerrno>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "oci/derived_image.hpp"
#include "store/attributes.hpp"
#include "store/blob_store.hpp"
#include "store/changed_layer.hpp"
#include "store/image_intake.hpp"
#include "store/made_image.hpp"
#include "store/names.hpp"
#include "store/store.hpp"
#include "store/workplace.hpp"

namespace shale {

namespace {

/// An empty layer below all others, whose root looks like no image's: that of the image is written for sure.
std::string make_ground(const Workplace& work) {
    const UniqueFd ground = work.make("ground");
    const struct timespec times[2] = {{1, 1}, {1, 1}};
    if (fchmod(ground.get(), 0) != 0 || futimens(ground.get(), times) != 0)
        throw Error::from_errno("staging", errno);
    return "/proc/self/fd/" + std::to_string(work.staging.fd()) + "/ground";
}

/// Numbers of layers, from 0; the last one is among them.
struct Range {
    size_t first;
    size_t last;
};

Range range_of(const MergeOptions& options, const ImageRecord& image) {
    const std::string thing = "image '" + image.name + "'";
    const size_t count = image.layers.size();
    const size_t to = options.to == 0 ? count : options.to;
    if (count < 2)
        throw Error(thing, "has no two layers that could be merged");
    if (to > count)
        throw Error(thing, "has " + std::to_string(count) + " layers, and no layer " + std::to_string(to),
                    "1 is the bottom one; 'shale image history' lists them, the top one first");
    if (options.from < 1 || options.from >= to)
        throw Error(thing, "layers " + std::to_string(options.from) + " to " + std::to_string(to) + " are not several",
                    "1 is the bottom one; 'shale image history' lists them, the top one first");
    return {options.from - 1, to - 1};
}

/// What the lowest @p count layers of @p image are mounted as.
std::vector<std::string> paths_of_lowest(size_t count, ImageRecord image, const Store& store) {
    image.layers.resize(count);
    return store.layer_paths(image);
}

std::string name_of(const Range& range) {
    return std::to_string(range.first + 1) + " to " + std::to_string(range.last + 1);
}

/// Opens each layer once: by that those are known which two unions share.
class Layers {
public:
    tree::Union::Layers open(const std::vector<std::string>& paths) {
        tree::Union::Layers layers;
        for (const std::string& path : paths) {
            std::shared_ptr<const tree::Layer>& layer = open_[path];
            if (!layer)
                layer = tree::Layer::open(path);
            layers.push_back(layer);
        }
        return layers;
    }

private:
    std::map<std::string, std::shared_ptr<const tree::Layer>> open_;
};

/// The layer that makes of those below @p range what it and they show.
void write_merged_layer(const ImageRecord& image, const Range& range, const Store& store, const Workplace& work,
                        const oci::Sink& sink, Progress& progress) {
    std::vector<std::string> below;
    if (range.first > 0)
        below = paths_of_lowest(range.first, image, store);
    std::vector<std::string> all = paths_of_lowest(range.last + 1, image, store);
    // Fewer, where nothing shows of the lower ones of them, nor of what is below.
    const size_t changed = std::min(all.size(), range.last - range.first + 1);
    if (range.first == 0) {
        below.push_back(make_ground(work));
        all.push_back(below.front());
    }
    Layers layers;
    const tree::Union before(layers.open(below));
    const tree::Union after(layers.open(all));
    Omissions omissions;
    oci::LayerWriter writer(sink, "the merged layer");
    write_changed_layer(before, after, changed, {}, writer, omissions, progress);
    writer.finish();
    omissions.report(progress);
}

} // namespace

ImageRecord Store::merge_layers(const MergeOptions& options, Progress& progress) {
    check_image_name(options.name);
    if (const auto other = catalog_.snapshot_of(options.name))
        throw Error("image '" + options.name + "'", "carries the " + called(*other),
                    "choose another name for the new one");
    const Workplace work(fd_.get());
    require_readable_marks(work.staging.fd(), "image '" + options.image + "'");
    const UseLock layers_stay = hold();
    const ImageRecord image = this->image(options.image);
    const Range range = range_of(options, image);
    const BlobStore blobs(fd_.get(), root_);
    const oci::Manifest parent = manifest_of(image, blobs);
    const MadeBlobs made(work, image.name);
    LayerBlob blob(made, options.compression);
    progress.begin_layer(range.first + 1, image.layers.size() - (range.last - range.first), 0);
    write_merged_layer(image, range, *this, work, [&](auto bytes) { blob.write(bytes); }, progress);
    const oci::LayerDescriptor layer = blob.finish();
    // Above others, they are other layers.
    for (size_t i = range.last + 1; i < parent.layers.size(); ++i)
        made.take(parent.layers[i].blob.digest, blobs);
    const oci::Manifest merged =
        oci::merge(parent, {range.first, range.last, layer, "shale layer merge", "layers " + name_of(range)},
                   "image '" + image.name + "'");
    made.put(merged.config_blob, merged.config);
    made.put(merged.descriptor, merged.text);
    return take_in(merged, made.directory(), BlobOwner::us, options.name, {root_, fd_.get(), catalog_}, work,
                   progress);
}

} // namespace shale
