#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the commands show, which, who-uses, stats, top and set promise. Runs in the guest, as root, with the module
# loaded; speaks KTAP.

set -u -o pipefail
tests=$(realpath "$(dirname "$0")/..")
# shellcheck source=tests/commands/lib/said.sh
source "$tests/commands/lib/said.sh"
shale=$(command -v shale)

mkdir -p a b/d b/e b/opaque u w m m2 unrelated
echo base >b/f; echo gone >b/gone; echo x >b/d/x; echo a >a/top; echo both >a/both; echo both >b/both
echo hidden >b/opaque/hidden
echo e >b/e/e
for i in 1 2 3 4 5; do echo "$i" >"b/t$i"; done
head -c 100000 /dev/urandom >b/big
ln b/big b/big2
head -c 1001 /dev/urandom >b/large
head -c 1025 /dev/urandom >b/larger
stack=(--lower a --lower b --upper u --work w -o "redirect_dir=on,metacopy=on,fsync=strict" m --name web)

# of_stats EXPRESSION: of what "shale stats m" says
of_stats() { json "$1" shale stats m --json; }
# of_which EXPRESSION PATH: of the only answer
of_which() { json "$1" shale which --json "$2"; }
# of_show EXPRESSION OPTION...
of_show() { json "$1" shale show m --json "${@:2}"; }
# grows AMOUNT COUNTER COMMAND...: by exactly that
grows() {
    local amount=$1 counter=$2 before after
    shift 2
    before=$(of_stats "d['$counter']") || return
    "$@" || return
    after=$(of_stats "d['$counter']") || return
    echo "$counter: from $before to $after"
    ((after - before == amount))
}

echo "TAP version 13"
ok "stats and mounts say so where nothing is mounted" sh -c 'shale stats | grep -x "nothing is mounted"'
shale mount "${stack[@]}" >/dev/null || give_up
id=$(json "d[0]['id']" shale mounts --json)

# --- From another mount namespace the same paths may lead elsewhere.
ok "mounts: paths of another mount namespace are not shown" says "(in another mount namespace)|" unshare --mount shale mounts
ok "mounts: nor in JSON" shows "['', ['', '']]" json "[d[0]['upper'], d[0]['lowers']]" unshare --mount shale mounts --json
ok "diff: such layers are not looked for" refuses 1 "upper|in the mount namespace only that it was mounted in|nsenter|" \
    unshare --mount shale diff m
ok "which: nor are these, and the kernel's answer is shown" says "m/f: lower 2|lower 2  (in another mount namespace)|cannot be looked at|" \
    unshare --mount shale which m/f

# --- which
ok "which: a file of a lower layer" says "m/f: lower 2; removing it will leave a whiteout|lower 2  $scratch/b/f|" shale which m/f
ok "which: in JSON" shows "[False, 1, False]" of_which "[d[0]['parts'][0]['upper'], d[0]['parts'][0]['lower'], d[0]['copied_up']]" m/f
ok "which: what another layer hides" says "lower 1  $scratch/a/both  file|lower 2  $scratch/b/both  file, hidden by the one in lower 1|" \
    shale which m/both
echo more >>m/f
ok "which: copied up" says "m/f: upper, copied up|upper  $scratch/u/f|lower 2  $scratch/b/f  file, hidden by the one in upper|" shale which m/f
ok "which: copied up, in JSON" shows "[True, True, False]" of_which "[d[0]['parts'][0]['upper'], d[0]['copied_up'], d[0]['metacopy']]" m/f
chmod 600 m/big
ok "which: copied up without its data" says "m/big: upper, copied up without its data|file, without data|has the data|" shale which m/big
ok "which: and where these are" shows "[1]" of_which "[p['lower'] for p in d[0]['parts'] if p['data']]" m/big
echo new >m/new
ok "which: new, of the upper only" shows "[True, False, False]" \
    of_which "[d[0]['parts'][0]['upper'], d[0]['copied_up'], d[0]['whiteout_needed']]" m/new
ok "which: a merged directory" says "m/d: |lower 2  $scratch/b/d|" shale which m/d
rm m/gone
ok "which: what hides a name that is gone" says "m/gone: hidden by the whiteout in upper|lower 2  $scratch/b/gone  file, hidden by|" shale which m/gone
ok "which: the same in JSON" shows "['whiteout', True, False]" \
    of_which "[d[0]['hidden_by']['by'], d[0]['hidden_by']['upper'], d[0]['exists']]" m/gone
