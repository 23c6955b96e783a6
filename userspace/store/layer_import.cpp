// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer_import.hpp"

#include "base/error.hpp"
#include "oci/decompress.hpp"
#include "oci/digest_source.hpp"
#include "store/layer_builder.hpp"

namespace shale {

namespace {

void extract(oci::ByteSource& tar, const std::string& shown, LayerBuilder& builder) {
    oci::TarReader reader(tar, shown);
    oci::TarEntry entry;
    while (reader.next(entry))
        builder.add(entry, reader);
    builder.finish(shown);
}

} // namespace

uint64_t import_layer(oci::BlobSource& blob, const oci::LayerDescriptor& layer, int target,
                      const LowerLayers& lower, Omissions& omissions, ContentDigests& contents,
                      Progress& progress) {
    try {
        const std::unique_ptr<oci::ByteSource> plain =
            oci::decompress(blob, layer.blob.media_type, blob.shown());
        oci::DigestSource tar(*plain);
        LayerBuilder builder(target, lower, omissions, progress);
        extract(tar, blob.shown(), builder);
        const Digest found = tar.finish();
        blob.verify();
        if (found != layer.diff_id)
            throw Error(blob.shown(),
                        "the layer in it has digest " + found.text() +
                            " where the image's config says " + layer.diff_id.text(),
                        "the image is broken: build or copy it again");
        contents = builder.take_contents();
        return tar.size();
    } catch (const Cancelled&) {
        throw;
    } catch (const Error& error) {
        // Damage shows as whatever inflation or tar stumble over first. If the blob is not what the
        // manifest promised, that is the reason to give; not for failures of our own making.
        if (error.code() == 0)
            blob.verify();
        throw;
    }
}

} // namespace shale
