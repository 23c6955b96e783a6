/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The version, in one place: the module, the command, DKMS and the manual pages take it from
 * here, and tests/checks/version.sh holds the Debian packages to it.
 */
#ifndef SHALE_VERSION_H
#define SHALE_VERSION_H

#define SHALE_VERSION "0.1.0"

#endif