rm -r m/opaque; mkdir m/opaque
ok "which: an opaque directory" says "m/opaque: upper, opaque|" shale which m/opaque
ok "which: what an opaque directory hides" says "m/opaque/hidden: hidden by the opaque directory /opaque in upper|" shale which m/opaque/hidden
ok "which: a name that is nowhere" says "m/nowhere: in no layer|" shale which m/nowhere
ok "which: below what is nowhere" says "m/no/where: in no layer|" shale which m/no/where
mv m/d m/renamed
ok "which: below a renamed directory" says "m/renamed/x: lower 2|lower 2  $scratch/b/d/x|" shale which m/renamed/x
ln -s f m/link
ok "which: a link itself" says "m/link: upper|symbolic link|" shale which m/link
ok "which: several, though one fails" refuses 1 "/proc/version: |" shale which m/f /proc/version m/new
ok "which: and the others are told" sh -c '[ "$(grep -c ^m/ out)" = 2 ]'
ok "which: refuses whoever is not root" refuses 1 "sudo|" setpriv --reuid 65534 --clear-groups "$shale" which m/f

# --- who-uses
uses() { json "[[x['id'], x['upper'], x['work'], x['lower']] for x in d]" shale who-uses --json "$1"; }
ok "who-uses: a lower layer" shows "[[$id, False, False, 1]]" uses b
ok "who-uses: the upper" shows "[[$id, True, False, None]]" uses u
ok "who-uses: the work directory" shows "[[$id, False, True, None]]" uses w
ok "who-uses: an unrelated directory" shows "[]" uses unrelated
ok "who-uses: below a layer" shows "[]" uses b/d
ok "who-uses: says so" says "unrelated is a layer of no mount|" shale who-uses unrelated
ok "who-uses: as a table" says "USED AS|$scratch/m|lower 2|" shale who-uses b
shale mount --lower b --lower a m2 >/dev/null
ok "who-uses: several mounts" shows "[1, 0]" json "[x['lower'] for x in d]" shale who-uses --json b
umount m2
ok "who-uses: by another path" sh -c 'mkdir bound && mount --bind b bound && shale who-uses bound | grep "lower 2"; s=$?; umount bound; exit $s'
ok "who-uses: a file is refused" refuses 1 "b/f: |directory|" shale who-uses b/f
ok "who-uses: what is missing is refused" refuses 1 "none: |No such file|" shale who-uses none

# --- stats
ok "stats: a copy-up counts once" grows 1 copy_ups sh -c 'echo more >>m/both'
ok "stats: another write to it doesn't" grows 0 copy_ups sh -c 'echo more >>m/both'
ok "stats: the bytes of a file" grows 100000 copy_up_bytes sh -c 'echo >>m/big2'
ok "stats: a whiteout" grows 1 whiteouts rm m/top
ok "stats: a redirect" grows 1 redirects mv m/e m/again
ok "stats: by layer" shows "[0, 1]" of_stats "[l['lower'] for l in d['layers']]"
ok "stats: copied up from each" shows "True" of_stats "sum(l['copy_ups'] for l in d['layers']) == d['copy_ups']"
echo 2 >/proc/sys/vm/drop_caches
before=$(of_stats "d['look_ups']")
stat m/again/e m/nothing >/dev/null 2>&1
ok "stats: look-ups" test "$(of_stats "d['look_ups']")" -gt "$before"
ok "stats: as text" says "$scratch/m|copied up|whiteouts made|LOWER|$scratch/b|" shale stats m
ok "stats: a table of all" says "MOUNTED ON|$scratch/m|" shale stats
ok "stats: all in JSON" shows "[$id]" json "[x['id'] for x in d]" shale stats --json

# --- targets
ok "a mount is found by a file in it" says "$scratch/m|" shale stats m/f
ok "by its name" says "$scratch/m|" shale stats web
ok "by its id" says "$scratch/m|" shale stats "$id"
ok "what is no mount is refused" refuses 1 "/proc: not a Shale mount|proc|shale mounts|" shale stats /proc
ok "nor is an unknown name" refuses 1 "nonsense: neither|shale mounts|" shale stats nonsense
shale mount --lower b m2 --name web >/dev/null
ok "a name of two mounts is refused, with their ids" refuses 1 "web: several mounts|$id|" shale show web
umount m2

# --- show
ok "show: the layers, top-most first" shows "['$scratch/u', '$scratch/a', '$scratch/b']" of_show "[l['path'] for l in d['layers']]"
ok "show: their names" shows "['upper', 'lower 1', 'lower 2']" of_show "[l['layer'] for l in d['layers']]"
ok "show: where it is mounted" shows "['$scratch/m']" of_show "[p['path'] for p in d['mounts']]"
ok "show: the options" shows "True" of_show "'fsync=strict' in d['mounts'][0]['file_system_options']"
ok "show: as text" says "├─ upper  $scratch/u|└─ lower 2  $scratch/b|fsync=strict|copied up|largest copy-up  no limit|" shale show m
ok "show: no sizes unless asked" shows "False" of_show "'size' in d['layers'][0]"
ok "show: sizes, one file with two names counted once" shows "[14, 4]" \
    of_show "[d['layers'][2]['size']['files'], d['layers'][2]['size']['directories']]" --sizes
ok "show: whiteouts in the upper" shows "True" of_show "d['layers'][0]['size']['whiteouts'] >= 2" --sizes
ok "show: sizes as text" says "KiB in 14 files, 4 directories|" shale show m --sizes

