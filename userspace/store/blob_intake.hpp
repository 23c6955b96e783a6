// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <memory>

#include "base/progress.hpp"
#include "oci/blob_source.hpp"
#include "store/blob_store.hpp"
#include "store/publication.hpp"

namespace shale {

/// Whether the blobs of an image have to be copied, or are files that nobody else has: those of an
/// archive that was unpacked for the import.
enum class BlobOwner { others, us };

/// Blobs on their way from an image into the store: each is copied (or, if it is ours, linked) while it
/// is read for the first time, unless the store has it, and all appear together.
class BlobIntake {
public:
    /// @p staging is an open, empty directory, on the file system of the source where that is ours. All
    /// arguments outlive the object.
    BlobIntake(const oci::BlobDirectory& source, BlobOwner owner, const BlobStore& store, int staging);

    /// The image needs @p blob. Sees that the source has it, where the store has not.
    void expect(const oci::Descriptor& blob);
    /// Whether it has still to be read for the sake of the store.
    bool lacks(const oci::Descriptor& blob) const;

    /// The blob, open in the source. Whoever reads all of it and verifies it has put it into the
    /// staging directory, if the store lacks it.
    std::unique_ptr<oci::BlobSource> open(const oci::Descriptor& blob, Progress& progress);
    /// Puts a blob that is in memory, and verified, into the staging directory.
    void put(const oci::Descriptor& blob, const std::string& content);

    /// Moves what was staged into the store, which is locked. Throws Error where a blob that the
    /// store had has gone meanwhile.
    void publish(Publication& publication) const;

private:
    UniqueFd create(const Digest& digest) const;

    const oci::BlobDirectory& source_;
    const BlobOwner owner_;
    const BlobStore& store_;
    int staging_;
    struct Expected {
        oci::Descriptor blob;
        bool lacking = false; ///< in the store and in the staging directory
        bool staged = false;
    };
    std::map<Digest, Expected> blobs_;
};

} // namespace shale
