#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every shell script, whatever its name, as shellcheck likes it; those that are
# sourced, together with the script that does. SC2016 doubts each dollar sign in single
# quotes, but that is how a command is handed to another shell, which is what many do here.

cd "$(dirname "$0")/../.." || exit
git -c safe.directory='*' grep -lzE '^#!/(bin/|usr/bin/env )(ba)?sh' |
    xargs -0 shellcheck --external-sources --check-sourced --exclude=SC2016
