// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/image_verify.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/parallel.hpp"
#include "oci/manifest.hpp"

namespace shale {

namespace {

constexpr size_t chunk = 256 * 1024;

/// What is in many images is one thing here.
struct Thing {
    std::vector<std::string> images;
    std::optional<uint64_t> size; ///< of a blob, where that is known
    Digest tree;                  ///< of a layer
};

class Verification {
public:
    Verification(const VerifySubject& subject, StoreObserver& observer, Progress& progress)
        : subject_(subject), observer_(observer), progress_(progress) {}

    StoreTotals run() {
        for (const ImageRecord& image : subject_.images)
            collect(image);
        verify_blobs();
        size_t index = 0;
        for (const auto& [chain_id, layer] : layers_)
            verify_layer(chain_id, layer, ++index);
        return std::move(totals_);
    }

private:
    static void add(std::map<Digest, Thing>& things, const Digest& digest, const std::string& image) {
        std::vector<std::string>& images = things[digest].images;
        if (images.empty() || images.back() != image)
            images.push_back(image);
    }

    void collect(const ImageRecord& image) {
        for (const LayerRecord& layer : image.layers) {
            add(layers_, layer.chain_id, image.name);
            layers_[layer.chain_id].tree = layer.tree;
        }
        if (const Digest seen = Digest::of(image.config); seen != image.config_digest)
            report_image(image, "a config of digest " + image.config_digest.text(), "in the database, " + seen.text());
        if (!image.has_blobs())
            return; // none of its blobs was ever kept
        add(blobs_, image.manifest_digest, image.name);
        add(blobs_, image.config_digest, image.name);
        for (const LayerRecord& layer : image.layers)
            add(blobs_, layer.blob, image.name);
        read_manifest(image);
    }

    /// What the manifest says of sizes. That it is the right one shows with the other blobs.
    void read_manifest(const ImageRecord& image) {
        const std::optional<uint64_t> size = subject_.blobs.size_of(image.manifest_digest);
        if (!size)
            return;
        oci::Manifest manifest;
        try {
            oci::Descriptor descriptor;
            descriptor.media_type = image.media_type;
            descriptor.digest = image.manifest_digest;
            descriptor.size = *size;
            manifest = oci::parse_manifest(subject_.blobs.directory().read(descriptor), image.name);
        } catch (const Error&) {
            return;
        }
        blobs_[manifest.config_blob.digest].size = manifest.config_blob.size;
        bool same = manifest.config_blob.digest == image.config_digest && manifest.layers.size() == image.layers.size();
        for (size_t i = 0; same && i < manifest.layers.size(); i++) {
            same = manifest.layers[i].blob.digest == image.layers[i].blob;
            blobs_[image.layers[i].blob].size = manifest.layers[i].blob.size;
        }
        if (!same)
            report_image(image, "the config and layers that its manifest names", "others in the database");
    }

    void report_image(const ImageRecord& image, const std::string& expected, const std::string& seen) {
        report({StoreFinding::Where::image, image.manifest_digest, "", expected, seen, {image.name}});
    }

    void report(const StoreFinding& finding) {
        totals_.findings++;
        observer_.found(finding);
    }

    void ask(const std::string& thing) {
        if (progress_.cancelled())
            throw Cancelled(thing);
    }

    void verify_blobs() {
        std::vector<std::pair<Digest, Thing>> blobs(blobs_.begin(), blobs_.end());
        std::vector<std::string> seen(blobs.size());
        std::atomic<uint64_t> unread = 0;
        uint64_t all = 0;
        for (const auto& [digest, blob] : blobs)
            all += subject_.blobs.size_of(digest).value_or(0);
        observer_.begin(std::to_string(blobs.size()) + " blobs", all);
        in_parallel(
            blobs.size(), subject_.jobs,
            [&](size_t index, const std::atomic<bool>& stop) {
                seen[index] = look_at_blob(blobs[index].first, blobs[index].second, unread, stop);
            },
            [&] { take(unread, "blobs"); });
        for (size_t i = 0; i < blobs.size(); i++) {
            const auto& [digest, blob] = blobs[i];
            totals_.blobs++;
            if (seen[i] == gone)
                totals_.not_kept.push_back(digest);
            else if (seen[i] != digest.text())
                report({StoreFinding::Where::blob, digest, "", expected_of(blob), seen[i], blob.images});
        }
    }

