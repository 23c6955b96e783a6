// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/site.hpp"

#include "exercise/calls.hpp"

namespace shale::exercise {

int Site::make(const Operation& operation) {
    return call(root(), operation);
}

} // namespace shale::exercise