# --- set
ok "set: nothing is wrong usage" refuses 2 "nothing is to be changed|--help|" shale set m
ok "set: an unknown kind is wrong usage, by name" refuses 2 "\"nonsense\"|copied-up|" shale set m --events copied-up,nonsense
ok "set: a size that is none is wrong usage, by name" refuses 2 "--max-copy-up 10X|" shale set m --max-copy-up 10X
ok "set: so is a negative rate" refuses 2 "--event-rate|" shale set m --event-rate -5
ok "set: whoever is not root is refused" refuses 1 "root|" setpriv --reuid 65534 --clear-groups "$shale" set m --event-rate 1
ok "set: what is no mount is refused" refuses 1 "/proc: not a Shale mount|" shale set /proc --event-rate 1
ok "set: tells what holds now" says "events           copied-up,failed|event rate       100 in a second|largest copy-up  1000 bytes|" \
    shale set m --events copied-up,failed --event-rate 100 --max-copy-up 1000
ok "set: show tells it, too" shows "{'event_rate': 100, 'events': ['copied-up', 'failed'], 'max_copy_up': 1000, 'upper': None}" of_show "d['limits']"
umount m; shale mount "${stack[@]}" >/dev/null
ok "set: does not outlast the mount" shows "[0, 0]" of_show "[d['limits']['event_rate'], d['limits']['max_copy_up']]"
shale set m --max-copy-up 1K >/dev/null; shale set web --event-rate 7 >/dev/null
ok "set: changes only what is given" shows "[7, 1024]" of_show "[d['limits']['event_rate'], d['limits']['max_copy_up']]"
ok "set: a file within the limit is copied up" sh -c 'echo >>m/large'
ok "set: a larger one is not, with EFBIG" sh -c '! (echo >>m/larger) 2>said; cat said; grep -q "File too large" said'
ok "set: and is as it was" cmp m/larger b/larger
ok "set: which is counted" shows "True" of_stats "d['errors'].get('EFBIG', 0) >= 1"
ok "set: no limit again" says "largest copy-up  no limit|" shale set m --max-copy-up none
ok "set: and it is copied up" sh -c 'echo >>m/larger'

ok "set: a limit of the layer needs a mount that counts" refuses 1 "--size 1M: |without a limit|shale mount --size|" shale set m --size 1M
mkdir u2 w2
ok "mount: a limit of the layer without one is wrong usage" refuses 2 "--read-only|" shale mount --lower a m2 --read-only --size 1M
shale mount --lower a --upper u2 --work w2 m2 --size 1M --inodes 10 >/dev/null || give_up
echo text >m2/new
ok "show: the limits of the layer" shows "[1048576, 10, 2]" json "[d['limits']['upper'][k] for k in ('size', 'inodes', 'inodes_used')]" \
    shale show m2 --json
ok "show: as much as df says" shows "$(df -B1 --output=used m2 | tail -1 | tr -d ' ')" json "d['limits']['upper']['size_used']" shale show m2 --json
ok "show: as text" says "size             1048576 bytes, |objects          10 objects, 2 used|" shale show m2
ok "set: a limit of the layer" says "size             2097152 bytes, |objects          no limit, 2 used|" \
    shale set m2 --size 2M --inodes none
ok "set: and df shows it" shows 2048 sh -c 'df -k --output=size m2 | tail -1 | tr -d " "'
umount m2

# --- top
ok "top: rounds" shows "2" sh -c 'shale top -n 2 -d 0.2 | grep -c "^ID"'
(sleep 2; for i in 1 2 3 4 5; do echo >>"m/t$i"; done) &
ok "top: the copy-ups of a round" shows 5 json "round(d[0]['copy_ups_per_second'] * 6)" shale top --json -n 1 -d 6
wait
shale top -d 0.2 >topped &
top=$!
until grep -q '^ID' topped; do sleep 0.1; done
kill -TERM $top
wait $top
ok "top: ends on a signal with status 0" test $? = 0
ok "top: refuses a delay that is none" refuses 2 "--delay|" shale top -d 0

ok "unmounts" shale umount web

# --- layers of data, and the tree of all layers
mkdir -p data top; echo data >data/hidden; echo data >top/hidden; echo x >data/only
ok "which: looks for no name in a layer of data" sh -c \
    'mount -t "$0" -o ro,metacopy=on,lowerdir=top:b::data none m && shale which m/only && shale which m/hidden' "$module"
ok "which: so it is in none" says "m/only: in no layer|" shale which m/only
ok "which: nor is one hidden there" sh -c '[ "$(shale which m/hidden | wc -l)" = 2 ]'
ok "show: tells a layer of data" shows "[False, False, True]" of_show "[l['data_only'] for l in d['layers']]"
ok "mounts: tells it in the tree" says "├─ lower 1  $scratch/top|├─ lower 2  $scratch/b|└─ lower 3  $scratch/data  (data only)|" \
    shale mounts --tree
umount m
finish
