// SPDX-License-Identifier: GPL-2.0-or-later
//
// For commands that make mounts of their own, to try them.
#pragma once

#include <string>

#include "verify/walk.hpp"

namespace shale {

/// From here on nobody sees what this process mounts, and it goes with it. @p way_out says what helps whoever may not.
void leave_mount_namespace(const std::string& way_out);

/// Keeps what verify finds, as text.
class KeptFindings : public verify::Observer {
public:
    void found(const verify::Finding& finding) override;
    void not_judged(const std::string& path, const std::string& reason) override;
    void so_far(const verify::Totals&) override {}
    bool cancelled() override { return false; }

    /// Empty: nothing was found.
    const std::string& text() const { return text_; }

private:
    void add(const std::string& line);

    std::string text_;
};

} // namespace shale
