#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The committed files that are generated from the netlink spec are what it gives today.

cd "$(dirname "$0")/../.." || exit
exec include/netlink/generate.sh "$SHALE_LINUX_SOURCE" --check
