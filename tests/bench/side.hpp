// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace shale::bench {

/// One of those that are compared: a plain directory, or a union of lower layers and an empty
/// upper.
class Side {
public:
    /// @p type is that of the mount, or empty for a plain directory. All of it lies below @p place,
    /// which all sides share: paths of the same length take the same time.
    Side(std::string name, std::string type, std::string options, const std::string& place);
    ~Side();
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;

    const std::string& name() const { return name_; }
    bool is_union() const { return !type_.empty(); }
    /// Where the files are, between begin() and end().
    std::string root() const { return place_ + "/root"; }

    /// Mounts it, for the next sample; a plain directory is made, and stays empty.
    /// @p lowers has the top-most layer first.
    void begin(const std::vector<std::string>& lowers);
    /// Leaves nothing.
    void end();

private:
    void mount_layers(const std::vector<std::string>& lowers) const;

    std::string name_, type_, options_, place_;
    bool begun_ = false;
};

} // namespace shale::bench
