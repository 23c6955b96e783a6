// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/blob_intake.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

BlobIntake::BlobIntake(const oci::BlobDirectory& source, BlobOwner owner, const BlobStore& store,
                       int staging)
    : source_(source), owner_(owner), store_(store), staging_(staging) {}

void BlobIntake::expect(const oci::Descriptor& blob) {
    const bool lacking = !store_.has(blob);
    if (lacking)
        source_.open(blob);
    blobs_.emplace(blob.digest, Expected{blob, lacking, false});
}

bool BlobIntake::lacks(const oci::Descriptor& blob) const {
    return blobs_.at(blob.digest).lacking;
}

UniqueFd BlobIntake::create(const Digest& digest) const {
    return open_at(staging_, digest.hex(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
}

std::unique_ptr<oci::BlobSource> BlobIntake::open(const oci::Descriptor& blob,
                                                  Progress& progress) {
    auto source = std::make_unique<oci::BlobSource>(source_, blob, progress);
    if (Expected& expected = blobs_.at(blob.digest); expected.lacking) {
        if (owner_ == BlobOwner::us)
            link_at(source_.directory(), oci::blob_name(blob.digest), staging_, blob.digest.hex());
        else
            source->copy_to(create(blob.digest), store_.directory().path(blob.digest));
        expected.lacking = false;
        expected.staged = true;
    }
    return source;
}

void BlobIntake::put(const oci::Descriptor& blob, const std::string& content) {
    Expected& expected = blobs_.at(blob.digest);
    if (!expected.lacking)
        return;
    write_all_at(create(blob.digest).get(), content.data(), content.size(), 0,
                 store_.directory().path(blob.digest));
    expected.lacking = false;
    expected.staged = true;
}

void BlobIntake::publish(Publication& publication) const {
    for (const auto& [digest, expected] : blobs_) {
        const bool there = store_.has(expected.blob);
        if (!there && !expected.staged)
            throw Error(store_.directory().path(digest), "was removed during the import",
                        "import again");
        if (there)
            continue;
        // What has the name and not the size is damaged, and nobody can use it.
        unlinkat(store_.fd(), digest.hex().c_str(), 0);
        publication.publish(digest.hex());
    }
}

} // namespace shale
