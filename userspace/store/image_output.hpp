// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "base/new_file.hpp"
#include "oci/blob_source.hpp"
#include "oci/tar_writer.hpp"

namespace shale {

/// Where the files of an exported image go.
class ImageOutput {
public:
    virtual ~ImageOutput() = default;

    virtual void directory(const std::string& name) = 0;
    virtual void text(const std::string& name, const std::string& content) = 0;
    /// A blob as it lies in the store, its digest checked.
    virtual void blob(const std::string& name, oci::BlobSource& source, uint64_t size) = 0;
    /// All of @p source, which has @p size bytes.
    virtual void stream(const std::string& name, oci::ByteSource& source, uint64_t size) = 0;
    /// Makes it appear, whole and on the disk.
    virtual void finish() = 0;
};

/// Into a new directory.
class DirectoryOutput : public ImageOutput {
public:
    explicit DirectoryOutput(const std::string& path) : target_(path) {}

    void directory(const std::string& name) override;
    void text(const std::string& name, const std::string& content) override;
    void blob(const std::string& name, oci::BlobSource& source, uint64_t size) override;
    void stream(const std::string& name, oci::ByteSource& source, uint64_t size) override;
    void finish() override { target_.publish(); }

private:
    UniqueFd create(const std::string& name) const;

    NewDirectory target_;
};

/// Into a tar, whose bytes go to a sink.
class TarOutput : public ImageOutput {
public:
    TarOutput(oci::Sink sink, const std::string& shown)
        : tar_(std::move(sink), shown) {}

    void directory(const std::string& name) override { tar_.directory(name); }
    void text(const std::string& name, const std::string& content) override;
    void blob(const std::string& name, oci::BlobSource& source, uint64_t size) override;
    void stream(const std::string& name, oci::ByteSource& source, uint64_t size) override;
    void finish() override { tar_.finish(); }

private:
    oci::TarWriter tar_;
};

/// Into a tar that is a new file.
class FileOutput : public TarOutput {
public:
    explicit FileOutput(const std::string& path) : FileOutput(std::make_unique<NewFile>(path)) {}
    void finish() override;

private:
    explicit FileOutput(std::unique_ptr<NewFile> target);

    std::unique_ptr<NewFile> target_;
};

} // namespace shale
