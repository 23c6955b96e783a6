#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# include/version.h has the version, and what can't take it from there says the same.

set -u
cd "$(dirname "$0")/../.." || exit
status=0

version=$(sed -n 's/^#define SHALE_VERSION "\(.*\)"$/\1/p' include/version.h)
if [[ ! $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
    echo "include/version.h: no version of the form 1.2.3, but '$version'"
    status=1
fi

packages=$(sed -nE '1s/^shale \((.*)\) .*/\1/p' debian/changelog)
if [[ $packages != "$version" ]]; then
    echo "debian/changelog: its newest entry is for '$packages', but the version is '$version'"
    status=1
fi

# The library's package is called like its soname.
library=$(sed -nE 's/^Package: libshale([0-9].*)/\1/p' debian/control)
if [[ $library != "${version%.*}" || ! -e debian/libshale$library.install ]]; then
    echo "debian/control: the library's package is for '$library', but the version is '$version'"
    status=1
fi
exit $status
