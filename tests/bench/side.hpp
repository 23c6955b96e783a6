// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace shale::bench {

/// One of those that are compared. This one is a plain directory.
class Side {
public:
    /// All of it lies below @p place, which all sides share: paths of the same length take the same time.
    Side(std::string name, const std::string& place);
    virtual ~Side();
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;

    const std::string& name() const { return name_; }
    /// Where the files are, between begin() and end().
    std::string root() const { return place_ + "/root"; }
    virtual bool is_union() const { return false; }
    virtual unsigned most_layers() const { return 1; }

    /// Mounts it, for the next sample; a plain directory is made, and stays empty.
    /// @p lowers has the top-most layer first.
    void begin(const std::vector<std::string>& lowers);
    /// Leaves nothing.
    void end();

protected:
    std::string upper() const { return place_ + "/upper"; }
    std::string work() const { return place_ + "/work"; }

private:
    virtual void mount_layers(const std::vector<std::string>&) const {}

    std::string name_, place_;
    bool begun_ = false;
};

/// A union of lower layers and an empty upper that the kernel makes.
class KernelUnion : public Side {
public:
    KernelUnion(std::string name, const std::string& place, std::string type, std::string options,
                unsigned most_layers);
    bool is_union() const override { return true; }
    unsigned most_layers() const override { return most_layers_; }

private:
    void mount_layers(const std::vector<std::string>& lowers) const override;

    std::string type_, options_;
    unsigned most_layers_;
};

} // namespace shale::bench
