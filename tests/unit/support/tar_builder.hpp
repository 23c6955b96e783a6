// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

namespace shale::test {

/// Writes a tar in memory, entry by entry, with names as hostile as a test wants them. Owner 0:0
/// and a time of 1000 s where nothing else is said.
class TarBuilder {
public:
    using Change = std::function<void(archive_entry*)>;

    enum class Format { pax, ustar, gnu };

    explicit TarBuilder(Format format = Format::pax);
    ~TarBuilder();

    TarBuilder& directory(const std::string& path, mode_t mode = 0755, Change change = {});
    TarBuilder& file(const std::string& path, const std::string& content = "", mode_t mode = 0644,
                     Change change = {});
    TarBuilder& symlink(const std::string& path, const std::string& target, Change change = {});
    TarBuilder& hard_link(const std::string& path, const std::string& target);
    TarBuilder& device(const std::string& path, mode_t type, unsigned major, unsigned minor);
    TarBuilder& fifo(const std::string& path);

    /// The archive. Call once, last.
    std::string finish();

private:
    TarBuilder& add(const std::string& path, mode_t mode, const std::string& content,
                    const Change& change);

    std::string bytes_;
    archive* handle_;
};

/// Changes for TarBuilder.
TarBuilder::Change with_xattr(const std::string& name, const std::string& value);
TarBuilder::Change with_owner(uid_t uid, gid_t gid);
TarBuilder::Change with_time(time_t seconds, long nanoseconds);

} // namespace shale::test
