// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/image_output.hpp"

#include <fcntl.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

UniqueFd DirectoryOutput::create(const std::string& name) const {
    return open_at(target_.fd(), name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
}

void DirectoryOutput::directory(const std::string& name) {
    make_directory_at(target_.fd(), name, 0777);
}

void DirectoryOutput::text(const std::string& name, const std::string& content) {
    write_all_at(create(name).get(), content.data(), content.size(), 0,
                 target_.shown() + "/" + name);
}

void DirectoryOutput::blob(const std::string& name, oci::BlobSource& source, uint64_t) {
    source.copy_to(create(name), target_.shown() + "/" + name);
    source.verify();
}

void DirectoryOutput::stream(const std::string& name, oci::ByteSource& source, uint64_t) {
    const UniqueFd file = create(name);
    uint64_t offset = 0;
    for (auto bytes = source.next(); !bytes.empty(); bytes = source.next()) {
        write_all_at(file.get(), bytes.data(), bytes.size(), offset, target_.shown() + "/" + name);
        offset += bytes.size();
    }
}

void TarOutput::text(const std::string& name, const std::string& content) {
    tar_.file(name, content.size());
    tar_.content(std::as_bytes(std::span(content)));
}

void TarOutput::blob(const std::string& name, oci::BlobSource& source, uint64_t size) {
    stream(name, source, size);
    source.verify();
}

void TarOutput::stream(const std::string& name, oci::ByteSource& source, uint64_t size) {
    tar_.file(name, size);
    for (auto bytes = source.next(); !bytes.empty(); bytes = source.next())
        tar_.content(bytes);
}

FileOutput::FileOutput(std::unique_ptr<NewFile> target)
    : TarOutput(
          [file = target.get(), offset = uint64_t{0}](std::span<const std::byte> bytes) mutable {
              write_all_at(file->fd(), bytes.data(), bytes.size(), offset, file->shown());
              offset += bytes.size();
          },
          target->shown()),
      target_(std::move(target)) {}

void FileOutput::finish() {
    TarOutput::finish();
    target_->publish();
}

} // namespace shale
