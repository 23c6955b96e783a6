#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Views: snapshots of images that nothing is written to. Runs in the guest, as root; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")

# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
# shellcheck source=tests/commands/lib/layout.sh
source "$tests/commands/lib/layout.sh"

mkdir m m2
export SHALE_ROOT=$scratch/store

make_image layout >/dev/null || give_up

echo "TAP version 13"
ok "import" shale image import layout:one
ok "view: is made" says "made the view look of one|" shale snapshot view look one
ok "view: has a kind, and no upper" shows "['look', 'one', 'view', None, None, False]" \
    json "[d[0][k] for k in ['name', 'image', 'kind', 'upper', 'work', 'mounted']]" shale snapshot ls --json
ok "view: its directory is empty" is_empty store/snapshots/look/view
ok "view: a name is given once" refuses 1 "view 'look'|exists already|" shale snapshot view look one
ok "view: nor to a writable layer" refuses 1 "view 'look'|exists already|" shale snapshot prepare look one
ok "view: of an unknown image" refuses 1 "nosuch|image ls|" shale snapshot view other nosuch
ok "view: usage is that of its directory" shows "[['look', 1]]" json "[[s['name'], s['inodes']] for s in d]" shale snapshot usage look --json
ok "view: it changes nothing" prints_nothing shale snapshot diff look
ok "view: commit says why not" refuses 1 "view 'look'|not written to|snapshot prepare|" shale snapshot commit look new
ok "view: there is no tar of it" refuses 1 "view 'look'|not written to|" shale snapshot diff look --tar out.tar
ok "view: and no image came of it" shows "['one']" json "[i['name'] for i in d]" shale image ls --json
ok "view: its image stays" refuses 1 "image 'one'|carries the view 'look'|shale snapshot rm look|" shale image rm one
ok "view: what it is mounted from" says "mount -t shale -o 'ro,lowerdir=$PWD/store/snapshots/look/view:|mount -t overlay -o 'ro,|" \
    shale snapshot mounts look
ok "view: for programs" shows "[True, 3, None]" json "[d['lowers'][0] == d['view'], len(d['lowers']), d['upper']]" \
    shale snapshot mounts look --json
ok "view: has no fault" shale fsck look
ok "rebuild: a lost database" sh -c "cp -a store/shale.db kept && rm store/shale.db && shale store rebuild"
ok "rebuild: takes it up as a view" shows "[['look', 'view']]" json "[[s['name'], s['kind']] for s in d]" shale snapshot ls --json

# --- mounted by Shale
ok "mount: by its name" says "mounted one on $PWD/m as look, read-only|" shale mount one m --name look
ok "mount: shows the image" shows upper cat m/etc/name
ok "mount: what is hidden there, too" test ! -e m/gone
ok "mount: nothing can be written" sh -c "! touch m/new 2>/dev/null"
ok "mount: with the image's root" shows "$(stat -c '%a %u %g' store/snapshots/look/view)" stat -c "%a %u %g" m
ok "mount: ls says so" shows "[True]" json "[s['mounted'] for s in d]" shale snapshot ls --json
ok "mount: so does mounts" shows "[['look', 'one', None]]" json "[[r['name'], r['image'], r['upper']] for r in d]" shale mounts --json
ok "mount: show knows it by its name" says "look|" shale show look
ok "mount: rm has to wait" refuses 1 "view 'look'|mounted|shale mounts|" shale snapshot rm look
ok "mount: a second time" shale mount one m2 --name look
ok "umount: of which of both" refuses 1 "several|" bash -c 'shale umount look || { s=$?; echo several >&2; exit $s; }'
ok "umount: of one" says "the view look is kept|" shale umount m2
ok "umount: by name" says "unmounted $PWD/m; the view look is kept|" shale umount look
ok "mount: of another image's view" refuses 1 "view 'look'|belongs to image 'one'|" sh -c "shale image tag one two >/dev/null; shale mount two m --name look"
ok "mount: limits make no sense" refuses 1 "view 'look'|--size|" shale mount one m --name look --size 1M
ok "run: a name of a view is refused" sh -c "shale run --keep look one true 2>&1 | grep -q \"view 'look'\""

# --- by hand, as "snapshot mounts" says
eval "$(shale snapshot mounts look | sed -n 's/ DIR$/ m/; /-t shale/p' | sed "s/-t shale/-t $module/")"
ok "mounts: the command does it" shows upper cat m/etc/name
ok "mounts: and it is known as mounted" refuses 1 "view 'look'|mounted|" shale snapshot rm look
umount m
if eval "$(shale snapshot mounts look | sed -n 's/ DIR$/ m/; /-t overlay/p')" 2>/dev/null; then
    ok "overlayfs: shows the image" shows upper cat m/etc/name
    ok "overlayfs: and it is known as mounted" refuses 1 "view 'look'|mounted|" shale snapshot rm look
    umount m
fi

shale mount one m --name look >/dev/null
ok "umount: with --rm" says "the view look is removed|" shale umount m --rm
ok "rm: it is gone" is_empty store/snapshots
shale snapshot view again one >/dev/null
ok "rm: of one that is not mounted" says "removed again|" shale snapshot rm again
ok "rm: and its image can go" shale image rm one two

finish
