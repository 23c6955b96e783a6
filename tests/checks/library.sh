#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# libshale as it is installed: into a prefix that nobody knew before, where a program outside finds it by
# pkg-config and by CMake, and each header stands by itself.

set -eu -o pipefail
cd "$(dirname "$0")/../.."
tree=$PWD version=$(sed -n 's/^#define SHALE_VERSION "\(.*\)"$/\1/p' include/version.h)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/some/where

cmake --install build/userspace --prefix "$prefix" >"$scratch/log" || { cat "$scratch/log"; exit 1; }
libraries=$(dirname "$(find "$prefix" -name libshale.so)")
export PKG_CONFIG_PATH=$libraries/pkgconfig LD_LIBRARY_PATH=$libraries

# The module is not loaded here, most likely; in a guest tests/commands/examples.sh sees it list mounts.
runs() {
    local said
    said=$("$1" 2>&1) || grep -q '^module shale: not loaded' <<<"$said" || { echo "$1: $said"; exit 1; }
    # Not in a pipe: grep reads no further than it must, and ldd would die of that.
    grep -q "libshale.so.${version%.*} => $libraries/" <<<"$(ldd "$1")" || { echo "$1 uses another libshale"; exit 1; }
}

[[ $(pkg-config --modversion shale) == "$version" ]] || { echo "shale.pc: not version $version"; exit 1; }
readelf -d "$libraries/libshale.so" | grep -q "SONAME.*\[libshale.so.${version%.*}\]" ||
    { echo "libshale.so: its soname is not of $version"; exit 1; }

read -r -a flags <<<"$(pkg-config --cflags --libs shale)"
while read -r header; do
    echo "#include <$header>"
    c++ -std=c++20 -Wall -Wextra -Werror -fsyntax-only -x c++ "${flags[@]}" - <<<"#include <$header>"
done < <(cd "$prefix/include" && find shale -name '*.h*') >"$scratch/headers"
(($(wc -l <"$scratch/headers") > 10)) || { echo "hardly a header is installed"; exit 1; }

c++ -std=c++20 -Wall -Wextra -Werror docs/examples/netlink/mounts.cpp -o "$scratch/by-pkg-config" "${flags[@]}"
runs "$scratch/by-pkg-config"

unset PKG_CONFIG_PATH
mkdir "$scratch/consumer"
cat >"$scratch/consumer/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(shale ${version%.*} REQUIRED)
add_executable(by-cmake $tree/docs/examples/netlink/mounts.cpp)
target_link_libraries(by-cmake PRIVATE shale::shale)
CMAKE
{
    cmake -S "$scratch/consumer" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$prefix" &&
        cmake --build "$scratch/build"
} >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
runs "$scratch/build/by-cmake"
