// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace shale::onefile {

/// Which kind of mount, and where.
struct Setting {
    std::string type = "shale";
    std::string base;    ///< directory for upper, work directory, mount point and twins
    std::string lower;   ///< directory for the lower layers, maybe of another file system
    std::string options; ///< of all mounts, as mount(8) has them
};

/// A mount, and a plain directory beside it, below directories of their own that go with this.
class Stack {
public:
    explicit Stack(const Setting& setting);
    ~Stack();
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    std::string merged() const { return above_ + "/merged"; }
    std::string twin() const { return above_ + "/twin"; }
    std::string upper() const { return above_ + "/upper"; }
    std::string lower() const { return below_ + "/lower"; }
    std::string data() const { return below_ + "/data"; } ///< a layer with nothing but data

    bool is_on_two() const { return on_two_; } ///< file systems

    bool is_on_xfs() const { return on_xfs_; }

    /// @p with_data says whether there is the data-only layer.
    void mount(const std::string& options, bool with_data);
    /// Waits for what the kernel still has to let go.
    void unmount();

private:
    Setting setting_;
    std::string above_, below_;
    bool on_two_, on_xfs_, mounted_ = false;
};

} // namespace shale::onefile
