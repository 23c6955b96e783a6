// SPDX-License-Identifier: GPL-2.0-or-later
#include "caller.hpp"

#include <cstdio>

#include <sys/fsuid.h>
#include <sys/stat.h>

namespace shale::twins {

namespace {

/// The capabilities that concern files go with the root user, and come back with it.
Caller become(const Caller& caller) {
    setfsgid(caller.id);
    const auto previous = static_cast<uid_t>(setfsuid(caller.id));
    return {previous, ::umask(caller.umask)};
}

} // namespace

std::string Caller::text() const {
    char text[40];
    std::snprintf(text, sizeof text, "as %u, umask %03o", id, umask);
    return text;
}

AsCaller::AsCaller(const Caller& caller) : previous_(become(caller)) {}

AsCaller::~AsCaller() {
    become(previous_);
}

} // namespace shale::twins