    static std::string expected_of(const Thing& blob) {
        return (blob.size ? std::to_string(*blob.size) + " bytes of" : std::string("content of")) + " that digest";
    }

    void take(std::atomic<uint64_t>& unread, const std::string& thing) {
        const uint64_t bytes = unread.exchange(0);
        totals_.bytes += bytes;
        progress_.advance(bytes);
        ask(thing);
    }

    /// Its digest; or what is wrong with it.
    std::string look_at_blob(const Digest& digest, const Thing& blob, std::atomic<uint64_t>& unread,
                             const std::atomic<bool>& stop) const {
        const UniqueFd fd(openat(subject_.blobs.fd(), digest.hex().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        if (!fd)
            return errno == ENOENT ? gone : std::string("unreadable: ") + std::strerror(errno);
        try {
            const struct stat st = stat_of(fd.get(), "it");
            if (!S_ISREG(st.st_mode))
                return "no regular file";
            if (blob.size && static_cast<uint64_t>(st.st_size) != *blob.size)
                return std::to_string(st.st_size) + " bytes";
            Sha256 sha;
            std::vector<std::byte> buffer(chunk);
            while (!stop) {
                const size_t got = read_some(fd.get(), buffer.data(), buffer.size(), "it");
                if (got == 0)
                    break;
                sha.update(buffer.data(), got);
                unread += got;
            }
            return sha.finish().text();
        } catch (const Error& error) {
            return std::string("unreadable: ") + error.what();
        }
    }

    void verify_layer(const Digest& chain_id, const Thing& layer, size_t index) {
        const std::string path = subject_.root + "/layers/" + chain_id.hex();
        const auto say = [&](const std::string& inside, const std::string& expected, const std::string& seen) {
            report({StoreFinding::Where::layer, chain_id, inside, expected, seen, layer.images});
        };
        observer_.begin("layer " + std::to_string(index) + "/" + std::to_string(layers_.size()), 0);
        ask(path);
        totals_.layers++;
        const UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory)
            return say("", "a directory", errno == ENOENT ? "nothing" : std::strerror(errno));
        if (layer.tree.empty()) {
            totals_.unlisted.push_back(chain_id);
            return;
        }
        LayerTree expected;
        try {
            expected = subject_.trees.read(layer.tree);
        } catch (const Error& error) {
            return say("", "a list of what it holds, of digest " + layer.tree.text(), error.what());
        }
        const LayerTree seen = read(directory.get(), path);
        totals_.objects += seen.size();
        for (const TreeDifference& difference : compare_trees(expected, seen))
            say(difference.path, difference.expected, difference.seen);
    }

    LayerTree read(int directory, const std::string& path) {
        TreeReading reading;
        reading.jobs = subject_.jobs;
        reading.unreadable = Unreadable::noted;
        reading.advance = [&](uint64_t bytes) {
            totals_.bytes += bytes;
            progress_.advance(bytes);
            ask(path);
        };
        return read_tree(directory, path, reading);
    }

    static constexpr const char* gone = "nothing";

    const VerifySubject& subject_;
    StoreObserver& observer_;
    Progress& progress_;
    std::map<Digest, Thing> blobs_;
    std::map<Digest, Thing> layers_; ///< by chain id
    StoreTotals totals_;
};

} // namespace

StoreTotals verify_images(const VerifySubject& subject, StoreObserver& observer, Progress& progress) {
    return Verification(subject, observer, progress).run();
}

} // namespace shale
