// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/site.hpp"

#include "base/error.hpp"
#include "exercise/calls.hpp"

namespace shale::exercise {

std::optional<Difference> found_or_thrown(const std::string& path, const std::string& aspect,
                                          const std::function<std::optional<Difference>()>& look) {
    try {
        return look();
    } catch (const Cancelled&) {
        throw;
    } catch (const Error& error) {
        return Difference{path, aspect, "ok", error.what()};
    }
}

int Site::make(const Operation& operation) {
    return call(root(), operation);
}

} // namespace shale::exercise
